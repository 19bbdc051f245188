/* SPDX-License-Identifier: MIT
 * A hash table whose entries live in their owners. Putting one in cannot fail:
 * without memory to grow, the table only becomes slower. */
#ifndef HCS_INDEX_H
#define HCS_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INDEX_FIRST 8

struct entry {
    struct entry *next;
    uint64_t hash;
    const void *key; /* bytes that the owner keeps */
    size_t length;
    void *owner;
    bool inside;
};

/* Stays where it is once something is in it. All zero is empty. */
struct index {
    struct entry *few[INDEX_FIRST];
    struct entry **slots; /* NULL: few */
    size_t size;          /* a power of two; 0: INDEX_FIRST */
    size_t count;
};

/* Equal keys may be in it more than once. */
void index_put(struct index *index, struct entry *entry, const void *key,
               size_t length, void *owner);
/* Harmless for an entry that is not in it. */
void index_take(struct index *index, struct entry *entry);
/* The first entry of that key, or NULL. */
struct entry *index_find(const struct index *index, const void *key,
                         size_t length);
/* The next one of the same key. */
struct entry *index_next(const struct entry *entry);
/* The owner of the first entry of that key, or NULL. */
void *index_owner(const struct index *index, const void *key, size_t length);
/* Gives the memory back; the entries are their owners'. */
void index_free(struct index *index);

#endif
