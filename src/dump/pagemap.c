/* SPDX-License-Identifier: MIT */
#include "pagemap.h"

#include <stdlib.h>

#include "reader.h"

#define BLOCK_BYTES (PAGEMAP_BLOCK / 8)
/* With 8 bytes for each: 2^40 pages, and 128 GB of bits. */
#define MAX_BLOCKS (UINT64_C(1) << 20)

HRESULT pagemap_open(struct pagemap *map, struct source *source,
                     uint64_t offset, uint64_t bits, struct hcs_error *error) {
    memset(map, 0, sizeof *map);
    map->source = source;
    map->offset = offset;
    map->bits = bits;
    if (bits > MAX_BLOCKS * PAGEMAP_BLOCK ||
        !source_has(source, offset, (bits + 7) / 8))
        return dump_corrupt(error, "has a map of %llu pages",
                            (unsigned long long)bits);
    return S_OK;
}

void pagemap_close(struct pagemap *map) {
    free(map->counts);
    source_window_free(&map->window);
}

/* --- bits ---------------------------------------------------------------- */

static unsigned ones(uint64_t word) {
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) +
           (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (unsigned)(word * UINT64_C(0x0101010101010101) >> 56);
}

static unsigned lowest(uint64_t word) {
    return ones((word & (0 - word)) - 1);
}

/* The bits of [from, to), which lie in one block, as bytes. */
static HRESULT look(struct pagemap *map, uint64_t from, uint64_t to,
                    const uint8_t **bytes, struct hcs_error *error) {
    uint64_t first = from / 8;

    return source_look(map->source, &map->window, map->offset + first,
                       (size_t)((to + 7) / 8 - first), bytes, error);
}

/* The next up to 64 bits from `from` on within `bytes`, which begin with the
 * byte of `start`; what lies past `to` is 0. */
static uint64_t word_at(const uint8_t *bytes, uint64_t start, uint64_t from,
                        uint64_t to, unsigned *count) {
    uint64_t byte = from / 8 - start / 8;
    uint64_t left = (to + 7) / 8 - from / 8;
    unsigned skip = (unsigned)(from % 8), i;
    uint64_t word = 0;

    if (left >= 8) {
        word = le64(bytes + byte);
    } else {
        for (i = 0; i < left; i++)
            word |= (uint64_t)bytes[byte + i] << 8 * i;
    }
    word >>= skip;
    *count = (unsigned)smaller(64 - skip, to - from);
    if (*count < 64)
        word &= (UINT64_C(1) << *count) - 1;
    return word;
}

static HRESULT count_set(struct pagemap *map, uint64_t from, uint64_t to,
                         uint64_t *sum, struct hcs_error *error) {
    uint64_t at = from;
    const uint8_t *bytes;
    unsigned count;
    HRESULT hr;

    if (from == to)
        return S_OK;
    hr = look(map, from, to, &bytes, error);
    if (FAILED(hr))
        return hr;
    for (; at < to; at += count)
        *sum += ones(word_at(bytes, from, at, to, &count));
    return S_OK;
}

/* The first bit of [from, to) that is `set`, or `to`. */
static HRESULT next_in(struct pagemap *map, uint64_t from, uint64_t to,
                       bool set, uint64_t *bit, struct hcs_error *error) {
    const uint8_t *bytes;
    unsigned count;
    HRESULT hr = look(map, from, to, &bytes, error);

    if (FAILED(hr))
        return hr;
    for (*bit = from; *bit < to; *bit += count) {
        uint64_t word = word_at(bytes, from, *bit, to, &count);
        if (!set)
            word =
                ~word & (count < 64 ? (UINT64_C(1) << count) - 1 : UINT64_MAX);
        if (word != 0) {
            *bit += lowest(word);
            return S_OK;
        }
    }
    return S_OK;
}

/* --- asking -------------------------------------------------------------- */

HRESULT pagemap_has(struct pagemap *map, uint64_t bit, bool *has,
                    struct hcs_error *error) {
    const uint8_t *bytes;
    uint64_t block = bit - bit % PAGEMAP_BLOCK;
    uint64_t end = smaller(block + PAGEMAP_BLOCK, map->bits);
    HRESULT hr;

    *has = false;
    if (bit >= map->bits)
        return S_OK;
    hr = look(map, block, end, &bytes, error);
    if (SUCCEEDED(hr))
        *has = bytes[(bit - block) / 8] >> bit % 8 & 1;
    return hr;
}

/* Whether all of a block lies in a hole of the source, so that none is set. */
static bool in_hole(struct pagemap *map, uint64_t bit, uint64_t *next) {
    uint64_t offset = map->offset + bit / 8;
    uint64_t data = source_next_data(map->source, offset);

    *next = bit;
    if (data <= offset)
        return false;
    *next = smaller((data - map->offset) * 8 / PAGEMAP_BLOCK * PAGEMAP_BLOCK,
                    map->bits);
    return *next > bit;
}

static HRESULT make_counts(struct pagemap *map, uint64_t block,
                           struct hcs_error *error) {
    HRESULT hr = S_OK;

    if (!map->counts) {
        uint64_t all = map->bits / PAGEMAP_BLOCK + 1;
        map->counts = calloc((size_t)all, sizeof *map->counts);
        if (!map->counts)
            return dump_no_memory(error);
    }
    for (; map->blocks < block && SUCCEEDED(hr); map->blocks++) {
        uint64_t from = map->blocks * PAGEMAP_BLOCK;
        uint64_t sum = map->counts[map->blocks], next;
        if (!in_hole(map, from, &next))
            hr = count_set(map, from, from + PAGEMAP_BLOCK, &sum, error);
        if (FAILED(hr))
            return hr;
        map->counts[map->blocks + 1] = sum;
    }
    return hr;
}

HRESULT pagemap_rank(struct pagemap *map, uint64_t bit, uint64_t *rank,
                     struct hcs_error *error) {
    uint64_t block = bit / PAGEMAP_BLOCK;
    uint64_t from = block * PAGEMAP_BLOCK;
    HRESULT hr = make_counts(map, block, error);

    if (FAILED(hr))
        return hr;
    *rank = map->counts[block];
    if (map->last_bit >= from && map->last_bit <= bit) {
        from = map->last_bit;
        *rank = map->last_rank;
    }
    hr = count_set(map, from, bit, rank, error);
    if (SUCCEEDED(hr)) {
        map->last_bit = bit;
        map->last_rank = *rank;
    }
    return hr;
}

HRESULT pagemap_next(struct pagemap *map, uint64_t from, bool set,
                     uint64_t *bit, struct hcs_error *error) {
    *bit = from;
    while (*bit < map->bits) {
        uint64_t at = *bit;
        uint64_t end =
            smaller(at - at % PAGEMAP_BLOCK + PAGEMAP_BLOCK, map->bits);
        HRESULT hr;
        if (set && at % PAGEMAP_BLOCK == 0 && in_hole(map, at, bit))
            continue;
        hr = next_in(map, at, end, set, bit, error);
        if (FAILED(hr))
            return hr;
        if (*bit < end)
            return S_OK;
    }
    *bit = map->bits;
    return S_OK;
}
