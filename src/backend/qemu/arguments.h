/* SPDX-License-Identifier: MIT
 * A program's arguments, as a list that grows. */
#ifndef HCS_QEMU_ARGUMENTS_H
#define HCS_QEMU_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "../../base/buf.h"
#include "../../base/compiler.h"

struct arguments {
    char **items; /* ends with NULL */
    size_t count;
    bool failed; /* out of memory: whoever filled it must look at the end */
};

/* Copies `text`. */
void arguments_add(struct arguments *args, const char *text);
/* "-option" and its formatted value. */
void arguments_option(struct arguments *args, const char *option,
                      const char *format, ...) HCS_PRINTF(3, 4);
/* The same with what is in `text`, which is empty afterwards. */
void arguments_option_buf(struct arguments *args, const char *option,
                          struct buf *text);
/* Appends a value inside an option that splits at commas: they are doubled. */
void arguments_put_value(struct buf *out, const char *value);
void arguments_free(struct arguments *arguments);

#endif
