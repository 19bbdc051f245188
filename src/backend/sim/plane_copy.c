/* SPDX-License-Identifier: MIT
 * What a plane is told is good during the call only: copies of it. */
#include <string.h>

#include "plane.h"

/* A copy of `count` items, NULL for none; false without memory. */
static bool copy(struct arena *arena, const void *from, size_t count,
                 size_t size, void **to) {
    *to = NULL;
    if (count == 0)
        return true;
    *to = arena_alloc(arena, count * size);
    if (!*to)
        return false;
    memcpy(*to, from, count * size);
    return true;
}

/* The array `field` of `object`, which is a shallow copy. */
#define OWN(object, field, count)                                   \
    (copy(arena, (object)->field, (count), sizeof *(object)->field, \
          &memory) &&                                               \
     (((object)->field = memory), true))

static bool own_text(struct arena *arena, const char **text) {
    const char *from = *text ? *text : "";
    *text = arena_text(arena, from, strlen(from));
    return *text != NULL;
}

static bool own_addresses(struct arena *arena, struct plane_addresses *list) {
    void *memory;
    return OWN(list, items, list->count);
}

static bool own_ports(struct arena *arena, struct plane_ports *list) {
    void *memory;
    return OWN(list, items, list->count);
}

static bool own_tuple(struct arena *arena, struct plane_tuple *tuple) {
    void *memory;
    return OWN(&tuple->protocols, items, tuple->protocols.count) &&
           own_addresses(arena, &tuple->local) &&
           own_addresses(arena, &tuple->remote) &&
           own_ports(arena, &tuple->local_ports) &&
           own_ports(arena, &tuple->remote_ports);
}

static bool own_dns(struct arena *arena, struct plane_dns *dns) {
    const char **search;
    void *memory;

    if (!own_text(arena, &dns->domain) ||
        !OWN(dns, servers, dns->server_count) ||
        !copy(arena, dns->search, dns->search_count, sizeof *search, &memory))
        return false;
    search = memory;
    dns->search = search;
    for (size_t i = 0; i < dns->search_count; i++)
        if (!own_text(arena, &search[i]))
            return false;
    return true;
}

static bool own_acls(struct arena *arena, const struct plane_acl **acls,
                     size_t count) {
    struct plane_acl *mine;
    void *memory;

    if (!copy(arena, *acls, count, sizeof *mine, &memory))
        return false;
    mine = memory;
    for (size_t i = 0; i < count; i++)
        if (!own_tuple(arena, &mine[i].tuple))
            return false;
    *acls = mine;
    return true;
}

static bool own_rules(struct arena *arena, struct plane_tier *tier) {
    struct plane_tier_rule *rules;
    void *memory;

    if (!copy(arena, tier->rules, tier->rule_count, sizeof *rules, &memory))
        return false;
    rules = memory;
    for (size_t i = 0; i < tier->rule_count; i++)
        if (!own_tuple(arena, &rules[i].tuple))
            return false;
    tier->rules = rules;
    return true;
}

static bool own_tiers(struct arena *arena, struct plane_endpoint *endpoint) {
    struct plane_tier *tiers;
    void *memory;

    if (!copy(arena, endpoint->tiers, endpoint->tier_count, sizeof *tiers,
              &memory))
        return false;
    tiers = memory;
    for (size_t i = 0; i < endpoint->tier_count; i++)
        if (!own_rules(arena, &tiers[i]))
            return false;
    endpoint->tiers = tiers;
    return true;
}

static bool own_nats(struct arena *arena, struct plane_endpoint *endpoint) {
    struct plane_outbound_nat *nats;
    void *memory;

    if (!copy(arena, endpoint->nats, endpoint->nat_count, sizeof *nats,
              &memory))
        return false;
    nats = memory;
    for (size_t i = 0; i < endpoint->nat_count; i++)
        if (!own_addresses(arena, &nats[i].exceptions) ||
            !own_addresses(arena, &nats[i].destinations))
            return false;
    endpoint->nats = nats;
    return true;
}

static bool own_proxies(struct arena *arena, const struct plane_proxy **all,
                        size_t count) {
    struct plane_proxy *proxies;
    void *memory;

    if (!copy(arena, *all, count, sizeof *proxies, &memory))
        return false;
    proxies = memory;
    for (size_t i = 0; i < count; i++)
        if (!own_addresses(arena, &proxies[i].destinations) ||
            !own_addresses(arena, &proxies[i].exceptions))
            return false;
    *all = proxies;
    return true;
}

static bool own_wfp_proxy(struct arena *arena, struct plane_wfp_proxy *proxy) {
    return own_tuple(arena, &proxy->filter) && own_text(arena, &proxy->user) &&
           own_addresses(arena, &proxy->inbound_exceptions) &&
           own_addresses(arena, &proxy->outbound_exceptions) &&
           own_ports(arena, &proxy->inbound_ports) &&
           own_ports(arena, &proxy->outbound_ports);
}

static bool own_wfp_proxies(struct arena *arena,
                            struct plane_endpoint *endpoint) {
    struct plane_wfp_proxy *proxies;
    void *memory;

    if (!copy(arena, endpoint->wfp_proxies, endpoint->wfp_proxy_count,
              sizeof *proxies, &memory))
        return false;
    proxies = memory;
    for (size_t i = 0; i < endpoint->wfp_proxy_count; i++)
        if (!own_wfp_proxy(arena, &proxies[i]))
            return false;
    endpoint->wfp_proxies = proxies;
    return true;
}

bool sim_copy_network(struct arena *arena, const struct plane_network *from,
                      struct plane_network *to) {
    void *memory;

    *to = *from;
    return own_text(arena, &to->name) && own_text(arena, &to->adapter) &&
           OWN(to, subnets, to->subnet_count) && own_dns(arena, &to->dns) &&
           own_acls(arena, &to->acls, to->acl_count) &&
           own_proxies(arena, &to->proxies, to->proxy_count) &&
           OWN(to, remotes, to->remote_count);
}

bool sim_copy_endpoint(struct arena *arena, const struct plane_endpoint *from,
                       struct plane_endpoint *to) {
    void *memory;

    *to = *from;
    return own_text(arena, &to->name) && own_text(arena, &to->port_name) &&
           OWN(to, addresses, to->address_count) &&
           OWN(to, routes, to->route_count) && own_dns(arena, &to->dns) &&
           OWN(to, mappings, to->mapping_count) &&
           own_acls(arena, &to->acls, to->acl_count) && own_tiers(arena, to) &&
           own_nats(arena, to) && OWN(to, sdn_routes, to->sdn_route_count) &&
           own_proxies(arena, &to->proxies, to->proxy_count) &&
           own_wfp_proxies(arena, to);
}
