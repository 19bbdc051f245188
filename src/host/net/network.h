/* SPDX-License-Identifier: MIT */
#ifndef HCS_NET_NETWORK_H
#define HCS_NET_NETWORK_H

#include "subnet.h"

#define EXTENSION_COUNT 3
#define NETWORK_NON_PERSISTENT UINT32_C(8) /* of NetworkFlags */

struct dns { /* a part, of networks and of endpoints */
    struct arena arena;
    struct plane_dns plane;
    const char **options;
    size_t option_count;
};

struct mac_range {
    uint64_t first, last;
    uint64_t hint; /* all from `first` up to it are taken */
};

struct network {
    struct object object;
    struct arena arena; /* of what never changes */
    const char *name;
    const char *owner;
    char *folded; /* the name as the index has it */
    struct entry by_name;
    enum plane_mode mode;
    uint32_t flags;
    struct mac_range *ranges;
    size_t range_count;
    char adapter[PLANE_DEVICE_SIZE];
    struct guid layer, switch_id;
    bool extensions[EXTENSION_COUNT];
    int64_t updated; /* ns since 1970 */

    struct subnets *subnets;
    struct policies *policies;
    struct dns *dns;

    struct link endpoints; /* by endpoint.of_network */
    size_t endpoint_count;
    size_t endpoints_ever;
    struct index macs;      /* of its endpoints: owner */
    struct index addresses; /* of struct address */
};

struct network *network_of(struct object *object);
/* Types that end on an adapter of the host. */
bool mode_is_external(enum plane_mode mode);
const char *mode_name(enum plane_mode mode);

/* dns.c: a part from a member that may be absent. */
HRESULT dns_read(const struct doc *dns, struct dns **out,
                 struct hcs_error *error);
void dns_free(struct dns *dns);
bool dns_is_empty(const struct dns *dns);
void dns_write(const struct dns *dns, struct json_writer *w);
void dns_write_v1(const struct dns *dns, struct json_writer *w);

/* mac.c */
HRESULT mac_ranges_read(struct net *net, const struct doc *network,
                        struct network *out, struct hcs_error *error);
/* The lowest free one. */
HRESULT mac_take(struct network *network, struct mac_address *out,
                 struct hcs_error *error);
void mac_give_back(struct network *network, const struct mac_address *mac);

/* network_write.c */
void network_write(const struct net *net, const struct object *object,
                   const struct view *view, struct json_writer *w);

/* network_keep.c */
void network_keep(const struct object *object, bool held,
                  struct json_writer *w);
HRESULT network_restore(struct net *net, struct object *object,
                        const struct json *kept, struct hcs_error *error);

/* network_modify.c */
HRESULT network_modify(struct net *net, struct object *object,
                       const struct doc *request, struct hcs_error *error);
/* What the plane is told, with the parts given. */
void network_plane(const struct network *network,
                   const struct policies *policies,
                   const struct subnets *subnets, const struct dns *dns,
                   struct plane_network *out);
extern const char *const extension_ids[EXTENSION_COUNT];
extern const char *const extension_names[EXTENSION_COUNT];

#endif
