/* SPDX-License-Identifier: MIT
 * The inside of the plane, for the files of this room. But for the vtable's
 * own functions everything runs in the crew's thread. */
#ifndef HCS_LINUX_INSIDE_H
#define HCS_LINUX_INSIDE_H

#include <stdatomic.h>
#include <sys/types.h>

#include "../../base/arena.h"
#include "../../base/list.h"
#include "crew.h"
#include "device.h"
#include "filter.h"
#include "linux.h"

/* What this kernel was found to be able to do. */
struct abilities {
    bool bridge;          /* bridges and veth pairs */
    bool bridge_filter;   /* their IP packets go through the packet filter */
    bool shape;           /* limits */
    bool tap;             /* virtual machines */
    char tap_missing[96]; /* why not */
};

struct service; /* a network's DHCP and DNS */

struct network {
    struct link link;
    struct guid id;
    enum plane_mode mode;
    uint32_t flags;
    unsigned serial;
    struct device bridge;
    struct mac_address mac; /* of the bridge */
    bool host;              /* the host has a port on it */
    bool nat;
    bool lost;          /* somebody took the bridge away */
    struct arena terms; /* of what follows; replaced as a whole */
    char *name;
    struct plane_subnet *subnets;
    size_t subnet_count;
    struct plane_dns dns;
    struct service *service; /* NULL: none */
};

struct space {
    struct link link;
    struct guid id;
    enum plane_namespace_type type;
    int fd; /* of the plane's own for the host's */
};

/* A mapped port, and the socket that keeps it from others, or -1. */
struct held {
    uint8_t protocol;
    struct ip_address address;
    uint16_t port;
    int fd;
};

/* Which chains an endpoint has. */
struct layout {
    unsigned tiers[2]; /* in each direction */
    bool nat;
};

/* What can change of an endpoint. */
struct terms {
    struct arena arena;
    char *name;
    char *alias; /* of the port */
    uint32_t mtu;
    uint64_t limit;
    bool isolated, hairpin, low_metric;
    struct plane_route *routes;
    size_t route_count;
    struct buf undo; /* takes its elements out of the packet filter's maps */
    struct buf end;  /* takes all of it out; made while there is memory */
    struct layout layout;
    struct held *held;
    size_t held_count;
    struct ip_address *virtual_ips; /* that the host has for it */
    size_t virtual_count;
};

struct port {
    bool there;
    bool lost; /* somebody took the interface away */
    enum plane_port_kind kind;
    struct space *space; /* NULL: a machine's */
    struct device device;
    int tap;             /* or -1 */
    uint32_t rule_table; /* of the host's own, or 0 */
};

struct endpoint {
    struct link link;
    struct guid id;
    struct network *network;
    unsigned serial;
    struct mac_address mac;
    struct plane_ip *addresses;
    size_t address_count;
    bool remote;
    struct terms terms;
    struct port port;
    int offer;                    /* a tap for the next port, or -1 */
    struct plane_statistics past; /* of ports that are gone */
};

/* Between the plane and another namespace. */
struct cable {
    int middle;       /* a namespace, or -1 */
    struct wire wire; /* there */
    int gone;         /* readable when one of its interfaces is; or -1 */
    int here, there;  /* indexes of its ends; 0: there is none */
    int parts[3];     /* in the middle: the bridge and its ports */
};

#define SWEEP_MOST 2
#define PLANE_SWEEPS 16

/* A thread that takes interfaces away. */
struct sweep {
    hcs_thread thread;
    bool busy;        /* there is one, to be joined */
    atomic_bool done; /* it has nothing more to do */
    unsigned number;
    struct wire wire;
    int indexes[SWEEP_MOST];
    size_t count;
    int fd;
};

