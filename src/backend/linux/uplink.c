/* SPDX-License-Identifier: MIT
 * The way out, where the machine's owner allows it: a pair of interfaces
 * between the plane and the machine's own network, and a table there that
 * translates what comes out of the plane. Both are the plane's own and end
 * with it; no setting of the machine's is changed, so whether it forwards to
 * the world beyond is for its owner to say (net.ipv4.ip_forward). */
#include <string.h>

#include "../../base/hresult_hcn.h"
#include "inside.h"

static struct ip_address next(const struct ip_address *first, unsigned by) {
    struct ip_prefix prefix = {*first, 30};
    struct ip_address out;

    ip_prefix_at(&prefix, by, &out);
    return out;
}

static HRESULT lay_table(struct plane *plane, const struct ip_prefix *prefix,
                         struct hcs_error *error) {
    struct buf text = {0};
    char from[IP_PREFIX_SIZE];
    HRESULT hr = filter_open(&plane->outside_filter, error);

    if (FAILED(hr))
        return hr;
    ip_prefix_format(prefix, from);
    buf_printf(&text,
               "table ip hcs%d {\n"
               " flags owner;\n"
               " chain srcnat { type nat hook postrouting priority 100; "
               "policy accept;\n"
               "  ip saddr %s masquerade;\n"
               " }\n"
               "}\n",
               plane->uplink, from);
    hr = filter_run(plane->outside_filter, &text, error);
    buf_free(&text);
    return hr;
}

/* In the machine's namespace. */
static HRESULT make_outside(struct plane *plane, const struct ip_prefix *prefix,
                            int *inner, struct hcs_error *error) {
    struct device_pair pair = {.name = "hcs-up",
                               .peer_name = "up0",
                               .peer_space = plane->home,
                               .mtu = DEVICE_MTU};
    struct ip_address address = next(&prefix->address, 1);
    struct device outer;
    HRESULT hr = wire_open(&plane->outside_wire, error);

    if (SUCCEEDED(hr))
        hr = device_veth(&plane->outside_wire, &pair, &outer, error);
    if (FAILED(hr))
        return hr;
    plane->uplink = outer.index;
    hr = device_peer(&plane->outside_wire, &outer, inner, error);
    if (SUCCEEDED(hr))
        hr = device_address(&plane->outside_wire, outer.index, &address, 30,
                            false, error);
    if (SUCCEEDED(hr))
        hr = device_up(&plane->outside_wire, outer.index, error);
    if (SUCCEEDED(hr))
        hr = device_setting(error, "1", "ipv4/conf/%s/forwarding", outer.name);
    if (SUCCEEDED(hr))
        hr = lay_table(plane, prefix, error);
    return hr;
}

HRESULT uplink_open(struct plane *plane, const struct ip_address *first,
                    struct hcs_error *error) {
    struct ip_prefix prefix = {*first, 30};
    struct ip_address address = next(first, 2);
    struct device_route route = {
        .destination = {.address = {.family = IP_V4}, .length = 0}};
    int inner = 0;
    HRESULT hr, back;

    if (first->family != IP_V4 || !ip_prefix_aligned(&prefix))
        return error_set(error, E_INVALIDARG, NULL,
                         "the uplink's address is not the first of an IPv4 "
                         "prefix of length 30");
    hr = crew_enter(plane->outside, error);
    if (FAILED(hr))
        return hr;
    hr = make_outside(plane, &prefix, &inner, error);
    back = crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL);
    if (FAILED(hr) || FAILED(back))
        return FAILED(hr) ? hr : back;
    plane->uplink_prefix = prefix;
    route.gateway = next(first, 1);
    hr = device_address(&plane->wire, inner, &address, 30, false, error);
    if (SUCCEEDED(hr))
        hr = device_up(&plane->wire, inner, error);
    if (SUCCEEDED(hr))
        hr = device_add_route(&plane->wire, inner, &route, error);
    return hr;
}

void uplink_close(struct plane *plane) {
    if (plane->uplink > 0)
        device_delete(&plane->outside_wire, plane->uplink);
    filter_close(plane->outside_filter);
    wire_close(&plane->outside_wire);
}

bool uplink_has(const struct plane *plane, const struct ip_prefix *prefix) {
    return plane->uplink_prefix.address.family != IP_NONE &&
           ip_prefix_overlaps(&plane->uplink_prefix, prefix);
}
