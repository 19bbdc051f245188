/* SPDX-License-Identifier: MIT
 * Saved states of Hyper-V (docs/formats/vmrs.md). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hvs.h"
#include "hvs_format.h"
#include "reader.h"
#include "register_list.h"
#include "vmrs_format.h"
#include "vmrs_state.h"
#include "xpress.h"

#define MOST_STATE_BYTES (UINT32_C(32) << 20)
#define MOST_RANGES 65536u
#define MOST_PAGES (UINT64_C(1) << 40) /* 52 bits of address */
#define UNPACKED 4u                    /* blocks that are kept */

/* Guest pages, and where they are in the row of all saved pages. */
struct range {
    uint64_t start, pages, row;
};

struct block {
    uint64_t number;
    uint64_t offset;
    uint32_t size;
};

struct unpacked {
    uint64_t number; /* plus one; 0: none */
    uint64_t used;   /* when, for the one to go is the one longest unused */
    uint8_t *bytes;
};

struct vmrs {
    struct hvs *hvs;
    struct range *ranges; /* by start */
    size_t range_count, range_room;
    struct block *blocks; /* by number */
    size_t block_count, block_room;
    struct unpacked unpacked[UNPACKED];
    uint64_t uses;
    uint8_t *packed; /* room for a block as it is in the file */
    uint8_t *state_bytes;
    struct vmrs_state state;
};

static void vmrs_close(void *self) {
    struct vmrs *vmrs = self;
    hvs_close(vmrs->hvs);
    free(vmrs->ranges);
    free(vmrs->blocks);
    for (size_t i = 0; i < UNPACKED; i++)
        free(vmrs->unpacked[i].bytes);
    free(vmrs->packed);
    free(vmrs->state_bytes);
    vmrs_state_free(&vmrs->state);
    free(vmrs);
}

/* Either copy of the header will do. */
static bool vmrs_knows(const struct dump_head *head) {
    return head->length > HVS_OBJECTS_AT &&
           (le32(head->bytes) == HVS_HEADER_MAGIC ||
            le32(head->bytes + HVS_PAGE) == HVS_HEADER_MAGIC);
}

/* --- what the keys say ---------------------------------------------------- */

/* The number at the end of "NAMEnumber"; false for any other name. */
static bool numbered(const char *key, const char *name, uint64_t *number) {
    size_t length = strlen(name);
    if (strncmp(key, name, length) != 0 || key[length] == 0 ||
        strlen(key + length) > 9)
        return false;
    *number = 0;
    for (key += length; *key; key++) {
        if (*key < '0' || *key > '9')
            return false;
        *number = *number * 10 + (uint64_t)(*key - '0');
    }
    return true;
}

static HRESULT more_room(void **items, size_t count, size_t *room, size_t size,
                         struct hcs_error *error) {
    void *more;
    if (count < *room)
        return S_OK;
    more = realloc(*items, (*room ? 2 * *room : 64) * size);
    if (!more)
        return dump_no_memory(error);
    *items = more;
    *room = *room ? 2 * *room : 64;
    return S_OK;
}

static HRESULT add_block(struct vmrs *vmrs, const struct hvs_key *key,
                         uint64_t number, struct hcs_error *error) {
    void *items = vmrs->blocks;
    HRESULT hr = more_room(&items, vmrs->block_count, &vmrs->block_room,
                           sizeof *vmrs->blocks, error);
    vmrs->blocks = items;
    if (FAILED(hr))
        return hr;
    if (key->type != HVS_ARRAY || key->size > VMRS_BLOCK_SIZE ||
        (!key->inside &&
         !source_has(hvs_source(vmrs->hvs), key->outside, key->size)))
        return dump_corrupt(error, "has a damaged \"%s\"", key->name);
    vmrs->blocks[vmrs->block_count++] =
        (struct block){number, key->outside, key->size};
    return S_OK;
}

static HRESULT add_range(struct vmrs *vmrs, const struct hvs_key *key,
                         struct hcs_error *error) {
    uint8_t bytes[VMRS_RANGE_SIZE];
    void *items = vmrs->ranges;
    struct range range;
    HRESULT hr = more_room(&items, vmrs->range_count, &vmrs->range_room,
                           sizeof *vmrs->ranges, error);
    vmrs->ranges = items;
    if (SUCCEEDED(hr))
        hr = key->type == HVS_ARRAY
                 ? hvs_read(vmrs->hvs, key, 0, bytes, sizeof bytes, error)
                 : dump_corrupt(error, "has a damaged \"%s\"", key->name);
    if (FAILED(hr))
        return hr;
    range = (struct range){le64(bytes + VMRS_RANGE_START),
                           le64(bytes + VMRS_RANGE_PAGES),
                           le64(bytes + VMRS_RANGE_ROW)};
    if (range.start > MOST_PAGES || range.pages > MOST_PAGES - range.start ||
        range.row > MOST_PAGES || vmrs->range_count == MOST_RANGES)
        return dump_corrupt(error, "has memory in a wrong place");
    if (range.pages)
        vmrs->ranges[vmrs->range_count++] = range;
    return S_OK;
}

