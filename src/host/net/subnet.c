/* SPDX-License-Identifier: MIT
 * Reading and changing subnets. */
#include "subnet.h"

#include <stdlib.h>
#include <string.h>

#include "endpoint.h"

#define MOST_SUBNETS 1024 /* of a network, and pools of a subnet */

static const struct doc_name ipam_types[] = {
    {"Static", 0}, {"Dhcp", 1}, {NULL, 0}};

/* Where a subnet that is being read belongs. */
struct reading {
    struct net *net;
    enum plane_mode mode;
    struct subnets *out;
    size_t room;  /* for subnets */
    HRESULT code; /* for a subnet that cannot be */
};

void subnets_free(struct subnets *subnets) {
    if (!subnets)
        return;
    for (size_t i = 0; i < subnets->count; i++)
        policies_free(subnets->items[i].policies);
    arena_free(&subnets->arena);
    free(subnets);
}

/* --- one subnet
 * ---------------------------------------------------------------- */

static HRESULT read_prefix(const struct doc *object, HRESULT code,
                           struct ip_prefix *out, struct hcs_error *error) {
    struct doc place = doc_get(object, "IpAddressPrefix");
    const char *text = "";
    HRESULT hr = doc_text(object, "IpAddressPrefix", &text, error);

    if (FAILED(hr))
        return hr;
    if (*text == '\0')
        return doc_fail(object, code, error, "expected an IpAddressPrefix");
    if (!ip_prefix_parse(text, out))
        return doc_fail(&place, HCN_E_INVALID_PREFIX, error,
                        "\"%s\" is not a prefix", text);
    if (!ip_prefix_aligned(out))
        return doc_fail(&place, code, error,
                        "\"%s\" has bits past the prefix's length", text);
    return S_OK;
}

static HRESULT read_route(const struct doc *place, struct plane_route *out,
                          struct hcs_error *error) {
    struct doc destination = doc_get(place, "DestinationPrefix");
    const char *text = "";
    HRESULT hr = doc_text(place, "DestinationPrefix", &text, error);

    *out = (struct plane_route){0};
    if (SUCCEEDED(hr))
        hr = doc_address(place, "NextHop", HCN_E_ADDR_INVALID_OR_RESERVED,
                         &out->next_hop, error);
    if (SUCCEEDED(hr))
        hr = doc_u16(place, "Metric", &out->metric, error);
    if (SUCCEEDED(hr) && *text != '\0' &&
        !ip_prefix_parse(text, &out->destination))
        hr = doc_fail(&destination, HCN_E_INVALID_PREFIX, error,
                      "\"%s\" is not a prefix", text);
    return hr;
}

/* A route without a next hop or a destination says nothing. */
static bool says_nothing(const struct plane_route *route) {
    return route->next_hop.family == IP_NONE ||
           route->destination.address.family == IP_NONE;
}

HRESULT routes_read(const struct doc *object, struct arena *arena,
                    struct plane_route **out, size_t *out_count,
                    struct hcs_error *error) {
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(object, "Routes", &array, &count, error);

    if (FAILED(hr))
        return hr;
    *out = arena_alloc(arena, (count + 1) * sizeof **out);
    if (!*out)
        return out_of_memory(error);
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        struct doc item;
        hr = doc_item_object(&array, i, &item, error);
        if (SUCCEEDED(hr))
            hr = read_route(&item, &(*out)[*out_count], error);
        if (SUCCEEDED(hr) && !says_nothing(&(*out)[*out_count]))
            ++*out_count;
    }
    return hr;
}

static bool is_default(const struct plane_route *route,
                       const struct ip_prefix *prefix) {
    return route->destination.length == 0 &&
           route->next_hop.family == prefix->address.family;
}

/* Whether the host itself needs an address in it. */
static bool host_is_gateway(enum plane_mode mode) {
    return mode == PLANE_NAT || mode == PLANE_ICS ||
           mode == PLANE_CONSTRAINED_ICS;
}

/* The first address, said by a route that was left out. */
static void add_gateway(struct subnet *subnet) {
    struct plane_route *route = &subnet->routes[subnet->route_count++];

    ip_prefix_at(&subnet->plane.prefix, 1, &subnet->plane.gateway);
    *route = (struct plane_route){.next_hop = subnet->plane.gateway};
    route->destination.address.family = subnet->plane.prefix.address.family;
}

