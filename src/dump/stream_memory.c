/* SPDX-License-Identifier: MIT
 * Where each page of a migration stream lies: pages come one by one, in any
 * order, and the last one counts. */
#include <stdio.h>
#include <stdlib.h>

#include "stream.h"

#define SECTION_START 0x01u
#define SECTION_PART 0x02u
#define SECTION_END 0x03u
#define SUBSECTION 0x05u
#define CONFIGURATION 0x07u
#define COMMAND 0x08u
#define FOOTER 0x7Eu

#define PAGE_BYTES 4096u
#define FLAG_ZERO 0x02u
#define FLAG_SIZES 0x04u
#define FLAG_PAGE 0x08u
#define FLAG_END 0x10u
#define FLAG_CONTINUE 0x20u
#define FLAG_SYNC 0x200u

#define MAX_TABLES (DUMP_MAX_MEMORY / 2 / (STREAM_TABLE * 8))

/* Where the reading is. Pages are passed over, so little is read at once while
 * they come one behind the other. */
struct reading {
    struct source *source;
    struct source_window window;
    uint64_t at;
    bool in_pages; /* the last record was one */
    struct stream_memory *out;
    struct stream_block *block; /* that records speak of */
    bool cut;                   /* the stream ended too early */
};

/* --- small things -------------------------------------------------------- */

/* S_FALSE: there are not so many bytes left. */
static HRESULT take(struct reading *r, size_t size, const uint8_t **bytes,
                    struct hcs_error *error) {
    HRESULT hr;

    if (!source_has(r->source, r->at, size)) {
        r->cut = true;
        return S_FALSE;
    }
    hr = source_look_near(r->source, &r->window, r->at, size,
                          r->in_pages ? 64 : SOURCE_WINDOW, bytes, error);
    r->at += size;
    return hr;
}

/* A name with its length before it. */
static HRESULT take_name(struct reading *r, char name[256],
                         struct hcs_error *error) {
    const uint8_t *bytes;
    size_t length;
    HRESULT hr = take(r, 1, &bytes, error);

    if (hr != S_OK)
        return hr;
    length = bytes[0];
    hr = take(r, length, &bytes, error);
    if (hr != S_OK)
        return hr;
    memset(name, 0, 256);
    memcpy(name, bytes, length);
    return S_OK;
}

static HRESULT odd(struct reading *r, const char *what,
                   struct hcs_error *error) {
    return dump_corrupt(error, "has %s at byte %llu", what,
                        (unsigned long long)r->at);
}

/* --- blocks -------------------------------------------------------------- */

const struct stream_block *stream_find_block(const struct stream_memory *memory,
                                             const char *name) {
    size_t i;

    for (i = 0; i < memory->count; i++) {
        if (strcmp(memory->blocks[i].name, name) == 0)
            return &memory->blocks[i];
    }
    return NULL;
}

uint64_t stream_page(const struct stream_block *block, uint64_t offset) {
    uint64_t page = offset / PAGE_BYTES;
    const uint64_t *table = block->tables[page / STREAM_TABLE];

    return table ? table[page % STREAM_TABLE] : 0;
}

static HRESULT add_block(struct reading *r, const char *name, uint64_t bytes,
                         struct hcs_error *error) {
    struct stream_memory *memory = r->out;
    struct stream_block *block;
    uint64_t tables = bytes / PAGE_BYTES / STREAM_TABLE + 1;

    if (memory->count == STREAM_MAX_BLOCKS || bytes > STREAM_MAX_MEMORY)
        return odd(r, "memory that is too large", error);
    block = &memory->blocks[memory->count];
    block->tables = calloc((size_t)tables, sizeof *block->tables);
    if (!block->tables)
        return dump_no_memory(error);
    memcpy(block->name, name, sizeof block->name);
    block->bytes = bytes;
    memory->count++;
    return S_OK;
}

