/* SPDX-License-Identifier: MIT
 * How much of everything there is, as the kernel counts it. */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "inside.h"
#include "service.h"

static size_t length_of(const struct link *list) {
    size_t count = 0;

    for (const struct link *l = list->next; l != list; l = l->next)
        count++;
    return count;
}

/* One with its other end in another namespace counts for both. */
static int count_link(void *context, const struct nlmsghdr *head) {
    const size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifinfomsg));
    const char *data = (const char *)head;
    struct linux_plane_counts *counts = context;
    struct ifinfomsg link;
    size_t length;

    if (head->nlmsg_type != RTM_NEWLINK || head->nlmsg_len < skip)
        return 0;
    memcpy(&link, data + NLMSG_HDRLEN, sizeof link);
    if (link.ifi_type == ARPHRD_LOOPBACK)
        return 0;
    counts->interfaces += 1;
    if (attribute_find(data + skip, head->nlmsg_len - skip, IFLA_LINK_NETNSID,
                       &length))
        counts->interfaces += 1;
    return 0;
}

static HRESULT count_links(struct plane *plane,
                           struct linux_plane_counts *counts,
                           struct hcs_error *error) {
    struct ifinfomsg head = {0};
    struct message m;
    int number;

    message_begin(&m, RTM_GETLINK, NLM_F_DUMP, &head, sizeof head);
    number = wire_dump(&plane->wire, &m, count_link, counts);
    if (number != 0)
        return wire_fail(&plane->wire, number, error, "the list of interfaces");
    counts->interfaces += uplink_interfaces(plane);
    return S_OK;
}

struct rule_count {
    const char *table; /* NULL: any */
    size_t count;
};

static int count_rule(void *context, const struct nlmsghdr *head) {
    const size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
    struct rule_count *rules = context;
    const char *name;
    size_t length;

    if ((head->nlmsg_type & 0xFF) != NFT_MSG_NEWRULE || head->nlmsg_len < skip)
        return 0;
    name = attribute_find((const char *)head + skip, head->nlmsg_len - skip,
                          NFTA_RULE_TABLE, &length);
    if (!rules->table ||
        (name && length > 0 && strncmp(name, rules->table, length) == 0))
        rules->count++;
    return 0;
}

/* Of the namespace that the crew is in. */
static HRESULT count_rules(const char *table, size_t *count,
                           struct hcs_error *error) {
    struct nfgenmsg head = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
    struct rule_count rules = {table, 0};
    struct wire wire = {.fd = -1};
    struct message m;
    int number;
    HRESULT hr = wire_open_to(&wire, NETLINK_NETFILTER, error);

    if (FAILED(hr))
        return hr;
    message_begin(&m, (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETRULE, NLM_F_DUMP,
                  &head, sizeof head);
    number = wire_dump(&wire, &m, count_rule, &rules);
    if (number != 0)
        hr = wire_fail(&wire, number, error, "the packet filter's rules");
    wire_close(&wire);
    *count += rules.count;
    return hr;
}

static HRESULT count_outside(struct plane *plane, size_t *count,
                             struct hcs_error *error) {
    char table[24];
    HRESULT hr, back;

    if (plane->cable.there == 0)
        return S_OK;
    hr = crew_enter(plane->outside, error);
    if (FAILED(hr))
        return hr;
    snprintf(table, sizeof table, "hcs%d", plane->cable.there);
    hr = count_rules(table, count, error);
    back = crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL);
    return FAILED(hr) ? hr : back;
}

HRESULT count_all(struct plane *plane, struct linux_plane_counts *out,
                  struct hcs_error *error) {
    HRESULT hr;

    memset(out, 0, sizeof *out);
    sweep_all(plane);
    out->networks = length_of(&plane->networks);
    out->endpoints = length_of(&plane->endpoints);
    out->namespaces = length_of(&plane->spaces);
    for (struct link *l = plane->endpoints.next; l != &plane->endpoints;
         l = l->next)
        out->ports += HCS_CONTAINER(l, struct endpoint, link)->port.there;
    for (struct link *l = plane->networks.next; l != &plane->networks;
         l = l->next) {
        const struct network *one = HCS_CONTAINER(l, struct network, link);
        out->processes += one->service && one->service->program.pid > 0;
    }
    hr = count_links(plane, out, error);
    if (SUCCEEDED(hr))
        hr = count_rules(NULL, &out->rules, error);
    if (SUCCEEDED(hr))
        hr = count_outside(plane, &out->rules, error);
    return hr;
}
