/* SPDX-License-Identifier: MIT
 * What an endpoint puts in the tables. For each direction (i: toward it, o) it
 * has a chain that lets answers through, and then has its network's rules and
 * its own; with tiers these are chains of their own (t0, t1 …, n, a). Chains
 * are gone to, not jumped to, so that "return" anywhere in them ends them all
 * and lets the packet on. There are no more chains than that: each transaction
 * reads all there are.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../../base/hresult_hcn.h"
#include "inside.h"

struct writer {
    const struct plane_endpoint *told;
    const struct endpoint *endpoint;
    struct terms *now;
    struct buf *out;
    unsigned n;
};

static char letter(enum plane_direction direction) {
    return direction == PLANE_IN ? 'i' : 'o';
}

/* --- rules ------------------------------------------------------------- */

static unsigned count_tiers(const struct plane_endpoint *told,
                            enum plane_direction direction) {
    unsigned count = 0;

    for (size_t i = 0; i < told->tier_count; i++)
        count += told->tiers[i].direction == direction;
    return count;
}

/* Where tier `k` goes on to. */
static void after_tier(char out[16], char d, unsigned k, unsigned count) {
    if (k < count)
        snprintf(out, 16, "%ct%u", d, k);
    else
        snprintf(out, 16, "%cn", d);
}

static void put_tier(const struct writer *w, const struct plane_tier *tier,
                     unsigned k, unsigned count) {
    char chain[40], verdict[64], next[16], d = letter(tier->direction);

    after_tier(next, d, k + 1, count);
    snprintf(chain, sizeof chain, "e%u%ct%u", w->n, d, k);
    for (size_t i = 0; i < tier->rule_count; i++) {
        const struct plane_tier_rule *rule = &tier->rules[i];

        if (rule->action == PLANE_ALLOW)
            snprintf(verdict, sizeof verdict, "goto e%u%ca", w->n, d);
        else if (rule->action == PLANE_BLOCK)
            snprintf(verdict, sizeof verdict, "counter name \"e%u%c\" drop",
                     w->n, d);
        else
            snprintf(verdict, sizeof verdict, "goto e%u%s", w->n, next);
        rules_tuple(chain, &rule->tuple, tier->direction, verdict, w->out);
    }
    buf_printf(w->out, "add rule inet hcn %s goto e%u%s\n", chain, w->n, next);
}

static void put_acls(const struct writer *w, const char *chain,
                     enum plane_direction direction) {
    char drop[48], d = letter(direction);
    bool on_switch = false;

    snprintf(drop, sizeof drop, "counter name \"e%u%c\" drop", w->n, d);
    for (size_t i = 0; i < w->told->acl_count; i++) {
        const struct plane_acl *acl = &w->told->acls[i];
        if (acl->direction != direction)
            continue;
        on_switch = on_switch || acl->on_switch;
        rules_tuple(chain, &acl->tuple, direction,
                    acl->action == PLANE_ALLOW ? "return" : drop, w->out);
    }
    if (on_switch)
        buf_printf(w->out, "add rule inet hcn %s %s\n", chain, drop);
}

/* What the network refuses. */
static void put_network(const struct writer *w, const char *chain,
                        enum plane_direction direction) {
    buf_printf(w->out,
               "add rule inet hcn %s jump n%u%s\n"
               "add rule inet hcn %s meta mark " RULES_MARK
               " counter name \"e%u%c\" drop\n",
               chain, w->endpoint->network->serial,
               direction == PLANE_IN ? "in" : "out", chain, w->n,
               letter(direction));
}

static void put_tiers(const struct writer *w, enum plane_direction direction,
                      unsigned count) {
    char chain[32], d = letter(direction);
    unsigned k = 0;

    buf_printf(w->out, "add rule inet hcn e%u%c goto e%u%ct0\n", w->n, d, w->n,
               d);
    for (size_t i = 0; i < w->told->tier_count; i++)
        if (w->told->tiers[i].direction == direction)
            put_tier(w, &w->told->tiers[i], k++, count);
    snprintf(chain, sizeof chain, "e%u%cn", w->n, d);
    put_network(w, chain, direction);
    buf_printf(w->out, "add rule inet hcn %s goto e%u%ca\n", chain, w->n, d);
    snprintf(chain, sizeof chain, "e%u%ca", w->n, d);
    put_acls(w, chain, direction);
}

