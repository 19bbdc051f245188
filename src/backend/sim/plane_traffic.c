/* SPDX-License-Identifier: MIT
 * What becomes of a packet: by rule, without time and without connections: who
 * asks for an answer that was sent as a packet of its own is told what the
 * rules say of that one. */
#include <stdio.h>
#include <string.h>

#include "plane.h"

/* A packet on its way. */
struct journey {
    struct plane *plane;
    struct sim_verdict *verdict;
    struct sim_endpoint *from; /* NULL: the host, or outside */
    bool from_outside;
    uint8_t protocol;
    uint64_t count, bytes;
};

static void say(struct sim_verdict *verdict, const char *reason) {
    snprintf(verdict->reason, sizeof verdict->reason, "%s", reason);
}

static bool is_translated(enum plane_mode mode) {
    return mode == PLANE_NAT || mode == PLANE_ICS ||
           mode == PLANE_CONSTRAINED_ICS;
}

static bool is_external(enum plane_mode mode) {
    return mode == PLANE_TRANSPARENT || mode == PLANE_L2BRIDGE ||
           mode == PLANE_L2TUNNEL || mode == PLANE_OVERLAY;
}

/* Whether the host itself has a port on the network. */
static bool has_host(const struct plane_network *network) {
    if (network->flags & PLANE_NETWORK_NO_HOST_PORT)
        return false;
    return is_translated(network->mode) || network->mode == PLANE_INTERNAL ||
           network->mode == PLANE_TRANSPARENT || network->host_route;
}

static void lost_by(struct journey *journey, struct sim_endpoint *endpoint,
                    bool incoming, const char *reason) {
    say(journey->verdict, reason);
    if (incoming)
        endpoint->counted.dropped_incoming += journey->count;
    else
        endpoint->counted.dropped_outgoing += journey->count;
}

static void sent(struct journey *journey) {
    if (!journey->from)
        return;
    journey->from->counted.packets_sent += journey->count;
    journey->from->counted.bytes_sent += journey->count * journey->bytes;
}

/* Dropped somewhere between the ports. */
static void lost(struct journey *journey, const char *reason) {
    if (journey->from)
        lost_by(journey, journey->from, false, reason);
    else
        say(journey->verdict, reason);
}

/* --- arriving ------------------------------------------------------ */

static struct sim_flow flow_of(const struct journey *journey,
                               enum plane_direction direction) {
    const struct sim_verdict *v = journey->verdict;
    struct sim_flow flow = {.direction = direction,
                            .protocol = journey->protocol};
    bool in = direction == PLANE_IN;

    flow.local = in ? v->destination : v->source;
    flow.remote = in ? v->source : v->destination;
    flow.local_port = in ? v->destination_port : v->source_port;
    flow.remote_port = in ? v->source_port : v->destination_port;
    return flow;
}

static void arrive(struct journey *journey, struct sim_endpoint *to) {
    struct sim_flow flow = flow_of(journey, PLANE_IN);
    const char *reason;

    sent(journey);
    if (!to->has_port) {
        lost_by(journey, to, true, "the endpoint is not attached");
        return;
    }
    if (!sim_rules_pass(to, &flow, &reason)) {
        lost_by(journey, to, true, reason);
        return;
    }
    to->counted.packets_received += journey->count;
    to->counted.bytes_received += journey->count * journey->bytes;
    journey->verdict->passed = true;
    journey->verdict->to = to->id;
    say(journey->verdict, "it arrived");
}

static void arrive_at_host(struct journey *journey) {
    sent(journey);
    journey->verdict->passed = true;
    say(journey->verdict, "the host has it");
}

static void leave(struct journey *journey, const char *reason) {
    sent(journey);
    journey->verdict->passed = true;
    journey->verdict->to_outside = true;
    say(journey->verdict, reason);
}

/* --- finding ------------------------------------------------------- */

/* Who has that address; on `network` only unless that is NULL. */
static struct sim_endpoint *owner_of(const struct plane *plane,
                                     const struct ip_address *address,
                                     const struct sim_network *network) {
    struct entry *entry =
        index_find(&plane->addresses, address, sizeof *address);

    for (; entry; entry = index_next(entry)) {
        struct sim_endpoint *endpoint = entry->owner;
        if (!network || endpoint->network == network)
            return endpoint;
    }
    return NULL;
}

static const struct plane_mapping *mapping_of(const struct journey *journey,
                                              struct sim_endpoint **endpoint) {
    const struct sim_verdict *v = journey->verdict;
    uint8_t key[3];
    struct entry *entry;

    sim_port_key(key, journey->protocol, v->destination_port);
    entry = index_find(&journey->plane->ports, key, sizeof key);
    for (; entry; entry = index_next(entry)) {
        struct sim_endpoint *owner = entry->owner;
        const struct plane_mapping *mapping =
            &owner->told.mappings[entry - owner->by_port];
        if (mapping->address.family != IP_NONE &&
            !ip_same(&mapping->address, &v->destination))
            continue;
        *endpoint = owner;
        return mapping;
    }
    return NULL;
}

