/* SPDX-License-Identifier: MIT
 * core.json.decode: a document as Lua values. */
#include "json_box.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "../base/os.h"

static bool push_value(lua_State *L, const struct json *value,
                       struct hcs_error *error);

/* A number that no integer holds: as near as a double comes. */
static bool push_number(lua_State *L, const struct json *value,
                        struct hcs_error *error) {
    double number;
    if (!os_strtod(value->as.string.text, &number)) {
        error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
        return false;
    }
    if (!(fabs(number) <= DBL_MAX)) {
        error_set(error, HR_INVALID_DATA, NULL, "%.40s is past every number",
                  value->as.string.text);
        return false;
    }
    lua_pushnumber(L, number);
    return true;
}

static bool push_array(lua_State *L, const struct json *value,
                       struct hcs_error *error) {
    size_t count = value->as.array.count;
    lua_createtable(L, count < INT32_MAX ? (int)count : 0, 0);
    lua_pushvalue(L, JSON_ARRAY_META);
    lua_setmetatable(L, -2);
    for (size_t i = 0; i < count; i++) {
        if (!push_value(L, &value->as.array.items[i], error))
            return false;
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return true;
}

static bool push_object(lua_State *L, const struct json *value,
                        struct hcs_error *error) {
    size_t count = value->as.object.count;
    lua_createtable(L, 0, count < INT32_MAX ? (int)count : 0);
    for (size_t i = 0; i < count; i++) {
        const struct json_member *member = &value->as.object.members[i];
        lua_pushlstring(L, member->name.text, member->name.length);
        if (!push_value(L, &member->value, error))
            return false;
        lua_rawset(L, -3);
    }
    return true;
}

static bool push_value(lua_State *L, const struct json *value,
                       struct hcs_error *error) {
    luaL_checkstack(L, 4, "a document nests too deep");
    switch (value->type) {
    case JSON_NULL:
        lua_pushlightuserdata(L, NULL);
        return true;
    case JSON_BOOL:
        lua_pushboolean(L, value->as.boolean);
        return true;
    case JSON_INT:
        lua_pushinteger(L, value->as.integer);
        return true;
    case JSON_UINT:
        lua_pushinteger(L, (lua_Integer)value->as.uinteger);
        return true;
    case JSON_DOUBLE:
        lua_pushnumber(L, value->as.number);
        return true;
    case JSON_NUMBER:
        return push_number(L, value, error);
    case JSON_STRING:
        lua_pushlstring(L, value->as.string.text, value->as.string.length);
        return true;
    case JSON_ARRAY:
        return push_array(L, value, error);
    case JSON_OBJECT:
        break;
    }
    return push_object(L, value, error);
}

/* core.json.decode(text): the value, or nil and what is wrong with the text. */
int lhcs_json_decode(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    struct hcs_error error = {.code = S_OK};
    struct json_box *box;
    lua_settop(L, 1);
    box = json_box_new(L);
    if (FAILED(json_parse(text, length, &box->document, &error)) ||
        !push_value(L, box->document.root, &error)) {
        json_box_empty(box);
        return json_box_fail(L, &error);
    }
    json_box_empty(box);
    return 1;
}
