/* SPDX-License-Identifier: MIT
 * What a thread sleeps on while it waits for input: the store's descriptor and
 * a wake-up call from other threads. */
#ifndef HCS_HOST_WAKER_H
#define HCS_HOST_WAKER_H

#include <stdbool.h>

#include "../base/error.h"

struct waker {
    int call;   /* readable when somebody called */
    int inputs; /* covers the store's descriptor; what hosts give away */
    int input;  /* the store's descriptor that it covers now, or -1 */
};

HRESULT waker_open(struct waker *waker, struct hcs_error *error);
void waker_close(struct waker *waker);
/* Covers `input` (-1: nothing) from now on. */
HRESULT waker_cover(struct waker *waker, int input, struct hcs_error *error);
void waker_call(struct waker *waker);
/* Sleeps until called, until input is there or for `timeout` ns (-1: without
 * end). Returns whether there is input. */
bool waker_sleep(struct waker *waker, int64_t timeout);

#endif
