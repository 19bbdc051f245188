/* SPDX-License-Identifier: MIT */
#include "hvs_write.h"

#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "crc32.h"
#include "hvs_format.h"
#include "reader.h"

#define KEYS_ROOM (HVS_PAGE - HVS_KEYS_HEADER) /* for entries, in one table */
#define OBJECTS_ROOM ((HVS_PAGE - HVS_OBJECTS_HEADER) / HVS_OBJECT_SIZE)
#define MOST_TABLES 65535u /* their index has 16 bits and begins at 1 */
#define MOST_NAME 254u     /* with its NUL, below what a length can say */
#define NO_NODE SIZE_MAX   /* the root */

struct node {
    char *path;
    size_t parent; /* NO_NODE: the root */
    struct hvs_place place;
    uint32_t children;
};

struct object {
    uint64_t offset;
    uint32_t size;
};

struct hvs_writer {
    struct writer *writer;
    uint64_t end; /* where the next value goes */
    struct node *nodes;
    size_t node_count, node_room;
    uint32_t root_children;
    struct object *objects;
    size_t object_count, object_room;
    struct buf keys; /* all tables, each HVS_PAGE bytes, the last one open */
};

HRESULT hvs_writer_open(struct writer *writer, struct hvs_writer **out,
                        struct hcs_error *error) {
    *out = calloc(1, sizeof **out);
    if (!*out)
        return dump_no_memory(error);
    (*out)->writer = writer;
    (*out)->end = HVS_OBJECTS_AT + HVS_PAGE; /* behind the first table */
    return S_OK;
}

void hvs_writer_close(struct hvs_writer *hvs) {
    if (!hvs)
        return;
    for (size_t i = 0; i < hvs->node_count; i++)
        free(hvs->nodes[i].path);
    free(hvs->nodes);
    free(hvs->objects);
    buf_free(&hvs->keys);
    free(hvs);
}

/* Room for one more of `size` bytes each. */
static HRESULT grow(void **items, size_t count, size_t *room, size_t size,
                    struct hcs_error *error) {
    size_t more_room = *room ? 2 * *room : 16;
    void *more;
    if (count < *room)
        return S_OK;
    more = realloc(*items, more_room * size);
    if (!more)
        return dump_no_memory(error);
    *items = more;
    *room = more_room;
    return S_OK;
}

/* --- tables of keys ------------------------------------------------------- */

/* What of the last table is taken; a full one when there is none. */
static size_t taken(const struct hvs_writer *hvs) {
    size_t rest = hvs->keys.length % HVS_PAGE;
    return rest ? rest : HVS_PAGE;
}

/* A gap that a free entry does not fit into is part of the entry before it;
 * `last` is where that is. */
static void close_table(struct hvs_writer *hvs, size_t last) {
    static const uint8_t zeros[HVS_PAGE] = {0};
    size_t gap = HVS_PAGE - taken(hvs);
    if (gap == 0)
        return;
    if (gap <= HVS_ENTRY_HEADER) {
        uint8_t *entry = (uint8_t *)hvs->keys.data + last;
        put32(entry + HVS_ENTRY_SIZE,
              le32(entry + HVS_ENTRY_SIZE) + (uint32_t)gap);
    } else {
        uint8_t header[HVS_ENTRY_HEADER] = {HVS_FREE};
        put32(header + HVS_ENTRY_SIZE, (uint32_t)gap);
        buf_add(&hvs->keys, header, sizeof header);
        gap -= sizeof header;
    }
    buf_add(&hvs->keys, zeros, gap);
}

/* Where the last entry of the open table begins. */
static size_t last_entry(const struct hvs_writer *hvs) {
    size_t begin = (hvs->keys.length - 1) / HVS_PAGE * HVS_PAGE;
    size_t at = begin + HVS_KEYS_HEADER, last = at;
    while (at < hvs->keys.length) {
        last = at;
        at += le32((const uint8_t *)hvs->keys.data + at + HVS_ENTRY_SIZE);
    }
    return last;
}

