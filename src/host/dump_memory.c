/* SPDX-License-Identifier: MIT
 * Saved states and other dumps: what memory they have. */
#include "dump.h"

#include <stdlib.h>

#include "memory.h"

/* As many as a dump of 16 TiB has whose every second megabyte is missing. */
#define MOST_RANGES (UINT64_C(8) << 20)

/* --- the ranges ----------------------------------------------------------- */

static HRESULT add_range(struct dumped *dumped, size_t *room,
                         const struct dump_range *range) {
    if (dumped->range_count == *room) {
        size_t more = *room ? *room * 2 : 16;
        struct dump_range *ranges =
            more <= MOST_RANGES ? realloc(dumped->ranges, more * sizeof *ranges)
                                : NULL;
        if (!ranges)
            return error_set(&dumped->error, E_OUTOFMEMORY, NULL,
                             "no memory for the list of the dump's memory");
        dumped->ranges = ranges;
        *room = more;
    }
    dumped->ranges[dumped->range_count++] = *range;
    return S_OK;
}

HRESULT dump_know_ranges(struct dumped *dumped) {
    struct dump_range range;
    uint64_t from = 0;
    size_t room = 0;
    HRESULT hr = S_OK;

    if (dumped->ranges_known)
        return S_OK;
    while (hr == S_OK) {
        hr = dump_next_range(dumped->dump, from, &range, &dumped->error);
        if (hr == S_OK)
            hr = add_range(dumped, &room, &range);
        if (hr == S_OK && range.bytes > UINT64_MAX - range.start)
            break;
        from = range.start + range.bytes;
    }
    dumped->ranges_known = SUCCEEDED(hr);
    if (SUCCEEDED(hr))
        return S_OK;
    free(dumped->ranges);
    dumped->ranges = NULL;
    dumped->range_count = 0;
    return hr;
}

HRESULT hcshost_dump_range(VM_SAVED_STATE_DUMP_HANDLE dump, UINT64 from,
                           UINT64 *start, UINT64 *bytes) {
    struct dumped *dumped;
    struct dump_range range;
    HRESULT hr =
        dump_begin_answer(dump, start && bytes ? start : NULL, &dumped);
    if (FAILED(hr))
        return hr;
    *start = *bytes = 0;
    hr = dump_next_range(dumped->dump, from, &range, &dumped->error);
    if (hr == S_OK) {
        *start = range.start;
        *bytes = range.bytes;
    }
    return dump_end(dumped, hr);
}

/* --- in pages ------------------------------------------------------------- */

/* A page of which the dump has a part counts whole. */
static GPA_MEMORY_CHUNK chunk_of(const struct dump_range *range) {
    uint64_t last = (range->start + (range->bytes - 1)) / DUMP_PAGE;
    GPA_MEMORY_CHUNK chunk = {range->start / DUMP_PAGE, 0};
    chunk.PageCount = last - chunk.GuestPhysicalStartPageIndex + 1;
    return chunk;
}

/* Writes the chunks as far as there is room; returns how many there are. */
static UINT64 put_chunks(const struct dumped *dumped, GPA_MEMORY_CHUNK *out,
                         UINT64 room) {
    UINT64 count = 0;
    GPA_MEMORY_CHUNK last = {0, 0};

    for (size_t i = 0; i < dumped->range_count; i++) {
        GPA_MEMORY_CHUNK chunk = chunk_of(&dumped->ranges[i]);
        UINT64 end = last.GuestPhysicalStartPageIndex + last.PageCount;
        if (count > 0 && chunk.GuestPhysicalStartPageIndex <= end) {
            last.PageCount = chunk.GuestPhysicalStartPageIndex +
                             chunk.PageCount - last.GuestPhysicalStartPageIndex;
        } else {
            last = chunk;
            count++;
        }
        if (count <= room)
            out[count - 1] = last;
    }
    return count;
}

HRESULT WINAPI GetGuestPhysicalMemoryChunks(VM_SAVED_STATE_DUMP_HANDLE dump,
                                            UINT64 *page_size,
                                            GPA_MEMORY_CHUNK *chunks,
                                            UINT64 *count) {
    struct dumped *dumped;
    UINT64 room, needed;
    HRESULT hr =
        dump_begin_answer(dump, page_size && count ? count : NULL, &dumped);
    if (FAILED(hr))
        return hr;
    *page_size = DUMP_PAGE;
    room = chunks ? *count : 0;
    hr = dump_know_ranges(dumped);
    if (SUCCEEDED(hr)) {
        needed = put_chunks(dumped, chunks, room);
        if (needed > room)
            hr = error_set(&dumped->error, HR_INSUFFICIENT_BUFFER, NULL,
                           "the dump has %llu pieces of memory",
                           (unsigned long long)needed);
        *count = needed;
    }
    return dump_end(dumped, hr);
}

