/* SPDX-License-Identifier: MIT */
#include "hvs_log.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "crc32.h"
#include "hvs_format.h"
#include "reader.h"

/* Real logs have a page of entries. */
#define MOST_ENTRIES 4096u

struct piece {
    uint64_t to;
    uint64_t from; /* both in the file */
    uint32_t size;
};

struct patched {
    struct source *file; /* not its own */
    struct piece *pieces;
    size_t count;
};

static void patched_close(void *self) {
    struct patched *patched = self;
    free(patched->pieces);
    free(patched);
}

/* Later entries go over earlier ones. */
static HRESULT patched_read(void *self, uint64_t offset, void *bytes,
                            size_t size, struct hcs_error *error) {
    struct patched *patched = self;
    HRESULT hr = source_read(patched->file, offset, bytes, size, error);
    for (size_t i = 0; SUCCEEDED(hr) && i < patched->count; i++) {
        const struct piece *piece = &patched->pieces[i];
        uint64_t start = piece->to > offset ? piece->to : offset;
        uint64_t end = smaller(piece->to + piece->size, offset + size);
        if (start < end)
            hr = source_read(patched->file, piece->from + (start - piece->to),
                             (uint8_t *)bytes + (start - offset),
                             (size_t)(end - start), error);
    }
    return hr;
}

static const struct source_kind patched_kind = {.read = patched_read,
                                                .close = patched_close};

static HRESULT check_data(struct source *file, const struct piece *piece,
                          uint32_t expected, struct hcs_error *error) {
    uint8_t block[4096];
    uint32_t sum = 0;
    for (uint64_t done = 0; done < piece->size;) {
        size_t more = (size_t)smaller(sizeof block, piece->size - done);
        HRESULT hr = source_read(file, piece->from + done, block, more, error);
        if (FAILED(hr))
            return hr;
        sum = crc32_add(sum, block, more);
        done += more;
    }
    return sum == expected
               ? S_OK
               : dump_corrupt(error, "has damaged data in its replay log");
}

static HRESULT read_piece(struct source *file, uint64_t log, uint64_t log_size,
                          size_t number, struct piece *out,
                          struct hcs_error *error) {
    uint8_t entry[HVS_LOG_ENTRY];
    uint64_t inside;
    HRESULT hr = source_read(
        file, log + HVS_LOG_HEADER + (uint64_t)number * HVS_LOG_ENTRY, entry,
        sizeof entry, error);
    if (FAILED(hr))
        return hr;
    out->to = le64(entry + HVS_LOG_ENTRY_TO);
    out->size = le32(entry + HVS_LOG_ENTRY_SIZE);
    inside = le64(entry + HVS_LOG_ENTRY_FROM);
    if (le32(entry) != crc32_without(entry, sizeof entry, 0) ||
        inside > log_size || out->size > log_size - inside ||
        !source_has(file, out->to, out->size))
        return dump_corrupt(error, "has a damaged entry %zu in its replay log",
                            number);
    out->from = log + inside;
    return check_data(file, out, le32(entry + HVS_LOG_ENTRY_DATA_SUM), error);
}

static HRESULT read_pieces(struct patched *patched, uint64_t log,
                           uint64_t log_size, struct hcs_error *error) {
    HRESULT hr = S_OK;
    for (size_t i = 0; SUCCEEDED(hr) && i < patched->count; i++)
        hr = read_piece(patched->file, log, log_size, i, &patched->pieces[i],
                        error);
    return hr;
}

HRESULT hvs_log_open(struct source *source, uint64_t offset, uint64_t size,
                     struct source **out, size_t *pending,
                     struct hcs_error *error) {
    uint8_t header[HVS_LOG_HEADER];
    struct patched *patched;
    uint32_t count;
    HRESULT hr;

    *out = NULL;
    *pending = 0;
    if (size < sizeof header || !source_has(source, offset, size))
        return dump_corrupt(error, "has a replay log outside of itself");
    hr = source_read(source, offset, header, sizeof header, error);
    if (FAILED(hr))
        return hr;
    count = le32(header + HVS_LOG_COUNT);
    if (le32(header) != HVS_LOG_MAGIC ||
        le32(header + HVS_LOG_SUM) !=
            crc32_without(header, sizeof header, HVS_LOG_SUM) ||
        count > MOST_ENTRIES || count > (size - sizeof header) / HVS_LOG_ENTRY)
        return dump_corrupt(error, "has a damaged replay log");
    if (count == 0)
        return S_OK;
    patched = calloc(1, sizeof *patched);
    if (!patched)
        return dump_no_memory(error);
    patched->file = source;
    patched->count = count;
    patched->pieces = calloc(count, sizeof *patched->pieces);
    hr = patched->pieces ? read_pieces(patched, offset, size, error)
                         : dump_no_memory(error);
    if (FAILED(hr)) {
        patched_close(patched);
        return hr;
    }
    *pending = count;
    return source_create(&patched_kind, patched, source_length(source), out,
                         error);
}
