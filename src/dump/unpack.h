/* SPDX-License-Identifier: MIT
 * Compressed pages: each on its own, and what it becomes is as long as it is
 * known to be, neither more nor less. */
#ifndef HCS_DUMP_UNPACK_H
#define HCS_DUMP_UNPACK_H

#include <stdbool.h>

#include "../base/error.h"

enum pack { PACK_ZLIB, PACK_LZO, PACK_SNAPPY, PACK_ZSTD };

/* Whether this build can unpack it; LZO and Snappy always. */
bool unpack_can(enum pack pack);

/* What is kept from one page to the next. */
struct unpacker;
/* NULL: out of memory. */
struct unpacker *unpacker_create(void);
void unpacker_free(struct unpacker *unpacker);

/* Unpacks `length` bytes to exactly `size`. HR_FILE_CORRUPT when they are not
 * that, HR_NOT_SUPPORTED when this build cannot. */
HRESULT unpack(struct unpacker *unpacker, enum pack pack, const void *bytes,
               size_t length, void *out, size_t size, struct hcs_error *error);

/* The two that are made here; false when the bytes are not what they should
 * be. Nothing is read or written outside. */
bool unpack_lzo(const uint8_t *bytes, size_t length, uint8_t *out, size_t size);
bool unpack_snappy(const uint8_t *bytes, size_t length, uint8_t *out,
                   size_t size);

#endif
