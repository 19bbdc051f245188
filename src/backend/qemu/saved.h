/* SPDX-License-Identifier: MIT
 * The file of a saved state: a header block of ours, then QEMU's stream. */
#ifndef HCS_QEMU_SAVED_H
#define HCS_QEMU_SAVED_H

#include <stdbool.h>
#include <sys/types.h>

#include "../../base/error.h"
#include "nics.h"

#define SAVED_MAGIC "LUAHCS\x01\n"
#define SAVED_MAGIC_LENGTH 8
#define SAVED_HEADER_SIZE 4096 /* the stream begins here */

struct saved_header {
    char shape[37];
    uint64_t memory_bytes;
    uint64_t stream_bytes;
    bool held; /* the guest had stopped itself: it can be looked at, not run */
    struct saved_nic nics[QEMU_NICS];
    size_t nic_count;
};

/* Written last, so that a file cut short has no header. */
HRESULT saved_write_header(int fd, const struct saved_header *header,
                           struct hcs_error *error);
/* HR_FILE_CORRUPT for a file that is no saved state, was cut short or has
 * grown. */
HRESULT saved_read_header(int fd, const char *path, struct saved_header *out,
                          struct hcs_error *error);
/* HR_FILE_CORRUPT when the state is of a machine of another shape. */
HRESULT saved_check(const struct saved_header *header, const char *shape,
                    uint64_t memory_bytes, const char *path,
                    struct hcs_error *error);

#endif
