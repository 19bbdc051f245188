/* SPDX-License-Identifier: MIT
 * What somebody else took away: the kernel tells of interfaces that go, and
 * those that should be there are made anew. The rules are about names, so they
 * have been in force all the time. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inside.h"

/* Nothing but RTM_DELLINK: its type is the third 16-bit number of a message. */
static HRESULT select_messages(int fd, struct hcs_error *error) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELLINK), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    const struct sock_fprog program = {HCS_COUNT(code), code};

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
                   sizeof program) != 0)
        return error_errno(error, errno, "news of interfaces");
    return S_OK;
}

HRESULT mend_listen(int *fd, struct hcs_error *error) {
    struct sockaddr_nl all = {.nl_family = AF_NETLINK,
                              .nl_groups = RTMGRP_LINK};
    HRESULT hr;

    *fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                 NETLINK_ROUTE);
    if (*fd < 0)
        return error_errno(error, errno, "news of interfaces");
    hr = select_messages(*fd, error);
    if (SUCCEEDED(hr) && bind(*fd, (struct sockaddr *)&all, sizeof all) != 0)
        hr = error_errno(error, errno, "news of interfaces");
    if (FAILED(hr)) {
        close(*fd);
        *fd = -1;
    }
    return hr;
}

/* --- hearing ----------------------------------------------------------- */

#define ALL (-1) /* there was more news than the kernel kept */

/* The next that has gone; 0: no more. That a port has left its bridge is told
 * by the same message, of another family. */
static int next_gone(int fd) {
    _Alignas(8) unsigned char data[4096];
    struct ifinfomsg link;

    for (;;) {
        ssize_t got = recv(fd, data, sizeof data, MSG_TRUNC);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == ENOBUFS ? ALL : 0;
        if ((size_t)got < NLMSG_HDRLEN + sizeof link)
            continue;
        memcpy(&link, data + NLMSG_HDRLEN, sizeof link);
        if (link.ifi_family == AF_UNSPEC)
            return link.ifi_index;
    }
}

static bool is_gone(struct plane *plane, int index, int told) {
    char name[IFNAMSIZ];

    if (told != ALL)
        return index == told;
    return FAILED(device_name(&plane->wire, index, name, NULL));
}

static void mark(struct plane *plane, int told) {
    for (struct link *l = plane->networks.next; l != &plane->networks;
         l = l->next) {
        struct network *one = HCS_CONTAINER(l, struct network, link);
        one->lost = one->lost || is_gone(plane, one->bridge.index, told);
    }
    for (struct link *l = plane->endpoints.next; l != &plane->endpoints;
         l = l->next) {
        struct port *port = &HCS_CONTAINER(l, struct endpoint, link)->port;
        if (port->there && !port->lost)
            port->lost = is_gone(plane, port->device.index, told);
    }
}

static bool hear(struct plane *plane) {
    bool any = false;

    for (int told; (told = next_gone(plane->gone)) != 0;) {
        mark(plane, told);
        any = true;
    }
    return any;
}

/* --- mending ----------------------------------------------------------- */

/* Goes on whatever fails, and says what was first. */
static void keep(HRESULT *first, HRESULT hr, struct hcs_error *error,
                 const struct hcs_error *one) {
    if (FAILED(*first) || SUCCEEDED(hr))
        return;
    *first = hr;
    if (error)
        *error = *one;
}

static HRESULT mend_endpoint(struct plane *plane, struct endpoint *endpoint,
                             struct hcs_error *error) {
    if (!endpoint->port.there || endpoint->network->lost)
        return S_OK;
    if (endpoint->port.lost)
        return port_mend(plane, endpoint, error);
    return shape_mend(plane, endpoint, error);
}

static HRESULT mend_inside(struct plane *plane, struct hcs_error *error) {
    struct hcs_error one;
    HRESULT hr = S_OK;

    if (!hear(plane))
        return S_OK;
    for (struct link *l = plane->networks.next; l != &plane->networks;
         l = l->next) {
        struct network *network = HCS_CONTAINER(l, struct network, link);
        if (network->lost)
            keep(&hr, network_mend(plane, network, &one), error, &one);
    }
    for (struct link *l = plane->endpoints.next; l != &plane->endpoints;
         l = l->next)
        keep(
            &hr,
            mend_endpoint(plane, HCS_CONTAINER(l, struct endpoint, link), &one),
            error, &one);
    return hr;
}

/* The cable may have been cut at the machine's end, or torn out at the
 * plane's. */
static HRESULT mend_uplink(struct plane *plane, struct hcs_error *error) {
    struct ip_address first = plane->uplink_prefix.address;
    bool any = false;

    while (plane->cable.gone >= 0 && next_gone(plane->cable.gone) != 0)
        any = true;
    if (!any)
        return S_OK;
    uplink_close(plane);
    return uplink_open(plane, &first, error);
}

HRESULT mend(struct plane *plane, struct hcs_error *error) {
    struct hcs_error one;
    HRESULT hr = mend_uplink(plane, error);

    /* After it, which is heard of inside, too. */
    keep(&hr, mend_inside(plane, &one), error, &one);
    return hr;
}