static HRESULT add_memory(struct vmrs *vmrs, const struct hvs_key *key,
                          struct hcs_error *error) {
    uint64_t number;
    if (numbered(key->name, VMRS_BLOCK_NAME, &number))
        return add_block(vmrs, key, number, error);
    if (numbered(key->name, VMRS_RANGE_NAME, &number))
        return add_range(vmrs, key, error);
    return S_OK;
}

static int block_order(const void *a, const void *b) {
    const struct block *left = a, *right = b;
    return left->number < right->number   ? -1
           : left->number > right->number ? 1
                                          : 0;
}

static int range_order(const void *a, const void *b) {
    const struct range *left = a, *right = b;
    return left->start < right->start ? -1 : left->start > right->start ? 1 : 0;
}

static int row_order(const void *a, const void *b) {
    const struct range *left = a, *right = b;
    return left->row < right->row ? -1 : left->row > right->row ? 1 : 0;
}

/* Neither the guest's pages nor the saved ones may be in two ranges. */
static bool ranges_are_apart(struct vmrs *vmrs) {
    struct range *ranges = vmrs->ranges;
    qsort(ranges, vmrs->range_count, sizeof *ranges, row_order);
    for (size_t i = 1; i < vmrs->range_count; i++)
        if (ranges[i].row < ranges[i - 1].row + ranges[i - 1].pages)
            return false;
    qsort(ranges, vmrs->range_count, sizeof *ranges, range_order);
    for (size_t i = 1; i < vmrs->range_count; i++)
        if (ranges[i].start < ranges[i - 1].start + ranges[i - 1].pages)
            return false;
    return true;
}

static HRESULT check_memory(struct vmrs *vmrs, struct hcs_error *error) {
    if (vmrs->range_count == 0)
        return error_set(error, VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND,
                         NULL,
                         "the dump has no memory: its system was not saved, "
                         "or is encrypted");
    if (!ranges_are_apart(vmrs))
        return dump_corrupt(error, "has memory twice");
    if (vmrs->block_count)
        qsort(vmrs->blocks, vmrs->block_count, sizeof *vmrs->blocks,
              block_order);
    for (size_t i = 1; i < vmrs->block_count; i++)
        if (vmrs->blocks[i].number == vmrs->blocks[i - 1].number)
            return dump_corrupt(error, "has a block of memory twice");
    return S_OK;
}

static HRESULT find_memory(struct vmrs *vmrs, struct hcs_error *error) {
    struct hvs_place at = {0, 0};
    struct hvs_key parent, key;
    HRESULT hr = S_OK;
    if (!hvs_find(vmrs->hvs, "savedstate", &parent))
        return check_memory(vmrs, error);
    while (SUCCEEDED(hr) && hvs_next(vmrs->hvs, &at, &key))
        if (key.parent.table == parent.place.table &&
            key.parent.offset == parent.place.offset)
            hr = add_memory(vmrs, &key, error);
    return SUCCEEDED(hr) ? check_memory(vmrs, error) : hr;
}

static HRESULT check_version(struct vmrs *vmrs, struct hcs_error *error) {
    struct hvs_key key;
    if (!hvs_find(vmrs->hvs, VMRS_VERSION_KEY, &key) &&
        !hvs_find(vmrs->hvs, VMRS_PROPERTIES_KEY, &key))
        return dump_corrupt(error, "does not say of what version it is");
    if ((key.type != HVS_INT && key.type != HVS_UINT) ||
        key.number <= VMRS_OLD_VERSION || key.number > UINT32_MAX)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the dump is of configuration version %" PRIu64
                         ".%" PRIu64 ", and only those above 5.0 are read",
                         key.number >> 8, key.number & 255);
    return S_OK;
}

/* All bytes of an array of at most `most`; *bytes stays NULL where there is no
 * such key. */
