/* SPDX-License-Identifier: MIT */
#include "unpack.h"

#include <stdlib.h>
#include <string.h>

#include "reader.h"

#ifdef HCS_HAS_ZLIB
#define ZLIB_CONST
#include <zlib.h>
#endif
#ifdef HCS_HAS_ZSTD
#include <zstd.h>
#endif

struct unpacker {
#ifdef HCS_HAS_ZLIB
    z_stream zlib;
    bool zlib_begun;
#endif
#ifdef HCS_HAS_ZSTD
    ZSTD_DCtx *zstd;
#endif
    char unused; /* a structure has something in it */
};

bool unpack_can(enum pack pack) {
    switch (pack) {
    case PACK_ZLIB:
#ifdef HCS_HAS_ZLIB
        return true;
#else
        return false;
#endif
    case PACK_ZSTD:
#ifdef HCS_HAS_ZSTD
        return true;
#else
        return false;
#endif
    default:
        return true;
    }
}

struct unpacker *unpacker_create(void) {
    return calloc(1, sizeof(struct unpacker));
}

void unpacker_free(struct unpacker *unpacker) {
    if (!unpacker)
        return;
#ifdef HCS_HAS_ZLIB
    if (unpacker->zlib_begun)
        inflateEnd(&unpacker->zlib);
#endif
#ifdef HCS_HAS_ZSTD
    ZSTD_freeDCtx(unpacker->zstd);
#endif
    free(unpacker);
}

static HRESULT damaged(struct hcs_error *error) {
    return dump_corrupt(error, "has a page that cannot be unpacked");
}

#ifdef HCS_HAS_ZLIB
static HRESULT unpack_zlib(struct unpacker *unpacker, const uint8_t *bytes,
                           size_t length, uint8_t *out, size_t size,
                           struct hcs_error *error) {
    z_stream *z = &unpacker->zlib;

    if (!unpacker->zlib_begun && inflateInit(z) != Z_OK)
        return dump_no_memory(error);
    unpacker->zlib_begun = true;
    if (inflateReset(z) != Z_OK)
        return damaged(error);
    z->next_in = bytes;
    z->avail_in = (uInt)length;
    z->next_out = out;
    z->avail_out = (uInt)size;
    if (inflate(z, Z_FINISH) != Z_STREAM_END || z->avail_out != 0)
        return damaged(error);
    return S_OK;
}
#endif

#ifdef HCS_HAS_ZSTD
static HRESULT unpack_zstd(struct unpacker *unpacker, const uint8_t *bytes,
                           size_t length, uint8_t *out, size_t size,
                           struct hcs_error *error) {
    if (!unpacker->zstd)
        unpacker->zstd = ZSTD_createDCtx();
    if (!unpacker->zstd)
        return dump_no_memory(error);
    if (ZSTD_decompressDCtx(unpacker->zstd, out, size, bytes, length) != size)
        return damaged(error);
    return S_OK;
}
#endif

HRESULT unpack(struct unpacker *unpacker, enum pack pack, const void *bytes,
               size_t length, void *out, size_t size, struct hcs_error *error) {
    switch (pack) {
#ifdef HCS_HAS_ZLIB
    case PACK_ZLIB:
        return unpack_zlib(unpacker, bytes, length, out, size, error);
#endif
#ifdef HCS_HAS_ZSTD
    case PACK_ZSTD:
        return unpack_zstd(unpacker, bytes, length, out, size, error);
#endif
    case PACK_LZO:
        return unpack_lzo(bytes, length, out, size) ? S_OK : damaged(error);
    case PACK_SNAPPY:
        return unpack_snappy(bytes, length, out, size) ? S_OK : damaged(error);
    default:
        (void)unpacker;
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the dump is compressed with %s, which this build "
                         "cannot unpack",
                         pack == PACK_ZLIB ? "zlib" : "zstd");
    }
}
