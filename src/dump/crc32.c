/* SPDX-License-Identifier: MIT */
#include "crc32.h"

/* What half a byte does to the sum (polynomial 0xEDB88320, lowest bit first):
 * small enough to be written down, so that nothing has to be set up. */
static const uint32_t halves[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
    0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
    0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};

uint32_t crc32_add(uint32_t sum, const void *bytes, size_t length) {
    const uint8_t *next = bytes;
    sum = ~sum;
    while (length-- > 0) {
        sum ^= *next++;
        sum = sum >> 4 ^ halves[sum & 15];
        sum = sum >> 4 ^ halves[sum & 15];
    }
    return ~sum;
}

uint32_t crc32_without(const void *bytes, size_t length, size_t at) {
    static const uint8_t zeros[4] = {0};
    const uint8_t *all = bytes;
    uint32_t sum = crc32_add(0, all, at);
    sum = crc32_add(sum, zeros, sizeof zeros);
    return crc32_add(sum, all + at + 4, length - at - 4);
}
