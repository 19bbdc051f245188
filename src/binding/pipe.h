/* SPDX-License-Identifier: MIT
 * A pipe as the platform has it, below HCS_PIPE. */
#ifndef LHCS_PIPE_H
#define LHCS_PIPE_H

#include <lua.h>
#include <stdbool.h>

#include "../abi/hcs_types.h"
#include "../base/error.h"
#include "../base/os.h"

struct stream;
struct stream_set;

struct pipe {
    HANDLE handle; /* NULL when closed */
    BOOL(WINAPI *close)(HANDLE handle);
    struct stream_set *set; /* these two on Windows */
    struct stream *stream;
};

/* Connects to a named pipe that is not a host's of ours. HR_FILE_NOT_FOUND
 * when there is none by that name; HR_NOT_SUPPORTED where only hosts of ours
 * have pipes. */
HRESULT pipe_reach(PCWSTR name, HANDLE *out, struct hcs_error *error);
/* Makes a stream of a handle, which is taken over, also when it fails. */
HRESULT pipe_adopt(struct pipe *pipe, HANDLE handle, struct hcs_error *error);
void pipe_drop(struct pipe *pipe); /* idempotent */
/* What there is, at most `size` bytes; S_FALSE at the end. */
HRESULT pipe_take(struct pipe *pipe, char *bytes, size_t size, size_t *got,
                  struct hcs_error *error);
/* S_FALSE while it is still connecting; what kept it from that. */
HRESULT pipe_connected(const struct pipe *pipe, struct hcs_error *error);
/* *put is how many of the bytes were taken. */
HRESULT pipe_put(struct pipe *pipe, const char *bytes, size_t length,
                 size_t *put, struct hcs_error *error);
/* What waits for it. */
hcs_waitable pipe_waitable(const struct pipe *pipe);
/* Makes it ready whenever there is something to read, or the end, until
 * pipe_take has found nothing; also for who does not wait by api.pump. */
void pipe_arm(struct pipe *pipe);

/* Which of `wanted` (WATCH_…) holds; if none, the pipe's waitable becomes
 * ready when one may. Windows only. */
unsigned pipe_look(struct pipe *pipe, unsigned wanted);
/* Pushes the table of open pipes by their number, kept alive by others. */
void pipe_push_known(lua_State *L);

#endif
