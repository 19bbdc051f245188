/* SPDX-License-Identifier: MIT
 * kdump-compressed files: headers, two maps of pages (those that there are,
 * and those that are in the file: all), a descriptor for each page, then the
 * pages. */
#include <stdlib.h>
#include <string.h>
#ifdef HCS_HAS_ZLIB
#include <zlib.h>
#endif

#include "bytes.h"
#include "reader.h"
#include "vmcoreinfo.h"
#include "writer.h"

#define MAIN_VERSION 8 /* in the header */
#define MAIN_NAMES 12  /* of 65 bytes each */
#define MAIN_NAME 65
#define MAIN_STATUS 424
#define MAIN_BLOCK 428
#define MAIN_SUB_BLOCKS 432
#define MAIN_MAP_BLOCKS 436
#define MAIN_PAGES 440
#define MAIN_CPUS 460
#define SUB_SIZE 104u
#define SUB_PHYS_BASE 0
#define SUB_INFO 32
#define SUB_NOTES 48
#define SUB_PAGES 96
#define DESCRIPTOR 24u
#define PACKED_ZLIB 1u

#define MAP_PAGES (8 * DUMP_PAGE) /* in a block of a map */
/* 256 TB; the maps alone of more would be gigabytes. */
#define MOST_PAGES (UINT64_C(1) << 36)

/* Bytes that are written one after the other. */
struct stream {
    uint8_t *bytes;
    size_t length;
    uint64_t offset; /* of the first of them in the file */
};

struct kdump {
    struct writer *writer;
    uint64_t pages; /* the highest one's number plus one */
    uint64_t there; /* how many there are */
    uint64_t sub_blocks;
    uint64_t map_blocks; /* of one map */
    uint64_t map;        /* where the first one is */
    uint64_t zeros;      /* where a page of zeros is; 0: nowhere as yet */
    struct stream descriptors, data;
    uint8_t *packed;
    size_t packed_room;
};

static uint64_t blocks_of(uint64_t bytes) {
    return (bytes + DUMP_PAGE - 1) / DUMP_PAGE;
}

/* --- streams -------------------------------------------------------------- */

static HRESULT flush(struct kdump *kdump, struct stream *stream,
                     struct hcs_error *error) {
    HRESULT hr = writer_put(kdump->writer, stream->offset, stream->bytes,
                            stream->length, error);
    stream->offset += stream->length;
    stream->length = 0;
    return hr;
}

static HRESULT add(struct kdump *kdump, struct stream *stream,
                   const void *bytes, size_t size, struct hcs_error *error) {
    HRESULT hr = S_OK;
    if (stream->length + size > WRITER_BLOCK)
        hr = flush(kdump, stream, error);
    memcpy(stream->bytes + stream->length, bytes, size);
    stream->length += size;
    return hr;
}

static uint64_t stream_at(const struct stream *stream) {
    return stream->offset + stream->length;
}

/* --- headers -------------------------------------------------------------- */

static HRESULT count_pages(struct kdump *kdump, struct hcs_error *error) {
    struct dump_range range = {0, 0};
    HRESULT hr;
    while ((hr = writer_next_range(kdump->writer, range.start + range.bytes,
                                   &range, error)) == S_OK) {
        kdump->pages = (range.start + range.bytes) / DUMP_PAGE;
        kdump->there += range.bytes / DUMP_PAGE;
    }
    if (SUCCEEDED(hr) && kdump->pages > MOST_PAGES)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the dump has memory above 256 TB, which a kdump "
                         "file is not written of");
    return FAILED(hr) ? hr : S_OK;
}

static void put_name(uint8_t *header, unsigned number, const char *name) {
    size_t length = strlen(name);
    if (length > MAIN_NAME - 1)
        length = MAIN_NAME - 1;
    memcpy(header + MAIN_NAMES + MAIN_NAME * number, name, length);
}

