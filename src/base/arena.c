/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CHUNK ((size_t)1024)
#define LARGEST_CHUNK ((size_t)1024 * 1024)
#define ALIGNMENT alignof(max_align_t)

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of the bytes */
    alignas(max_align_t) char bytes[];
};

static size_t next_size(const struct arena *arena, size_t need) {
    size_t size = FIRST_CHUNK;
    if (arena->chunks && arena->chunks->size >= FIRST_CHUNK)
        size = arena->chunks->size * 2;
    if (size > LARGEST_CHUNK)
        size = LARGEST_CHUNK;
    return size < need ? need : size;
}

static struct arena_chunk *add_chunk(struct arena *arena, size_t need) {
    size_t size = next_size(arena, need);
    struct arena_chunk *chunk;

    if (size > SIZE_MAX - sizeof *chunk)
        return NULL;
    chunk = malloc(sizeof *chunk + size);
    if (!chunk)
        return NULL;
    chunk->size = size;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->used = 0;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t size) {
    struct arena_chunk *chunk = arena->chunks;
    void *block;

    if (size > SIZE_MAX - ALIGNMENT)
        return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!chunk || chunk->size - arena->used < size)
        chunk = add_chunk(arena, size);
    if (!chunk)
        return NULL;
    block = chunk->bytes + arena->used;
    arena->used += size;
    return block;
}

char *arena_text(struct arena *arena, const char *text, size_t length) {
    char *copy = length < SIZE_MAX ? arena_alloc(arena, length + 1) : NULL;
    if (!copy)
        return NULL;
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

void arena_free(struct arena *arena) {
    struct arena_chunk *chunk = arena->chunks;
    while (chunk) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    *arena = (struct arena){0};
}
