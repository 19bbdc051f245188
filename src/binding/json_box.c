/* SPDX-License-Identifier: MIT
 * core.json, core.array, core.is_array and core.null. */
#include "json_box.h"

#include <stdlib.h>
#include <string.h>

#define BOX "hcs.json.box"

void json_box_empty(struct json_box *box) {
    buf_free(&box->out);
    json_doc_free(&box->document);
    free(box->keys);
    memset(box, 0, sizeof(*box));
}

static int box_gc(lua_State *L) {
    json_box_empty(lua_touserdata(L, 1));
    return 0;
}

struct json_box *json_box_new(lua_State *L) {
    struct json_box *box = lua_newuserdatauv(L, sizeof(*box), 0);
    memset(box, 0, sizeof(*box));
    if (luaL_newmetatable(L, BOX)) {
        lua_pushcfunction(L, box_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return box;
}

int json_box_fail(lua_State *L, const struct hcs_error *error) {
    if (error->code == E_OUTOFMEMORY)
        return luaL_error(L, "not enough memory");
    lua_pushnil(L);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, error->path);
    lua_setfield(L, -2, "path");
    lua_pushstring(L, error->text);
    lua_setfield(L, -2, "message");
    lhcs_push_result(L, error->code);
    lua_setfield(L, -2, "code");
    return 2;
}

/* core.array(t): marks t as an array, so that it is one even when empty. */
static int core_array(lua_State *L) {
    if (lua_isnone(L, 1))
        lua_newtable(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (lua_getmetatable(L, 1)) {
        luaL_argcheck(L, lua_rawequal(L, -1, JSON_ARRAY_META), 1,
                      "it has a metatable of its own");
        lua_pop(L, 1);
    }
    lua_pushvalue(L, JSON_ARRAY_META);
    lua_setmetatable(L, 1);
    return 1;
}

static int core_is_array(lua_State *L) {
    bool marked = lua_type(L, 1) == LUA_TTABLE && lua_getmetatable(L, 1) &&
                  lua_rawequal(L, -1, JSON_ARRAY_META);
    lua_pushboolean(L, marked);
    return 1;
}

void lhcs_push_json(lua_State *L) {
    static const luaL_Reg json[] = {{"encode", lhcs_json_encode},
                                    {"decode", lhcs_json_decode},
                                    {NULL, NULL}};
    static const luaL_Reg marks[] = {
        {"array", core_array}, {"is_array", core_is_array}, {NULL, NULL}};
    if (luaL_newmetatable(L, "hcs.array")) {
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
    }
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    luaL_setfuncs(L, marks, 1);
    luaL_newlibtable(L, json);
    lua_pushvalue(L, -3);
    luaL_setfuncs(L, json, 1);
    lua_setfield(L, -2, "json");
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    lua_pop(L, 2);
}
