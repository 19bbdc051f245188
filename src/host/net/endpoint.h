/* SPDX-License-Identifier: MIT */
#ifndef HCS_NET_ENDPOINT_H
#define HCS_NET_ENDPOINT_H

#include "network.h"

enum endpoint_state {
    ENDPOINT_CREATED = 1,
    ENDPOINT_ATTACHED = 2,
    ENDPOINT_DETACHED = 4
};

/* One address of an endpoint. */
struct address {
    struct entry entry; /* in its network's index */
    struct plane_ip plane;
    struct guid pool; /* IpSubnetId, zero when it was not named */
};

struct space;

struct endpoint {
    struct object object;
    struct arena arena; /* of what never changes */
    const char *name;
    const char *owner;
    struct network *network;
    struct link of_network;
    struct space *space; /* the namespace it is in, or NULL */
    struct link of_space;
    uint32_t flags;
    struct mac_address mac;
    struct entry by_mac;
    struct address *addresses;
    size_t address_count;
    struct plane_ip *ips; /* the same, in a row */
    struct plane_route *routes;
    size_t route_count;
    struct dns *dns;
    struct policies *policies;

    enum endpoint_state state;
    enum plane_port_kind port_kind; /* while attached */
    struct guid port;
    struct guid machine;
    char *adapter; /* VirtualNicName, NULL for none */
    char device[PLANE_DEVICE_SIZE];
    /* Of a port that was there when it was written down and is not yet again;
     * zero: none. A machine that comes back gets the port's id. */
    struct guid kept_port, kept_machine;
};

struct endpoint *endpoint_of(struct object *object);
bool endpoint_is_remote(const struct endpoint *endpoint);
void endpoint_plane(const struct endpoint *endpoint,
                    const struct policies *policies,
                    struct plane_endpoint *out);
/* Whose policies they are to be. */
void endpoint_context(struct net *net, const struct endpoint *endpoint,
                      const struct policies *network,
                      struct policy_context *out);

/* endpoint_read.c: fills a new endpoint from its document; `complete`: with
 * addresses and routes that the document does not have. */
HRESULT endpoint_read(const struct doc *doc, bool complete,
                      struct endpoint *endpoint, struct hcs_error *error);

/* endpoint_write.c */
void endpoint_write(const struct net *net, const struct object *object,
                    const struct view *view, struct json_writer *w);

/* endpoint_keep.c */
void endpoint_keep(const struct object *object, bool held,
                   struct json_writer *w);
HRESULT endpoint_restore(struct net *net, struct object *object,
                         const struct json *kept, struct hcs_error *error);

/* endpoint_port.c */
HRESULT endpoint_modify(struct net *net, struct object *object,
                        const struct doc *request, struct hcs_error *error);
/* `settings` is a VmEndpointRequest. */
HRESULT endpoint_attach(struct net *net, struct object *object,
                        const struct doc *settings, struct hcs_error *error);
/* HCN_E_ENDPOINT_ALREADY_ATTACHED, and who has it. */
HRESULT endpoint_is_taken(const struct endpoint *endpoint,
                          struct hcs_error *error);
void endpoint_detach(struct net *net, struct object *object);
HRESULT endpoint_detach_machine(struct net *net, struct object *object,
                                struct hcs_error *error);
HRESULT endpoint_statistics(struct net *net, struct object *object,
                            struct buf *out, struct hcs_error *error);
/* The port up; tells of it. */
HRESULT endpoint_port_up(struct net *net, struct endpoint *endpoint,
                         enum plane_port_kind kind, const struct guid *port,
                         const struct guid *owner, const char *adapter,
                         struct hcs_error *error);
/* The port down, if it is up; `quietly`: nobody is told. */
void endpoint_port_down(struct net *net, struct endpoint *endpoint,
                        bool quietly);

#endif
