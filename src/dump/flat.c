/* SPDX-License-Identifier: MIT */
#include "flat.h"

#include <stdlib.h>

#include "extents.h"

#define SIGNATURE "makedumpfile\0\0\0"
#define SIGNATURE_SIZE 16u
#define HEADER_SIZE 4096u
#define PIECE_HEADER 16u

struct flat {
    struct source *inner;
    struct extents pieces;
};

bool flat_knows(const struct dump_head *head) {
    return memcmp(head->bytes, SIGNATURE, SIGNATURE_SIZE) == 0 &&
           be64(head->bytes + 16) == 1 && be64(head->bytes + 24) == 1;
}

static HRESULT flat_read(void *self, uint64_t offset, void *bytes, size_t size,
                         struct hcs_error *error) {
    struct flat *flat = self;
    size_t done = 0;

    while (done < size) {
        uint64_t at = offset + done;
        uint8_t *to = (uint8_t *)bytes + done;
        size_t got = 0;
        HRESULT hr = extents_read(&flat->pieces, flat->inner, at, to,
                                  size - done, &got, error);
        if (FAILED(hr))
            return hr;
        if (got == 0) { /* what nobody wrote is a hole */
            const struct extent *next = extents_find(&flat->pieces, at);
            got = next ? (size_t)smaller(size - done, next->start - at)
                       : size - done;
            memset(to, 0, got);
        }
        done += got;
    }
    return S_OK;
}

/* What nobody wrote is a hole, whatever is one in the file itself. */
static uint64_t flat_next_data(void *self, uint64_t offset) {
    const struct flat *flat = self;
    const struct extent *next = extents_find(&flat->pieces, offset);

    if (!next) /* the end: there is a piece before it */
        return offset;
    return next->start > offset ? next->start : offset;
}

static uint64_t flat_next_hole(void *self, uint64_t offset) {
    const struct flat *flat = self;
    struct dump_range range;

    if (extents_next_range(&flat->pieces, offset, &range) != S_OK ||
        range.start > offset)
        return offset;
    return range.start + range.bytes;
}

static void flat_close(void *self) {
    struct flat *flat = self;

    extents_free(&flat->pieces);
    source_close(flat->inner);
    free(flat);
}

static const struct source_kind flat_source = {flat_read, flat_next_data,
                                               flat_next_hole, flat_close};

/* One piece; S_FALSE at the end, which a file that was cut off does not have.
 */
static HRESULT take_piece(struct flat *flat, uint64_t *at, bool *truncated,
                          struct hcs_error *error) {
    uint8_t header[PIECE_HEADER];
    uint64_t offset, size;
    HRESULT hr;

    *truncated = true;
    if (!source_has(flat->inner, *at, sizeof header))
        return S_FALSE;
    hr = source_read(flat->inner, *at, header, sizeof header, error);
    if (FAILED(hr))
        return hr;
    offset = be64(header);
    size = be64(header + 8);
    *at += PIECE_HEADER;
    *truncated = false;
    if (offset > INT64_MAX || size > INT64_MAX)
        return S_FALSE;
    if (!source_has(flat->inner, *at, size)) {
        size = source_length(flat->inner) - *at;
        *truncated = true;
    }
    hr = extents_add(&flat->pieces, offset, size, *at, error);
    *at += size;
    return SUCCEEDED(hr) && *truncated ? S_FALSE : hr;
}

HRESULT flat_open(struct source *inner, struct source **out, bool *truncated,
                  struct hcs_error *error) {
    struct flat *flat = calloc(1, sizeof *flat);
    uint64_t at = HEADER_SIZE, length = 0;
    HRESULT hr = S_OK;

    *out = NULL;
    if (!flat) {
        source_close(inner);
        return dump_no_memory(error);
    }
    flat->inner = inner;
    while (hr == S_OK)
        hr = take_piece(flat, &at, truncated, error);
    if (SUCCEEDED(hr))
        hr = extents_settle(&flat->pieces, error);
    if (FAILED(hr)) {
        flat_close(flat);
        return hr;
    }
    if (flat->pieces.count > 0) {
        const struct extent *last = &flat->pieces.items[flat->pieces.count - 1];
        length = last->start + last->bytes;
    }
    return source_create(&flat_source, flat, length, out, error);
}
