/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <unistd.h>

HRESULT file_write_all(int fd, const void *bytes, size_t length,
                       struct hcs_error *error) {
    const char *next = bytes;
    while (length > 0) {
        ssize_t written = write(fd, next, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return error_errno(error, errno, "cannot write");
        next += written;
        length -= (size_t)written;
    }
    return S_OK;
}
