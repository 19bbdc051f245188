/* SPDX-License-Identifier: MIT
 * Endpoints: who they are, and their policies. The rules are in force from the
 * moment that an endpoint is known, so a port has them when it comes. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/hresult_hcn.h"
#include "inside.h"

/* --- addresses that the host has for it -------------------------------- */

#define LOOPBACK 1 /* in every namespace */

static bool others_have(const struct plane *plane, const struct terms *mine,
                        const struct ip_address *address) {
    for (struct link *l = plane->endpoints.next; l != &plane->endpoints;
         l = l->next) {
        const struct terms *terms =
            &HCS_CONTAINER(l, struct endpoint, link)->terms;
        for (size_t i = 0; terms != mine && i < terms->virtual_count; i++)
            if (ip_same(&terms->virtual_ips[i], address))
                return true;
    }
    return false;
}

static bool terms_have(const struct terms *terms,
                       const struct ip_address *address) {
    for (size_t i = 0; terms && i < terms->virtual_count; i++)
        if (ip_same(&terms->virtual_ips[i], address))
            return true;
    return false;
}

/* `mine` are terms of the same endpoint that do not count, `other` are the
 * ones that go on. */
static void drop_virtual(struct plane *plane, const struct terms *terms,
                         const struct terms *mine, const struct terms *other) {
    for (size_t i = 0; i < terms->virtual_count; i++) {
        const struct ip_address *one = &terms->virtual_ips[i];
        if (!others_have(plane, mine, one) && !terms_have(other, one))
            device_address_drop(&plane->wire, LOOPBACK, one,
                                (uint8_t)ip_bits(one));
    }
}

static void want_virtual(struct terms *terms,
                         const struct ip_address *address) {
    if (address->family != IP_NONE && !terms_have(terms, address))
        terms->virtual_ips[terms->virtual_count++] = *address;
}

static HRESULT list_virtual(const struct plane_endpoint *told,
                            struct terms *terms, struct hcs_error *error) {
    size_t most = told->mapping_count + told->nat_count + 1;

    terms->virtual_ips =
        arena_alloc(&terms->arena, most * sizeof *terms->virtual_ips);
    if (!terms->virtual_ips)
        return no_memory(error);
    for (size_t i = 0; i < told->nat_count; i++)
        want_virtual(terms, &told->nats[i].address);
    for (size_t i = 0; i < told->mapping_count; i++)
        if (told->mappings[i].flags & PLANE_NAT_LOCAL_VIP)
            want_virtual(terms, &told->mappings[i].address);
    return S_OK;
}

static HRESULT add_virtual(struct plane *plane, const struct terms *terms,
                           const struct terms *before,
                           struct hcs_error *error) {
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < terms->virtual_count; i++) {
        const struct ip_address *one = &terms->virtual_ips[i];
        if (!others_have(plane, before, one) && !terms_have(before, one))
            hr = device_address(&plane->wire, LOOPBACK, one,
                                (uint8_t)ip_bits(one), false, error);
    }
    return hr;
}

/* --- terms ------------------------------------------------------------- */

void terms_free(struct terms *terms) {
    let_go(terms);
    buf_free(&terms->undo);
    buf_free(&terms->end);
    arena_free(&terms->arena);
}

static uint32_t mtu_of(const struct plane_endpoint *told) {
    uint32_t mtu = told->mtu ? told->mtu : DEVICE_MTU;

    return mtu > told->overhead ? mtu - told->overhead : 1;
}

HRESULT terms_read(const struct plane_endpoint *told, struct terms *terms,
                   struct hcs_error *error) {
    size_t size = told->route_count * sizeof *terms->routes;
    const char *alias = *told->port_name ? told->port_name : told->name;

    memset(terms, 0, sizeof *terms);
    terms->name = arena_text(&terms->arena, told->name, strlen(told->name));
    terms->alias = arena_text(&terms->arena, alias, strlen(alias));
    terms->routes = arena_alloc(&terms->arena, size + 1);
    if (!terms->name || !terms->alias || !terms->routes)
        return no_memory(error);
    if (size > 0)
        memcpy(terms->routes, told->routes, size);
    terms->route_count = told->route_count;
    terms->mtu = mtu_of(told);
    terms->limit = told->egress_limit;
    terms->isolated = told->flags & PLANE_ENDPOINT_ISOLATED;
    terms->low_metric = told->flags & PLANE_ENDPOINT_LOW_METRIC;
    terms->hairpin = told->mapping_count > 0;
    return list_virtual(told, terms, error);
}

HRESULT endpoint_check(const struct plane *plane,
                       const struct plane_endpoint *told,
                       struct hcs_error *error) {
    const struct {
        bool wanted;
        enum plane_policy policy;
    } wants[] = {
        {told->mapping_count > 0, PLANE_PORT_MAPPING},
        {told->acl_count > 0, PLANE_ACL},
        {told->tier_count > 0, PLANE_TIER_ACL},
        {told->egress_limit > 0, PLANE_QOS},
        {told->nat_count > 0, PLANE_OUTBOUND_NAT},
        {told->sdn_route_count > 0, PLANE_SDN_ROUTE},
        {told->proxy_count > 0, PLANE_L4_PROXY},
        {told->wfp_proxy_count > 0, PLANE_WFP_PROXY},
        {told->provider.family != IP_NONE, PLANE_PROVIDER_ADDRESS},
        {told->vlan > 0, PLANE_VLAN},
    };
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < HCS_COUNT(wants); i++)
        if (wants[i].wanted)
            hr = probe_policy(plane, wants[i].policy, error);
    return hr;
}