static HRESULT begin_table(struct hvs_writer *hvs, struct hcs_error *error) {
    uint8_t header[HVS_KEYS_HEADER] = {0};
    size_t number;
    if (hvs->keys.length)
        close_table(hvs, last_entry(hvs));
    number = hvs->keys.length / HVS_PAGE + 1;
    if (number > MOST_TABLES)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "there is more memory than a .vmrs has room for");
    put16(header, HVS_KEYS_MAGIC);
    put16(header + HVS_KEYS_INDEX, (uint16_t)number);
    put16(header + HVS_KEYS_SEQUENCE, 1);
    put32(header + HVS_KEYS_SUM,
          crc32_without(header, sizeof header, HVS_KEYS_SUM));
    buf_add(&hvs->keys, header, sizeof header);
    return S_OK;
}

/* The sums of entries are set at the end: what nodes hold changes until then.
 */
static HRESULT add_entry(struct hvs_writer *hvs, size_t parent,
                         enum hvs_type type, uint8_t flags, const char *name,
                         size_t name_length, const void *value, size_t size,
                         struct hvs_place *place, struct hcs_error *error) {
    uint8_t header[HVS_ENTRY_HEADER] = {0};
    size_t whole = HVS_ENTRY_HEADER + name_length + 1 + size;
    struct node *node = parent == NO_NODE ? NULL : &hvs->nodes[parent];
    uint32_t sequence = ++*(node ? &node->children : &hvs->root_children);
    HRESULT hr = S_OK;
    if (name_length + 1 > MOST_NAME || name_length == 0)
        return error_set(error, E_INVALIDARG, NULL,
                         "a key's name has %zu bytes", name_length);
    if (taken(hvs) + whole > HVS_PAGE)
        hr = begin_table(hvs, error);
    if (FAILED(hr))
        return hr;
    place->table = (uint16_t)((hvs->keys.length - 1) / HVS_PAGE + 1);
    place->offset = (uint32_t)taken(hvs);
    header[0] = (uint8_t)type;
    header[HVS_ENTRY_FLAGS] = flags;
    put32(header + HVS_ENTRY_SIZE, (uint32_t)whole);
    if (node) {
        put16(header + HVS_ENTRY_PARENT_TABLE, node->place.table);
        put32(header + HVS_ENTRY_PARENT_OFFSET, node->place.offset);
    }
    put32(header + HVS_ENTRY_SEQUENCE, sequence);
    header[HVS_ENTRY_NAME_LENGTH] = (uint8_t)(name_length + 1);
    buf_add(&hvs->keys, header, sizeof header);
    buf_add(&hvs->keys, name, name_length);
    buf_putc(&hvs->keys, 0);
    buf_add(&hvs->keys, value, size);
    return hvs->keys.failed ? dump_no_memory(error) : S_OK;
}

/* --- nodes ---------------------------------------------------------------- */

static HRESULT add_node(struct hvs_writer *hvs, const char *path, size_t length,
                        size_t parent, struct hcs_error *error) {
    static const uint8_t empty[HVS_NODE_SIZE] = {0};
    size_t begin = parent == NO_NODE ? 0 : strlen(hvs->nodes[parent].path) + 1;
    void *items = hvs->nodes;
    struct node node = {NULL, parent, {0, 0}, 0};
    HRESULT hr = grow(&items, hvs->node_count, &hvs->node_room,
                      sizeof *hvs->nodes, error);
    hvs->nodes = items;
    if (SUCCEEDED(hr))
        hr = add_entry(hvs, parent, HVS_NODE, 0, path + begin, length - begin,
                       empty, sizeof empty, &node.place, error);
    if (FAILED(hr))
        return hr;
    node.path = malloc(length + 1);
    if (!node.path)
        return dump_no_memory(error);
    memcpy(node.path, path, length);
    node.path[length] = 0;
    hvs->nodes[hvs->node_count++] = node;
    return S_OK;
}

