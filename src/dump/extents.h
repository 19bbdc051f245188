/* SPDX-License-Identifier: MIT
 * Which stretch of one numbering lies where in another: physical memory in a
 * file, or a file in the pieces that it came in. */
#ifndef HCS_DUMP_EXTENTS_H
#define HCS_DUMP_EXTENTS_H

#include "dump.h"
#include "source.h"

/* With 32 bytes each, and as many again while they are put in order, within
 * what a dump may take. */
#define EXTENTS_MAX (UINT64_C(2) << 20)

struct extent {
    uint64_t start;
    uint64_t bytes;
    uint64_t offset; /* where `start` lies in the source */
    uint64_t order;  /* the number it was added as */
};

struct extents {
    struct extent *items;
    size_t count;
    size_t capacity;
};

/* Nothing of 0 bytes is added. HR_FILE_CORRUPT when start or offset plus bytes
 * wrap, or there are too many. */
HRESULT extents_add(struct extents *extents, uint64_t start, uint64_t bytes,
                    uint64_t offset, struct hcs_error *error);
/* Puts them in order, before any of what follows. Where some overlap, what was
 * added last counts. */
HRESULT extents_settle(struct extents *extents, struct hcs_error *error);
void extents_free(struct extents *extents);

/* The last extent that begins at or before `address` if it reaches past it,
 * else the one that follows, or NULL: none. */
const struct extent *extents_find(const struct extents *extents,
                                  uint64_t address);
/* As dump_next_range. */
HRESULT extents_next_range(const struct extents *extents, uint64_t from,
                           struct dump_range *out);
/* As dump_next_data: holes of the source are zeros. */
HRESULT extents_next_data(const struct extents *extents, struct source *source,
                          uint64_t from, struct dump_range *out);
/* As a reader's read. */
HRESULT extents_read(const struct extents *extents, struct source *source,
                     uint64_t address, void *bytes, size_t size, size_t *got,
                     struct hcs_error *error);

#endif
