/* SPDX-License-Identifier: MIT
 * Networks: a bridge each, with the gateways' addresses where the host is on
 * the network. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/hresult_hcn.h"
#include "inside.h"

/* --- keeping what was told --------------------------------------------- */

static HRESULT copy_texts(struct arena *arena, struct plane_dns *dns,
                          struct hcs_error *error) {
    const char **search =
        arena_alloc(arena, (dns->search_count + 1) * sizeof *search);
    struct ip_address *servers =
        arena_alloc(arena, (dns->server_count + 1) * sizeof *servers);

    dns->domain = arena_text(arena, dns->domain, strlen(dns->domain));
    if (!dns->domain || !search || !servers)
        return no_memory(error);
    for (size_t i = 0; i < dns->search_count; i++) {
        search[i] = arena_text(arena, dns->search[i], strlen(dns->search[i]));
        if (!search[i])
            return no_memory(error);
    }
    if (dns->server_count > 0)
        memcpy(servers, dns->servers, dns->server_count * sizeof *servers);
    dns->search = search;
    dns->servers = servers;
    return S_OK;
}

static HRESULT copy_terms(const struct plane_network *told,
                          struct network *network, struct hcs_error *error) {
    size_t size = told->subnet_count * sizeof *network->subnets;

    memset(&network->terms, 0, sizeof network->terms);
    network->subnets = arena_alloc(&network->terms, size + 1);
    if (!network->subnets)
        return no_memory(error);
    if (size > 0)
        memcpy(network->subnets, told->subnets, size);
    network->subnet_count = told->subnet_count;
    network->dns = told->dns;
    network->name = arena_text(&network->terms, told->name, strlen(told->name));
    if (!network->name)
        return no_memory(error);
    return copy_texts(&network->terms, &network->dns, error);
}

/* --- addresses of the host --------------------------------------------- */

bool network_has_host(const struct plane_network *told) {
    return told->mode != PLANE_PRIVATE &&
           !(told->flags & PLANE_NETWORK_NO_HOST_PORT);
}

bool subnet_has_gateway(const struct plane_subnet *subnet) {
    return subnet->gateway.family != IP_NONE && !subnet->gateway_free;
}

static bool has_gateway(const struct network *network,
                        const struct plane_subnet *subnet) {
    return network->host && subnet_has_gateway(subnet);
}

static bool listed(const struct network *network,
                   const struct plane_subnet *subnet) {
    for (size_t i = 0; i < network->subnet_count; i++) {
        const struct plane_subnet *other = &network->subnets[i];
        if (has_gateway(network, other) &&
            ip_same(&other->gateway, &subnet->gateway) &&
            other->prefix.length == subnet->prefix.length)
            return true;
    }
    return false;
}

/* Takes away the addresses that `network` has and `keep` (NULL: nothing) has
 * not. */
static void drop_addresses(struct plane *plane, const struct network *network,
                           const struct network *keep) {
    for (size_t i = 0; i < network->subnet_count; i++) {
        const struct plane_subnet *subnet = &network->subnets[i];
        if (has_gateway(network, subnet) && !(keep && listed(keep, subnet)))
            device_address_drop(&plane->wire, network->bridge.index,
                                &subnet->gateway, subnet->prefix.length);
    }
}

static HRESULT add_addresses(struct plane *plane, const struct network *network,
                             const struct network *before,
                             struct hcs_error *error) {
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < network->subnet_count; i++) {
        const struct plane_subnet *subnet = &network->subnets[i];
        if (has_gateway(network, subnet) && !(before && listed(before, subnet)))
            hr = device_address(&plane->wire, network->bridge.index,
                                &subnet->gateway, subnet->prefix.length, false,
                                error);
    }
    return hr;
}

/* Two networks that the host is on cannot have the same addresses. */
static HRESULT check_prefixes(const struct plane *plane,
                              const struct plane_network *told, bool host,
                              struct hcs_error *error) {
    for (struct link *l = plane->networks.next; host && l != &plane->networks;
         l = l->next) {
        const struct network *other = HCS_CONTAINER(l, struct network, link);
        char text[IP_PREFIX_SIZE];

        if (!other->host || memcmp(&other->id, &told->id, sizeof told->id) == 0)
            continue;
        for (size_t i = 0; i < told->subnet_count; i++)
            for (size_t k = 0; k < other->subnet_count; k++) {
                if (!ip_prefix_overlaps(&told->subnets[i].prefix,
                                        &other->subnets[k].prefix))
                    continue;
                ip_prefix_format(&told->subnets[i].prefix, text);
                return error_set(error, HR_DUP_NAME, NULL,
                                 "another network has addresses of %s", text);
            }
    }
    return S_OK;
}

