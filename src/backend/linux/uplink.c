/* SPDX-License-Identifier: MIT
 * The way out, where the machine's owner allows it: a pair of interfaces
 * between the plane and the machine's own network, and a table there that
 * translates what comes out of the plane. Both are the plane's own and end
 * with it; no setting of the machine's is changed, so whether it forwards to
 * the world beyond is for its owner to say (net.ipv4.ip_forward). */
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

/* The machine's end, in the machine's namespace. */
static HRESULT settle_outside(struct plane *plane,
                              const struct ip_prefix *prefix,
                              struct hcs_error *error) {
    struct ip_address address = next(&prefix->address, 1);
    struct wire *wire = &plane->outside_wire;
    char name[IFNAMSIZ];
    HRESULT hr = wire_open(wire, error);

    if (SUCCEEDED(hr))
        hr = device_name(wire, plane->uplink, name, error);
    if (SUCCEEDED(hr))
        hr = device_address(wire, plane->uplink, &address, 30, false, error);
    if (SUCCEEDED(hr))
        hr = device_up(wire, plane->uplink, error);
    if (SUCCEEDED(hr))
        hr = device_setting(error, "1", "ipv4/conf/%s/forwarding", name);
    if (SUCCEEDED(hr))
        hr = lay_table(plane, prefix, error);
    return hr;
}

/* The plane's end. */
static HRESULT settle_inside(struct plane *plane, int index,
                             const struct ip_prefix *prefix,
                             struct hcs_error *error) {
    struct ip_address address = next(&prefix->address, 2);
    struct device_route route = {
        .destination = {.address = {.family = IP_V4}, .length = 0},
        .gateway = next(&prefix->address, 1)};
    HRESULT hr =
        device_address(&plane->wire, index, &address, 30, false, error);

    if (SUCCEEDED(hr))
        hr = device_up(&plane->wire, index, error);
    if (SUCCEEDED(hr))
        hr = device_add_route(&plane->wire, index, &route, error);
    if (SUCCEEDED(hr))
        device_settle(&plane->wire, index);
    return hr;
}

HRESULT uplink_open(struct plane *plane, const struct ip_address *first,
                    struct hcs_error *error) {
    /* Several planes may have one each, so the kernel numbers them. */
    struct device_pair pair = {.name = "up0",
                               .peer_name = "hcs-up%d",
                               .peer_space = plane->outside,
                               .mtu = DEVICE_MTU};
    struct ip_prefix prefix = {*first, 30};
    struct device inner;
    HRESULT hr, back;

    if (first->family != IP_V4 || !ip_prefix_aligned(&prefix))
        return error_set(error, E_INVALIDARG, NULL,
                         "the uplink's address is not the first of an IPv4 "
                         "prefix of length 30");
    hr = device_veth(&plane->wire, &pair, &inner, error);
    if (SUCCEEDED(hr))
        hr = device_peer(&plane->wire, &inner, &plane->uplink, error);
    if (SUCCEEDED(hr))
        hr = crew_enter(plane->outside, error);
    if (FAILED(hr))
        return hr;
    hr = settle_outside(plane, &prefix, error);
    back = crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL);
    if (FAILED(hr) || FAILED(back))
        return FAILED(hr) ? hr : back;
    plane->uplink_prefix = prefix;
    return settle_inside(plane, inner.index, &prefix, error);
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
