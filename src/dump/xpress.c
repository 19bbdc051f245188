/* SPDX-License-Identifier: MIT */
#include "xpress.h"

#include <string.h>

#define PAGE 4096u

/* Numbers are taken from the front of what is left; once there are not enough
 * bytes everything is zero and `short_of` stays set. */
struct input {
    const uint8_t *bytes;
    size_t size;
    size_t at;
    bool short_of;
};

static uint32_t take(struct input *in, size_t count) {
    uint32_t value = 0;
    if (in->short_of || in->size - in->at < count) {
        in->short_of = true;
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        value |= (uint32_t)in->bytes[in->at + i] << 8 * i;
    in->at += count;
    return value;
}

static uint64_t take64(struct input *in) {
    uint64_t low = take(in, 4);
    return low | (uint64_t)take(in, 4) << 32;
}

/* --- plain LZ77 ------------------------------------------------------- */

/* Lengths from 10 on have four more bits; two of them share a byte, whose
 * place the first remembers for the second. */
struct lengths {
    size_t half; /* where that byte is; 0: nobody has left one */
};

/* The length of a match, less 3, whose three bits are all set. */
static uint64_t long_length(struct input *in, struct lengths *lengths) {
    uint64_t length;
    if (lengths->half == 0) {
        lengths->half = in->at;
        length = take(in, 1) & 15;
    } else {
        length = in->bytes[lengths->half] >> 4;
        lengths->half = 0;
    }
    if (length < 15)
        return length + 7;
    length = take(in, 1);
    if (length < 255)
        return length + 15 + 7;
    length = take(in, 2);
    if (length == 0)
        length = take(in, 4);
    if (length < 15 + 7)
        in->short_of = true; /* it would have had a shorter form */
    return length;
}

static bool copy_match(uint8_t *out, size_t out_size, size_t *at, size_t back,
                       uint64_t length) {
    if (back > *at || length > out_size - *at)
        return false;
    for (uint8_t *next = out + *at, *end = next + length; next < end; next++)
        *next = *(next - back);
    *at += (size_t)length;
    return true;
}

static bool one_match(struct input *in, struct lengths *lengths, uint8_t *out,
                      size_t out_size, size_t *at) {
    uint32_t pair = take(in, 2);
    uint64_t length = pair & 7;
    if (length == 7)
        length = long_length(in, lengths);
    if (in->short_of)
        return false;
    return copy_match(out, out_size, at, (pair >> 3) + 1, length + 3);
}

bool xpress_unpack(const uint8_t *in_bytes, size_t in_size, uint8_t *out,
                   size_t out_size) {
    struct input in = {in_bytes, in_size, 0, false};
    struct lengths lengths = {0};
    uint32_t flags = 0;
    size_t at = 0;
    for (unsigned left = 0; at < out_size; left--) {
        if (left == 0) {
            flags = take(&in, 4);
            left = 32;
        }
        if (in.short_of)
            return false;
        if (flags >> (left - 1) & 1) {
            if (!one_match(&in, &lengths, out, out_size, &at))
                return false;
        } else {
            out[at++] = (uint8_t)take(&in, 1);
        }
    }
    return !in.short_of;
}

/* --- records of pages ------------------------------------------------- */

#define THE_END UINT32_C(0xFFFFFFFF)
#define ONE_PATTERN UINT32_C(0xFFFFFFFE)
#define PATTERNS UINT32_C(0xFFFFFFFD)
#define PIECE UINT32_C(0xFFFFFFFC)

struct output {
    uint8_t *bytes;
    size_t size;
    size_t at;
};

static bool put_pattern(struct output *out, uint64_t pattern, uint64_t pages) {
    uint8_t *page = out->bytes + out->at;
    if (pages > (out->size - out->at) / PAGE)
        return false;
    if (pattern == 0) {
        memset(page, 0, (size_t)pages * PAGE);
    } else if (pages) {
        for (unsigned i = 0; i < PAGE; i++)
            page[i] = (uint8_t)(pattern >> 8 * (i & 7));
        for (uint64_t i = 1; i < pages; i++)
            memcpy(page + i * PAGE, page, PAGE);
    }
    out->at += (size_t)pages * PAGE;
    return true;
}

static bool put_packed(struct input *in, struct output *out, uint32_t length,
                       uint32_t packed) {
    const uint8_t *from = in->bytes + in->at;
    if (in->short_of || length > PAGE || packed > length || packed == 0 ||
        length > out->size - out->at || packed > in->size - in->at)
        return false;
    if (packed == length)
        memcpy(out->bytes + out->at, from, length);
    else if (!xpress_unpack(from, packed, out->bytes + out->at, length))
        return false;
    in->at += packed;
    out->at += length;
    return true;
}

static bool put_record(struct input *in, struct output *out, uint32_t kind) {
    uint64_t pattern;
    uint32_t length;
    switch (kind) {
    case ONE_PATTERN:
        pattern = take64(in);
        return !in->short_of && put_pattern(out, pattern, 1);
    case PATTERNS:
        pattern = take64(in);
        length = take(in, 4);
        return !in->short_of && put_pattern(out, pattern, length);
    case PIECE:
        length = take(in, 4);
        return put_packed(in, out, length, take(in, 4));
    default:
        return put_packed(in, out, PAGE, kind);
    }
}

bool pages_unpack(const uint8_t *in_bytes, size_t in_size, uint8_t *out_bytes,
                  size_t out_size) {
    struct input in = {in_bytes, in_size, 0, false};
    struct output out = {out_bytes, out_size, 0};
    while (in.at < in.size && out.at < out.size) {
        uint32_t kind = take(&in, 4);
        if (kind == THE_END)
            break;
        if (in.short_of || !put_record(&in, &out, kind))
            return false;
    }
    memset(out.bytes + out.at, 0, out.size - out.at);
    return true;
}
