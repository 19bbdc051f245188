/* SPDX-License-Identifier: MIT
 * The subnets of a network, and the addresses and MACs given out of them. */
#ifndef HCS_NET_SUBNET_H
#define HCS_NET_SUBNET_H

#include "policy.h"

#define SUBNET_GATEWAY_FREE UINT32_C(1) /* SubnetFlags */
#define POOL_BROADCAST UINT32_C(1)      /* IPSubnetFlags */
#define POOL_NETWORK_ADDRESS UINT32_C(2)

/* An IpSubnet: where addresses are taken from. */
struct pool {
    struct guid id;
    struct ip_prefix prefix;
    uint32_t flags;
    uint64_t hint; /* all below it are taken or reserved */
};

struct subnet {
    struct plane_subnet plane; /* what a plane is told of it */
    uint32_t flags;
    unsigned ipam; /* which one it is in */
    struct plane_route *routes;
    size_t route_count;
    struct pool *pools;
    size_t pool_count;
    struct policies *policies;
};

/* A network's part: replaced as a whole. */
struct subnets {
    struct arena arena;
    struct subnet *items;
    size_t count;
    struct plane_subnet *plane; /* the same, in a row */
    bool *dhcp;                 /* of each ipam */
    size_t ipam_count;
};

struct network;

/* The Ipams of a new network. */
HRESULT subnets_read(struct net *net, enum plane_mode mode,
                     const struct doc *network, struct subnets **out,
                     struct hcs_error *error);
/* The change that a ModifyNetworkSettingRequest asks for; nothing is in force
 * yet. */
HRESULT subnets_change(struct net *net, const struct network *network,
                       enum change change, const struct doc *settings,
                       struct subnets **out, struct hcs_error *error);
HRESULT subnets_change_pools(struct net *net, const struct network *network,
                             enum change change, const struct doc *settings,
                             struct subnets **out, struct hcs_error *error);
void subnets_free(struct subnets *subnets); /* NULL is fine */
void subnets_write(const struct subnets *subnets, struct json_writer *w);
void subnets_write_v1(const struct subnets *subnets, struct json_writer *w);

/* The Routes of an object, where they are kept in `arena`; *count begins at 0.
 * There is room for one more. */
HRESULT routes_read(const struct doc *object, struct arena *arena,
                    struct plane_route **out, size_t *count,
                    struct hcs_error *error);
void routes_write(const struct plane_route *routes, size_t count,
                  struct json_writer *w);
void put_address(struct json_writer *w, const char *name,
                 const struct ip_address *address);

/* The subnet or pool that an address lies in, or NULL. */
struct subnet *subnets_find(const struct subnets *subnets,
                            const struct ip_address *address);
struct pool *subnet_pool(const struct subnet *subnet,
                         const struct ip_address *address);
/* Whether an endpoint may not have it: the network's own, the broadcast or the
 * gateway's. */
bool subnet_reserves(const struct subnet *subnet, const struct pool *pool,
                     const struct ip_address *address);

/* subnet_check.c: whether they may be on this host: no overlap among them, nor
 * with those of other networks that translate addresses. `code` is for those
 * among them. `except` is the network they are for, or NULL. */
HRESULT subnets_check(const struct net *net, enum plane_mode mode,
                      const struct network *except,
                      const struct subnets *subnets, HRESULT code,
                      struct hcs_error *error);
/* A /20 of 172.16.0.0/12 that nothing has. */
HRESULT subnets_choose(struct net *net, struct ip_prefix *out,
                       struct hcs_error *error);

#endif
