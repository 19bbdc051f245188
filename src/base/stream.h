/* SPDX-License-Identifier: MIT
 * Byte streams that never block, and sets of them that are waited for as one:
 * sockets on POSIX systems, named pipes on Windows.
 *
 * A set and all that is in it belong to one thread at a time; only the set's
 * waitable may be waited for by others meanwhile. */
#ifndef HCS_STREAM_H
#define HCS_STREAM_H

#include <stdbool.h>

#include "error.h"
#include "os.h"

/* What the system knows a stream by: a connected stream socket, or one end of a
 * byte-mode pipe that was opened with FILE_FLAG_OVERLAPPED. And whether other
 * processes find listeners by their names. */
#ifdef _WIN32
typedef HANDLE stream_native;
#define STREAM_NO_NATIVE NULL
#define STREAM_HAS_NAMES true
#else
typedef int stream_native;
#define STREAM_NO_NATIVE (-1)
#define STREAM_HAS_NAMES false
#endif

/* The same as the ABI's HANDLE, and back (hcshost_pipe_connect). */
static inline HANDLE stream_to_handle(stream_native native) {
#ifdef _WIN32
    return native;
#else
    return (HANDLE)((intptr_t)native + 1);
#endif
}

static inline stream_native stream_from_handle(HANDLE handle) {
#ifdef _WIN32
    return handle;
#else
    return (stream_native)((intptr_t)handle - 1);
#endif
}

enum stream_event {
    STREAM_READABLE = 1, /* there are bytes, or the end */
    STREAM_WRITABLE = 2, /* stream_write would take something, or fail */
    STREAM_GONE = 4      /* the other side is closed for good */
};

struct stream;
struct stream_set;
struct stream_listener;

/* --- sets ---------------------------------------------------------------- */

HRESULT stream_set_create(struct stream_set **out, struct hcs_error *error);
/* Closes what is in it. */
void stream_set_destroy(struct stream_set *set);
/* Ready when stream_set_pump has something to do. It may be so once too often;
 * after a pump that did nothing it is not ready. */
hcs_waitable stream_set_waitable(const struct stream_set *set);
/* Calls `ready` of each stream where something watched for holds, and `accept`
 * for clients that came. What another process has written before this call is
 * found by it. Never blocks; returns whether anything was called. Functions
 * that are called may close any stream and listener of the set, and open some,
 * but not pump or destroy the set. */
bool stream_set_pump(struct stream_set *set);

/* --- streams ------------------------------------------------------------- */

/* `events`: what holds of what is watched (STREAM_GONE always is). */
typedef void (*stream_ready_fn)(void *context, unsigned events);

/* Puts a stream into the set and takes `native` over, also when it fails.
 * `ready` may be NULL for a stream that is only asked (stream_events). It is
 * watched for nothing yet. */
HRESULT stream_open(struct stream_set *set, stream_native native,
                    stream_ready_fn ready, void *context, struct stream **out,
                    struct hcs_error *error);
/* What the other side was sent can still be read there; bytes that
 * stream_flushed does not vouch for may be lost. NULL is fine. */
void stream_close(struct stream *stream);
stream_native stream_get_native(const struct stream *stream);
/* Watches for STREAM_READABLE and/or STREAM_WRITABLE from now on, or for
 * nothing (0). */
HRESULT stream_watch(struct stream *stream, unsigned events,
                     struct hcs_error *error);
/* Which events hold now, watched or not. */
unsigned stream_events(struct stream *stream);
/* At most `size` (> 0) bytes that have arrived: *got is 0 when there are none
 * now. S_FALSE and 0: it is the end, none will come any more. */
HRESULT stream_read(struct stream *stream, void *bytes, size_t size,
                    size_t *got, struct hcs_error *error);
/* *taken is how many of the bytes, from the first on, are on their way: 0 when
 * there is no room now. Fails when the other side is gone. */
HRESULT stream_write(struct stream *stream, const void *bytes, size_t length,
                     size_t *taken, struct hcs_error *error);
/* Whether all that was taken has left this process, so that closing the stream
 * loses nothing. Becomes true together with STREAM_WRITABLE. */
bool stream_flushed(const struct stream *stream);

/* --- where clients arrive ------------------------------------------------ */

/* Takes a client's native stream over, also when it fails: then the client is
 * turned away. May not close the listener. */
typedef HRESULT (*stream_accept_fn)(void *context, stream_native client,
                                    struct hcs_error *error);

/* Windows: makes the named pipe `name` (UTF-8, "\\.\pipe\…") for this user's
 * processes on this machine; HR_SHARING_VIOLATION when it exists. Elsewhere the
 * name means nothing, and stream_listener_connect is the only way in. */
HRESULT stream_listen(struct stream_set *set, const char *name,
                      stream_accept_fn accept, void *context,
                      struct stream_listener **out, struct hcs_error *error);
/* Accepts who has come by now first. NULL is fine. */
void stream_listener_close(struct stream_listener *listener);
/* The client's end of a new connection, which has been accepted when this
 * returns. Not inherited by child processes. */
HRESULT stream_listener_connect(struct stream_listener *listener,
                                stream_native *out, struct hcs_error *error);

#endif
