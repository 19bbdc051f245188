/* SPDX-License-Identifier: MIT
 * A port that ends in a network namespace: a pair of interfaces, whose other
 * end has the endpoint's MAC, addresses and routes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "inside.h"

/* Routes of the host's own endpoints have tables of their own from here on. */
#define FIRST_TABLE 0x48430000u
#define METRIC_LOW 25u
#define METRIC 100u
#define METRIC_TRIES 256 /* an endpoint has no more addresses */
#define LOOPBACK 1

/* What the inside needs while the crew is there. */
struct inner {
    const struct endpoint *endpoint;
    struct wire wire;
    int index;
    bool of_host; /* in the namespace of the bridge itself */
    uint32_t table;
};

static bool on_link(const struct endpoint *endpoint,
                    const struct ip_address *address) {
    for (size_t i = 0; i < endpoint->address_count; i++) {
        struct ip_prefix prefix = {endpoint->addresses[i].address,
                                   endpoint->addresses[i].length};
        if (ip_prefix_contains(&prefix, address))
            return true;
    }
    return false;
}

/* 0.0.0.0 and :: say that no gateway is on the way. */
static bool is_direct(const struct ip_address *next_hop) {
    const struct ip_address none = {.family = next_hop->family};

    return ip_same(next_hop, &none);
}

/* Subnets may lead to the same place, and the kernel tells ways there apart by
 * their metrics: what was said first goes first. */
static HRESULT add_among(struct inner *inner, struct device_route *route,
                         struct hcs_error *error) {
    HRESULT hr = device_add_route(&inner->wire, inner->index, route, error);

    for (int i = 0; hr == HR_FILE_EXISTS && i < METRIC_TRIES; i++) {
        route->metric++;
        hr = device_add_route(&inner->wire, inner->index, route, error);
    }
    return hr;
}

static HRESULT add_route(struct inner *inner, const struct plane_route *told,
                         struct hcs_error *error) {
    const struct terms *terms = &inner->endpoint->terms;
    uint32_t base = terms->low_metric ? METRIC_LOW : METRIC;
    struct device_route route = {.destination = told->destination,
                                 .table = inner->table};

    route.metric = told->metric ? told->metric : base;
    /* Several adapters may have the same route, the first goes first. */
    route.metric += (uint32_t)inner->index;
    if (!is_direct(&told->next_hop)) {
        route.gateway = told->next_hop;
        route.onlink = !on_link(inner->endpoint, &told->next_hop);
    }
    return add_among(inner, &route, error);
}

/* The host is on its own network a second time. What it sends from this
 * address goes by this interface, all else by the bridge as before. */
static HRESULT add_host_routes(struct inner *inner, struct hcs_error *error) {
    const struct endpoint *endpoint = inner->endpoint;
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < endpoint->address_count; i++) {
        struct device_route route = {.table = inner->table};
        route.destination.address = endpoint->addresses[i].address;
        route.destination.length = endpoint->addresses[i].length;
        hr = device_rule(&inner->wire, &endpoint->addresses[i].address,
                         inner->table, true, error);
        if (SUCCEEDED(hr))
            hr = device_add_route(&inner->wire, inner->index, &route, error);
    }
    return hr;
}

static HRESULT add_routes(struct inner *inner, struct hcs_error *error) {
    const struct terms *terms = &inner->endpoint->terms;
    HRESULT hr = S_OK;

    if (inner->of_host && inner->endpoint->network->host)
        return add_host_routes(inner, error);
    for (size_t i = 0; SUCCEEDED(hr) && i < terms->route_count; i++)
        if (!inner->of_host)
            hr = add_route(inner, &terms->routes[i], error);
    return hr;
}

static HRESULT furnish(struct inner *inner, char device[PLANE_DEVICE_SIZE],
                       struct hcs_error *error) {
    const struct endpoint *endpoint = inner->endpoint;
    bool plain = inner->of_host && endpoint->network->host;
    char name[IFNAMSIZ];
    HRESULT hr = device_name(&inner->wire, inner->index, name, error);

    if (FAILED(hr))
        return hr;
    snprintf(device, PLANE_DEVICE_SIZE, "%s", name);
    if (inner->of_host)
        hr = device_setting(error, "1", "ipv4/conf/%s/arp_ignore", name);
    for (size_t i = 0; SUCCEEDED(hr) && i < endpoint->address_count; i++)
        hr = device_address(&inner->wire, inner->index,
                            &endpoint->addresses[i].address,
                            endpoint->addresses[i].length, plain, error);
    if (SUCCEEDED(hr))
        hr = device_up(&inner->wire, inner->index, error);
    if (SUCCEEDED(hr))
        hr = add_routes(inner, error);
    if (FAILED(hr))
        return hr;
    device_settle(&inner->wire, inner->index);
    for (size_t i = 0; i < endpoint->address_count; i++)
        device_await(name, &endpoint->addresses[i].address);
    return S_OK;
}

/* Into the namespace, to do it, and back. */
static HRESULT go_and_furnish(struct plane *plane, struct endpoint *endpoint,
                              int index, char device[PLANE_DEVICE_SIZE],
                              struct hcs_error *error) {
    struct port *port = &endpoint->port;
    struct inner inner = {.endpoint = endpoint,
                          .wire = {.fd = -1},
                          .index = index,
                          .of_host = port->space->type != PLANE_HOST};
    HRESULT hr = crew_enter(port->space->fd, error), back;

    if (FAILED(hr))
        return hr;
    if (inner.of_host && endpoint->network->host) {
        inner.table = FIRST_TABLE + (uint32_t)index;
        port->rule_table = inner.table;
    }
    hr = wire_open(&inner.wire, error);
    if (SUCCEEDED(hr))
        hr = furnish(&inner, device, error);
    wire_close(&inner.wire);
    back = crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL);
    return FAILED(hr) ? hr : back;
}

HRESULT veth_make(struct plane *plane, struct endpoint *endpoint,
                  char device[PLANE_DEVICE_SIZE], struct hcs_error *error) {
    struct port *port = &endpoint->port;
    bool own = port->space->type == PLANE_HOST;
    char name[IFNAMSIZ];
    struct device_pair pair = {.name = name,
                               .peer_name = own ? "eth%d" : "vEthernet%d",
                               .peer_space = port->space->fd,
                               .peer_mac = &endpoint->mac,
                               .mtu = endpoint->terms.mtu};
    int peer = 0;
    HRESULT hr;

    memcpy(name, port->device.name, sizeof name);
    hr = device_veth(&plane->wire, &pair, &port->device, error);
    if (SUCCEEDED(hr))
        hr = port_join(plane, endpoint, error);
    if (SUCCEEDED(hr))
        hr = device_peer(&plane->wire, &port->device, &peer, error);
    if (SUCCEEDED(hr))
        hr = device_up(&plane->wire, port->device.index, error);
    if (SUCCEEDED(hr))
        hr = go_and_furnish(plane, endpoint, peer, device, error);
    if (FAILED(hr))
        return hr;
    device_settle(&plane->wire, port->device.index);
    device_settle(&plane->wire, endpoint->network->bridge.index);
    return S_OK;
}
