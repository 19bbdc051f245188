/* SPDX-License-Identifier: MIT */
#include "waker.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/clock.h"

HRESULT waker_open(struct waker *waker, struct hcs_error *error) {
    *waker = (struct waker){.call = HCS_NOT_WAITABLE,
                            .inputs = HCS_NOT_WAITABLE,
                            .input = HCS_NOT_WAITABLE};
    waker->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (waker->call >= 0)
        waker->inputs = epoll_create1(EPOLL_CLOEXEC);
    if (waker->inputs < 0) {
        HRESULT hr = error_errno(error, errno, "make a host's descriptors");
        waker_close(waker);
        return hr;
    }
    return S_OK;
}

void waker_close(struct waker *waker) {
    if (waker->call >= 0)
        close(waker->call);
    if (waker->inputs >= 0)
        close(waker->inputs);
    *waker = (struct waker){.call = HCS_NOT_WAITABLE,
                            .inputs = HCS_NOT_WAITABLE,
                            .input = HCS_NOT_WAITABLE};
}

HRESULT waker_cover(struct waker *waker, hcs_waitable input,
                    struct hcs_error *error) {
    struct epoll_event event = {.events = EPOLLIN};

    if (input == waker->input)
        return S_OK;
    /* A descriptor that was closed has left the set by itself. */
    if (waker->input >= 0)
        epoll_ctl(waker->inputs, EPOLL_CTL_DEL, waker->input, NULL);
    waker->input = -1;
    if (input >= 0 &&
        epoll_ctl(waker->inputs, EPOLL_CTL_ADD, input, &event) < 0)
        return error_errno(error, errno, "watch the systems' input");
    waker->input = input;
    return S_OK;
}

HRESULT waker_watch(struct waker *waker, hcs_waitable input,
                    struct hcs_error *error) {
    struct epoll_event event = {.events = EPOLLIN};

    if (epoll_ctl(waker->inputs, EPOLL_CTL_ADD, input, &event) < 0)
        return error_errno(error, errno, "watch the networks' events");
    return S_OK;
}

void waker_forget(struct waker *waker, hcs_waitable input) {
    epoll_ctl(waker->inputs, EPOLL_CTL_DEL, input, NULL);
}

/* A counter that is full has been called already, so no failure matters. */
void waker_call(struct waker *waker) {
    uint64_t one = 1;
    ssize_t written;
    do
        written = write(waker->call, &one, sizeof one);
    while (written < 0 && errno == EINTR);
}

static int milliseconds(int64_t timeout) {
    if (timeout < 0)
        return -1;
    if (timeout >= INT_MAX * CLOCK_MS)
        return INT_MAX;
    return (int)((timeout + CLOCK_MS - 1) / CLOCK_MS);
}

bool waker_sleep(struct waker *waker, int64_t timeout) {
    struct pollfd watched[] = {
        {.fd = waker->call, .events = POLLIN},
        {.fd = waker->inputs, .events = POLLIN},
    };
    uint64_t calls;

    if (poll(watched, 2, milliseconds(timeout)) <= 0)
        return false;
    if (watched[0].revents) {
        ssize_t taken = read(waker->call, &calls, sizeof calls);
        (void)taken; /* somebody else may have been faster */
    }
    return watched[1].revents != 0;
}
