/* SPDX-License-Identifier: MIT
 * QEMU's migration stream, which saved states are made of: sections of memory,
 * then one for each device, then a description of the devices' data. */
#ifndef HCS_DUMP_STREAM_H
#define HCS_DUMP_STREAM_H

#include "../base/json.h"
#include "reader.h"

#define STREAM_MAGIC "QEVM\0\0\0\3"
#define STREAM_MAGIC_LENGTH 8u

/* --- memory -------------------------------------------------------------- */

#define STREAM_MAX_BLOCKS 256u
/* Of the sum of all blocks: what finding its pages takes is bounded by it. */
#define STREAM_MAX_MEMORY (UINT64_C(4) << 40)
/* Pages that are found by one table, made when the first of them comes. */
#define STREAM_TABLE 512u

struct stream_block {
    char name[256];
    uint64_t bytes;
    uint64_t **tables; /* offset of each page's bytes in the source, 0: zeros */
};

struct stream_memory {
    struct stream_block *blocks; /* STREAM_MAX_BLOCKS */
    size_t count;
    uint64_t tables;  /* how many were made */
    uint64_t end;     /* where the devices begin */
    bool whole;       /* all of it was there */
    char machine[64]; /* "pc-q35-7.2" */
};

/* Reads through the memory of the stream that begins at `offset`. */
HRESULT stream_read_memory(struct source *source, uint64_t offset,
                           struct stream_memory *out, struct hcs_error *error);
void stream_memory_free(struct stream_memory *memory);
/* NULL: there is none of that name. */
const struct stream_block *stream_find_block(const struct stream_memory *memory,
                                             const char *name);
/* Where the page of a block's `offset` (< bytes) lies in the source; 0: it is
 * all zeros. */
uint64_t stream_page(const struct stream_block *block, uint64_t offset);

/* --- devices ------------------------------------------------------------- */

#define STREAM_MAX_DEVICES 8192u

struct stream_device {
    const struct json *shape;
    uint64_t offset; /* of its data in the source */
};

struct stream_devices {
    struct json_doc doc;
    struct stream_device *items;
    size_t count;
};

/* S_FALSE when the stream has no description, so that nothing is known. */
HRESULT stream_read_devices(struct source *source, uint64_t begin,
                            struct stream_devices *out,
                            struct hcs_error *error);
void stream_devices_free(struct stream_devices *devices);
/* The `index`-th device of that name; NULL: there is none. */
const struct stream_device *stream_find_device(
    const struct stream_devices *devices, const char *name, size_t index);
/* Where a field of its own lies, and how long it is. False: it has none. */
bool stream_find_field(const struct stream_device *device, const char *name,
                       uint64_t *offset, uint64_t *size);
/* `size` bytes of a field. S_FALSE: it has none, or fewer. */
HRESULT stream_read_field(struct source *source,
                          const struct stream_device *device, const char *name,
                          void *bytes, size_t size, struct hcs_error *error);
/* The registers of a CPU that there is; as a reader's cpu. */
HRESULT stream_read_cpu(const struct stream_devices *devices,
                        struct source *source, uint32_t index,
                        struct dump_cpu *out, struct hcs_error *error);

#endif
