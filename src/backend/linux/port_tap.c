/* SPDX-License-Identifier: MIT
 * A port that ends in a virtual machine: a tap, whose descriptor the machine's
 * process is given. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inside.h"

#define KIND (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

/* What a tap needs to be the endpoint's port; it is named and down. */
static HRESULT join(struct plane *plane, struct endpoint *endpoint,
                    struct hcs_error *error) {
    struct port *port = &endpoint->port;
    HRESULT hr = device_find(&port->device, error);

    if (SUCCEEDED(hr))
        hr =
            device_group(&plane->wire, port->device.index, DEVICE_GROUP, error);
    if (SUCCEEDED(hr))
        hr = device_mtu(&plane->wire, port->device.index, endpoint->terms.mtu,
                        error);
    if (SUCCEEDED(hr))
        hr = port_join(plane, endpoint, error);
    if (SUCCEEDED(hr))
        hr = device_up(&plane->wire, port->device.index, error);
    if (FAILED(hr))
        return hr;
    device_settle(&plane->wire, port->device.index);
    device_settle(&plane->wire, endpoint->network->bridge.index);
    return S_OK;
}

HRESULT tap_make(struct plane *plane, struct endpoint *endpoint,
                 struct hcs_error *error) {
    struct port *port = &endpoint->port;
    struct ifreq wish;

    if (!plane->can.tap)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "no adapters for virtual machines here: %s",
                         plane->can.tap_missing);
    port->tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (port->tap < 0)
        return error_errno(error, errno, "/dev/net/tun");
    memset(&wish, 0, sizeof wish);
    memcpy(wish.ifr_name, port->device.name, IFNAMSIZ);
    wish.ifr_flags = (short)(KIND | IFF_TUN_EXCL);
    if (ioctl(port->tap, TUNSETIFF, &wish) != 0)
        return error_errno(error, errno, "the tap %s", port->device.name);
    return join(plane, endpoint, error);
}

bool tap_is(int fd) {
    struct ifreq is;

    memset(&is, 0, sizeof is);
    return ioctl(fd, TUNGETIFF, &is) == 0 && (is.ifr_flags & KIND) == KIND;
}

/* --- one that a machine has already ------------------------------------ */

static bool same_space(int a, int b) {
    struct stat one, other;

    return fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
           one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

/* Second names go, which another may have where it is going. */
static void drop_names(struct wire *wire, int index) {
    const size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifinfomsg));
    struct ifinfomsg head = {.ifi_index = index};
    struct message m, answer;
    const void *list = NULL;
    size_t length = 0;

    message_begin(&m, RTM_GETLINK, 0, &head, sizeof head);
    if (wire_ask(wire, &m, &answer) == 0 && answer.length > skip)
        list = attribute_find(answer.data + skip, answer.length - skip,
                              IFLA_PROP_LIST, &length);
    if (!list || length > MESSAGE_SIZE / 2)
        return;
    message_begin(&m, RTM_DELLINKPROP, 0, &head, sizeof head);
    message_put(&m, IFLA_PROP_LIST | NLA_F_NESTED, list, length);
    (void)wire_ask(wire, &m, NULL);
}

struct move {
    struct wire wire; /* where it is */
    struct device device;
    char name[IFNAMSIZ]; /* on the way */
    int to;              /* a namespace; -1: it is there already */
};

/* Where the tap is: off, out of its bridge, renamed and over. */
static HRESULT send_over(struct move *move, struct hcs_error *error) {
    struct wire *wire = &move->wire;
    int index = move->device.index;
    HRESULT hr;

    drop_names(wire, index);
    hr = device_off(wire, index, error);
    if (SUCCEEDED(hr))
        hr = device_rename(wire, &move->device, move->name, error);
    if (SUCCEEDED(hr) && move->to >= 0)
        hr = device_send(wire, index, move->to, error);
    return hr;
}

static int look_for_tap(void *context, const struct nlmsghdr *head) {
    const size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifinfomsg));
    const char *data = (const char *)head, *kind = NULL;
    const void *info;
    size_t length;

    if (head->nlmsg_type != RTM_NEWLINK || head->nlmsg_len < skip)
        return 0;
    info = attribute_find(data + skip, head->nlmsg_len - skip, IFLA_LINKINFO,
                          &length);
    if (info)
        kind = attribute_find(info, length, IFLA_INFO_KIND, &length);
    if (kind && length >= 3 && memcmp(kind, "tun", 3) == 0)
        *(bool *)context = true;
    return 0;
}