/* The blocks of memory there are, until `total` bytes are told of. */
static HRESULT take_blocks(struct reading *r, uint64_t total,
                           struct hcs_error *error) {
    char name[256];
    const uint8_t *bytes;

    if (total > STREAM_MAX_MEMORY)
        return odd(r, "memory that is too large", error);
    while (total > 0) {
        uint64_t size;
        HRESULT hr = take_name(r, name, error);
        if (hr == S_OK)
            hr = take(r, 8, &bytes, error);
        if (hr != S_OK)
            return hr;
        size = be64(bytes);
        if (size == 0 || size > total || size % PAGE_BYTES != 0 ||
            stream_find_block(r->out, name))
            return odd(r, "a block of memory that is none", error);
        hr = add_block(r, name, size, error);
        if (FAILED(hr))
            return hr;
        total -= size;
    }
    return S_OK;
}

/* --- pages --------------------------------------------------------------- */

static HRESULT choose_block(struct reading *r, uint64_t flags,
                            struct hcs_error *error) {
    char name[256];
    HRESULT hr;

    if (flags & FLAG_CONTINUE)
        return r->block ? S_OK : odd(r, "a page of no block", error);
    hr = take_name(r, name, error);
    if (hr != S_OK)
        return hr;
    r->block =
        (struct stream_block *)(uintptr_t)stream_find_block(r->out, name);
    return r->block ? S_OK : odd(r, "a page of an unknown block", error);
}

static HRESULT place_page(struct reading *r, uint64_t offset, uint64_t at,
                          struct hcs_error *error) {
    uint64_t page = offset / PAGE_BYTES;
    uint64_t **table = &r->block->tables[page / STREAM_TABLE];

    if (!*table && at == 0)
        return S_OK;
    if (!*table) {
        if (r->out->tables >= MAX_TABLES)
            return odd(r, "too many pages", error);
        *table = calloc(STREAM_TABLE, sizeof **table);
        if (!*table)
            return dump_no_memory(error);
        r->out->tables++;
    }
    (*table)[page % STREAM_TABLE] = at;
    return S_OK;
}

static HRESULT take_page(struct reading *r, uint64_t offset, uint64_t flags,
                         struct hcs_error *error) {
    const uint8_t *bytes;
    HRESULT hr = choose_block(r, flags, error);

    if (hr != S_OK)
        return hr;
    if (offset >= r->block->bytes)
        return odd(r, "a page past its block", error);
    r->in_pages = (flags & FLAG_PAGE) != 0;
    if (!r->in_pages) {
        hr = take(r, 1, &bytes, error);
        if (hr != S_OK)
            return hr;
        return bytes[0] == 0 ? place_page(r, offset, 0, error)
                             : odd(r, "a page filled with a byte", error);
    }
    if (!source_has(r->source, r->at, PAGE_BYTES)) {
        r->cut = true;
        return S_FALSE;
    }
    hr = place_page(r, offset, r->at, error);
    r->at += PAGE_BYTES;
    return hr;
}

/* One record; *more is false behind the section's last one. */
static HRESULT take_record(struct reading *r, bool *more,
                           struct hcs_error *error) {
    const uint8_t *bytes;
    uint64_t word, flags;
    HRESULT hr = take(r, 8, &bytes, error);

    if (hr != S_OK)
        return hr;
    word = be64(bytes);
    flags = word % PAGE_BYTES;
    word -= flags;
    switch (flags & ~(uint64_t)FLAG_CONTINUE) {
    case FLAG_SIZES:
        return take_blocks(r, word, error);
    case FLAG_ZERO:
    case FLAG_PAGE:
        return take_page(r, word, flags, error);
    case FLAG_END:
        *more = false;
        return S_OK;
    case FLAG_SYNC:
        return S_OK;
    default:
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the saved state has its memory in a form that is "
                         "not read (0x%llx)",
                         (unsigned long long)flags);
    }
}

/* --- sections ------------------------------------------------------------ */

