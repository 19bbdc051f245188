/* SPDX-License-Identifier: MIT
 * What a document says of a new endpoint, and the addresses it gets. */
#include <string.h>

#include "endpoint.h"

#define MOST_ADDRESSES 256
#define DEFAULT_NAME "Ethernet"

/* --- addresses ----------------------------------------------------- */

static bool is_own(const struct endpoint *endpoint,
                   const struct ip_address *address) {
    for (size_t i = 0; i < endpoint->address_count; i++)
        if (ip_same(&endpoint->addresses[i].plane.address, address))
            return true;
    return false;
}

static bool is_taken(const struct endpoint *endpoint,
                     const struct ip_address *address) {
    return is_own(endpoint, address) ||
           index_find(&endpoint->network->addresses, address,
                      sizeof *address) != NULL;
}

/* The lowest free address of the pool. Its hint passes what is taken for good,
 * not what this endpoint may yet have to give up. */
static bool take_lowest(const struct endpoint *endpoint,
                        const struct subnet *subnet, struct pool *pool,
                        struct ip_address *out) {
    const struct index *taken = &endpoint->network->addresses;
    uint64_t size = ip_prefix_size(&pool->prefix);

    for (uint64_t offset = pool->hint; offset < size; offset++) {
        ip_prefix_at(&pool->prefix, offset, out);
        if (!subnet_reserves(subnet, pool, out) && !is_taken(endpoint, out))
            return true;
        if (offset == pool->hint && (subnet_reserves(subnet, pool, out) ||
                                     index_find(taken, out, sizeof *out)))
            pool->hint++;
    }
    return false;
}

static bool take_from(struct endpoint *endpoint, const struct subnet *subnet,
                      struct address *out) {
    for (size_t i = 0; i < subnet->pool_count; i++)
        if (take_lowest(endpoint, subnet, &subnet->pools[i],
                        &out->plane.address)) {
            out->plane.length = subnet->plane.prefix.length;
            return true;
        }
    return false;
}

/* Addresses of these come from somebody else. */
static bool is_dhcp(const struct network *network,
                    const struct subnet *subnet) {
    return mode_is_external(network->mode) &&
           network->subnets->dhcp[subnet->ipam];
}

/* One of a family, out of the first subnet that has one left. */
static HRESULT take_any(struct endpoint *endpoint, enum ip_family family,
                        const struct doc *place, struct hcs_error *error) {
    const struct subnets *subnets = endpoint->network->subnets;
    struct address *out = &endpoint->addresses[endpoint->address_count];
    bool there = false;

    *out = (struct address){0};
    for (size_t i = 0; i < subnets->count; i++) {
        const struct subnet *subnet = &subnets->items[i];
        if (subnet->plane.prefix.address.family != family ||
            is_dhcp(endpoint->network, subnet))
            continue;
        there = true;
        if (take_from(endpoint, subnet, out)) {
            endpoint->address_count++;
            return S_OK;
        }
    }
    return there ? doc_fail(place, HCN_E_ADDR_INVALID_OR_RESERVED, error,
                            "the network has no address left")
                 : S_OK;
}

static struct pool *find_pool(const struct subnets *subnets,
                              const struct guid *id, struct subnet **subnet) {
    for (size_t i = 0; i < subnets->count; i++)
        for (size_t k = 0; k < subnets->items[i].pool_count; k++)
            if (memcmp(&subnets->items[i].pools[k].id, id, sizeof *id) == 0) {
                *subnet = &subnets->items[i];
                return &subnets->items[i].pools[k];
            }
    return NULL;
}

/* Whether the network has that address and may give it. */
static HRESULT check_given(const struct endpoint *endpoint,
                           const struct doc *place,
                           const struct ip_address *address,
                           const struct subnet *subnet, const struct pool *pool,
                           struct hcs_error *error) {
    char text[IP_TEXT_SIZE];
    struct ip_prefix alone = {*address, (uint8_t)ip_bits(address)};
    bool anywhere =
        endpoint_is_remote(endpoint) || endpoint->network->subnets->count == 0;

    ip_format(address, text);
    if (!pool && anywhere && !mode_is_external(endpoint->network->mode) &&
        ip_prefix_is_special(&alone))
        return doc_fail(place, HCN_E_ADDR_INVALID_OR_RESERVED, error,
                        "%s is an address that no host can have", text);
    if (!pool && !anywhere)
        return doc_fail(place, HCN_E_INVALID_IP, error,
                        "%s is in no subnet of the network", text);
    if (pool && !ip_prefix_contains(&pool->prefix, address))
        return doc_fail(place, HCN_E_INVALID_IP, error,
                        "%s is not in the subnet that IpSubnetId names", text);
    if (pool && !endpoint_is_remote(endpoint) &&
        subnet_reserves(subnet, pool, address))
        return doc_fail(place, HCN_E_ADDR_INVALID_OR_RESERVED, error,
                        "%s is the gateway or what the subnet itself needs",
                        text);
    if (is_taken(endpoint, address))
        return doc_fail(place, HR_OBJECT_ALREADY_EXISTS, error,
                        is_own(endpoint, address) ? "%s is there twice"
                                                  : "another endpoint has %s",
                        text);
    return S_OK;
}

