/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

HRESULT output_open(struct output *output, const char *path,
                    struct hcs_error *error) {
    memset(output, 0, sizeof *output);
    output->fd = -1;
    if (path[0] != '/')
        return error_set(error, HR_PATH_NOT_FOUND, NULL,
                         "\"%s\" is not an absolute path", path);
    output->path = strdup(path);
    if (!output->path || asprintf(&output->temporary, "%s.XXXXXX", path) < 0) {
        free(output->path);
        memset(output, 0, sizeof *output);
        output->fd = -1;
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    }
    output->fd = mkostemp(output->temporary, O_CLOEXEC);
    if (output->fd >= 0)
        return S_OK;
    error_errno(error, errno, "%s", path);
    free(output->temporary);
    output->temporary = NULL;
    output_close(output, NULL);
    return error ? error->code : E_FAIL;
}

/* The directory, too: a rename is lost with it. */
static void flush_directory(const char *path) {
    const char *slash = strrchr(path, '/');
    char *directory = strndup(path, (size_t)(slash - path) + 1);
    int fd =
        directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(directory);
}

HRESULT output_commit(struct output *output, struct hcs_error *error) {
    if (fsync(output->fd) != 0)
        return error_errno(error, errno, "%s", output->path);
    if (rename(output->temporary, output->path) != 0)
        return error_errno(error, errno, "%s", output->path);
    free(output->temporary);
    output->temporary = NULL;
    flush_directory(output->path);
    return S_OK;
}

void output_close(struct output *output, int *fd) {
    if (output->temporary)
        unlink(output->temporary);
    if (fd)
        *fd = output->fd;
    else if (output->fd >= 0)
        close(output->fd);
    free(output->temporary);
    free(output->path);
    memset(output, 0, sizeof *output);
    output->fd = -1;
}