static HRESULT take_records(struct reading *r, struct hcs_error *error) {
    const uint8_t *bytes;
    bool more = true;
    HRESULT hr = S_OK;

    while (more && hr == S_OK)
        hr = take_record(r, &more, error);
    r->in_pages = false;
    if (hr != S_OK)
        return hr;
    hr = take(r, 1, &bytes, error);
    if (hr == S_OK && bytes[0] == FOOTER)
        return take(r, 4, &bytes, error);
    r->at--;
    return hr;
}

static HRESULT take_start(struct reading *r, struct hcs_error *error) {
    const uint8_t *bytes;
    char name[256];
    HRESULT hr = take(r, 4, &bytes, error);

    if (hr == S_OK)
        hr = take_name(r, name, error);
    if (hr == S_OK)
        hr = take(r, 8, &bytes, error);
    if (hr == S_OK && strcmp(name, "ram") != 0)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the saved state has a section \"%.64s\", which is "
                         "not read",
                         name);
    return hr == S_OK ? take_records(r, error) : hr;
}

/* The machine's name. What it may have besides tells of streams that are not
 * read: those that share their memory with somebody. */
static HRESULT take_configuration(struct reading *r, struct hcs_error *error) {
    const uint8_t *bytes;
    uint32_t length;
    HRESULT hr = take(r, 4, &bytes, error);

    if (hr != S_OK)
        return hr;
    length = be32(bytes);
    if (length >= sizeof r->out->machine)
        return odd(r, "a machine without a name", error);
    hr = take(r, length, &bytes, error);
    if (hr != S_OK)
        return hr;
    memcpy(r->out->machine, bytes, length);
    hr = take(r, 1, &bytes, error);
    if (hr == S_OK && bytes[0] == SUBSECTION)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the saved state is a template, whose memory is kept "
                         "elsewhere");
    r->at--;
    return hr;
}

static HRESULT pass_command(struct reading *r, struct hcs_error *error) {
    const uint8_t *bytes;
    HRESULT hr = take(r, 4, &bytes, error);

    if (hr == S_OK)
        r->at += (uint64_t)(bytes[2] << 8 | bytes[3]);
    return hr;
}

/* S_FALSE: there is no section of memory any more. */
static HRESULT take_section(struct reading *r, struct hcs_error *error) {
    const uint8_t *bytes;
    HRESULT hr = take(r, 1, &bytes, error);

    if (hr != S_OK)
        return hr;
    switch (bytes[0]) {
    case CONFIGURATION:
        return take_configuration(r, error);
    case COMMAND:
        return pass_command(r, error);
    case SECTION_START:
        return take_start(r, error);
    case SECTION_PART:
    case SECTION_END:
        hr = take(r, 4, &bytes, error);
        return hr == S_OK ? take_records(r, error) : hr;
    default:
        r->at--;
        return S_FALSE;
    }
}

HRESULT stream_read_memory(struct source *source, uint64_t offset,
                           struct stream_memory *out, struct hcs_error *error) {
    struct reading reading = {0};
    HRESULT hr = S_OK;

    reading.source = source;
    reading.out = out;
    reading.at = offset + STREAM_MAGIC_LENGTH;
    out->blocks = calloc(STREAM_MAX_BLOCKS, sizeof *out->blocks);
    if (!out->blocks)
        return dump_no_memory(error);
    while (hr == S_OK)
        hr = take_section(&reading, error);
    source_window_free(&reading.window);
    out->end = reading.at;
    out->whole = !reading.cut;
    return FAILED(hr) ? hr : S_OK;
}

void stream_memory_free(struct stream_memory *memory) {
    size_t i;
    uint64_t j;

    for (i = 0; i < memory->count; i++) {
        struct stream_block *block = &memory->blocks[i];
        for (j = 0; j <= block->bytes / PAGE_BYTES / STREAM_TABLE; j++)
            free(block->tables[j]);
        free(block->tables);
    }
    free(memory->blocks);
    memset(memory, 0, sizeof *memory);
}
