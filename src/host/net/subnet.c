/* SPDX-License-Identifier: MIT
 * Reading and changing subnets. */
#include "subnet_reading.h"

#include <stdlib.h>
#include <string.h>

#include "network.h"

static const struct doc_name ipam_types[] = {
    {"Static", 0}, {"Dhcp", 1}, {NULL, 0}};

void subnets_free(struct subnets *subnets) {
    if (!subnets)
        return;
    for (size_t i = 0; i < subnets->count; i++)
        policies_free(subnets->items[i].policies);
    arena_free(&subnets->arena);
    free(subnets);
}

/* --- one subnet ---------------------------------------------------- */

HRESULT subnet_read_prefix(const struct doc *object, HRESULT code,
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
    if (FAILED(hr) || *text == '\0')
        return hr;
    if (!ip_prefix_parse(text, &out->destination))
        return doc_fail(&destination, HCN_E_INVALID_PREFIX, error,
                        "\"%s\" is not a prefix", text);
    if (out->next_hop.family != IP_NONE &&
        out->next_hop.family != out->destination.address.family)
        return doc_fail(place, HCN_E_ADDR_INVALID_OR_RESERVED, error,
                        "the way to %s goes by an address of the other family",
                        text);
    return S_OK;
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

static bool is_default(const struct plane_route *route) {
    return route->destination.length == 0;
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

/* Networks of an adapter may leave these to who is there, as in 0.0.0.0/0. */
static HRESULT check_gateway(const struct reading *reading,
                             const struct subnet *subnet,
                             const struct doc *place, struct hcs_error *error) {
    const struct ip_prefix *prefix = &subnet->plane.prefix;
    const struct ip_address *gateway = &subnet->plane.gateway;
    struct ip_address last;
    char text[IP_TEXT_SIZE];

    ip_format(gateway, text);
    if (!ip_prefix_contains(prefix, gateway))
        return doc_fail(place, reading->code, error,
                        "the gateway %s is outside of the subnet", text);
    if (gateway->family != IP_V4 || ip_prefix_size(prefix) < 4 ||
        mode_is_external(reading->mode))
        return S_OK;
    ip_prefix_last(prefix, &last);
    if (ip_same(gateway, &prefix->address) || ip_same(gateway, &last))
        return doc_fail(place, reading->code, error,
                        "the gateway %s is what the subnet itself needs", text);
    return S_OK;
}

static HRESULT find_gateway(const struct reading *reading,
                            struct subnet *subnet, const struct doc *place,
                            struct hcs_error *error) {
    const struct ip_prefix *prefix = &subnet->plane.prefix;
    struct ip_address *gateway = &subnet->plane.gateway;

    for (size_t i = 0; i < subnet->route_count; i++)
        if (gateway->family == IP_NONE && is_default(&subnet->routes[i]))
            *gateway = subnet->routes[i].next_hop;
    if (gateway->family == IP_NONE && host_is_gateway(reading->mode)) {
        if (ip_prefix_size(prefix) < 4)
            return doc_fail(place, reading->code, error,
                            "the prefix has no room for a gateway");
        add_gateway(subnet);
    }
    return gateway->family == IP_NONE
               ? S_OK
               : check_gateway(reading, subnet, place, error);
}

static HRESULT read_pool(const struct reading *reading,
                         const struct subnet *subnet, const struct doc *place,
                         struct pool *out, struct hcs_error *error) {
    HRESULT hr;

    *out = (struct pool){.flags = POOL_BROADCAST | POOL_NETWORK_ADDRESS};
    hr =
        subnet_read_prefix(place, HCN_E_INVALID_IP_SUBNET, &out->prefix, error);
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
HRESULT subnet_read_pools(const struct reading *reading, struct subnet *subnet,
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

HRESULT subnets_too_many(const struct doc *place, HRESULT code,
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
        return subnets_too_many(&array, HCN_E_INVALID_IP_SUBNET, error);
    subnet->pools =
        arena_alloc(&reading->out->arena, (count + 1) * sizeof *subnet->pools);
    if (!subnet->pools)
        return out_of_memory(error);
    if (count > 0 || reading->net->restoring)
        return subnet_read_pools(reading, subnet, &array, count, error);
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

static HRESULT read_prefix(const struct reading *reading,
                           const struct doc *object, struct ip_prefix *out,
                           struct hcs_error *error) {
    struct doc place = doc_get(object, "IpAddressPrefix");
    char text[IP_PREFIX_SIZE];
    HRESULT hr = subnet_read_prefix(object, reading->code, out, error);

    if (FAILED(hr) || mode_is_external(reading->mode) ||
        !ip_prefix_is_special(out))
        return hr;
    ip_prefix_format(out, text);
    return doc_fail(&place, HCN_E_ADDR_INVALID_OR_RESERVED, error,
                    "%s has addresses that no host can have", text);
}

static HRESULT read_subnet(const struct reading *reading,
                           const struct doc *object, struct subnet *out,
                           struct hcs_error *error) {
    HRESULT hr = read_prefix(reading, object, &out->plane.prefix, error);

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

/* --- all of them --------------------------------------------------- */

HRESULT subnets_read_array(struct reading *reading, const struct doc *array,
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

HRESULT subnets_make_room(struct subnets *out, size_t room,
                          struct hcs_error *error) {
    out->items = arena_alloc(&out->arena, (room + 1) * sizeof *out->items);
    return out->items ? S_OK : out_of_memory(error);
}

/* Puts what a plane is told in a row. */
HRESULT subnets_line_up(struct subnets *out, struct hcs_error *error) {
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
        hr = subnets_too_many(ipams, HCN_E_INVALID_NETWORK, error);
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
        hr = subnets_read_array(reading, &array, count, (unsigned)index, error);
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
        hr = subnets_make_room(out, room, error);
    if (FAILED(hr))
        return hr;
    out->dhcp = arena_alloc(&out->arena, (count + 1) * sizeof *out->dhcp);
    if (!out->dhcp)
        return out_of_memory(error);
    out->dhcp[0] = false;
    out->ipam_count = count;
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++)
        hr = read_ipam(reading, &ipams, i, error);
    if (FAILED(hr) || out->count > 0 || reading->net->restoring)
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
        hr = subnets_line_up(reading.out, error);
    if (FAILED(hr))
        subnets_free(reading.out);
    else
        *out = reading.out;
    return hr;
}
