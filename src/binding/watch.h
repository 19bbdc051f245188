/* SPDX-License-Identifier: MIT
 * What api.pump waits for: objects of the host and of its own, and the
 * descriptors that Lua names. On Windows a descriptor is the number of a
 * handle that can be waited for. */
#ifndef LHCS_WATCH_H
#define LHCS_WATCH_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "../base/error.h"
#include "../base/os.h"

struct pipe;

enum { WATCH_READ = 1, WATCH_WRITE = 2 };

/* One of Lua's. */
struct watch {
    hcs_waitable object;
    lua_Integer number;
    unsigned wanted; /* WATCH_… */
    unsigned ready;
    struct pipe *pipe; /* where that is one of ours and Windows' */
};

/* Objects besides them; HCS_NOT_WAITABLE among those is none. */
#define WATCH_OURS 3

/* Fills in what belongs to the number of a descriptor; false when it is none.
 */
bool watch_find(lua_State *L, lua_Integer number, struct watch *out);

/* Waits at most `timeout` ns of real time (INT64_MAX: for ever) until one of
 * `ours` is ready or one of `watches` for what is wanted of it; it may return
 * too early. Fills in what is ready. S_FALSE when a signal came. */
HRESULT watch_wait(const hcs_waitable ours[WATCH_OURS], struct watch *watches,
                   size_t count, int64_t timeout, struct hcs_error *error);

/* What a function of the ABI gives for a waitable, -1 for none. */
hcs_waitable watch_object(int number);
/* The number by which Lua knows it. */
lua_Integer watch_number(hcs_waitable object);

#endif
