/* SPDX-License-Identifier: MIT
 *
 * core.interruptible: Ctrl-C as an error of the function that runs. For the
 * prompt, which asks for it; nothing else here touches a signal. */
#include "interrupt.h"
#include "lhcs.h"

#include <signal.h>

#include <lauxlib.h>

/* Whom a signal interrupts: the innermost call of core.interruptible. */
static lua_State *volatile running;

struct hook {
    lua_Hook function;
    int mask, count;
};

static void raise_it(lua_State *L, lua_Debug *activation) {
    (void)activation;
    lua_sethook(L, NULL, 0, 0);
    luaL_error(L, "interrupted!");
}

/* Setting a hook is what Lua allows in a signal handler. */
static void on_interrupt(int number) {
    (void)number;
    if (running != NULL)
        lua_sethook(running, raise_it,
                    LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT,
                    1);
}

/* core.interruptible(fn, ...): like pcall, and each SIGINT meanwhile raises
 * "interrupted!" in this coroutine. Signals and hooks are as before when it
 * returns. */
int lhcs_interruptible(lua_State *L) {
    lua_State *outer = running;
    struct hook before = {lua_gethook(L), lua_gethookmask(L),
                          lua_gethookcount(L)};
    struct sigaction ours = {.sa_handler = on_interrupt}, theirs;
    int status;
    luaL_checktype(L, 1, LUA_TFUNCTION);
    sigemptyset(&ours.sa_mask);
    running = L;
    if (sigaction(SIGINT, &ours, &theirs) != 0) {
        running = outer;
        return luaL_error(L, "SIGINT cannot be caught");
    }
    status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    sigaction(SIGINT, &theirs, NULL);
    running = outer;
    lua_sethook(L, before.function, before.mask, before.count);
    lua_pushboolean(L, status == LUA_OK);
    lua_insert(L, 1);
    return lua_gettop(L);
}

HRESULT interrupt_open(struct interrupt *interrupt, struct hcs_error *error) {
    (void)error;
    link_init(&interrupt->link);
    interrupt->object = HCS_NOT_WAITABLE;
    return S_OK;
}

void interrupt_close(struct interrupt *interrupt) {
    (void)interrupt;
}

bool interrupt_came(struct interrupt *interrupt) {
    (void)interrupt;
    return false;
}
