/* SPDX-License-Identifier: MIT
 * A growing byte buffer. Running out of memory is remembered (`failed`) and
 * further writes are ignored, so that a writer checks once at its end. The
 * contents are always NUL-terminated. */
#ifndef HCS_BUF_H
#define HCS_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

struct buf {
    char *data; /* NULL until the first write */
    size_t length;
    size_t capacity;
    bool failed;
};

void buf_free(struct buf *buf);  /* back to empty */
void buf_clear(struct buf *buf); /* empty and not failed, keeps the memory */
void buf_add(struct buf *buf, const void *bytes, size_t length);
void buf_puts(struct buf *buf, const char *text);
void buf_putc(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) HCS_PRINTF(2, 3);
void buf_consume(struct buf *buf, size_t length); /* drop from the front */
/* The malloc'd text ("" when nothing was written), NULL if failed; empties. */
char *buf_take(struct buf *buf);

#endif
