/* SPDX-License-Identifier: MIT
 * Values that say the same, and copies of them. */
#include <string.h>

#include "doc.h"

static bool is_default(const struct json *value) {
    switch (value->type) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return !value->as.boolean;
    case JSON_INT:
        return value->as.integer == 0;
    case JSON_STRING:
        return value->as.string.length == 0;
    case JSON_ARRAY:
        return value->as.array.count == 0;
    case JSON_OBJECT:
        return value->as.object.count == 0;
    default:
        return false;
    }
}

static bool same_array(const struct json *a, const struct json *b) {
    if (a->as.array.count != b->as.array.count)
        return false;
    for (size_t i = 0; i < a->as.array.count; i++)
        if (!doc_same(&a->as.array.items[i], &b->as.array.items[i]))
            return false;
    return true;
}

/* Nothing that means something has so many; looking each up would take long. */
#define MANY_MEMBERS 256

/* Whether what `a` says, `b` says too. */
static bool covers(const struct json *a, const struct json *b) {
    if (a->as.object.count > MANY_MEMBERS)
        return false;
    for (size_t i = 0; i < a->as.object.count; i++) {
        const struct json_member *member = &a->as.object.members[i];
        const struct json *other = doc_find(b, member->name.text);
        if (other ? !doc_same(&member->value, other)
                  : !is_default(&member->value))
            return false;
    }
    return true;
}

static bool same_scalar(const struct json *a, const struct json *b) {
    switch (a->type) {
    case JSON_BOOL:
        return a->as.boolean == b->as.boolean;
    case JSON_INT:
    case JSON_UINT:
        return a->as.uinteger == b->as.uinteger;
    case JSON_DOUBLE:
        return memcmp(&a->as.number, &b->as.number, sizeof a->as.number) == 0;
    case JSON_NUMBER:
    case JSON_STRING:
        return a->as.string.length == b->as.string.length &&
               memcmp(a->as.string.text, b->as.string.text,
                      a->as.string.length) == 0;
    default:
        return true;
    }
}

bool doc_same(const struct json *a, const struct json *b) {
    if (is_default(a) || is_default(b))
        return is_default(a) && is_default(b);
    if (a->type != b->type)
        return false;
    if (a->type == JSON_ARRAY)
        return same_array(a, b);
    if (a->type == JSON_OBJECT)
        return covers(a, b) && covers(b, a);
    return same_scalar(a, b);
}

static bool copy_string(struct arena *arena, const struct json_string *from,
                        struct json_string *to) {
    to->length = from->length;
    to->text = arena_text(arena, from->text, from->length);
    return to->text != NULL;
}

static bool copy_array(struct arena *arena, const struct json *value,
                       struct json *out) {
    size_t count = value->as.array.count;
    struct json *items = arena_alloc(arena, (count + 1) * sizeof *items);

    if (!items)
        return false;
    out->as.array.items = items;
    for (size_t i = 0; i < count; i++)
        if (!doc_copy(arena, &value->as.array.items[i], &items[i]))
            return false;
    return true;
}

static bool copy_object(struct arena *arena, const struct json *value,
                        struct json *out) {
    size_t count = value->as.object.count;
    struct json_member *members =
        arena_alloc(arena, (count + 1) * sizeof *members);

    if (!members)
        return false;
    out->as.object.members = members;
    for (size_t i = 0; i < count; i++) {
        const struct json_member *from = &value->as.object.members[i];
        if (!copy_string(arena, &from->name, &members[i].name) ||
            !doc_copy(arena, &from->value, &members[i].value))
            return false;
    }
    return true;
}

bool doc_copy(struct arena *arena, const struct json *value, struct json *out) {
    *out = *value;
    switch (value->type) {
    case JSON_ARRAY:
        return copy_array(arena, value, out);
    case JSON_OBJECT:
        return copy_object(arena, value, out);
    case JSON_STRING:
    case JSON_NUMBER:
        return copy_string(arena, &value->as.string, &out->as.string);
    default:
        return true;
    }
}
