/* SPDX-License-Identifier: MIT */
#include "extents.h"

#include <stdlib.h>

#include "reader.h"

HRESULT extents_add(struct extents *extents, uint64_t start, uint64_t bytes,
                    uint64_t offset, struct hcs_error *error) {
    if (bytes == 0)
        return S_OK;
    if (start > UINT64_MAX - bytes || offset > UINT64_MAX - bytes)
        return dump_corrupt(error, "has a part that is past all addresses");
    if (extents->count >= EXTENTS_MAX)
        return dump_corrupt(error, "has more than %llu parts",
                            (unsigned long long)EXTENTS_MAX);
    if (extents->count == extents->capacity) {
        size_t capacity = extents->capacity ? extents->capacity * 2 : 16;
        struct extent *items =
            realloc(extents->items, capacity * sizeof *items);
        if (!items)
            return dump_no_memory(error);
        extents->items = items;
        extents->capacity = capacity;
    }
    extents->items[extents->count] =
        (struct extent){start, bytes, offset, extents->count};
    extents->count++;
    return S_OK;
}

void extents_free(struct extents *extents) {
    free(extents->items);
    memset(extents, 0, sizeof *extents);
}

/* --- order --------------------------------------------------------------- */

static int by_start(const void *a, const void *b) {
    const struct extent *x = a, *y = b;

    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool overlap(const struct extents *extents) {
    size_t i;

    for (i = 1; i < extents->count; i++) {
        const struct extent *before = &extents->items[i - 1];
        if (extents->items[i].start - before->start < before->bytes)
            return true;
    }
    return false;
}

/* Those that reach past a place, the one that was added last on top. */
struct heap {
    const struct extent **items;
    size_t count;
};

static void heap_push(struct heap *heap, const struct extent *extent) {
    size_t at = heap->count++;

    while (at > 0 && heap->items[(at - 1) / 2]->order < extent->order) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = extent;
}

static void heap_pop(struct heap *heap) {
    const struct extent *moved = heap->items[--heap->count];
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count &&
            heap->items[child + 1]->order > heap->items[child]->order)
            child++;
        if (heap->items[child]->order < moved->order)
            break;
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = moved;
}

static uint64_t end_of(const struct extent *extent) {
    return extent->start + extent->bytes;
}

/* Goes from place to place where what counts may change: the begin of one, or
 * the end of the one on top. */
static HRESULT cut(const struct extents *from, struct heap *heap,
                   struct extents *to, struct hcs_error *error) {
    size_t next = 0;
    uint64_t at = 0;

    while (next < from->count || heap->count > 0) {
        const struct extent *top;
        uint64_t until;
        HRESULT hr;

        if (heap->count == 0 && at < from->items[next].start)
            at = from->items[next].start;
        while (next < from->count && from->items[next].start <= at)
            heap_push(heap, &from->items[next++]);
        while (heap->count > 0 && end_of(heap->items[0]) <= at)
            heap_pop(heap);
        if (heap->count == 0)
            continue;
        top = heap->items[0];
        until = end_of(top);
        if (next < from->count && from->items[next].start < until)
            until = from->items[next].start;
        hr = extents_add(to, at, until - at, top->offset + (at - top->start),
                         error);
        if (FAILED(hr))
            return hr;
        at = until;
    }
    return S_OK;
}

/* Neighbours here that are neighbours there are one. */
static void join(struct extents *extents) {
    size_t i, last = 0;

    for (i = 1; i < extents->count; i++) {
        struct extent *before = &extents->items[last];
        const struct extent *extent = &extents->items[i];
        if (end_of(before) == extent->start &&
            before->offset + before->bytes == extent->offset)
            before->bytes += extent->bytes;
        else
            extents->items[++last] = *extent;
    }
    if (extents->count > 0)
        extents->count = last + 1;
}

HRESULT extents_settle(struct extents *extents, struct hcs_error *error) {
    struct extents settled = {0};
    struct heap heap = {0};
    HRESULT hr = S_OK;

    if (extents->count == 0)
        return S_OK;
    qsort(extents->items, extents->count, sizeof *extents->items, by_start);
    if (overlap(extents)) {
        heap.items = malloc(extents->count * sizeof(struct extent *));
        hr = heap.items ? cut(extents, &heap, &settled, error)
                        : dump_no_memory(error);
        free(heap.items);
        extents_free(SUCCEEDED(hr) ? extents : &settled);
        if (SUCCEEDED(hr))
            *extents = settled;
    }
    join(extents);
    return hr;
}

/* --- looking up ---------------------------------------------------------- */

const struct extent *extents_find(const struct extents *extents,
                                  uint64_t address) {
    size_t low = 0, high = extents->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (end_of(&extents->items[middle]) > address)
            high = middle;
        else
            low = middle + 1;
    }
    return low < extents->count ? &extents->items[low] : NULL;
}

HRESULT extents_next_range(const struct extents *extents, uint64_t from,
                           struct dump_range *out) {
    const struct extent *extent = extents_find(extents, from);
    const struct extent *end;

    if (!extent)
        return S_FALSE;
    end = extents->items + extents->count;
    out->start = extent->start > from ? extent->start : from;
    out->bytes = end_of(extent) - out->start;
    for (extent++; extent < end && extent->start == out->start + out->bytes;
         extent++)
        out->bytes += extent->bytes;
    return S_OK;
}

HRESULT extents_next_data(const struct extents *extents, struct source *source,
                          uint64_t from, struct dump_range *out) {
    const struct extent *extent = extents_find(extents, from);
    const struct extent *end = extent ? extents->items + extents->count : NULL;

    for (; extent < end; extent++) {
        uint64_t skip = from > extent->start ? from - extent->start : 0;
        uint64_t until = extent->offset + extent->bytes;
        uint64_t data = source_next_data(source, extent->offset + skip);
        if (data < until) {
            uint64_t hole = smaller(source_next_hole(source, data), until);
            out->start = extent->start + (data - extent->offset);
            out->bytes = hole > data ? hole - data : until - data;
            return S_OK;
        }
    }
    return S_FALSE;
}

HRESULT extents_read(const struct extents *extents, struct source *source,
                     uint64_t address, void *bytes, size_t size, size_t *got,
                     struct hcs_error *error) {
    const struct extent *extent = extents_find(extents, address);
    uint64_t skip;

    *got = 0;
    if (!extent || extent->start > address)
        return S_OK;
    skip = address - extent->start;
    *got = (size_t)smaller(size, extent->bytes - skip);
    return source_read(source, extent->offset + skip, bytes, *got, error);
}