struct plane {
    struct crew crew;
    int outside; /* the machine's own namespace */
    int home;    /* the plane's */
    struct wire wire;
    struct nft_ctx *filter;
    struct cable cable;             /* the uplink's */
    struct nft_ctx *outside_filter; /* with an uplink */
    struct ip_prefix uplink_prefix; /* IP_NONE: there is none */
    int world;                      /* where outside sockets are, or -1 */
    struct ip_prefix world_prefix;
    struct abilities can;
    struct link networks, endpoints, spaces;
    unsigned serial;
    char *directory, *dnsmasq; /* NULL: no services */
    int watch;                 /* epoll of the services' ends and of … */
    int gone;                  /* … interfaces that are taken away, or -1 */
    bool ending;               /* rules go with the namespace */
    struct sweep sweeps[PLANE_SWEEPS];
    size_t next_sweep;
};

/* --- plane.c ----------------------------------------------------------- */

void plane_destroy(struct plane *plane); /* NULL is fine */
HRESULT no_memory(struct hcs_error *error);
/* The plane's descriptor is readable when this is, too. */
HRESULT plane_watch(const struct plane *plane, int fd, struct hcs_error *error);
struct network *find_network(const struct plane *plane, const struct guid *id);
struct endpoint *find_endpoint(const struct plane *plane,
                               const struct guid *id);
struct space *find_space(const struct plane *plane, const struct guid *id);

/* --- probe.c ----------------------------------------------------------- */

/* In a namespace of its own, which it leaves the crew in. */
void probe(struct abilities *can);
HRESULT probe_network(const struct plane *plane, enum plane_mode mode,
                      struct hcs_error *error);
HRESULT probe_policy(const struct plane *plane, enum plane_policy policy,
                     struct hcs_error *error);

/* --- network.c, endpoint.c, port.c, space.c, statistics.c -------------- */

/* Whether the host itself is on it. */
bool network_has_host(const struct plane_network *told);
/* Whether the host has an address of the subnet, where it is on the network. */
bool subnet_has_gateway(const struct plane_subnet *subnet);
/* What it is before anything of it is made. */
void network_begin(struct network *network, const struct plane_network *told,
                   unsigned serial);
HRESULT network_up(struct plane *plane, const struct plane_network *told,
                   struct hcs_error *error);
HRESULT network_change(struct plane *plane, const struct plane_network *told,
                       struct hcs_error *error);
void network_down(struct plane *plane, struct network *network);
/* Makes the bridge anew, with the ports that are there. */
HRESULT network_mend(struct plane *plane, struct network *network,
                     struct hcs_error *error);

/* What the told policies ask for that is not carried out here. */
HRESULT endpoint_check(const struct plane *plane,
                       const struct plane_endpoint *told,
                       struct hcs_error *error);
/* The terms without their rules and ports. */
HRESULT terms_read(const struct plane_endpoint *told, struct terms *terms,
                   struct hcs_error *error);
void terms_free(struct terms *terms);
HRESULT endpoint_up(struct plane *plane, const struct plane_endpoint *told,
                    struct hcs_error *error);
HRESULT endpoint_change(struct plane *plane, const struct plane_endpoint *told,
                        struct hcs_error *error);
void endpoint_down(struct plane *plane, struct endpoint *endpoint);

/* --- held.c: ports of the host that the plane plays -------------------- */

/* Whether one is free; HR_SHARING_VIOLATION if not. `fd` (may be NULL) gets the
 * socket that keeps it so. */
HRESULT hold_port(uint8_t protocol, const struct ip_address *address,
                  uint16_t port, bool v6, int *fd, struct hcs_error *error);
/* Looks at all mapped ports and keeps those that are reserved. What `before`
 * (may be NULL) has is taken over, and stays as it is. */
HRESULT hold_ports(const struct plane_endpoint *told,
                   const struct terms *before, struct terms *now,
                   struct hcs_error *error);
void let_go(struct terms *terms);

HRESULT port_up(struct plane *plane, struct endpoint *endpoint,
                const struct plane_port *told, char device[PLANE_DEVICE_SIZE],
                struct hcs_error *error);
