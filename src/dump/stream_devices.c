/* SPDX-License-Identifier: MIT
 * The devices of a migration stream. Their data have no lengths of their own:
 * the description at the end tells what they are made of. */
#include <stdlib.h>

#include "stream.h"

#define SECTION_FULL 0x04u
#define DESCRIPTION 0x06u
#define FOOTER_BYTES 5u
/* What a section has before its data, besides the name. */
#define HEADER_BYTES 14u
#define MAX_DESCRIPTION (UINT64_C(2) << 20)
#define MAX_NESTING 16u
#define MAX_DATA (UINT64_C(1) << 40)

/* --- finding the description --------------------------------------------- */

/* It ends where the stream does, and tells its length. */
static bool find_text(const uint8_t *bytes, uint64_t size, uint64_t *at) {
    for (*at = 0; size >= 6 && *at <= size - 6; (*at)++) {
        const uint8_t *b = bytes + *at;
        if (b[0] == DESCRIPTION && b[5] == '{' && be32(b + 1) == size - *at - 5)
            return true;
    }
    return false;
}

/* Parses it; *begin is where it lies. */
static HRESULT read_text(struct source *source, uint64_t from,
                         struct json_doc *doc, uint64_t *begin,
                         struct hcs_error *error) {
    uint64_t length = source_length(source);
    uint64_t size = smaller(length - smaller(from, length), MAX_DESCRIPTION);
    uint8_t *bytes = malloc((size_t)size + 1);
    uint64_t at = 0;
    HRESULT hr;

    if (!bytes)
        return dump_no_memory(error);
    hr = source_read(source, length - size, bytes, (size_t)size, error);
    if (SUCCEEDED(hr)) {
        hr = find_text(bytes, size, &at) ? S_OK : S_FALSE;
        *begin = length - size + at;
    }
    if (hr == S_OK) {
        hr = json_parse((const char *)bytes + at + 5, (size_t)(size - at - 5),
                        doc, NULL);
        if (FAILED(hr) && hr != E_OUTOFMEMORY)
            hr = S_FALSE;
    }
    free(bytes);
    return hr;
}

/* --- lengths ------------------------------------------------------------- */

static bool number(const struct json *object, const char *name,
                   uint64_t otherwise, uint64_t *value) {
    const struct json *member = json_get(object, name);

    *value = otherwise;
    return !member || (json_to_uint64(member, value) && *value <= MAX_DATA);
}

static bool field_bytes(const struct json *field, uint64_t *bytes) {
    uint64_t size, count;

    return number(field, "size", 0, &size) &&
           number(field, "array_len", 1, &count) &&
           product_fits(size, count, bytes) && *bytes <= MAX_DATA;
}

static bool fields_bytes(const struct json *shape, uint64_t *sum) {
    const struct json *fields = json_get(shape, "fields");
    size_t i;

    if (!fields || fields->type != JSON_ARRAY)
        return !fields;
    for (i = 0; i < fields->as.array.count; i++) {
        uint64_t bytes;
        if (!field_bytes(&fields->as.array.items[i], &bytes))
            return false;
        *sum += bytes;
        if (*sum > MAX_DATA)
            return false;
    }
    return true;
}

/* Its fields, then each part that it has besides, with a name before it. */
static bool data_bytes(const struct json *shape, unsigned depth,
                       uint64_t *sum) {
    const struct json *parts = json_get(shape, "subsections");
    size_t i;

    if (depth > MAX_NESTING || !fields_bytes(shape, sum))
        return false;
    if (!parts || parts->type != JSON_ARRAY)
        return !parts;
    for (i = 0; i < parts->as.array.count; i++) {
        const struct json *part = &parts->as.array.items[i];
        const char *name = json_text(json_get(part, "vmsd_name"), "");
        *sum += 6 + strlen(name);
        if (!data_bytes(part, depth + 1, sum))
            return false;
    }
    return true;
}

/* --- devices ------------------------------------------------------------- */

