/* SPDX-License-Identifier: MIT
 * Saved states and other dumps: reading memory, by physical and by virtual
 * addresses, with what somebody laid over it. */
#include "dump.h"

#include <stdlib.h>
#include <string.h>

#define MOST_FIX_BYTES (UINT64_C(64) << 20)

/* --- fixes ---------------------------------------------------------------- */

/* Lays a fix over the part of `bytes` that it is about. */
static void lay(const struct dump_fix *fix, uint64_t address, uint8_t *bytes,
                size_t size) {
    uint64_t from = fix->address > address ? fix->address : address;
    uint64_t fix_end = fix->address + fix->length;
    uint64_t end = address + size;
    if (end > fix_end)
        end = fix_end;
    if (from < end)
        memcpy(bytes + (from - address), fix->bytes + (from - fix->address),
               (size_t)(end - from));
}

HRESULT dump_read_fixed(struct dumped *dumped, uint64_t address, void *bytes,
                        size_t size, size_t *got) {
    HRESULT hr = dump_read_physical(dumped->dump, address, bytes, size, got,
                                    &dumped->error);
    if (FAILED(hr))
        *got = 0;
    for (size_t i = 0; SUCCEEDED(hr) && i < dumped->fix_count; i++)
        lay(&dumped->fixes[i], address, bytes, *got);
    return hr;
}

static HRESULT add_fix(struct dumped *dumped, uint64_t address,
                       const uint8_t *bytes, size_t length) {
    struct dump_fix *more =
        realloc(dumped->fixes, (dumped->fix_count + 1) * sizeof *more);
    uint8_t *copy = malloc(length);

    if (more)
        dumped->fixes = more;
    if (!more || !copy) {
        free(copy);
        return error_set(&dumped->error, E_OUTOFMEMORY, NULL,
                         "no memory for a fix");
    }
    memcpy(copy, bytes, length);
    more[dumped->fix_count++] = (struct dump_fix){address, length, copy};
    dumped->fix_bytes += length;
    return S_OK;
}

/* A fix that cannot be laid whole is not laid at all. */
static HRESULT fix(struct dumped *dumped, const struct dump_space *space,
                   uint64_t address, const uint8_t *bytes, size_t size) {
    size_t before = dumped->fix_count;
    HRESULT hr = S_OK;

    if (size > 0 && size - 1 > UINT64_MAX - address)
        return error_set(&dumped->error, E_INVALIDARG, NULL,
                         "the fix goes past the end of all addresses");
    while (SUCCEEDED(hr) && size > 0) {
        uint64_t physical, left;
        size_t part = size;
        hr = dump_translate_in(dumped->dump, space, address, &physical, &left,
                               &dumped->error);
        if (FAILED(hr))
            break;
        if (part > left)
            part = (size_t)left;
        hr = add_fix(dumped, physical, bytes, part);
        address += part;
        bytes += part;
        size -= part;
    }
    while (FAILED(hr) && dumped->fix_count > before) {
        struct dump_fix *last = &dumped->fixes[--dumped->fix_count];
        dumped->fix_bytes -= last->length;
        free(last->bytes);
    }
    return hr;
}

HRESULT WINAPI ApplyGuestMemoryFix(VM_SAVED_STATE_DUMP_HANDLE dump,
                                   uint32_t cpu, GUEST_VIRTUAL_ADDRESS address,
                                   void *buffer, uint32_t size) {
    struct dumped *dumped;
    struct dump_space space;
    HRESULT hr = dump_begin_answer(dump, buffer, &dumped);
    if (FAILED(hr))
        return hr;
    hr = dump_check_cpu(dumped, cpu);
    if (SUCCEEDED(hr) && size > MOST_FIX_BYTES - dumped->fix_bytes)
        hr = error_set(&dumped->error, E_OUTOFMEMORY, NULL,
                       "fixes may have %llu bytes in all",
                       (unsigned long long)MOST_FIX_BYTES);
    if (SUCCEEDED(hr))
        hr = dump_space_of(dumped, cpu, &space);
    if (SUCCEEDED(hr))
        hr = fix(dumped, &space, address, buffer, size);
    return dump_end(dumped, hr);
}

/* --- physical memory ------------------------------------------------------ */

static HRESULT too_short(struct dumped *dumped, uint64_t address, size_t got) {
    return error_set(&dumped->error,
                     VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND, NULL,
                     "the dump has no memory at 0x%llx",
                     (unsigned long long)(address + got));
}

