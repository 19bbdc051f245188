/* SPDX-License-Identifier: MIT
 * What the files of core.json.encode share. */
#ifndef LHCS_JSON_ENCODER_H
#define LHCS_JSON_ENCODER_H

#include "json_box.h"

#define NO_ITEM SIZE_MAX

/* What the schema says of a value. */
struct shape {
    int type; /* stack index of an object type's table, or 0 */
    bool array;
    bool map;
    bool is_unsigned;
    bool is_double;
};

/* One level of nesting: the way back for cycles and paths. */
struct level {
    struct level *up;
    const void *table;
    struct json_string name; /* of the member being written, or */
    size_t index;            /* of the item, or NO_ITEM */
    int depth;
};

struct encoder {
    lua_State *L;
    struct json_box *box;
    struct json_writer writer;
    struct level *level;
    struct hcs_error error;
    int schema; /* stack index of the table of types, or 0 */
};

/* Reads the description of a member of the table at `object` on the stack's
 * top; pushes one value, its type. */
struct shape json_member_shape(struct encoder *e, int object);
/* The shape that encode's argument 2 asks for, by way of e->schema. */
struct shape json_root_shape(struct encoder *e);
/* The stack index of the table of types that argument 3 gives, or 0. */
int json_find_schema(lua_State *L);

#endif