/* There are few nodes, whatever there are of keys. */
static size_t find_node(const struct hvs_writer *hvs, const char *path,
                        size_t length) {
    for (size_t i = 0; i < hvs->node_count; i++)
        if (strlen(hvs->nodes[i].path) == length &&
            memcmp(hvs->nodes[i].path, path, length) == 0)
            return i;
    return NO_NODE;
}

/* The node that the key of `path` is in; *name begins there. */
static HRESULT reach(struct hvs_writer *hvs, const char *path, size_t *parent,
                     const char **name, struct hcs_error *error) {
    HRESULT hr = S_OK;
    *parent = NO_NODE;
    *name = path;
    for (const char *slash; SUCCEEDED(hr) && (slash = strchr(*name, '/'));) {
        size_t length = (size_t)(slash - path);
        size_t node = find_node(hvs, path, length);
        if (node == NO_NODE) {
            node = hvs->node_count;
            hr = add_node(hvs, path, length, *parent, error);
        }
        *parent = node;
        *name = slash + 1;
    }
    return hr;
}

static HRESULT add_key(struct hvs_writer *hvs, const char *path,
                       enum hvs_type type, uint8_t flags, const void *value,
                       size_t size, struct hcs_error *error) {
    struct hvs_place place;
    const char *name;
    size_t parent;
    HRESULT hr = reach(hvs, path, &parent, &name, error);
    return SUCCEEDED(hr) ? add_entry(hvs, parent, type, flags, name,
                                     strlen(name), value, size, &place, error)
                         : hr;
}

/* --- values --------------------------------------------------------------- */

HRESULT hvs_put_int(struct hvs_writer *hvs, const char *path, int64_t value,
                    struct hcs_error *error) {
    uint8_t bytes[8];
    put64(bytes, (uint64_t)value);
    return add_key(hvs, path, HVS_INT, 0, bytes, sizeof bytes, error);
}

static HRESULT add_inside(struct hvs_writer *hvs, const char *path,
                          enum hvs_type type, const void *bytes, size_t size,
                          struct hcs_error *error) {
    uint8_t value[4 + HVS_OUTSIDE_FROM];
    put32(value, (uint32_t)size);
    if (size)
        memcpy(value + 4, bytes, size);
    return add_key(hvs, path, type, 0, value, 4 + size, error);
}

HRESULT hvs_put_string(struct hvs_writer *hvs, const char *path,
                       const char *ascii, struct hcs_error *error) {
    uint8_t units[512];
    size_t size = 2 * (strlen(ascii) + 1);
    if (size > sizeof units)
        return error_set(error, E_INVALIDARG, NULL, "the text is too long");
    for (size_t i = 0; i < size / 2; i++)
        put16(units + 2 * i, (uint8_t)ascii[i]);
    return add_inside(hvs, path, HVS_STRING, units, size, error);
}

static HRESULT add_object(struct hvs_writer *hvs, uint32_t size,
                          uint64_t *offset, struct hcs_error *error) {
    uint64_t whole = ((uint64_t)size + HVS_PAGE - 1) & ~(HVS_PAGE - 1ull);
    void *items = hvs->objects;
    HRESULT hr = grow(&items, hvs->object_count, &hvs->object_room,
                      sizeof *hvs->objects, error);
    hvs->objects = items;
    if (FAILED(hr))
        return hr;
    *offset = hvs->end;
    hvs->objects[hvs->object_count++] =
        (struct object){hvs->end, (uint32_t)whole};
    hvs->end += whole;
    return S_OK;
}

HRESULT hvs_reserve(struct hvs_writer *hvs, const char *path, uint32_t size,
                    uint64_t *offset, struct hcs_error *error) {
    uint8_t value[HVS_OUTSIDE_SIZE];
    HRESULT hr =
        size >= HVS_OUTSIDE_FROM && size <= UINT32_MAX - HVS_PAGE
            ? add_object(hvs, size, offset, error)
            : error_set(error, E_INVALIDARG, NULL,
                        "a value of %u bytes is none of those", (unsigned)size);
    if (FAILED(hr))
        return hr;
    put32(value, size);
    put64(value + 4, *offset);
    return add_key(hvs, path, HVS_ARRAY, HVS_ENTRY_OUTSIDE, value, sizeof value,
                   error);
}

