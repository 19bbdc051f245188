/* SPDX-License-Identifier: MIT
 * Prefixes that nobody uses: neither the machine, by its addresses and routes,
 * nor the plane. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/random.h"
#include "inside.h"

/* Where to look for one of length 30: parts of prefixes that are meant for
 * links between providers and for measuring, which people seldom number their
 * networks from. */
static const struct ip_prefix places[] = {
    {{IP_V4, {100, 127, 0, 0}}, 16},
    {{IP_V4, {198, 18, 0, 0}}, 16},
    {{IP_V4, {10, 255, 0, 0}}, 16},
};
#define IN_ONE 16384u /* prefixes of length 30 in one of length 16 */
#define TRIES 4096u

struct used {
    struct ip_prefix *items;
    size_t count, room;
};

static int add(struct used *used, const void *bytes, uint8_t length) {
    if (used->count == used->room) {
        size_t room = used->room ? used->room * 2 : 64;
        struct ip_prefix *more = realloc(used->items, room * sizeof *more);

        if (!more)
            return ENOMEM;
        used->items = more;
        used->room = room;
    }
    memset(&used->items[used->count], 0, sizeof *used->items);
    used->items[used->count].address.family = IP_V4;
    memcpy(used->items[used->count].address.bytes, bytes, 4);
    used->items[used->count++].length = length;
    return 0;
}

static int add_route(void *context, const struct nlmsghdr *head) {
    const size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct rtmsg));
    const char *data = (const char *)head;
    struct rtmsg route;
    const void *to;
    size_t length;

    if (head->nlmsg_type != RTM_NEWROUTE || head->nlmsg_len < skip)
        return 0;
    memcpy(&route, data + NLMSG_HDRLEN, sizeof route);
    to = attribute_find(data + skip, head->nlmsg_len - skip, RTA_DST, &length);
    if (!to || length != 4 || route.rtm_dst_len == 0 || route.rtm_dst_len > 32)
        return 0; /* the way to everywhere is nobody's prefix */
    return add(context, to, route.rtm_dst_len);
}

static int add_address(void *context, const struct nlmsghdr *head) {
    const size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifaddrmsg));
    const char *data = (const char *)head;
    struct ifaddrmsg address;
    const void *own;
    size_t length;

    if (head->nlmsg_type != RTM_NEWADDR || head->nlmsg_len < skip)
        return 0;
    memcpy(&address, data + NLMSG_HDRLEN, sizeof address);
    own = attribute_find(data + skip, head->nlmsg_len - skip, IFA_ADDRESS,
                         &length);
    if (!own || length != 4 || address.ifa_prefixlen > 32)
        return 0;
    return add(context, own, address.ifa_prefixlen);
}

static HRESULT read_machine(struct wire *wire, struct used *used,
                            struct hcs_error *error) {
    struct rtmsg route = {.rtm_family = AF_INET};
    struct ifaddrmsg address = {.ifa_family = AF_INET};
    struct message m;
    int number;

    message_begin(&m, RTM_GETROUTE, NLM_F_DUMP, &route, sizeof route);
    number = wire_dump(wire, &m, add_route, used);
    if (number == 0) {
        message_begin(&m, RTM_GETADDR, NLM_F_DUMP, &address, sizeof address);
        number = wire_dump(wire, &m, add_address, used);
    }
    return number ? wire_fail(wire, number, error, "the machine's addresses")
                  : S_OK;
}

static bool is_spare(const struct plane *plane, const struct used *used,
                     const struct ip_prefix *prefix) {
    for (size_t i = 0; i < used->count; i++)
        if (ip_prefix_overlaps(&used->items[i], prefix))
            return false;
    return !prefix_used(plane, prefix);
}

/* Begins anywhere, so that planes that look at the same time seldom find the
 * same. */
static HRESULT choose(const struct plane *plane, const struct used *used,
                      struct ip_prefix *out, struct hcs_error *error) {
    uint32_t start = 0;

    (void)random_system(&start, sizeof start, NULL);
    for (size_t i = 0; i < HCS_COUNT(places); i++)
        for (uint32_t k = 0; k < TRIES; k++) {
            out->length = 30;
            ip_prefix_at(&places[i], (uint64_t)((start + k) % IN_ONE) * 4,
                         &out->address);
            if (is_spare(plane, used, out))
                return S_OK;
        }
    return error_set(error, HR_NOT_FOUND, NULL,
                     "no prefix for the uplink that nobody on this machine "
                     "uses");
}

HRESULT spare_prefix(struct plane *plane, struct ip_prefix *out,
                     struct hcs_error *error) {
    struct wire wire = {.fd = -1};
    struct used used = {0};
    HRESULT hr = crew_enter(plane->outside, error), back;

    if (FAILED(hr))
        return hr;
    hr = wire_open(&wire, error);
    if (SUCCEEDED(hr))
        hr = read_machine(&wire, &used, error);
    wire_close(&wire);
    back = crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL);
    if (SUCCEEDED(hr))
        hr = back;
    if (SUCCEEDED(hr))
        hr = choose(plane, &used, out, error);
    free(used.items);
    return hr;
}

bool prefix_used(const struct plane *plane, const struct ip_prefix *prefix) {
    for (struct link *l = plane->networks.next; l != &plane->networks;
         l = l->next) {
        const struct network *one = HCS_CONTAINER(l, struct network, link);
        for (size_t i = 0; i < one->subnet_count; i++)
            if (ip_prefix_overlaps(&one->subnets[i].prefix, prefix))
                return true;
    }
    return uplink_has(plane, prefix) || world_has(plane, prefix);
}
