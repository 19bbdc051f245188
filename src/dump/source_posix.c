/* SPDX-License-Identifier: MIT */
#include "source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

HRESULT source_file_open(const char *path, hcs_file *out,
                         struct hcs_error *error) {
    struct stat status;

    *out = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*out < 0)
        return error_errno(error, errno, "cannot open \"%s\"", path);
    if (fstat(*out, &status) == 0 && S_ISREG(status.st_mode))
        return S_OK;
    close(*out);
    *out = HCS_NO_FILE;
    return error_set(error, E_INVALIDARG, NULL, "\"%s\" is no file", path);
}

uint64_t source_file_next(hcs_file file, uint64_t offset, uint64_t length,
                          bool data) {
    off_t found = lseek(file, (off_t)offset, data ? SEEK_DATA : SEEK_HOLE);

    if (found < 0) /* ENXIO: nothing but a hole follows */
        return data && errno != ENXIO ? offset : length;
    return (uint64_t)found < length ? (uint64_t)found : length;
}
