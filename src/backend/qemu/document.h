/* SPDX-License-Identifier: MIT
 * Looks into a VirtualMachine document, where null is absent. */
#ifndef HCS_QEMU_DOCUMENT_H
#define HCS_QEMU_DOCUMENT_H

#include "../../base/json.h"

static inline uint64_t number_at(const struct json *vm, const char *path,
                                 uint64_t otherwise) {
    uint64_t value;

    return json_to_uint64(json_at(vm, path), &value) ? value : otherwise;
}

/* The object at `path`, or NULL. */
static inline const struct json *object_at(const struct json *vm,
                                           const char *path) {
    const struct json *value = json_at(vm, path);

    return value && value->type == JSON_OBJECT ? value : NULL;
}

#endif
