/* SPDX-License-Identifier: MIT
 * What the parts of the check share. */
#ifndef HCS_SCHEMA_CHECK_H
#define HCS_SCHEMA_CHECK_H

#include "schema.h"
#include "tables.h"

/* A document that declares nothing may use every version's members. */
#define ANY_MINOR 255

struct checker {
    const struct schema_set *set;
    int build;
    unsigned build_bit; /* of the known build that `build` is like */
    int major;          /* declared; 0: not */
    int minor;
    int least;    /* highest `minor` a member may need */
    HRESULT code; /* of what is wrong */
    struct hcs_error *error;
};

/* Where the walk is: a chain up to the root, made into a path only when
 * something is wrong. */
struct place {
    const struct place *parent;
    const struct json_string *name; /* NULL: an index */
    size_t index;
    int depth;
};

/* Fills the error with the place's path; the checker's code. */
HRESULT check_fail(const struct checker *checker, const struct place *place,
                   const char *format, ...) HCS_PRINTF(3, 4);
/* "expected <wanted>, found <what is there>". */
HRESULT check_mismatch(const struct checker *checker, const struct place *place,
                       const char *wanted, const struct json *value);
HRESULT check_scalar(const struct checker *checker, const struct place *place,
                     unsigned scalar, const struct json *value);
/* A member's name as a key of the type `scalar`. */
HRESULT check_key(const struct checker *checker, const struct place *place,
                  unsigned scalar);
/* Room for the values that a message lists; the generator sees to it. */
#define LIST_SIZE 512
#define LIST_VALUES 8
HRESULT check_enum(const struct checker *checker, const struct place *place,
                   const struct schema_type *type, const struct json *value);
/* For a text that is none of the enum's: which was meant, or which there are.
 */
HRESULT check_enum_unknown(const struct checker *checker,
                           const struct place *place,
                           const struct schema_type *type,
                           const struct json_string *text);
/* A JSON_INT as one of the enum's values, or a sum of its flags. */
HRESULT check_enum_number(const struct checker *checker,
                          const struct place *place,
                          const struct schema_type *type,
                          const struct json *value);

/* Who exists: in the build and for the declared version. */
bool check_available(const struct checker *checker, unsigned builds,
                     unsigned minor);
/* Why not; the sentence begins with `what`, or with the path when NULL. */
HRESULT check_unavailable(const struct checker *checker,
                          const struct place *place, const char *what,
                          unsigned builds, unsigned minor);

/* The text as a message may show it: cut, without control characters. */
#define SHOWN_SIZE 72
const char *shown(const struct json_string *text, char out[SHOWN_SIZE]);

int first_build(const struct schema_set *set, unsigned builds);

/* The nearest of the offered names, or NULL when none is near. */
struct nearest {
    const char *text;
    size_t length;
    const char *best;
    size_t distance; /* of the best, or the limit + 1 */
};
void nearest_begin(struct nearest *nearest, const struct json_string *text);
void nearest_offer(struct nearest *nearest, const char *name);

/* Searches in a set. */
const char *set_name(const struct schema_set *set, unsigned offset);
const struct schema_type *set_type(const struct schema_set *set,
                                   const char *name);
const struct schema_field *set_field(const struct schema_set *set,
                                     const struct schema_type *type,
                                     const struct json_string *name);
const struct schema_value *set_value(const struct schema_set *set,
                                     const struct schema_type *type,
                                     const struct json_string *name);
/* The type a member refers to, NULL for a scalar. */
const struct schema_type *set_referred(const struct schema_set *set,
                                       unsigned number);
const char *scalar_name(unsigned scalar);
/* The number of a scalar or a type by its name; false when there is none. */
bool set_number(const struct schema_set *set, const char *name,
                unsigned *number);

#endif