HRESULT hvs_put_array(struct hvs_writer *hvs, const char *path,
                      const void *bytes, size_t size, struct hcs_error *error) {
    uint64_t offset;
    HRESULT hr;
    if (size < HVS_OUTSIDE_FROM)
        return add_inside(hvs, path, HVS_ARRAY, bytes, size, error);
    if (size > UINT32_MAX)
        return error_set(error, E_INVALIDARG, NULL, "the value is too large");
    hr = hvs_reserve(hvs, path, (uint32_t)size, &offset, error);
    return SUCCEEDED(hr) ? writer_put(hvs->writer, offset, bytes, size, error)
                         : hr;
}

/* --- the end -------------------------------------------------------------- */

/* A node says which number its next child would get. */
static void settle_nodes(struct hvs_writer *hvs) {
    for (size_t i = 0; i < hvs->node_count; i++) {
        const struct node *node = &hvs->nodes[i];
        uint8_t *entry = (uint8_t *)hvs->keys.data +
                         (size_t)(node->place.table - 1) * HVS_PAGE +
                         node->place.offset;
        put32(entry + HVS_ENTRY_HEADER + entry[HVS_ENTRY_NAME_LENGTH] + 8,
              node->children + 1);
    }
}

static size_t value_length(const uint8_t *entry, const uint8_t *value) {
    if (entry[HVS_ENTRY_FLAGS] & HVS_ENTRY_OUTSIDE)
        return HVS_OUTSIDE_SIZE;
    switch (entry[0]) {
    case HVS_NODE:
        return HVS_NODE_SIZE;
    case HVS_STRING:
    case HVS_ARRAY:
        return 4 + (size_t)le32(value);
    default:
        return 8;
    }
}

/* The sum leaves out the slack behind an entry; free entries have none. */
static void sum_table(uint8_t *table) {
    for (size_t at = HVS_KEYS_HEADER; at < HVS_PAGE;) {
        uint8_t *entry = table + at;
        size_t length = HVS_ENTRY_HEADER + entry[HVS_ENTRY_NAME_LENGTH];
        if (entry[0] != HVS_FREE) {
            length += value_length(entry, entry + length);
            put32(entry + HVS_ENTRY_SUM,
                  crc32_without(entry, length, HVS_ENTRY_SUM));
        }
        at += le32(entry + HVS_ENTRY_SIZE);
    }
}

static HRESULT put_keys(struct hvs_writer *hvs, struct hcs_error *error) {
    if (hvs->keys.length)
        close_table(hvs, last_entry(hvs));
    if (hvs->keys.failed)
        return dump_no_memory(error);
    settle_nodes(hvs);
    for (size_t at = 0; at < hvs->keys.length; at += HVS_PAGE)
        sum_table((uint8_t *)hvs->keys.data + at);
    return writer_put(hvs->writer, hvs->end, hvs->keys.data, hvs->keys.length,
                      error);
}

static void put_object(uint8_t *entry, enum hvs_object type, uint64_t offset,
                       uint32_t size) {
    memset(entry, 0, HVS_OBJECT_SIZE);
    entry[0] = (uint8_t)type;
    put64(entry + HVS_OBJECT_OFFSET, offset);
    put32(entry + HVS_OBJECT_LENGTH, size);
    entry[HVS_OBJECT_FLAGS] = type != HVS_EMPTY ? HVS_OBJECT_REQUIRED : 0;
    put32(entry + HVS_OBJECT_SUM,
          crc32_without(entry, HVS_OBJECT_SIZE, HVS_OBJECT_SUM));
}

