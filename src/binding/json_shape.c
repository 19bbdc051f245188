/* SPDX-License-Identifier: MIT
 * Reading the schema's tables (lua/hcs/schema): what a value should be like. */
#include "json_encoder.h"

#include <string.h>

/* The boolean field of the table on the stack's top. */
static bool flag(lua_State *L, const char *name) {
    bool set;
    lua_pushstring(L, name);
    lua_rawget(L, -2);
    set = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return set;
}

/* For a member that is one of several types: pushes the one that the member
 * beside it in `object` tells, or nil. False for a member that is not. */
static bool push_chosen(lua_State *L, int object) {
    int top = lua_gettop(L);
    lua_pushliteral(L, "cases");
    if (lua_rawget(L, top) != LUA_TTABLE) {
        lua_settop(L, top);
        return false;
    }
    lua_pushliteral(L, "by");
    lua_rawget(L, top);
    if (lua_rawget(L, object) == LUA_TSTRING)
        lua_rawget(L, top + 1);
    else
        lua_pushnil(L);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    return true;
}

/* Leaves on the stack the type that a member is of: its table, or nil. */
static void push_type(struct encoder *e, int object) {
    lua_State *L = e->L;
    if (push_chosen(L, object))
        return;
    lua_pushliteral(L, "of");
    if (lua_rawget(L, -2) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_pushliteral(L, "type");
    if (lua_rawget(L, -2) == LUA_TSTRING && e->schema != 0)
        lua_rawget(L, e->schema);
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_pushnil(L);
    }
}

/* Whether the table on the top describes an object. */
static bool is_object_type(lua_State *L) {
    bool is = false;
    if (lua_istable(L, -1)) {
        lua_pushliteral(L, "members");
        is = lua_rawget(L, -2) == LUA_TTABLE;
        lua_pop(L, 1);
    }
    return is;
}

/* Reads the member description on the top into a shape; pushes one value, its
 * type. */
struct shape json_member_shape(struct encoder *e, int object) {
    lua_State *L = e->L;
    struct shape shape = {0};
    if (!lua_istable(L, -1)) {
        lua_pushnil(L);
        return shape;
    }
    shape.array = flag(L, "array");
    shape.map = flag(L, "map");
    shape.is_unsigned = flag(L, "unsigned");
    lua_pushliteral(L, "type");
    if (lua_rawget(L, -2) == LUA_TSTRING)
        shape.is_double = strcmp(lua_tostring(L, -1), "double") == 0;
    lua_pop(L, 1);
    push_type(e, object);
    if (is_object_type(L))
        shape.type = lua_gettop(L);
    return shape;
}

/* The table of types, which may be the module that has it as `types`. */
int json_find_schema(lua_State *L) {
    if (lua_isnil(L, 3))
        return 0;
    luaL_checktype(L, 3, LUA_TTABLE);
    lua_getfield(L, 3, "types");
    if (lua_istable(L, -1))
        lua_replace(L, 3);
    else
        lua_pop(L, 1);
    return 3;
}

struct shape json_root_shape(struct encoder *e) {
    lua_State *L = e->L;
    struct shape shape = {0};
    if (lua_isnil(L, 2))
        return shape;
    if (lua_type(L, 2) == LUA_TSTRING) {
        luaL_argcheck(L, e->schema != 0, 3, "a type's name needs the schema");
        lua_pushvalue(L, 2);
        if (lua_rawget(L, e->schema) == LUA_TNIL)
            luaL_argerror(L, 2, "the schema has no type of this name");
        lua_replace(L, 2);
    }
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_pushvalue(L, 2);
    if (is_object_type(L))
        shape.type = 2;
    lua_pop(L, 1);
    return shape;
}
