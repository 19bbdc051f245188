/* SPDX-License-Identifier: MIT
 * Numbers into the bytes of files, the lowest byte first, at any address. */
#ifndef HCS_DUMP_PUT_H
#define HCS_DUMP_PUT_H

#include <stdint.h>

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
