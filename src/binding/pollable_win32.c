/* SPDX-License-Identifier: MIT
 * The queue's own event, which is raised for the host's input as well: the
 * system's thread pool waits for that, once, until the host was pumped. */
#include "pollable.h"

void pollable_init(struct pollable *pollable) {
    pollable->own = HCS_NOT_WAITABLE;
    pollable->host = HCS_NOT_WAITABLE;
    pollable->watch = NULL;
    pollable->seen = 0;
    pollable->queue = NULL;
}

static void CALLBACK on_input(void *context, BOOLEAN timed_out) {
    struct pollable *pollable = context;
    (void)timed_out;
    InterlockedExchange(&pollable->seen, 1);
    queue_nudge(pollable->queue, true);
}

static void stop(struct pollable *pollable) {
    if (pollable->watch != NULL)
        UnregisterWaitEx(pollable->watch, INVALID_HANDLE_VALUE);
    pollable->watch = NULL;
}

static HRESULT start(struct pollable *pollable, struct hcs_error *error) {
    InterlockedExchange(&pollable->seen, 0);
    if (RegisterWaitForSingleObject(&pollable->watch, pollable->host, on_input,
                                    pollable, INFINITE, WT_EXECUTEONLYONCE))
        return S_OK;
    pollable->watch = NULL;
    return error_set(error, HRESULT_FROM_WIN32(GetLastError()), NULL,
                     "cannot wait for a host (Windows error %lu)",
                     GetLastError());
}

static HRESULT follow(struct pollable *pollable, struct queue *queue,
                      hcs_waitable host, struct hcs_error *error) {
    if (pollable->host == host)
        return S_OK;
    stop(pollable);
    queue_nudge(queue, false);
    pollable->queue = queue;
    pollable->host = host;
    return host == HCS_NOT_WAITABLE ? S_OK : start(pollable, error);
}

HRESULT pollable_get(struct pollable *pollable, struct queue *queue,
                     hcs_waitable host, hcs_waitable *out,
                     struct hcs_error *error) {
    HRESULT hr = follow(pollable, queue, host, error);
    if (SUCCEEDED(hr))
        *out = queue_waitable(queue, true);
    return hr;
}

HRESULT pollable_get_socket(struct pollable *pollable, struct queue *queue,
                            hcs_waitable host, intptr_t *out,
                            struct hcs_error *error) {
    HRESULT hr = follow(pollable, queue, host, error);
    if (SUCCEEDED(hr))
        hr = queue_socket(queue, out, error);
    return hr;
}

/* A wait that cannot be begun again leaves the event raised: then the loop
 * turns for nothing, but misses nothing. */
void pollable_update(struct pollable *pollable, struct queue *queue) {
    if (pollable->seen == 0 ||
        WaitForSingleObject(pollable->host, 0) == WAIT_OBJECT_0)
        return;
    stop(pollable);
    queue_nudge(queue, false);
    if (FAILED(start(pollable, NULL)))
        queue_nudge(queue, true);
}

void pollable_close(struct pollable *pollable) {
    stop(pollable);
    pollable_init(pollable);
}
