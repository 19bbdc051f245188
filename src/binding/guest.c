/* SPDX-License-Identifier: MIT
 * What only a simulated host can do. Programs of guests: what happens to a
 * guest comes through the queue, what it does goes through these. */
#include "lhcs.h"

static int answer(lua_State *L, HRESULT hr) {
    if (FAILED(hr))
        return lhcs_fail(L, hr, NULL);
    lua_pushboolean(L, 1);
    return 1;
}

/* api.guest(id, on): whether the guest in the system `id` (nil: in every
 * system without a program of its own) is run by Lua. */
int lhcs_guest(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word id = {.arg = 1, .optional = true};
    bool on = lua_toboolean(L, 2);
    HRESULT hr;
    lhcs_words(L, &id, 1);
    hr = world->own.hcshost_sim_guest(
        world->host, id.wide, on ? queue_on_guest : NULL,
        on ? QUEUE_CONTEXT(world->guest_number) : NULL);
    lhcs_words_free(&id, 1);
    return answer(L, hr);
}

/* api.service(running): whether that changed anything. */
int lhcs_service(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    HRESULT hr;
    luaL_checktype(L, 1, LUA_TBOOLEAN);
    hr = world->own.hcshost_sim_service(world->host, lua_toboolean(L, 1));
    if (FAILED(hr))
        return lhcs_fail(L, hr, NULL);
    lua_pushboolean(L, hr == S_OK);
    return 1;
}

/* api.guest_print(guest, port, text): port 0 is COM1. */
int lhcs_guest_print(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    uint64_t guest = (uint64_t)luaL_checkinteger(L, 1);
    uint32_t port = lhcs_check_dword(L, 2);
    size_t length;
    const char *text = luaL_checklstring(L, 3, &length);
    return answer(L, world->own.hcshost_guest_print(world->host, guest, port,
                                                    text, length));
}

/* api.guest_wake(guest, delay): seconds of host time. */
int lhcs_guest_wake(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    uint64_t guest = (uint64_t)luaL_checkinteger(L, 1);
    int64_t delay;
    luaL_checknumber(L, 2);
    delay = lhcs_check_time(L, 2, 0);
    return answer(L, world->own.hcshost_guest_wake(world->host, guest, delay));
}

/* api.guest_act(guest, action, text): "poweroff", "reboot", "panic" (text: the
 * crash log), "triplefault", "hang" or "default". */
int lhcs_guest_act(lua_State *L) {
    static const char *const actions[] = {
        "poweroff", "reboot", "panic", "triplefault", "hang", "default", NULL};
    struct lhcs_world *world = lhcs_world(L);
    uint64_t guest = (uint64_t)luaL_checkinteger(L, 1);
    int action = luaL_checkoption(L, 2, NULL, actions);
    const char *text = luaL_optstring(L, 3, NULL);
    return answer(L, world->own.hcshost_guest_act(
                         world->host, guest,
                         (HCSHOST_GUEST_ACTION)(action + HcsHostGuestPowerOff),
                         text));
}
