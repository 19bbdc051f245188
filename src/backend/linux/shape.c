/* SPDX-License-Identifier: MIT
 * Limits: what comes in at an endpoint's port is led through an interface of
 * its own (ifb), which lets so many bytes through and keeps the rest waiting.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/tc_act/tc_mirred.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "inside.h"

#define BURST_LEAST 16384u /* bytes: some full frames */
#define QUEUE_SECONDS 5u   /* of a second: 1/5 of what goes in one may wait */

static void shaper_name(const struct endpoint *endpoint, char out[IFNAMSIZ]) {
    snprintf(out, IFNAMSIZ, "hi%u", endpoint->serial);
}

static HRESULT make_shaper(struct plane *plane, struct device *device,
                           struct hcs_error *error) {
    struct ifinfomsg head = {0};
    struct message m;
    size_t info;
    HRESULT hr;

    message_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head,
                  sizeof head);
    message_text(&m, IFLA_IFNAME, device->name);
    message_u32(&m, IFLA_GROUP, DEVICE_GROUP);
    info = message_open(&m, IFLA_LINKINFO);
    message_text(&m, IFLA_INFO_KIND, "ifb");
    message_close(&m, info);
    hr = wire_do(&plane->wire, &m, error, "the limiter %s", device->name);
    if (SUCCEEDED(hr))
        hr = device_find(device, error);
    if (SUCCEEDED(hr))
        hr = device_up(&plane->wire, device->index, error);
    return hr;
}

/* --- how much: tbf ----------------------------------------------------- */

/* The kernel counts in ticks of 64 ns. */
static uint32_t ticks(uint64_t bytes, uint64_t rate) {
    uint64_t value = (uint64_t)((double)bytes * 1e9 / (double)rate / 64.0);

    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static HRESULT put_limit(struct plane *plane, const struct device *device,
                         uint64_t rate, struct hcs_error *error) {
    uint64_t burst = rate / 100 > BURST_LEAST ? rate / 100 : BURST_LEAST;
    uint64_t queue = rate / QUEUE_SECONDS + burst;
    struct tcmsg head = {.tcm_ifindex = device->index,
                         .tcm_parent = TC_H_ROOT,
                         .tcm_handle = 0x10000};
    struct tc_tbf_qopt limit = {0};
    struct message m;
    size_t options;

    limit.rate.rate = rate > UINT32_MAX ? UINT32_MAX : (uint32_t)rate;
    limit.rate.linklayer = TC_LINKLAYER_ETHERNET;
    limit.limit = queue > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)queue;
    limit.buffer = ticks(burst, rate);
    message_begin(&m, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, &head,
                  sizeof head);
    message_text(&m, TCA_KIND, "tbf");
    options = message_open(&m, TCA_OPTIONS);
    message_put(&m, TCA_TBF_PARMS, &limit, sizeof limit);
    message_u32(&m, TCA_TBF_BURST, (uint32_t)burst);
    if (rate > UINT32_MAX)
        message_put(&m, TCA_TBF_RATE64, &rate, sizeof rate);
    message_close(&m, options);
    return wire_do(&plane->wire, &m, error, "a limit of %llu bytes per second",
                   (unsigned long long)rate);
}

/* --- what: all that comes in ------------------------------------------- */

static void put_redirect(struct message *m, const struct device *to) {
    struct tc_mirred redirect = {.action = TC_ACT_STOLEN,
                                 .eaction = TCA_EGRESS_REDIR,
                                 .ifindex = (uint32_t)to->index};
    size_t actions = message_open(m, TCA_U32_ACT);
    size_t first = message_open(m, 1), options;

    message_text(m, TCA_ACT_KIND, "mirred");
    options = message_open(m, TCA_ACT_OPTIONS);
    message_put(m, TCA_MIRRED_PARMS, &redirect, sizeof redirect);
    message_close(m, options);
    message_close(m, first);
    message_close(m, actions);
}

static HRESULT put_filter(struct plane *plane, const struct device *port,
                          const struct device *to, struct hcs_error *error) {
    const struct tc_u32_sel any = {.flags = TC_U32_TERMINAL, .nkeys = 1};
    /* With its one key, all of zeros: any packet. */
    unsigned char all[sizeof any + sizeof(struct tc_u32_key)] = {0};
    struct tcmsg head = {.tcm_ifindex = port->index,
                         .tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS),
                         .tcm_info = TC_H_MAKE(1u << 16, htons(ETH_P_ALL))};
    struct message m;
    size_t options;

    memcpy(all, &any, sizeof any);
    message_begin(&m, RTM_NEWTFILTER, NLM_F_CREATE | NLM_F_EXCL, &head,
                  sizeof head);
    message_text(&m, TCA_KIND, "u32");
    options = message_open(&m, TCA_OPTIONS);
    message_put(&m, TCA_U32_SEL, all, sizeof all);
    put_redirect(&m, to);
    message_close(&m, options);
    return wire_do(&plane->wire, &m, error, "the way through the limiter %s",
                   to->name);
}

static HRESULT qdisc(struct plane *plane, int index, uint16_t type,
                     uint16_t flags, struct hcs_error *error) {
    struct tcmsg head = {.tcm_ifindex = index,
                         .tcm_parent = TC_H_CLSACT,
                         .tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0)};
    struct message m;

    message_begin(&m, type, flags, &head, sizeof head);
    message_text(&m, TCA_KIND, "clsact");
    return wire_do(&plane->wire, &m, error, "the limiter's place");
}

/* --- the whole --------------------------------------------------------- */

int shape_take(struct plane *plane, const struct endpoint *endpoint) {
    struct device shaper = {.index = 0};

    shaper_name(endpoint, shaper.name);
    if (FAILED(device_find(&shaper, NULL)))
        return 0;
    if (endpoint->port.device.index > 0)
        (void)qdisc(plane, endpoint->port.device.index, RTM_DELQDISC, 0, NULL);
    return shaper.index;
}

static void shape_end(struct plane *plane, const struct endpoint *endpoint) {
    int shaper = shape_take(plane, endpoint);

    sweep(plane, &shaper, 1, -1);
}

HRESULT shape_port(struct plane *plane, const struct endpoint *endpoint,
                   uint64_t limit, struct hcs_error *error) {
    const struct device *port = &endpoint->port.device;
    struct device shaper = {.index = 0};
    HRESULT hr;

    if (limit == 0) {
        shape_end(plane, endpoint);
        return S_OK;
    }
    shaper_name(endpoint, shaper.name);
    if (SUCCEEDED(device_find(&shaper, NULL)))
        return put_limit(plane, &shaper, limit, error);
    hr = make_shaper(plane, &shaper, error);
    if (SUCCEEDED(hr))
        hr = put_limit(plane, &shaper, limit, error);
    if (SUCCEEDED(hr))
        hr = qdisc(plane, port->index, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL,
                   error);
    if (SUCCEEDED(hr))
        hr = put_filter(plane, port, &shaper, error);
    if (FAILED(hr))
        shape_end(plane, endpoint);
    return hr;
}

HRESULT shape_mend(struct plane *plane, const struct endpoint *endpoint,
                   struct hcs_error *error) {
    struct device shaper = {.index = 0};

    shaper_name(endpoint, shaper.name);
    if (endpoint->terms.limit == 0 || SUCCEEDED(device_find(&shaper, NULL)))
        return S_OK;
    (void)qdisc(plane, endpoint->port.device.index, RTM_DELQDISC, 0, NULL);
    return shape_port(plane, endpoint, endpoint->terms.limit, error);
}
