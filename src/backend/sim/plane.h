/* SPDX-License-Identifier: MIT
 * The inside of the simulated plane: what it was told, copied. */
#ifndef HCS_SIM_PLANE_H
#define HCS_SIM_PLANE_H

#include "../../base/arena.h"
#include "../../base/index.h"
#include "../../base/list.h"
#include "../plane.h"

struct sim_network {
    struct link link;
    struct entry by_id;
    struct guid id;
    struct arena arena; /* of `told` */
    struct plane_network told;
};

struct sim_endpoint {
    struct link link;
    struct entry by_id;
    struct guid id;
    struct sim_network *network;
    struct arena arena; /* of `told` and the entries */
    struct plane_endpoint told;
    struct entry *by_address; /* one for each address */
    struct entry *by_port;    /* one for each mapping */
    uint8_t (*port_keys)[3];
    bool has_port;
    struct plane_port port; /* without the adapter's name */
    struct plane_statistics counted;
};

struct sim_space {
    struct link link;
    struct entry by_id;
    struct plane_namespace told;
};

struct sim_held {
    uint8_t protocol;
    uint16_t port;
};

struct plane {
    struct link networks, endpoints, spaces;
    struct index network_ids, endpoint_ids, space_ids;
    struct index addresses; /* of sim_endpoint */
    struct index ports;     /* of sim_endpoint, by protocol and port */
    struct ip_prefix *prefixes;
    size_t prefix_count;
    struct sim_held *held;
    size_t held_count;
    size_t port_count;
    bool no_adapter;
    uint64_t calls;
    unsigned fail_after;
    HRESULT fail_code;
};

/* plane_copy.c: deep copies into the arena; false without memory. */
bool sim_copy_network(struct arena *arena, const struct plane_network *from,
                      struct plane_network *to);
bool sim_copy_endpoint(struct arena *arena, const struct plane_endpoint *from,
                       struct plane_endpoint *to);

/* plane_rules.c: whether the endpoint's rules let a packet pass; *reason says
 * which one decided. Local is the endpoint's side. */
struct sim_flow {
    enum plane_direction direction;
    uint8_t protocol;
    struct ip_address local, remote;
    uint16_t local_port, remote_port;
};
bool sim_rules_pass(const struct sim_endpoint *endpoint,
                    const struct sim_flow *flow, const char **reason);
bool sim_tuple_matches(const struct plane_tuple *tuple,
                       const struct sim_flow *flow);
bool sim_addresses_match(const struct plane_addresses *list,
                         const struct ip_address *address);

struct sim_endpoint *sim_endpoint_find(const struct plane *plane,
                                       const struct guid *id);
void sim_port_key(uint8_t key[3], uint8_t protocol, uint16_t port);

#endif
