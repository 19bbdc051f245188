/* SPDX-License-Identifier: MIT
 * A map of pages, one bit for each, in a source; the pages whose bits are set
 * follow each other somewhere else. What is asked for is read; a count for
 * each block of bits is made when it is needed first. */
#ifndef HCS_DUMP_PAGEMAP_H
#define HCS_DUMP_PAGEMAP_H

#include "dump.h"
#include "source.h"

/* Bits that are counted as one. */
#define PAGEMAP_BLOCK 32768u

struct pagemap {
    struct source *source;
    uint64_t offset;
    uint64_t bits;
    uint64_t *counts; /* set bits before each block; NULL: not made yet */
    uint64_t blocks;  /* for which they are made */
    struct source_window window;
    uint64_t last_bit; /* where something was counted last, and the result */
    uint64_t last_rank;
};

/* HR_FILE_CORRUPT when the map is not within the source, or larger than what
 * can be kept of it. */
HRESULT pagemap_open(struct pagemap *map, struct source *source,
                     uint64_t offset, uint64_t bits, struct hcs_error *error);
void pagemap_close(struct pagemap *map);

/* Whether that bit is set; those past the end are not. */
HRESULT pagemap_has(struct pagemap *map, uint64_t bit, bool *has,
                    struct hcs_error *error);
/* How many bits are set before `bit` (<= bits). */
HRESULT pagemap_rank(struct pagemap *map, uint64_t bit, uint64_t *rank,
                     struct hcs_error *error);
/* The first bit from `from` on that is `set`, or the number of bits. */
HRESULT pagemap_next(struct pagemap *map, uint64_t from, bool set,
                     uint64_t *bit, struct hcs_error *error);

#endif
