/* SPDX-License-Identifier: MIT
 * Subnets that come and go: a new part, with copies of those that stay. */
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "subnet_reading.h"

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
    return subnets_make_room(reading->out, old->count + more, error);
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
        hr = subnets_line_up(reading->out, error);
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
    hr = subnet_read_prefix(object, HCN_E_INVALID_SUBNET, &written, error);
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
        hr = subnets_too_many(&array, HCN_E_INVALID_SUBNET, error);
    if (FAILED(hr))
        return hr;
    hr = begin(&reading, net, network, count, error);
    for (size_t i = 0; SUCCEEDED(hr) && i < old->count; i++)
        hr = copy_subnet(&reading, &old->items[i], 0, error);
    if (SUCCEEDED(hr) && reading.out->ipam_count == 0)
        reading.out->ipam_count = 1;
    if (SUCCEEDED(hr))
        hr = change == CHANGE_ADD
                 ? subnets_read_array(&reading, &array, count,
                                      (unsigned)reading.out->ipam_count - 1,
                                      error)
                 : take_out(&reading, &array, count, error);
    return finish(&reading, network, hr, out, error);
}

/* --- changes of pools ---------------------------------------------- */

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
                 ? subnet_read_pools(&reading, subnet, &array, count, error)
                 : take_pools_out(subnet, &array, count, error);
    }
    return finish(&reading, network, hr, out, error);
}
