/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <io.h>
#include <limits.h>

HRESULT file_write_all(int fd, const void *bytes, size_t length,
                       struct hcs_error *error) {
    const char *next = bytes;
    while (length > 0) {
        unsigned part = length > INT_MAX ? INT_MAX : (unsigned)length;
        int written = _write(fd, next, part);
        if (written < 0)
            return error_errno(error, errno, "cannot write");
        next += written;
        length -= (size_t)written;
    }
    return S_OK;
}
