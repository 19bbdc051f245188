/* SPDX-License-Identifier: MIT
 * A file that appears only when it is complete: written without a name, or
 * where the file system knows no such files under a temporary one beside its
 * place, flushed, then renamed. Only its owner may read it. */
#ifndef HCS_OUTPUT_H
#define HCS_OUTPUT_H

#include "file.h"

struct output {
    char *path;
    char *temporary; /* NULL: it has no name */
    hcs_file file;   /* to be read and written */
};

/* HR_PATH_NOT_FOUND for a path that is not absolute. */
HRESULT output_open(struct output *output, const char *path,
                    struct hcs_error *error);
/* Flushes and renames; may take long. The file stays open. */
HRESULT output_commit(struct output *output, struct hcs_error *error);
/* Frees, and removes what was not committed. `file`, unless NULL, gets the
 * open file; else it is closed. */
void output_close(struct output *output, hcs_file *file);

#endif
