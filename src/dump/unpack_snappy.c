/* SPDX-License-Identifier: MIT
 * Snappy, as its format description has it: the size, then literals and copies
 * of what was written before. */
#include <string.h>

#include "bytes.h"
#include "unpack.h"

struct snappy {
    const uint8_t *in, *in_end;
    uint8_t *begin, *out, *out_end;
};

static bool read_size(struct snappy *s, size_t *size) {
    unsigned shift = 0;
    uint64_t value = 0;

    for (; shift < 35 && s->in < s->in_end; shift += 7) {
        uint8_t byte = *s->in++;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (!(byte & 0x80)) {
            *size = (size_t)value;
            return value <= UINT32_MAX;
        }
    }
    return false;
}

static bool take(struct snappy *s, unsigned bytes, uint32_t *value) {
    unsigned i;

    if ((size_t)(s->in_end - s->in) < bytes)
        return false;
    *value = 0;
    for (i = 0; i < bytes; i++)
        *value |= (uint32_t)*s->in++ << 8 * i;
    return true;
}

static bool literal(struct snappy *s, uint8_t tag) {
    uint32_t length = tag >> 2;
    uint64_t bytes;

    if (length >= 60 && !take(s, length - 59, &length))
        return false;
    bytes = (uint64_t)length + 1;
    if (bytes > (uint64_t)(s->in_end - s->in) ||
        bytes > (uint64_t)(s->out_end - s->out))
        return false;
    memcpy(s->out, s->in, (size_t)bytes);
    s->in += bytes;
    s->out += bytes;
    return true;
}

/* What is copied may be what the copy itself writes. */
static bool copy(struct snappy *s, uint32_t length, uint32_t offset) {
    const uint8_t *from;

    if (offset == 0 || offset > (size_t)(s->out - s->begin) ||
        length > (size_t)(s->out_end - s->out))
        return false;
    for (from = s->out - offset; length > 0; length--)
        *s->out++ = *from++;
    return true;
}

static bool element(struct snappy *s, uint8_t tag) {
    uint32_t low, offset;

    switch (tag & 3) {
    case 0:
        return literal(s, tag);
    case 1:
        return take(s, 1, &low) &&
               copy(s, (tag >> 2 & 7u) + 4, low | (uint32_t)(tag >> 5) << 8);
    case 2:
        return take(s, 2, &offset) && copy(s, (tag >> 2) + 1u, offset);
    default:
        return take(s, 4, &offset) && copy(s, (tag >> 2) + 1u, offset);
    }
}

bool unpack_snappy(const uint8_t *bytes, size_t length, uint8_t *out,
                   size_t size) {
    struct snappy s = {bytes, bytes + length, out, out, out + size};
    size_t told;

    if (!read_size(&s, &told) || told != size)
        return false;
    while (s.in < s.in_end) {
        if (!element(&s, *s.in++))
            return false;
    }
    return s.out == s.out_end;
}
