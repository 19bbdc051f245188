/* SPDX-License-Identifier: MIT
 * Lists of addresses, ports and protocols, and the sets that they may name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy.h"

#define MOST_ADDRESSES 65536 /* of one list, its sets included */
#define ANY_PROTOCOL 256

/* --- items of a text ----------------------------------------------- */

bool list_next(const char **list, const char **start, size_t *length) {
    const char *c = *list;

    for (;;) {
        c += strspn(c, " \t,");
        if (*c == '\0')
            return false;
        *start = c;
        *length = strcspn(c, ",");
        c += *length;
        while (*length > 0 &&
               ((*start)[*length - 1] == ' ' || (*start)[*length - 1] == '\t'))
            --*length;
        *list = c;
        return true;
    }
}

static size_t count_items(const char *list) {
    const char *start;
    size_t length, count = 0;
    while (list_next(&list, &start, &length))
        count++;
    return count;
}

HRESULT list_bad_item(const struct doc *place, const char *start, size_t length,
                      const char *wanted, struct hcs_error *error) {
    return doc_fail(place, HCN_E_INVALID_POLICY, error, "\"%.*s\" is not %s",
                    (int)(length < 80 ? length : 80), start, wanted);
}

/* --- addresses ----------------------------------------------------- */

struct addresses {
    struct ip_prefix *items;
    size_t count, capacity;
};

static bool make_room(struct addresses *list, size_t more) {
    size_t capacity = list->capacity ? list->capacity : 8;
    struct ip_prefix *items;

    if (list->count + more <= list->capacity)
        return true;
    while (capacity < list->count + more)
        capacity *= 2;
    items = realloc(list->items, capacity * sizeof *items);
    if (!items)
        return false;
    list->items = items;
    list->capacity = capacity;
    return true;
}

static bool one_address(const char *start, size_t length,
                        struct ip_prefix *out) {
    char text[IP_PREFIX_SIZE];

    if (length >= sizeof text)
        return false;
    memcpy(text, start, length);
    text[length] = '\0';
    if (ip_prefix_parse(text, out))
        return ip_prefix_aligned(out);
    if (!ip_parse(text, &out->address))
        return false;
    out->length = (uint8_t)ip_bits(&out->address);
    return true;
}

/* `sets`: where names of sets are looked up; NULL: none may be named. */
static HRESULT add_address(struct addresses *list, const struct policies *sets,
                           const struct doc *place, const char *start,
                           size_t length, struct hcs_error *error) {
    const struct address_set *set = set_find(sets, start, length);
    struct plane_addresses more = {.count = 1};
    struct ip_prefix one;

    if (set)
        more = set->addresses;
    else if (one_address(start, length, &one))
        more.items = &one;
    else
        return list_bad_item(
            place, start, length,
            "an address, or a prefix without bits past its length", error);
    if (more.count == 0)
        return S_OK;
    if (more.count > MOST_ADDRESSES - list->count)
        return doc_fail(place, HCN_E_INVALID_POLICY, error,
                        "these are more than %d addresses", MOST_ADDRESSES);
    if (!make_room(list, more.count))
        return out_of_memory(error);
    memcpy(list->items + list->count, more.items,
           more.count * sizeof *more.items);
    list->count += more.count;
    return S_OK;
}

static HRESULT add_list(struct addresses *list, const struct policies *sets,
                        const struct doc *place, const char *text,
                        struct hcs_error *error) {
    const char *start;
    size_t length;
    HRESULT hr = S_OK;

    while (SUCCEEDED(hr) && list_next(&text, &start, &length))
        hr = add_address(list, sets, place, start, length, error);
    return hr;
}

/* Moves a list to where the policies are kept. */
static HRESULT keep(struct compiler *compiler, struct addresses *list,
                    struct plane_addresses *out, struct hcs_error *error) {
    size_t size = list->count * sizeof *list->items;
    struct ip_prefix *items = NULL;

    if (size > 0) {
        items = arena_alloc(&compiler->out->arena, size);
        if (!items)
            return out_of_memory(error);
        memcpy(items, list->items, size);
    }
    *out = (struct plane_addresses){items, list->count};
    return S_OK;
}

/* A network's own policies name its own sets. */
static const struct policies *sets_of(const struct compiler *compiler) {
    return compiler->context->object == POLICY_NETWORK
               ? compiler->out
               : compiler->context->network;
}

HRESULT addresses_read(struct compiler *compiler, const struct doc *settings,
                       const char *name, bool sets, struct plane_addresses *out,
                       bool *never, struct hcs_error *error) {
    struct doc place = doc_get(settings, name);
    struct addresses list = {0};
    const char *text = "";
    HRESULT hr = doc_text(settings, name, &text, error);

    if (FAILED(hr))
        return hr;
    hr = add_list(&list, sets ? sets_of(compiler) : NULL, &place, text, error);
    if (SUCCEEDED(hr))
        hr = keep(compiler, &list, out, error);
    if (SUCCEEDED(hr) && never && list.count == 0 && count_items(text) > 0)
        *never = true;
    free(list.items);
    return hr;
}

HRESULT address_items_read(struct compiler *compiler,
                           const struct doc *settings, const char *name,
                           struct plane_addresses *out,
                           struct hcs_error *error) {
    struct addresses list = {0};
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(settings, name, &array, &count, error);

    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        struct doc item = doc_item(&array, i);
        const char *text = "";
        hr = doc_item_text(&array, i, &text, error);
        if (SUCCEEDED(hr))
            hr = add_list(&list, NULL, &item, text, error);
    }
    if (SUCCEEDED(hr))
        hr = keep(compiler, &list, out, error);
    free(list.items);
    return hr;
}

