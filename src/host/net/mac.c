/* SPDX-License-Identifier: MIT
 * The MAC addresses that a network gives out. */
#include "network.h"

/* Of Microsoft's block 00-15-5D a network takes 4096: one third octet and one
 * half of the fourth are its own. */
#define BLOCK UINT64_C(0x00155D000000)
#define SHARE 4096
#define TRIES 16

static HRESULT read_mac(const struct doc *range, const char *name,
                        uint64_t *out, struct hcs_error *error) {
    struct doc place = doc_get(range, name);
    struct mac_address mac;
    const char *text = "";
    HRESULT hr = doc_text(range, name, &text, error);

    if (FAILED(hr))
        return hr;
    if (!mac_parse(text, &mac) || !mac_is_adapter(&mac))
        return doc_fail(place.value ? &place : range, HCN_E_INVALID_NETWORK,
                        error,
                        "%s is \"%s\"; expected the MAC address of one adapter",
                        name, text);
    *out = mac_number(&mac);
    return S_OK;
}

/* Those between are of groups where the first octet counts up. */
static bool has_groups(const struct mac_range *range) {
    return range->first >> 40 != range->last >> 40;
}

static HRESULT read_range(const struct doc *place, struct mac_range *out,
                          struct hcs_error *error) {
    HRESULT hr = read_mac(place, "StartMacAddress", &out->first, error);

    if (SUCCEEDED(hr))
        hr = read_mac(place, "EndMacAddress", &out->last, error);
    if (SUCCEEDED(hr) && out->last < out->first)
        hr = doc_fail(place, HCN_E_INVALID_NETWORK, error,
                      "the range ends before it begins");
    if (SUCCEEDED(hr) && has_groups(out))
        hr = doc_fail(place, HCN_E_INVALID_NETWORK, error,
                      "the range has addresses of groups");
    out->hint = out->first;
    return hr;
}

static bool is_used(const struct net *net, const struct mac_range *range) {
    const struct link *head = &net->tables[NET_NETWORK].objects;

    for (struct link *l = head->next; l != head; l = l->next) {
        const struct network *other =
            network_of(HCS_CONTAINER(l, struct object, link));
        for (size_t i = 0; i < other->range_count; i++)
            if (other->ranges[i].first <= range->last &&
                range->first <= other->ranges[i].last)
                return true;
    }
    return false;
}

/* Networks are apart, so where many have been made two may share a range. */
static void choose(struct net *net, struct mac_range *out) {
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t share = net->env.random(net->env.context) % SHARE;
        out->first = BLOCK + share * SHARE;
        out->last = out->first + SHARE - 1;
        out->hint = out->first;
        if (!is_used(net, out))
            return;
    }
}

HRESULT mac_ranges_read(struct net *net, const struct doc *network,
                        struct network *out, struct hcs_error *error) {
    struct doc pool, array;
    size_t count = 0;
    HRESULT hr = doc_object(network, "MacPool", &pool, error);

    if (SUCCEEDED(hr))
        hr = doc_array(&pool, "Ranges", &array, &count, error);
    if (FAILED(hr))
        return hr;
    out->ranges = arena_alloc(&out->arena, (count + 1) * sizeof *out->ranges);
    if (!out->ranges)
        return out_of_memory(error);
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        struct doc item;
        hr = doc_item_object(&array, i, &item, error);
        if (SUCCEEDED(hr))
            hr = read_range(&item, &out->ranges[i], error);
    }
    out->range_count = count;
    if (count == 0) {
        choose(net, &out->ranges[0]);
        out->range_count = 1;
    }
    return hr;
}

HRESULT mac_take(struct network *network, struct mac_address *out,
                 struct hcs_error *error) {
    for (size_t i = 0; i < network->range_count; i++) {
        struct mac_range *range = &network->ranges[i];
        for (; range->hint <= range->last; range->hint++) {
            mac_from_number(range->hint, out);
            if (!index_find(&network->macs, out->bytes, sizeof out->bytes))
                return S_OK;
        }
    }
    return error_set(error, HCN_E_ADDR_INVALID_OR_RESERVED, "$.MacAddress",
                     "the network has no MAC address left");
}

void mac_give_back(struct network *network, const struct mac_address *mac) {
    uint64_t number = mac_number(mac);

    for (size_t i = 0; i < network->range_count; i++) {
        struct mac_range *range = &network->ranges[i];
        if (number >= range->first && number < range->hint)
            range->hint = number;
    }
}
