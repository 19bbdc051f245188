/* SPDX-License-Identifier: MIT
 * An epoll descriptor over both follows them by itself. */
#include "pollable.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

void pollable_init(struct pollable *pollable) {
    pollable->own = HCS_NOT_WAITABLE;
    pollable->host = HCS_NOT_WAITABLE;
}

static bool add(int epoll, int fd) {
    struct epoll_event event = {.events = EPOLLIN};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EEXIST;
}

HRESULT pollable_get(struct pollable *pollable, struct queue *queue,
                     hcs_waitable host, hcs_waitable *out,
                     struct hcs_error *error) {
    if (pollable->own < 0)
        pollable->own = epoll_create1(EPOLL_CLOEXEC);
    if (pollable->own < 0 || !add(pollable->own, queue_waitable(queue, true)) ||
        (host >= 0 && !add(pollable->own, host)))
        return error_errno(error, errno, "epoll");
    *out = pollable->own;
    return S_OK;
}

HRESULT pollable_get_socket(struct pollable *pollable, struct queue *queue,
                            hcs_waitable host, intptr_t *out,
                            struct hcs_error *error) {
    hcs_waitable own = HCS_NOT_WAITABLE;
    HRESULT hr = pollable_get(pollable, queue, host, &own, error);
    if (SUCCEEDED(hr))
        *out = own;
    return hr;
}

void pollable_update(struct pollable *pollable, struct queue *queue) {
    (void)pollable;
    (void)queue;
}

void pollable_close(struct pollable *pollable) {
    if (pollable->own >= 0)
        (void)close(pollable->own);
    pollable_init(pollable);
}
