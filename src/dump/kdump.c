/* SPDX-License-Identifier: MIT
 * kdump-compressed files: a map of pages, a descriptor for each that is there,
 * and each page compressed on its own. */
#include <stdio.h>
#include <stdlib.h>

#include "extents.h"
#include "flat.h"
#include "notes.h"
#include "pagemap.h"
#include "unpack.h"
#include "vmcoreinfo.h"

#define SIGNATURE "KDUMP   "
#define SIGNATURE_SIZE 8u
#define MACHINE 272u /* in the name of the system */
#define MACHINE_SIZE 65u
#define RELEASE 142u
#define RELEASE_SIZE 65u
#define HEADER_END 464u
#define SUB_HEADER_SIZE 104u
#define DESCRIPTOR 24u

#define FLAG_ZLIB 0x01u
#define FLAG_LZO 0x02u
#define FLAG_SNAPPY 0x04u
#define FLAG_ZSTD 0x20u

#define MAX_BLOCK 65536u

struct kdump {
    struct source *source; /* the dump's */
    struct notes notes;
    struct pagemap map;  /* of the pages that are there */
    uint32_t block;      /* the size of a page */
    uint64_t first_rank; /* of the first page in this file */
    uint64_t first, end; /* pages that this file is about */
    uint64_t descriptors;
    struct source_window window; /* of descriptors */
    struct unpacker *unpacker;
    uint8_t *packed;      /* of MAX_BLOCK * 2 */
    uint8_t *page;        /* what was unpacked last */
    uint64_t page_number; /* plus one; 0: none */
};

struct header {
    int version;
    uint32_t block, sub_blocks, map_blocks;
    uint64_t pages, first, end;
    uint64_t vmcoreinfo, vmcoreinfo_size, note, note_size;
    uint64_t phys_base;
    uint32_t cpus;
    unsigned status;
};

static bool kdump_knows(const struct dump_head *head) {
    return memcmp(head->bytes, SIGNATURE, SIGNATURE_SIZE) == 0 ||
           flat_knows(head);
}

/* --- headers ------------------------------------------------------------- */

/* Only 64-bit machines have headers of this shape. */
static enum dump_arch machine(const uint8_t *b) {
    if (memcmp(b + MACHINE, "x86_64", 7) == 0)
        return DUMP_ARCH_X64;
    if (memcmp(b + MACHINE, "aarch64", 8) == 0)
        return DUMP_ARCH_ARM64;
    return DUMP_ARCH_UNKNOWN;
}

static HRESULT read_main(const uint8_t *b, struct header *out,
                         struct hcs_error *error) {
    out->version = (int)le32(b + 8);
    out->status = le32(b + 424);
    out->block = le32(b + 428);
    out->sub_blocks = le32(b + 432);
    out->map_blocks = le32(b + 436);
    out->pages = le32(b + 440);
    out->cpus = le32(b + 460);
    if (out->block < 4096 || out->block > MAX_BLOCK ||
        (out->block & (out->block - 1)) != 0)
        return dump_corrupt(error, "has pages of %u bytes",
                            (unsigned)out->block);
    if (out->version < 1)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "is a kdump of version %d", out->version);
    return S_OK;
}

static void read_sub(const uint8_t *b, struct header *out) {
    bool split = le32(b + 12) != 0;

    out->phys_base = le64(b);
    if (out->version >= 6) {
        out->pages = le64(b + 96);
        out->first = split ? le64(b + 80) : 0;
        out->end = split ? le64(b + 88) : out->pages;
    } else {
        out->first = split && out->version >= 2 ? le64(b + 16) : 0;
        out->end = split && out->version >= 2 ? le64(b + 24) : out->pages;
    }
    if (out->version >= 3) {
        out->vmcoreinfo = le64(b + 32);
        out->vmcoreinfo_size = le64(b + 40);
    }
    if (out->version >= 4) {
        out->note = le64(b + 48);
        out->note_size = le64(b + 56);
    }
}

static HRESULT read_headers(struct source *source, struct dump *dump,
                            struct header *out, struct hcs_error *error) {
    uint8_t bytes[HEADER_END], sub[SUB_HEADER_SIZE];
    HRESULT hr = source_read(source, 0, bytes, sizeof bytes, error);

    if (FAILED(hr))
        return hr;
    if (memcmp(bytes, SIGNATURE, SIGNATURE_SIZE) != 0)
        return dump_corrupt(error, "is flattened and holds no kdump");
    dump->facts.arch = machine(bytes);
    if (dump->facts.arch == DUMP_ARCH_UNKNOWN)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "is a kdump of a machine that is not known");
    hr = read_main(bytes, out, error);
    if (SUCCEEDED(hr))
        hr = source_read(source, out->block, sub, sizeof sub, error);
    if (SUCCEEDED(hr))
        read_sub(sub, out);
    return hr;
}

