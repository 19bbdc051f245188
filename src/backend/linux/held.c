/* SPDX-License-Identifier: MIT
 * Ports of the host that the plane plays: whether they are free, and keeping
 * them from others by sockets that are bound and never listen. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inside.h"

static socklen_t fill(struct sockaddr_storage *out, bool v6,
                      const struct ip_address *address, uint16_t port) {
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
    struct sockaddr_in *four = (struct sockaddr_in *)out;

    memset(out, 0, sizeof *out);
    if (v6) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        if (address->family == IP_V6)
            memcpy(&six->sin6_addr, address->bytes, 16);
        return sizeof *six;
    }
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    if (address->family == IP_V4)
        memcpy(&four->sin_addr, address->bytes, 4);
    return sizeof *four;
}

HRESULT hold_port(uint8_t protocol, const struct ip_address *address,
                  uint16_t port, bool v6, int *fd, struct hcs_error *error) {
    int type = protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
    int one = socket(v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, protocol);
    struct sockaddr_storage where;
    socklen_t length = fill(&where, v6, address, port);
    int on = 1, number;

    if (one < 0)
        return error_errno(error, errno, "a socket for port %u", port);
    if (v6)
        (void)setsockopt(one, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    /* The address may come later, as that of an uplink. */
    (void)setsockopt(one, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
    if (bind(one, (struct sockaddr *)&where, length) != 0) {
        number = errno;
        close(one);
        if (number == EADDRINUSE)
            return error_set(error, HR_SHARING_VIOLATION, NULL,
                             "port %u is in use on the host", port);
        return error_errno(error, number, "port %u", port);
    }
    if (fd)
        *fd = one;
    else
        close(one);
    return S_OK;
}

static const struct held *find(const struct terms *terms,
                               const struct plane_mapping *mapping) {
    for (size_t i = 0; terms && i < terms->held_count; i++)
        if (terms->held[i].protocol == mapping->protocol &&
            terms->held[i].port == mapping->external &&
            ip_same(&terms->held[i].address, &mapping->address))
            return &terms->held[i];
    return NULL;
}

static HRESULT hold(const struct plane_mapping *m, const struct held *before,
                    struct held *now, struct hcs_error *error) {
    bool v6 = m->address.family == IP_V6 || (m->flags & PLANE_NAT_IPV6);
    bool keep = m->flags & PLANE_NAT_RESERVED;

    now->protocol = m->protocol;
    now->address = m->address;
    now->port = m->external;
    now->fd = -1;
    if (!before || before->fd < 0)
        return hold_port(m->protocol, &m->address, m->external, v6,
                         keep ? &now->fd : NULL, error);
    if (!keep)
        return S_OK;
    now->fd = fcntl(before->fd, F_DUPFD_CLOEXEC, 3);
    return now->fd < 0 ? error_errno(error, errno, "port %u", m->external)
                       : S_OK;
}

HRESULT hold_ports(const struct plane_endpoint *told,
                   const struct terms *before, struct terms *now,
                   struct hcs_error *error) {
    HRESULT hr = S_OK;

    now->held =
        arena_alloc(&now->arena, (told->mapping_count + 1) * sizeof *now->held);
    if (!now->held)
        return no_memory(error);
    for (size_t i = 0; SUCCEEDED(hr) && i < told->mapping_count; i++) {
        const struct plane_mapping *m = &told->mappings[i];

        if (find(now, m))
            continue;
        hr = hold(m, find(before, m), &now->held[now->held_count], error);
        if (SUCCEEDED(hr))
            now->held_count++;
    }
    return hr;
}

void let_go(struct terms *terms) {
    for (size_t i = 0; i < terms->held_count; i++)
        if (terms->held[i].fd >= 0)
            close(terms->held[i].fd);
    terms->held_count = 0;
}
