/* SPDX-License-Identifier: MIT
 * Saved states of our own host: a header block, then QEMU's migration stream;
 * also the stream alone. */
#include <stdlib.h>

#include "stream.h"
#include "vmcoreinfo.h"

#define MAGIC "LUAHCS\x01\n"
#define MAGIC_LENGTH 8u
#define HEADER_SIZE 4096u
#define FOUR_GB (UINT64_C(4) << 30)

struct mapping {
    const struct stream_block *block;
    uint64_t start, bytes, offset; /* physical, and in the block */
};

struct saved {
    struct source *source; /* the dump's */
    uint64_t stream;       /* where it begins */
    uint64_t memory_bytes; /* what the header says; 0: no header */
    struct stream_memory memory;
    struct stream_devices devices;
    struct mapping map[3]; /* by start */
    unsigned mapped;
};

static bool saved_knows(const struct dump_head *head) {
    return memcmp(head->bytes, MAGIC, MAGIC_LENGTH) == 0 ||
           memcmp(head->bytes, STREAM_MAGIC, STREAM_MAGIC_LENGTH) == 0;
}

/* --- opening ------------------------------------------------------------- */

static HRESULT read_header(struct saved *saved, struct dump *dump,
                           const struct dump_head *head,
                           struct hcs_error *error) {
    char text[HEADER_SIZE - MAGIC_LENGTH + 1] = {0};
    struct json_doc doc;
    uint64_t version = 0, bytes = 0;
    bool good;

    memcpy(text, head->bytes + MAGIC_LENGTH, sizeof text - 1);
    if (FAILED(json_parse(text, strlen(text), &doc, NULL)))
        return dump_corrupt(error, "has a damaged header");
    good = json_to_uint64(json_get(doc.root, "Version"), &version) &&
           version == 1 &&
           json_to_uint64(json_get(doc.root, "MemoryBytes"),
                          &saved->memory_bytes) &&
           json_to_uint64(json_get(doc.root, "StreamBytes"), &bytes);
    json_doc_free(&doc);
    if (!good || saved->memory_bytes == 0 ||
        memcmp(head->bytes + HEADER_SIZE, STREAM_MAGIC, STREAM_MAGIC_LENGTH))
        return dump_corrupt(error, "has a damaged header");
    saved->stream = HEADER_SIZE;
    if (!source_has(saved->source, HEADER_SIZE, bytes))
        dump->facts.truncated = true;
    return S_OK;
}

static void map_block(struct saved *saved, const struct stream_block *block,
                      uint64_t start, uint64_t bytes, uint64_t offset) {
    if (bytes > 0)
        saved->map[saved->mapped++] =
            (struct mapping){block, start, bytes, offset};
}

/* The machine's memory: what the header says, else the largest block. */
static const struct stream_block *main_block(const struct saved *saved) {
    const struct stream_block *found = NULL;
    size_t i;

    for (i = 0; i < saved->memory.count; i++) {
        const struct stream_block *block = &saved->memory.blocks[i];
        if (saved->memory_bytes ? block->bytes == saved->memory_bytes
                                : !found || block->bytes > found->bytes)
            found = block;
        if (found == block && saved->memory_bytes)
            break;
    }
    return found;
}

/* Below 4 GB there is room for some of it only: as the two kinds of PC that
 * QEMU makes have it. */
static uint64_t low_bytes(const struct saved *saved, uint64_t bytes) {
    bool q35 = strncmp(saved->memory.machine, "pc-q35", 6) == 0;
    uint64_t most = q35 ? UINT64_C(0xB0000000) : UINT64_C(0xE0000000);

    if (bytes < most)
        return bytes;
    return q35 ? UINT64_C(0x80000000) : UINT64_C(0xC0000000);
}

