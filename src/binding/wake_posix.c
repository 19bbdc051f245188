/* SPDX-License-Identifier: MIT */
#include "wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

HRESULT wake_open(struct wake *wake, struct hcs_error *error) {
    wake->object = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake->object < 0)
        return error_errno(error, errno, "eventfd");
    return S_OK;
}

void wake_close(struct wake *wake) {
    if (wake->object >= 0)
        (void)close(wake->object);
    wake->object = HCS_NOT_WAITABLE;
}

/* The counter cannot overflow (it is raised once before it is lowered) and a
 * signal cannot interrupt what does not block, so neither call can fail. */
void wake_raise(struct wake *wake) {
    uint64_t one = 1;
    ssize_t written = write(wake->object, &one, sizeof(one));
    (void)written;
}

void wake_lower(struct wake *wake) {
    uint64_t count;
    ssize_t taken = read(wake->object, &count, sizeof(count));
    (void)taken;
}

hcs_waitable wake_waitable(const struct wake *wake) {
    return wake->object;
}

/* Here whatever polls sockets polls any descriptor. */
HRESULT wake_socket(struct wake *wake, bool raised, intptr_t *out,
                    struct hcs_error *error) {
    (void)raised;
    (void)error;
    *out = wake->object;
    return S_OK;
}