/* Two maps one behind the other, of what the machine has and of what is here,
 * unless there is room for one only. */
static HRESULT open_map(struct kdump *kdump, const struct header *header,
                        struct hcs_error *error) {
    uint64_t at = (1 + (uint64_t)header->sub_blocks) * header->block;
    uint64_t bytes = (uint64_t)header->map_blocks * header->block;
    uint64_t one = header->pages / 8 + (header->pages % 8 != 0);
    HRESULT hr;

    if (one > bytes)
        return dump_corrupt(error, "has a map of %llu bytes for %llu pages",
                            (unsigned long long)bytes,
                            (unsigned long long)header->pages);
    if (one > UINT64_MAX / 8 / header->block ||
        header->pages > UINT64_MAX / header->block - 1)
        return dump_corrupt(error, "has memory past all addresses");
    kdump->descriptors = at + bytes;
    if (one <= bytes / 2)
        at += bytes / 2;
    hr = pagemap_open(&kdump->map, kdump->source, at, header->pages, error);
    if (SUCCEEDED(hr) && header->first > 0)
        hr = pagemap_rank(&kdump->map, smaller(header->first, header->pages),
                          &kdump->first_rank, error);
    kdump->first = header->first;
    kdump->end = smaller(header->end, header->pages);
    return hr;
}

static const char *variant(unsigned status, bool flattened) {
    static const char *const names[][2] = {
        {"uncompressed", "uncompressed, flattened"},
        {"zlib", "zlib, flattened"},
        {"lzo", "lzo, flattened"},
        {"snappy", "snappy, flattened"},
        {"zstd", "zstd, flattened"}};

    if (status & FLAG_ZLIB)
        return names[1][flattened];
    if (status & FLAG_LZO)
        return names[2][flattened];
    if (status & FLAG_SNAPPY)
        return names[3][flattened];
    return names[status & FLAG_ZSTD ? 4 : 0][flattened];
}

static HRESULT read_notes(struct kdump *kdump, struct dump *dump,
                          const struct header *header,
                          struct hcs_error *error) {
    HRESULT hr = S_OK;

    if (header->note != 0)
        hr = notes_scan(&kdump->notes, kdump->source, header->note,
                        header->note_size, error);
    if (SUCCEEDED(hr))
        hr = notes_tell(&kdump->notes, dump, error);
    if (SUCCEEDED(hr) && !dump->vmcoreinfo && header->vmcoreinfo != 0)
        hr = dump_take_vmcoreinfo(dump, header->vmcoreinfo,
                                  header->vmcoreinfo_size, error);
    return hr;
}

static HRESULT unflatten(struct dump *dump, struct hcs_error *error) {
    struct source *inner = dump->source;

    dump->source = NULL;
    return flat_open(inner, &dump->source, &dump->facts.truncated, error);
}

static HRESULT kdump_open(struct dump *dump, const struct dump_head *head,
                          struct hcs_error *error) {
    bool flattened = flat_knows(head);
    struct header header = {0};
    struct kdump *kdump;
    HRESULT hr = flattened ? unflatten(dump, error) : S_OK;

    if (FAILED(hr))
        return hr;
    kdump = calloc(1, sizeof *kdump);
    if (!kdump)
        return dump_no_memory(error);
    dump->self = kdump;
    kdump->source = dump->source;
    hr = read_headers(kdump->source, dump, &header, error);
    if (FAILED(hr))
        return hr;
    kdump->block = header.block;
    dump->facts.variant = variant(header.status, flattened);
    hr = open_map(kdump, &header, error);
    if (SUCCEEDED(hr))
        hr = read_notes(kdump, dump, &header, error);
    kdump->unpacker = unpacker_create();
    kdump->packed = malloc((size_t)2 * header.block);
    kdump->page = malloc(header.block);
    if (SUCCEEDED(hr) && (!kdump->unpacker || !kdump->packed || !kdump->page))
        hr = dump_no_memory(error);
    return hr;
}

static void kdump_close(void *self) {
    struct kdump *kdump = self;

    notes_free(&kdump->notes);
    pagemap_close(&kdump->map);
    source_window_free(&kdump->window);
    unpacker_free(kdump->unpacker);
    free(kdump->packed);
    free(kdump->page);
    free(kdump);
}

/* --- pages --------------------------------------------------------------- */

static bool packed_as(unsigned flags, enum pack *pack) {
    if (flags & FLAG_ZLIB)
        *pack = PACK_ZLIB;
    else if (flags & FLAG_LZO)
        *pack = PACK_LZO;
    else if (flags & FLAG_SNAPPY)
        *pack = PACK_SNAPPY;
    else if (flags & FLAG_ZSTD)
        *pack = PACK_ZSTD;
    else
        return false;
    return true;
}

