/* SPDX-License-Identifier: MIT
 * The two packings that a saved state's memory is in: plain LZ77 ([MS-XCA])
 * and, around it, records of pages (docs/formats/vmrs.md). */
#ifndef HCS_DUMP_XPRESS_H
#define HCS_DUMP_XPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fills all of `out`; false when `in` does not hold so much, or more than
 * fits, or refers to what is before the beginning. */
bool xpress_unpack(const uint8_t *in, size_t in_size, uint8_t *out,
                   size_t out_size);

/* Fills `out` by the records in `in`; what they leave out is zeros. False when
 * they are not such records or do not fit. */
bool pages_unpack(const uint8_t *in, size_t in_size, uint8_t *out,
                  size_t out_size);

#endif
