/* SPDX-License-Identifier: MIT
 * HCS_DUMP_EXPORT: a dump that is written in another format by a thread of its
 * own, so that Lua and the host go on meanwhile. */
#include "dump.h"

#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/thread.h"

#define TYPE "HCS_DUMP_EXPORT"

struct export {
    struct dump *dump; /* kept alive by the first user value */
    VM_SAVED_STATE_DUMP_HANDLE handle;
    HCSHOST_DUMP_EXPORT how;
    PWSTR path;
    bool started; /* the thread is to be joined */
    hcs_thread thread;

    hcs_mutex lock; /* guards all that follows */
    hcs_condition changed;
    bool cancelled, finished;
    uint64_t done, total;
    HRESULT result;
    UINT64 bytes;
};

static BOOL on_progress(void *context, uint64_t done, uint64_t total) {
    struct export *export = context;
    bool go_on;
    mutex_lock(&export->lock);
    export->done = done;
    export->total = total;
    go_on = !export->cancelled;
    mutex_unlock(&export->lock);
    return go_on;
}

static void run(void *context) {
    struct export *export = context;
    UINT64 bytes = 0;
    HRESULT hr = export->dump->library->own.hcshost_dump_export(
        export->handle, export->path, &export->how, on_progress, export,
        &bytes);
    mutex_lock(&export->lock);
    export->finished = true;
    export->result = hr;
    export->bytes = bytes;
    condition_broadcast(&export->changed);
    mutex_unlock(&export->lock);
}

static void cancel(struct export *export) {
    mutex_lock(&export->lock);
    export->cancelled = true;
    mutex_unlock(&export->lock);
}

static int export_close(lua_State *L) {
    struct export *export = luaL_checkudata(L, 1, TYPE);
    if (export->started) {
        cancel(export);
        thread_join(export->thread);
        export->started = false;
    }
    free(export->path);
    export->path = NULL;
    return 0;
}

/* A lock that no longer guards anything is let go of last. */
static int export_gc(lua_State *L) {
    struct export *export = luaL_checkudata(L, 1, TYPE);
    (void)export_close(L);
    if (export->dump != NULL) {
        condition_destroy(&export->changed);
        mutex_destroy(&export->lock);
    }
    export->dump = NULL;
    return 0;
}

static int export_cancel(lua_State *L) {
    struct export *export = luaL_checkudata(L, 1, TYPE);
    if (export->dump != NULL)
        cancel(export);
    return 0;
}

/* export:wait(seconds): whether it has ended, and how much of how much is done.
 */
static int export_wait(lua_State *L) {
    struct export *export = luaL_checkudata(L, 1, TYPE);
    int64_t time = lhcs_check_time(L, 2, 0);
    int64_t deadline = clock_monotonic() + time;
    uint64_t done, total;
    bool finished;
    luaL_argcheck(L, export->dump != NULL, 1, "it is closed");
    mutex_lock(&export->lock);
    while (!export->finished && time > 0 &&
           condition_wait(&export->changed, &export->lock, deadline))
        ;
    finished = export->finished;
    done = export->done;
    total = export->total;
    mutex_unlock(&export->lock);
    lua_pushboolean(L, finished);
    lua_pushinteger(L, (lua_Integer)done);
    lua_pushinteger(L, (lua_Integer)total);
    return 3;
}

/* export:result(): the file's length, once it has ended. */
static int export_result(lua_State *L) {
    struct export *export = luaL_checkudata(L, 1, TYPE);
    luaL_argcheck(L, export->dump != NULL, 1, "it is closed");
    if (export->started)
        thread_join(export->thread);
    export->started = false;
    if (FAILED(export->result))
        return lhcs_dump_fail(L, export->dump, export->result);
    lua_pushinteger(L, (lua_Integer) export->bytes);
    return 1;
}

static struct export *new_export(lua_State *L, struct dump *dump) {
    struct export *export = lua_newuserdatauv(L, sizeof(*export), 1);
    memset(export, 0, sizeof(*export));
    mutex_init(&export->lock);
    condition_init(&export->changed);
    export->dump = dump;
    export->handle = dump->handle;
    luaL_setmetatable(L, TYPE);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    return export;
}

/* dump:export(path, format, compress, max, free): it begins. */
int lhcs_dump_export(lua_State *L) {
    static const char *const formats[] = {"elf", "kdump", "raw", "vmrs", NULL};
    struct dump *dump = lhcs_check_dump(L);
    struct lhcs_word path = {.arg = 2};
    struct hcs_error error = {.code = S_OK};
    struct export *export;
    HRESULT hr;
    luaL_checkstring(L, 2);
    lua_settop(L, 6);
    export = new_export(L, dump);
    export->how.Format =
        (HCSHOST_DUMP_FORMAT)luaL_checkoption(L, 3, NULL, formats);
    export->how.Compress = lua_toboolean(L, 4);
    export->how.MaxBytes = (uint64_t)luaL_optinteger(L, 5, 0);
    export->how.KeepFree = (uint64_t)luaL_optinteger(L, 6, 0);
    lhcs_words(L, &path, 1);
    export->path = path.wide;
    hr = thread_start(&export->thread, run, export, &error);
    if (FAILED(hr))
        return lhcs_fail(L, hr, error.text);
    export->started = true;
    return 1;
}

void lhcs_dump_export_register(lua_State *L) {
    static const luaL_Reg methods[] = {{"wait", export_wait},
                                       {"result", export_result},
                                       {"cancel", export_cancel},
                                       {"close", export_close},
                                       {NULL, NULL}};
    static const luaL_Reg meta[] = {
        {"__gc", export_gc}, {"__close", export_close}, {NULL, NULL}};
    if (luaL_newmetatable(L, TYPE)) {
        luaL_setfuncs(L, meta, 0);
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
    }
    lua_pop(L, 1);
}