static HRESULT put_main(struct kdump *kdump, struct hcs_error *error) {
    const struct dump_facts *facts = dump_get_facts(kdump->writer->dump);
    uint8_t header[DUMP_PAGE] = {0};
    memcpy(header, "KDUMP   ", 8);
    put32(header + MAIN_VERSION, 6);
    put_name(header, 0, facts->os == DUMP_OS_LINUX ? "Linux" : "");
    put_name(header, 2, facts->os == DUMP_OS_LINUX ? facts->os_release : "");
    put_name(header, 4, facts->arch == DUMP_ARCH_ARM64 ? "aarch64" : "x86_64");
    put32(header + MAIN_STATUS, kdump->packed ? PACKED_ZLIB : 0);
    put32(header + MAIN_BLOCK, DUMP_PAGE);
    put32(header + MAIN_SUB_BLOCKS, (uint32_t)kdump->sub_blocks);
    put32(header + MAIN_MAP_BLOCKS, (uint32_t)(2 * kdump->map_blocks));
    put32(header + MAIN_PAGES, (uint32_t)smaller(kdump->pages, UINT32_MAX));
    put32(header + MAIN_CPUS, kdump->writer->cpu_count);
    return writer_put(kdump->writer, 0, header, sizeof header, error);
}

static HRESULT put_sub(struct kdump *kdump, const struct buf *notes,
                       struct hcs_error *error) {
    struct writer *writer = kdump->writer;
    uint64_t at = DUMP_PAGE + SUB_SIZE, base = 0;
    uint8_t header[SUB_SIZE] = {0};
    size_t info_size;
    const char *info = dump_get_vmcoreinfo(writer->dump, &info_size);
    HRESULT hr;
    vmcoreinfo_number(writer->dump, "NUMBER", "phys_base", &base);
    put64(header + SUB_PHYS_BASE, base);
    put64(header + SUB_NOTES, notes->length ? at : 0);
    put64(header + SUB_NOTES + 8, notes->length);
    put64(header + SUB_INFO, info ? at + notes->length : 0);
    put64(header + SUB_INFO + 8, info ? info_size : 0);
    put64(header + SUB_PAGES, kdump->pages);
    hr = writer_put(writer, DUMP_PAGE, header, sizeof header, error);
    if (SUCCEEDED(hr) && notes->length)
        hr = writer_put(writer, at, notes->data, notes->length, error);
    if (SUCCEEDED(hr) && info)
        hr = writer_put(writer, at + notes->length, info, info_size, error);
    return hr;
}

static void lay_out(struct kdump *kdump, const struct buf *notes) {
    size_t info_size = 0;
    if (!dump_get_vmcoreinfo(kdump->writer->dump, &info_size))
        info_size = 0;
    kdump->sub_blocks = blocks_of(SUB_SIZE + notes->length + info_size);
    kdump->map_blocks = (kdump->pages + MAP_PAGES - 1) / MAP_PAGES;
    kdump->map = (1 + kdump->sub_blocks) * DUMP_PAGE;
    kdump->descriptors.offset = kdump->map + 2 * kdump->map_blocks * DUMP_PAGE;
    kdump->data.offset = kdump->descriptors.offset + kdump->there * DESCRIPTOR;
}

/* --- maps ----------------------------------------------------------------- */

static void set_bits(uint8_t *map, uint64_t from, uint64_t end) {
    for (; from < end && from % 8; from++)
        map[from / 8] |= (uint8_t)(1u << from % 8);
    memset(map + from / 8, 255, (size_t)(end > from ? (end - from) / 8 : 0));
    for (from = end > from ? end - end % 8 : from; from < end; from++)
        map[from / 8] |= (uint8_t)(1u << from % 8);
}

/* The block of the map that `number` is, and which of those that follow has
 * something. */