static HRESULT find_gateway(const struct reading *reading,
                            struct subnet *subnet, const struct doc *place,
                            struct hcs_error *error) {
    const struct ip_prefix *prefix = &subnet->plane.prefix;
    struct ip_address *gateway = &subnet->plane.gateway;
    char text[IP_TEXT_SIZE];

    for (size_t i = 0; i < subnet->route_count; i++)
        if (gateway->family == IP_NONE &&
            is_default(&subnet->routes[i], prefix))
            *gateway = subnet->routes[i].next_hop;
    if (gateway->family == IP_NONE && host_is_gateway(reading->mode)) {
        if (ip_prefix_size(prefix) < 4)
            return doc_fail(place, reading->code, error,
                            "the prefix has no room for a gateway");
        add_gateway(subnet);
    }
    if (gateway->family == IP_NONE || ip_prefix_contains(prefix, gateway))
        return S_OK;
    ip_format(gateway, text);
    return doc_fail(place, reading->code, error,
                    "the gateway %s is outside of the subnet", text);
}

static HRESULT read_pool(const struct reading *reading,
                         const struct subnet *subnet, const struct doc *place,
                         struct pool *out, struct hcs_error *error) {
    HRESULT hr;

    *out = (struct pool){.flags = POOL_BROADCAST | POOL_NETWORK_ADDRESS};
    hr = read_prefix(place, HCN_E_INVALID_IP_SUBNET, &out->prefix, error);
    if (SUCCEEDED(hr))
        hr = doc_u32(place, "Flags", &out->flags, error);
    if (SUCCEEDED(hr))
        hr = doc_guid(place, "ID", &out->id, error);
    if (SUCCEEDED(hr) &&
        (out->prefix.length < subnet->plane.prefix.length ||
         !ip_prefix_contains(&subnet->plane.prefix, &out->prefix.address)))
        hr = doc_fail(place, HCN_E_INVALID_IP_SUBNET, error,
                      "the prefix is not one within the subnet");
    if (guid_is_zero(&out->id))
        object_new_id(reading->net, &out->id);
    return hr;
}

static HRESULT check_new_pool(const struct subnet *subnet,
                              const struct pool *pool, const struct doc *place,
                              struct hcs_error *error) {
    for (size_t i = 0; i < subnet->pool_count; i++)
        if (ip_prefix_overlaps(&subnet->pools[i].prefix, &pool->prefix))
            return doc_fail(place, HCN_E_INVALID_IP_SUBNET, error,
                            "the prefix overlaps with another of the subnet");
    return S_OK;
}

/* Adds those of `object`.IpSubnets to the subnet, which has room. */
static HRESULT read_pools(const struct reading *reading, struct subnet *subnet,
                          const struct doc *array, size_t count,
                          struct hcs_error *error) {
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        struct pool *pool = &subnet->pools[subnet->pool_count];
        struct doc item;
        hr = doc_item_object(array, i, &item, error);
        if (SUCCEEDED(hr))
            hr = read_pool(reading, subnet, &item, pool, error);
        if (SUCCEEDED(hr))
            hr = check_new_pool(subnet, pool, &item, error);
        if (SUCCEEDED(hr))
            subnet->pool_count++;
    }
    return hr;
}

static HRESULT too_many(const struct doc *place, HRESULT code,
                        struct hcs_error *error) {
    return doc_fail(place, code, error, "expected at most %d of them",
                    MOST_SUBNETS);
}

static HRESULT make_pools(const struct reading *reading, struct subnet *subnet,
                          const struct doc *object, struct hcs_error *error) {
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(object, "IpSubnets", &array, &count, error);

    if (FAILED(hr))
        return hr;
    if (count > MOST_SUBNETS)
        return too_many(&array, HCN_E_INVALID_IP_SUBNET, error);
    subnet->pools =
        arena_alloc(&reading->out->arena, (count + 1) * sizeof *subnet->pools);
    if (!subnet->pools)
        return out_of_memory(error);
    if (count > 0)
        return read_pools(reading, subnet, &array, count, error);
    subnet->pools[0] =
        (struct pool){.prefix = subnet->plane.prefix,
                      .flags = POOL_BROADCAST | POOL_NETWORK_ADDRESS};
    object_new_id(reading->net, &subnet->pools[0].id);
    subnet->pool_count = 1;
    return S_OK;
}