/* --- one piece after the other -------------------------------------------- */

HRESULT WINAPI GetGuestRawSavedMemorySize(VM_SAVED_STATE_DUMP_HANDLE dump,
                                          UINT64 *size) {
    struct dumped *dumped;
    HRESULT hr = dump_begin_answer(dump, size, &dumped);
    if (FAILED(hr))
        return hr;
    hr = dump_memory_bytes(dumped->dump, size, &dumped->error);
    return dump_end(dumped, hr);
}

static HRESULT no_memory_there(struct dumped *dumped, uint64_t address) {
    return error_set(
        &dumped->error, VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND, NULL,
        "the dump has no memory at 0x%llx", (unsigned long long)address);
}

HRESULT WINAPI GuestPhysicalAddressToRawSavedMemoryOffset(
    VM_SAVED_STATE_DUMP_HANDLE dump, GUEST_PHYSICAL_ADDRESS address,
    UINT64 *offset) {
    struct dumped *dumped;
    uint64_t before = 0;
    size_t i = 0;
    HRESULT hr = dump_begin_answer(dump, offset, &dumped);
    if (FAILED(hr))
        return hr;
    hr = dump_know_ranges(dumped);
    for (; SUCCEEDED(hr) && i < dumped->range_count; i++) {
        const struct dump_range *range = &dumped->ranges[i];
        if (address >= range->start && address - range->start < range->bytes)
            break;
        before += range->bytes;
    }
    if (SUCCEEDED(hr) && i == dumped->range_count)
        hr = no_memory_there(dumped, address);
    if (SUCCEEDED(hr))
        *offset = before + (address - dumped->ranges[i].start);
    return dump_end(dumped, hr);
}

/* Reads what lies `offset` bytes into the memory, across its holes. */
static HRESULT read_raw(struct dumped *dumped, uint64_t offset, uint8_t *bytes,
                        size_t size, size_t *got) {
    HRESULT hr = dump_know_ranges(dumped);
    *got = 0;
    for (size_t i = 0; SUCCEEDED(hr) && *got < size && i < dumped->range_count;
         i++) {
        const struct dump_range *range = &dumped->ranges[i];
        uint64_t left = range->bytes;
        size_t part = size - *got, read = 0;
        if (offset >= left) {
            offset -= left;
            continue;
        }
        left -= offset;
        if (part > left)
            part = (size_t)left;
        hr = dump_read_fixed(dumped, range->start + offset, bytes + *got, part,
                             &read);
        *got += read;
        if (read < part)
            break;
        offset = 0;
    }
    return hr;
}

HRESULT WINAPI ReadGuestRawSavedMemory(VM_SAVED_STATE_DUMP_HANDLE dump,
                                       UINT64 offset, void *buffer,
                                       uint32_t size, uint32_t *read) {
    struct dumped *dumped;
    size_t got = 0;
    HRESULT hr = dump_begin_answer(dump, buffer, &dumped);
    if (read)
        *read = 0;
    if (FAILED(hr))
        return hr;
    hr = read_raw(dumped, offset, buffer, size, &got);
    if (SUCCEEDED(hr) && got < size && (!read || got == 0))
        hr = error_set(&dumped->error,
                       VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND, NULL,
                       "the dump's memory ends before offset %llu",
                       (unsigned long long)offset + size);
    if (SUCCEEDED(hr) && read)
        *read = (uint32_t)got;
    return dump_end(dumped, hr);
}

/* --- caches --------------------------------------------------------------- */

/* What is read is kept as far as it pays, whatever the limit. */
HRESULT WINAPI SetMemoryBlockCacheLimit(VM_SAVED_STATE_DUMP_HANDLE dump,
                                        UINT64 limit) {
    struct dumped *dumped;
    HRESULT hr = dump_begin(dump, &dumped);
    if (FAILED(hr))
        return hr;
    dumped->cache_limit = limit;
    return dump_end(dumped, S_OK);
}

HRESULT WINAPI GetMemoryBlockCacheLimit(VM_SAVED_STATE_DUMP_HANDLE dump,
                                        UINT64 *limit) {
    struct dumped *dumped;
    HRESULT hr = dump_begin_answer(dump, limit, &dumped);
    if (FAILED(hr))
        return hr;
    *limit = dumped->cache_limit;
    return dump_end(dumped, S_OK);
}
