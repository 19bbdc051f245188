/* SPDX-License-Identifier: MIT
 * The tables of the plane, and what networks put in them.
 *
 * A packet meets: `guard` (as it enters a bridge: is the sender who it says),
 * `leave` (the sender's rules, before addresses are translated), `dstnat`,
 * `forward` (what networks keep from each other), `arrive` (the receiver's
 * rules), `srcnat`. Bridges hand their packets to all of these, so it makes no
 * difference whether the two are on one network. What answers a packet that
 * passed is let through.
 *
 * The tables have no owner: where machines keep the namespace of a plane that
 * died, its rules hold until another takes the machines over. */
#include <stdio.h>

#include "inside.h"

static const char base[] =
    "table inet hcn {\n"
    " map leaves4 { type ifname . ipv4_addr : verdict; }\n"
    " map leaves6 { type ifname . ipv6_addr : verdict; }\n"
    " map arrives4 { type ifname . ipv4_addr : verdict; }\n"
    " map arrives6 { type ifname . ipv6_addr : verdict; }\n"
    " map nats4 { type ipv4_addr : verdict; }\n"
    " map nats6 { type ipv6_addr : verdict; }\n"
    " map ports4 { type inet_proto . inet_service : "
    "ipv4_addr . inet_service; }\n"
    " map ports6 { type inet_proto . inet_service : "
    "ipv6_addr . inet_service; }\n"
    " map vports4 { type ipv4_addr . inet_proto . inet_service : "
    "ipv4_addr . inet_service; }\n"
    " map vports6 { type ipv6_addr . inet_proto . inet_service : "
    "ipv6_addr . inet_service; }\n"
    " map from { type ifname : verdict; }\n"
    " map to { type ifname : verdict; }\n"
    " set closed { type ifname; }\n"
    " chain early { type filter hook prerouting priority -310; policy accept;\n"
    "  iifname \"hb*\" ip daddr 127.0.0.0/8 drop;\n"
    "  iifname \"hb*\" ip saddr 127.0.0.0/8 drop;\n"
    " }\n"
    " chain leave { type filter hook prerouting priority -150; "
    "policy accept;\n"
    "  icmpv6 type { 133, 134, 135, 136, 137 } accept;\n"
    "  iifname \"hb*\" udp sport 68 udp dport 67 accept;\n"
    "  iifname . ip saddr vmap @leaves4;\n"
    "  iifname . ip6 saddr vmap @leaves6;\n"
    " }\n"
    " chain arrive { type filter hook postrouting priority 0; "
    "policy accept;\n"
    "  icmpv6 type { 133, 134, 135, 136, 137 } accept;\n"
    "  oifname \"hb*\" udp sport 67 udp dport 68 accept;\n"
    "  oifname . ip daddr vmap @arrives4;\n"
    "  oifname . ip6 daddr vmap @arrives6;\n"
    " }\n"
    " chain inward { type filter hook input priority 0; policy accept;\n"
    "  iifname @closed drop;\n"
    " }\n"
    " chain forward { type filter hook forward priority 0; policy accept;\n"
    "  iifname vmap @from;\n"
    "  oifname vmap @to;\n"
    " }\n"
    " chain mapped {\n"
    "  dnat ip to ip daddr . meta l4proto . th dport map @vports4;\n"
    "  dnat ip to meta l4proto . th dport map @ports4;\n"
    "  dnat ip6 to ip6 daddr . meta l4proto . th dport map @vports6;\n"
    "  dnat ip6 to meta l4proto . th dport map @ports6;\n"
    " }\n"
    " chain dstnat { type nat hook prerouting priority -100; policy accept;\n"
    "  fib daddr type local jump mapped;\n"
    " }\n"
    " chain ownnat { type nat hook output priority -100; policy accept;\n"
    "  fib daddr type local jump mapped;\n"
    " }\n"
    " chain translators { }\n"
    " chain srcnat { type nat hook postrouting priority 100; policy accept;\n"
    "  ip saddr vmap @nats4;\n"
    "  ip6 saddr vmap @nats6;\n"
    "  jump translators;\n"
    " }\n"
    "}\n"
    "table bridge hcn {\n"
    " map guards { type ifname : verdict; }\n"
    " chain guard { type filter hook prerouting priority -300; "
    "policy accept;\n"
    "  iifname vmap @guards;\n"
    " }\n"
    "}\n";

void rules_base(struct buf *out) {
    buf_puts(out, base);
}

static const char *family_name(const struct ip_prefix *prefix) {
    return prefix->address.family == IP_V4 ? "ip" : "ip6";
}

static const char *const chains[] = {"in", "out", "from", "to", "nat"};