static HRESULT read_policies(const struct reading *reading,
                             struct subnet *subnet, const struct doc *object,
                             struct hcs_error *error) {
    const struct policy_context context = {
        .net = reading->net, .object = POLICY_SUBNET, .mode = reading->mode};
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(object, "Policies", &array, &count, error);

    if (SUCCEEDED(hr))
        hr = policies_make(&context, NULL, CHANGE_ADD, &array,
                           &subnet->policies, error);
    if (FAILED(hr))
        return hr;
    subnet->plane.vlan = subnet->policies->vlan;
    subnet->plane.isolation = subnet->policies->isolation;
    if (reading->mode == PLANE_OVERLAY && subnet->plane.isolation == 0)
        return doc_fail(object, reading->code, error,
                        "a subnet of an overlay network needs a VSID policy");
    return S_OK;
}

static HRESULT read_subnet(const struct reading *reading,
                           const struct doc *object, struct subnet *out,
                           struct hcs_error *error) {
    HRESULT hr = read_prefix(object, reading->code, &out->plane.prefix, error);

    if (SUCCEEDED(hr))
        hr = doc_guid(object, "ID", &out->plane.id, error);
    if (SUCCEEDED(hr))
        hr = doc_u32(object, "Flags", &out->flags, error);
    out->plane.gateway_free = (out->flags & SUBNET_GATEWAY_FREE) != 0;
    if (SUCCEEDED(hr))
        hr = routes_read(object, &reading->out->arena, &out->routes,
                         &out->route_count, error);
    if (SUCCEEDED(hr))
        hr = find_gateway(reading, out, object, error);
    if (SUCCEEDED(hr))
        hr = make_pools(reading, out, object, error);
    if (SUCCEEDED(hr))
        hr = read_policies(reading, out, object, error);
    if (guid_is_zero(&out->plane.id))
        object_new_id(reading->net, &out->plane.id);
    return hr;
}

/* --- all of them
 * -------------------------------------------------------------------- */

static HRESULT read_array(struct reading *reading, const struct doc *array,
                          size_t count, unsigned ipam,
                          struct hcs_error *error) {
    struct subnets *out = reading->out;
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        struct doc item;
        struct subnet *subnet = &out->items[out->count];
        hr = doc_item_object(array, i, &item, error);
        if (FAILED(hr) || !item.value || item.value->as.object.count == 0)
            continue;
        *subnet = (struct subnet){.ipam = ipam};
        out->count++; /* so that it is freed, whatever becomes of it */
        hr = read_subnet(reading, &item, subnet, error);
    }
    return hr;
}

static HRESULT make_room(struct subnets *out, size_t room,
                         struct hcs_error *error) {
    out->items = arena_alloc(&out->arena, (room + 1) * sizeof *out->items);
    return out->items ? S_OK : out_of_memory(error);
}

/* Puts what a plane is told in a row. */
static HRESULT line_up(struct subnets *out, struct hcs_error *error) {
    out->plane =
        arena_alloc(&out->arena, (out->count + 1) * sizeof *out->plane);
    if (!out->plane)
        return out_of_memory(error);
    for (size_t i = 0; i < out->count; i++)
        out->plane[i] = out->items[i].plane;
    return S_OK;
}

static HRESULT count_subnets(const struct doc *ipams, size_t count, size_t *out,
                             struct hcs_error *error) {
    HRESULT hr = S_OK;

    *out = 1; /* for one that is chosen */
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        struct doc item, array;
        size_t more = 0;
        hr = doc_item_object(ipams, i, &item, error);
        if (SUCCEEDED(hr))
            hr = doc_array(&item, "Subnets", &array, &more, error);
        *out += more;
    }
    if (SUCCEEDED(hr) && *out > MOST_SUBNETS)
        hr = too_many(ipams, HCN_E_INVALID_NETWORK, error);
    return hr;
}

static HRESULT read_ipam(struct reading *reading, const struct doc *ipams,
                         size_t index, struct hcs_error *error) {
    struct doc item, array;
    unsigned type = 0;
    size_t count;
    HRESULT hr = doc_item_object(ipams, index, &item, error);

    if (SUCCEEDED(hr))
        hr = doc_enum(&item, "Type", ipam_types, E_INVALIDARG, &type, error);
    if (SUCCEEDED(hr))
        hr = doc_array(&item, "Subnets", &array, &count, error);
    if (SUCCEEDED(hr))
        hr = read_array(reading, &array, count, (unsigned)index, error);
    reading->out->dhcp[index] = type == 1;
    return hr;
}

