/* SPDX-License-Identifier: MIT
 * Numbers into bytes, of either order. */
#ifndef PUT_H
#define PUT_H

#include <stdint.h>

static inline void le16_to(uint8_t *to, uint16_t value) {
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
}

static inline void le32_to(uint8_t *to, uint32_t value) {
    le16_to(to, (uint16_t)value);
    le16_to(to + 2, (uint16_t)(value >> 16));
}

static inline void le64_to(uint8_t *to, uint64_t value) {
    le32_to(to, (uint32_t)value);
    le32_to(to + 4, (uint32_t)(value >> 32));
}

static inline void be32_to(uint8_t *to, uint32_t value) {
    int i;

    for (i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline void be64_to(uint8_t *to, uint64_t value) {
    be32_to(to, (uint32_t)(value >> 32));
    be32_to(to + 4, (uint32_t)value);
}

#endif