/* --- ports and protocols ------------------------------------------- */

static bool number(const char *start, size_t length, unsigned most,
                   unsigned *out) {
    unsigned value = 0;

    if (length == 0 || length > 5)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (start[i] < '0' || start[i] > '9')
            return false;
        value = value * 10 + (unsigned)(start[i] - '0');
    }
    *out = value;
    return value <= most;
}

static bool one_range(const char *start, size_t length,
                      struct plane_port_range *out) {
    const char *dash = memchr(start, '-', length);
    size_t head = dash ? (size_t)(dash - start) : length;
    unsigned first, last;

    if (!number(start, head, UINT16_MAX, &first))
        return false;
    last = first;
    if (dash && !number(dash + 1, length - head - 1, UINT16_MAX, &last))
        return false;
    *out = (struct plane_port_range){(uint16_t)first, (uint16_t)last};
    return first <= last;
}

static HRESULT add_ports(const struct doc *place, const char *text,
                         struct plane_port_range *items, size_t *count,
                         struct hcs_error *error) {
    const char *start;
    size_t length;

    while (list_next(&text, &start, &length))
        if (!one_range(start, length, &items[(*count)++]))
            return list_bad_item(place, start, length,
                                 "a port or a range of ports", error);
    return S_OK;
}

HRESULT ports_read(struct compiler *compiler, const struct doc *settings,
                   const char *name, struct plane_ports *out,
                   struct hcs_error *error) {
    struct doc place = doc_get(settings, name);
    struct plane_port_range *items;
    const char *text = "";
    size_t count;
    HRESULT hr = doc_text(settings, name, &text, error);

    if (FAILED(hr) || (count = count_items(text)) == 0)
        return hr;
    items = arena_alloc(&compiler->out->arena, count * sizeof *items);
    if (!items)
        return out_of_memory(error);
    out->items = items;
    return add_ports(&place, text, items, &out->count, error);
}

HRESULT port_items_read(struct compiler *compiler, const struct doc *settings,
                        const char *name, struct plane_ports *out,
                        struct hcs_error *error) {
    struct plane_port_range *items;
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(settings, name, &array, &count, error);

    if (FAILED(hr) || count == 0)
        return hr;
    items = arena_alloc(&compiler->out->arena, count * sizeof *items);
    if (!items)
        return out_of_memory(error);
    out->items = items;
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        struct doc item = doc_item(&array, i);
        const char *text = "";
        hr = doc_item_text(&array, i, &text, error);
        if (SUCCEEDED(hr) && !one_range(text, strlen(text), &items[i]))
            hr = list_bad_item(&item, text, strlen(text),
                               "a port or a range of ports", error);
        out->count = i + 1;
    }
    return hr;
}

HRESULT port_text_read(const struct doc *settings, const char *name,
                       uint16_t *out, struct hcs_error *error) {
    struct doc place = doc_get(settings, name);
    const char *text = "";
    unsigned port;
    HRESULT hr = doc_text(settings, name, &text, error);

    if (FAILED(hr) || *text == '\0')
        return hr;
    if (!number(text, strlen(text), UINT16_MAX, &port) || port == 0)
        return list_bad_item(&place, text, strlen(text), "a port", error);
    *out = (uint16_t)port;
    return S_OK;
}

HRESULT prefix_read(const struct doc *settings, const char *name,
                    struct ip_prefix *out, struct hcs_error *error) {
    struct doc place = doc_get(settings, name);
    const char *text = "";
    HRESULT hr = doc_text(settings, name, &text, error);

    if (SUCCEEDED(hr) && !ip_prefix_parse(text, out))
        hr = list_bad_item(place.value ? &place : settings, text, strlen(text),
                           "a prefix", error);
    return hr;
}

static HRESULT protocols_read(struct compiler *compiler,
                              const struct doc *settings,
                              struct plane_protocols *out,
                              struct hcs_error *error) {
    struct doc place = doc_get(settings, "Protocols");
    const char *text = "", *start;
    size_t length, count;
    bool any = false;
    uint8_t *items;
    HRESULT hr = doc_text(settings, "Protocols", &text, error);

    if (FAILED(hr) || (count = count_items(text)) == 0)
        return hr;
    items = arena_alloc(&compiler->out->arena, count);
    if (!items)
        return out_of_memory(error);
    for (count = 0; list_next(&text, &start, &length);) {
        unsigned value;
        if (!number(start, length, ANY_PROTOCOL, &value))
            return list_bad_item(&place, start, length,
                                 "the number of a protocol", error);
        any = any || value == ANY_PROTOCOL;
        items[count++] = (uint8_t)value;
    }
    *out = (struct plane_protocols){items, any ? 0 : count};
    return S_OK;
}

HRESULT tuple_read(struct compiler *compiler, const struct doc *settings,
                   struct plane_tuple *out, struct hcs_error *error) {
    HRESULT hr = protocols_read(compiler, settings, &out->protocols, error);

    if (SUCCEEDED(hr))
        hr = addresses_read(compiler, settings, "LocalAddresses", true,
                            &out->local, &out->never, error);
    if (SUCCEEDED(hr))
        hr = addresses_read(compiler, settings, "RemoteAddresses", true,
                            &out->remote, &out->never, error);
    if (SUCCEEDED(hr))
        hr = ports_read(compiler, settings, "LocalPorts", &out->local_ports,
                        error);
    if (SUCCEEDED(hr))
        hr = ports_read(compiler, settings, "RemotePorts", &out->remote_ports,
                        error);
    return hr;
}
