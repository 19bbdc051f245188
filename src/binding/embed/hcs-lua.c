/* SPDX-License-Identifier: MIT
 * hcs-lua: runs "script args" like lua5.4, for builds with sanitizers, which
 * must be in the program itself. The global `failalloc(n)` lets the n-th
 * allocation of Lua from then on fail, and all after it; 0 ends that. Not
 * installed. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>

static long fail_in; /* allocations until memory runs out; 0: never */

static void *allocate(void *context, void *block, size_t old, size_t size) {
    (void)context;
    if (size == 0) {
        free(block);
        return NULL;
    }
    if (fail_in > 0 && (block == NULL || size > old)) {
        if (fail_in == 1)
            return NULL;
        fail_in--;
    }
    return realloc(block, size);
}

static int failalloc(lua_State *L) {
    fail_in = (long)luaL_checkinteger(L, 1);
    return 0;
}

static int traceback(lua_State *L) {
    const char *text = luaL_tolstring(L, 1, NULL);
    luaL_traceback(L, L, text, 1);
    return 1;
}

static void push_arguments(lua_State *L, int argc, char **argv) {
    lua_createtable(L, argc, 1);
    for (int i = 0; i < argc; i++) {
        lua_pushstring(L, argv[i]);
        lua_rawseti(L, -2, i - 1);
    }
    lua_setglobal(L, "arg");
}

static int run(lua_State *L) {
    int argc = (int)lua_tointeger(L, 1);
    char **argv = lua_touserdata(L, 2);
    luaL_openlibs(L);
    lua_register(L, "failalloc", failalloc);
    push_arguments(L, argc, argv);
    lua_settop(L, 0);
    lua_pushcfunction(L, traceback);
    if (luaL_loadfile(L, argv[1]) != LUA_OK)
        return lua_error(L);
    luaL_checkstack(L, argc, "too many arguments");
    for (int i = 2; i < argc; i++)
        lua_pushstring(L, argv[i]);
    if (lua_pcall(L, argc - 2, 0, 1) != LUA_OK)
        return lua_error(L);
    return 0;
}

int main(int argc, char **argv) {
    lua_State *L;
    int status;
    if (argc < 2) {
        fputs("usage: hcs-lua script [arguments]\n", stderr);
        return EXIT_FAILURE;
    }
    L = lua_newstate(allocate, NULL);
    if (L == NULL) {
        fputs("hcs-lua: not enough memory\n", stderr);
        return EXIT_FAILURE;
    }
    lua_pushcfunction(L, run);
    lua_pushinteger(L, argc);
    lua_pushlightuserdata(L, argv);
    status = lua_pcall(L, 2, 0, 0);
    if (status != LUA_OK)
        fprintf(stderr, "hcs-lua: %s\n", lua_tostring(L, -1));
    lua_close(L);
    return status == LUA_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
