/* SPDX-License-Identifier: MIT */
#include "wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

HRESULT wake_open(struct wake *wake, struct hcs_error *error) {
    wake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake->fd < 0)
        return error_errno(error, errno, "eventfd");
    return S_OK;
}

void wake_close(struct wake *wake) {
    if (wake->fd >= 0)
        (void)close(wake->fd);
    wake->fd = -1;
}

/* The counter cannot overflow (it is raised once before it is lowered) and a
 * signal cannot interrupt what does not block, so neither call can fail. */
void wake_raise(struct wake *wake) {
    uint64_t one = 1;
    ssize_t written = write(wake->fd, &one, sizeof(one));
    (void)written;
}

void wake_lower(struct wake *wake) {
    uint64_t count;
    ssize_t taken = read(wake->fd, &count, sizeof(count));
    (void)taken;
}

int wake_pollfd(const struct wake *wake) {
    return wake->fd;
}
