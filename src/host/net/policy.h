/* SPDX-License-Identifier: MIT
 * The policies of an endpoint, a network or a subnet: a part that is made
 * anew for each change, checked as a whole, and then put in force. */
#ifndef HCS_NET_POLICY_H
#define HCS_NET_POLICY_H

#include "core.h"

enum policy_object { POLICY_ENDPOINT, POLICY_NETWORK, POLICY_SUBNET };

struct policy_type;

struct policy {
    const struct policy_type *type;
    struct json settings; /* as given; {} when there were none */
    size_t source;        /* its place in the document it came in */
};

/* A port of the host that leads to an endpoint. */
struct mapped_port {
    struct entry entry;
    uint8_t key[3]; /* protocol, port */
    struct ip_address address;
    const struct policies *of;
};

/* The addresses of a SetPolicy. */
struct address_set {
    struct entry entry;
    const char *id;
    bool nested;
    struct plane_addresses addresses;
};

struct policies {
    struct arena arena;
    struct policy *items;
    size_t count;
    struct mapped_port *ports;
    size_t port_count;
    struct index sets; /* of struct address_set, by their folded ids */
    bool uses_sets;
    /* The policies' members of these are filled in, the others are zero. */
    struct plane_endpoint endpoint;
    struct plane_network network;
    struct plane_adapter adapter; /* that the network is bound to */
    uint32_t vlan, isolation;     /* of a subnet */
};

/* Whose policies they are to be. */
struct policy_context {
    struct net *net;
    enum policy_object object;
    enum plane_mode mode;             /* of the network */
    bool remote;                      /* of an endpoint of another host */
    const struct plane_ip *addresses; /* of an endpoint */
    size_t address_count;
    const struct policies *network;  /* whose sets may be named; may be NULL */
    const struct policies *replaced; /* that these take the place of */
};

/* What `change` makes of `old` (NULL: none) with the policies in `array`,
 * which may be absent. CHANGE_UPDATE replaces all of an endpoint's and those
 * of the same identity of a network's. Nothing is in force yet. */
HRESULT policies_make(const struct policy_context *context,
                      const struct policies *old, enum change change,
                      const struct doc *array, struct policies **out,
                      struct hcs_error *error);
void policies_free(struct policies *policies); /* NULL is fine */
/* Take their ports, or give them back. */
void policies_enforce(struct net *net, struct policies *policies);
void policies_retire(struct net *net, struct policies *policies);

/* The array of a document. */
void policies_write(const struct policies *policies, bool v1,
                    struct json_writer *w);
/* The setting `name` of the first policy of a type, or NULL. */
const struct json *policies_setting(const struct policies *policies,
                                    const char *type, const char *name);

/* --- between the files of policies --------------------------------- */

enum policy_identity {
    IDENTITY_WHOLE,
    IDENTITY_TYPE,  /* there is one at most */
    IDENTITY_ID,    /* Settings.Id */
    IDENTITY_REMOTE /* DestinationPrefix, IsolationId, ProviderAddress */
};

/* Where the policies are being turned into what a plane is told. */
struct compiler {
    const struct policy_context *context;
    struct policies *out;
    struct policy *policy; /* the one at hand */
    struct plane_mapping *mappings;
    struct plane_acl *acls;
    struct plane_tier *tiers;
    struct plane_outbound_nat *nats;
    struct plane_route *routes;
    struct plane_proxy *proxies;
    struct plane_wfp_proxy *wfp_proxies;
    struct plane_remote_subnet *remotes;
    struct index own_ports; /* the ports that this set has so far */
};

typedef HRESULT (*policy_reader)(struct compiler *compiler,
                                 const struct doc *settings,
                                 struct hcs_error *error);

/* policy_types.c: NULL for a type the object does not have. */
const struct policy_type *policy_type_find(enum policy_object object,
                                           const char *name, uint64_t number);
const struct policy_type *policy_type_of(enum policy_object object,
                                         const char *name);

struct policy_type {
    enum policy_object object;
    const char *name;
    unsigned value;
    enum plane_policy plane;
    enum policy_identity identity;
    policy_reader read; /* NULL: it is only kept */
};

/* policy_v1.c: "NAT" -> "PortMapping"; the name itself where both agree. */
const char *policy_v1_type(enum policy_object object, const char *name);
HRESULT policy_v1_settings(struct arena *arena, const struct doc *policy,
                           enum policy_object object, struct json *out,
                           struct hcs_error *error);
void policy_v1_write(const struct policy *policy, struct json_writer *w);

/* policy_compile.c */
HRESULT policies_compile(struct compiler *compiler, const struct doc *array,
                         struct hcs_error *error);

/* policy_tuple.c */
/* One item of a list with commas; moves behind it. False at its end. */
bool list_next(const char **list, const char **start, size_t *length);
HRESULT list_bad_item(const struct doc *place, const char *start, size_t length,
                      const char *wanted, struct hcs_error *error);
HRESULT tuple_read(struct compiler *compiler, const struct doc *settings,
                   struct plane_tuple *out, struct hcs_error *error);
/* Lists in one text ("10.0.0.1,10.1.0.0/16") or in an array of texts. */
HRESULT addresses_read(struct compiler *compiler, const struct doc *settings,
                       const char *name, bool sets, struct plane_addresses *out,
                       bool *never, struct hcs_error *error);
HRESULT address_items_read(struct compiler *compiler,
                           const struct doc *settings, const char *name,
                           struct plane_addresses *out,
                           struct hcs_error *error);
HRESULT ports_read(struct compiler *compiler, const struct doc *settings,
                   const char *name, struct plane_ports *out,
                   struct hcs_error *error);
HRESULT port_items_read(struct compiler *compiler, const struct doc *settings,
                        const char *name, struct plane_ports *out,
                        struct hcs_error *error);
/* A port in a text; absent leaves *out alone. */
HRESULT port_text_read(const struct doc *settings, const char *name,
                       uint16_t *out, struct hcs_error *error);
HRESULT prefix_read(const struct doc *settings, const char *name,
                    struct ip_prefix *out, struct hcs_error *error);

/* policy_set.c: NULL for an id that no set has. */
const struct address_set *set_find(const struct policies *policies,
                                   const char *id, size_t length);
HRESULT set_read(struct compiler *compiler, const struct doc *settings,
                 bool nested, struct hcs_error *error);

/* policy_acl.c */
HRESULT acl_read(struct compiler *compiler, const struct doc *settings,
                 struct hcs_error *error);
HRESULT tier_read(struct compiler *compiler, const struct doc *settings,
                  struct hcs_error *error);
HRESULT acls_sort(struct compiler *compiler, struct hcs_error *error);

/* policy_port.c */
HRESULT mapping_read(struct compiler *compiler, const struct doc *settings,
                     struct hcs_error *error);

/* The protocols that ports can be mapped of, and IANA's other names. */
extern const struct doc_name protocol_names[];

#endif
