/* SPDX-License-Identifier: MIT
 * A port that ends in a virtual machine: a tap, whose descriptor the machine's
 * process is given. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "inside.h"

HRESULT tap_make(struct plane *plane, struct endpoint *endpoint,
                 struct hcs_error *error) {
    struct port *port = &endpoint->port;
    struct ifreq wish;
    HRESULT hr;

    if (!plane->can.tap)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "no adapters for virtual machines here: %s",
                         plane->can.tap_missing);
    port->tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (port->tap < 0)
        return error_errno(error, errno, "/dev/net/tun");
    memset(&wish, 0, sizeof wish);
    memcpy(wish.ifr_name, port->device.name, IFNAMSIZ);
    wish.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL);
    if (ioctl(port->tap, TUNSETIFF, &wish) != 0)
        return error_errno(error, errno, "the tap %s", port->device.name);
    hr = device_find(&port->device, error);
    if (SUCCEEDED(hr))
        hr = device_group(&plane->wire, port->device.index, error);
    if (SUCCEEDED(hr))
        hr = device_mtu(&plane->wire, port->device.index, endpoint->terms.mtu,
                        error);
    if (SUCCEEDED(hr))
        hr = port_join(plane, endpoint, error);
    if (SUCCEEDED(hr))
        hr = device_up(&plane->wire, port->device.index, error);
    return hr;
}
