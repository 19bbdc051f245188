/* SPDX-License-Identifier: MIT */
#include "hvs.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "crc32.h"
#include "hvs_format.h"
#include "hvs_log.h"
#include "reader.h"

/* Keys of 1 TiB of memory take some 64 MB; each table is a page or few. */
#define MOST_KEY_BYTES (UINT64_C(128) << 20)
#define MOST_TABLE_BYTES (UINT32_C(1) << 20)

struct table {
    uint8_t *bytes;
    uint32_t size;
    uint16_t index, sequence;
};

struct hvs {
    struct source *source;  /* the file, or: */
    struct source *patched; /* it and its replay log; NULL: none is pending */
    size_t pending;
    struct table *tables; /* by index */
    size_t count, room;
    uint64_t key_bytes;
};

void hvs_close(struct hvs *hvs) {
    if (!hvs)
        return;
    for (size_t i = 0; i < hvs->count; i++)
        free(hvs->tables[i].bytes);
    free(hvs->tables);
    source_close(hvs->patched);
    free(hvs);
}

size_t hvs_pending(const struct hvs *hvs) {
    return hvs->pending;
}

struct source *hvs_source(const struct hvs *hvs) {
    return hvs->patched ? hvs->patched : hvs->source;
}

/* --- the header -------------------------------------------------------- */

static bool good_header(const uint8_t *header) {
    return le32(header) == HVS_HEADER_MAGIC &&
           le32(header + HVS_HEADER_SUM) ==
               crc32_without(header, HVS_HEADER_SIZE, HVS_HEADER_SUM);
}

/* The newer of both copies; sequence numbers wrap. */
static HRESULT read_header(struct source *file, uint8_t header[HVS_HEADER_SIZE],
                           struct hcs_error *error) {
    uint8_t second[HVS_HEADER_SIZE];
    HRESULT hr = source_read(file, 0, header, HVS_HEADER_SIZE, error);
    if (SUCCEEDED(hr))
        hr = source_read(file, HVS_PAGE, second, sizeof second, error);
    if (FAILED(hr))
        return hr;
    if (!good_header(second))
        return good_header(header)
                   ? S_OK
                   : dump_corrupt(error, "has two damaged headers");
    if (!good_header(header) ||
        (int16_t)(uint16_t)(le16(second + HVS_HEADER_SEQUENCE) -
                            le16(header + HVS_HEADER_SEQUENCE)) > 0)
        memcpy(header, second, sizeof second);
    return S_OK;
}

static HRESULT check_header(struct hvs *hvs, struct hcs_error *error) {
    uint8_t header[HVS_HEADER_SIZE];
    uint32_t version, alignment;
    HRESULT hr = read_header(hvs->source, header, error);
    if (FAILED(hr))
        return hr;
    version = le32(header + HVS_HEADER_VERSION);
    alignment = le32(header + HVS_HEADER_ALIGNMENT);
    if (version != HVS_VERSION)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the dump is of version %u.%u, and only 4.0 is read",
                         version >> 8, version & 255);
    if (alignment < HVS_PAGE || alignment > 16 * HVS_PAGE)
        return dump_corrupt(error, "has an alignment of %u", alignment);
    return hvs_log_open(hvs->source, le64(header + HVS_HEADER_LOG),
                        le64(header + HVS_HEADER_LOG_SIZE), &hvs->patched,
                        &hvs->pending, error);
}

/* --- entries of key tables ---------------------------------------------- */

/* Bytes of the value, as far as the entry says; false when they do not fit
 * into `room`. */
static bool value_size(const uint8_t *entry, const uint8_t *value,
                       uint32_t room, uint32_t *size) {
    switch (entry[0]) {
    case HVS_INT:
    case HVS_UINT:
    case HVS_DOUBLE:
        *size = 8;
        break;
    case HVS_BOOL:
        *size = 4;
        break;
    case HVS_NODE:
        *size = HVS_NODE_SIZE;
        break;
    case HVS_STRING:
    case HVS_ARRAY:
        if (room < 4 || le32(value) > room - 4)
            return false;
        *size = 4 + le32(value);
        break;
    default:
        return false;
    }
    return *size <= room;
}

