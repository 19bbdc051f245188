/* SPDX-License-Identifier: MIT
 * Finding a name that an object has twice: by comparing each with each in
 * small objects, by sorting in large ones. */
#include <stdlib.h>
#include <string.h>

#include "json_reader.h"

#define SMALL 16

static int compare_names(const struct json_string *a,
                         const struct json_string *b) {
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    return memcmp(a->text, b->text, a->length);
}

/* By name, and the same name by its place in the text. */
static int compare(const void *left, const void *right) {
    const struct pending *a = *(const struct pending *const *)left;
    const struct pending *b = *(const struct pending *const *)right;
    int order = compare_names(&a->member.name, &b->member.name);
    return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static const struct pending *find_small(const struct pending *members,
                                        size_t count) {
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (!compare_names(&members[i].member.name,
                               &members[j].member.name))
                return &members[i];
    return NULL;
}

static const struct pending *find_sorted(const struct pending **sorted,
                                         size_t count) {
    const struct pending *first = NULL;
    for (size_t i = 1; i < count; i++) {
        if (compare_names(&sorted[i]->member.name, &sorted[i - 1]->member.name))
            continue;
        if (!first || sorted[i]->offset < first->offset)
            first = sorted[i];
    }
    return first;
}

bool names_find_twice(const struct pending *members, size_t count,
                      const struct pending **twice) {
    const struct pending **sorted;

    if (count <= SMALL) {
        *twice = find_small(members, count);
        return true;
    }
    sorted = malloc(count * sizeof *sorted);
    if (!sorted)
        return false;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &members[i];
    qsort(sorted, count, sizeof *sorted, compare);
    *twice = find_sorted(sorted, count);
    free(sorted);
    return true;
}