static bool is_gateway(const struct plane_network *network,
                       const struct ip_address *address) {
    for (size_t i = 0; i < network->subnet_count; i++)
        if (ip_same(&network->subnets[i].gateway, address))
            return true;
    return false;
}

/* The endpoint's first address of the family, or NULL. */
static const struct ip_address *address_of(const struct sim_endpoint *endpoint,
                                           uint8_t family) {
    for (size_t i = 0; i < endpoint->told.address_count; i++)
        if (endpoint->told.addresses[i].address.family == family)
            return &endpoint->told.addresses[i].address;
    return NULL;
}

/* --- the ways ------------------------------------------------------ */

/* To the host: to the endpoint that the port is mapped to, or to the host. */
static void to_host(struct journey *journey) {
    struct sim_verdict *v = journey->verdict;
    struct sim_endpoint *endpoint;
    const struct plane_mapping *mapping = mapping_of(journey, &endpoint);
    const struct ip_address *address =
        mapping ? address_of(endpoint, v->destination.family) : NULL;

    if (!address) {
        arrive_at_host(journey);
        return;
    }
    v->destination = *address;
    v->destination_port = mapping->internal;
    arrive(journey, endpoint);
}

static uint32_t vlan_of(const struct sim_endpoint *endpoint) {
    const struct plane_network *network = &endpoint->network->told;

    if (endpoint->told.vlan)
        return endpoint->told.vlan;
    for (size_t i = 0; i < network->subnet_count; i++)
        for (size_t k = 0; k < endpoint->told.address_count; k++)
            if (network->subnets[i].vlan &&
                ip_prefix_contains(&network->subnets[i].prefix,
                                   &endpoint->told.addresses[k].address))
                return network->subnets[i].vlan;
    return 0;
}

static void to_neighbour(struct journey *journey, struct sim_endpoint *to) {
    const uint32_t isolated = PLANE_ENDPOINT_ISOLATED;

    if (to->told.flags & PLANE_ENDPOINT_REMOTE) {
        leave(journey, "it goes to an endpoint of another host");
        journey->verdict->to = to->id;
    } else if ((journey->from->told.flags & to->told.flags & isolated) != 0) {
        lost(journey, "both endpoints are kept from each other");
    } else if (vlan_of(journey->from) != vlan_of(to)) {
        lost(journey, "the endpoints are in different VLANs");
    } else {
        arrive(journey, to);
    }
}

/* The source that it leaves with. */
static void translate(const struct journey *journey) {
    const struct plane_endpoint *told = &journey->from->told;
    struct sim_verdict *v = journey->verdict;
    bool to_host_address = is_translated(journey->from->network->told.mode);
    struct ip_address address = {0};

    for (size_t i = 0; i < told->nat_count; i++) {
        const struct plane_outbound_nat *nat = &told->nats[i];
        if (nat->exceptions.count > 0 &&
            sim_addresses_match(&nat->exceptions, &v->destination))
            return;
        if (sim_addresses_match(&nat->destinations, &v->destination)) {
            address = nat->address;
            to_host_address = true;
            break;
        }
    }
    if (to_host_address)
        v->source = address; /* IP_NONE: one of the host's own */
}

static const struct plane_proxy *proxy_among(const struct plane_proxy *proxies,
                                             size_t count,
                                             const struct journey *journey) {
    const struct ip_address *to = &journey->verdict->destination;

    for (size_t i = 0; i < count; i++)
        if (proxies[i].protocol == journey->protocol &&
            sim_addresses_match(&proxies[i].destinations, to) &&
            (proxies[i].exceptions.count == 0 ||
             !sim_addresses_match(&proxies[i].exceptions, to)))
            return &proxies[i];
    return NULL;
}

/* Whether a proxy takes it; where to is then its destination. */
static bool redirect(struct journey *journey) {
    const struct plane_endpoint *told = &journey->from->told;
    const struct plane_network *network = &journey->from->network->told;
    const struct plane_proxy *proxy =
        proxy_among(told->proxies, told->proxy_count, journey);

    if (!proxy)
        proxy = proxy_among(network->proxies, network->proxy_count, journey);
    if (!proxy)
        return false;
    journey->verdict->destination = proxy->address;
    journey->verdict->destination_port = proxy->port;
    return proxy->address.family == IP_NONE;
}