static HRESULT map_memory(struct saved *saved, struct hcs_error *error) {
    const struct stream_block *ram = main_block(saved);
    const struct stream_block *bios;
    uint64_t low;

    if (!ram)
        return dump_corrupt(error, "has no memory");
    low = low_bytes(saved, ram->bytes);
    map_block(saved, ram, 0, low, 0);
    bios = stream_find_block(&saved->memory, "pc.bios");
    if (bios && bios != ram && bios->bytes <= FOUR_GB - low)
        map_block(saved, bios, FOUR_GB - bios->bytes, bios->bytes, 0);
    map_block(saved, ram, FOUR_GB, ram->bytes - low, low);
    return S_OK;
}

static void count_cpus(struct saved *saved, struct dump *dump) {
    while (stream_find_device(&saved->devices, "cpu", dump->facts.cpu_count))
        dump->facts.cpu_count++;
    /* Other machines' CPUs have no such field. */
    if (dump->facts.cpu_count > 0) {
        uint64_t offset, size;
        if (stream_find_field(stream_find_device(&saved->devices, "cpu", 0),
                              "env.eip", &offset, &size))
            dump->facts.arch = DUMP_ARCH_X64;
    }
}

static HRESULT read_stream(struct saved *saved, struct dump *dump,
                           struct hcs_error *error) {
    HRESULT hr =
        stream_read_memory(saved->source, saved->stream, &saved->memory, error);

    if (FAILED(hr))
        return hr;
    dump->facts.truncated |= !saved->memory.whole;
    hr = map_memory(saved, error);
    if (FAILED(hr))
        return hr;
    hr = stream_read_devices(saved->source, saved->memory.end, &saved->devices,
                             error);
    dump->facts.truncated |= hr == S_FALSE;
    count_cpus(saved, dump);
    return FAILED(hr) ? hr : S_OK;
}

/* --- memory -------------------------------------------------------------- */

static const struct mapping *find_mapping(const struct saved *saved,
                                          uint64_t address) {
    unsigned i;

    for (i = 0; i < saved->mapped; i++) {
        if (address < saved->map[i].start + saved->map[i].bytes)
            return &saved->map[i];
    }
    return NULL;
}

static HRESULT saved_read(void *self, uint64_t address, void *bytes,
                          size_t size, size_t *got, struct hcs_error *error) {
    const struct saved *saved = self;
    const struct mapping *map = find_mapping(saved, address);
    uint64_t offset, page;
    size_t skip = (size_t)(address % DUMP_PAGE);

    *got = 0;
    if (!map || address < map->start)
        return S_OK;
    offset = map->offset + (address - map->start);
    *got = (size_t)smaller(size, DUMP_PAGE - skip);
    page = stream_page(map->block, offset);
    if (page != 0)
        return source_read(saved->source, page + skip, bytes, *got, error);
    memset(bytes, 0, *got);
    return S_OK;
}

static HRESULT saved_next_range(void *self, uint64_t from,
                                struct dump_range *out,
                                struct hcs_error *error) {
    const struct saved *saved = self;
    const struct mapping *map = find_mapping(saved, from);
    const struct mapping *end = saved->map + saved->mapped;

    (void)error;
    if (!map)
        return S_FALSE;
    out->start = from > map->start ? from : map->start;
    out->bytes = map->start + map->bytes - out->start;
    for (map++; map < end && map->start == out->start + out->bytes; map++)
        out->bytes += map->bytes;
    return S_OK;
}

/* The pages from there on that are stored, as one range. */
static HRESULT saved_next_data(void *self, uint64_t from,
                               struct dump_range *out,
                               struct hcs_error *error) {
    const struct saved *saved = self;
    const struct mapping *map = find_mapping(saved, from);
    const struct mapping *end = saved->map + saved->mapped;

    (void)error;
    for (; map && map < end; map++) {
        uint64_t at = from > map->start ? from - map->start : 0;
        uint64_t first;
        while (at < map->bytes && !stream_page(map->block, map->offset + at))
            at += DUMP_PAGE - at % DUMP_PAGE;
        first = at;
        while (at < map->bytes && stream_page(map->block, map->offset + at))
            at += DUMP_PAGE - at % DUMP_PAGE;
        if (first < map->bytes) {
            out->start = map->start + first;
            out->bytes = smaller(at, map->bytes) - first;
            return S_OK;
        }
    }
    return S_FALSE;
}

