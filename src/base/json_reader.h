/* SPDX-License-Identifier: MIT
 * The state of one reading, shared by the files of the reader. */
#ifndef HCS_JSON_READER_H
#define HCS_JSON_READER_H

#include "arena.h"
#include "json.h"

/* A finished value that waits for its array or object to be complete. */
struct pending {
    struct json_member member; /* in arrays without a name */
    size_t offset;             /* of the name, for duplicates */
};

/* An array or object that is being read. */
struct frame {
    bool is_object;
    bool inside;             /* one of its values is being read */
    struct json_string name; /* of that value, in an object */
    size_t name_offset;
    size_t first; /* index of its first pending value */
};

struct reader {
    const char *text;
    size_t length;
    size_t at;
    struct arena *arena;
    struct buf scratch; /* the string being read */
    struct pending *pending;
    size_t count;
    size_t capacity;
    struct frame frames[JSON_MAX_DEPTH];
    size_t depth;
    struct hcs_error *error;
};

/* HR_INVALID_DATA at `offset`, with the path of the value being read. */
HRESULT reader_fail(struct reader *reader, size_t offset, const char *format,
                    ...) HCS_PRINTF(3, 4);
/* The same at the current offset: "expected <what>, found <what is there>". */
HRESULT reader_expected(struct reader *reader, const char *what);
HRESULT reader_out_of_memory(struct reader *reader);

/* Each reads one token at the current offset and moves behind it. */
HRESULT reader_string(struct reader *reader, struct json_string *out);
HRESULT reader_number(struct reader *reader, struct json *out);
HRESULT reader_word(struct reader *reader, struct json *out);

/* Sets *twice to the first member whose name stood before, else to NULL;
 * false when out of memory. */
bool names_find_twice(const struct pending *members, size_t count,
                      const struct pending **twice);

#endif
