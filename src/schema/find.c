/* SPDX-License-Identifier: MIT
 * Searching the tables. */
#include <stdlib.h>
#include <string.h>

#include "check.h"

static const char *const scalar_names[SCALAR_COUNT] = {
    "string", "bool",  "uint8",  "uint16", "uint32",   "uint64", "int8",
    "int32",  "int64", "double", "guid",   "datetime", "bytes",  "any"};

/* What a search looks for, and in which text the candidates' names lie. */
struct wanted {
    const char *names;
    const char *text;
    size_t length;
};

const char *scalar_name(unsigned scalar) {
    return scalar_names[scalar];
}

const char *set_name(const struct schema_set *set, unsigned offset) {
    return set->names + offset;
}

/* Every row of every table begins with its name's offset. */
static int compare(const void *key, const void *row) {
    const struct wanted *wanted = key;
    const char *name = wanted->names + *(const uint16_t *)row;
    int order = strncmp(wanted->text, name, wanted->length);
    return order != 0 ? order : (name[wanted->length] == '\0' ? 0 : -1);
}

static const void *search(const struct schema_set *set, const char *text,
                          size_t length, const void *rows, size_t count,
                          size_t size) {
    struct wanted wanted = {set->names, text, length};
    return bsearch(&wanted, rows, count, size, compare);
}

const struct schema_type *set_type(const struct schema_set *set,
                                   const char *name) {
    return search(set, name, strlen(name), set->types, set->type_count,
                  sizeof *set->types);
}

bool set_number(const struct schema_set *set, const char *name,
                unsigned *number) {
    const struct schema_type *type = set_type(set, name);
    unsigned scalar = 0;
    if (type) {
        *number = SCALAR_COUNT + (unsigned)(type - set->types);
        return true;
    }
    while (scalar < SCALAR_COUNT && strcmp(scalar_name(scalar), name) != 0)
        scalar++;
    *number = scalar;
    return scalar < SCALAR_COUNT;
}

const struct schema_field *set_field(const struct schema_set *set,
                                     const struct schema_type *type,
                                     const struct json_string *name) {
    return search(set, name->text, name->length, set->members + type->first,
                  type->count, sizeof *set->members);
}

const struct schema_value *set_value(const struct schema_set *set,
                                     const struct schema_type *type,
                                     const struct json_string *name) {
    return search(set, name->text, name->length, set->values + type->first,
                  type->count, sizeof *set->values);
}

const struct schema_type *set_referred(const struct schema_set *set,
                                       unsigned number) {
    return number < SCALAR_COUNT ? NULL : &set->types[number - SCALAR_COUNT];
}

int first_build(const struct schema_set *set, unsigned builds) {
    size_t i = 0;
    while (i + 1 < set->build_count && !(builds >> i & 1u))
        i++;
    return set->builds[i];
}

const struct schema_type *schema_find(const char *name) {
    return name ? set_type(&schema_hcs, name) : NULL;
}

size_t schema_member_count(const struct schema_type *type) {
    return type->kind == SCHEMA_OBJECT ? type->count : 0;
}

static const char *number_name(const struct schema_set *set, unsigned number) {
    const struct schema_type *type = set_referred(set, number);
    return type ? set_name(set, type->name) : scalar_name(number);
}

void schema_member_at(const struct schema_type *type, size_t index,
                      struct schema_member *out) {
    const struct schema_set *set = &schema_hcs;
    const struct schema_field *field =
        &set->members[type->first + set->order[type->first + index]];
    out->name = set_name(set, field->name);
    out->type = number_name(set, field->type);
    out->map = field->map == SCHEMA_NO_MAP ? NULL : scalar_name(field->map);
    out->array = (field->flags & SCHEMA_ARRAY) != 0;
    out->nullable = (field->flags & SCHEMA_NULLABLE) != 0;
    out->always = (field->flags & SCHEMA_ALWAYS) != 0;
    out->first_build = first_build(set, field->builds);
    out->minor = field->minor;
}

/* Whether `path` has the shape of `pattern`, segment by segment. */
static bool matches(const char *pattern, const char *path) {
    while (*pattern && *path) {
        size_t want = strcspn(pattern, "/");
        size_t have = strcspn(path, "/");
        bool free_choice = *pattern == '{' && have > 0;
        if (!free_choice && (want != have || memcmp(pattern, path, want) != 0))
            return false;
        pattern += want;
        path += have;
        if (*pattern != *path)
            return false;
        if (*pattern) {
            pattern++;
            path++;
        }
    }
    return *pattern == *path;
}

const char *schema_settings_type(const char *resource_path) {
    const struct schema_set *set = &schema_hcs;
    if (!resource_path)
        return NULL;
    for (size_t i = 0; i < set->path_count; i++)
        if (matches(set->paths[i].path, resource_path))
            return number_name(set, set->paths[i].type);
    return NULL;
}
