/* SPDX-License-Identifier: MIT
 * Numbers in the bytes of files, little-endian and at any address, and sums
 * that say whether they fit. */
#ifndef HCS_DUMP_BYTES_H
#define HCS_DUMP_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t le16(const void *bytes) {
    const uint8_t *b = bytes;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t le32(const void *bytes) {
    const uint8_t *b = bytes;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
           (uint32_t)b[3] << 24;
}

static inline uint64_t le64(const void *bytes) {
    const uint8_t *b = bytes;
    return le32(b) | (uint64_t)le32(b + 4) << 32;
}

static inline uint32_t be32(const void *bytes) {
    const uint8_t *b = bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           (uint32_t)b[3];
}

static inline uint64_t be64(const void *bytes) {
    const uint8_t *b = bytes;
    return (uint64_t)be32(b) << 32 | be32(b + 4);
}

/* False, and *sum as it was, when it does not fit. */
static inline bool sum_fits(uint64_t a, uint64_t b, uint64_t *sum) {
    if (a > UINT64_MAX - b)
        return false;
    *sum = a + b;
    return true;
}

static inline bool product_fits(uint64_t a, uint64_t b, uint64_t *product) {
    if (b != 0 && a > UINT64_MAX / b)
        return false;
    *product = a * b;
    return true;
}

static inline uint64_t smaller(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

#endif
