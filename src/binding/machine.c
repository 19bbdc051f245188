/* SPDX-License-Identifier: MIT
 * What hcs.core knows of the machine and of the ABI. */
#include "lhcs.h"

#include "machine.h"

struct function {
    const char *dll, *name, *kind;
    int build;
};

static const struct function functions[] = {
#define HCS_FUNCTION(dll, build, kind, ret, name, params) \
    {#dll, #name, #kind, build},
#include "../abi/functions.def"
#undef HCS_FUNCTION
};

static void set_text(lua_State *L, const char *name, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

/* core.functions: {name, dll, build, kind} of each function of the ABI. */
static void push_functions(lua_State *L) {
    lua_createtable(L, HCS_COUNT(functions), 0);
    for (size_t i = 0; i < HCS_COUNT(functions); i++) {
        lua_createtable(L, 0, 4);
        set_text(L, "name", functions[i].name);
        set_text(L, "dll", functions[i].dll);
        set_text(L, "kind", functions[i].kind);
        lua_pushinteger(L, functions[i].build);
        lua_setfield(L, -2, "build");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

void lhcs_push_machine(lua_State *L) {
    static const luaL_Reg own[] = {
        {"machine", lhcs_machine}, {"watchdog", lhcs_watchdog}, {NULL, NULL}};
    luaL_setfuncs(L, own, 0);
    lhcs_push_machine_only(L);
    push_functions(L);
    lua_setfield(L, -2, "functions");
}