/* The entry of a number: tables of keys first, then the large values. */
static void put_numbered(const struct hvs_writer *hvs, uint8_t *entry,
                         size_t number) {
    size_t tables = hvs->keys.length / HVS_PAGE;
    if (number < tables) {
        put_object(entry, HVS_KEY_TABLE, hvs->end + number * HVS_PAGE,
                   HVS_PAGE);
    } else if (number - tables < hvs->object_count) {
        const struct object *object = &hvs->objects[number - tables];
        put_object(entry, HVS_FILE_OBJECT, object->offset, object->size);
    } else {
        put_object(entry, HVS_EMPTY, 0, 0);
    }
}

/* The last entry of each table leads to the next, which is at `next`. */
static HRESULT put_objects(struct hvs_writer *hvs, uint64_t next, uint64_t *end,
                           struct hcs_error *error) {
    size_t count = hvs->keys.length / HVS_PAGE + hvs->object_count;
    uint64_t at = HVS_OBJECTS_AT;
    size_t number = 0;
    HRESULT hr = S_OK;
    while (SUCCEEDED(hr)) {
        uint8_t table[HVS_PAGE] = {0};
        uint8_t *entry = table + HVS_OBJECTS_HEADER;
        put32(table, HVS_OBJECTS_MAGIC);
        put32(table + 4, OBJECTS_ROOM);
        for (size_t i = 1; i < OBJECTS_ROOM; i++, entry += HVS_OBJECT_SIZE)
            put_numbered(hvs, entry, number++);
        put_object(entry, number < count ? HVS_OBJECT_TABLE : HVS_EMPTY,
                   number < count ? next : 0, number < count ? HVS_PAGE : 0);
        hr = writer_put(hvs->writer, at, table, sizeof table, error);
        if (number >= count)
            break;
        at = next;
        next += HVS_PAGE;
    }
    *end = next;
    return hr;
}

/* A log without entries; Microsoft's reader wants room for some. */
static HRESULT put_log(struct hvs_writer *hvs, uint64_t at,
                       struct hcs_error *error) {
    uint8_t log[HVS_PAGE] = {0};
    put32(log, HVS_LOG_MAGIC);
    put32(log + HVS_LOG_MOST, (HVS_PAGE - HVS_LOG_HEADER) / HVS_LOG_ENTRY);
    put32(log + HVS_LOG_SUM, crc32_without(log, HVS_LOG_HEADER, HVS_LOG_SUM));
    return writer_put(hvs->writer, at, log, sizeof log, error);
}

/* The copies must differ in their numbers. */
static HRESULT put_headers(struct hvs_writer *hvs, uint64_t log,
                           struct hcs_error *error) {
    HRESULT hr = S_OK;
    for (uint16_t copy = 0; SUCCEEDED(hr) && copy < 2; copy++) {
        uint8_t header[HVS_PAGE] = {0};
        put32(header, HVS_HEADER_MAGIC);
        put16(header + HVS_HEADER_SEQUENCE, (uint16_t)(1 - copy));
        put32(header + HVS_HEADER_VERSION, HVS_VERSION);
        put32(header + HVS_HEADER_ALIGNMENT, HVS_PAGE);
        put64(header + HVS_HEADER_LOG, log);
        put64(header + HVS_HEADER_LOG_SIZE, HVS_PAGE);
        put32(header + HVS_HEADER_LOG_HEADER_SIZE, HVS_PAGE);
        put32(header + HVS_HEADER_SUM,
              crc32_without(header, HVS_HEADER_SIZE, HVS_HEADER_SUM));
        hr = writer_put(hvs->writer, (uint64_t)copy * HVS_PAGE, header,
                        sizeof header, error);
    }
    return hr;
}

HRESULT hvs_finish(struct hvs_writer *hvs, struct hcs_error *error) {
    uint64_t log, end;
    HRESULT hr = put_keys(hvs, error);
    if (FAILED(hr))
        return hr;
    log = hvs->end + hvs->keys.length;
    hr = put_log(hvs, log, error);
    if (SUCCEEDED(hr))
        hr = put_objects(hvs, log + HVS_PAGE, &end, error);
    return SUCCEEDED(hr) ? put_headers(hvs, log, error) : hr;
}