/* Gives a port that is there the terms that are new. */
HRESULT port_change(struct plane *plane, const struct endpoint *endpoint,
                    const struct terms *now, const struct terms *before,
                    struct hcs_error *error);
void port_down(struct plane *plane, struct endpoint *endpoint);
/* Back onto its network's bridge, which is new. */
HRESULT port_rejoin(struct plane *plane, const struct endpoint *endpoint,
                    struct hcs_error *error);
/* Makes one anew whose interface is gone. A machine's cannot be. */
HRESULT port_mend(struct plane *plane, struct endpoint *endpoint,
                  struct hcs_error *error);
HRESULT port_join(struct plane *plane, struct endpoint *endpoint,
                  struct hcs_error *error);

HRESULT tap_make(struct plane *plane, struct endpoint *endpoint,
                 struct hcs_error *error);
/* Whether the descriptor is one of a tap as tap_make makes them. */
bool tap_is(int fd);
/* The endpoint's offer becomes its port. */
HRESULT tap_take(struct plane *plane, struct endpoint *endpoint,
                 struct hcs_error *error);
/* Ends the port; the machine may still have the tap, which is then joined to
 * nothing. */
void tap_leave(struct plane *plane, struct endpoint *endpoint);
HRESULT veth_make(struct plane *plane, struct endpoint *endpoint,
                  char device[PLANE_DEVICE_SIZE], struct hcs_error *error);

HRESULT space_up(struct plane *plane, const struct plane_namespace *told,
                 struct hcs_error *error);
void space_down(struct plane *plane, struct space *space);

/* What an endpoint's port has counted, 0 without one, seen from inside. */
HRESULT count_port(struct plane *plane, const struct endpoint *endpoint,
                   struct plane_statistics *out, struct hcs_error *error);
HRESULT statistics(struct plane *plane, const struct endpoint *endpoint,
                   struct plane_statistics *out, struct hcs_error *error);

/* --- shape.c ----------------------------------------------------------- */

/* What comes out of the endpoint's port is at most `limit` bytes per second;
 * 0: any number. */
HRESULT shape_port(struct plane *plane, const struct endpoint *endpoint,
                   uint64_t limit, struct hcs_error *error);
/* Makes its limiter anew if that is gone. */
HRESULT shape_mend(struct plane *plane, const struct endpoint *endpoint,
                   struct hcs_error *error);
/* Its limiter is out of use and to be taken away with the port: its index, 0
 * for none. */
int shape_take(struct plane *plane, const struct endpoint *endpoint);

/* --- mend.c ------------------------------------------------------------ */

/* A descriptor that is readable when an interface of the namespace that the
 * crew is in has gone. */
HRESULT mend_listen(int *fd, struct hcs_error *error);
/* Makes anew what somebody else took away. */
HRESULT mend(struct plane *plane, struct hcs_error *error);

/* --- sweep.c ----------------------------------------------------------- */

/* Takes interfaces away (0: none) and closes `fd` (or -1), the last of a tap
 * perhaps. When it returns nobody sees the interfaces any more. */
void sweep(struct plane *plane, const int *indexes, size_t count, int fd);
/* Waits until all is done. */
void sweep_all(struct plane *plane);

/* --- rules_*.c: the texts of transactions ------------------------------ */

/* How a chain of a network refuses: the endpoint's own drops, and counts. */
#define RULES_MARK "0x48434e"
#define RULES_REFUSE "meta mark set " RULES_MARK " return"

/* The tables and chains that all of the plane has in common. */
void rules_base(struct buf *out);
void rules_network(const struct plane_network *told,
                   const struct network *network, bool fresh, struct buf *out);
void rules_network_end(const struct network *network, struct buf *out);
/* The list of networks that translate; `without` (may be NULL) is going. */
void rules_translators(const struct plane *plane, const struct network *without,
                       struct buf *out);
/* `before` (NULL: the endpoint is new) are the terms that end. Fills
 * now->undo, now->end and now->layout. */
