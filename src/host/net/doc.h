/* SPDX-License-Identifier: MIT
 * Reading HCN's documents, which is done leniently: the names of members and
 * of enums are compared without case, and unknown members are passed over.
 * Null and an empty object count as absent. A value of the wrong JSON type is
 * HCN_E_INVALID_JSON. Nowhere else in this room is it known how names compare.
 *
 * What is absent leaves the reader's variable as it was. */
#ifndef HCS_NET_DOC_H
#define HCS_NET_DOC_H

#include "../../base/arena.h"
#include "../../base/guid.h"
#include "../../base/hresult_hcn.h"
#include "../../base/ip.h"
#include "../../base/json.h"

/* How deep a document may be; the reader of JSON allows more than can be
 * wrapped once more. */
#define DOC_MAX_DEPTH 64

/* A value and where it stands; parents outlive their members. */
struct doc {
    const struct json *value; /* NULL: absent */
    const struct doc *parent; /* NULL: the root */
    const char *name;         /* NULL: an item of an array */
    size_t index;
};

/* The names of an enum; the last has no name. */
struct doc_name {
    const char *name;
    unsigned value;
};

/* Parse a text: HCN_E_INVALID_JSON for one that is not JSON, is no object or
 * is too deep; E_INVALIDARG for NULL. */
HRESULT doc_parse(const char *text, struct json_doc *out,
                  struct hcs_error *error);
/* The member spelt exactly so goes before one of another case. */
const struct json *doc_find(const struct json *object, const char *name);
struct doc doc_root(const struct json *value);
struct doc doc_get(const struct doc *object, const char *name);
struct doc doc_item(const struct doc *array, size_t index);

/* Fill the error with the place's path; returns `code`. */
HRESULT doc_fail(const struct doc *place, HRESULT code, struct hcs_error *error,
                 const char *format, ...) HCS_PRINTF(4, 5);

HRESULT doc_text(const struct doc *object, const char *name, const char **out,
                 struct hcs_error *error);
HRESULT doc_bool(const struct doc *object, const char *name, bool *out,
                 struct hcs_error *error);
/* A whole number from 0 to `most`. */
HRESULT doc_number(const struct doc *object, const char *name, uint64_t most,
                   uint64_t *out, struct hcs_error *error);
HRESULT doc_u32(const struct doc *object, const char *name, uint32_t *out,
                struct hcs_error *error);
HRESULT doc_u16(const struct doc *object, const char *name, uint16_t *out,
                struct hcs_error *error);
/* HCN_E_GUID_CONVERSION_FAILURE for text that is none. */
HRESULT doc_guid(const struct doc *object, const char *name, struct guid *out,
                 struct hcs_error *error);
/* A name or its number; `unknown` is the code for any other. */
HRESULT doc_enum(const struct doc *object, const char *name,
                 const struct doc_name *names, HRESULT unknown, unsigned *out,
                 struct hcs_error *error);
/* A member that is an object, or an array and its length. */
HRESULT doc_object(const struct doc *object, const char *name, struct doc *out,
                   struct hcs_error *error);
HRESULT doc_array(const struct doc *object, const char *name, struct doc *out,
                  size_t *count, struct hcs_error *error);
/* An item of an array that is to be an object; null counts as {}. */
HRESULT doc_item_object(const struct doc *array, size_t index, struct doc *out,
                        struct hcs_error *error);
/* The same that is to be text. */
HRESULT doc_item_text(const struct doc *array, size_t index, const char **out,
                      struct hcs_error *error);
/* An address; `bad` is the code for text that is none, "" is absent. */
HRESULT doc_address(const struct doc *object, const char *name, HRESULT bad,
                    struct ip_address *out, struct hcs_error *error);

const char *doc_enum_name(const struct doc_name *names, unsigned value);
bool doc_same_name(const char *a, const char *b);
/* Whether the two say the same: members in any order, names without case,
 * what is absent like what is empty, zero or false. */
bool doc_same(const struct json *a, const struct json *b);
/* A deep copy; false without memory. */
bool doc_copy(struct arena *arena, const struct json *value, struct json *out);

#endif
