/* SPDX-License-Identifier: MIT
 * The search for bytes in physical memory: a block at a time, each with the
 * end of the one before, past holes of the file unless zeros are looked for. */
#include <stdlib.h>

#include "reader.h"

#define BLOCK (UINT64_C(128) << 10)
#define ASK_EVERY (UINT64_C(16) << 20)

struct search {
    struct dump *dump;
    const uint8_t *pattern;
    size_t length;
    uint8_t *buffer;  /* of BLOCK + length bytes */
    size_t held;      /* bytes in it */
    uint64_t address; /* of the first of them */
    uint64_t asked;   /* where it was asked last whether to go on */
};

static const uint8_t *find_bytes(const uint8_t *bytes, size_t size,
                                 const uint8_t *pattern, size_t length) {
    const uint8_t *end = bytes + size;

    while ((size_t)(end - bytes) >= length) {
        bytes = memchr(bytes, pattern[0], (size_t)(end - bytes) - length + 1);
        if (!bytes)
            return NULL;
        if (memcmp(bytes, pattern, length) == 0)
            return bytes;
        bytes++;
    }
    return NULL;
}

/* Reads on at `address`; what lies right behind what is held is joined to the
 * part of it that a match could begin in. */
static HRESULT fill(struct search *search, uint64_t address, size_t size,
                    struct hcs_error *error) {
    size_t keep = 0, got = 0;
    HRESULT hr;

    if (search->held > 0 && search->address + search->held == address) {
        keep =
            search->held < search->length ? search->held : search->length - 1;
        memmove(search->buffer, search->buffer + search->held - keep, keep);
    }
    hr = dump_read_physical(search->dump, address, search->buffer + keep, size,
                            &got, error);
    search->held = keep + got;
    search->address = address - keep;
    return hr;
}

static HRESULT search_range(struct search *search,
                            const struct dump_range *range,
                            bool (*go_on)(void *context, uint64_t at),
                            void *context, uint64_t *address,
                            struct hcs_error *error) {
    uint64_t done = 0;

    while (done < range->bytes) {
        uint64_t at = range->start + done;
        size_t size = (size_t)smaller(range->bytes - done, BLOCK);
        const uint8_t *found;
        HRESULT hr;
        if (go_on && at - search->asked >= ASK_EVERY) {
            search->asked = at;
            if (!go_on(context, at))
                return error_set(error, HR_CANCELLED, NULL,
                                 "the search was ended");
        }
        hr = fill(search, at, size, error);
        if (FAILED(hr))
            return hr;
        found = find_bytes(search->buffer, search->held, search->pattern,
                           search->length);
        if (found) {
            *address = search->address + (uint64_t)(found - search->buffer);
            return S_OK;
        }
        done += size;
    }
    return S_FALSE;
}

static bool all_zeros(const uint8_t *bytes, size_t length) {
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/* A match may begin or end in zeros that are left out: as many bytes before and
 * behind each range are looked at as it could reach into. */
static HRESULT widen(struct search *search, uint64_t from,
                     struct dump_range *range, struct hcs_error *error) {
    uint64_t reach = search->length - 1;
    uint64_t end = range->start + range->bytes;
    uint64_t before = smaller(reach, range->start - from);
    struct dump_range next;
    HRESULT hr;

    for (; before > 0; before--) {
        uint8_t byte;
        hr = dump_read_physical(search->dump, range->start - 1, &byte, 1, NULL,
                                NULL);
        if (FAILED(hr))
            break;
        range->start--;
    }
    hr = dump_next_range(search->dump, end, &next, error);
    if (hr == S_OK && next.start == end)
        end += smaller(reach, next.bytes);
    range->bytes = end - range->start;
    return hr;
}

static HRESULT search_all(struct search *search, uint64_t from,
                          bool (*go_on)(void *context, uint64_t at),
                          void *context, uint64_t *address,
                          struct hcs_error *error) {
    bool zeros = all_zeros(search->pattern, search->length);
    struct dump_range range;
    HRESULT hr;

    for (;;) {
        hr = zeros ? dump_next_range(search->dump, from, &range, error)
                   : dump_next_data(search->dump, from, &range, error);
        if (hr != S_OK)
            return hr;
        if (!zeros && FAILED(hr = widen(search, from, &range, error)))
            return hr;
        hr = search_range(search, &range, go_on, context, address, error);
        if (hr != S_FALSE)
            return hr;
        from = range.start + range.bytes;
    }
}

HRESULT dump_find(struct dump *dump, uint64_t from, const void *bytes,
                  size_t length, bool (*go_on)(void *context, uint64_t at),
                  void *context, uint64_t *address, struct hcs_error *error) {
    struct search search = {dump, bytes, length, NULL, 0, 0, from};
    HRESULT hr;

    if (length == 0 || length > DUMP_MAX_PATTERN)
        return error_set(error, E_INVALIDARG, NULL,
                         "%llu bytes cannot be looked for",
                         (unsigned long long)length);
    search.buffer = malloc((size_t)BLOCK + length);
    if (!search.buffer)
        return dump_no_memory(error);
    hr = search_all(&search, from, go_on, context, address, error);
    free(search.buffer);
    return hr;
}
