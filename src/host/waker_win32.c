/* SPDX-License-Identifier: MIT
 * The store's event is given away as it is: nothing needs to cover it. */
#include "waker.h"

#include "../base/clock.h"

HRESULT waker_open(struct waker *waker, struct hcs_error *error) {
    *waker = (struct waker){.call = CreateEventW(NULL, FALSE, FALSE, NULL)};
    if (!waker->call)
        return error_win32(error, GetLastError(), "make a host's event");
    return S_OK;
}

void waker_close(struct waker *waker) {
    if (waker->call)
        CloseHandle(waker->call);
    *waker = (struct waker){.call = HCS_NOT_WAITABLE};
}

HRESULT waker_cover(struct waker *waker, hcs_waitable input,
                    struct hcs_error *error) {
    (void)error;
    if (input != waker->input) { /* who sleeps reads it without a lock */
        waker->input = input;
        waker->inputs = input;
    }
    return S_OK;
}

void waker_call(struct waker *waker) {
    SetEvent(waker->call);
}

static DWORD milliseconds(int64_t timeout) {
    if (timeout < 0)
        return INFINITE;
    if (timeout >= (INFINITE - 1) * CLOCK_MS)
        return INFINITE - 1;
    return (DWORD)((timeout + CLOCK_MS - 1) / CLOCK_MS);
}

bool waker_sleep(struct waker *waker, int64_t timeout) {
    HANDLE input = waker->input; /* another thread may cover one meanwhile */
    HANDLE watched[] = {waker->call, input};
    DWORD which = WaitForMultipleObjects(input ? 2 : 1, watched, FALSE,
                                         milliseconds(timeout));
    if (which == WAIT_OBJECT_0) /* the first of those that are ready */
        return input && WaitForSingleObject(input, 0) == WAIT_OBJECT_0;
    return which == WAIT_OBJECT_0 + 1;
}