/* --- up ---------------------------------------------------------------- */

static void choose_mac(const struct plane_network *told, unsigned serial,
                       struct mac_address *mac) {
    if (told->has_router_mac)
        *mac = told->router_mac;
    else if (told->has_source_mac)
        *mac = told->source_mac;
    else
        mac_from_number(UINT64_C(0x0a155d000000) | serial, mac);
}

/* Its own settings: no addresses but ours, no answers for those of others. */
static HRESULT settle(const struct network *network, struct hcs_error *error) {
    const char *name = network->bridge.name;
    HRESULT hr = device_setting(error, network->host ? "1" : "8",
                                "ipv4/conf/%s/arp_ignore", name);

    if (SUCCEEDED(hr))
        hr = device_setting(error, "1", "ipv4/conf/%s/route_localnet", name);
    if (SUCCEEDED(hr) && !network->host)
        hr = device_setting(NULL, "1", "ipv6/conf/%s/disable_ipv6", name);
    /* A kernel without IPv6 has nothing to switch off. */
    return hr == HR_FILE_NOT_FOUND || hr == HR_PATH_NOT_FOUND ? S_OK : hr;
}

static HRESULT make_bridge(struct plane *plane, struct network *network,
                           struct hcs_error *error) {
    struct device *bridge = &network->bridge;
    char id[GUID_TEXT_SIZE], other[64];
    HRESULT hr;

    guid_format(&network->id, id);
    snprintf(other, sizeof other, "hcn-net-%s", id);
    hr = device_bridge(&plane->wire, bridge, &network->mac, error);
    if (SUCCEEDED(hr))
        hr = device_altname(&plane->wire, bridge->index, other, error);
    if (SUCCEEDED(hr))
        hr = device_alias(&plane->wire, bridge->index, network->name, error);
    if (SUCCEEDED(hr))
        hr = settle(network, error);
    if (SUCCEEDED(hr))
        hr = add_addresses(plane, network, NULL, error);
    if (SUCCEEDED(hr))
        hr = device_up(&plane->wire, bridge->index, error);
    return hr;
}

void network_begin(struct network *network, const struct plane_network *told,
                   unsigned serial) {
    memset(network, 0, sizeof *network);
    link_init(&network->link);
    network->id = told->id;
    network->mode = told->mode;
    network->flags = told->flags;
    network->serial = serial;
    network->host = network_has_host(told);
    network->nat =
        network->host && (told->mode == PLANE_NAT || told->mode == PLANE_ICS);
    snprintf(network->bridge.name, sizeof network->bridge.name, "hb%u", serial);
}

static struct network *network_new(struct plane *plane,
                                   const struct plane_network *told,
                                   struct hcs_error *error) {
    struct network *network = calloc(1, sizeof *network);

    if (!network) {
        no_memory(error);
        return NULL;
    }
    network_begin(network, told, ++plane->serial);
    choose_mac(told, network->serial, &network->mac);
    if (FAILED(copy_terms(told, network, error))) {
        arena_free(&network->terms);
        free(network);
        return NULL;
    }
    return network;
}

static HRESULT install(struct plane *plane, const struct plane_network *told,
                       struct network *network, bool fresh,
                       struct hcs_error *error) {
    struct buf text = {0};
    HRESULT hr;

    rules_network(told, network, fresh, &text);
    hr = filter_run(plane->filter, &text, error);
    buf_free(&text);
    return hr;
}

static void remove_rules(struct plane *plane, struct network *network) {
    struct buf text = {0};

    if (network->nat)
        rules_translators(plane, network, &text);
    rules_network_end(network, &text);
    (void)filter_run(plane->filter, &text, NULL);
    buf_free(&text);
}

static void network_free(struct network *network) {
    link_remove(&network->link);
    arena_free(&network->terms);
    free(network);
}

HRESULT network_up(struct plane *plane, const struct plane_network *told,
                   struct hcs_error *error) {
    struct network *network;
    HRESULT hr = probe_network(plane, told->mode, error);

    if (SUCCEEDED(hr))
        hr = service_check(plane, told, error);
    if (FAILED(hr))
        return hr;
    network = network_new(plane, told, error);
    if (!network)
        return E_OUTOFMEMORY;
    hr = check_prefixes(plane, told, network->host, error);
    if (SUCCEEDED(hr))
        hr = make_bridge(plane, network, error);
    if (FAILED(hr))
        goto undo_bridge;
    hr = install(plane, told, network, true, error);
    if (FAILED(hr))
        goto undo_bridge;
    link_append(&plane->networks, &network->link);
    if (service_wanted(told))
        hr = service_start(plane, network, error);
    if (FAILED(hr))
        network_down(plane, network);
    return hr;

undo_bridge:
    sweep(plane, &network->bridge.index, 1, -1);
    network_free(network);
    return hr;
}

