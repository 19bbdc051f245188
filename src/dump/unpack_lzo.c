/* SPDX-License-Identifier: MIT
 * LZO1X, by the description of its stream: instructions that copy literals and
 * what was written before. What a small instruction means depends on how many
 * literals came right before it. */
#include <string.h>

#include "bytes.h"
#include "unpack.h"

/* Literals before an instruction: none, 1 to 3 by its predecessor's low bits,
 * or a run of them. */
#define AFTER_MATCH 0u
#define AFTER_RUN 4u

struct lzo {
    const uint8_t *in, *in_end;
    uint8_t *begin, *out, *out_end;
    unsigned state;
    bool ended;
};

static bool next_byte(struct lzo *lzo, unsigned *byte) {
    if (lzo->in == lzo->in_end)
        return false;
    *byte = *lzo->in++;
    return true;
}

static bool literals(struct lzo *lzo, size_t count) {
    if (count > (size_t)(lzo->in_end - lzo->in) ||
        count > (size_t)(lzo->out_end - lzo->out))
        return false;
    memcpy(lzo->out, lzo->in, count);
    lzo->in += count;
    lzo->out += count;
    return true;
}

/* What is copied may be what the copy itself writes. */
static bool copy(struct lzo *lzo, size_t distance, size_t length) {
    const uint8_t *from;

    if (distance > (size_t)(lzo->out - lzo->begin) ||
        length > (size_t)(lzo->out_end - lzo->out))
        return false;
    for (from = lzo->out - distance; length > 0; length--)
        *lzo->out++ = *from++;
    return true;
}

/* A length that did not fit: 255 for each zero, and the byte behind them. */
static bool long_length(struct lzo *lzo, size_t *length) {
    unsigned byte;

    for (;;) {
        if (!next_byte(lzo, &byte))
            return false;
        if (byte != 0)
            break;
        *length += 255;
    }
    *length += byte;
    return true;
}

/* The match, and the literals that its low bits tell of. */
static bool match(struct lzo *lzo, size_t distance, size_t length,
                  unsigned few) {
    lzo->state = few;
    return copy(lzo, distance, length) && literals(lzo, few);
}

static bool small(struct lzo *lzo, unsigned code) {
    unsigned byte;
    size_t run = code;

    if (lzo->state == AFTER_MATCH) {
        if (run == 0) {
            run = 15;
            if (!long_length(lzo, &run))
                return false;
        }
        lzo->state = AFTER_RUN;
        return literals(lzo, run + 3);
    }
    if (!next_byte(lzo, &byte))
        return false;
    if (lzo->state == AFTER_RUN)
        return match(lzo, (byte << 2) + (code >> 2) + 0x801, 3, code & 3);
    return match(lzo, (byte << 2) + (code >> 2) + 1, 2, code & 3);
}

/* The distance's low 14 bits, and those of literals, follow the length. */
static bool far_match(struct lzo *lzo, unsigned code, size_t base,
                      unsigned mask) {
    size_t length = code & mask;
    unsigned word;

    if (length == 0) {
        length = mask;
        if (!long_length(lzo, &length))
            return false;
    }
    if (lzo->in_end - lzo->in < 2)
        return false;
    word = le16(lzo->in);
    lzo->in += 2;
    if (base == 0x4000 && word >> 2 == 0) {
        lzo->ended = true;
        return true;
    }
    return match(lzo, base + (word >> 2), length + 2, word & 3);
}

static bool instruction(struct lzo *lzo) {
    unsigned code, byte;

    if (!next_byte(lzo, &code))
        return false;
    if (code < 16)
        return small(lzo, code);
    if (code < 32)
        return far_match(lzo, code, code & 8 ? 0x8000 : 0x4000, 7);
    if (code < 64)
        return far_match(lzo, code, 1, 31);
    if (!next_byte(lzo, &byte))
        return false;
    return match(lzo, (byte << 3) + (code >> 2 & 7) + 1, (code >> 5) + 1,
                 code & 3);
}

/* The first byte may be literals at once. */
static bool begin(struct lzo *lzo) {
    unsigned code = lzo->in < lzo->in_end ? *lzo->in : 0;

    if (code <= 17)
        return true;
    lzo->in++;
    code -= 17;
    lzo->state = code < AFTER_RUN ? code : AFTER_RUN;
    return literals(lzo, code);
}

bool unpack_lzo(const uint8_t *bytes, size_t length, uint8_t *out,
                size_t size) {
    struct lzo lzo = {bytes,      bytes + length, out,  out,
                      out + size, AFTER_MATCH,    false};

    if (!begin(&lzo))
        return false;
    while (!lzo.ended) {
        if (!instruction(&lzo))
            return false;
    }
    return lzo.in == lzo.in_end && lzo.out == lzo.out_end;
}
