/* SPDX-License-Identifier: MIT
 * Descriptors of files. */
#ifndef HCS_FILE_H
#define HCS_FILE_H

#include "error.h"

/* Writes all `length` bytes, across signals and short writes. */
HRESULT file_write_all(int fd, const void *bytes, size_t length,
                       struct hcs_error *error);

#endif
