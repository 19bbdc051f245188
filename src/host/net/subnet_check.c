/* SPDX-License-Identifier: MIT
 * Which subnets may be side by side, and which addresses may be given out. */
#include "network.h"

/* The address space that subnets are chosen from. */
#define CHOSEN_FIRST 172
#define CHOSEN_COUNT 256 /* /20s in 172.16.0.0/12 */

struct subnet *subnets_find(const struct subnets *subnets,
                            const struct ip_address *address) {
    for (size_t i = 0; i < subnets->count; i++)
        if (ip_prefix_contains(&subnets->items[i].plane.prefix, address))
            return &subnets->items[i];
    return NULL;
}

struct pool *subnet_pool(const struct subnet *subnet,
                         const struct ip_address *address) {
    for (size_t i = 0; i < subnet->pool_count; i++)
        if (ip_prefix_contains(&subnet->pools[i].prefix, address))
            return &subnet->pools[i];
    return NULL;
}

bool subnet_reserves(const struct subnet *subnet, const struct pool *pool,
                     const struct ip_address *address) {
    const struct ip_prefix *prefix = &pool->prefix;
    struct ip_address last;

    if (subnet->plane.gateway.family != IP_NONE &&
        !subnet->plane.gateway_free && ip_same(&subnet->plane.gateway, address))
        return true;
    /* Two addresses or one are all for endpoints. */
    if (ip_bits(&prefix->address) - prefix->length < 2)
        return false;
    if ((pool->flags & POOL_NETWORK_ADDRESS) != 0 &&
        ip_same(&prefix->address, address))
        return true;
    ip_prefix_last(prefix, &last);
    return (pool->flags & POOL_BROADCAST) != 0 && last.family == IP_V4 &&
           ip_same(&last, address);
}

/* --- overlaps ------------------------------------------------------ */

static bool overlaps(const struct subnets *subnets,
                     const struct ip_prefix *prefix) {
    for (size_t i = 0; i < subnets->count; i++)
        if (ip_prefix_overlaps(&subnets->items[i].plane.prefix, prefix))
            return true;
    return false;
}

static HRESULT refuse(HRESULT code, const struct ip_prefix *prefix,
                      const char *why, struct hcs_error *error) {
    char text[IP_PREFIX_SIZE];
    ip_prefix_format(prefix, text);
    return error_set(error, code, "$.Ipams", "the prefix %s %s", text, why);
}

static HRESULT check_among(const struct subnets *subnets, HRESULT code,
                           struct hcs_error *error) {
    for (size_t i = 0; i < subnets->count; i++)
        for (size_t k = 0; k < i; k++)
            if (ip_prefix_overlaps(&subnets->items[i].plane.prefix,
                                   &subnets->items[k].plane.prefix))
                return refuse(code, &subnets->items[i].plane.prefix,
                              "overlaps with another of the network", error);
    return S_OK;
}

static bool is_shared(enum plane_mode mode) {
    return mode == PLANE_ICS || mode == PLANE_CONSTRAINED_ICS;
}

/* The code for two networks whose prefixes overlap; S_OK where they may. */
static HRESULT clash(enum plane_mode a, enum plane_mode b) {
    if (a == PLANE_NAT && b == PLANE_NAT)
        return HR_ALREADY_EXISTS;
    return is_shared(a) && is_shared(b) ? HR_DUP_NAME : S_OK;
}

static HRESULT check_against(const struct subnets *subnets,
                             const struct network *other, HRESULT code,
                             struct hcs_error *error) {
    for (size_t i = 0; i < subnets->count; i++)
        if (overlaps(other->subnets, &subnets->items[i].plane.prefix))
            return refuse(code, &subnets->items[i].plane.prefix,
                          "overlaps with one of another network of its type",
                          error);
    return S_OK;
}

HRESULT subnets_check(const struct net *net, enum plane_mode mode,
                      const struct network *except,
                      const struct subnets *subnets, HRESULT code,
                      struct hcs_error *error) {
    const struct link *head = &net->tables[NET_NETWORK].objects;
    HRESULT hr = check_among(subnets, code, error);

    for (struct link *l = head->next; SUCCEEDED(hr) && l != head; l = l->next) {
        const struct network *other =
            network_of(HCS_CONTAINER(l, struct object, link));
        HRESULT what = clash(mode, other->mode);
        if (other != except && FAILED(what))
            hr = check_against(subnets, other, what, error);
    }
    return hr;
}

static bool is_taken(const struct net *net, const struct ip_prefix *prefix) {
    const struct link *head = &net->tables[NET_NETWORK].objects;

    for (struct link *l = head->next; l != head; l = l->next)
        if (overlaps(network_of(HCS_CONTAINER(l, struct object, link))->subnets,
                     prefix))
            return true;
    return net->env.ops->prefix_taken(net->env.plane, prefix);
}

HRESULT subnets_choose(struct net *net, struct ip_prefix *out,
                       struct hcs_error *error) {
    for (unsigned i = 0; i < CHOSEN_COUNT; i++) {
        *out = (struct ip_prefix){.address = {.family = IP_V4}, .length = 20};
        out->address.bytes[0] = CHOSEN_FIRST;
        out->address.bytes[1] = (uint8_t)(16 + i / 16);
        out->address.bytes[2] = (uint8_t)(i % 16 * 16);
        if (!is_taken(net, out))
            return S_OK;
    }
    return error_set(error, HCN_E_ADDR_INVALID_OR_RESERVED, "$.Ipams",
                     "no prefix in 172.16.0.0/12 is free");
}