HRESULT WINAPI ReadGuestPhysicalAddress(VM_SAVED_STATE_DUMP_HANDLE dump,
                                        GUEST_PHYSICAL_ADDRESS address,
                                        void *buffer, uint32_t size,
                                        uint32_t *read) {
    struct dumped *dumped;
    size_t got = 0;
    HRESULT hr = dump_begin_answer(dump, buffer, &dumped);
    if (read)
        *read = 0;
    if (FAILED(hr))
        return hr;
    if (size > 0)
        hr = dump_read_fixed(dumped, address, buffer, size, &got);
    if (SUCCEEDED(hr) && got < size && !read)
        hr = too_short(dumped, address, got);
    if (SUCCEEDED(hr) && read)
        *read = (uint32_t)got;
    return dump_end(dumped, hr);
}

/* What dump_find asks, and what is to be asked. */
struct search {
    HCSHOST_DUMP_PROGRESS progress;
    void *context;
    uint64_t end; /* of the memory */
};

static bool go_on(void *context, uint64_t at) {
    const struct search *search = context;
    return search->progress(search->context, at, search->end);
}

static uint64_t end_of(const struct dumped *dumped) {
    const struct dump_range *last =
        dumped->range_count ? &dumped->ranges[dumped->range_count - 1] : NULL;
    return last ? last->start + (last->bytes - 1) : 0;
}

HRESULT hcshost_dump_find(VM_SAVED_STATE_DUMP_HANDLE dump, UINT64 from,
                          const void *bytes, uint32_t length,
                          HCSHOST_DUMP_PROGRESS progress, void *context,
                          UINT64 *address) {
    struct search search = {progress, context, 0};
    struct dumped *dumped;
    HRESULT hr =
        dump_begin_answer(dump, bytes && address ? bytes : NULL, &dumped);
    if (FAILED(hr))
        return hr;
    *address = 0;
    if (length == 0 || length > DUMP_MAX_PATTERN)
        hr = error_set(&dumped->error, E_INVALIDARG, NULL,
                       "what is to be found has 1 to %u bytes",
                       DUMP_MAX_PATTERN);
    if (SUCCEEDED(hr) && progress)
        hr = dump_know_ranges(dumped);
    search.end = end_of(dumped);
    if (SUCCEEDED(hr))
        hr = dump_find(dumped->dump, from, bytes, length,
                       progress ? go_on : NULL, &search, address,
                       &dumped->error);
    return dump_end(dumped, hr);
}

/* --- virtual memory ------------------------------------------------------- */

HRESULT WINAPI GuestVirtualAddressToPhysicalAddress(
    VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t cpu,
    const GUEST_VIRTUAL_ADDRESS address, GUEST_PHYSICAL_ADDRESS *physical,
    GUEST_VIRTUAL_ADDRESS *unmapped) {
    struct dumped *dumped;
    struct dump_space space;
    uint64_t size = 0, found = 0;
    HRESULT hr = dump_begin_answer(dump, physical, &dumped);
    if (unmapped)
        *unmapped = 0;
    if (FAILED(hr))
        return hr;
    *physical = 0;
    hr = dump_check_cpu(dumped, cpu);
    if (SUCCEEDED(hr))
        hr = dump_space_of(dumped, cpu, &space);
    if (SUCCEEDED(hr))
        hr = dump_translate_in(dumped->dump, &space, address, &found, &size,
                               &dumped->error);
    if (SUCCEEDED(hr))
        *physical = found;
    else if (hr == VM_SAVED_STATE_DUMP_E_VA_NOT_MAPPED && unmapped)
        *unmapped = size;
    return dump_end(dumped, hr);
}

static HRESULT read_fixed(void *context, uint64_t address, void *bytes,
                          size_t size, size_t *got,
                          HCS_UNUSED struct hcs_error *error) {
    return dump_read_fixed(context, address, bytes, size, got);
}

HRESULT hcshost_dump_read(VM_SAVED_STATE_DUMP_HANDLE dump, uint32_t cpu,
                          GUEST_VIRTUAL_ADDRESS address, void *buffer,
                          uint32_t size, uint32_t *read) {
    struct dumped *dumped;
    struct dump_space space;
    size_t got = 0;
    HRESULT hr = dump_begin_answer(dump, buffer, &dumped);
    if (read)
        *read = 0;
    if (FAILED(hr))
        return hr;
    hr = dump_check_cpu(dumped, cpu);
    if (SUCCEEDED(hr))
        hr = dump_space_of(dumped, cpu, &space);
    if (SUCCEEDED(hr))
        hr = dump_read_pages(dumped->dump, &space, address, buffer, size,
                             read_fixed, dumped, &got, &dumped->error);
    if (read && got > 0) {
        *read = (uint32_t)got;
        hr = S_OK;
    }
    return dump_end(dumped, hr);
}
