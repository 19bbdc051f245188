/* SPDX-License-Identifier: MIT
 * The way out, where the machine's owner allows it: a cable between the plane
 * and the machine's own network, and a table there that translates what comes
 * out of the plane. Both are the plane's own and end with it; no setting of the
 * machine's is changed, so whether it forwards to the world beyond is for its
 * owner to say (net.ipv4.ip_forward). */
#include <string.h>

#include "../../base/hresult_hcn.h"
#include "inside.h"

#define NAME "up0"
/* Several planes may have one each, so the kernel numbers them. */
#define NAME_OUTSIDE "hcs-up%d"

static struct ip_address next(const struct ip_address *first, unsigned by) {
    struct ip_prefix prefix = {*first, 30};
    struct ip_address out;

    ip_prefix_at(&prefix, by, &out);
    return out;
}

void uplink_table(const struct ip_prefix *prefix, int number, struct buf *out) {
    char from[IP_PREFIX_SIZE];

    ip_prefix_format(prefix, from);
    buf_printf(out,
               "table ip hcs%d {\n"
               " flags owner;\n"
               " chain srcnat { type nat hook postrouting priority 100; "
               "policy accept;\n"
               "  ip saddr %s masquerade;\n"
               " }\n"
               "}\n",
               number, from);
}

static HRESULT lay_table(struct plane *plane, const struct ip_prefix *prefix,
                         struct hcs_error *error) {
    struct buf text = {0};
    HRESULT hr = filter_open(&plane->outside_filter, error);

    if (FAILED(hr))
        return hr;
    uplink_table(prefix, plane->cable.there, &text);
    hr = filter_run(plane->outside_filter, &text, error);
    buf_free(&text);
    return hr;
}

/* The machine's end, in the machine's namespace. */
static HRESULT settle_outside(struct plane *plane,
                              const struct ip_prefix *prefix,
                              struct hcs_error *error) {
    struct ip_address address = next(&prefix->address, 1);
    struct wire wire = {.fd = -1};
    int index = plane->cable.there;
    char name[IFNAMSIZ];
    HRESULT hr = wire_open(&wire, error);

    if (SUCCEEDED(hr))
        hr = device_name(&wire, index, name, error);
    if (SUCCEEDED(hr))
        hr = device_address(&wire, index, &address, 30, false, error);
    if (SUCCEEDED(hr))
        hr = device_up(&wire, index, error);
    if (SUCCEEDED(hr))
        hr = device_setting(error, "1", "ipv4/conf/%s/forwarding", name);
    if (SUCCEEDED(hr))
        hr = lay_table(plane, prefix, error);
    if (SUCCEEDED(hr))
        device_settle(&wire, index);
    wire_close(&wire);
    return hr;
}

/* The plane's end. */
static HRESULT settle_inside(struct plane *plane,
                             const struct ip_prefix *prefix,
                             struct hcs_error *error) {
    struct ip_address address = next(&prefix->address, 2);
    struct device_route route = {
        .destination = {.address = {.family = IP_V4}, .length = 0},
        .gateway = next(&prefix->address, 1)};
    int index = plane->cable.here;
    HRESULT hr =
        device_address(&plane->wire, index, &address, 30, false, error);

    if (SUCCEEDED(hr))
        hr = device_up(&plane->wire, index, error);
    if (SUCCEEDED(hr))
        hr = device_add_route(&plane->wire, index, &route, error);
    if (SUCCEEDED(hr))
        device_settle(&plane->wire, index);
    if (SUCCEEDED(hr))
        cable_settle(&plane->cable);
    return hr;
}

static HRESULT check(const struct plane *plane, const struct ip_prefix *prefix,
                     struct hcs_error *error) {
    char text[IP_PREFIX_SIZE];

    if (prefix->address.family != IP_V4 || !ip_prefix_aligned(prefix))
        return error_set(error, E_INVALIDARG, NULL,
                         "the uplink's address is not the first of an IPv4 "
                         "prefix of length 30");
    ip_prefix_format(prefix, text);
    if (prefix_used(plane, prefix))
        return error_set(error, HR_DUP_NAME, NULL,
                         "a network has addresses of the uplink's %s", text);
    return S_OK;
}

static HRESULT lay(struct plane *plane, const struct ip_prefix *prefix,
                   struct hcs_error *error) {
    HRESULT hr = cable_lay(plane, NAME, plane->outside, NAME_OUTSIDE,
                           &plane->cable, error);
    HRESULT back;

    if (FAILED(hr))
        return hr;
    hr = crew_enter(plane->outside, error);
    if (FAILED(hr))
        return hr;
    hr = settle_outside(plane, prefix, error);
    back = crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL);
    if (SUCCEEDED(hr))
        hr = back;
    if (SUCCEEDED(hr))
        hr = settle_inside(plane, prefix, error);
    if (SUCCEEDED(hr))
        hr = plane_watch(plane, plane->cable.gone, error);
    return hr;
}

HRESULT uplink_open(struct plane *plane, const struct ip_address *first,
                    struct hcs_error *error) {
    struct ip_prefix prefix = {{.family = IP_NONE}, 30};
    HRESULT hr = S_OK;

    if (plane->cable.there > 0)
        return S_FALSE;
    if (first)
        prefix.address = *first;
    else
        hr = spare_prefix(plane, &prefix, error);
    if (SUCCEEDED(hr))
        hr = check(plane, &prefix, error);
    if (FAILED(hr))
        return hr;
    hr = lay(plane, &prefix, error);
    if (SUCCEEDED(hr)) {
        plane->uplink_prefix = prefix;
        hr = services_uplink(plane, error);
    }
    if (FAILED(hr)) {
        uplink_close(plane);
        (void)services_uplink(plane, NULL);
    }
    return hr;
}

void uplink_close(struct plane *plane) {
    cable_cut(&plane->cable);
    filter_close(plane->outside_filter);
    plane->outside_filter = NULL;
    memset(&plane->uplink_prefix, 0, sizeof plane->uplink_prefix);
}

bool uplink_has(const struct plane *plane, const struct ip_prefix *prefix) {
    return plane->uplink_prefix.address.family != IP_NONE &&
           ip_prefix_overlaps(&plane->uplink_prefix, prefix);
}

/* Beside its end in the plane and what that is joined to: the bridge, the
 * other half's near end, and the machine's. */
size_t uplink_interfaces(const struct plane *plane) {
    return plane->cable.there > 0 ? 3 : 0;
}
