/* SPDX-License-Identifier: MIT
 * Streams are ends of named pipes, a set has an event.
 *
 * No wake-up is lost, since each pump resets the event first, then asks the
 * pipes, then arms what is watched, and a completion ends its request first,
 * then sets the event. What comes before a pipe is asked is found. What comes
 * later meets a request that waits and completes it, or finds one armed that is
 * done at once, which sets the event here. And one that is busy when it would
 * be armed sets the event when it ends, which is after the reset. */
#include "stream_win32.h"

#include <stdlib.h>
#include <string.h>

#define WRITE_SIZE 65536 /* bytes given to the system at once */

struct stream {
    struct link link;
    struct stream_set *set;
    struct pipe_end *end;
    stream_ready_fn ready;
    void *context;
    unsigned watched;
    bool broken; /* there is nothing to read any more */
};

/* --- sets ---------------------------------------------------------------- */

HRESULT stream_set_create(struct stream_set **out, struct hcs_error *error) {
    struct stream_set *set = calloc(1, sizeof *set);
    HRESULT hr;
    if (!set)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for streams");
    link_init(&set->streams);
    link_init(&set->listeners);
    set->next_stream = &set->streams;
    set->next_listener = &set->listeners;
    hr = bell_create(&set->bell, error);
    if (FAILED(hr))
        free(set);
    else
        *out = set;
    return hr;
}

void stream_set_destroy(struct stream_set *set) {
    if (!set)
        return;
    stream_listeners_close(set);
    while (!link_alone(&set->streams))
        stream_close(HCS_CONTAINER(set->streams.next, struct stream, link));
    bell_release(set->bell);
    free(set);
}

hcs_waitable stream_set_waitable(const struct stream_set *set) {
    return set->bell->ready;
}

static bool pump_streams(struct stream_set *set) {
    bool did = false;
    for (set->next_stream = set->streams.next;
         set->next_stream != &set->streams;) {
        struct stream *stream =
            HCS_CONTAINER(set->next_stream, struct stream, link);
        unsigned events = stream_events(stream);
        set->next_stream = stream->link.next;
        events &= stream->watched | STREAM_GONE;
        if (events && stream->ready) {
            did = true;
            stream->ready(stream->context, events);
        }
    }
    return did;
}

/* Makes sure that the event tells of what is watched for, also when it holds
 * already. */
static void arm(struct stream *stream) {
    static char nothing;
    struct request *in = &stream->end->in;
    HANDLE ready = stream->end->bell->ready;
    if (stream->broken || ((stream->watched & STREAM_WRITABLE) &&
                           !request_is_busy(&stream->end->out)))
        SetEvent(ready);
    if (stream->broken || !(stream->watched & STREAM_READABLE) ||
        request_is_busy(in))
        return;
    request_begin(in);
    if (!request_began(in, ReadFile(stream->end->handle, &nothing, 0, NULL,
                                    &in->overlapped)
                               ? ERROR_SUCCESS
                               : GetLastError()))
        SetEvent(ready);
}

bool stream_set_pump(struct stream_set *set) {
    bool did;
    ResetEvent(set->bell->ready);
    did = stream_listeners_pump(set);
    did = pump_streams(set) || did;
    stream_listeners_arm(set);
    for (struct link *l = set->streams.next; l != &set->streams; l = l->next)
        arm(HCS_CONTAINER(l, struct stream, link));
    return did;
}

/* --- streams ------------------------------------------------------------- */

HRESULT stream_open(struct stream_set *set, stream_native native,
                    stream_ready_fn ready, void *context, struct stream **out,
                    struct hcs_error *error) {
    struct pipe_end *end = set->arriving;
    struct stream *stream;
    HRESULT hr = S_OK;
    if (end && end->handle == native)
        set->arriving = NULL;
    else
        hr = pipe_end_create(set->bell, native, &end, error);
    if (FAILED(hr))
        return hr;
    stream = calloc(1, sizeof *stream);
    if (!stream) {
        pipe_end_close(end);
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a stream");
    }
    *stream = (struct stream){
        .set = set, .end = end, .ready = ready, .context = context};
    link_init(&stream->link);
    link_append(&set->streams, &stream->link);
    *out = stream;
    return hr;
}

