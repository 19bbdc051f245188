/* SPDX-License-Identifier: MIT
 * Physical memory: ranges, reads with a cache for small ones, and the search
 * for bytes. */
#include <stdlib.h>

#include "reader.h"

HRESULT dump_next_range(struct dump *dump, uint64_t from,
                        struct dump_range *out, struct hcs_error *error) {
    return dump->reader->next_range(dump->self, from, out, error);
}

HRESULT dump_next_data(struct dump *dump, uint64_t from, struct dump_range *out,
                       struct hcs_error *error) {
    return dump->reader->next_data
               ? dump->reader->next_data(dump->self, from, out, error)
               : dump->reader->next_range(dump->self, from, out, error);
}

HRESULT dump_memory_bytes(struct dump *dump, uint64_t *bytes,
                          struct hcs_error *error) {
    uint64_t from = 0, sum = 0;
    struct dump_range range;
    HRESULT hr;

    while ((hr = dump_next_range(dump, from, &range, error)) == S_OK) {
        sum += range.bytes;
        from = range.start + range.bytes;
    }
    if (FAILED(hr))
        return hr;
    *bytes = sum;
    return S_OK;
}

/* --- reads --------------------------------------------------------------- */

/* Up to `size` bytes past the cache. */
static HRESULT read_through(struct dump *dump, uint64_t address, uint8_t *bytes,
                            size_t size, size_t *got, struct hcs_error *error) {
    *got = 0;
    while (*got < size) {
        size_t more = 0;
        HRESULT hr =
            dump->reader->read(dump->self, address + *got, bytes + *got,
                               size - *got, &more, error);
        if (FAILED(hr))
            return hr;
        if (more == 0)
            break;
        *got += more;
    }
    return S_OK;
}

/* Where the page is, or the place among its own that was not used for the
 * longest time. */
static size_t choose_slot(struct dump_cache *cache, uint64_t address) {
    const size_t sets = DUMP_CACHED_PAGES / DUMP_CACHE_WAYS;
    uint64_t number = address / DUMP_PAGE;
    size_t first =
        (size_t)((number ^ number >> 4 ^ number >> 9) % sets) * DUMP_CACHE_WAYS;
    size_t oldest = first, i;

    for (i = first; i < first + DUMP_CACHE_WAYS; i++) {
        if (cache->address[i] == address + 1)
            return i;
        if (cache->used[i] < cache->used[oldest])
            oldest = i;
    }
    return oldest;
}

/* The page at `address` in the cache, NULL when the dump does not have all of
 * it or there is no memory for a cache. */
static HRESULT cached_page(struct dump *dump, uint64_t address,
                           const uint8_t **page, struct hcs_error *error) {
    struct dump_cache *cache = &dump->cache;
    size_t slot = choose_slot(cache, address);
    size_t got = 0;
    HRESULT hr;

    *page = NULL;
    if (!cache->pages[slot])
        cache->pages[slot] = malloc(DUMP_PAGE);
    if (!cache->pages[slot])
        return S_OK;
    if (cache->address[slot] != address + 1) {
        cache->address[slot] = 0;
        hr = read_through(dump, address, cache->pages[slot], DUMP_PAGE, &got,
                          error);
        if (FAILED(hr) || got < DUMP_PAGE)
            return hr;
        cache->address[slot] = address + 1;
    }
    cache->used[slot] = ++cache->asked;
    *page = cache->pages[slot];
    return S_OK;
}

/* Less than a page within one page. */
static HRESULT read_small(struct dump *dump, uint64_t address, uint8_t *bytes,
                          size_t size, size_t *got, struct hcs_error *error) {
    uint64_t start = address - address % DUMP_PAGE;
    const uint8_t *page;
    HRESULT hr = cached_page(dump, start, &page, error);

    if (FAILED(hr))
        return hr;
    if (!page)
        return read_through(dump, address, bytes, size, got, error);
    memcpy(bytes, page + (address - start), size);
    *got = size;
    return S_OK;
}

static HRESULT read_part(struct dump *dump, uint64_t address, uint8_t *bytes,
                         size_t size, size_t *got, struct hcs_error *error) {
    size_t in_page = (size_t)(DUMP_PAGE - address % DUMP_PAGE);

    if (size >= DUMP_PAGE)
        return read_through(dump, address, bytes, size, got, error);
    if (size > in_page)
        size = in_page;
    return read_small(dump, address, bytes, size, got, error);
}

static HRESULT not_there(uint64_t address, struct hcs_error *error) {
    return error_set(error, VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND, NULL,
                     "the dump has no memory at 0x%llx",
                     (unsigned long long)address);
}

HRESULT dump_read_physical(struct dump *dump, uint64_t address, void *bytes,
                           size_t size, size_t *got, struct hcs_error *error) {
    size_t done = 0;
    size_t wanted = (size_t)smaller(size, UINT64_MAX - address);

    while (done < wanted) {
        size_t more = 0;
        HRESULT hr = read_part(dump, address + done, (uint8_t *)bytes + done,
                               wanted - done, &more, error);
        if (FAILED(hr))
            return hr;
        if (more == 0)
            break;
        done += more;
    }
    if (size > 0 && (done == 0 || (!got && done < size)))
        return not_there(address + done, error);
    if (got)
        *got = done;
    return S_OK;
}
