/* SPDX-License-Identifier: MIT
 * What a source needs of a file and base's files do not have. */
#ifndef HCS_DUMP_SOURCE_FILE_H
#define HCS_DUMP_SOURCE_FILE_H

#include "../base/file.h"

/* As file_open, but refuses what is no ordinary file (E_INVALIDARG) instead of
 * waiting for who may come to write to it. */
HRESULT source_file_open(const char *path, hcs_file *out,
                         struct hcs_error *error);
/* The next offset (< length) from `offset` on that is not in a hole, or that
 * is in one; `length` when there is none. A file system that keeps no holes
 * has none. */
uint64_t source_file_next(hcs_file file, uint64_t offset, uint64_t length,
                          bool data);

#endif
