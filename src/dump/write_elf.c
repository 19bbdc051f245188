/* SPDX-License-Identifier: MIT
 * ELF cores as QEMU writes them: a note segment, then a segment for each range
 * of physical memory, by physical address alone. */
#include <string.h>

#include "writer.h"

#define HEADER 64u
#define PROGRAM_HEADER 56u
#define SECTION_HEADER 64u
#define PT_LOAD 1
#define PT_NOTE 4
#define PN_XNUM 0xFFFFu

struct layout {
    uint64_t segments; /* notes and memory */
    uint64_t table;    /* where their headers are */
    uint64_t section;  /* 0: none is needed */
    uint64_t notes;
    uint64_t memory;
};

static uint16_t machine_of(enum dump_arch arch) {
    return arch == DUMP_ARCH_ARM64 ? 183 : 62;
}

/* Memory begins at a page, so that its pages can be holes. */
static void lay_out(struct layout *out, uint64_t ranges, size_t notes) {
    out->segments = 1 + ranges;
    out->table = HEADER;
    out->section = out->segments >= PN_XNUM
                       ? out->table + out->segments * PROGRAM_HEADER
                       : 0;
    out->notes = out->table + out->segments * PROGRAM_HEADER +
                 (out->section ? SECTION_HEADER : 0);
    out->memory = (out->notes + notes + DUMP_PAGE - 1) & ~(DUMP_PAGE - 1ull);
}

static HRESULT put_header(struct writer *writer, const struct layout *layout,
                          struct hcs_error *error) {
    static const uint8_t identity[] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    enum dump_arch arch = dump_get_facts(writer->dump)->arch;
    uint8_t header[HEADER] = {0};
    memcpy(header, identity, sizeof identity);
    put16(header + 16, 4); /* a core */
    put16(header + 18, machine_of(arch));
    put32(header + 20, 1);
    put64(header + 32, layout->table);
    put64(header + 40, layout->section);
    put16(header + 52, HEADER);
    put16(header + 54, PROGRAM_HEADER);
    put16(header + 56,
          (uint16_t)(layout->section ? PN_XNUM : layout->segments));
    put16(header + 58, SECTION_HEADER);
    put16(header + 60, layout->section ? 1 : 0);
    return writer_put(writer, 0, header, sizeof header, error);
}

/* The first section counts segments that the header cannot count. */
static HRESULT put_section(struct writer *writer, const struct layout *layout,
                           struct hcs_error *error) {
    uint8_t section[SECTION_HEADER] = {0};
    if (!layout->section)
        return S_OK;
    put32(section + 44, (uint32_t)layout->segments);
    return writer_put(writer, layout->section, section, sizeof section, error);
}

static HRESULT put_segment(struct writer *writer, uint64_t at, uint32_t type,
                           uint64_t offset, uint64_t address, uint64_t size,
                           struct hcs_error *error) {
    uint8_t header[PROGRAM_HEADER] = {0};
    put32(header, type);
    put64(header + 8, offset);
    put64(header + 24, address);
    put64(header + 32, size);
    put64(header + 40, size);
    return writer_put(writer, at, header, sizeof header, error);
}

static HRESULT put_memory(struct writer *writer, const struct layout *layout,
                          struct hcs_error *error) {
    uint64_t at = layout->table + PROGRAM_HEADER, offset = layout->memory;
    struct dump_range range = {0, 0};
    HRESULT hr;
    while ((hr = writer_next_range(writer, range.start + range.bytes, &range,
                                   error)) == S_OK) {
        hr = put_segment(writer, at, PT_LOAD, offset, range.start, range.bytes,
                         error);
        if (SUCCEEDED(hr))
            hr = writer_copy(writer, &range, offset, error);
        if (FAILED(hr))
            return hr;
        at += PROGRAM_HEADER;
        offset += range.bytes;
    }
    return FAILED(hr) ? hr : S_OK;
}

static HRESULT put_all(struct writer *writer, const struct buf *notes,
                       struct hcs_error *error) {
    struct layout layout;
    uint64_t ranges;
    HRESULT hr = writer_count_ranges(writer, &ranges, error);
    if (FAILED(hr))
        return hr;
    if (ranges > UINT32_MAX - 1)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the dump has too many ranges for an ELF core");
    lay_out(&layout, ranges, notes->length);
    hr = put_header(writer, &layout, error);
    if (SUCCEEDED(hr))
        hr = put_section(writer, &layout, error);
    if (SUCCEEDED(hr))
        hr = put_segment(writer, layout.table, PT_NOTE, layout.notes, 0,
                         notes->length, error);
    if (SUCCEEDED(hr))
        hr =
            writer_put(writer, layout.notes, notes->data, notes->length, error);
    return SUCCEEDED(hr) ? put_memory(writer, &layout, error) : hr;
}

HRESULT write_elf(struct writer *writer, struct hcs_error *error) {
    struct buf notes = {0};
    HRESULT hr;
    write_notes(&notes, writer);
    hr = notes.failed ? error_set(error, E_OUTOFMEMORY, NULL, "out of memory")
                      : put_all(writer, &notes, error);
    buf_free(&notes);
    return hr;
}
