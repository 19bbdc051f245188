/* SPDX-License-Identifier: MIT
 * Subnets in both forms. */
#include "subnet.h"

void put_address(struct json_writer *w, const char *name,
                 const struct ip_address *address) {
    char text[IP_TEXT_SIZE];
    ip_format(address, text);
    json_pair_string(w, name, text);
}

static void put_prefix(struct json_writer *w, const char *name,
                       const struct ip_prefix *prefix) {
    char text[IP_PREFIX_SIZE];
    ip_prefix_format(prefix, text);
    json_pair_string(w, name, text);
}

void routes_write(const struct plane_route *routes, size_t count,
                  struct json_writer *w) {
    json_begin_array(w);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(w);
        put_address(w, "NextHop", &routes[i].next_hop);
        put_prefix(w, "DestinationPrefix", &routes[i].destination);
        if (routes[i].metric)
            json_pair_uint(w, "Metric", routes[i].metric);
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_pools(const struct subnet *subnet, bool v1,
                        struct json_writer *w) {
    json_key(w, "IpSubnets");
    json_begin_array(w);
    for (size_t i = 0; i < subnet->pool_count; i++) {
        const struct pool *pool = &subnet->pools[i];
        json_begin_object(w);
        put_guid(w, "ID", &pool->id);
        put_prefix(w, "IpAddressPrefix", &pool->prefix);
        json_pair_uint(w, "Flags", pool->flags);
        if (v1) {
            json_pair_int(w, "ObjectType", 6);
            json_pair_int(w, "State", 0);
        }
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_policies(const struct subnet *subnet, bool v1,
                           struct json_writer *w) {
    if (subnet->policies->count == 0)
        return;
    json_key(w, "Policies");
    policies_write(subnet->policies, v1, w);
}

static void write_subnet(const struct subnet *subnet, struct json_writer *w) {
    json_begin_object(w);
    put_guid(w, "ID", &subnet->plane.id);
    put_prefix(w, "IpAddressPrefix", &subnet->plane.prefix);
    write_policies(subnet, false, w);
    if (subnet->route_count > 0) {
        json_key(w, "Routes");
        routes_write(subnet->routes, subnet->route_count, w);
    }
    write_pools(subnet, false, w);
    if (subnet->flags)
        json_pair_uint(w, "Flags", subnet->flags);
    json_end_object(w);
}

void subnets_write(const struct subnets *subnets, struct json_writer *w) {
    size_t next = 0;

    json_begin_array(w);
    for (size_t i = 0; i < subnets->ipam_count; i++) {
        json_begin_object(w);
        if (subnets->dhcp[i])
            json_pair_string(w, "Type", "Dhcp");
        json_key(w, "Subnets");
        json_begin_array(w);
        for (; next < subnets->count && subnets->items[next].ipam == i; next++)
            write_subnet(&subnets->items[next], w);
        json_end_array(w);
        json_end_object(w);
    }
    json_end_array(w);
}

void subnets_write_v1(const struct subnets *subnets, struct json_writer *w) {
    json_begin_array(w);
    for (size_t i = 0; i < subnets->count; i++) {
        const struct subnet *subnet = &subnets->items[i];
        json_begin_object(w);
        put_guid(w, "ID", &subnet->plane.id);
        put_prefix(w, "AddressPrefix", &subnet->plane.prefix);
        if (subnet->plane.gateway.family != IP_NONE)
            put_address(w, "GatewayAddress", &subnet->plane.gateway);
        json_pair_uint(w, "Flags", subnet->flags);
        json_pair_int(w, "ObjectType", 5);
        json_pair_int(w, "State", 0);
        write_policies(subnet, true, w);
        write_pools(subnet, true, w);
        json_end_object(w);
    }
    json_end_array(w);
}