/* What a plane left that died has nothing to do when its last tap is gone. The
 * namespace itself stays as long as the machine has the tap. */
static void clear_old(struct wire *wire) {
    struct ifinfomsg head = {0};
    struct message m;
    bool others = false;

    message_begin(&m, RTM_GETLINK, NLM_F_DUMP, &head, sizeof head);
    if (wire_dump(wire, &m, look_for_tap, &others) == 0 && !others)
        device_delete_group(wire, DEVICE_GROUP);
}

static bool is_port(const struct plane *plane, int index) {
    for (struct link *l = plane->endpoints.next; l != &plane->endpoints;
         l = l->next)
        if (HCS_CONTAINER(l, struct endpoint, link)->port.device.index == index)
            return true;
    return false;
}

/* In the namespace where the tap is. */
static HRESULT fetch_here(const struct plane *plane, struct move *move,
                          struct hcs_error *error) {
    HRESULT hr = wire_open(&move->wire, error);

    if (SUCCEEDED(hr))
        hr = device_find(&move->device, error);
    if (FAILED(hr))
        return hr;
    if (move->to < 0 && is_port(plane, move->device.index))
        return error_set(error, E_INVALIDARG, NULL,
                         "the tap %s is another endpoint's", move->device.name);
    hr = send_over(move, error);
    if (SUCCEEDED(hr) && move->to >= 0)
        clear_old(&move->wire);
    return hr;
}

static HRESULT fetch(const struct plane *plane, int from, struct move *move,
                     struct hcs_error *error) {
    HRESULT hr, back;

    /* It may be one that this plane itself let go of. */
    move->to = same_space(from, plane->home) ? -1 : plane->home;
    hr = crew_enter(from, error);
    if (FAILED(hr))
        return hr;
    hr = fetch_here(plane, move, error);
    wire_close(&move->wire);
    back = crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL);
    return FAILED(hr) ? hr : back;
}

HRESULT tap_take(struct plane *plane, struct endpoint *endpoint,
                 struct hcs_error *error) {
    struct port *port = &endpoint->port;
    struct move move = {.wire = {.fd = -1}};
    struct ifreq is;
    int from;
    HRESULT hr;

    port->tap = endpoint->offer;
    endpoint->offer = -1;
    memset(&is, 0, sizeof is);
    if (ioctl(port->tap, TUNGETIFF, &is) != 0)
        return error_errno(error, errno, "the machine's tap");
    memcpy(move.device.name, is.ifr_name, sizeof move.device.name);
    from = ioctl(port->tap, TUNGETDEVNETNS);
    if (from < 0)
        return error_errno(error, errno, "where the tap %s is", is.ifr_name);
    /* A name that is free on either side. */
    snprintf(move.name, sizeof move.name, "hm%u", endpoint->serial);
    hr = fetch(plane, from, &move, error);
    close(from);
    if (FAILED(hr))
        return hr;
    memcpy(move.device.name, move.name, sizeof move.name);
    hr = device_find(&move.device, error);
    if (SUCCEEDED(hr))
        hr =
            device_rename(&plane->wire, &move.device, port->device.name, error);
    return SUCCEEDED(hr) ? join(plane, endpoint, error) : hr;
}

void tap_leave(struct plane *plane, struct endpoint *endpoint) {
    struct port *port = &endpoint->port;
    int index = port->device.index, tap = port->tap;
    char name[IFNAMSIZ];

    port->tap = -1;
    if (index > 0) {
        snprintf(name, sizeof name, "hq%d", index);
        drop_names(&plane->wire, index);
        if (SUCCEEDED(device_off(&plane->wire, index, NULL)))
            (void)device_rename(&plane->wire, &port->device, name, NULL);
        /* Whatever is deleted with the others, this is not. */
        (void)device_group(&plane->wire, index, 0, NULL);
    }
    sweep(plane, NULL, 0, tap);
}
