/* SPDX-License-Identifier: MIT
 * core.json.encode: Lua values as a document. The same table gives the same
 * bytes: members come in the order of the schema, others sorted. */
#include "json_encoder.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/utf.h"

#define EXACT 9007199254740992.0 /* 2^53: doubles are integers up to here */

static bool put_value(struct encoder *e, int index, struct shape shape);

static void write_path(const struct level *level, char *path) {
    if (level == NULL)
        return;
    write_path(level->up, path);
    if (level->name.text != NULL)
        json_path_member(path, &level->name);
    else if (level->index != NO_ITEM)
        json_path_index(path, level->index);
}

static bool refuse(struct encoder *e, const char *format, const char *detail) {
    char path[JSON_MAX_PATH] = "$";
    write_path(e->level, path);
    error_set(&e->error, HR_INVALID_DATA, path, format, detail);
    return false;
}

/* --- scalars ------------------------------------------------------------ */

static bool put_number(struct encoder *e, int index, struct shape shape) {
    lua_Number number;
    if (lua_isinteger(e->L, index)) {
        lua_Integer value = lua_tointeger(e->L, index);
        if (shape.is_unsigned)
            json_put_uint(&e->writer, (uint64_t)value);
        else
            json_put_int(&e->writer, value);
        return true;
    }
    number = lua_tonumber(e->L, index);
    if (!(fabs(number) <= DBL_MAX))
        return refuse(e, "%s is not a number that JSON has",
                      fabs(number) > DBL_MAX ? "infinity" : "NaN");
    if (number != floor(number) || shape.is_double)
        json_put_double(&e->writer, number);
    else if (fabs(number) <= EXACT)
        json_put_int(&e->writer, (int64_t)number);
    else
        return refuse(e, "%s",
                      "a float beyond 2^53 is not exact: use an "
                      "integer");
    return true;
}

static bool put_string(struct encoder *e, int index) {
    size_t length;
    const char *text = lua_tolstring(e->L, index, &length);
    if (!utf8_valid(text, length))
        return refuse(e, "%s", "the text is not UTF-8");
    json_put_string_n(&e->writer, text, length);
    return true;
}

/* --- arrays ------------------------------------------------------------- */

/* An array is what is marked as one, and a sequence that is not empty. */
static bool is_array(struct encoder *e, int index, struct shape shape) {
    lua_State *L = e->L;
    if (lua_getmetatable(L, index)) {
        bool marked = lua_rawequal(L, -1, JSON_ARRAY_META);
        lua_pop(L, 1);
        if (marked)
            return true;
    }
    if (lua_rawlen(L, index) > 0)
        return true;
    if (!shape.array)
        return false;
    lua_pushnil(L);
    if (lua_next(L, index) == 0)
        return true;
    lua_pop(L, 2);
    return false;
}

/* Keys must be 1 to count and nothing besides. */
static bool check_sequence(struct encoder *e, int index, size_t count) {
    lua_State *L = e->L;
    size_t keys = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        lua_Integer key = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : 0;
        keys++;
        if (key < 1 || (size_t)key > count) {
            lua_pop(L, 2);
            return refuse(e, "%s",
                          "an array with a key that is not one of "
                          "1, 2, 3 …");
        }
    }
    if (keys != count)
        return refuse(e, "%s", "an array with holes");
    return true;
}

static bool put_array(struct encoder *e, int index, struct shape shape) {
    size_t count = lua_rawlen(e->L, index);
    shape.array = false;
    if (!check_sequence(e, index, count))
        return false;
    json_begin_array(&e->writer);
    for (size_t i = 0; i < count; i++) {
        bool ok;
        e->level->index = i;
        lua_rawgeti(e->L, index, (lua_Integer)i + 1);
        ok = put_value(e, lua_gettop(e->L), shape);
        lua_pop(e->L, 1);
        if (!ok)
            return false;
    }
    json_end_array(&e->writer);
    return true;
}

/* --- objects ------------------------------------------------------------ */

/* Writes the member whose name and value are on the stack's top; pops the
 * value and leaves the name. */
static bool put_member(struct encoder *e, struct shape shape) {
    lua_State *L = e->L;
    struct json_string *name = &e->level->name;
    bool ok = true;
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return true;
    }
    name->text = lua_tolstring(L, -2, &name->length);
    if (!utf8_valid(name->text, name->length) ||
        memchr(name->text, '\0', name->length) != NULL)
        ok = refuse(e, "%s", "the name is not UTF-8 or contains a NUL");
    if (ok) {
        json_key_n(&e->writer, name->text, name->length);
        ok = put_value(e, lua_gettop(L), shape);
    }
    name->text = NULL;
    lua_pop(L, 1);
    return ok;
}

static int compare(const void *a, const void *b) {
    const struct json_box_key *x = a;
    const struct json_box_key *y = b;
    size_t length = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->text, y->text, length);
    if (order != 0)
        return order;
    return (x->length > y->length) - (x->length < y->length);
}

static void add_key(struct encoder *e, lua_Integer index) {
    struct json_box *box = e->box;
    struct json_box_key *key;
    if (box->count == box->capacity) {
        size_t capacity = box->capacity == 0 ? 32 : box->capacity * 2;
        void *keys = realloc(box->keys, capacity * sizeof(*box->keys));
        if (keys == NULL)
            luaL_error(e->L, "not enough memory");
        box->keys = keys;
        box->capacity = capacity;
    }
    key = &box->keys[box->count++];
    key->text = lua_tolstring(e->L, -1, &key->length);
    key->index = index;
}

/* Puts the names that `members` (0: none) does not have onto the box's stack;
 * pushes the table that keeps them. */
