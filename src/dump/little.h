/* SPDX-License-Identifier: MIT
 * Numbers as files have them: the lowest byte first, at any place. */
#ifndef HCS_DUMP_LITTLE_H
#define HCS_DUMP_LITTLE_H

#include <stdint.h>

static inline uint16_t get16(const void *at) {
    const uint8_t *b = at;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t get32(const void *at) {
    const uint8_t *b = at;
    return get16(b) | (uint32_t)get16(b + 2) << 16;
}

static inline uint64_t get64(const void *at) {
    const uint8_t *b = at;
    return get32(b) | (uint64_t)get32(b + 4) << 32;
}

static inline void put16(void *at, uint16_t value) {
    uint8_t *b = at;
    b[0] = (uint8_t)value;
    b[1] = (uint8_t)(value >> 8);
}

static inline void put32(void *at, uint32_t value) {
    uint8_t *b = at;
    put16(b, (uint16_t)value);
    put16(b + 2, (uint16_t)(value >> 16));
}

static inline void put64(void *at, uint64_t value) {
    uint8_t *b = at;
    put32(b, (uint32_t)value);
    put32(b + 4, (uint32_t)(value >> 32));
}

#endif
