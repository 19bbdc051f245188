/* SPDX-License-Identifier: MIT
 * Ctrl-C. Windows calls the handlers of a process on a thread of its own, the
 * newest first, until one says that it has dealt with it. Ours, which is there
 * while a host is open, only wakes who waits and lets the others have it, so
 * that a program's own way to take Ctrl-C (lua.exe has one) keeps working; that
 * of core.interruptible deals with it. */
#include "interrupt.h"
#include "lhcs.h"

#include <lauxlib.h>

#include "../base/thread.h"

#define OTHERS_MS 10 /* what the handlers after ours may take */

static hcs_mutex lock = HCS_MUTEX_INIT; /* guards what follows */
static struct link listeners = {&listeners, &listeners};
static unsigned users;     /* for whom on_control is there */
static lua_State *running; /* the innermost call of core.interruptible */

struct hook {
    lua_Hook function;
    int mask, count;
};

static void raise_it(lua_State *L, lua_Debug *activation) {
    (void)activation;
    lua_sethook(L, NULL, 0, 0);
    luaL_error(L, "interrupted!");
}

static void wake_all(void) {
    for (struct link *at = listeners.next; at != &listeners; at = at->next)
        SetEvent(HCS_CONTAINER(at, struct interrupt, link)->object);
}

static BOOL WINAPI on_control(DWORD type) {
    if (type == CTRL_C_EVENT || type == CTRL_BREAK_EVENT) {
        mutex_lock(&lock);
        wake_all();
        mutex_unlock(&lock);
    }
    return FALSE;
}

/* There while core.interruptible runs. Setting a hook is the one thing that
 * Lua allows from outside. */
static BOOL WINAPI on_interrupt(DWORD type) {
    BOOL done = FALSE;
    if (type != CTRL_C_EVENT)
        return FALSE;
    mutex_lock(&lock);
    if (running != NULL) {
        lua_sethook(running, raise_it,
                    LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT,
                    1);
        wake_all();
        done = TRUE;
    }
    mutex_unlock(&lock);
    return done;
}

/* Windows calls handlers under a lock of its own, so ours must not be held
 * while it is asked for anything. */
static bool acquire(void) {
    bool first;
    mutex_lock(&lock);
    first = users++ == 0;
    mutex_unlock(&lock);
    if (!first || SetConsoleCtrlHandler(on_control, TRUE))
        return true;
    mutex_lock(&lock);
    users--;
    mutex_unlock(&lock);
    return false;
}

static void release(void) {
    bool last;
    mutex_lock(&lock);
    last = --users == 0;
    mutex_unlock(&lock);
    if (last)
        SetConsoleCtrlHandler(on_control, FALSE);
}

HRESULT interrupt_open(struct interrupt *interrupt, struct hcs_error *error) {
    interrupt->object = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (interrupt->object == NULL || !acquire()) {
        DWORD code = GetLastError();
        if (interrupt->object != NULL)
            CloseHandle(interrupt->object);
        interrupt->object = HCS_NOT_WAITABLE;
        return error_set(error, HRESULT_FROM_WIN32(code), NULL,
                         "cannot listen for Ctrl-C (Windows error %lu)", code);
    }
    link_init(&interrupt->link);
    mutex_lock(&lock);
    link_append(&listeners, &interrupt->link);
    mutex_unlock(&lock);
    return S_OK;
}

void interrupt_close(struct interrupt *interrupt) {
    if (interrupt->object == HCS_NOT_WAITABLE)
        return;
    mutex_lock(&lock);
    link_remove(&interrupt->link);
    mutex_unlock(&lock);
    release();
    CloseHandle(interrupt->object);
    interrupt->object = HCS_NOT_WAITABLE;
}

/* The handlers after ours, of which one may want to stop Lua by its hook, get
 * their time. */
bool interrupt_came(struct interrupt *interrupt) {
    if (WaitForSingleObject(interrupt->object, 0) != WAIT_OBJECT_0)
        return false;
    ResetEvent(interrupt->object);
    Sleep(OTHERS_MS);
    return true;
}

static lua_State *exchange_running(lua_State *L) {
    lua_State *outer;
    mutex_lock(&lock);
    outer = running;
    running = L;
    mutex_unlock(&lock);
    return outer;
}

/* core.interruptible(fn, ...): like pcall, and each Ctrl-C meanwhile raises
 * "interrupted!" in this coroutine. Hooks and handlers are as before when it
 * returns. */
int lhcs_interruptible(lua_State *L) {
    struct hook before = {lua_gethook(L), lua_gethookmask(L),
                          lua_gethookcount(L)};
    lua_State *outer;
    int status;
    luaL_checktype(L, 1, LUA_TFUNCTION);
    outer = exchange_running(L);
    if (!SetConsoleCtrlHandler(on_interrupt, TRUE)) {
        (void)exchange_running(outer);
        return luaL_error(L, "Ctrl-C cannot be caught");
    }
    status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    (void)exchange_running(outer);
    SetConsoleCtrlHandler(on_interrupt, FALSE);
    lua_sethook(L, before.function, before.mask, before.count);
    lua_pushboolean(L, status == LUA_OK);
    lua_insert(L, 1);
    return lua_gettop(L);
}
