/* SPDX-License-Identifier: MIT
 * Memory that is given back all at once. Blocks come from chunks that double,
 * so the number of allocations grows with the logarithm of the size. */
#ifndef HCS_ARENA_H
#define HCS_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* the newest first; the one in use */
    size_t used;                /* of the newest */
};

/* `size` bytes aligned for any type of ours, NULL when out of memory. */
void *arena_alloc(struct arena *arena, size_t size);
/* A copy of `length` bytes with a NUL after them, NULL when out of memory. */
char *arena_text(struct arena *arena, const char *text, size_t length);
void arena_free(struct arena *arena);

#endif
