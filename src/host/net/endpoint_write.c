/* SPDX-License-Identifier: MIT
 * The properties of an endpoint, in both forms. */
#include "endpoint.h"
#include "space.h"

static void write_addresses(const struct endpoint *endpoint,
                            struct json_writer *w) {
    json_begin_array(w);
    for (size_t i = 0; i < endpoint->address_count; i++) {
        const struct address *address = &endpoint->addresses[i];
        json_begin_object(w);
        put_address(w, "IpAddress", &address->plane.address);
        json_pair_uint(w, "PrefixLength", address->plane.length);
        if (!guid_is_zero(&address->pool))
            put_guid(w, "IpSubnetId", &address->pool);
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_mac(const struct endpoint *endpoint, struct json_writer *w) {
    char text[MAC_TEXT_SIZE];
    mac_format(&endpoint->mac, text);
    json_pair_string(w, "MacAddress", text);
}

static void write_attached(const struct endpoint *endpoint,
                           struct json_writer *w) {
    if (endpoint->state != ENDPOINT_ATTACHED)
        return;
    json_key(w, "AdditionalParams");
    json_begin_object(w);
    put_guid(w, "SwitchId", &endpoint->network->switch_id);
    put_guid(w, "SwitchPortId", &endpoint->port);
    if (endpoint->adapter)
        json_pair_string(w, "VirtualNicName", endpoint->adapter);
    if (endpoint->device[0])
        json_pair_string(w, "Device", endpoint->device);
    json_end_object(w);
}

static void write_health(const struct endpoint *endpoint,
                         struct json_writer *w) {
    json_key(w, "Health");
    json_begin_object(w);
    json_key(w, "Extra");
    json_begin_object(w);
    put_guid(w, "SwitchGuid", &endpoint->network->switch_id);
    if (!guid_is_zero(&endpoint->machine))
        put_guid(w, "VirtualMachine", &endpoint->machine);
    json_end_object(w);
    json_end_object(w);
}

static void write_v2(const struct net *net, const struct endpoint *endpoint,
                     struct json_writer *w) {
    put_id(w, "ID", NET_ENDPOINT, &endpoint->object.id);
    if (*endpoint->owner)
        json_pair_string(w, "Owner", endpoint->owner);
    json_pair_string(w, "Name", endpoint->name);
    put_id(w, "HostComputeNetwork", NET_NETWORK, &endpoint->network->object.id);
    if (endpoint->space)
        put_id(w, "HostComputeNamespace", NET_NAMESPACE,
               &endpoint->space->object.id);
    json_key(w, "Policies");
    policies_write(endpoint->policies, false, w);
    json_key(w, "IpConfigurations");
    write_addresses(endpoint, w);
    if (!dns_is_empty(endpoint->dns)) {
        json_key(w, "Dns");
        dns_write(endpoint->dns, w);
    }
    json_key(w, "Routes");
    routes_write(endpoint->routes, endpoint->route_count, w);
    write_mac(endpoint, w);
    if (endpoint->flags)
        json_pair_uint(w, "Flags", endpoint->flags);
    write_attached(endpoint, w);
    write_health(endpoint, w);
    json_pair_int(w, "State", (int)endpoint->state);
    json_pair_uint(w, "Version", service_version(net->env.build));
    put_schema_version(w);
}

/* --- the older form ------------------------------------------------ */

static const struct plane_ip *first_of(const struct endpoint *endpoint,
                                       enum ip_family family) {
    for (size_t i = 0; i < endpoint->address_count; i++)
        if (endpoint->ips[i].address.family == family)
            return &endpoint->ips[i];
    return NULL;
}

static const struct ip_address *gateway_of(const struct endpoint *endpoint,
                                           enum ip_family family) {
    for (size_t i = 0; i < endpoint->route_count; i++)
        if (endpoint->routes[i].destination.length == 0 &&
            endpoint->routes[i].next_hop.family == family)
            return &endpoint->routes[i].next_hop;
    return NULL;
}

static void write_v1_address(const struct endpoint *endpoint,
                             enum ip_family family, const char *name,
                             const char *length, const char *gateway,
                             struct json_writer *w) {
    const struct plane_ip *ip = first_of(endpoint, family);
    const struct ip_address *hop = gateway_of(endpoint, family);

    if (ip) {
        put_address(w, name, &ip->address);
        json_pair_uint(w, length, ip->length);
    }
    if (hop)
        put_address(w, gateway, hop);
}

static void write_v1_policies(const struct endpoint *endpoint,
                              struct json_writer *w) {
    const struct plane_endpoint *plane = &endpoint->policies->endpoint;

    json_key(w, "Policies");
    policies_write(endpoint->policies, true, w);
    if (plane->overhead)
        json_pair_uint(w, "EncapOverhead", plane->overhead);
    if (plane->mtu)
        json_pair_uint(w, "Mtu", plane->mtu);
    if (*plane->port_name)
        json_pair_string(w, "PortFriendlyName", plane->port_name);
}

static void write_v1_flags(const struct endpoint *endpoint,
                           struct json_writer *w) {
    uint32_t flags = endpoint->flags;

    json_pair_uint(w, "Flags", flags);
    if (flags & PLANE_ENDPOINT_REMOTE)
        json_pair_bool(w, "IsRemoteEndpoint", true);
    if (flags & PLANE_ENDPOINT_ISOLATED)
        json_pair_bool(w, "DisableICC", true);
    if (flags & PLANE_ENDPOINT_LOW_METRIC)
        json_pair_bool(w, "EnableLowMetric", true);
}

static void write_v1(const struct net *net, const struct endpoint *endpoint,
                     struct json_writer *w) {
    put_id(w, "ID", NET_ENDPOINT, &endpoint->object.id);
    if (*endpoint->owner)
        json_pair_string(w, "Owner", endpoint->owner);
    json_pair_string(w, "Name", endpoint->name);
    put_id(w, "VirtualNetwork", NET_NETWORK, &endpoint->network->object.id);
    json_pair_string(w, "VirtualNetworkName", endpoint->network->name);
    write_v1_policies(endpoint, w);
    write_mac(endpoint, w);
    write_v1_address(endpoint, IP_V4, "IPAddress", "PrefixLength",
                     "GatewayAddress", w);
    write_v1_address(endpoint, IP_V6, "IPv6Address", "IPv6PrefixLength",
                     "GatewayAddressV6", w);
    dns_write_v1(endpoint->dns, w);
    write_v1_flags(endpoint, w);
    if (endpoint->space) {
        json_key(w, "Namespace");
        json_begin_object(w);
        put_id(w, "ID", NET_NAMESPACE, &endpoint->space->object.id);
        json_end_object(w);
    }
    if (!guid_is_zero(&endpoint->machine))
        put_guid(w, "VirtualMachine", &endpoint->machine);
    write_attached(endpoint, w);
    json_pair_int(w, "State", (int)endpoint->state);
    json_pair_uint(w, "Version", service_version(net->env.build));
}

void endpoint_write(const struct net *net, const struct object *object,
                    const struct view *view, struct json_writer *w) {
    const struct endpoint *endpoint =
        HCS_CONTAINER(object, const struct endpoint, object);

    json_begin_object(w);
    if (view->v1)
        write_v1(net, endpoint, w);
    else
        write_v2(net, endpoint, w);
    json_end_object(w);
}
