/* SPDX-License-Identifier: MIT
 *
 * hcs_spec_crash: a function that writes through a null pointer, and one that
 * does not return. */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <lauxlib.h>
#include <lua.h>

static int crash(lua_State *L) {
    volatile int *volatile nowhere = NULL;

    (void)L;
    *nowhere = 1;
    return 0;
}

static int hang(lua_State *L) {
    (void)L;
    Sleep(INFINITE);
    return 0;
}

__declspec(dllexport) int luaopen_hcs_spec_crash(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"crash", crash}, {"hang", hang}, {NULL, NULL}};

    luaL_newlib(L, functions);
    return 1;
}
