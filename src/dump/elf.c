/* SPDX-License-Identifier: MIT
 * ELF cores of machines: physical memory by segment, with or without the
 * virtual addresses that it is mapped at. */
#include <stdlib.h>

#include "extents.h"
#include "notes.h"

#define CLASS_32 1
#define CLASS_64 2
#define LITTLE_ENDIAN_DATA 1
#define ET_CORE 4
#define PT_LOAD 1
#define PT_NOTE 4
#define PN_XNUM 0xFFFFu
#define MAX_SEGMENTS (1u << 20)

struct elf {
    struct source *source; /* the dump's */
    struct notes notes;
    struct extents memory;
    bool wide;      /* 64-bit headers */
    uint64_t table; /* of the program headers */
    uint32_t entry; /* the size of one */
    uint32_t count;
    bool has_physical; /* some segment has a physical address */
    unsigned loads;
};

struct segment {
    uint32_t type;
    uint64_t offset, virtual_address, physical, file_bytes;
};

static bool elf_knows(const struct dump_head *head) {
    const uint8_t *b = head->bytes;

    return memcmp(b, "\177ELF", 4) == 0 &&
           (b[4] == CLASS_32 || b[4] == CLASS_64) &&
           b[5] == LITTLE_ENDIAN_DATA && le16(b + 16) == ET_CORE;
}

static enum dump_arch machine(uint16_t number) {
    switch (number) {
    case 3:
        return DUMP_ARCH_X86;
    case 62:
        return DUMP_ARCH_X64;
    case 183:
        return DUMP_ARCH_ARM64;
    default:
        return DUMP_ARCH_UNKNOWN;
    }
}

/* --- headers ------------------------------------------------------------- */

/* More segments than the header can count are counted by the first section. */
static HRESULT count_segments(struct elf *elf, const uint8_t *b,
                              struct hcs_error *error) {
    uint64_t sections = elf->wide ? le64(b + 40) : le32(b + 32);
    uint8_t count[4];
    HRESULT hr;

    elf->count = le16(b + (elf->wide ? 56 : 44));
    if (elf->count == PN_XNUM && sections != 0) {
        uint64_t at;
        if (!sum_fits(sections, elf->wide ? 44 : 28, &at))
            return dump_corrupt(error, "has sections past its end");
        hr = source_read(elf->source, at, count, sizeof count, error);
        if (FAILED(hr))
            return hr;
        elf->count = le32(count);
    }
    if (elf->count > MAX_SEGMENTS)
        return dump_corrupt(error, "has %u segments", (unsigned)elf->count);
    return S_OK;
}

static HRESULT read_header(struct elf *elf, const uint8_t *b,
                           struct hcs_error *error) {
    uint32_t least;

    elf->wide = b[4] == CLASS_64;
    least = elf->wide ? 56 : 32;
    elf->table = elf->wide ? le64(b + 32) : le32(b + 28);
    elf->entry = le16(b + (elf->wide ? 54 : 42));
    if (elf->entry < least)
        return dump_corrupt(error, "has segment headers of %u bytes",
                            (unsigned)elf->entry);
    return count_segments(elf, b, error);
}

static void parse_segment(bool wide, const uint8_t *b, struct segment *out) {
    out->type = le32(b);
    out->offset = wide ? le64(b + 8) : le32(b + 4);
    out->virtual_address = wide ? le64(b + 16) : le32(b + 8);
    out->physical = wide ? le64(b + 24) : le32(b + 12);
    out->file_bytes = wide ? le64(b + 32) : le32(b + 16);
}

/* Of a segment that the file does not have all of, there is what it has. */
static HRESULT take_load(struct elf *elf, struct dump *dump,
                         const struct segment *segment,
                         struct hcs_error *error) {
    uint64_t length = source_length(elf->source);
    uint64_t left = segment->offset < length ? length - segment->offset : 0;

    if (segment->file_bytes > left)
        dump->facts.truncated = true;
    elf->loads++;
    if (segment->physical != 0 || segment->virtual_address == 0)
        elf->has_physical = true;
    return extents_add(&elf->memory, segment->physical,
                       smaller(segment->file_bytes, left), segment->offset,
                       error);
}

