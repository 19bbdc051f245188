/* SPDX-License-Identifier: MIT
 * The few things of the operating system that the Lua layer needs. What each
 * system spells its own way is in platform_posix.c and platform_win32.c. */
#include "lhcs.h"

#include "../base/clock.h"

static int push_time(lua_State *L, int64_t time) {
    lua_pushnumber(L, (lua_Number)time / (lua_Number)CLOCK_SECOND);
    return 1;
}

static int core_monotonic(lua_State *L) {
    return push_time(L, clock_monotonic());
}

/* Seconds since 1970 UTC, with their fraction. */
static int core_wall(lua_State *L) {
    return push_time(L, clock_wall());
}

void lhcs_push_platform(lua_State *L) {
    static const luaL_Reg functions[] = {{"monotonic", core_monotonic},
                                         {"wall", core_wall},
                                         {"interruptible", lhcs_interruptible},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    lhcs_push_system(L);
}