/* The page that a descriptor speaks of. */
static HRESULT unpack_page(struct kdump *kdump, const uint8_t *descriptor,
                           uint8_t *out, struct hcs_error *error) {
    uint64_t offset = le64(descriptor);
    uint32_t size = le32(descriptor + 8);
    enum pack pack;
    HRESULT hr;

    if (!packed_as(le32(descriptor + 12), &pack))
        return size == kdump->block
                   ? source_read(kdump->source, offset, out, size, error)
                   : dump_corrupt(error, "has a page of %u bytes",
                                  (unsigned)size);
    if (size > 2 * kdump->block)
        return dump_corrupt(error, "has a page compressed to %u bytes",
                            (unsigned)size);
    hr = source_read(kdump->source, offset, kdump->packed, size, error);
    return FAILED(hr) ? hr
                      : unpack(kdump->unpacker, pack, kdump->packed, size, out,
                               kdump->block, error);
}

/* S_FALSE: the page is not there. */
static HRESULT read_page(struct kdump *kdump, uint64_t number, uint8_t *out,
                         struct hcs_error *error) {
    const uint8_t *descriptor;
    uint64_t rank, at;
    bool has;
    HRESULT hr;

    if (number < kdump->first || number >= kdump->end)
        return S_FALSE;
    hr = pagemap_has(&kdump->map, number, &has, error);
    if (FAILED(hr) || !has)
        return FAILED(hr) ? hr : S_FALSE;
    hr = pagemap_rank(&kdump->map, number, &rank, error);
    if (FAILED(hr))
        return hr;
    if (!sum_fits(kdump->descriptors, (rank - kdump->first_rank) * DESCRIPTOR,
                  &at))
        return dump_corrupt(error, "has descriptors past its end");
    hr = source_look(kdump->source, &kdump->window, at, DESCRIPTOR, &descriptor,
                     error);
    if (FAILED(hr))
        return hr;
    if (le64(descriptor) == 0) /* a dump that was not completed */
        return S_FALSE;
    return unpack_page(kdump, descriptor, out, error);
}

static HRESULT kept_page(struct kdump *kdump, uint64_t number,
                         struct hcs_error *error) {
    HRESULT hr;

    if (kdump->page_number == number + 1)
        return S_OK;
    kdump->page_number = 0;
    hr = read_page(kdump, number, kdump->page, error);
    if (hr == S_OK)
        kdump->page_number = number + 1;
    return hr;
}

static HRESULT kdump_read(void *self, uint64_t address, void *bytes,
                          size_t size, size_t *got, struct hcs_error *error) {
    struct kdump *kdump = self;
    uint64_t number = address / kdump->block;
    size_t skip = (size_t)(address % kdump->block);
    HRESULT hr;

    *got = 0;
    if (skip == 0 && size >= kdump->block) {
        hr = read_page(kdump, number, bytes, error);
        size = kdump->block;
    } else {
        hr = kept_page(kdump, number, error);
        size = (size_t)smaller(size, kdump->block - skip);
        if (hr == S_OK)
            memcpy(bytes, kdump->page + skip, size);
    }
    if (hr == S_OK)
        *got = size;
    return FAILED(hr) ? hr : S_OK;
}

static HRESULT kdump_next_range(void *self, uint64_t from,
                                struct dump_range *out,
                                struct hcs_error *error) {
    struct kdump *kdump = self;
    uint64_t first = from / kdump->block, start, end;
    HRESULT hr;

    if (first < kdump->first)
        first = kdump->first;
    hr = pagemap_next(&kdump->map, first, true, &start, error);
    if (FAILED(hr) || start >= kdump->end)
        return FAILED(hr) ? hr : S_FALSE;
    hr = pagemap_next(&kdump->map, start, false, &end, error);
    if (FAILED(hr))
        return hr;
    out->start = start * kdump->block;
    out->bytes = smaller(end, kdump->end) * kdump->block - out->start;
    if (out->start < from) {
        out->bytes -= from - out->start;
        out->start = from;
    }
    return S_OK;
}

static HRESULT kdump_cpu(void *self, uint32_t index, struct dump_cpu *out,
                         struct hcs_error *error) {
    const struct kdump *kdump = self;

    return notes_cpu(&kdump->notes, kdump->source, index, out, error);
}

const struct dump_reader dump_reader_kdump = {
    DUMP_FORMAT_KDUMP, "kdump",          kdump_knows, kdump_open, kdump_close,
    kdump_read,        kdump_next_range, NULL,        kdump_cpu};
