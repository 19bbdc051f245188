/* SPDX-License-Identifier: MIT
 * What the two halves of core.json share. */
#ifndef LHCS_JSON_BOX_H
#define LHCS_JSON_BOX_H

#include "../base/json.h"
#include "lhcs.h"

/* A name to be sorted; `index` is its place in a Lua table that keeps it. */
struct json_box_key {
    const char *text;
    size_t length;
    lua_Integer index;
};

/* The C memory of one call. It belongs to Lua, since Lua may jump. */
struct json_box {
    struct buf out;
    struct json_doc document;
    struct json_box_key *keys; /* a stack */
    size_t count;
    size_t capacity;
};

struct json_box *json_box_new(lua_State *L); /* pushes it */
void json_box_empty(struct json_box *box);   /* frees all at once */

/* Pushes nil and the error as {path=, message=, code=}; returns 2. */
int json_box_fail(lua_State *L, const struct hcs_error *error);

/* The first upvalue of both functions: the metatable of arrays. */
#define JSON_ARRAY_META lua_upvalueindex(1)

int lhcs_json_encode(lua_State *L);
int lhcs_json_decode(lua_State *L);

#endif
