/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

#include "../base/clock.h"

#define FEW 16 /* descriptors without memory of their own */

hcs_waitable watch_object(int number) {
    return number;
}

lua_Integer watch_number(hcs_waitable object) {
    return object;
}

bool watch_find(lua_State *L, lua_Integer number, struct watch *out) {
    (void)L;
    out->number = number;
    out->object = (int)number;
    return number >= 0 && number <= INT32_MAX;
}

static void fill(struct pollfd *polls, const hcs_waitable ours[WATCH_OURS],
                 const struct watch *watches, size_t count) {
    for (size_t i = 0; i < WATCH_OURS; i++)
        polls[i] = (struct pollfd){.fd = ours[i], .events = POLLIN};
    for (size_t i = 0; i < count; i++) {
        unsigned wanted = watches[i].wanted;
        polls[WATCH_OURS + i] = (struct pollfd){
            .fd = watches[i].object,
            .events = (short)((wanted & WATCH_READ ? POLLIN : 0) |
                              (wanted & WATCH_WRITE ? POLLOUT : 0))};
    }
}

/* Errors and ends are found by whoever reads or writes. */
static unsigned ready_of(const struct pollfd *poll, unsigned wanted) {
    if (poll->revents == 0)
        return 0;
    if ((poll->revents & (POLLIN | POLLOUT)) == 0)
        return wanted;
    return (poll->revents & POLLIN ? (unsigned)WATCH_READ : 0u) |
           (poll->revents & POLLOUT ? (unsigned)WATCH_WRITE : 0u);
}

HRESULT watch_wait(const hcs_waitable ours[WATCH_OURS], struct watch *watches,
                   size_t count, int64_t timeout, struct hcs_error *error) {
    struct timespec time = {timeout / CLOCK_SECOND, timeout % CLOCK_SECOND};
    struct pollfd few[FEW];
    struct pollfd *polls = few;
    HRESULT hr = S_OK;
    if (WATCH_OURS + count > FEW)
        polls = malloc((WATCH_OURS + count) * sizeof(few[0]));
    if (polls == NULL)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    fill(polls, ours, watches, count);
    if (ppoll(polls, (nfds_t)(WATCH_OURS + count),
              timeout == INT64_MAX ? NULL : &time, NULL) < 0) {
        if (errno == EINTR)
            hr = S_FALSE;
        else
            hr = error_errno(error, errno, "poll");
    }
    for (size_t i = 0; i < count; i++)
        watches[i].ready =
            hr == S_OK ? ready_of(&polls[WATCH_OURS + i], watches[i].wanted)
                       : 0;
    if (polls != few)
        free(polls);
    return hr;
}