/* Whether the entry at `at`, whose header is in the table, is whole. */
static bool good_entry(const struct table *table, uint32_t at) {
    const uint8_t *entry = table->bytes + at;
    uint32_t size = le32(entry + HVS_ENTRY_SIZE);
    uint32_t name = entry[HVS_ENTRY_NAME_LENGTH];
    uint32_t begin = HVS_ENTRY_HEADER + name, value;
    if (size < HVS_ENTRY_HEADER || size > table->size - at)
        return false;
    if (entry[0] == HVS_FREE)
        return true;
    if (name == 0 || begin > size || entry[begin - 1] != 0)
        return false;
    value = HVS_OUTSIDE_SIZE;
    if (entry[HVS_ENTRY_FLAGS] & HVS_ENTRY_OUTSIDE) {
        if ((entry[0] != HVS_ARRAY && entry[0] != HVS_STRING) ||
            value > size - begin)
            return false;
    } else if (!value_size(entry, entry + begin, size - begin, &value)) {
        return false;
    }
    return le32(entry + HVS_ENTRY_SUM) ==
           crc32_without(entry, begin + value, HVS_ENTRY_SUM);
}

/* An entry of size 0, and a rest too short for one, end the table. */
static bool has_entry(const struct table *table, uint32_t at) {
    return at <= table->size && table->size - at >= HVS_ENTRY_HEADER &&
           le32(table->bytes + at + HVS_ENTRY_SIZE) != 0;
}

static HRESULT check_table(const struct table *table, struct hcs_error *error) {
    const uint8_t *header = table->bytes;
    uint32_t at = HVS_KEYS_HEADER;
    if (le16(header) != HVS_KEYS_MAGIC ||
        le32(header + HVS_KEYS_SUM) !=
            crc32_without(header, HVS_KEYS_HEADER, HVS_KEYS_SUM))
        return dump_corrupt(error, "has a damaged table of keys");
    while (has_entry(table, at)) {
        if (!good_entry(table, at))
            return dump_corrupt(error, "has a damaged key at %u in table %u",
                                at, table->index);
        at += le32(table->bytes + at + HVS_ENTRY_SIZE);
    }
    return S_OK;
}

/* --- tables ------------------------------------------------------------- */

static HRESULT room_for_table(struct hvs *hvs, struct hcs_error *error) {
    size_t room = hvs->room ? 2 * hvs->room : 16;
    struct table *more;
    if (hvs->count < hvs->room)
        return S_OK;
    more = realloc(hvs->tables, room * sizeof *more);
    if (!more)
        return dump_no_memory(error);
    hvs->tables = more;
    hvs->room = room;
    return S_OK;
}

static HRESULT load_table(struct hvs *hvs, uint64_t offset, uint32_t size,
                          struct hcs_error *error) {
    struct table *table;
    HRESULT hr;
    if (size < HVS_KEYS_HEADER || size > MOST_TABLE_BYTES ||
        size > MOST_KEY_BYTES - hvs->key_bytes)
        return dump_corrupt(error, "has a table of %u bytes of keys", size);
    hr = room_for_table(hvs, error);
    if (FAILED(hr))
        return hr;
    table = &hvs->tables[hvs->count];
    table->bytes = malloc(size);
    if (!table->bytes)
        return dump_no_memory(error);
    hvs->count++;
    hvs->key_bytes += size;
    table->size = size;
    hr = source_read(hvs_source(hvs), offset, table->bytes, size, error);
    if (FAILED(hr))
        return hr;
    table->index = le16(table->bytes + HVS_KEYS_INDEX);
    table->sequence = le16(table->bytes + HVS_KEYS_SEQUENCE);
    return check_table(table, error);
}

static int by_index(const void *a, const void *b) {
    const struct table *left = a, *right = b;
    if (left->index != right->index)
        return left->index < right->index ? -1 : 1;
    return (int16_t)(uint16_t)(right->sequence - left->sequence);
}

