/* SPDX-License-Identifier: MIT
 * A cable between the plane and another namespace, with a bridge in the middle
 * that lies in a namespace of its own, which nobody but this process holds. So
 * the cable ends with the process, also when a machine's tap keeps the plane's
 * namespace. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inside.h"

#define PLUG 0x0a155dfffffeu /* the bridge's MAC, which nobody sees */

/* In the middle: the bridge, and the wire that stays. */
static HRESULT lay_middle(struct cable *cable, struct device *bridge,
                          struct hcs_error *error) {
    struct mac_address mac;
    HRESULT hr = wire_open(&cable->wire, error);

    if (SUCCEEDED(hr))
        hr = mend_listen(&cable->gone, error);
    mac_from_number(PLUG, &mac);
    snprintf(bridge->name, sizeof bridge->name, "middle");
    if (SUCCEEDED(hr))
        hr = device_bridge(&cable->wire, bridge, &mac, error);
    if (SUCCEEDED(hr))
        hr = device_up(&cable->wire, bridge->index, error);
    return hr;
}

/* One half: a pair whose other end is in the namespace `to`. */
static HRESULT lay_half(struct cable *cable, const struct device *bridge,
                        const char *name, const char *far_name, int to,
                        int *part, int *far, struct hcs_error *error) {
    struct device_pair pair = {.name = name,
                               .peer_name = far_name,
                               .peer_space = to,
                               .mtu = DEVICE_MTU};
    struct device near = {.index = 0};
    HRESULT hr = device_veth(&cable->wire, &pair, &near, error);

    *part = near.index;
    if (SUCCEEDED(hr))
        hr = device_peer(&cable->wire, &near, far, error);
    if (SUCCEEDED(hr))
        hr = device_master(&cable->wire, near.index, bridge->index, error);
    if (SUCCEEDED(hr))
        hr = device_up(&cable->wire, near.index, error);
    return hr;
}

HRESULT cable_lay(const struct plane *plane, const char *name, int outside,
                  const char *far_name, struct cable *cable,
                  struct hcs_error *error) {
    struct device bridge = {.index = 0};
    HRESULT hr = crew_new_space(&cable->middle, error), back;

    if (SUCCEEDED(hr))
        hr = lay_middle(cable, &bridge, error);
    cable->parts[0] = bridge.index;
    if (SUCCEEDED(hr))
        hr = lay_half(cable, &bridge, "near", name, plane->home,
                      &cable->parts[1], &cable->here, error);
    if (SUCCEEDED(hr))
        hr = lay_half(cable, &bridge, "far", far_name, outside,
                      &cable->parts[2], &cable->there, error);
    back = crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL);
    if (FAILED(hr) || FAILED(back))
        cable_cut(cable);
    return FAILED(hr) ? hr : back;
}

void cable_settle(struct cable *cable) {
    for (size_t i = HCS_COUNT(cable->parts); i-- > 0;)
        device_settle(&cable->wire, cable->parts[i]);
}

/* Its ends go at once, the namespace when the kernel has time. */
void cable_cut(struct cable *cable) {
    if (cable->wire.fd >= 0)
        device_delete_group(&cable->wire, DEVICE_GROUP);
    wire_close(&cable->wire);
    if (cable->middle >= 0)
        close(cable->middle);
    if (cable->gone >= 0)
        close(cable->gone);
    cable_none(cable);
}

void cable_none(struct cable *cable) {
    memset(cable, 0, sizeof *cable);
    cable->middle = -1;
    cable->gone = -1;
    cable->wire.fd = -1;
}
