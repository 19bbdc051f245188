/* SPDX-License-Identifier: MIT */
#include "saved.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/json.h"

static void write_nics(struct json_writer *w,
                       const struct saved_header *header) {
    char mac[MAC_TEXT_SIZE];

    json_key(w, "Adapters");
    json_begin_array(w);
    for (size_t i = 0; i < header->nic_count; i++) {
        const struct saved_nic *nic = &header->nics[i];

        mac_format(&nic->mac, mac);
        json_begin_object(w);
        json_pair_string(w, "Name", nic->name);
        json_pair_string(w, "MacAddress", mac);
        json_pair_int(w, "Slot", nic->slot);
        json_pair_bool(w, "Connected", nic->connected);
        json_end_object(w);
    }
    json_end_array(w);
}

HRESULT saved_write_header(int fd, const struct saved_header *header,
                           struct hcs_error *error) {
    char block[SAVED_HEADER_SIZE] = {0};
    struct buf text = {0};
    struct json_writer w = {&text, false};
    HRESULT hr = S_OK;

    json_begin_object(&w);
    json_pair_int(&w, "Version", 1);
    json_pair_string(&w, "Shape", header->shape);
    json_pair_uint(&w, "MemoryBytes", header->memory_bytes);
    json_pair_uint(&w, "StreamBytes", header->stream_bytes);
    json_pair_bool(&w, "Held", header->held);
    write_nics(&w, header);
    json_end_object(&w);
    if (text.failed || text.length > sizeof block - SAVED_MAGIC_LENGTH - 1) {
        hr = error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    } else {
        memcpy(block, SAVED_MAGIC, SAVED_MAGIC_LENGTH);
        memcpy(block + SAVED_MAGIC_LENGTH, text.data, text.length);
        if (pwrite(fd, block, sizeof block, 0) != (ssize_t)sizeof block)
            hr = error_errno(error, errno ? errno : EIO, "the saved state");
    }
    buf_free(&text);
    return hr;
}

static HRESULT corrupt(const char *path, const char *why,
                       struct hcs_error *error) {
    return error_set(error, HR_FILE_CORRUPT, NULL, "%s %s", path, why);
}

static bool read_nic(const struct json *item, struct saved_nic *out) {
    const char *name = json_text(json_get(item, "Name"), "");
    const char *mac = json_text(json_get(item, "MacAddress"), "");
    int64_t slot;

    if (strlen(name) != sizeof out->name - 1 || !mac_parse(mac, &out->mac) ||
        !json_to_int64(json_get(item, "Slot"), &slot) || slot < 0 ||
        slot >= QEMU_NICS)
        return false;
    memcpy(out->name, name, sizeof out->name);
    out->slot = (int)slot;
    out->connected = json_is_true(json_get(item, "Connected"));
    return true;
}

/* Each in a slot of its own. */
static bool read_nics(const struct json *array, struct saved_header *out) {
    unsigned taken = 0;

    out->nic_count = 0;
    if (!array) /* of a machine without them, from before they were known */
        return true;
    if (array->type != JSON_ARRAY || array->as.array.count > QEMU_NICS)
        return false;
    for (size_t i = 0; i < array->as.array.count; i++) {
        struct saved_nic *nic = &out->nics[i];

        if (!read_nic(&array->as.array.items[i], nic) ||
            (taken & 1u << nic->slot))
            return false;
        taken |= 1u << nic->slot;
        out->nic_count++;
    }
    return true;
}

static HRESULT parse_header(const char *text, const char *path,
                            struct saved_header *out, struct hcs_error *error) {
    struct json_doc doc;
    const char *shape;
    int64_t version = 0;
    bool good;

    if (FAILED(json_parse(text, strlen(text), &doc, NULL)))
        return corrupt(path, "has a damaged header", error);
    shape = json_text(json_get(doc.root, "Shape"), "");
    good =
        json_to_int64(json_get(doc.root, "Version"), &version) &&
        version == 1 && strlen(shape) == sizeof out->shape - 1 &&
        json_to_uint64(json_get(doc.root, "MemoryBytes"), &out->memory_bytes) &&
        json_to_uint64(json_get(doc.root, "StreamBytes"), &out->stream_bytes) &&
        read_nics(json_get(doc.root, "Adapters"), out);
    out->held = json_is_true(json_get(doc.root, "Held"));
    if (good)
        memcpy(out->shape, shape, sizeof out->shape);
    json_doc_free(&doc);
    return good ? S_OK : corrupt(path, "has a damaged header", error);
}

HRESULT saved_read_header(int fd, const char *path, struct saved_header *out,
                          struct hcs_error *error) {
    char block[SAVED_HEADER_SIZE + 1] = {0};
    struct stat st;
    HRESULT hr;

    if (fstat(fd, &st) != 0)
        return error_errno(error, errno, "%s", path);
    if (pread(fd, block, SAVED_HEADER_SIZE, 0) != SAVED_HEADER_SIZE ||
        memcmp(block, SAVED_MAGIC, SAVED_MAGIC_LENGTH) != 0)
        return corrupt(path, "is not a saved state", error);
    hr = parse_header(block + SAVED_MAGIC_LENGTH, path, out, error);
    if (FAILED(hr))
        return hr;
    if ((uint64_t)st.st_size != SAVED_HEADER_SIZE + out->stream_bytes)
        return corrupt(path, "is not complete", error);
    return S_OK;
}

HRESULT saved_check(const struct saved_header *header, const char *shape,
                    uint64_t memory_bytes, const char *path,
                    struct hcs_error *error) {
    if (header->memory_bytes != memory_bytes)
        return error_set(error, HR_FILE_CORRUPT,
                         "$.VirtualMachine.ComputeTopology.Memory.SizeInMB",
                         "%s was saved with %llu MB of memory", path,
                         (unsigned long long)(header->memory_bytes >> 20));
    if (strcmp(header->shape, shape) != 0)
        return error_set(error, HR_FILE_CORRUPT, "$.VirtualMachine",
                         "%s was saved from a machine with other devices",
                         path);
    return S_OK;
}
