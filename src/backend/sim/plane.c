/* SPDX-License-Identifier: MIT
 * The simulated plane: it keeps what it is told, counts, and is asked by
 * plane_traffic.c what would become of a packet. Nothing leaves the process. */
#include "plane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/hresult_hcn.h"

#define SOME_ADAPTER "Ethernet"

static HRESULT no_memory(struct hcs_error *error) {
    return error_set(error, E_OUTOFMEMORY, NULL,
                     "no memory for the simulated network");
}

/* Every change counts, and may be the one that is to fail. */
static HRESULT change(struct plane *plane, struct hcs_error *error) {
    plane->calls++;
    if (plane->fail_after == 0 || --plane->fail_after > 0)
        return S_OK;
    return error_set(error, plane->fail_code, NULL,
                     "the simulated network was told to fail");
}

/* --- what it can do ------------------------------------------------ */

static HRESULT can_network(struct plane *plane, enum plane_mode mode,
                           struct hcs_error *error) {
    (void)plane;
    if (mode != PLANE_MIRRORED && mode != PLANE_INFINIBAND)
        return S_OK;
    return error_set(error, HCN_E_REQUEST_UNSUPPORTED, NULL,
                     "this host has no networks of this type");
}

static HRESULT can_policy(struct plane *plane, enum plane_policy policy,
                          struct hcs_error *error) {
    (void)plane;
    (void)policy;
    (void)error;
    return S_OK;
}

static bool prefix_taken(struct plane *plane, const struct ip_prefix *prefix) {
    for (size_t i = 0; i < plane->prefix_count; i++)
        if (ip_prefix_overlaps(&plane->prefixes[i], prefix))
            return true;
    return false;
}

static bool port_taken(struct plane *plane, uint8_t protocol,
                       const struct ip_address *address, uint16_t port) {
    (void)address;
    for (size_t i = 0; i < plane->held_count; i++)
        if (plane->held[i].protocol == protocol && plane->held[i].port == port)
            return true;
    return false;
}

static HRESULT find_adapter(struct plane *plane,
                            const struct plane_adapter *wanted,
                            char out[PLANE_DEVICE_SIZE],
                            struct hcs_error *error) {
    const char *name = *wanted->name ? wanted->name : SOME_ADAPTER;

    if (plane->no_adapter || strlen(name) >= PLANE_DEVICE_SIZE)
        return error_set(error, HCN_E_ADAPTER_NOT_FOUND, NULL,
                         "the host has no adapter \"%s\"", name);
    snprintf(out, PLANE_DEVICE_SIZE, "%s", name);
    return S_OK;
}

/* --- networks ------------------------------------------------------ */

static struct sim_network *find_network(const struct plane *plane,
                                        const struct guid *id) {
    return index_owner(&plane->network_ids, id, sizeof *id);
}

static HRESULT network_up(struct plane *plane, const struct plane_network *told,
                          struct hcs_error *error) {
    struct sim_network *network;
    HRESULT hr = change(plane, error);

    if (FAILED(hr))
        return hr;
    network = calloc(1, sizeof *network);
    if (!network || !sim_copy_network(&network->arena, told, &network->told)) {
        if (network)
            arena_free(&network->arena);
        free(network);
        return no_memory(error);
    }
    network->id = told->id;
    link_init(&network->link);
    link_append(&plane->networks, &network->link);
    index_put(&plane->network_ids, &network->by_id, &network->id,
              sizeof network->id, network);
    return S_OK;
}

static HRESULT network_change(struct plane *plane,
                              const struct plane_network *told,
                              struct hcs_error *error) {
    struct sim_network *network = find_network(plane, &told->id);
    struct arena arena = {0};
    struct plane_network mine;
    HRESULT hr = change(plane, error);

    if (FAILED(hr))
        return hr;
    if (!sim_copy_network(&arena, told, &mine)) {
        arena_free(&arena);
        return no_memory(error);
    }
    arena_free(&network->arena);
    network->arena = arena;
    network->told = mine;
    return S_OK;
}

static void network_down(struct plane *plane, const struct guid *id) {
    struct sim_network *network = find_network(plane, id);

    plane->calls++;
    link_remove(&network->link);
    index_take(&plane->network_ids, &network->by_id);
    arena_free(&network->arena);
    free(network);
}

/* --- endpoints ----------------------------------------------------- */

struct sim_endpoint *sim_endpoint_find(const struct plane *plane,
                                       const struct guid *id) {
    return index_owner(&plane->endpoint_ids, id, sizeof *id);
}

void sim_port_key(uint8_t key[3], uint8_t protocol, uint16_t port) {
    key[0] = protocol;
    key[1] = (uint8_t)(port >> 8);
    key[2] = (uint8_t)port;
}

