/* SPDX-License-Identifier: MIT
 * Kernel dumps of 64-bit Windows: all of the memory in runs, or the pages of a
 * map one behind the other. */
#include <stdio.h>
#include <stdlib.h>

#include "../base/clock.h"
#include "bugcheck.h"
#include "extents.h"
#include "pagemap.h"
#include "windows_cpu.h"

#define SIGNATURE "PAGEDU64"
#define SIGNATURE_32 "PAGEDUMP"
#define SIGNATURE_SIZE 8u
#define HEADER_SIZE 0x2000u
#define FILLER 0x45474150u /* "PAGE": a field that was not filled in */

#define TYPE_FULL 1u
#define TYPE_SUMMARY 2u
#define TYPE_HEADER 3u
#define TYPE_TRIAGE 4u
#define TYPE_BITMAP_FULL 5u
#define TYPE_BITMAP_KERNEL 6u
#define TYPE_AUTOMATIC 7u

#define RUNS 0x88u
#define FIRST_RUN 0x98u
#define MAX_RUNS 42u
#define MAP_BITS 0x38u
#define MAX_CPUS 65536u

struct windows {
    struct dump *dump;
    struct extents runs; /* of a dump of all memory */
    bool mapped;         /* the other kind */
    struct pagemap map;
    uint64_t pages; /* where the first page of the map lies */
    struct windows_system system;
};

static bool windows_knows(const struct dump_head *head) {
    return memcmp(head->bytes, SIGNATURE, SIGNATURE_SIZE) == 0 ||
           memcmp(head->bytes, SIGNATURE_32, SIGNATURE_SIZE) == 0;
}

/* --- opening ------------------------------------------------------------- */

static HRESULT read_runs(struct windows *windows, const uint8_t *b,
                         struct hcs_error *error) {
    struct source *source = windows->dump->source;
    uint64_t at = HEADER_SIZE, length = source_length(source);
    uint32_t count = le32(b + RUNS), i;
    HRESULT hr = S_OK;

    if (count == 0 || count > MAX_RUNS)
        return dump_corrupt(error, "has %u runs of memory", (unsigned)count);
    for (i = 0; i < count && SUCCEEDED(hr); i++) {
        uint64_t base = le64(b + FIRST_RUN + 16 * i);
        uint64_t pages = le64(b + FIRST_RUN + 16 * i + 8);
        uint64_t left = at < length ? length - at : 0;
        uint64_t start, bytes;
        if (!product_fits(base, DUMP_PAGE, &start) ||
            !product_fits(pages, DUMP_PAGE, &bytes) || bytes > INT64_MAX)
            return dump_corrupt(error, "has memory past all addresses");
        if (bytes > left)
            windows->dump->facts.truncated = true;
        hr =
            extents_add(&windows->runs, start, smaller(bytes, left), at, error);
        at += smaller(bytes, left);
    }
    return SUCCEEDED(hr) ? extents_settle(&windows->runs, error) : hr;
}

static HRESULT read_map(struct windows *windows, struct hcs_error *error) {
    struct source *source = windows->dump->source;
    uint8_t b[MAP_BITS];
    HRESULT hr = source_read(source, HEADER_SIZE, b, sizeof b, error);

    if (FAILED(hr))
        return hr;
    if ((memcmp(b, "SDMP", 4) != 0 && memcmp(b, "FDMP", 4) != 0) ||
        memcmp(b + 4, "DUMP", 4) != 0)
        return dump_corrupt(error, "has no map of its pages");
    windows->mapped = true;
    windows->pages = le64(b + 0x20);
    if (windows->pages > INT64_MAX)
        return dump_corrupt(error, "has pages past its end");
    hr = pagemap_open(&windows->map, source, HEADER_SIZE + MAP_BITS,
                      le64(b + 0x30), error);
    if (FAILED(hr))
        return hr;
    if (!source_has(source, windows->pages,
                    smaller(le64(b + 0x28), UINT64_MAX / DUMP_PAGE) *
                        DUMP_PAGE))
        windows->dump->facts.truncated = true;
    return S_OK;
}

static HRESULT read_memory(struct windows *windows, const uint8_t *b,
                           struct hcs_error *error) {
    uint32_t type = le32(b + 0xF98);

    switch (type) {
    case TYPE_FULL:
        windows->dump->facts.variant = "full";
        return read_runs(windows, b, error);
    case TYPE_BITMAP_FULL:
        windows->dump->facts.variant = "bitmap, full";
        return read_map(windows, error);
    case TYPE_SUMMARY:
    case TYPE_BITMAP_KERNEL:
    case TYPE_AUTOMATIC:
        windows->dump->facts.variant = "bitmap, kernel";
        return read_map(windows, error);
    case TYPE_HEADER:
        windows->dump->facts.variant = "header";
        return S_OK;
    case TYPE_TRIAGE:
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "is a small dump, which has no memory to speak of");
    default:
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "is a Windows dump of type %u, which is not read",
                         (unsigned)type);
    }
}

/* Each build has the version that it came with. */
static void name_release(uint32_t build, char *out, size_t size) {
    const char *version = "10.0.";

    if (build < 6000)
        version = "";
    else if (build < 7600)
        version = "6.0.";
    else if (build < 9200)
        version = "6.1.";
    else if (build < 9600)
        version = "6.2.";
    else if (build < 10000)
        version = "6.3.";
    snprintf(out, size, "%s%u", version, (unsigned)build);
}