static void put_direction(const struct writer *w,
                          enum plane_direction direction) {
    unsigned count = w->now->layout.tiers[direction];
    char chain[32];

    snprintf(chain, sizeof chain, "e%u%c", w->n, letter(direction));
    buf_printf(w->out,
               "add rule inet hcn %s ct direction reply ct state established "
               "return\n"
               "add rule inet hcn %s ct state related return\n",
               chain, chain);
    if (count > 0) {
        put_tiers(w, direction, count);
    } else {
        put_network(w, chain, direction);
        put_acls(w, chain, direction);
    }
}

/* --- translation ------------------------------------------------------- */

static void put_nat(const struct writer *w,
                    const struct plane_outbound_nat *nat, uint8_t family) {
    struct buf *out = w->out;
    size_t start = out->length;
    char text[IP_TEXT_SIZE];

    if (nat->exceptions.count > 0) {
        buf_printf(out, "add rule inet hcn e%ux meta nfproto %s", w->n,
                   family == IP_V4 ? "ipv4" : "ipv6");
        if (rules_addresses("daddr", &nat->exceptions, family, false, out)) {
            buf_puts(out, " accept\n");
        } else if (!out->failed) {
            out->length = start;
            out->data[start] = '\0';
        }
    }
    if (nat->address.family != IP_NONE && nat->address.family != family)
        return;
    start = out->length;
    buf_printf(out, "add rule inet hcn e%ux meta nfproto %s oifname != \"%s\"",
               w->n, family == IP_V4 ? "ipv4" : "ipv6",
               w->endpoint->network->bridge.name);
    if (!rules_addresses("daddr", &nat->destinations, family, false, out)) {
        if (!out->failed) {
            out->length = start;
            out->data[start] = '\0';
        }
    } else if (nat->address.family == IP_NONE) {
        buf_puts(out, " masquerade\n");
    } else {
        ip_format(&nat->address, text);
        buf_printf(out, " snat %s to %s\n", family == IP_V4 ? "ip" : "ip6",
                   text);
    }
}

/* --- mapped ports ------------------------------------------------------ */

static const struct ip_address *address_of(const struct endpoint *endpoint,
                                           uint8_t family) {
    for (size_t i = 0; i < endpoint->address_count; i++)
        if (endpoint->addresses[i].address.family == family)
            return &endpoint->addresses[i].address;
    return NULL;
}

/* Into the map, and out of it in the text that undoes it. */
static void put_element(const struct writer *w, const char *map,
                        const char *key, const char *value) {
    buf_printf(w->out, "add element inet hcn %s { %s : %s }\n", map, key,
               value);
    buf_printf(&w->now->undo, "delete element inet hcn %s { %s }\n", map, key);
}

static bool put_mapping(const struct writer *w, const struct plane_mapping *m,
                        uint8_t family) {
    const struct ip_address *to = address_of(w->endpoint, family);
    char vip[IP_TEXT_SIZE + 3] = "", text[IP_TEXT_SIZE];
    char key[96], value[72], map[16];

    if (!to)
        return false;
    if (m->address.family != IP_NONE) {
        ip_format(&m->address, text);
        snprintf(vip, sizeof vip, "%s . ", text);
    }
    ip_format(to, text);
    snprintf(map, sizeof map, "%sports%d", *vip ? "v" : "",
             family == IP_V4 ? 4 : 6);
    snprintf(key, sizeof key, "%s%u . %u", vip, m->protocol, m->external);
    snprintf(value, sizeof value, "%s . %u", text, m->internal);
    put_element(w, map, key, value);
    return true;
}

static HRESULT put_mappings(const struct writer *w, struct hcs_error *error) {
    for (size_t i = 0; i < w->told->mapping_count; i++) {
        const struct plane_mapping *m = &w->told->mappings[i];
        uint8_t only = m->address.family;
        bool any = false;

        if (!(m->flags & PLANE_NAT_IPV6) && only != IP_V6)
            any = put_mapping(w, m, IP_V4);
        if (only != IP_V4)
            any = put_mapping(w, m, IP_V6) || any;
        if (!any)
            return error_set(error, HCN_E_INVALID_POLICY, NULL,
                             "port %u is mapped to an endpoint without an "
                             "address of that family",
                             m->external);
    }
    return S_OK;
}

/* --- the whole --------------------------------------------------------- */

static void put_chain(const struct writer *w, const char *verb,
                      const char *name) {
    buf_printf(w->out, "%s chain inet hcn e%u%s\n", verb, w->n, name);
}

/* The chains of one direction. */
static void put_way(const struct writer *w, const char *verb, char d,
                    unsigned tiers, unsigned other_tiers, bool other) {
    char name[16];

    snprintf(name, sizeof name, "%c", d);
    if (!other)
        put_chain(w, verb, name);
    for (unsigned k = other_tiers; k < tiers; k++) {
        snprintf(name, sizeof name, "%ct%u", d, k);
        put_chain(w, verb, name);
    }
    if (tiers == 0 || other_tiers > 0)
        return;
    snprintf(name, sizeof name, "%cn", d);
    put_chain(w, verb, name);
    snprintf(name, sizeof name, "%ca", d);
    put_chain(w, verb, name);
}