/* What a packet finds the endpoint by. */
static bool make_entries(struct sim_endpoint *endpoint) {
    const struct plane_endpoint *told = &endpoint->told;
    size_t addresses = told->address_count, ports = told->mapping_count;
    struct arena *arena = &endpoint->arena;

    endpoint->by_address =
        arena_alloc(arena, (addresses + 1) * sizeof(struct entry));
    endpoint->by_port = arena_alloc(arena, (ports + 1) * sizeof(struct entry));
    endpoint->port_keys =
        arena_alloc(arena, (ports + 1) * sizeof *endpoint->port_keys);
    if (!endpoint->by_address || !endpoint->by_port || !endpoint->port_keys)
        return false;
    memset(endpoint->by_address, 0, addresses * sizeof(struct entry));
    memset(endpoint->by_port, 0, ports * sizeof(struct entry));
    return true;
}

static void show(struct plane *plane, struct sim_endpoint *endpoint) {
    const struct plane_endpoint *told = &endpoint->told;

    for (size_t i = 0; i < told->address_count; i++)
        index_put(&plane->addresses, &endpoint->by_address[i],
                  &told->addresses[i].address,
                  sizeof told->addresses[i].address, endpoint);
    for (size_t i = 0; i < told->mapping_count; i++) {
        sim_port_key(endpoint->port_keys[i], told->mappings[i].protocol,
                     told->mappings[i].external);
        index_put(&plane->ports, &endpoint->by_port[i], endpoint->port_keys[i],
                  sizeof endpoint->port_keys[i], endpoint);
    }
}

static void hide(struct plane *plane, struct sim_endpoint *endpoint) {
    for (size_t i = 0; i < endpoint->told.address_count; i++)
        index_take(&plane->addresses, &endpoint->by_address[i]);
    for (size_t i = 0; i < endpoint->told.mapping_count; i++)
        index_take(&plane->ports, &endpoint->by_port[i]);
}

static HRESULT check_ports(struct plane *plane,
                           const struct plane_endpoint *told,
                           struct hcs_error *error) {
    for (size_t i = 0; i < told->mapping_count; i++)
        if (port_taken(plane, told->mappings[i].protocol,
                       &told->mappings[i].address, told->mappings[i].external))
            return error_set(error, HR_SHARING_VIOLATION, NULL,
                             "port %u is in use on this host",
                             told->mappings[i].external);
    return S_OK;
}

static HRESULT endpoint_up(struct plane *plane,
                           const struct plane_endpoint *told,
                           struct hcs_error *error) {
    struct sim_endpoint *endpoint;
    HRESULT hr = change(plane, error);

    if (SUCCEEDED(hr))
        hr = check_ports(plane, told, error);
    if (FAILED(hr))
        return hr;
    endpoint = calloc(1, sizeof *endpoint);
    if (!endpoint)
        return no_memory(error);
    if (!sim_copy_endpoint(&endpoint->arena, told, &endpoint->told) ||
        !make_entries(endpoint)) {
        arena_free(&endpoint->arena);
        free(endpoint);
        return no_memory(error);
    }
    endpoint->id = told->id;
    endpoint->network = find_network(plane, &told->network);
    link_init(&endpoint->link);
    link_append(&plane->endpoints, &endpoint->link);
    index_put(&plane->endpoint_ids, &endpoint->by_id, &endpoint->id,
              sizeof endpoint->id, endpoint);
    show(plane, endpoint);
    return S_OK;
}

static HRESULT endpoint_change(struct plane *plane,
                               const struct plane_endpoint *told,
                               struct hcs_error *error) {
    struct sim_endpoint *endpoint = sim_endpoint_find(plane, &told->id);
    struct sim_endpoint fresh = {.network = endpoint->network};
    HRESULT hr = change(plane, error);

    if (SUCCEEDED(hr))
        hr = check_ports(plane, told, error);
    if (FAILED(hr))
        return hr;
    if (!sim_copy_endpoint(&fresh.arena, told, &fresh.told) ||
        !make_entries(&fresh)) {
        arena_free(&fresh.arena);
        return no_memory(error);
    }
    hide(plane, endpoint);
    arena_free(&endpoint->arena);
    endpoint->arena = fresh.arena;
    endpoint->told = fresh.told;
    endpoint->by_address = fresh.by_address;
    endpoint->by_port = fresh.by_port;
    endpoint->port_keys = fresh.port_keys;
    show(plane, endpoint);
    return S_OK;
}

static void endpoint_down(struct plane *plane, const struct guid *id) {
    struct sim_endpoint *endpoint = sim_endpoint_find(plane, id);

    plane->calls++;
    hide(plane, endpoint);
    link_remove(&endpoint->link);
    index_take(&plane->endpoint_ids, &endpoint->by_id);
    arena_free(&endpoint->arena);
    free(endpoint);
}

/* --- namespaces and ports ------------------------------------------ */

