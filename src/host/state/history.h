/* SPDX-License-Identifier: MIT
 * What is kept of a guest's output: the first bytes and the last ones. Places
 * in it are counted from the first byte that was ever printed. */
#ifndef HCS_HISTORY_H
#define HCS_HISTORY_H

#include <stdint.h>

#include "../../base/buf.h"

#define HISTORY_HEAD_SIZE (64u * 1024)
#define HISTORY_TAIL_SIZE (1024u * 1024)

/* {0} is an empty one. */
struct history {
    uint64_t total;   /* bytes printed */
    struct buf head;  /* the first HISTORY_HEAD_SIZE of them */
    char *tail;       /* a ring of the last ones that are not in `head` */
    size_t tail_room; /* grows up to HISTORY_TAIL_SIZE */
    size_t tail_size;
};

void history_free(struct history *history);
/* Without memory it keeps less, but counts all. */
void history_add(struct history *history, const char *bytes, size_t length);
/* The longest piece in one block from `position` on; *length 0: it is not
 * kept, or not printed yet. */
const char *history_piece(const struct history *history, uint64_t position,
                          size_t *length);
/* The first place from `position` on that is kept or not printed yet. */
uint64_t history_next(const struct history *history, uint64_t position);
/* Appends at most `most` bytes of the end, from the start of a line. */
void history_tail(const struct history *history, size_t most, struct buf *out);

#endif