static HRESULT read_length(const struct doc *place, struct address *out,
                           const struct subnet *subnet,
                           struct hcs_error *error) {
    unsigned most = ip_bits(&out->plane.address);
    uint64_t length = subnet ? subnet->plane.prefix.length : most;
    HRESULT hr = doc_number(place, "PrefixLength", UINT8_MAX, &length, error);

    if (SUCCEEDED(hr) && length > most)
        hr = doc_fail(place, HCN_E_INVALID_ENDPOINT, error,
                      "PrefixLength is %u; expected at most %u",
                      (unsigned)length, most);
    if (SUCCEEDED(hr) && length == 0) /* left out by who writes no zeros */
        length = subnet ? subnet->plane.prefix.length : most;
    out->plane.length = (uint8_t)length;
    return hr;
}

static HRESULT read_given(struct endpoint *endpoint, const struct doc *place,
                          struct address *out, struct subnet *subnet,
                          struct pool *pool, struct hcs_error *error) {
    const struct ip_address *address = &out->plane.address;
    HRESULT hr;

    if (!pool)
        subnet = subnets_find(endpoint->network->subnets, address);
    if (!pool && subnet)
        pool = subnet_pool(subnet, address);
    hr = check_given(endpoint, place, address, subnet, pool, error);
    if (SUCCEEDED(hr))
        hr = read_length(place, out, subnet, error);
    if (SUCCEEDED(hr))
        endpoint->address_count++;
    return hr;
}

static HRESULT read_config(struct endpoint *endpoint, const struct doc *place,
                           struct hcs_error *error) {
    const struct subnets *subnets = endpoint->network->subnets;
    struct address *out = &endpoint->addresses[endpoint->address_count];
    struct subnet *subnet = NULL;
    struct pool *pool = NULL;
    HRESULT hr;

    *out = (struct address){0};
    hr = doc_guid(place, "IpSubnetId", &out->pool, error);
    if (SUCCEEDED(hr) && !guid_is_zero(&out->pool)) {
        pool = find_pool(subnets, &out->pool, &subnet);
        if (!pool)
            hr = doc_fail(place, HCN_E_SUBNET_NOT_FOUND, error,
                          "the network has no subnet with that IpSubnetId");
    }
    if (SUCCEEDED(hr))
        hr = doc_address(place, "IpAddress", HCN_E_ADDR_INVALID_OR_RESERVED,
                         &out->plane.address, error);
    if (FAILED(hr))
        return hr;
    if (out->plane.address.family != IP_NONE)
        return read_given(endpoint, place, out, subnet, pool, error);
    if (!pool)
        return take_any(endpoint, IP_V4, place, error);
    if (!take_lowest(endpoint, subnet, pool, &out->plane.address))
        return doc_fail(place, HCN_E_ADDR_INVALID_OR_RESERVED, error,
                        "the subnet has no address left");
    hr = read_length(place, out, subnet, error);
    if (SUCCEEDED(hr))
        endpoint->address_count++;
    return hr;
}

static HRESULT read_addresses(const struct doc *doc, bool complete,
                              struct endpoint *endpoint,
                              struct hcs_error *error) {
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(doc, "IpConfigurations", &array, &count, error);

    if (SUCCEEDED(hr) && count > MOST_ADDRESSES)
        hr = doc_fail(&array, HCN_E_INVALID_ENDPOINT, error,
                      "expected at most %d addresses", MOST_ADDRESSES);
    if (SUCCEEDED(hr) && count == 0 && endpoint_is_remote(endpoint))
        hr = doc_fail(doc, HCN_E_INVALID_ENDPOINT, error,
                      "a remote endpoint needs its IpConfigurations");
    if (FAILED(hr))
        return hr;
    endpoint->addresses =
        arena_alloc(&endpoint->arena, (count + 2) * sizeof(struct address));
    if (!endpoint->addresses)
        return out_of_memory(error);
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        struct doc item;
        hr = doc_item_object(&array, i, &item, error);
        if (SUCCEEDED(hr))
            hr = read_config(endpoint, &item, error);
    }
    if (SUCCEEDED(hr) && count == 0 && complete)
        hr = take_any(endpoint, IP_V4, doc, error);
    if (SUCCEEDED(hr) && count == 0 && complete)
        hr = take_any(endpoint, IP_V6, doc, error);
    return hr;
}

/* --- the rest ------------------------------------------------------ */