/* Those of the layout that `other` (may be NULL) has not. */
static void put_chains(const struct writer *w, const char *verb,
                       const struct layout *layout,
                       const struct layout *other) {
    for (int d = 0; d < 2; d++)
        put_way(w, verb, letter((enum plane_direction)d), layout->tiers[d],
                other ? other->tiers[d] : 0, other != NULL);
    if (layout->nat && !(other && other->nat))
        put_chain(w, verb, "x");
    if (!other)
        buf_printf(w->out, "%s chain bridge hcn e%ug\n", verb, w->n);
}

static void put_counters(const struct writer *w, const char *verb) {
    buf_printf(w->out,
               "%s counter inet hcn e%ui\n"
               "%s counter inet hcn e%uo\n"
               "%s counter bridge hcn e%ug\n",
               verb, w->n, verb, w->n, verb, w->n);
}

/* The ways in: by the endpoint's addresses and by its port. */
static void put_ways(const struct writer *w) {
    const char *bridge = w->endpoint->network->bridge.name;

    for (size_t i = 0; i < w->endpoint->address_count; i++) {
        const struct ip_address *one = &w->endpoint->addresses[i].address;
        int v = one->family == IP_V4 ? 4 : 6;
        char text[IP_TEXT_SIZE], map[16], key[80], to[24];

        ip_format(one, text);
        snprintf(key, sizeof key, "\"%s\" . %s", bridge, text);
        snprintf(map, sizeof map, "leaves%d", v);
        snprintf(to, sizeof to, "jump e%uo", w->n);
        put_element(w, map, key, to);
        snprintf(map, sizeof map, "arrives%d", v);
        snprintf(to, sizeof to, "jump e%ui", w->n);
        put_element(w, map, key, to);
        snprintf(map, sizeof map, "nats%d", v);
        snprintf(to, sizeof to, "jump e%ux", w->n);
        /* Others may have the same addresses, and nobody's leave them. */
        if (w->told->nat_count > 0 && w->endpoint->network->host)
            put_element(w, map, text, to);
    }
    buf_printf(w->out,
               "add element bridge hcn guards { \"hp%u\" : jump e%ug }\n", w->n,
               w->n);
    buf_printf(&w->now->undo, "delete element bridge hcn guards { \"hp%u\" }\n",
               w->n);
}

static void put_end(const struct writer *w) {
    struct writer end = *w;
    struct terms *now = w->now;

    end.out = &now->end;
    buf_puts(&now->end, now->undo.data ? now->undo.data : "");
    put_chains(&end, "flush", &now->layout, NULL);
    put_chains(&end, "delete", &now->layout, NULL);
    put_counters(&end, "delete");
}

HRESULT rules_endpoint(const struct plane_endpoint *told,
                       const struct endpoint *endpoint,
                       const struct terms *before, struct terms *now,
                       struct buf *out, struct hcs_error *error) {
    struct writer w = {told, endpoint, now, out, endpoint->serial};
    HRESULT hr;

    if (endpoint->address_count == 0 &&
        told->acl_count + told->tier_count + told->nat_count > 0)
        return error_set(error, HCN_E_REQUEST_UNSUPPORTED, NULL,
                         "rules for an endpoint without a known address");
    for (int d = 0; d < 2; d++)
        now->layout.tiers[d] = count_tiers(told, (enum plane_direction)d);
    now->layout.nat = told->nat_count > 0;
    if (before) {
        buf_puts(out, before->undo.data ? before->undo.data : "");
        put_chains(&w, "flush", &before->layout, NULL);
        put_chains(&w, "add", &now->layout, &before->layout);
    } else {
        put_counters(&w, "add");
        put_chains(&w, "add", &now->layout, NULL);
    }
    put_direction(&w, PLANE_IN);
    put_direction(&w, PLANE_OUT);
    for (size_t i = 0; i < told->nat_count; i++) {
        put_nat(&w, &told->nats[i], IP_V4);
        put_nat(&w, &told->nats[i], IP_V6);
    }
    rules_guard(endpoint, out);
    put_ways(&w);
    hr = put_mappings(&w, error);
    if (before)
        put_chains(&w, "delete", &before->layout, &now->layout);
    put_end(&w);
    if (SUCCEEDED(hr) && (out->failed || now->undo.failed || now->end.failed))
        hr = no_memory(error);
    return hr;
}