static HRESULT put_map_block(struct kdump *kdump, uint64_t number,
                             struct hcs_error *error) {
    uint64_t first = number * MAP_PAGES;
    uint64_t at = first * DUMP_PAGE, end = (first + MAP_PAGES) * DUMP_PAGE;
    uint8_t map[DUMP_PAGE] = {0};
    struct dump_range range;
    HRESULT hr;
    while ((hr = writer_next_range(kdump->writer, at, &range, error)) == S_OK &&
           range.start < end) {
        uint64_t last = smaller(range.start + range.bytes, end);
        set_bits(map, range.start / DUMP_PAGE - first,
                 last / DUMP_PAGE - first);
        at = last;
        if (at == end)
            break;
    }
    for (unsigned copy = 0; SUCCEEDED(hr) && copy < 2; copy++)
        hr = writer_put(kdump->writer,
                        kdump->map +
                            (copy * kdump->map_blocks + number) * DUMP_PAGE,
                        map, sizeof map, error);
    return hr;
}

static HRESULT put_maps(struct kdump *kdump, struct hcs_error *error) {
    struct dump_range range;
    uint64_t from = 0;
    HRESULT hr = writer_extend(kdump->writer, kdump->descriptors.offset, error);
    if (FAILED(hr))
        return hr;
    while ((hr = writer_next_range(kdump->writer, from, &range, error)) ==
           S_OK) {
        uint64_t number = range.start / DUMP_PAGE / MAP_PAGES;
        hr = put_map_block(kdump, number, error);
        if (FAILED(hr))
            return hr;
        from = (number + 1) * MAP_PAGES * DUMP_PAGE;
    }
    return FAILED(hr) ? hr : S_OK;
}

/* --- pages ---------------------------------------------------------------- */

static HRESULT describe(struct kdump *kdump, uint64_t offset, size_t size,
                        uint32_t flags, struct hcs_error *error) {
    uint8_t descriptor[DESCRIPTOR] = {0};
    put64(descriptor, offset);
    put32(descriptor + 8, (uint32_t)size);
    put32(descriptor + 12, flags);
    return add(kdump, &kdump->descriptors, descriptor, sizeof descriptor,
               error);
}

/* How many bytes the page is packed into; 0: it stays as it is. */
static size_t pack(struct kdump *kdump, const uint8_t *page) {
#ifdef HCS_HAS_ZLIB
    uLongf size = (uLongf)kdump->packed_room;
    if (kdump->packed &&
        compress2(kdump->packed, &size, page, DUMP_PAGE, Z_BEST_SPEED) ==
            Z_OK &&
        size < DUMP_PAGE)
        return size;
#else
    (void)kdump;
    (void)page;
#endif
    return 0;
}

static HRESULT put_page(struct kdump *kdump, const uint8_t *page,
                        struct hcs_error *error) {
    size_t size = pack(kdump, page);
    HRESULT hr =
        describe(kdump, stream_at(&kdump->data), size ? size : DUMP_PAGE,
                 size ? PACKED_ZLIB : 0, error);
    return FAILED(hr) ? hr
                      : add(kdump, &kdump->data, size ? kdump->packed : page,
                            size ? size : DUMP_PAGE, error);
}

/* All pages of zeros are one. */
static HRESULT put_zeros(struct kdump *kdump, uint64_t count,
                         struct hcs_error *error) {
    static const uint8_t zeros[DUMP_PAGE] = {0};
    HRESULT hr = S_OK;
    if (count && kdump->zeros == 0) {
        kdump->zeros = stream_at(&kdump->data);
        hr = add(kdump, &kdump->data, zeros, sizeof zeros, error);
    }
    while (SUCCEEDED(hr) && count-- > 0) {
        hr = describe(kdump, kdump->zeros, DUMP_PAGE, 0, error);
        if (SUCCEEDED(hr))
            hr = writer_advance(kdump->writer, DUMP_PAGE, error);
    }
    return hr;
}