static HRESULT load(struct vmrs *vmrs, const char *path, uint32_t most,
                    uint8_t **bytes, size_t *size, struct hcs_error *error) {
    struct hvs_key key;
    HRESULT hr;
    *bytes = NULL;
    *size = 0;
    if (!hvs_find(vmrs->hvs, path, &key))
        return S_OK;
    if ((key.type != HVS_ARRAY && key.type != HVS_STRING) || key.size > most ||
        (!key.inside &&
         !source_has(hvs_source(vmrs->hvs), key.outside, key.size)))
        return dump_corrupt(error, "has a damaged \"%s\"", path);
    *bytes = malloc((size_t)key.size + 1);
    if (!*bytes)
        return dump_no_memory(error);
    hr = hvs_read(vmrs->hvs, &key, 0, *bytes, key.size, error);
    if (FAILED(hr)) {
        free(*bytes);
        *bytes = NULL;
    }
    *size = key.size;
    return hr;
}

static HRESULT find_state(struct vmrs *vmrs, struct hcs_error *error) {
    size_t size;
    HRESULT hr = load(vmrs, VMRS_STATE_KEY, MOST_STATE_BYTES,
                      &vmrs->state_bytes, &size, error);
    if (FAILED(hr))
        return hr;
    if (!vmrs->state_bytes)
        return error_set(error, VM_SAVED_STATE_DUMP_E_PARTITION_STATE_NOT_FOUND,
                         NULL, "the dump has no registers");
    hr = vmrs_state_parse(vmrs->state_bytes, size, &vmrs->state, error);
    if (SUCCEEDED(hr) && vmrs->state.count == 0)
        hr = error_set(error,
                       VM_SAVED_STATE_DUMP_E_NO_VP_FOUND_IN_PARTITION_STATE,
                       NULL, "the dump has no CPUs");
    return hr;
}

/* --- our own part --------------------------------------------------------- */

static HRESULT find_vmcoreinfo(struct dump *dump, struct vmrs *vmrs,
                               struct hcs_error *error) {
    uint8_t *bytes;
    size_t size;
    HRESULT hr = load(vmrs, VMRS_EXTRA_VMCOREINFO, UINT32_C(1) << 20, &bytes,
                      &size, error);
    if (SUCCEEDED(hr) && bytes)
        hr = dump_set_vmcoreinfo(dump, bytes, size, error);
    free(bytes);
    return hr;
}

static HRESULT find_bugcheck(struct dump *dump, struct vmrs *vmrs,
                             struct hcs_error *error) {
    uint8_t *bytes;
    size_t size;
    HRESULT hr = load(vmrs, VMRS_EXTRA_BUGCHECK, VMRS_BUGCHECK_SIZE, &bytes,
                      &size, error);
    if (SUCCEEDED(hr) && size == VMRS_BUGCHECK_SIZE) {
        dump->bugcheck.code = le32(bytes);
        for (unsigned i = 0; i < 4; i++)
            dump->bugcheck.parameters[i] = le64(bytes + 8 + 8 * i);
        dump->bugcheck.name = "";
        dump->has_bugcheck = true;
    }
    free(bytes);
    return hr;
}

static HRESULT find_created(struct dump *dump, struct vmrs *vmrs,
                            struct hcs_error *error) {
    uint8_t *bytes;
    size_t size;
    HRESULT hr = load(vmrs, VMRS_EXTRA_CREATED, sizeof dump->facts.created - 1,
                      &bytes, &size, error);
    if (SUCCEEDED(hr) && bytes)
        memcpy(dump->facts.created, bytes, size);
    free(bytes);
    return hr;
}

static HRESULT find_extra(struct dump *dump, struct vmrs *vmrs,
                          struct hcs_error *error) {
    HRESULT hr = find_vmcoreinfo(dump, vmrs, error);
    if (SUCCEEDED(hr))
        hr = find_bugcheck(dump, vmrs, error);
    if (SUCCEEDED(hr))
        hr = find_created(dump, vmrs, error);
    return hr;
}

static HRESULT vmrs_open(struct dump *dump, const struct dump_head *head,
                         struct hcs_error *error) {
    struct vmrs *vmrs = calloc(1, sizeof *vmrs);
    HRESULT hr;
    (void)head;
    if (!vmrs)
        return dump_no_memory(error);
    dump->self = vmrs;
    hr = hvs_open(dump->source, &vmrs->hvs, error);
    if (SUCCEEDED(hr))
        hr = check_version(vmrs, error);
    if (SUCCEEDED(hr))
        hr = find_memory(vmrs, error);
    if (SUCCEEDED(hr))
        hr = find_state(vmrs, error);
    if (FAILED(hr))
        return hr;
    dump->facts.cpu_count = vmrs->state.count;
    dump->facts.arch = vmrs->state.arm64 ? DUMP_ARCH_ARM64 : DUMP_ARCH_X64;
    vmrs_os_facts(vmrs->state.os_id, &dump->facts.os, dump->facts.os_release,
                  sizeof dump->facts.os_release);
    hr = find_extra(dump, vmrs, error); /* knows the system better */
    if (SUCCEEDED(hr) && hvs_pending(vmrs->hvs))
        dump->facts.variant = "its replay log pending";
    return hr;
}

