/* SPDX-License-Identifier: MIT
 * The ground of real networks: the plane of the Linux kernel. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../backend/linux/linux.h"
#include "../base/json.h"
#include "ground.h"

HRESULT ground_enter(struct hcs_error *error) {
    return linux_plane_enter(error);
}

HRESULT ground_open(const char *files, struct plane **out,
                    struct hcs_error *error) {
    const struct linux_plane_options options = {.directory = files};

    return linux_plane_open(&options, out, error);
}

const struct plane_ops *ground_ops(void) {
    return linux_plane_ops();
}

int ground_pollfd(const struct plane *plane) {
    return linux_plane_pollfd(plane);
}

HRESULT ground_tend(struct plane *plane, struct hcs_error *error) {
    return linux_plane_tend(plane, error);
}

HRESULT ground_uplink(struct plane *plane, struct hcs_error *error) {
    return linux_plane_uplink(plane, NULL, error);
}

HRESULT ground_tap(struct plane *plane, const struct guid *endpoint, int *fd,
                   struct hcs_error *error) {
    return linux_plane_tap(plane, endpoint, fd, error);
}

HRESULT ground_offer(struct plane *plane, const struct guid *endpoint, int fd,
                     struct hcs_error *error) {
    return linux_plane_offer(plane, endpoint, fd, error);
}

HRESULT ground_count(struct plane *plane, struct ground_counts *out,
                     struct hcs_error *error) {
    struct linux_plane_counts counts;
    HRESULT hr = linux_plane_count(plane, &counts, error);

    if (FAILED(hr))
        return hr;
    out->interfaces = counts.interfaces;
    out->rules = counts.rules;
    out->processes = counts.processes;
    return S_OK;
}

/* --- from outside --------------------------------------------------------- */

static bool is_hosts_own(const struct ip_address *address) {
    static const uint8_t loopback[16] = {[15] = 1};

    if (address->family == IP_V4)
        return address->bytes[0] == 127;
    return address->family == IP_NONE ||
           memcmp(address->bytes, loopback, sizeof loopback) == 0;
}

static socklen_t fill(const struct ip_address *address, uint16_t port,
                      struct sockaddr_storage *out) {
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;

    memset(out, 0, sizeof *out);
    if (address->family == IP_V6) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        memcpy(&v6->sin6_addr, address->bytes, sizeof v6->sin6_addr);
        return sizeof *v6;
    }
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    memcpy(&v4->sin_addr, address->bytes, sizeof v4->sin_addr);
    return sizeof *v4;
}

HRESULT ground_connect(struct plane *plane, const struct ip_address *address,
                       uint16_t port, int *fd, struct hcs_error *error) {
    int domain = address->family == IP_V6 ? AF_INET6 : AF_INET;
    struct ip_address host, target = *address;
    struct sockaddr_storage where;
    char text[IP_TEXT_SIZE];
    socklen_t length;
    int made;
    HRESULT hr = linux_plane_outside(plane, domain, SOCK_STREAM | SOCK_NONBLOCK,
                                     0, &made, &host, error);

    if (FAILED(hr))
        return hr;
    if (is_hosts_own(address))
        target = host;
    length = fill(&target, port, &where);
    if (connect(made, (struct sockaddr *)&where, length) != 0 &&
        errno != EINPROGRESS) {
        ip_format(&target, text);
        hr = error_errno(error, errno, "%s port %u", text, (unsigned)port);
        close(made);
        return hr;
    }
    *fd = made;
    return S_OK;
}

/* --- plans ---------------------------------------------------------------- */

HRESULT ground_plan_open(struct plane *plane, struct plane **out,
                         struct hcs_error *error) {
    return linux_plan_open(plane, out, error);
}

const struct plane_ops *ground_plan_ops(void) {
    return linux_plan_ops();
}

HRESULT ground_plan_begin(struct plane *plan, bool uplink,
                          struct hcs_error *error) {
    linux_plan_clear(plan);
    return uplink ? linux_plan_uplink(plan, error) : S_OK;
}

static const char *const plan_kinds[] = {
    [LINUX_PLAN_INTERFACE] = "Interface", [LINUX_PLAN_ADDRESS] = "Address",
    [LINUX_PLAN_ROUTE] = "Route",         [LINUX_PLAN_RULE] = "Rule",
    [LINUX_PLAN_SETTING] = "Setting",     [LINUX_PLAN_PROCESS] = "Process",
    [LINUX_PLAN_FILE] = "File",
};

void ground_plan_write(const struct plane *plan, struct buf *out) {
    struct json_writer w = {.out = out};
    const struct linux_plan_line *line;

    json_begin_array(&w);
    for (size_t i = 0; (line = linux_plan_line(plan, i)); i++) {
        json_begin_object(&w);
        json_pair_string(&w, "Kind", plan_kinds[line->kind]);
        json_pair_bool(&w, "Machine", line->machine);
        json_pair_string(&w, "Text", line->text);
        json_end_object(&w);
    }
    json_end_array(&w);
}
