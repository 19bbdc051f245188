/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file in the directory of `path` that has no name as yet, so that it goes
 * with this process; -1 where there is no such thing. */
static int open_unnamed(const char *path) {
    const char *slash = strrchr(path, '/');
    char *directory = strndup(path, (size_t)(slash - path) + 1);
    int fd =
        directory ? open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) : -1;

    free(directory);
    return fd;
}

HRESULT output_open(struct output *output, const char *path,
                    struct hcs_error *error) {
    HRESULT hr;

    memset(output, 0, sizeof *output);
    output->file = -1;
    if (path[0] != '/')
        return error_set(error, HR_PATH_NOT_FOUND, NULL,
                         "\"%s\" is not an absolute path", path);
    hr = file_can_be_at(path, error);
    if (FAILED(hr))
        return hr;
    output->path = strdup(path);
    if (!output->path)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    output->file = open_unnamed(path);
    if (output->file < 0)
        hr = file_create_beside(path, &output->temporary, &output->file, error);
    if (FAILED(hr))
        output_close(output, NULL);
    return hr;
}

/* Gives an unnamed file a temporary name; a link replaces nothing. */
static HRESULT name_it(struct output *output, struct hcs_error *error) {
    char itself[64];

    snprintf(itself, sizeof itself, "/proc/self/fd/%d", output->file);
    if (asprintf(&output->temporary, "%s.%d-%d", output->path, (int)getpid(),
                 output->file) < 0) {
        output->temporary = NULL;
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    }
    unlink(output->temporary); /* a dead process' of this number */
    if (linkat(AT_FDCWD, itself, AT_FDCWD, output->temporary,
               AT_SYMLINK_FOLLOW) == 0)
        return S_OK;
    error_errno(error, errno, "%s", output->path);
    free(output->temporary);
    output->temporary = NULL;
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
    if (fsync(output->file) != 0)
        return error_errno(error, errno, "%s", output->path);
    if (!output->temporary) {
        HRESULT hr = name_it(output, error);

        if (FAILED(hr))
            return hr;
    }
    if (rename(output->temporary, output->path) != 0)
        return error_errno(error, errno, "%s", output->path);
    free(output->temporary);
    output->temporary = NULL;
    flush_directory(output->path);
    return S_OK;
}

void output_close(struct output *output, hcs_file *file) {
    if (output->temporary)
        unlink(output->temporary);
    if (file)
        *file = output->file;
    else if (output->file >= 0)
        close(output->file);
    free(output->temporary);
    free(output->path);
    memset(output, 0, sizeof *output);
    output->file = -1;
}
