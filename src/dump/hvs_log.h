/* SPDX-License-Identifier: MIT
 * The replay log of a HyperVStorage file: pieces that are to be copied over
 * the file before it is read. */
#ifndef HCS_DUMP_HVS_LOG_H
#define HCS_DUMP_HVS_LOG_H

#include "source.h"

/* *out is `source` as it is once the log at `offset` is carried out; *pending
 * is how many entries that were. With none *out is NULL: nothing is to be
 * done. HR_FILE_CORRUPT when there is no log, or it is damaged. */
HRESULT hvs_log_open(struct source *source, uint64_t offset, uint64_t size,
                     struct source **out, size_t *pending,
                     struct hcs_error *error);

#endif
