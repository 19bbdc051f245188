/* SPDX-License-Identifier: MIT
 * What a thread sleeps on while it waits for input: what the store waits for
 * and a wake-up call from other threads. */
#ifndef HCS_HOST_WAKER_H
#define HCS_HOST_WAKER_H

#include <stdbool.h>

#include "../base/error.h"
#include "../base/os.h"

struct waker {
    hcs_waitable call;   /* ready when somebody called */
    hcs_waitable inputs; /* ready when `input` is; what hosts give away */
    hcs_waitable input;  /* what the store waits for, or HCS_NOT_WAITABLE */
};

HRESULT waker_open(struct waker *waker, struct hcs_error *error);
void waker_close(struct waker *waker);
/* Covers `input` (HCS_NOT_WAITABLE: nothing) from now on. */
HRESULT waker_cover(struct waker *waker, hcs_waitable input,
                    struct hcs_error *error);
/* Watches one more descriptor, and no longer; before it is closed. Where
 * hosts have such (POSIX). */
HRESULT waker_watch(struct waker *waker, hcs_waitable input,
                    struct hcs_error *error);
void waker_forget(struct waker *waker, hcs_waitable input);
void waker_call(struct waker *waker);
/* Sleeps until called, until input is there or for `timeout` ns (-1: without
 * end). Returns whether there is input. */
bool waker_sleep(struct waker *waker, int64_t timeout);

#endif