static HRESULT add_chosen(struct reading *reading, struct hcs_error *error) {
    static const struct json none = {.type = JSON_OBJECT};
    struct doc root = doc_root(&none);
    struct subnets *out = reading->out;
    struct subnet *subnet = &out->items[out->count];
    HRESULT hr;

    *subnet = (struct subnet){0};
    hr = subnets_choose(reading->net, &subnet->plane.prefix, error);
    if (FAILED(hr))
        return hr;
    out->count++;
    if (out->ipam_count == 0)
        out->ipam_count = 1;
    object_new_id(reading->net, &subnet->plane.id);
    hr = routes_read(&root, &out->arena, &subnet->routes, &subnet->route_count,
                     error);
    if (SUCCEEDED(hr))
        hr = find_gateway(reading, subnet, &root, error);
    if (SUCCEEDED(hr))
        hr = make_pools(reading, subnet, &root, error);
    if (SUCCEEDED(hr))
        hr = read_policies(reading, subnet, &root, error);
    return hr;
}

static bool needs_subnets(enum plane_mode mode) {
    return mode == PLANE_L2BRIDGE || mode == PLANE_L2TUNNEL ||
           mode == PLANE_OVERLAY;
}

static HRESULT read_ipams(struct reading *reading, const struct doc *network,
                          struct hcs_error *error) {
    struct subnets *out = reading->out;
    struct doc ipams;
    size_t count, room;
    HRESULT hr = doc_array(network, "Ipams", &ipams, &count, error);

    if (SUCCEEDED(hr))
        hr = count_subnets(&ipams, count, &room, error);
    if (SUCCEEDED(hr))
        hr = make_room(out, room, error);
    if (FAILED(hr))
        return hr;
    out->dhcp = arena_alloc(&out->arena, (count + 1) * sizeof *out->dhcp);
    if (!out->dhcp)
        return out_of_memory(error);
    out->dhcp[0] = false;
    out->ipam_count = count;
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++)
        hr = read_ipam(reading, &ipams, i, error);
    if (FAILED(hr) || out->count > 0)
        return hr;
    if (needs_subnets(reading->mode))
        return doc_fail(network, HCN_E_INVALID_NETWORK, error,
                        "a network of this type needs a subnet in Ipams");
    return host_is_gateway(reading->mode) ? add_chosen(reading, error) : S_OK;
}

HRESULT subnets_read(struct net *net, enum plane_mode mode,
                     const struct doc *network, struct subnets **out,
                     struct hcs_error *error) {
    struct reading reading = {.net = net,
                              .mode = mode,
                              .out = calloc(1, sizeof(struct subnets)),
                              .code = HCN_E_INVALID_NETWORK};
    HRESULT hr;

    if (!reading.out)
        return out_of_memory(error);
    hr = read_ipams(&reading, network, error);
    if (SUCCEEDED(hr))
        hr = subnets_check(net, mode, NULL, reading.out, HCN_E_INVALID_NETWORK,
                           error);
    if (SUCCEEDED(hr))
        hr = line_up(reading.out, error);
    if (FAILED(hr))
        subnets_free(reading.out);
    else
        *out = reading.out;
    return hr;
}

/* --- changes
 * ----------------------------------------------------------------------------
 */

static bool copy_bytes(struct arena *arena, const void *from, size_t size,
                       void **to) {
    *to = arena_alloc(arena, size + 1);
    if (!*to)
        return false;
    if (size > 0)
        memcpy(*to, from, size);
    return true;
}

/* `more`: for how many pools there is to be room besides. */
static HRESULT copy_subnet(const struct reading *reading,
                           const struct subnet *from, size_t more,
                           struct hcs_error *error) {
    const struct policy_context context = {
        .net = reading->net, .object = POLICY_SUBNET, .mode = reading->mode};
    struct subnets *out = reading->out;
    struct subnet *to = &out->items[out->count];
    void *routes, *pools;

    *to = *from;
    to->policies = NULL;
    out->count++;
    pools = arena_alloc(&out->arena,
                        (from->pool_count + more + 1) * sizeof *to->pools);
    if (!pools || !copy_bytes(&out->arena, from->routes,
                              from->route_count * sizeof *to->routes, &routes))
        return out_of_memory(error);
    memcpy(pools, from->pools, from->pool_count * sizeof *to->pools);
    to->pools = pools;
    to->routes = routes;
    return policies_make(&context, from->policies, CHANGE_ADD, NULL,
                         &to->policies, error);
}