/* The chains of one network, by its number. */
static void put_chains(unsigned n, bool fresh, struct buf *out) {
    for (size_t i = 0; i < HCS_COUNT(chains); i++)
        buf_printf(out, "%s chain inet hcn n%u%s\n", fresh ? "add" : "flush", n,
                   chains[i]);
}

static void put_acls(const struct plane_network *told, unsigned n,
                     enum plane_direction direction, struct buf *out) {
    bool on_switch = false;
    char chain[24];

    snprintf(chain, sizeof chain, "n%u%s", n,
             direction == PLANE_IN ? "in" : "out");
    for (size_t i = 0; i < told->acl_count; i++) {
        const struct plane_acl *acl = &told->acls[i];
        if (acl->direction != direction)
            continue;
        on_switch = on_switch || acl->on_switch;
        rules_tuple(chain, &acl->tuple, direction,
                    acl->action == PLANE_ALLOW ? "return" : RULES_REFUSE, out);
    }
    if (on_switch)
        buf_printf(out, "add rule inet hcn %s " RULES_REFUSE "\n", chain);
}

/* What is translated, and what comes back on its own way. */
static void put_nat(const struct plane_network *told,
                    const struct network *network, struct buf *out) {
    const char *bridge = network->bridge.name;
    unsigned n = network->serial;

    buf_printf(out,
               "add rule inet hcn n%unat ip saddr 127.0.0.0/8 "
               "oifname \"%s\" masquerade\n",
               n, bridge);
    for (size_t i = 0; i < told->subnet_count; i++) {
        const struct ip_prefix *prefix = &told->subnets[i].prefix;
        const char *family = family_name(prefix);
        char text[IP_PREFIX_SIZE];

        if (prefix->address.family == IP_NONE)
            continue;
        ip_prefix_format(prefix, text);
        buf_printf(out,
                   "add rule inet hcn n%unat %s saddr %s oifname \"%s\" "
                   "ct status dnat masquerade\n",
                   n, family, text, bridge);
        buf_printf(out,
                   "add rule inet hcn n%unat %s saddr %s oifname != \"%s\" "
                   "masquerade\n",
                   n, family, text, bridge);
    }
}

/* What is between this network and others. */
static void put_borders(const struct network *network, struct buf *out) {
    const char *bridge = network->bridge.name;
    unsigned n = network->serial;

    if (!network->nat)
        buf_printf(out, "add rule inet hcn n%ufrom oifname != \"%s\" drop\n", n,
                   bridge);
    buf_printf(out,
               "add rule inet hcn n%uto iifname != \"%s\" "
               "ct direction original%s drop\n",
               n, bridge, network->nat ? " ct status & dnat == 0" : "");
}

void rules_network(const struct plane_network *told,
                   const struct network *network, bool fresh, struct buf *out) {
    const char *bridge = network->bridge.name;
    unsigned n = network->serial;

    put_chains(n, fresh, out);
    put_acls(told, n, PLANE_IN, out);
    put_acls(told, n, PLANE_OUT, out);
    put_borders(network, out);
    if (network->nat)
        put_nat(told, network, out);
    if (!fresh)
        return;
    buf_printf(out, "add element inet hcn from { \"%s\" : jump n%ufrom }\n",
               bridge, n);
    buf_printf(out, "add element inet hcn to { \"%s\" : jump n%uto }\n", bridge,
               n);
    if (!network->host)
        buf_printf(out, "add element inet hcn closed { \"%s\" }\n", bridge);
    if (network->nat)
        buf_printf(out, "add rule inet hcn translators jump n%unat\n", n);
}

void rules_translators(const struct plane *plane, const struct network *without,
                       struct buf *out) {
    buf_puts(out, "flush chain inet hcn translators\n");
    for (struct link *l = plane->networks.next; l != &plane->networks;
         l = l->next) {
        const struct network *network = HCS_CONTAINER(l, struct network, link);
        if (network != without && network->nat)
            buf_printf(out, "add rule inet hcn translators jump n%unat\n",
                       network->serial);
    }
}

void rules_network_end(const struct network *network, struct buf *out) {
    const char *bridge = network->bridge.name;

    buf_printf(out, "delete element inet hcn from { \"%s\" }\n", bridge);
    buf_printf(out, "delete element inet hcn to { \"%s\" }\n", bridge);
    if (!network->host)
        buf_printf(out, "delete element inet hcn closed { \"%s\" }\n", bridge);
    for (size_t i = 0; i < HCS_COUNT(chains); i++)
        buf_printf(out, "flush chain inet hcn n%u%s\n", network->serial,
                   chains[i]);
    for (size_t i = 0; i < HCS_COUNT(chains); i++)
        buf_printf(out, "delete chain inet hcn n%u%s\n", network->serial,
                   chains[i]);
}
