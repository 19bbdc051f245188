/* SPDX-License-Identifier: MIT
 * Looking things up in a parsed text. */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"

void json_doc_free(struct json_doc *doc) {
    struct arena *arena = doc->arena;
    if (arena) {
        arena_free(arena);
        free(arena);
    }
    *doc = (struct json_doc){0};
}

static const struct json *get_n(const struct json *object, const char *name,
                                size_t length) {
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    for (size_t i = 0; i < object->as.object.count; i++) {
        const struct json_member *member = &object->as.object.members[i];
        if (member->name.length == length &&
            memcmp(member->name.text, name, length) == 0)
            return &member->value;
    }
    return NULL;
}

const struct json *json_get(const struct json *object, const char *name) {
    return get_n(object, name, strlen(name));
}

const struct json *json_at(const struct json *object, const char *path) {
    for (;;) {
        size_t length = strcspn(path, ".");
        object = get_n(object, path, length);
        if (!object || path[length] == '\0')
            return object;
        path += length + 1;
    }
}

const char *json_text(const struct json *value, const char *otherwise) {
    if (!value || value->type != JSON_STRING)
        return otherwise;
    /* Never cut short at a NUL of its own. */
    if (strlen(value->as.string.text) != value->as.string.length)
        return otherwise;
    return value->as.string.text;
}

bool json_is_true(const struct json *value) {
    return value && value->type == JSON_BOOL && value->as.boolean;
}

bool json_to_int64(const struct json *value, int64_t *out) {
    if (!value || value->type != JSON_INT)
        return false;
    *out = value->as.integer;
    return true;
}

bool json_to_uint64(const struct json *value, uint64_t *out) {
    if (value && value->type == JSON_UINT)
        *out = value->as.uinteger;
    else if (value && value->type == JSON_INT && value->as.integer >= 0)
        *out = (uint64_t)value->as.integer;
    else
        return false;
    return true;
}

const char *json_type_name(enum json_type type) {
    switch (type) {
    case JSON_NULL:
        return "null";
    case JSON_BOOL:
        return "boolean";
    case JSON_INT:
    case JSON_UINT:
        return "integer";
    case JSON_DOUBLE:
    case JSON_NUMBER:
        return "number";
    case JSON_STRING:
        return "string";
    case JSON_ARRAY:
        return "array";
    case JSON_OBJECT:
        return "object";
    }
    return "unknown";
}
