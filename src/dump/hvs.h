/* SPDX-License-Identifier: MIT
 * Reads HyperVStorage, the container of .vmrs files: a tree of keys with
 * values (docs/formats/vmrs.md). The file may be damaged or lie in every way:
 * it is then refused with HR_FILE_CORRUPT, or HR_NOT_SUPPORTED for a version
 * that is not read. */
#ifndef HCS_DUMP_HVS_H
#define HCS_DUMP_HVS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source.h"

struct hvs;

enum hvs_type {
    HVS_FREE = 1,
    HVS_INT = 3,
    HVS_UINT = 4,
    HVS_DOUBLE = 5,
    HVS_STRING = 6, /* UTF-16, usually with a NUL */
    HVS_ARRAY = 7,
    HVS_BOOL = 8,
    HVS_NODE = 9
};

struct hvs_place { /* of a key; zeros are the root */
    uint16_t table;
    uint32_t offset;
};

struct hvs_key {
    struct hvs_place place, parent;
    enum hvs_type type;
    const char *name;      /* with a NUL, in the container's memory */
    uint64_t number;       /* of INT, UINT, DOUBLE (its bits) and BOOL */
    uint32_t size;         /* of STRING and ARRAY, in bytes */
    const uint8_t *inside; /* their bytes, or NULL: */
    uint64_t outside;      /* they are in the source, at this offset */
};

/* Reads all keys of `source`, which must live as long as the container. A
 * pending replay log counts as carried out, but the file is left alone. */
HRESULT hvs_open(struct source *source, struct hvs **out,
                 struct hcs_error *error);
/* NULL is fine. */
void hvs_close(struct hvs *hvs);
/* How many entries of the replay log were pending. */
size_t hvs_pending(const struct hvs *hvs);
/* The file with its replay log carried out: what `outside` is an offset of. */
struct source *hvs_source(const struct hvs *hvs);

/* The next key in the order they lie in, nodes too; begin with zeros in *at. */
bool hvs_next(const struct hvs *hvs, struct hvs_place *at, struct hvs_key *out);
/* The key of a path ("savedstate/VmVersion"), letters as they are. */
bool hvs_find(const struct hvs *hvs, const char *path, struct hvs_key *out);
/* Copies `size` bytes of the value of a STRING or ARRAY from `from` on; what
 * lies behind its end is HR_FILE_CORRUPT. */
HRESULT hvs_read(const struct hvs *hvs, const struct hvs_key *key,
                 uint64_t from, void *bytes, size_t size,
                 struct hcs_error *error);

#endif
