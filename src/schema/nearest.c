/* SPDX-License-Identifier: MIT
 * The nearest of some names: the fewest letters to put in, take out, change or
 * swap, case aside. */
#include <string.h>

#include "check.h"

#define MAX_NAME 63

static unsigned char lower(char c) {
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static size_t limit(size_t length) {
    return length <= 3 ? 1 : length <= 7 ? 2 : 3;
}

static unsigned char least(unsigned a, unsigned b, unsigned c) {
    unsigned result = a < b ? a : b;
    return (unsigned char)(result < c ? result : c);
}

struct rows {
    unsigned char before[MAX_NAME + 1];
    unsigned char last[MAX_NAME + 1];
    unsigned char now[MAX_NAME + 1];
};

static void fill_row(struct rows *rows, const char *a, size_t i, const char *b,
                     size_t size) {
    rows->now[0] = (unsigned char)i;
    for (size_t j = 1; j <= size; j++) {
        unsigned change = lower(a[i - 1]) != lower(b[j - 1]);
        rows->now[j] = least(rows->last[j] + 1u, rows->now[j - 1] + 1u,
                             rows->last[j - 1] + change);
        if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
            lower(a[i - 2]) == lower(b[j - 1]))
            rows->now[j] =
                least(rows->now[j], rows->before[j - 2] + 1u, MAX_NAME);
    }
}

static size_t distance(const char *a, size_t length, const char *b,
                       size_t size) {
    struct rows rows;
    memset(&rows, 0, sizeof rows);
    for (size_t j = 0; j <= size; j++)
        rows.last[j] = (unsigned char)j;
    for (size_t i = 1; i <= length; i++) {
        fill_row(&rows, a, i, b, size);
        memcpy(rows.before, rows.last, sizeof rows.last);
        memcpy(rows.last, rows.now, sizeof rows.now);
    }
    return rows.last[size];
}

/* "Attach" is near to "Attachments", but no nearer than a slip. */
static bool begins(const char *name, const char *text, size_t length) {
    if (length < 3)
        return false;
    for (size_t i = 0; i < length; i++)
        if (lower(name[i]) != lower(text[i]))
            return false;
    return true;
}

void nearest_begin(struct nearest *nearest, const struct json_string *text) {
    nearest->text = text->text;
    nearest->length = text->length;
    nearest->best = NULL;
    nearest->distance = limit(text->length) + 1;
}

void nearest_offer(struct nearest *nearest, const char *name) {
    size_t size = strlen(name);
    size_t away;
    if (nearest->length > MAX_NAME || size > MAX_NAME)
        return;
    away = distance(nearest->text, nearest->length, name, size);
    if (away > limit(nearest->length) && size >= nearest->length &&
        begins(name, nearest->text, nearest->length))
        away = limit(nearest->length);
    if (away < nearest->distance) {
        nearest->distance = away;
        nearest->best = name;
    }
}