/* An empty part like the network's, with room for as many subnets and more. */
static HRESULT begin(struct reading *reading, struct net *net,
                     const struct network *network, size_t more,
                     struct hcs_error *error) {
    const struct subnets *old = network->subnets;
    void *dhcp;

    *reading = (struct reading){.net = net,
                                .mode = network->mode,
                                .out = calloc(1, sizeof(struct subnets)),
                                .code = HCN_E_INVALID_SUBNET};
    if (!reading->out ||
        !copy_bytes(&reading->out->arena, old->dhcp,
                    old->ipam_count * sizeof *old->dhcp, &dhcp))
        return out_of_memory(error);
    reading->out->dhcp = dhcp;
    if (old->ipam_count == 0)
        reading->out->dhcp[0] = false;
    reading->out->ipam_count = old->ipam_count;
    return make_room(reading->out, old->count + more, error);
}

/* No endpoint may lose the place of its address. */
static HRESULT check_in_use(const struct network *network,
                            const struct subnets *now,
                            struct hcs_error *error) {
    const struct link *head = &network->endpoints;

    for (struct link *l = head->next; l != head; l = l->next) {
        const struct endpoint *endpoint =
            HCS_CONTAINER(l, struct endpoint, of_network);
        for (size_t i = 0; i < endpoint->address_count; i++) {
            const struct ip_address *address =
                &endpoint->addresses[i].plane.address;
            const struct subnet *subnet = subnets_find(now, address);
            if (!subnets_find(network->subnets, address) ||
                (subnet && subnet_pool(subnet, address)))
                continue;
            return error_set(error, HCN_E_ENTITY_HAS_REFERENCES, "$.Settings",
                             "endpoints have addresses of it");
        }
    }
    return S_OK;
}

static HRESULT finish(struct reading *reading, const struct network *network,
                      HRESULT hr, struct subnets **out,
                      struct hcs_error *error) {
    if (SUCCEEDED(hr))
        hr = subnets_check(reading->net, network->mode, network, reading->out,
                           HCN_E_INVALID_SUBNET, error);
    if (SUCCEEDED(hr))
        hr = check_in_use(network, reading->out, error);
    if (SUCCEEDED(hr))
        hr = line_up(reading->out, error);
    if (FAILED(hr))
        subnets_free(reading->out);
    else
        *out = reading->out;
    return hr;
}

/* Whether the document means this one: by its ID, or by its prefix. */
static HRESULT means(const struct doc *object, const struct guid *id,
                     const struct ip_prefix *prefix, bool *out,
                     struct hcs_error *error) {
    struct guid wanted = {{0}};
    struct ip_prefix written;
    HRESULT hr = doc_guid(object, "ID", &wanted, error);

    *out = false;
    if (FAILED(hr))
        return hr;
    if (!guid_is_zero(&wanted)) {
        *out = memcmp(&wanted, id, sizeof wanted) == 0;
        return S_OK;
    }
    hr = read_prefix(object, HCN_E_INVALID_SUBNET, &written, error);
    *out = SUCCEEDED(hr) && ip_same(&written.address, &prefix->address) &&
           written.length == prefix->length;
    return hr;
}