/* Of tables of one index the newest is left. */
static void sort_tables(struct hvs *hvs) {
    size_t kept = 0;
    if (hvs->count)
        qsort(hvs->tables, hvs->count, sizeof *hvs->tables, by_index);
    for (size_t i = 0; i < hvs->count; i++) {
        if (kept && hvs->tables[kept - 1].index == hvs->tables[i].index)
            free(hvs->tables[i].bytes);
        else
            hvs->tables[kept++] = hvs->tables[i];
    }
    hvs->count = kept;
}

/* One entry of an object table; *next is set by one that leads on. */
static HRESULT one_object(struct hvs *hvs, const uint8_t *entry, bool last,
                          uint64_t *next, struct hcs_error *error) {
    uint64_t offset = le64(entry + HVS_OBJECT_OFFSET);
    uint32_t size = le32(entry + HVS_OBJECT_LENGTH);
    if (entry[0] != HVS_OBJECT_TABLE && entry[0] != HVS_KEY_TABLE)
        return S_OK; /* what values need of file objects their keys say */
    if (le32(entry + HVS_OBJECT_SUM) !=
        crc32_without(entry, HVS_OBJECT_SIZE, HVS_OBJECT_SUM))
        return dump_corrupt(error, "has a damaged table of objects");
    if (entry[0] == HVS_KEY_TABLE)
        return load_table(hvs, offset, size, error);
    if (!last)
        return dump_corrupt(error, "has a table of objects in a wrong place");
    *next = offset;
    return S_OK;
}

static HRESULT one_object_table(struct hvs *hvs, uint64_t offset,
                                uint64_t *budget, uint64_t *next,
                                struct source_window *window,
                                struct hcs_error *error) {
    struct source *file = hvs_source(hvs);
    const uint8_t *bytes;
    uint32_t count;
    HRESULT hr =
        source_look(file, window, offset, HVS_OBJECTS_HEADER, &bytes, error);
    if (FAILED(hr))
        return hr;
    count = le32(bytes + 4);
    if (le32(bytes) != HVS_OBJECTS_MAGIC || count > *budget / HVS_OBJECT_SIZE)
        return dump_corrupt(error, "has a damaged table of objects");
    *budget -= (uint64_t)count * HVS_OBJECT_SIZE;
    offset += HVS_OBJECTS_HEADER;
    *next = 0;
    for (uint32_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        hr = source_look(file, window, offset, HVS_OBJECT_SIZE, &bytes, error);
        if (SUCCEEDED(hr))
            hr = one_object(hvs, bytes, i + 1 == count, next, error);
        offset += HVS_OBJECT_SIZE;
    }
    return hr;
}

/* No two tables share bytes, so all of them have no more than the file has:
 * a chain that comes back to itself ends by that, and by `seen` sooner. */
static HRESULT read_objects(struct hvs *hvs, struct hcs_error *error) {
    struct source_window window = {0};
    uint64_t budget = source_length(hvs->source);
    uint64_t next = HVS_OBJECTS_AT, seen = 0;
    HRESULT hr = S_OK;
    for (uint64_t i = 1, until = 1; SUCCEEDED(hr) && next != 0; i++) {
        uint64_t here = next;
        if (here == seen) {
            hr = dump_corrupt(error, "has tables of objects in a circle");
            break;
        }
        if (i == until) {
            seen = here;
            until *= 2;
        }
        if (budget < HVS_OBJECTS_HEADER) {
            hr = dump_corrupt(error, "has too many tables of objects");
            break;
        }
        budget -= HVS_OBJECTS_HEADER;
        hr = one_object_table(hvs, here, &budget, &next, &window, error);
    }
    source_window_free(&window);
    return hr;
}