/* --- up ---------------------------------------------------------------- */

static HRESULT endpoint_new(struct plane *plane,
                            const struct plane_endpoint *told,
                            struct endpoint **out, struct hcs_error *error) {
    size_t size = told->address_count * sizeof(struct plane_ip);
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);

    *out = endpoint;
    if (!endpoint)
        return no_memory(error);
    link_init(&endpoint->link);
    endpoint->port.tap = -1;
    endpoint->offer = -1;
    endpoint->id = told->id;
    endpoint->mac = told->mac;
    endpoint->remote = told->flags & PLANE_ENDPOINT_REMOTE;
    endpoint->network = find_network(plane, &told->network);
    endpoint->serial = ++plane->serial;
    endpoint->addresses = malloc(size + 1);
    if (!endpoint->addresses)
        return no_memory(error);
    if (size > 0)
        memcpy(endpoint->addresses, told->addresses, size);
    endpoint->address_count = told->address_count;
    if (!endpoint->network)
        return error_set(error, HCN_E_NETWORK_NOT_FOUND, NULL,
                         "the plane has no such network");
    return S_OK;
}

static void endpoint_free(struct endpoint *endpoint) {
    if (!endpoint)
        return;
    if (endpoint->offer >= 0)
        close(endpoint->offer);
    link_remove(&endpoint->link);
    terms_free(&endpoint->terms);
    free(endpoint->addresses);
    free(endpoint);
}

static HRESULT install(struct plane *plane, const struct plane_endpoint *told,
                       const struct endpoint *endpoint,
                       const struct terms *before, struct terms *now,
                       struct hcs_error *error) {
    struct buf text = {0};
    HRESULT hr = rules_endpoint(told, endpoint, before, now, &text, error);

    if (SUCCEEDED(hr))
        hr = filter_run(plane->filter, &text, error);
    buf_free(&text);
    return hr;
}

static HRESULT endpoint_make(struct plane *plane,
                             const struct plane_endpoint *told,
                             struct endpoint *endpoint,
                             struct hcs_error *error) {
    struct terms *terms = &endpoint->terms;
    HRESULT hr = endpoint_check(plane, told, error);

    if (SUCCEEDED(hr))
        hr = terms_read(told, terms, error);
    if (FAILED(hr) || endpoint->remote)
        return hr;
    hr = hold_ports(told, NULL, terms, error);
    if (SUCCEEDED(hr))
        hr = add_virtual(plane, terms, NULL, error);
    if (SUCCEEDED(hr))
        hr = install(plane, told, endpoint, NULL, terms, error);
    if (FAILED(hr))
        drop_virtual(plane, terms, NULL, NULL);
    return hr;
}

HRESULT endpoint_up(struct plane *plane, const struct plane_endpoint *told,
                    struct hcs_error *error) {
    struct endpoint *endpoint;
    HRESULT hr = endpoint_new(plane, told, &endpoint, error);

    if (SUCCEEDED(hr))
        hr = endpoint_make(plane, told, endpoint, error);
    if (FAILED(hr)) {
        endpoint_free(endpoint);
        return hr;
    }
    link_append(&plane->endpoints, &endpoint->link);
    service_refresh(plane, endpoint->network);
    return S_OK;
}

/* --- change ------------------------------------------------------------ */

HRESULT endpoint_change(struct plane *plane, const struct plane_endpoint *told,
                        struct hcs_error *error) {
    struct endpoint *endpoint = find_endpoint(plane, &told->id);
    struct terms now;
    HRESULT hr;

    if (!endpoint)
        return error_set(error, HCN_E_ENDPOINT_NOT_FOUND, NULL,
                         "the plane has no such endpoint");
    hr = endpoint_check(plane, told, error);
    if (FAILED(hr))
        return hr;
    hr = terms_read(told, &now, error);
    if (SUCCEEDED(hr) && !endpoint->remote)
        hr = hold_ports(told, &endpoint->terms, &now, error);
    if (FAILED(hr))
        goto out;
    if (endpoint->remote)
        goto take;
    hr = add_virtual(plane, &now, &endpoint->terms, error);
    if (SUCCEEDED(hr))
        hr = port_change(plane, endpoint, &now, &endpoint->terms, error);
    if (SUCCEEDED(hr)) {
        hr = install(plane, told, endpoint, &endpoint->terms, &now, error);
        if (FAILED(hr))
            (void)port_change(plane, endpoint, &endpoint->terms, &now, NULL);
    }
    if (FAILED(hr)) {
        drop_virtual(plane, &now, &endpoint->terms, &endpoint->terms);
        goto out;
    }
    drop_virtual(plane, &endpoint->terms, &endpoint->terms, &now);
take:
    terms_free(&endpoint->terms);
    endpoint->terms = now;
    service_refresh(plane, endpoint->network);
    return S_OK;
out:
    terms_free(&now);
    return hr;
}

void endpoint_down(struct plane *plane, struct endpoint *endpoint) {
    struct network *network = endpoint->network;

    port_down(plane, endpoint);
    if (!endpoint->remote && !plane->ending) {
        (void)filter_run(plane->filter, &endpoint->terms.end, NULL);
        drop_virtual(plane, &endpoint->terms, &endpoint->terms, NULL);
    }
    endpoint_free(endpoint);
    if (!plane->ending)
        service_refresh(plane, network);
}
