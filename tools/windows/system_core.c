/* SPDX-License-Identifier: MIT
 *
 * The part of lua-system that busted uses: two clocks and a pause. The package
 * itself is not built for Windows. */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <lauxlib.h>
#include <lua.h>

/* From 1601 to 1970, in the file time's units of 100 ns. */
#define EPOCH 116444736000000000ULL
#define LONGEST_PAUSE 4294967.0 /* seconds: below INFINITE milliseconds */

/* gettime() -> seconds since 1970 */
static int gettime(lua_State *L) {
    FILETIME now;
    ULARGE_INTEGER ticks;

    GetSystemTimePreciseAsFileTime(&now);
    ticks.LowPart = now.dwLowDateTime;
    ticks.HighPart = now.dwHighDateTime;
    lua_pushnumber(L, (lua_Number)(ticks.QuadPart - EPOCH) / 1e7);
    return 1;
}

/* monotime() -> seconds of a clock that is never set */
static int monotime(lua_State *L) {
    LARGE_INTEGER now, frequency;

    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    lua_pushnumber(L,
                   (lua_Number)now.QuadPart / (lua_Number)frequency.QuadPart);
    return 1;
}

/* sleep(seconds) */
static int pause(lua_State *L) {
    lua_Number seconds = luaL_checknumber(L, 1);

    luaL_argcheck(L, seconds >= 0 && seconds <= LONGEST_PAUSE, 1,
                  "no such time");
    Sleep((DWORD)(seconds * 1000.0));
    return 0;
}

__declspec(dllexport) int luaopen_system_core(lua_State *L) {
    static const luaL_Reg functions[] = {{"gettime", gettime},
                                         {"monotime", monotime},
                                         {"sleep", pause},
                                         {NULL, NULL}};

    luaL_newlib(L, functions);
    return 1;
}