HRESULT hvs_open(struct source *source, struct hvs **out,
                 struct hcs_error *error) {
    struct hvs *hvs = calloc(1, sizeof *hvs);
    HRESULT hr;
    *out = NULL;
    if (!hvs)
        return dump_no_memory(error);
    hvs->source = source;
    hr = check_header(hvs, error);
    if (SUCCEEDED(hr))
        hr = read_objects(hvs, error);
    if (FAILED(hr)) {
        hvs_close(hvs);
        return hr;
    }
    sort_tables(hvs);
    *out = hvs;
    return S_OK;
}

/* --- keys --------------------------------------------------------------- */

static const struct table *table_from(const struct hvs *hvs, uint16_t index) {
    size_t low = 0, high = hvs->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hvs->tables[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < hvs->count ? &hvs->tables[low] : NULL;
}

static void fill_key(const struct table *table, uint32_t at,
                     struct hvs_key *out) {
    const uint8_t *entry = table->bytes + at;
    const uint8_t *value =
        entry + HVS_ENTRY_HEADER + entry[HVS_ENTRY_NAME_LENGTH];
    memset(out, 0, sizeof *out);
    out->place = (struct hvs_place){table->index, at};
    out->parent = (struct hvs_place){le16(entry + HVS_ENTRY_PARENT_TABLE),
                                     le32(entry + HVS_ENTRY_PARENT_OFFSET)};
    out->type = (enum hvs_type)entry[0];
    out->name = (const char *)entry + HVS_ENTRY_HEADER;
    if (entry[HVS_ENTRY_FLAGS] & HVS_ENTRY_OUTSIDE) {
        out->size = le32(value);
        out->outside = le64(value + 4);
    } else if (out->type == HVS_STRING || out->type == HVS_ARRAY) {
        out->size = le32(value);
        out->inside = value + 4;
    } else {
        out->number = out->type == HVS_BOOL ? le32(value) : le64(value);
    }
}

bool hvs_next(const struct hvs *hvs, struct hvs_place *at,
              struct hvs_key *out) {
    const struct table *table = table_from(hvs, at->table);
    if (!table)
        return false;
    if (at->offset < HVS_KEYS_HEADER || table->index != at->table)
        *at = (struct hvs_place){table->index, HVS_KEYS_HEADER};
    for (;;) {
        while (has_entry(table, at->offset)) {
            uint32_t here = at->offset;
            at->offset += le32(table->bytes + here + HVS_ENTRY_SIZE);
            if (table->bytes[here] != HVS_FREE) {
                fill_key(table, here, out);
                return true;
            }
        }
        if (++table == hvs->tables + hvs->count)
            return false;
        *at = (struct hvs_place){table->index, HVS_KEYS_HEADER};
    }
}

static bool same_place(struct hvs_place a, struct hvs_place b) {
    return a.table == b.table && a.offset == b.offset;
}

static bool find_child(const struct hvs *hvs, struct hvs_place parent,
                       const char *name, size_t length, struct hvs_key *out) {
    struct hvs_place at = {0, 0};
    while (hvs_next(hvs, &at, out))
        if (same_place(out->parent, parent) &&
            strncmp(out->name, name, length) == 0 && out->name[length] == 0)
            return true;
    return false;
}

bool hvs_find(const struct hvs *hvs, const char *path, struct hvs_key *out) {
    struct hvs_place parent = {0, 0};
    for (;;) {
        size_t length = strcspn(path, "/");
        if (!find_child(hvs, parent, path, length, out))
            return false;
        if (path[length] == 0)
            return true;
        if (out->type != HVS_NODE)
            return false;
        parent = out->place;
        path += length + 1;
    }
}

HRESULT hvs_read(const struct hvs *hvs, const struct hvs_key *key,
                 uint64_t from, void *bytes, size_t size,
                 struct hcs_error *error) {
    if (from > key->size || size > key->size - from)
        return dump_corrupt(error, "has a \"%s\" of only %u bytes", key->name,
                            key->size);
    if (key->inside) {
        memcpy(bytes, key->inside + from, size);
        return S_OK;
    }
    if (key->outside > UINT64_MAX - from)
        return dump_corrupt(error, "has a \"%s\" outside of itself", key->name);
    return source_read(hvs_source(hvs), key->outside + from, bytes, size,
                       error);
}