static HRESULT place_devices(struct stream_devices *out,
                             const struct json *devices, uint64_t *length,
                             struct hcs_error *error) {
    size_t i;

    out->items = calloc(devices->as.array.count + 1, sizeof *out->items);
    if (!out->items)
        return dump_no_memory(error);
    *length = 0;
    for (i = 0; i < devices->as.array.count; i++) {
        const struct json *device = &devices->as.array.items[i];
        uint64_t bytes = 0;
        if (!data_bytes(device, 0, &bytes))
            return S_FALSE;
        *length +=
            HEADER_BYTES + strlen(json_text(json_get(device, "name"), ""));
        out->items[i].shape = device;
        out->items[i].offset = *length;
        *length += bytes + FOOTER_BYTES;
    }
    out->count = devices->as.array.count;
    return S_OK;
}

/* Each section must begin where the lengths of those before it say. */
static HRESULT check_device(struct source *source,
                            const struct stream_device *device,
                            struct hcs_error *error) {
    const char *name = json_text(json_get(device->shape, "name"), "");
    size_t length = strlen(name);
    uint8_t header[HEADER_BYTES + 255];
    HRESULT hr;

    if (length > 255)
        return S_FALSE;
    hr = source_read(source, device->offset - HEADER_BYTES - length, header,
                     HEADER_BYTES + length, error);
    if (FAILED(hr))
        return hr;
    return header[0] == SECTION_FULL && header[5] == length &&
                   memcmp(header + 6, name, length) == 0
               ? S_OK
               : S_FALSE;
}

static HRESULT find_devices(struct source *source, uint64_t begin, uint64_t end,
                            struct stream_devices *out,
                            struct hcs_error *error) {
    const struct json *devices = json_get(out->doc.root, "devices");
    uint64_t length = 0, start;
    size_t i;
    HRESULT hr;

    if (!devices || devices->type != JSON_ARRAY ||
        devices->as.array.count > STREAM_MAX_DEVICES)
        return S_FALSE;
    hr = place_devices(out, devices, &length, error);
    if (hr != S_OK)
        return hr;
    /* One byte ends the sections, before the description. */
    if (end < 1 || length > end - 1 || end - 1 - length < begin)
        return S_FALSE;
    start = end - 1 - length;
    for (i = 0; i < out->count && hr == S_OK; i++) {
        out->items[i].offset += start;
        hr = check_device(source, &out->items[i], error);
    }
    return hr;
}

HRESULT stream_read_devices(struct source *source, uint64_t begin,
                            struct stream_devices *out,
                            struct hcs_error *error) {
    uint64_t end = 0;
    HRESULT hr = read_text(source, begin, &out->doc, &end, error);

    if (hr == S_OK)
        hr = find_devices(source, begin, end, out, error);
    if (hr != S_OK)
        stream_devices_free(out);
    return hr;
}

void stream_devices_free(struct stream_devices *devices) {
    if (devices->doc.root)
        json_doc_free(&devices->doc);
    free(devices->items);
    memset(devices, 0, sizeof *devices);
}

const struct stream_device *stream_find_device(
    const struct stream_devices *devices, const char *name, size_t index) {
    size_t i;

    for (i = 0; i < devices->count; i++) {
        const struct stream_device *device = &devices->items[i];
        if (strcmp(json_text(json_get(device->shape, "name"), ""), name) == 0 &&
            index-- == 0)
            return device;
    }
    return NULL;
}

bool stream_find_field(const struct stream_device *device, const char *name,
                       uint64_t *offset, uint64_t *size) {
    const struct json *fields = json_get(device->shape, "fields");
    size_t i;

    *offset = device->offset;
    for (i = 0; fields && i < fields->as.array.count; i++) {
        const struct json *field = &fields->as.array.items[i];
        field_bytes(field, size);
        if (strcmp(json_text(json_get(field, "name"), ""), name) == 0)
            return true;
        *offset += *size;
    }
    return false;
}

HRESULT stream_read_field(struct source *source,
                          const struct stream_device *device, const char *name,
                          void *bytes, size_t size, struct hcs_error *error) {
    uint64_t offset, has;

    if (!stream_find_field(device, name, &offset, &has) || has < size)
        return S_FALSE;
    return source_read(source, offset, bytes, size, error);
}
