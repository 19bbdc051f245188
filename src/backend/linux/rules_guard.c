/* SPDX-License-Identifier: MIT
 * Who the sender of a packet that comes in at an endpoint's port may be.
 * Without sets of its own: each transaction reads all sets there are, so one
 * for each endpoint would cost all others time. */
#include <stdio.h>

#include "inside.h"

static void put_rule(const struct endpoint *endpoint, struct buf *out,
                     const char *what, const char *verdict) {
    buf_printf(out, "add rule bridge hcn e%ug %s %s\n", endpoint->serial, what,
               verdict);
}

/* Those addresses of the family, and no others. */
static void put_sources(const struct endpoint *endpoint, struct buf *out,
                        const char *type, const char *what, uint8_t family,
                        const char *drop) {
    char match[64], text[IP_TEXT_SIZE];

    for (size_t i = 0; i < endpoint->address_count; i++) {
        const struct ip_address *one = &endpoint->addresses[i].address;
        if (one->family != family)
            continue;
        ip_format(one, text);
        snprintf(match, sizeof match, "%s %s", what, text);
        put_rule(endpoint, out, match, "return");
    }
    snprintf(match, sizeof match, "ether type %s", type);
    put_rule(endpoint, out, match, drop);
}

void rules_guard(const struct endpoint *endpoint, struct buf *out) {
    const uint8_t *mac = endpoint->mac.bytes;
    char match[64], drop[48], text[MAC_TEXT_SIZE];

    snprintf(drop, sizeof drop, "counter name \"e%ug\" drop", endpoint->serial);
    snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
             mac[2], mac[3], mac[4], mac[5]);
    snprintf(match, sizeof match, "ether saddr != %s", text);
    put_rule(endpoint, out, match, drop);
    snprintf(match, sizeof match, "arp saddr ether != %s", text);
    put_rule(endpoint, out, match, drop);
    put_rule(endpoint, out, "ether type 0x8100", drop);
    put_rule(endpoint, out, "ether type 0x88a8", drop);
    if (endpoint->address_count == 0)
        return; /* it has one that we do not know */
    put_rule(endpoint, out, "arp saddr ip 0.0.0.0", "return");
    put_sources(endpoint, out, "arp", "arp saddr ip", IP_V4, drop);
    put_rule(endpoint, out, "ip saddr 0.0.0.0", "return");
    put_sources(endpoint, out, "ip", "ip saddr", IP_V4, drop);
    put_rule(endpoint, out, "ip6 saddr ::", "return");
    put_rule(endpoint, out, "ip6 saddr fe80::/10", "return");
    put_sources(endpoint, out, "ip6", "ip6 saddr", IP_V6, drop);
}