void stream_close(struct stream *stream) {
    if (!stream)
        return;
    if (stream->set->next_stream == &stream->link)
        stream->set->next_stream = stream->link.next;
    link_remove(&stream->link);
    pipe_end_close(stream->end);
    free(stream);
}

stream_native stream_get_native(const struct stream *stream) {
    return stream->end->handle;
}

HRESULT stream_watch(struct stream *stream, unsigned events,
                     struct hcs_error *error) {
    (void)error;
    stream->watched = events;
    arm(stream);
    return S_OK;
}

/* How much there is to read. */
static DWORD available(struct stream *stream) {
    DWORD count = 0;
    if (!stream->broken)
        stream->broken = pipe_end_look(stream->end, &count) != PIPE_OPEN;
    return count;
}

unsigned stream_events(struct stream *stream) {
    unsigned events = available(stream) > 0 ? (unsigned)STREAM_READABLE : 0u;
    if (stream->broken)
        events |= STREAM_READABLE | STREAM_GONE;
    if (!request_is_busy(&stream->end->out))
        events |= STREAM_WRITABLE;
    return events;
}

/* They are there, so that this does not wait; the handle's own completion is
 * not for it, which is what the lowest bit of the event says. */
static DWORD read_now(struct stream *stream, void *bytes, DWORD count,
                      size_t *got) {
    struct bell *bell = stream->end->bell;
    OVERLAPPED overlapped = {.hEvent = (HANDLE)((uintptr_t)bell->read | 1u)};
    DWORD code = ERROR_SUCCESS;
    if (!ReadFile(stream->end->handle, bytes, count, NULL, &overlapped))
        code = GetLastError();
    if (code != ERROR_SUCCESS && code != ERROR_IO_PENDING)
        return code;
    if (!GetOverlappedResult(stream->end->handle, &overlapped, &count, TRUE))
        return GetLastError();
    *got = count;
    return ERROR_SUCCESS;
}

HRESULT stream_read(struct stream *stream, void *bytes, size_t size,
                    size_t *got, struct hcs_error *error) {
    DWORD count = available(stream);
    DWORD code;
    *got = 0;
    if (stream->broken)
        return S_FALSE;
    if (count == 0)
        return S_OK;
    code = read_now(stream, bytes, size < count ? (DWORD)size : count, got);
    if (code != ERROR_SUCCESS)
        return error_win32(error, code, "cannot read from a pipe");
    return S_OK;
}

static bool make_room(struct pipe_end *end, size_t size) {
    char *larger;
    if (end->room >= size)
        return true;
    larger = realloc(end->bytes, size);
    if (!larger)
        return false;
    end->bytes = larger;
    end->room = size;
    return true;
}

/* Gives the system a copy of the bytes; whether it is done with it is seen at
 * `out`. */
static HRESULT write_part(struct pipe_end *end, const char *bytes, DWORD count,
                          struct hcs_error *error) {
    struct request *out = &end->out;
    if (!make_room(end, count))
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory to write");
    memcpy(end->bytes, bytes, count);
    request_begin(out);
    if (request_began(out, WriteFile(end->handle, end->bytes, count, NULL,
                                     &out->overlapped)
                               ? ERROR_SUCCESS
                               : GetLastError()) ||
        out->error == ERROR_SUCCESS)
        return S_OK;
    return error_win32(error, out->error, "cannot write to a pipe");
}

HRESULT stream_write(struct stream *stream, const void *bytes, size_t length,
                     size_t *taken, struct hcs_error *error) {
    struct pipe_end *end = stream->end;
    HRESULT hr = S_OK;
    *taken = 0;
    while (SUCCEEDED(hr) && *taken < length && !request_is_busy(&end->out)) {
        size_t part = length - *taken;
        if (end->out.error != ERROR_SUCCESS)
            return error_win32(error, end->out.error, "cannot write to a pipe");
        if (part > WRITE_SIZE)
            part = WRITE_SIZE;
        hr = write_part(end, (const char *)bytes + *taken, (DWORD)part, error);
        if (SUCCEEDED(hr))
            *taken += part;
    }
    return hr;
}

bool stream_flushed(const struct stream *stream) {
    return !request_is_busy(&stream->end->out);
}