HRESULT rules_endpoint(const struct plane_endpoint *told,
                       const struct endpoint *endpoint,
                       const struct terms *before, struct terms *now,
                       struct buf *out, struct hcs_error *error);

/* The rules of its guard. */
void rules_guard(const struct endpoint *endpoint, struct buf *out);

/* Adds to `chain` the rules, one for each family that they are about, which
 * give the verdict to what the tuple is about. */
void rules_tuple(const char *chain, const struct plane_tuple *tuple,
                 enum plane_direction direction, const char *verdict,
                 struct buf *out);
/* " ip saddr { … }" for those of the list that are of the family; nothing when
 * that is all of it. False: none is. */
bool rules_addresses(const char *what, const struct plane_addresses *list,
                     uint8_t family, bool not_these, struct buf *out);

/* --- service.c --------------------------------------------------------- */

bool service_wanted(const struct plane_network *told);
/* HCN_E_REQUEST_UNSUPPORTED: the network is to have one, and cannot. */
HRESULT service_check(const struct plane *plane,
                      const struct plane_network *told,
                      struct hcs_error *error);
HRESULT service_start(struct plane *plane, struct network *network,
                      struct hcs_error *error);
/* The network's addresses or servers are others. */
HRESULT service_renew(struct plane *plane, struct network *network,
                      struct hcs_error *error);
/* An endpoint came, went or changed its name. */
void service_refresh(struct plane *plane, struct network *network);
void service_stop(struct plane *plane, struct network *network);
/* Starts again those that ended. */
HRESULT service_tend(struct plane *plane, struct hcs_error *error);
/* Takes away the files of a process that died. */
void service_sweep(const char *directory);
/* Where the program is, malloc'd, or NULL. */
char *service_find(const char *wanted);

/* One without a way out was given one, or the reverse: who answers names by
 * asking the machine's servers has to know. */
HRESULT services_uplink(struct plane *plane, struct hcs_error *error);

/* --- cable.c ----------------------------------------------------------- */

void cable_none(struct cable *cable);
/* Both ends down; `far_name` may have a "%d". */
HRESULT cable_lay(const struct plane *plane, const char *name, int outside,
                  const char *far_name, struct cable *cable,
                  struct hcs_error *error);
/* Both ends are up: waits until it carries packets. */
void cable_settle(struct cable *cable);
void cable_cut(struct cable *cable); /* twice is fine */

/* --- uplink.c, spare.c, world.c ---------------------------------------- */

/* `first` NULL: any that is spare. S_FALSE when there is one. */
HRESULT uplink_open(struct plane *plane, const struct ip_address *first,
                    struct hcs_error *error);
void uplink_close(struct plane *plane); /* twice is fine */
bool uplink_has(const struct plane *plane, const struct ip_prefix *prefix);
/* How many it has that are not seen from the plane. */
size_t uplink_interfaces(const struct plane *plane);
/* The text of the machine's table. */
void uplink_table(const struct ip_prefix *prefix, int number, struct buf *out);

/* One of length 30 that neither the machine nor the plane has. */
HRESULT spare_prefix(struct plane *plane, struct ip_prefix *out,
                     struct hcs_error *error);
/* Whether a network, the uplink or the outside has addresses of it. */
bool prefix_used(const struct plane *plane, const struct ip_prefix *prefix);

struct socket_wish {
    int domain, type, protocol;
};
/* Makes a socket in the namespace `space`. */
HRESULT socket_in(struct plane *plane, int space,
                  const struct socket_wish *wish, int *fd,
                  struct hcs_error *error);
HRESULT world_socket(struct plane *plane, const struct socket_wish *wish,
                     int *fd, struct ip_address *host, struct hcs_error *error);
void world_close(struct plane *plane); /* twice is fine */
bool world_has(const struct plane *plane, const struct ip_prefix *prefix);

/* --- count.c ----------------------------------------------------------- */

HRESULT count_all(struct plane *plane, struct linux_plane_counts *out,
                  struct hcs_error *error);

#endif