/* Takes those that the document means out of the new part. */
static HRESULT take_out(struct reading *reading, const struct doc *array,
                        size_t count, struct hcs_error *error) {
    struct subnets *out = reading->out;

    for (size_t i = 0; i < count; i++) {
        struct doc item;
        bool found = false;
        HRESULT hr = doc_item_object(array, i, &item, error);
        for (size_t k = 0; SUCCEEDED(hr) && !found && k < out->count; k++) {
            struct subnet *subnet = &out->items[k];
            hr = means(&item, &subnet->plane.id, &subnet->plane.prefix, &found,
                       error);
            if (!found)
                continue;
            policies_free(subnet->policies);
            memmove(subnet, subnet + 1, (out->count - k - 1) * sizeof *subnet);
            out->count--;
        }
        if (SUCCEEDED(hr) && !found)
            hr = doc_fail(&item, HCN_E_SUBNET_NOT_FOUND, error,
                          "the network has no such subnet");
        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

HRESULT subnets_change(struct net *net, const struct network *network,
                       enum change change, const struct doc *settings,
                       struct subnets **out, struct hcs_error *error) {
    const struct subnets *old = network->subnets;
    struct reading reading;
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(settings, "Subnets", &array, &count, error);

    if (SUCCEEDED(hr) && count == 0)
        hr =
            doc_fail(settings, HCN_E_INVALID_SUBNET, error, "expected Subnets");
    if (SUCCEEDED(hr) && old->count + count > MOST_SUBNETS)
        hr = too_many(&array, HCN_E_INVALID_SUBNET, error);
    if (FAILED(hr))
        return hr;
    hr = begin(&reading, net, network, count, error);
    for (size_t i = 0; SUCCEEDED(hr) && i < old->count; i++)
        hr = copy_subnet(&reading, &old->items[i], 0, error);
    if (SUCCEEDED(hr) && reading.out->ipam_count == 0)
        reading.out->ipam_count = 1;
    if (SUCCEEDED(hr))
        hr = change == CHANGE_ADD
                 ? read_array(&reading, &array, count,
                              (unsigned)reading.out->ipam_count - 1, error)
                 : take_out(&reading, &array, count, error);
    return finish(&reading, network, hr, out, error);
}

/* --- changes of pools
 * ---------------------------------------------------------------------- */

static HRESULT take_pools_out(struct subnet *subnet, const struct doc *array,
                              size_t count, struct hcs_error *error) {
    for (size_t i = 0; i < count; i++) {
        struct doc item;
        bool found = false;
        HRESULT hr = doc_item_object(array, i, &item, error);
        for (size_t k = 0; SUCCEEDED(hr) && !found && k < subnet->pool_count;
             k++) {
            struct pool *pool = &subnet->pools[k];
            hr = means(&item, &pool->id, &pool->prefix, &found, error);
            if (found)
                memmove(pool, pool + 1,
                        (--subnet->pool_count - k) * sizeof *pool);
        }
        if (SUCCEEDED(hr) && !found)
            hr = doc_fail(&item, HCN_E_SUBNET_NOT_FOUND, error,
                          "the subnet has no such subnet of addresses");
        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

static struct subnet *by_id(const struct subnets *subnets,
                            const struct guid *id) {
    for (size_t i = 0; i < subnets->count; i++)
        if (memcmp(&subnets->items[i].plane.id, id, sizeof *id) == 0)
            return &subnets->items[i];
    return NULL;
}

HRESULT subnets_change_pools(struct net *net, const struct network *network,
                             enum change change, const struct doc *settings,
                             struct subnets **out, struct hcs_error *error) {
    const struct subnets *old = network->subnets;
    struct reading reading;
    struct guid id = {{0}};
    struct doc array;
    size_t count;
    HRESULT hr = doc_guid(settings, "SubnetId", &id, error);

    if (SUCCEEDED(hr))
        hr = doc_array(settings, "IpSubnets", &array, &count, error);
    if (SUCCEEDED(hr) && !by_id(old, &id))
        hr = doc_fail(settings, HCN_E_SUBNET_NOT_FOUND, error,
                      "the network has no subnet with that SubnetId");
    if (SUCCEEDED(hr) && (count == 0 || count > MOST_SUBNETS))
        hr = doc_fail(settings, HCN_E_INVALID_IP_SUBNET, error,
                      "expected 1 to %d IpSubnets", MOST_SUBNETS);
    if (FAILED(hr))
        return hr;
    hr = begin(&reading, net, network, 0, error);
    for (size_t i = 0; SUCCEEDED(hr) && i < old->count; i++)
        hr = copy_subnet(&reading, &old->items[i], count, error);
    if (SUCCEEDED(hr)) {
        struct subnet *subnet = by_id(reading.out, &id);
        hr = change == CHANGE_ADD
                 ? read_pools(&reading, subnet, &array, count, error)
                 : take_pools_out(subnet, &array, count, error);
    }
    return finish(&reading, network, hr, out, error);
}
