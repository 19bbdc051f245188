/* SPDX-License-Identifier: MIT
 * Decompression of a Linux kernel's payload, with a limit on what comes out.
 */
#ifndef HCS_QEMU_INFLATE_H
#define HCS_QEMU_INFLATE_H

#include <stddef.h>

#include "../../base/error.h"

enum inflate_format {
    INFLATE_UNKNOWN,
    INFLATE_GZIP,
    INFLATE_XZ,
    INFLATE_LZMA,
    INFLATE_ZSTD,
    INFLATE_LZ4 /* the legacy frame that kernels use */
};

enum inflate_format inflate_format(const unsigned char *bytes, size_t length);

/* *out is malloc'd. Trailing bytes after the compressed stream are ignored.
 * HR_FILE_CORRUPT for a broken stream or one that expands past `limit`. */
HRESULT inflate_all(enum inflate_format format, const unsigned char *bytes,
                    size_t length, size_t limit, unsigned char **out,
                    size_t *out_length, struct hcs_error *error);

#endif
