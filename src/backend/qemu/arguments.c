/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void add_text(struct arguments *args, char *text) {
    char **items;

    if (!text || args->failed)
        goto fail;
    items = realloc(args->items, (args->count + 2) * sizeof *items);
    if (!items)
        goto fail;
    args->items = items;
    args->items[args->count++] = text;
    args->items[args->count] = NULL;
    return;

fail:
    free(text);
    args->failed = true;
}

void arguments_add(struct arguments *args, const char *text) {
    add_text(args, strdup(text));
}

void arguments_option(struct arguments *args, const char *option,
                      const char *format, ...) {
    char *text = NULL;
    va_list list;

    arguments_add(args, option);
    va_start(list, format);
    if (vasprintf(&text, format, list) < 0)
        text = NULL;
    va_end(list);
    add_text(args, text);
}

/* A value inside an option that splits at commas: they are doubled. */
void arguments_put_value(struct buf *out, const char *value) {
    for (; *value; value++) {
        if (*value == ',')
            buf_putc(out, ',');
        buf_putc(out, *value);
    }
}

void arguments_option_buf(struct arguments *args, const char *option,
                          struct buf *text) {
    arguments_add(args, option);
    add_text(args, buf_take(text));
}

void arguments_free(struct arguments *arguments) {
    for (size_t i = 0; i < arguments->count; i++)
        free(arguments->items[i]);
    free(arguments->items);
    memset(arguments, 0, sizeof *arguments);
}
