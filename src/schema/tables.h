/* SPDX-License-Identifier: MIT
 * The layout of the generated tables. Everything is sorted by name for
 * searching; names are offsets into one text. */
#ifndef HCS_SCHEMA_TABLES_H
#define HCS_SCHEMA_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The scalars come first in the numbering of types, in the generator's order;
 * a named type is SCALAR_COUNT plus its index. */
enum schema_scalar {
    SCALAR_STRING,
    SCALAR_BOOL,
    SCALAR_UINT8,
    SCALAR_UINT16,
    SCALAR_UINT32,
    SCALAR_UINT64,
    SCALAR_INT8,
    SCALAR_INT32,
    SCALAR_INT64,
    SCALAR_DOUBLE,
    SCALAR_GUID,
    SCALAR_DATETIME,
    SCALAR_BYTES,
    SCALAR_ANY,
    SCALAR_COUNT
};

#define SCHEMA_NO_MAP 0xff

enum schema_kind { SCHEMA_OBJECT, SCHEMA_ENUM };

enum schema_flag {
    SCHEMA_ARRAY = 1,    /* member: an array of its type */
    SCHEMA_NULLABLE = 2, /* member: null differs from the default */
    SCHEMA_ALWAYS = 4,   /* member: written even with its default */
    SCHEMA_NUMBER = 8,   /* enum: written as a number */
    SCHEMA_FLAGS = 16,   /* enum: a sum of values */
    SCHEMA_LENIENT = 32, /* enum: text, but a number may be right too */
    SCHEMA_EMPTY = 64,   /* enum: "" stands for the value 0 */
    SCHEMA_OPEN = 128    /* enum: any number that is not negative will do */
};

struct schema_type {
    uint16_t name;
    uint16_t first; /* index of its first member or value */
    uint16_t count;
    uint8_t kind;
    uint8_t flags;
};

struct schema_field {
    uint16_t name;
    uint16_t type;
    uint16_t builds; /* bit i: exists in builds[i] */
    uint8_t minor;   /* needs SchemaVersion 2.minor */
    uint8_t map;     /* the key's scalar, or SCHEMA_NO_MAP */
    uint8_t flags;
    uint8_t choice; /* its place, from 1, among the choices; 0: none */
};

/* A member whose type another one beside it, an enum, tells. */
struct schema_choice {
    uint16_t by; /* that member's name */
    uint16_t first;
    uint16_t count;
};

struct schema_case {
    uint16_t name; /* of the enum's value */
    uint16_t type;
};

struct schema_value {
    uint16_t name;
    uint16_t builds;
    uint8_t minor;
    bool has_value;
    int32_t value;
};

/* What ModifySettingRequest.Settings is for a ResourcePath; a segment in
 * braces stands for any one. */
struct schema_path {
    const char *path;
    uint16_t type;
};

struct schema_set {
    const char *names;
    const int32_t *builds; /* oldest first, at most 16 */
    size_t build_count;
    const int32_t *versions; /* [minor]: the first build that takes 2.minor */
    size_t version_count;
    const struct schema_type *types;
    size_t type_count;
    const struct schema_field *members;
    const struct schema_value *values;
    /* Beside `members`: order[first + i] is the place, from `first`, of the
     * member to be written as the i-th. */
    const uint8_t *order;
    const struct schema_path *paths;
    size_t path_count;
    const struct schema_choice *choices;
    const struct schema_case *cases; /* sorted within a choice */
};

extern const struct schema_set schema_hcs;
extern const struct schema_set schema_hcn;

#endif
