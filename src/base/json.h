/* SPDX-License-Identifier: MIT
 * The project's one JSON reader and writer: RFC 8259 and nothing besides.
 *
 * Strict: duplicate names, a NUL in a name, lone surrogates, a byte order
 * mark, NaN and nesting past JSON_MAX_DEPTH are refused, with the byte offset
 * in the error's text and the JSON path in its `path`. Exact: a number keeps
 * its kind (see enum json_type), so no integer is ever rounded. Time is linear
 * in the text (but for the sorting of an object's names). */
#ifndef HCS_JSON_H
#define HCS_JSON_H

#include <stdbool.h>

#include "buf.h"
#include "error.h"

#define JSON_MAX_DEPTH 128
#define JSON_MAX_PATH 192

enum json_type {
    JSON_NULL,
    JSON_BOOL,
    JSON_INT,    /* an integer that fits int64_t */
    JSON_UINT,   /* an integer past INT64_MAX that fits uint64_t */
    JSON_DOUBLE, /* a finite number with a fraction or an exponent, or -0 */
    JSON_NUMBER, /* any other number: its text is kept, `string` */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json_string {
    const char *text; /* UTF-8 with a NUL after `length` bytes */
    size_t length;    /* a string may hold NULs of its own (\u0000) */
};

struct json {
    enum json_type type;
    union {
        bool boolean;
        int64_t integer;
        uint64_t uinteger;
        double number;
        struct json_string string;
        struct {
            struct json *items;
            size_t count;
        } array;
        struct {
            struct json_member *members; /* in the order of the text */
            size_t count;
        } object;
    } as;
};

struct json_member {
    struct json_string name;
    struct json value;
};

/* A parsed text and all its memory. */
struct json_doc {
    struct json *root; /* NULL when empty */
    void *arena;
};

/* Parse `length` bytes. HR_INVALID_DATA for text that is not JSON. */
HRESULT json_parse(const char *text, size_t length, struct json_doc *doc,
                   struct hcs_error *error);
void json_doc_free(struct json_doc *doc);

/* Look-ups are total: NULL in or a wrong type gives NULL or the default. */
const struct json *json_get(const struct json *object, const char *name);
/* Members below members: json_at(root, "VirtualMachine.Chipset.Uefi"). */
const struct json *json_at(const struct json *object, const char *path);
/* The text of a string; `otherwise` also for one that holds a NUL, since a C
 * string would cut it short. */
const char *json_text(const struct json *value, const char *otherwise);
bool json_is_true(const struct json *value);
bool json_to_int64(const struct json *value, int64_t *out);
bool json_to_uint64(const struct json *value, uint64_t *out);
const char *json_type_name(enum json_type type); /* "string", "object" … */

/* Extend a JSON path in a fixed buffer of JSON_MAX_PATH bytes:
 * "$" + name -> "$.Devices", "$['a b']" where a name needs quoting; + index.
 * A path too long ends in "…". */
void json_path_member(char *path, const struct json_string *name);
void json_path_index(char *path, size_t index);

/* The writer: compact output into `out`; commas are its business. */
struct json_writer {
    struct buf *out;
    bool comma;
};

void json_begin_object(struct json_writer *w);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w);
void json_end_array(struct json_writer *w);
void json_key(struct json_writer *w, const char *name);
void json_key_n(struct json_writer *w, const char *name, size_t length);
void json_put_null(struct json_writer *w);
void json_put_bool(struct json_writer *w, bool value);
void json_put_int(struct json_writer *w, int64_t value);
void json_put_uint(struct json_writer *w, uint64_t value);
/* Shortest text that reads back as the same JSON_DOUBLE, so one with a fraction
 * or an exponent (1 is "1.0"); not finite: null. */
void json_put_double(struct json_writer *w, double value);
/* NULL is written as null. */
void json_put_string(struct json_writer *w, const char *text);
/* Bytes that are not UTF-8 are written as U+FFFD (guest output may be). */
void json_put_string_n(struct json_writer *w, const char *text, size_t length);
void json_put_value(struct json_writer *w, const struct json *value);
/* A text that is JSON already. */
void json_put_raw(struct json_writer *w, const char *text, size_t length);

/* Key and value in one line. */
void json_pair_string(struct json_writer *w, const char *name,
                      const char *text);
void json_pair_int(struct json_writer *w, const char *name, int64_t value);
void json_pair_uint(struct json_writer *w, const char *name, uint64_t value);
void json_pair_bool(struct json_writer *w, const char *name, bool value);

#endif