static HRESULT saved_cpu(void *self, uint32_t index, struct dump_cpu *out,
                         struct hcs_error *error) {
    const struct saved *saved = self;

    return stream_read_cpu(&saved->devices, saved->source, index, out, error);
}

/* --- the kernel's notes -------------------------------------------------- */

/* The guest told a device where they are: an ELF note in its memory. */
static HRESULT find_note(struct saved *saved, uint64_t *address, uint32_t *size,
                         struct hcs_error *error) {
    const struct stream_device *device =
        stream_find_device(&saved->devices, "vmcoreinfo", 0);
    uint8_t has, bytes[8];
    HRESULT hr;

    if (!device)
        return S_FALSE;
    hr = stream_read_field(saved->source, device, "has_vmcoreinfo", &has, 1,
                           error);
    if (hr != S_OK || !has)
        return FAILED(hr) ? hr : S_FALSE;
    hr = stream_read_field(saved->source, device, "vmcoreinfo.size", bytes, 4,
                           error);
    if (hr != S_OK)
        return hr;
    *size = be32(bytes);
    hr = stream_read_field(saved->source, device, "vmcoreinfo.paddr", bytes, 8,
                           error);
    *address = be64(bytes);
    return hr;
}

#define MAX_NOTE 65536u
#define NOTE_HEADER 12u
#define NOTE_NAME "VMCOREINFO"

static HRESULT read_note(struct dump *dump, uint64_t address, uint32_t size,
                         struct hcs_error *error) {
    uint8_t *note = malloc(size);
    uint32_t name, text;
    HRESULT hr;

    if (!note)
        return dump_no_memory(error);
    hr = dump_read_physical(dump, address, note, size, NULL, error);
    if (hr == VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND)
        hr = S_FALSE; /* where the guest says that it is, is nothing */
    if (hr == S_OK) {
        name = le32(note);
        text = le32(note + 4);
        if (name == sizeof NOTE_NAME && text <= size - NOTE_HEADER - 12 &&
            memcmp(note + NOTE_HEADER, NOTE_NAME, sizeof NOTE_NAME) == 0)
            hr =
                dump_set_vmcoreinfo(dump, note + NOTE_HEADER + 12, text, error);
    }
    free(note);
    return FAILED(hr) ? hr : S_OK;
}

static HRESULT saved_open(struct dump *dump, const struct dump_head *head,
                          struct hcs_error *error) {
    struct saved *saved = calloc(1, sizeof *saved);
    uint64_t address = 0;
    uint32_t size = 0;
    HRESULT hr = S_OK;

    if (!saved)
        return dump_no_memory(error);
    dump->self = saved;
    saved->source = dump->source;
    if (memcmp(head->bytes, MAGIC, MAGIC_LENGTH) == 0)
        hr = read_header(saved, dump, head, error);
    if (SUCCEEDED(hr))
        hr = read_stream(saved, dump, error);
    if (SUCCEEDED(hr))
        hr = find_note(saved, &address, &size, error);
    if (hr == S_OK && size > NOTE_HEADER + 12 && size <= MAX_NOTE)
        hr = read_note(dump, address, size, error);
    return FAILED(hr) ? hr : S_OK;
}

static void saved_close(void *self) {
    struct saved *saved = self;

    stream_memory_free(&saved->memory);
    stream_devices_free(&saved->devices);
    free(saved);
}

const struct dump_reader dump_reader_saved = {
    DUMP_FORMAT_SAVED, "saved",         saved_knows,
    saved_open,        saved_close,     saved_read,
    saved_next_range,  saved_next_data, saved_cpu};