/* --- change ------------------------------------------------------------ */

static bool same_texts(const struct plane_dns *a, const struct plane_dns *b) {
    size_t size = a->server_count * sizeof *a->servers;

    return strcmp(a->domain, b->domain) == 0 &&
           a->server_count == b->server_count &&
           (size == 0 || memcmp(a->servers, b->servers, size) == 0);
}

/* Whether DHCP and DNS have to be told otherwise. */
static bool services_differ(const struct network *a, const struct network *b) {
    if (a->subnet_count != b->subnet_count || !same_texts(&a->dns, &b->dns))
        return true;
    for (size_t i = 0; i < a->subnet_count; i++)
        if (!ip_same(&a->subnets[i].gateway, &b->subnets[i].gateway) ||
            !ip_same(&a->subnets[i].prefix.address,
                     &b->subnets[i].prefix.address) ||
            a->subnets[i].prefix.length != b->subnets[i].prefix.length)
            return true;
    return false;
}

/* The bridge, and what runs on it. */
static HRESULT change_bridge(struct plane *plane, struct network *now,
                             const struct network *before,
                             struct hcs_error *error) {
    HRESULT hr = add_addresses(plane, now, before, error);

    if (SUCCEEDED(hr))
        hr = device_mac(&plane->wire, now->bridge.index, &now->mac, error);
    if (SUCCEEDED(hr) && now->service && services_differ(now, before))
        hr = service_renew(plane, now, error);
    return hr;
}

static void change_back(struct plane *plane, const struct network *now,
                        struct network *before) {
    drop_addresses(plane, now, before);
    (void)device_mac(&plane->wire, before->bridge.index, &before->mac, NULL);
    if (before->service && services_differ(now, before))
        (void)service_renew(plane, before, NULL);
}

HRESULT network_change(struct plane *plane, const struct plane_network *told,
                       struct hcs_error *error) {
    struct network *network = find_network(plane, &told->id);
    struct network now;
    HRESULT hr;

    if (!network)
        return error_set(error, HCN_E_NETWORK_NOT_FOUND, NULL,
                         "the plane has no such network");
    now = *network;
    hr = copy_terms(told, &now, error);
    if (SUCCEEDED(hr))
        hr = check_prefixes(plane, told, network->host, error);
    if (SUCCEEDED(hr))
        hr = service_check(plane, told, error);
    if (FAILED(hr)) {
        arena_free(&now.terms);
        return hr;
    }
    choose_mac(told, now.serial, &now.mac);
    hr = change_bridge(plane, &now, network, error);
    if (SUCCEEDED(hr))
        hr = install(plane, told, &now, false, error);
    if (FAILED(hr)) {
        change_back(plane, &now, network);
        arena_free(&now.terms);
        return hr;
    }
    drop_addresses(plane, network, &now);
    arena_free(&network->terms);
    network->terms = now.terms;
    network->subnets = now.subnets;
    network->subnet_count = now.subnet_count;
    network->name = now.name;
    network->dns = now.dns;
    network->mac = now.mac;
    return S_OK;
}

void network_down(struct plane *plane, struct network *network) {
    service_stop(plane, network);
    if (!plane->ending)
        remove_rules(plane, network);
    sweep(plane, &network->bridge.index, 1, -1);
    network_free(network);
    if (link_alone(&plane->networks))
        world_close(plane); /* nothing is left to come in to */
}

HRESULT network_mend(struct plane *plane, struct network *network,
                     struct hcs_error *error) {
    HRESULT hr = make_bridge(plane, network, error);

    for (struct link *l = plane->endpoints.next;
         SUCCEEDED(hr) && l != &plane->endpoints; l = l->next) {
        const struct endpoint *one = HCS_CONTAINER(l, struct endpoint, link);
        if (one->network == network && one->port.there && !one->port.lost)
            hr = port_rejoin(plane, one, error);
    }
    if (SUCCEEDED(hr)) {
        device_settle(&plane->wire, network->bridge.index);
        hr = service_renew(plane, network, error);
    }
    if (SUCCEEDED(hr))
        network->lost = false;
    else
        sweep(plane, &network->bridge.index, 1, -1);
    return hr;
}