/* 100 ns since 1601; nothing for what no clock could say. */
static void name_time(uint64_t time, char out[CLOCK_ISO_SIZE]) {
    const uint64_t epoch = UINT64_C(116444736000000000);

    if (time > epoch && (time - epoch) < UINT64_C(90000000000000000))
        clock_format_iso((int64_t)(time - epoch) * 100, out);
}

static HRESULT read_facts(struct windows *windows, const uint8_t *b,
                          struct hcs_error *error) {
    struct dump *dump = windows->dump;
    unsigned i;

    dump->facts.os = DUMP_OS_WINDOWS;
    dump->facts.arch = le32(b + 0x30) == 0x8664   ? DUMP_ARCH_X64
                       : le32(b + 0x30) == 0xAA64 ? DUMP_ARCH_ARM64
                                                  : DUMP_ARCH_UNKNOWN;
    dump->facts.cpu_count = le32(b + 0x34);
    if (dump->facts.cpu_count > MAX_CPUS)
        return dump_corrupt(error, "has %u CPUs",
                            (unsigned)dump->facts.cpu_count);
    name_release(le32(b + 0x0C), dump->facts.os_release,
                 sizeof dump->facts.os_release);
    name_time(le64(b + 0xFA8), dump->facts.created);
    dump->bugcheck.code = le32(b + 0x38);
    dump->has_bugcheck =
        dump->bugcheck.code != 0 && dump->bugcheck.code != FILLER;
    for (i = 0; i < 4; i++)
        dump->bugcheck.parameters[i] = le64(b + 0x40 + 8 * i);
    dump->bugcheck.name = bugcheck_name(dump->bugcheck.code);
    windows_system_read(&windows->system, b);
    return S_OK;
}

static HRESULT windows_open(struct dump *dump, const struct dump_head *head,
                            struct hcs_error *error) {
    struct windows *windows;
    HRESULT hr;

    if (memcmp(head->bytes, SIGNATURE_32, SIGNATURE_SIZE) == 0)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "is a dump of a 32-bit Windows");
    if (head->length < HEADER_SIZE)
        return dump_corrupt(error, "ends within its header");
    windows = calloc(1, sizeof *windows);
    if (!windows)
        return dump_no_memory(error);
    dump->self = windows;
    windows->dump = dump;
    hr = read_memory(windows, head->bytes, error);
    return SUCCEEDED(hr) ? read_facts(windows, head->bytes, error) : hr;
}

static void windows_close(void *self) {
    struct windows *windows = self;

    extents_free(&windows->runs);
    if (windows->mapped)
        pagemap_close(&windows->map);
    free(windows);
}

/* --- memory -------------------------------------------------------------- */

static HRESULT read_mapped(struct windows *windows, uint64_t address,
                           void *bytes, size_t size, size_t *got,
                           struct hcs_error *error) {
    uint64_t page = address / DUMP_PAGE, skip = address % DUMP_PAGE;
    uint64_t rank, end, at;
    bool has;
    HRESULT hr = pagemap_has(&windows->map, page, &has, error);

    if (FAILED(hr) || !has)
        return hr;
    hr = pagemap_rank(&windows->map, page, &rank, error);
    if (SUCCEEDED(hr) && size > DUMP_PAGE - skip)
        hr = pagemap_next(&windows->map, page, false, &end, error);
    else
        end = page + 1;
    if (FAILED(hr))
        return hr;
    if (!product_fits(rank, DUMP_PAGE, &at) ||
        !sum_fits(at, windows->pages + skip, &at))
        return dump_corrupt(error, "has pages past its end");
    size = (size_t)smaller(size, (end - page) * DUMP_PAGE - skip);
    hr = source_read(windows->dump->source, at, bytes, size, error);
    if (SUCCEEDED(hr))
        *got = size;
    return hr;
}

static HRESULT windows_read(void *self, uint64_t address, void *bytes,
                            size_t size, size_t *got, struct hcs_error *error) {
    struct windows *windows = self;

    *got = 0;
    return windows->mapped
               ? read_mapped(windows, address, bytes, size, got, error)
               : extents_read(&windows->runs, windows->dump->source, address,
                              bytes, size, got, error);
}

static HRESULT windows_next_range(void *self, uint64_t from,
                                  struct dump_range *out,
                                  struct hcs_error *error) {
    struct windows *windows = self;
    uint64_t start, end;
    HRESULT hr;

    if (!windows->mapped)
        return extents_next_range(&windows->runs, from, out);
    hr = pagemap_next(&windows->map, from / DUMP_PAGE, true, &start, error);
    if (FAILED(hr) || start >= windows->map.bits)
        return FAILED(hr) ? hr : S_FALSE;
    hr = pagemap_next(&windows->map, start, false, &end, error);
    if (FAILED(hr))
        return hr;
    out->start = start * DUMP_PAGE;
    out->bytes = end * DUMP_PAGE - out->start;
    if (out->start < from) {
        out->bytes -= from - out->start;
        out->start = from;
    }
    return S_OK;
}

static HRESULT windows_next_data(void *self, uint64_t from,
                                 struct dump_range *out,
                                 struct hcs_error *error) {
    struct windows *windows = self;

    return windows->mapped
               ? windows_next_range(self, from, out, error)
               : extents_next_data(&windows->runs, windows->dump->source, from,
                                   out);
}

static HRESULT windows_cpu(void *self, uint32_t index, struct dump_cpu *out,
                           struct hcs_error *error) {
    struct windows *windows = self;

    return windows_read_cpu(&windows->system, windows->dump, index, out, error);
}

const struct dump_reader dump_reader_windows = {
    DUMP_FORMAT_WINDOWS, "windows",         windows_knows,
    windows_open,        windows_close,     windows_read,
    windows_next_range,  windows_next_data, windows_cpu};