static HRESULT read_mac(const struct doc *doc, struct endpoint *endpoint,
                        struct hcs_error *error) {
    struct doc place = doc_get(doc, "MacAddress");
    const char *text = "";
    HRESULT hr = doc_text(doc, "MacAddress", &text, error);

    if (FAILED(hr))
        return hr;
    if (*text == '\0' && endpoint_is_remote(endpoint))
        return doc_fail(doc, HCN_E_INVALID_ENDPOINT, error,
                        "a remote endpoint needs its MacAddress");
    if (*text == '\0')
        return mac_take(endpoint->network, &endpoint->mac, error);
    if (!mac_parse(text, &endpoint->mac) || !mac_is_adapter(&endpoint->mac))
        return doc_fail(&place, HCN_E_INVALID_ENDPOINT, error,
                        "\"%s\" is not the MAC address of one adapter", text);
    if (index_find(&endpoint->network->macs, endpoint->mac.bytes,
                   sizeof endpoint->mac.bytes))
        return doc_fail(&place, HR_OBJECT_ALREADY_EXISTS, error,
                        "another endpoint of the network has %s", text);
    return S_OK;
}

static HRESULT keep_text(const struct doc *doc, const char *name,
                         const char *otherwise, struct arena *arena,
                         const char **out, struct hcs_error *error) {
    const char *text = otherwise;
    HRESULT hr = doc_text(doc, name, &text, error);

    if (FAILED(hr))
        return hr;
    *out = arena_text(arena, text, strlen(text));
    return *out ? S_OK : out_of_memory(error);
}

/* The subnets that it has addresses in, each once. */
static size_t own_subnets(const struct endpoint *endpoint,
                          const struct subnet *out[], size_t room) {
    size_t count = 0;

    for (size_t i = 0; i < endpoint->address_count; i++) {
        const struct subnet *subnet = subnets_find(
            endpoint->network->subnets, &endpoint->addresses[i].plane.address);
        bool known = !subnet;
        for (size_t k = 0; k < count && !known; k++)
            known = out[k] == subnet;
        if (!known && count < room)
            out[count++] = subnet;
    }
    return count;
}

/* Those of its subnets, where the document gives none. */
static HRESULT inherit_routes(struct endpoint *endpoint,
                              struct hcs_error *error) {
    const struct subnet *subnets[MOST_ADDRESSES + 2];
    size_t count = own_subnets(endpoint, subnets, HCS_COUNT(subnets));
    size_t room = 0;

    for (size_t i = 0; i < count; i++)
        room += subnets[i]->route_count;
    endpoint->routes =
        arena_alloc(&endpoint->arena, (room + 1) * sizeof *endpoint->routes);
    if (!endpoint->routes)
        return out_of_memory(error);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < subnets[i]->route_count; k++)
            endpoint->routes[endpoint->route_count++] = subnets[i]->routes[k];
    return S_OK;
}

static HRESULT read_routes(const struct doc *doc, bool complete,
                           struct endpoint *endpoint, struct hcs_error *error) {
    HRESULT hr = routes_read(doc, &endpoint->arena, &endpoint->routes,
                             &endpoint->route_count, error);
    if (SUCCEEDED(hr) && endpoint->route_count == 0 && complete &&
        !endpoint_is_remote(endpoint))
        hr = inherit_routes(endpoint, error);
    return hr;
}

/* Puts the addresses in a row, as a plane is told them. */
static HRESULT line_up(struct endpoint *endpoint, struct hcs_error *error) {
    endpoint->ips =
        arena_alloc(&endpoint->arena,
                    (endpoint->address_count + 1) * sizeof *endpoint->ips);
    if (!endpoint->ips)
        return out_of_memory(error);
    for (size_t i = 0; i < endpoint->address_count; i++)
        endpoint->ips[i] = endpoint->addresses[i].plane;
    return S_OK;
}

HRESULT endpoint_read(const struct doc *doc, bool complete,
                      struct endpoint *endpoint, struct hcs_error *error) {
    struct doc dns;
    HRESULT hr = keep_text(doc, "Name", DEFAULT_NAME, &endpoint->arena,
                           &endpoint->name, error);

    if (SUCCEEDED(hr))
        hr = keep_text(doc, "Owner", "", &endpoint->arena, &endpoint->owner,
                       error);
    if (SUCCEEDED(hr))
        hr = doc_u32(doc, "Flags", &endpoint->flags, error);
    if (SUCCEEDED(hr))
        hr = read_mac(doc, endpoint, error);
    if (SUCCEEDED(hr))
        hr = read_addresses(doc, complete, endpoint, error);
    if (SUCCEEDED(hr))
        hr = line_up(endpoint, error);
    if (SUCCEEDED(hr))
        hr = read_routes(doc, complete, endpoint, error);
    if (SUCCEEDED(hr))
        hr = doc_object(doc, "Dns", &dns, error);
    if (SUCCEEDED(hr))
        hr = dns_read(&dns, &endpoint->dns, error);
    return hr;
}
