/* SPDX-License-Identifier: MIT
 * Streams are sockets, a set is an epoll instance. */
#include "stream.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "list.h"

#define EVENTS_AT_ONCE 32

struct stream_set {
    int epoll;
    pid_t owner;
    bool pumping;
    struct link streams;
    struct link dead; /* streams that a pump under way may still name */
    struct link listeners;
};

struct stream {
    struct link link;
    struct stream_set *set;
    int fd; /* -1: dead */
    stream_ready_fn ready;
    void *context;
    unsigned watched;
    bool added; /* to the epoll instance */
};

struct stream_listener {
    struct link link;
    struct stream_set *set;
    stream_accept_fn accept;
    void *context;
};

/* --- sets ---------------------------------------------------------------- */

static void bury(struct stream_set *set) {
    while (!link_alone(&set->dead)) {
        struct link *first = set->dead.next;
        link_remove(first);
        free(HCS_CONTAINER(first, struct stream, link));
    }
}

HRESULT stream_set_create(struct stream_set **out, struct hcs_error *error) {
    struct stream_set *set = calloc(1, sizeof *set);
    if (!set)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for streams");
    link_init(&set->streams);
    link_init(&set->dead);
    link_init(&set->listeners);
    set->owner = getpid();
    set->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (set->epoll < 0) {
        int number = errno;
        free(set);
        return error_errno(error, number, "cannot watch streams");
    }
    *out = set;
    return S_OK;
}

void stream_set_destroy(struct stream_set *set) {
    if (!set)
        return;
    while (!link_alone(&set->listeners))
        stream_listener_close(
            HCS_CONTAINER(set->listeners.next, struct stream_listener, link));
    while (!link_alone(&set->streams))
        stream_close(HCS_CONTAINER(set->streams.next, struct stream, link));
    close(set->epoll);
    free(set);
}

hcs_waitable stream_set_waitable(const struct stream_set *set) {
    return set->epoll;
}

static unsigned events_from(uint32_t epoll_events) {
    return (epoll_events & EPOLLIN ? (unsigned)STREAM_READABLE : 0u) |
           (epoll_events & EPOLLOUT ? (unsigned)STREAM_WRITABLE : 0u) |
           (epoll_events & (EPOLLHUP | EPOLLERR) ? (unsigned)STREAM_GONE : 0u);
}

bool stream_set_pump(struct stream_set *set) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(set->epoll, events, EVENTS_AT_ONCE, 0);
    set->pumping = true;
    for (int i = 0; i < count; i++) {
        struct stream *stream = events[i].data.ptr;
        if (stream->fd >= 0 && stream->ready)
            stream->ready(stream->context, events_from(events[i].events));
    }
    set->pumping = false;
    bury(set);
    return count > 0;
}

/* --- streams ------------------------------------------------------------- */

HRESULT stream_open(struct stream_set *set, stream_native native,
                    stream_ready_fn ready, void *context, struct stream **out,
                    struct hcs_error *error) {
    struct stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        close(native);
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a stream");
    }
    *stream = (struct stream){
        .set = set, .fd = native, .ready = ready, .context = context};
    link_init(&stream->link);
    link_append(&set->streams, &stream->link);
    *out = stream;
    return S_OK;
}

/* A copy of the descriptor in a forked child would keep it in the epoll
 * instance, which a child that closes its own must leave alone in turn. */
static void unwatch(const struct stream *stream) {
    if (stream->added && stream->set->owner == getpid())
        epoll_ctl(stream->set->epoll, EPOLL_CTL_DEL, stream->fd, NULL);
}

void stream_close(struct stream *stream) {
    if (!stream)
        return;
    unwatch(stream);
    close(stream->fd);
    stream->fd = -1;
    link_remove(&stream->link);
    link_append(&stream->set->dead, &stream->link);
    if (!stream->set->pumping)
        bury(stream->set);
}

stream_native stream_get_native(const struct stream *stream) {
    return stream->fd;
}

HRESULT stream_watch(struct stream *stream, unsigned events,
                     struct hcs_error *error) {
    struct epoll_event event = {
        .events = (events & STREAM_READABLE ? (uint32_t)EPOLLIN : 0u) |
                  (events & STREAM_WRITABLE ? (uint32_t)EPOLLOUT : 0u),
        .data.ptr = stream};
    if (stream->added && stream->watched == events)
        return S_OK;
    if (epoll_ctl(stream->set->epoll,
                  stream->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, stream->fd,
                  &event) != 0)
        return error_errno(error, errno, "cannot watch a stream");
    stream->added = true;
    stream->watched = events;
    return S_OK;
}

unsigned stream_events(struct stream *stream) {
    struct pollfd asked = {.fd = stream->fd, .events = POLLIN | POLLOUT};
    if (poll(&asked, 1, 0) <= 0)
        return 0;
    return (asked.revents & POLLIN ? (unsigned)STREAM_READABLE : 0u) |
           (asked.revents & POLLOUT ? (unsigned)STREAM_WRITABLE : 0u) |
           (asked.revents & (POLLHUP | POLLERR) ? (unsigned)STREAM_GONE : 0u);
}

static bool is_not_now(int number) {
    return number == EAGAIN || number == EWOULDBLOCK || number == EINTR;
}

HRESULT stream_read(struct stream *stream, void *bytes, size_t size,
                    size_t *got, struct hcs_error *error) {
    ssize_t count = recv(stream->fd, bytes, size, MSG_DONTWAIT);
    *got = count > 0 ? (size_t)count : 0;
    if (count > 0 || (count < 0 && is_not_now(errno)))
        return S_OK;
    if (count == 0 || errno == ECONNRESET)
        return S_FALSE;
    return error_errno(error, errno, "cannot read from a stream");
}

HRESULT stream_write(struct stream *stream, const void *bytes, size_t length,
                     size_t *taken, struct hcs_error *error) {
    ssize_t sent;
    *taken = 0;
    if (length == 0)
        return S_OK;
    do
        sent = send(stream->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && !is_not_now(errno))
        return error_errno(error, errno, "cannot write to a stream");
    *taken = sent > 0 ? (size_t)sent : 0;
    return S_OK;
}

bool stream_flushed(const struct stream *stream) {
    (void)stream;
    return true; /* the system has it */
}

/* --- where clients arrive ------------------------------------------------ */

HRESULT stream_listen(struct stream_set *set, const char *name,
                      stream_accept_fn accept, void *context,
                      struct stream_listener **out, struct hcs_error *error) {
    struct stream_listener *listener = calloc(1, sizeof *listener);
    (void)name;
    if (!listener)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a pipe");
    *listener = (struct stream_listener){
        .set = set, .accept = accept, .context = context};
    link_init(&listener->link);
    link_append(&set->listeners, &listener->link);
    *out = listener;
    return S_OK;
}

void stream_listener_close(struct stream_listener *listener) {
    if (!listener)
        return;
    link_remove(&listener->link);
    free(listener);
}

HRESULT stream_listener_connect(struct stream_listener *listener,
                                stream_native *out, struct hcs_error *error) {
    HRESULT hr;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return error_errno(error, errno, "cannot connect to a pipe");
    hr = listener->accept(listener->context, ends[0], error);
    if (FAILED(hr))
        close(ends[1]);
    else
        *out = ends[1];
    return hr;
}
