/* SPDX-License-Identifier: MIT
 * Writes a HyperVStorage container (docs/formats/vmrs.md): large values first,
 * in the order they are asked for, then the tables that lead to them, and the
 * headers last. */
#ifndef HCS_DUMP_HVS_WRITE_H
#define HCS_DUMP_HVS_WRITE_H

#include "hvs.h"
#include "writer.h"

struct hvs_writer;

/* `writer`'s file is empty. */
HRESULT hvs_writer_open(struct writer *writer, struct hvs_writer **out,
                        struct hcs_error *error);
/* NULL is fine. */
void hvs_writer_close(struct hvs_writer *hvs);

/* A key by its path ("savedstate/VmVersion"), of at most 253 bytes between two
 * slashes, that is not there yet; nodes on the way are made. */
HRESULT hvs_put_int(struct hvs_writer *hvs, const char *path, int64_t value,
                    struct hcs_error *error);
HRESULT hvs_put_string(struct hvs_writer *hvs, const char *path,
                       const char *ascii, struct hcs_error *error);
HRESULT hvs_put_array(struct hvs_writer *hvs, const char *path,
                      const void *bytes, size_t size, struct hcs_error *error);
/* An array of `size` (2048 or more) bytes that the caller writes: they are
 * zeros at *offset until then. Arrays of 4096 times n bytes that are reserved
 * one after the other lie one after the other. */
HRESULT hvs_reserve(struct hvs_writer *hvs, const char *path, uint32_t size,
                    uint64_t *offset, struct hcs_error *error);
/* Writes the tables and the headers. */
HRESULT hvs_finish(struct hvs_writer *hvs, struct hcs_error *error);

#endif