static bool collect(struct encoder *e, int index, int members) {
    lua_State *L = e->L;
    lua_Integer count = 0;
    int names;
    lua_newtable(L);
    names = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        bool known = false;
        if (lua_type(L, -2) != LUA_TSTRING) {
            const char *type = luaL_typename(L, -2);
            lua_pop(L, 2);
            return refuse(e,
                          "a member's name is text, not a %s (\"0\", not "
                          "0)",
                          type);
        }
        if (members != 0) {
            lua_pushvalue(L, -2);
            known = lua_rawget(L, members) != LUA_TNIL;
            lua_pop(L, 1);
        }
        if (!known) {
            lua_pushvalue(L, -2);
            add_key(e, ++count);
            lua_rawseti(L, names, count);
        }
    }
    return true;
}

/* Members in the order of their names; each has the same shape. */
static bool put_sorted(struct encoder *e, int index, int members,
                       struct shape shape) {
    lua_State *L = e->L;
    size_t first = e->box->count;
    size_t count;
    bool ok = collect(e, index, members);
    int names = lua_gettop(L);
    count = e->box->count;
    if (ok && count > first)
        qsort(e->box->keys + first, count - first, sizeof(*e->box->keys),
              compare);
    for (size_t i = first; ok && i < count; i++) {
        lua_rawgeti(L, names, e->box->keys[i].index);
        lua_pushvalue(L, -1);
        lua_rawget(L, index);
        ok = put_member(e, shape);
        lua_pop(L, 1);
    }
    e->box->count = first;
    lua_settop(L, names - 1);
    return ok;
}

/* Text and truth are written alike, whatever the schema says. */
static bool has_shape(lua_State *L, int index) {
    int type = lua_type(L, index);
    return type == LUA_TTABLE || type == LUA_TNUMBER;
}

/* Members as the type orders them, then those it does not have. */
static bool put_typed(struct encoder *e, int index, int type) {
    lua_State *L = e->L;
    int top = lua_gettop(L);
    int members = top + 1, order = top + 2;
    lua_Integer count;
    bool ok = true;
    lua_pushliteral(L, "members");
    lua_rawget(L, type);
    lua_pushliteral(L, "order");
    if (lua_rawget(L, type) != LUA_TTABLE)
        luaL_error(L, "the type has no order");
    count = (lua_Integer)lua_rawlen(L, order);
    for (lua_Integer i = 1; ok && i <= count; i++) {
        struct shape shape;
        lua_rawgeti(L, order, i);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, index) != LUA_TNIL) {
            shape = (struct shape){0};
            if (has_shape(L, top + 4)) {
                lua_pushvalue(L, top + 3);
                lua_rawget(L, members);
                shape = json_member_shape(e, index);
            }
            lua_pushvalue(L, top + 3); /* the name again, and its value */
            lua_pushvalue(L, top + 4);
            ok = put_member(e, shape);
        }
        lua_settop(L, order);
    }
    if (ok)
        ok = put_sorted(e, index, members, (struct shape){0});
    lua_settop(L, top);
    return ok;
}

static bool put_object(struct encoder *e, int index, struct shape shape) {
    bool ok;
    bool map = shape.map;
    shape.map = false;
    json_begin_object(&e->writer);
    if (shape.type != 0 && !map && !shape.array)
        ok = put_typed(e, index, shape.type);
    else
        ok = put_sorted(e, index, 0, map ? shape : (struct shape){0});
    json_end_object(&e->writer);
    return ok;
}

/* --- all ---------------------------------------------------------------- */

static bool put_table(struct encoder *e, int index, struct shape shape) {
    struct level level = {.up = e->level,
                          .table = lua_topointer(e->L, index),
                          .index = NO_ITEM,
                          .depth = e->level == NULL ? 1 : e->level->depth + 1};
    bool ok;
    if (level.depth > JSON_MAX_DEPTH)
        return refuse(e, "%s", "nested more than 128 deep");
    for (const struct level *up = e->level; up != NULL; up = up->up)
        if (up->table == level.table)
            return refuse(e, "%s", "the table contains itself");
    luaL_checkstack(e->L, 16, "a document nests too deep");
    ok = is_array(e, index, shape);
    e->level = &level;
    ok = ok ? put_array(e, index, shape) : put_object(e, index, shape);
    e->level = level.up;
    return ok;
}

static bool put_value(struct encoder *e, int index, struct shape shape) {
    switch (lua_type(e->L, index)) {
    case LUA_TBOOLEAN:
        json_put_bool(&e->writer, lua_toboolean(e->L, index));
        return true;
    case LUA_TNUMBER:
        return put_number(e, index, shape);
    case LUA_TSTRING:
        return put_string(e, index);
    case LUA_TTABLE:
        return put_table(e, index, shape);
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(e->L, index) == NULL) {
            json_put_null(&e->writer);
            return true;
        }
        break;
    default:
        break;
    }
    return refuse(e, "a %s has no place in a document",
                  luaL_typename(e->L, index));
}

/* core.json.encode(value, type, schema): the text, or nil and what is wrong
 * with the value. `type` is a table of the schema, or a name in it. */
int lhcs_json_encode(lua_State *L) {
    struct encoder e = {.L = L, .error = {.code = S_OK}};
    struct shape shape;
    luaL_checkany(L, 1);
    lua_settop(L, 3);
    e.schema = json_find_schema(L);
    shape = json_root_shape(&e);
    e.box = json_box_new(L);
    e.writer.out = &e.box->out;
    if (put_value(&e, 1, shape) && e.box->out.failed)
        e.error.code = E_OUTOFMEMORY;
    if (FAILED(e.error.code)) {
        json_box_empty(e.box);
        return json_box_fail(L, &e.error);
    }
    lua_pushlstring(L, e.box->out.data, e.box->out.length);
    json_box_empty(e.box);
    return 1;
}
