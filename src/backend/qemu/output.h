/* SPDX-License-Identifier: MIT
 * A file that appears only when it is complete: written without a name, or
 * where the file system knows no such files under a temporary one beside its
 * place, flushed, then renamed. */
#ifndef HCS_QEMU_OUTPUT_H
#define HCS_QEMU_OUTPUT_H

#include "../../base/error.h"

#define OUTPUT_FLOOR                                        \
    (UINT64_C(256) << 20) /* bytes that stay free on a disk \
                           */

struct output {
    char *path;
    char *temporary; /* NULL: it has no name */
    int fd;
};

HRESULT output_open(struct output *output, const char *path,
                    struct hcs_error *error);
/* Flushes and renames; may take long. The descriptor stays open. */
HRESULT output_commit(struct output *output, struct hcs_error *error);
/* Frees, and removes what was not committed. fd, unless NULL, gets the
 * descriptor; else it is closed. */
void output_close(struct output *output, int *fd);

#endif
