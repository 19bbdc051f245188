/* SPDX-License-Identifier: MIT
 * A daemon's ground for those who test it without a kernel's networks: the
 * simulated plane, whose taps are /dev/null. An endpoint whose id begins with
 * an odd number takes none that it is offered. */
#include <fcntl.h>

#include "hostd/ground.h"

HRESULT ground_enter(struct hcs_error *error) {
    (void)error;
    return S_OK;
}

HRESULT ground_open(const char *files, struct plane **out,
                    struct hcs_error *error) {
    (void)files;
    return sim_plane_open(out, error);
}

const struct plane_ops *ground_ops(void) {
    return sim_plane_ops();
}

int ground_pollfd(const struct plane *plane) {
    (void)plane;
    return -1;
}

HRESULT ground_tend(struct plane *plane, struct hcs_error *error) {
    (void)plane;
    (void)error;
    return S_OK;
}

HRESULT ground_uplink(struct plane *plane, struct hcs_error *error) {
    (void)plane;
    (void)error;
    return S_OK;
}

HRESULT ground_tap(struct plane *plane, const struct guid *endpoint, int *fd,
                   struct hcs_error *error) {
    (void)plane;
    (void)endpoint;
    (void)error;
    *fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return S_OK;
}

HRESULT ground_offer(struct plane *plane, const struct guid *endpoint, int fd,
                     struct hcs_error *error) {
    (void)plane;
    if (fd >= 0 && endpoint->bytes[0] % 2)
        return error_set(error, E_INVALIDARG, NULL, "it is no tap");
    return S_OK;
}

HRESULT ground_connect(struct plane *plane, const struct ip_address *address,
                       uint16_t port, int *fd, struct hcs_error *error) {
    (void)address;
    (void)port;
    return ground_tap(plane, NULL, fd, error);
}

HRESULT ground_count(struct plane *plane, struct ground_counts *out,
                     struct hcs_error *error) {
    (void)plane;
    (void)error;
    *out = (struct ground_counts){0};
    return S_OK;
}

HRESULT ground_plan_open(struct plane *plane, struct plane **out,
                         struct hcs_error *error) {
    (void)plane;
    return sim_plane_open(out, error);
}

const struct plane_ops *ground_plan_ops(void) {
    return sim_plane_ops();
}

HRESULT ground_plan_begin(struct plane *plan, bool uplink,
                          struct hcs_error *error) {
    (void)plan;
    (void)uplink;
    (void)error;
    return S_OK;
}

void ground_plan_write(const struct plane *plan, struct buf *out) {
    (void)plan;
    buf_puts(out, "[]");
}