/* Pages of which the dump has at least a part. */
static HRESULT put_data(struct kdump *kdump, uint64_t start, uint64_t end,
                        struct hcs_error *error) {
    struct writer *writer = kdump->writer;
    HRESULT hr = S_OK;
    while (SUCCEEDED(hr) && start < end) {
        size_t size = (size_t)smaller(WRITER_BLOCK, end - start);
        hr = writer_read(writer, start, size, error);
        for (size_t at = 0; SUCCEEDED(hr) && at < size; at += DUMP_PAGE) {
            if (all_zeros(writer->block + at, DUMP_PAGE)) {
                hr = put_zeros(kdump, 1, error);
                continue;
            }
            hr = put_page(kdump, writer->block + at, error);
            if (SUCCEEDED(hr))
                hr = writer_advance(writer, DUMP_PAGE, error);
        }
        start += size;
    }
    return hr;
}

static HRESULT put_range(struct kdump *kdump, const struct dump_range *range,
                         struct hcs_error *error) {
    uint64_t at = range->start, end = range->start + range->bytes;
    const uint64_t mask = DUMP_PAGE - 1;
    HRESULT hr = S_OK;
    while (SUCCEEDED(hr) && at < end) {
        struct dump_range data;
        uint64_t start = end, last = end;
        hr = dump_next_data(kdump->writer->dump, at, &data, error);
        if (FAILED(hr))
            return hr;
        if (hr == S_OK && data.start < end) {
            start = data.start & ~mask;
            last = smaller((data.start + data.bytes + mask) & ~mask, end);
        }
        hr = put_zeros(kdump, (start - at) / DUMP_PAGE, error);
        if (SUCCEEDED(hr))
            hr = put_data(kdump, start, last, error);
        at = last;
    }
    return hr;
}

static HRESULT put_pages(struct kdump *kdump, struct hcs_error *error) {
    struct dump_range range = {0, 0};
    HRESULT hr;
    while ((hr = writer_next_range(kdump->writer, range.start + range.bytes,
                                   &range, error)) == S_OK) {
        hr = put_range(kdump, &range, error);
        if (FAILED(hr))
            return hr;
    }
    if (SUCCEEDED(hr))
        hr = flush(kdump, &kdump->descriptors, error);
    if (SUCCEEDED(hr))
        hr = flush(kdump, &kdump->data, error);
    return hr;
}

/* --- all of it ------------------------------------------------------------ */

static HRESULT make_room(struct kdump *kdump, struct hcs_error *error) {
    kdump->descriptors.bytes = malloc(WRITER_BLOCK);
    kdump->data.bytes = malloc(WRITER_BLOCK);
    if (!kdump->descriptors.bytes || !kdump->data.bytes)
        return dump_no_memory(error);
#ifdef HCS_HAS_ZLIB
    if (kdump->writer->options.compress) {
        kdump->packed_room = compressBound(DUMP_PAGE);
        kdump->packed = malloc(kdump->packed_room);
        if (!kdump->packed)
            return dump_no_memory(error);
    }
#endif
    return S_OK;
}

static HRESULT put_all(struct kdump *kdump, const struct buf *notes,
                       struct hcs_error *error) {
    HRESULT hr = count_pages(kdump, error);
    if (FAILED(hr))
        return hr;
    lay_out(kdump, notes);
    hr = put_main(kdump, error);
    if (SUCCEEDED(hr))
        hr = put_sub(kdump, notes, error);
    if (SUCCEEDED(hr))
        hr = put_maps(kdump, error);
    return SUCCEEDED(hr) ? put_pages(kdump, error) : hr;
}

HRESULT write_kdump(struct writer *writer, struct hcs_error *error) {
    struct kdump kdump = {.writer = writer};
    struct buf notes = {0};
    HRESULT hr = make_room(&kdump, error);
    if (SUCCEEDED(hr)) {
        write_notes(&notes, writer);
        hr = notes.failed ? dump_no_memory(error)
                          : put_all(&kdump, &notes, error);
    }
    buf_free(&notes);
    free(kdump.descriptors.bytes);
    free(kdump.data.bytes);
    free(kdump.packed);
    return hr;
}
