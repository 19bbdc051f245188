/* SPDX-License-Identifier: MIT
 * What a rule is about, as the packet filter wants it: lists without overlaps,
 * and one rule for each family of addresses. */
#include <string.h>

#include "inside.h"

/* Protocols with ports. */
static const uint8_t with_ports[] = {6, 17, 33, 132, 136};

static bool covers(const struct ip_prefix *a, const struct ip_prefix *b) {
    return a->address.family == b->address.family && a->length <= b->length &&
           ip_prefix_contains(a, &b->address);
}

/* Whether another of the list says the same or more; of two that are the same
 * the first stays. */
static bool is_covered(const struct plane_addresses *list, size_t which) {
    const struct ip_prefix *one = &list->items[which];

    for (size_t i = 0; i < list->count; i++) {
        const struct ip_prefix *other = &list->items[i];
        if (i != which && covers(other, one) &&
            (other->length < one->length || i < which))
            return true;
    }
    return false;
}

/* A list of one is written without its braces: sets cost all who have rules
 * time (rules_guard.c). Returns what close_list takes. */
static size_t open_list(struct buf *out) {
    buf_puts(out, "{ ");
    return out->length;
}

static void close_list(struct buf *out, size_t opened, size_t written) {
    if (written != 1)
        buf_puts(out, " }");
    else if (!out->failed)
        memcpy(out->data + opened - 2, "  ", 2);
}

bool rules_addresses(const char *what, const struct plane_addresses *list,
                     uint8_t family, bool not_these, struct buf *out) {
    size_t start = out->length, written = 0, brace;
    bool all = false;

    buf_printf(out, " %s %s %s", family == IP_V4 ? "ip" : "ip6", what,
               not_these ? "!= " : "");
    brace = open_list(out);
    for (size_t i = 0; i < list->count; i++) {
        struct ip_prefix one = list->items[i];
        char text[IP_PREFIX_SIZE];

        if (one.address.family != family || is_covered(list, i))
            continue;
        all = all || one.length == 0;
        ip_prefix_align(&one);
        ip_prefix_format(&one, text);
        buf_printf(out, "%s%s", written++ ? ", " : "", text);
    }
    close_list(out, brace, written);
    if ((written == 0 || all) && !out->failed) {
        out->length = start;
        out->data[start] = '\0';
    }
    if (not_these)
        return !all;
    return written > 0 || list->count == 0;
}

/* Ranges that are in no order and may overlap, as ones that do not. */
static void put_ports(const char *what, const struct plane_ports *list,
                      struct buf *out) {
    uint32_t from = 0;
    size_t written = 0, brace;

    if (list->count == 0)
        return;
    buf_printf(out, " th %s ", what);
    brace = open_list(out);
    while (from <= UINT16_MAX) {
        uint32_t low = UINT32_MAX, high = 0;

        for (size_t i = 0; i < list->count; i++) {
            uint32_t start = list->items[i].first;
            if (list->items[i].last < from)
                continue;
            start = start < from ? from : start;
            low = start < low ? start : low;
        }
        if (low > UINT16_MAX)
            break;
        high = low;
        for (bool grown = true; grown;) {
            grown = false;
            for (size_t i = 0; i < list->count; i++)
                if (list->items[i].first <= high + 1 &&
                    list->items[i].last > high) {
                    high = list->items[i].last;
                    grown = true;
                }
        }
        buf_printf(out, "%s%u", written++ ? ", " : "", low);
        if (high > low)
            buf_printf(out, "-%u", high);
        from = high + 1;
    }
    close_list(out, brace, written);
}

static bool has_ports(uint8_t protocol) {
    return memchr(with_ports, protocol, sizeof with_ports) != NULL;
}

/* False: a rule about ports of protocols that have none. */
static bool put_protocols(const struct plane_tuple *tuple, struct buf *out) {
    bool ports = tuple->local_ports.count + tuple->remote_ports.count > 0;
    const uint8_t *items = tuple->protocols.items;
    size_t count = tuple->protocols.count, written = 0, brace;

    if (count == 0 && !ports)
        return true;
    if (count == 0) {
        items = with_ports;
        count = sizeof with_ports;
    }
    buf_puts(out, " meta l4proto ");
    brace = open_list(out);
    for (size_t i = 0; i < count; i++)
        if ((!ports || has_ports(items[i])) &&
            (i == 0 || !memchr(items, items[i], i)))
            buf_printf(out, "%s%u", written++ ? ", " : "", items[i]);
    close_list(out, brace, written);
    return written > 0;
}

/* The rule for one family, or with IP_NONE for both. */
static void put_rule(const char *chain, const struct plane_tuple *tuple,
                     enum plane_direction direction, uint8_t family,
                     const char *verdict, struct buf *out) {
    bool in = direction == PLANE_IN;
    size_t start = out->length;
    bool good = true;

    buf_printf(out, "add rule inet hcn %s", chain);
    if (family != IP_NONE) {
        buf_printf(out, " meta nfproto %s", family == IP_V4 ? "ipv4" : "ipv6");
        good = rules_addresses(in ? "daddr" : "saddr", &tuple->local, family,
                               false, out) &&
               rules_addresses(in ? "saddr" : "daddr", &tuple->remote, family,
                               false, out);
    }
    good = good && put_protocols(tuple, out);
    put_ports(in ? "dport" : "sport", &tuple->local_ports, out);
    put_ports(in ? "sport" : "dport", &tuple->remote_ports, out);
    buf_printf(out, " %s\n", verdict);
    if (!good && !out->failed) {
        out->length = start;
        out->data[start] = '\0';
    }
}

void rules_tuple(const char *chain, const struct plane_tuple *tuple,
                 enum plane_direction direction, const char *verdict,
                 struct buf *out) {
    if (tuple->never)
        return;
    if (tuple->local.count + tuple->remote.count == 0) {
        put_rule(chain, tuple, direction, IP_NONE, verdict, out);
        return;
    }
    put_rule(chain, tuple, direction, IP_V4, verdict, out);
    put_rule(chain, tuple, direction, IP_V6, verdict, out);
}
