/* SPDX-License-Identifier: MIT
 * CRC-32 as in Ethernet, zip and HyperVStorage. */
#ifndef HCS_DUMP_CRC32_H
#define HCS_DUMP_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The sum of more bytes after those that gave `sum` (0: none yet). */
uint32_t crc32_add(uint32_t sum, const void *bytes, size_t length);

/* The sum of a structure in which the four bytes from `at` on, its own
 * checksum, count as zeros. at + 4 <= length. */
uint32_t crc32_without(const void *bytes, size_t length, size_t at);

#endif
