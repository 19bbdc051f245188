/* SPDX-License-Identifier: MIT
 * The inside of streams on Windows, for stream_win32*.c only.
 *
 * What the system is asked to do takes its time, and its OVERLAPPED must stay
 * until it has been done: so the ends of pipes are counted, and a completion,
 * on a thread of the system's pool, does no more than to set the set's event
 * and to let go. All else happens on the thread that the set belongs to, which
 * asks the pipes themselves what there is. */
#ifndef HCS_STREAM_WIN32_H
#define HCS_STREAM_WIN32_H

#include "counter.h"
#include "list.h"
#include "stream.h"

/* The events of a set, which may outlive it. */
struct bell {
    hcs_counter references;
    HANDLE ready; /* somebody should pump */
    HANDLE read;  /* for reads of what is there */
};

struct pipe_end;

/* Something that the system was asked to do. */
struct request {
    OVERLAPPED overlapped;
    struct pipe_end *end;
    hcs_counter busy; /* until it is done */
    DWORD error;      /* how it went, once it is not busy */
};

struct pipe_end {
    HANDLE handle;
    hcs_counter references; /* its owner's and those of busy requests */
    struct bell *bell;
    struct request in;  /* waits for a client, and then for bytes */
    struct request out; /* writes `bytes` */
    char *bytes;
    size_t room;
};

struct stream_set {
    struct bell *bell;
    struct link streams;
    struct link listeners;
    struct link *next_stream; /* where a pump under way goes on */
    struct link *next_listener;
    struct pipe_end *arriving; /* a client's, to become a stream */
};

enum pipe_state {
    PIPE_OPEN,
    PIPE_BROKEN, /* the other side is closed, and its bytes are read */
    PIPE_LISTENING,
    PIPE_CUT /* nobody is there any more, nor can come */
};

HRESULT bell_create(struct bell **out, struct hcs_error *error);
void bell_release(struct bell *bell);

/* Takes the handle over, also when it fails. */
HRESULT pipe_end_create(struct bell *bell, HANDLE handle, struct pipe_end **out,
                        struct hcs_error *error);
void pipe_end_close(struct pipe_end *end);
/* The same when its handle has been closed already. */
void pipe_end_release(struct pipe_end *end);
/* What the pipe is, and how many bytes are there to be read. */
enum pipe_state pipe_end_look(const struct pipe_end *end, DWORD *available);

/* Around the call that asks the system; `code` is what GetLastError says after
 * it, ERROR_SUCCESS when it was done at once. Returns whether it is under
 * way. */
void request_begin(struct request *request);
bool request_began(struct request *request, DWORD code);
bool request_is_busy(struct request *request);

/* Listeners (stream_win32_listen.c). Whether somebody came. */
bool stream_listeners_pump(struct stream_set *set);
/* Makes sure that whoever comes is noticed. */
void stream_listeners_arm(struct stream_set *set);
void stream_listeners_close(struct stream_set *set);

#endif