/* A proxy in the endpoint's own compartment. */
static bool taken_inside(const struct journey *journey) {
    const struct plane_endpoint *told = &journey->from->told;
    struct sim_flow flow = flow_of(journey, PLANE_OUT);

    for (size_t i = 0; i < told->wfp_proxy_count; i++) {
        const struct plane_wfp_proxy *proxy = &told->wfp_proxies[i];
        if (!proxy->outbound_port || !sim_tuple_matches(&proxy->filter, &flow))
            continue;
        if (proxy->outbound_exceptions.count > 0 &&
            sim_addresses_match(&proxy->outbound_exceptions, &flow.remote))
            continue;
        journey->verdict->destination_port = proxy->outbound_port;
        return true;
    }
    return false;
}

static bool is_on_link(const struct plane_network *network,
                       const struct ip_address *address) {
    for (size_t i = 0; i < network->subnet_count; i++)
        if (ip_prefix_contains(&network->subnets[i].prefix, address))
            return true;
    return false;
}

static void beyond(struct journey *journey) {
    const struct plane_network *network = &journey->from->network->told;
    struct sim_endpoint *other =
        owner_of(journey->plane, &journey->verdict->destination, NULL);

    if (!is_external(network->mode) &&
        is_on_link(network, &journey->verdict->destination)) {
        say(journey->verdict, "nobody on the network has this address");
        return;
    }
    if (network->mode == PLANE_PRIVATE || network->mode == PLANE_INTERNAL) {
        lost(journey, "nothing leaves a network of this type");
        return;
    }
    if (other && !is_external(other->network->told.mode)) {
        lost(journey, "the host does not route between its networks");
        return;
    }
    translate(journey);
    leave(journey, "it left the host");
}

static bool is_own(const struct sim_endpoint *endpoint,
                   const struct ip_address *address) {
    for (size_t i = 0; i < endpoint->told.address_count; i++)
        if (ip_same(&endpoint->told.addresses[i].address, address))
            return true;
    return endpoint->told.address_count == 0; /* DHCP's: not known here */
}

static void from_endpoint(struct journey *journey) {
    const struct plane_network *network = &journey->from->network->told;
    struct sim_verdict *v = journey->verdict;
    struct sim_flow flow = flow_of(journey, PLANE_OUT);
    struct sim_endpoint *to;
    const char *reason;

    if (!journey->from->has_port) {
        lost(journey, "the sender is not attached");
    } else if (!is_own(journey->from, &v->source)) {
        lost(journey, "the source is not one of the sender's addresses");
    } else if (taken_inside(journey)) {
        arrive(journey, journey->from);
    } else if (!sim_rules_pass(journey->from, &flow, &reason)) {
        lost(journey, reason);
    } else if (redirect(journey)) {
        arrive_at_host(journey);
    } else if ((to = owner_of(journey->plane, &v->destination,
                              journey->from->network))) {
        to_neighbour(journey, to);
    } else if (has_host(network) && is_gateway(network, &v->destination)) {
        to_host(journey);
    } else {
        beyond(journey);
    }
}

static void from_elsewhere(struct journey *journey) {
    struct sim_verdict *v = journey->verdict;
    struct sim_endpoint *to = owner_of(journey->plane, &v->destination, NULL);
    const struct plane_network *network = to ? &to->network->told : NULL;

    if (!to)
        to_host(journey);
    else if (journey->from_outside && !is_external(network->mode))
        lost(journey, "networks of this type are not entered from outside");
    else if (!journey->from_outside && !has_host(network))
        lost(journey, "the host has no port on the network");
    else
        arrive(journey, to);
}

void sim_plane_send(struct plane *plane, const struct sim_packet *packet,
                    uint64_t count, uint64_t bytes,
                    struct sim_verdict *verdict) {
    struct journey journey = {.plane = plane,
                              .verdict = verdict,
                              .from_outside = packet->from_outside,
                              .protocol = packet->protocol,
                              .count = count,
                              .bytes = bytes};
    const struct ip_address *own;

    *verdict =
        (struct sim_verdict){.source = packet->source,
                             .destination = packet->destination,
                             .source_port = packet->source_port,
                             .destination_port = packet->destination_port};
    if (packet->from_outside || guid_is_zero(&packet->from)) {
        from_elsewhere(&journey);
        return;
    }
    journey.from = sim_endpoint_find(plane, &packet->from);
    if (!journey.from) {
        say(verdict, "there is no such endpoint");
        return;
    }
    own = address_of(journey.from, packet->destination.family);
    if (packet->source.family == IP_NONE && own)
        verdict->source = *own;
    from_endpoint(&journey);
}

void sim_plane_answer(struct plane *plane, const struct sim_packet *packet,
                      const struct sim_verdict *verdict, uint64_t count,
                      uint64_t bytes) {
    struct sim_endpoint *to = sim_endpoint_find(plane, &verdict->to);
    struct sim_endpoint *from =
        packet->from_outside ? NULL : sim_endpoint_find(plane, &packet->from);

    if (to) {
        to->counted.packets_sent += count;
        to->counted.bytes_sent += count * bytes;
    }
    if (from) {
        from->counted.packets_received += count;
        from->counted.bytes_received += count * bytes;
    }
}
