/* SPDX-License-Identifier: MIT */
#include "inflate.h"

#include <limits.h>
#include <lz4.h>
#include <lzma.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "../../base/compiler.h"

#define LZ4_BLOCK (8u << 20)
#define LZMA_MEMORY (UINT64_C(512) << 20)

/* What was decompressed so far. */
struct output {
    unsigned char *bytes;
    size_t length;
    size_t capacity;
    size_t limit;
};

static const struct {
    unsigned char magic[6];
    size_t length;
    enum inflate_format format;
} magics[] = {
    {{0x1f, 0x8b}, 2, INFLATE_GZIP},
    {{0xfd, '7', 'z', 'X', 'Z', 0}, 6, INFLATE_XZ},
    {{0x5d, 0, 0}, 3, INFLATE_LZMA},
    {{0x28, 0xb5, 0x2f, 0xfd}, 4, INFLATE_ZSTD},
    {{0x02, 0x21, 0x4c, 0x18}, 4, INFLATE_LZ4},
};

enum inflate_format inflate_format(const unsigned char *bytes, size_t length) {
    for (size_t i = 0; i < HCS_COUNT(magics); i++)
        if (length >= magics[i].length &&
            memcmp(bytes, magics[i].magic, magics[i].length) == 0)
            return magics[i].format;
    return INFLATE_UNKNOWN;
}

static HRESULT corrupt(struct hcs_error *error, const char *format) {
    return error_set(error, HR_FILE_CORRUPT, NULL,
                     "the kernel's %s payload is damaged", format);
}

/* Room for `more` bytes, growing by doubling up to the limit. */
static HRESULT output_room(struct output *out, size_t more,
                           struct hcs_error *error) {
    unsigned char *bytes;
    size_t capacity = out->capacity ? out->capacity : 1u << 20;

    if (more > out->limit - out->length)
        return error_set(error, HR_FILE_CORRUPT, NULL,
                         "the kernel expands to more than %zu MiB",
                         out->limit >> 20);
    while (capacity < out->length + more)
        capacity *= 2;
    if (capacity > out->limit)
        capacity = out->limit;
    if (capacity == out->capacity)
        return S_OK;
    bytes = realloc(out->bytes, capacity);
    if (!bytes)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for the kernel");
    out->bytes = bytes;
    out->capacity = capacity;
    return S_OK;
}

static HRESULT gzip_run(z_stream *z, struct output *out,
                        struct hcs_error *error) {
    int result = Z_OK;

    while (result != Z_STREAM_END) {
        HRESULT hr = output_room(out, 1, error);
        size_t room;

        if (FAILED(hr))
            return hr;
        room = out->capacity - out->length;
        if (room > UINT_MAX)
            room = UINT_MAX;
        z->next_out = out->bytes + out->length;
        z->avail_out = (uInt)room;
        result = inflate(z, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END)
            return corrupt(error, "gzip");
        out->length += room - z->avail_out;
    }
    return S_OK;
}

static HRESULT inflate_gzip(const unsigned char *bytes, size_t length,
                            struct output *out, struct hcs_error *error) {
    z_stream z;
    HRESULT hr;

    memset(&z, 0, sizeof z);
    if (length > UINT_MAX || inflateInit2(&z, 15 + 16) != Z_OK)
        return error_set(error, E_OUTOFMEMORY, NULL, "zlib cannot start");
    z.next_in = (unsigned char *)(size_t)bytes;
    z.avail_in = (uInt)length;
    hr = gzip_run(&z, out, error);
    inflateEnd(&z);
    return hr;
}

static HRESULT lzma_run(lzma_stream *z, struct output *out,
                        struct hcs_error *error) {
    lzma_ret result = LZMA_OK;

    while (result != LZMA_STREAM_END) {
        HRESULT hr = output_room(out, 1, error);
        size_t room;

        if (FAILED(hr))
            return hr;
        room = out->capacity - out->length;
        z->next_out = out->bytes + out->length;
        z->avail_out = room;
        result = lzma_code(z, LZMA_RUN);
        if (result == LZMA_MEM_ERROR)
            return error_set(error, E_OUTOFMEMORY, NULL,
                             "out of memory for the kernel");
        if (result != LZMA_OK && result != LZMA_STREAM_END)
            return corrupt(error, "xz");
        out->length += room - z->avail_out;
    }
    return S_OK;
}