static HRESULT take_segments(struct elf *elf, struct dump *dump,
                             struct hcs_error *error) {
    struct source_window window = {0};
    HRESULT hr = S_OK;
    uint32_t i;

    for (i = 0; i < elf->count && SUCCEEDED(hr); i++) {
        struct segment segment;
        const uint8_t *bytes;
        uint64_t at;
        if (!sum_fits(elf->table, (uint64_t)i * elf->entry, &at)) {
            hr = dump_corrupt(error, "has segments past its end");
            break;
        }
        hr = source_look(elf->source, &window, at, elf->wide ? 56 : 32, &bytes,
                         error);
        if (FAILED(hr))
            break;
        parse_segment(elf->wide, bytes, &segment);
        if (segment.type == PT_LOAD)
            hr = take_load(elf, dump, &segment, error);
        else if (segment.type == PT_NOTE)
            hr = notes_scan(&elf->notes, elf->source, segment.offset,
                            segment.file_bytes, error);
    }
    source_window_free(&window);
    return hr;
}

/* A process's core has no physical addresses, and notes of threads only. */
static HRESULT check_machine(const struct elf *elf, struct hcs_error *error) {
    if (elf->loads == 0)
        return dump_corrupt(error, "has no memory");
    if (!elf->has_physical && elf->notes.qemu_count == 0 &&
        elf->notes.vmcoreinfo == 0)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "is the core of a process, not of a machine");
    return S_OK;
}

static HRESULT elf_open(struct dump *dump, const struct dump_head *head,
                        struct hcs_error *error) {
    struct elf *elf = calloc(1, sizeof *elf);
    HRESULT hr;

    if (!elf)
        return dump_no_memory(error);
    dump->self = elf;
    elf->source = dump->source;
    dump->facts.arch = machine(le16(head->bytes + 18));
    hr = read_header(elf, head->bytes, error);
    if (SUCCEEDED(hr))
        hr = take_segments(elf, dump, error);
    if (SUCCEEDED(hr))
        hr = check_machine(elf, error);
    if (SUCCEEDED(hr))
        hr = extents_settle(&elf->memory, error);
    if (SUCCEEDED(hr))
        hr = notes_tell(&elf->notes, dump, error);
    return hr;
}

static void elf_close(void *self) {
    struct elf *elf = self;

    notes_free(&elf->notes);
    extents_free(&elf->memory);
    free(elf);
}

/* --- what is in it ------------------------------------------------------- */

static HRESULT elf_read(void *self, uint64_t address, void *bytes, size_t size,
                        size_t *got, struct hcs_error *error) {
    struct elf *elf = self;

    return extents_read(&elf->memory, elf->source, address, bytes, size, got,
                        error);
}

static HRESULT elf_next_range(void *self, uint64_t from, struct dump_range *out,
                              struct hcs_error *error) {
    const struct elf *elf = self;

    (void)error;
    return extents_next_range(&elf->memory, from, out);
}

static HRESULT elf_next_data(void *self, uint64_t from, struct dump_range *out,
                             struct hcs_error *error) {
    struct elf *elf = self;

    (void)error;
    return extents_next_data(&elf->memory, elf->source, from, out);
}

static HRESULT elf_cpu(void *self, uint32_t index, struct dump_cpu *out,
                       struct hcs_error *error) {
    const struct elf *elf = self;

    return notes_cpu(&elf->notes, elf->source, index, out, error);
}

const struct dump_reader dump_reader_elf = {
    DUMP_FORMAT_ELF, "elf",          elf_knows,     elf_open, elf_close,
    elf_read,        elf_next_range, elf_next_data, elf_cpu};
