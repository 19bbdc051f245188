/* SPDX-License-Identifier: MIT */
#include "index.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(const void *key, size_t length) { /* FNV-1a */
    const unsigned char *byte = key;
    uint64_t hash = UINT64_C(0xCBF29CE484222325);

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001B3);
    return hash ^ hash >> 32;
}

static struct entry **slots_of(struct index *index) {
    return index->slots ? index->slots : index->few;
}

static size_t size_of(const struct index *index) {
    return index->slots ? index->size : INDEX_FIRST;
}

static struct entry **slot(struct index *index, uint64_t hash) {
    return &slots_of(index)[hash & (size_of(index) - 1)];
}

/* Without memory the table stays as it is, and works. */
static void grow(struct index *index) {
    size_t size = size_of(index) * 2;
    struct entry **old = slots_of(index);
    size_t old_size = size_of(index);
    struct entry **slots = calloc(size, sizeof *slots);

    if (!slots)
        return;
    for (size_t i = 0; i < old_size; i++)
        while (old[i]) {
            struct entry *entry = old[i];
            old[i] = entry->next;
            entry->next = slots[entry->hash & (size - 1)];
            slots[entry->hash & (size - 1)] = entry;
        }
    free(index->slots);
    index->slots = slots;
    index->size = size;
}

void index_put(struct index *index, struct entry *entry, const void *key,
               size_t length, void *owner) {
    struct entry **place;

    if (index->count >= size_of(index))
        grow(index);
    entry->key = key;
    entry->length = length;
    entry->owner = owner;
    entry->hash = hash_of(key, length);
    entry->inside = true;
    place = slot(index, entry->hash);
    entry->next = *place;
    *place = entry;
    index->count++;
}

void index_take(struct index *index, struct entry *entry) {
    struct entry **place;

    if (!entry->inside)
        return;
    for (place = slot(index, entry->hash); *place != entry;)
        place = &(*place)->next;
    *place = entry->next;
    entry->inside = false;
    index->count--;
}

static struct entry *match(struct entry *entry, uint64_t hash, const void *key,
                           size_t length) {
    while (entry && (entry->hash != hash || entry->length != length ||
                     memcmp(entry->key, key, length) != 0))
        entry = entry->next;
    return entry;
}

struct entry *index_find(const struct index *index, const void *key,
                         size_t length) {
    uint64_t hash = hash_of(key, length);
    struct entry *const *slots = index->slots ? index->slots : index->few;
    return match(slots[hash & (size_of(index) - 1)], hash, key, length);
}

struct entry *index_next(const struct entry *entry) {
    return match(entry->next, entry->hash, entry->key, entry->length);
}

void *index_owner(const struct index *index, const void *key, size_t length) {
    struct entry *entry = index_find(index, key, length);
    return entry ? entry->owner : NULL;
}

void index_free(struct index *index) {
    free(index->slots);
    *index = (struct index){0};
}