static HRESULT namespace_up(struct plane *plane,
                            const struct plane_namespace *told,
                            struct hcs_error *error) {
    struct sim_space *space;
    HRESULT hr = change(plane, error);

    if (FAILED(hr))
        return hr;
    space = calloc(1, sizeof *space);
    if (!space)
        return no_memory(error);
    space->told = *told;
    link_init(&space->link);
    link_append(&plane->spaces, &space->link);
    index_put(&plane->space_ids, &space->by_id, &space->told.id,
              sizeof space->told.id, space);
    return S_OK;
}

static void namespace_down(struct plane *plane, const struct guid *id) {
    struct sim_space *space = index_owner(&plane->space_ids, id, sizeof *id);

    plane->calls++;
    link_remove(&space->link);
    index_take(&plane->space_ids, &space->by_id);
    free(space);
}

static HRESULT port_up(struct plane *plane, const struct guid *id,
                       const struct plane_port *port,
                       char device[PLANE_DEVICE_SIZE],
                       struct hcs_error *error) {
    struct sim_endpoint *endpoint = sim_endpoint_find(plane, id);
    HRESULT hr = change(plane, error);

    if (FAILED(hr))
        return hr;
    endpoint->has_port = true;
    endpoint->port = *port;
    endpoint->port.adapter = NULL;
    device[0] = '\0';
    plane->port_count++;
    return S_OK;
}

static void port_down(struct plane *plane, const struct guid *id) {
    sim_endpoint_find(plane, id)->has_port = false;
    plane->calls++;
    plane->port_count--;
}

static HRESULT statistics(struct plane *plane, const struct guid *id,
                          struct plane_statistics *out,
                          struct hcs_error *error) {
    (void)error;
    *out = sim_endpoint_find(plane, id)->counted;
    return S_OK;
}

/* --- the plane as a whole ------------------------------------------ */

static void destroy(struct plane *plane) {
    if (!plane)
        return;
    while (!link_alone(&plane->endpoints))
        endpoint_down(plane, &HCS_CONTAINER(plane->endpoints.next,
                                            struct sim_endpoint, link)
                                  ->id);
    while (!link_alone(&plane->networks))
        network_down(
            plane,
            &HCS_CONTAINER(plane->networks.next, struct sim_network, link)->id);
    while (!link_alone(&plane->spaces))
        namespace_down(
            plane, &HCS_CONTAINER(plane->spaces.next, struct sim_space, link)
                        ->told.id);
    index_free(&plane->network_ids);
    index_free(&plane->endpoint_ids);
    index_free(&plane->space_ids);
    index_free(&plane->addresses);
    index_free(&plane->ports);
    free(plane->prefixes);
    free(plane->held);
    free(plane);
}

const struct plane_ops *sim_plane_ops(void) {
    static const struct plane_ops ops = {
        .name = "sim",
        .can_network = can_network,
        .can_policy = can_policy,
        .prefix_taken = prefix_taken,
        .port_taken = port_taken,
        .find_adapter = find_adapter,
        .network_up = network_up,
        .network_change = network_change,
        .network_down = network_down,
        .endpoint_up = endpoint_up,
        .endpoint_change = endpoint_change,
        .endpoint_down = endpoint_down,
        .namespace_up = namespace_up,
        .namespace_down = namespace_down,
        .port_up = port_up,
        .port_down = port_down,
        .statistics = statistics,
        .destroy = destroy,
    };
    return &ops;
}

HRESULT sim_plane_open(struct plane **out, struct hcs_error *error) {
    struct plane *plane = calloc(1, sizeof *plane);
    if (!plane)
        return no_memory(error);
    link_init(&plane->networks);
    link_init(&plane->endpoints);
    link_init(&plane->spaces);
    *out = plane;
    return S_OK;
}

HRESULT sim_plane_take_prefix(struct plane *plane,
                              const struct ip_prefix *prefix) {
    struct ip_prefix *grown =
        realloc(plane->prefixes, (plane->prefix_count + 1) * sizeof *grown);
    if (!grown)
        return E_OUTOFMEMORY;
    grown[plane->prefix_count++] = *prefix;
    plane->prefixes = grown;
    return S_OK;
}

HRESULT sim_plane_take_port(struct plane *plane, uint8_t protocol,
                            uint16_t port) {
    struct sim_held *grown =
        realloc(plane->held, (plane->held_count + 1) * sizeof *grown);
    if (!grown)
        return E_OUTOFMEMORY;
    grown[plane->held_count++] = (struct sim_held){protocol, port};
    plane->held = grown;
    return S_OK;
}

void sim_plane_adapter(struct plane *plane, bool there) {
    plane->no_adapter = !there;
}

void sim_plane_count(const struct plane *plane, struct sim_plane_counts *out) {
    out->networks = plane->network_ids.count;
    out->endpoints = plane->endpoint_ids.count;
    out->namespaces = plane->space_ids.count;
    out->ports = plane->port_count;
    out->calls = plane->calls;
}

void sim_plane_fail(struct plane *plane, unsigned after, HRESULT code) {
    plane->fail_after = after;
    plane->fail_code = code;
}
