/* SPDX-License-Identifier: MIT
 * Dumps come from QEMU through a pipe, so that a size limit is kept to the
 * byte. kdump files come in makedumpfile's flattened form, pieces with their
 * offsets; tools want the plain file. */
#ifndef HCS_QEMU_FLATTEN_H
#define HCS_QEMU_FLATTEN_H

#include "../../base/error.h"

/* Bytes that stay free on a disk. */
#define OUTPUT_FLOOR (UINT64_C(256) << 20)

/* Reads the flattened form from `in` to its end mark and puts each piece in
 * its place in `out`. HR_DISK_FULL when the file would pass `limit` bytes
 * (0: none) or leave less free than `floor`; HR_INVALID_DATA for anything that
 * is not the form. *written, on success, is the file's size. */
HRESULT flatten_undo(int in, int out, uint64_t limit, uint64_t floor,
                     uint64_t *written, struct hcs_error *error);

/* Copies `in` to its end; runs of zeros become holes. The rest is as above. */
HRESULT sparse_copy(int in, int out, uint64_t limit, uint64_t floor,
                    uint64_t *written, struct hcs_error *error);

/* HR_DISK_FULL when writing `more` bytes to the file system of `fd` would
 * leave less than `floor`. */
HRESULT space_check(int fd, uint64_t more, uint64_t floor,
                    struct hcs_error *error);

#endif