/* --- memory --------------------------------------------------------------- */

/* The first range that ends behind `page`, or NULL. */
static const struct range *range_from(const struct vmrs *vmrs, uint64_t page) {
    size_t low = 0, high = vmrs->range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct range *range = &vmrs->ranges[middle];
        if (range->start + range->pages <= page)
            low = middle + 1;
        else
            high = middle;
    }
    return low < vmrs->range_count ? &vmrs->ranges[low] : NULL;
}

/* The first block of that number or a higher one, or NULL. */
static const struct block *block_from(const struct vmrs *vmrs,
                                      uint64_t number) {
    size_t low = 0, high = vmrs->block_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (vmrs->blocks[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < vmrs->block_count ? &vmrs->blocks[low] : NULL;
}

static HRESULT room_for_unpacked(struct vmrs *vmrs, struct unpacked **out,
                                 struct hcs_error *error) {
    struct unpacked *oldest = &vmrs->unpacked[0];
    for (size_t i = 1; i < UNPACKED; i++)
        if (vmrs->unpacked[i].used < oldest->used)
            oldest = &vmrs->unpacked[i];
    oldest->number = 0;
    if (!oldest->bytes)
        oldest->bytes = malloc(VMRS_BLOCK_SIZE);
    if (!vmrs->packed)
        vmrs->packed = malloc(VMRS_BLOCK_SIZE);
    *out = oldest;
    return oldest->bytes && vmrs->packed ? S_OK : dump_no_memory(error);
}

/* Small blocks are in their keys, which come back by their names. */
static HRESULT read_packed(struct vmrs *vmrs, const struct block *block,
                           struct hcs_error *error) {
    char path[64];
    struct hvs_key key;
    if (block->offset)
        return source_read(hvs_source(vmrs->hvs), block->offset, vmrs->packed,
                           block->size, error);
    snprintf(path, sizeof path, "savedstate/" VMRS_BLOCK_NAME "%" PRIu64,
             block->number);
    if (!hvs_find(vmrs->hvs, path, &key))
        return dump_corrupt(error, "has lost \"%s\"", path);
    return hvs_read(vmrs->hvs, &key, 0, vmrs->packed, block->size, error);
}

static HRESULT unpack(struct vmrs *vmrs, const struct block *block,
                      const uint8_t **out, struct hcs_error *error) {
    struct unpacked *room;
    HRESULT hr;
    for (size_t i = 0; i < UNPACKED; i++)
        if (vmrs->unpacked[i].number == block->number + 1) {
            vmrs->unpacked[i].used = ++vmrs->uses;
            *out = vmrs->unpacked[i].bytes;
            return S_OK;
        }
    hr = room_for_unpacked(vmrs, &room, error);
    if (SUCCEEDED(hr))
        hr = read_packed(vmrs, block, error);
    if (FAILED(hr))
        return hr;
    if (!pages_unpack(vmrs->packed, block->size, room->bytes, VMRS_BLOCK_SIZE))
        return dump_corrupt(error, "has a damaged block %" PRIu64 " of memory",
                            block->number);
    room->number = block->number + 1;
    room->used = ++vmrs->uses;
    *out = room->bytes;
    return S_OK;
}

static HRESULT vmrs_read(void *self, uint64_t address, void *bytes, size_t size,
                         size_t *got, struct hcs_error *error) {
    struct vmrs *vmrs = self;
    uint64_t page = address / DUMP_PAGE, place, left;
    const struct range *range = range_from(vmrs, page);
    const struct block *block;
    const uint8_t *unpacked = NULL;
    HRESULT hr;

    *got = 0;
    if (!range || range->start > page)
        return S_OK;
    left = (range->start + range->pages) * DUMP_PAGE - address;
    place =
        (range->row + (page - range->start)) * DUMP_PAGE + address % DUMP_PAGE;
    block = block_from(vmrs, place / VMRS_BLOCK_SIZE);
    left = smaller(left, VMRS_BLOCK_SIZE - place % VMRS_BLOCK_SIZE);
    size = (size_t)smaller(size, left);
    if (!block || block->number != place / VMRS_BLOCK_SIZE) {
        memset(bytes, 0, size); /* never touched, so never saved */
        *got = size;
        return S_OK;
    }
    place %= VMRS_BLOCK_SIZE;
    if (block->size == VMRS_BLOCK_SIZE)
        hr = source_read(hvs_source(vmrs->hvs), block->offset + place, bytes,
                         size, error);
    else if (SUCCEEDED(hr = unpack(vmrs, block, &unpacked, error)))
        memcpy(bytes, unpacked + place, size);
    if (SUCCEEDED(hr))
        *got = size;
    return hr;
}

/* Ranges that touch are one. */
static HRESULT vmrs_next_range(void *self, uint64_t from,
                               struct dump_range *out,
                               struct hcs_error *error) {
    struct vmrs *vmrs = self;
    const struct range *range = range_from(vmrs, from / DUMP_PAGE);
    const struct range *end = vmrs->ranges + vmrs->range_count;
    uint64_t last;
    (void)error;
    if (!range)
        return S_FALSE;
    out->start = range->start * DUMP_PAGE;
    last = range->start + range->pages;
    while (++range < end && range->start == last)
        last += range->pages;
    if (out->start < from)
        out->start = from;
    out->bytes = last * DUMP_PAGE - out->start;
    return S_OK;
}

/* The part of a whole block from `place` (in it) on that is no hole; false
 * when the rest is one. */
static bool data_of_block(struct vmrs *vmrs, const struct block *block,
                          uint64_t *place, uint64_t *length) {
    struct source *file = hvs_source(vmrs->hvs);
    uint64_t end = block->offset + VMRS_BLOCK_SIZE, start, hole;
    *length = VMRS_BLOCK_SIZE - *place;
    if (block->size != VMRS_BLOCK_SIZE)
        return true;
    start = source_next_data(file, block->offset + *place);
    if (start >= end)
        return false;
    hole = source_next_hole(file, start);
    *place = start - block->offset;
    *length = smaller(hole, end) - start;
    return *length > 0;
}

/* What of the range has data at or behind `page`; false: nothing. */
static bool data_of_range(struct vmrs *vmrs, const struct range *range,
                          uint64_t from, struct dump_range *out) {
    uint64_t first = range->row * DUMP_PAGE;
    uint64_t end = first + range->pages * DUMP_PAGE;
    uint64_t at =
        first +
        (from > range->start * DUMP_PAGE ? from - range->start * DUMP_PAGE : 0);
    const struct block *block = block_from(vmrs, at / VMRS_BLOCK_SIZE);
    const struct block *last = vmrs->blocks + vmrs->block_count;
    for (; block && block < last; block++) {
        uint64_t base = block->number * VMRS_BLOCK_SIZE;
        uint64_t place = at > base ? at - base : 0, length;
        if (base >= end)
            return false;
        if (!data_of_block(vmrs, block, &place, &length))
            continue;
        if (base + place >= end)
            return false;
        out->start = range->start * DUMP_PAGE + (base + place - first);
        out->bytes = smaller(length, end - (base + place));
        return true;
    }
    return false;
}

static HRESULT vmrs_next_data(void *self, uint64_t from, struct dump_range *out,
                              struct hcs_error *error) {
    struct vmrs *vmrs = self;
    const struct range *range = range_from(vmrs, from / DUMP_PAGE);
    (void)error;
    for (; range && range < vmrs->ranges + vmrs->range_count; range++)
        if (data_of_range(vmrs, range, from, out))
            return S_OK;
    return S_FALSE;
}

/* --- CPUs ----------------------------------------------------------------- */

/* What the chunks have zeros for need not be known: a list of ours tells. */
static HRESULT vmrs_cpu(void *self, uint32_t index, struct dump_cpu *out,
                        struct hcs_error *error) {
    struct vmrs *vmrs = self;
    uint8_t *list;
    char path[64];
    size_t size;
    HRESULT hr;
    if (vmrs->state.arm64)
        return S_OK; /* its chunks are not read */
    vmrs_state_cpu(&vmrs->state, index, out);
    snprintf(path, sizeof path, VMRS_EXTRA_CPU "%" PRIu32, index);
    hr = load(vmrs, path, REGISTER_LIST_MOST, &list, &size, error);
    if (SUCCEEDED(hr) && list)
        register_list_read(list, size, out);
    free(list);
    return hr;
}

const struct dump_reader dump_reader_vmrs = {
    .format = DUMP_FORMAT_VMRS,
    .name = "vmrs",
    .knows = vmrs_knows,
    .open = vmrs_open,
    .close = vmrs_close,
    .read = vmrs_read,
    .next_range = vmrs_next_range,
    .next_data = vmrs_next_data,
    .cpu = vmrs_cpu,
};