static HRESULT inflate_xz(bool legacy, const unsigned char *bytes,
                          size_t length, struct output *out,
                          struct hcs_error *error) {
    lzma_stream z = LZMA_STREAM_INIT;
    lzma_ret result = legacy ? lzma_alone_decoder(&z, LZMA_MEMORY)
                             : lzma_stream_decoder(&z, LZMA_MEMORY, 0);
    HRESULT hr;

    if (result != LZMA_OK)
        return error_set(error, E_OUTOFMEMORY, NULL, "liblzma cannot start");
    z.next_in = bytes;
    z.avail_in = length;
    hr = lzma_run(&z, out, error);
    lzma_end(&z);
    return hr;
}

static HRESULT inflate_zstd(const unsigned char *bytes, size_t length,
                            struct output *out, struct hcs_error *error) {
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer in = {bytes, length, 0};
    HRESULT hr = S_OK;
    size_t left = 1;

    if (!z)
        return error_set(error, E_OUTOFMEMORY, NULL, "zstd cannot start");
    while (left != 0) {
        ZSTD_outBuffer to;
        size_t before = in.pos;

        hr = output_room(out, 1, error);
        if (FAILED(hr))
            break;
        to.dst = out->bytes + out->length;
        to.size = out->capacity - out->length;
        to.pos = 0;
        left = ZSTD_decompressStream(z, &to, &in);
        out->length += to.pos;
        if (ZSTD_isError(left) ||
            (left != 0 && to.pos == 0 && in.pos == before)) {
            hr = corrupt(error, "zstd");
            break;
        }
    }
    ZSTD_freeDStream(z);
    return hr;
}

static size_t little32(const unsigned char *p) {
    return (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 |
           (size_t)p[3] << 24;
}

/* Blocks of a length and that many bytes. The kernel's build appends the
 * expanded size, four bytes that are no block. */
static HRESULT inflate_lz4(const unsigned char *bytes, size_t length,
                           struct output *out, struct hcs_error *error) {
    const unsigned char *next = bytes + 4, *end = bytes + length;

    while ((size_t)(end - next) > 4) {
        size_t size = little32(next);
        size_t room;
        HRESULT hr;
        int got;

        next += 4;
        if (size == 0 || size > (size_t)(end - next) ||
            size > (size_t)LZ4_COMPRESSBOUND(LZ4_BLOCK))
            return corrupt(error, "lz4");
        room = out->limit - out->length;
        if (room > LZ4_BLOCK)
            room = LZ4_BLOCK;
        hr = output_room(out, room ? room : 1, error);
        if (FAILED(hr))
            return hr;
        got = LZ4_decompress_safe((const char *)next,
                                  (char *)out->bytes + out->length, (int)size,
                                  (int)room);
        if (got < 0)
            return corrupt(error, "lz4");
        out->length += (size_t)got;
        next += size;
    }
    return S_OK;
}

static HRESULT run(enum inflate_format format, const unsigned char *bytes,
                   size_t length, struct output *out, struct hcs_error *error) {
    switch (format) {
    case INFLATE_GZIP:
        return inflate_gzip(bytes, length, out, error);
    case INFLATE_XZ:
        return inflate_xz(false, bytes, length, out, error);
    case INFLATE_LZMA:
        return inflate_xz(true, bytes, length, out, error);
    case INFLATE_ZSTD:
        return inflate_zstd(bytes, length, out, error);
    case INFLATE_LZ4:
        return inflate_lz4(bytes, length, out, error);
    case INFLATE_UNKNOWN:
        break;
    }
    return error_set(error, HR_NOT_SUPPORTED, NULL,
                     "the kernel's compression is not known");
}

HRESULT inflate_all(enum inflate_format format, const unsigned char *bytes,
                    size_t length, size_t limit, unsigned char **out,
                    size_t *out_length, struct hcs_error *error) {
    struct output output = {NULL, 0, 0, limit};
    HRESULT hr = run(format, bytes, length, &output, error);

    if (FAILED(hr)) {
        free(output.bytes);
        return hr;
    }
    *out = output.bytes;
    *out_length = output.length;
    return S_OK;
}
