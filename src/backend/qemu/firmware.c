/* SPDX-License-Identifier: MIT */
#include "firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/file.h"
#include "cache.h"

#define VARIABLES_LIMIT (4 << 20)

struct image {
    char *bytes;
    size_t length;
};

HRESULT firmware_code(bool secure, const char **path, struct hcs_error *error) {
    *path = secure ? "/usr/share/OVMF/OVMF_CODE_4M.ms.fd"
                   : "/usr/share/OVMF/OVMF_CODE_4M.fd";
    if (access(*path, R_OK) == 0)
        return S_OK;
    return error_set(error, HR_FILE_NOT_FOUND, "$.VirtualMachine.Chipset.Uefi",
                     "%s is missing: install the package ovmf", *path);
}

static HRESULT image_read(int fd, const char *path, struct image *out,
                          struct hcs_error *error) {
    struct stat st;
    ssize_t got;

    if (fstat(fd, &st) != 0)
        return error_errno(error, errno, "%s", path);
    if (!S_ISREG(st.st_mode) || st.st_size > VARIABLES_LIMIT)
        return error_set(error, HR_FILE_CORRUPT, NULL,
                         "%s is not a guest state file", path);
    out->bytes = malloc((size_t)st.st_size + 1);
    if (!out->bytes)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    got = pread(fd, out->bytes, (size_t)st.st_size, 0);
    if (got < 0)
        return error_errno(error, errno, "%s", path);
    out->length = (size_t)got;
    return S_OK;
}

static HRESULT template_read(bool secure, struct image *out,
                             struct hcs_error *error) {
    const char *path = secure ? "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"
                              : "/usr/share/OVMF/OVMF_VARS_4M.fd";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    HRESULT hr;

    if (fd < 0)
        return error_errno(error, errno, "%s (package ovmf)", path);
    hr = image_read(fd, path, out, error);
    close(fd);
    return hr;
}

static HRESULT fill(int fd, const char *path, const struct image *content,
                    struct hcs_error *error) {
    HRESULT hr;

    if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0)
        return error_errno(error, errno, "%s", path);
    hr = file_write_all(fd, content->bytes, content->length, error);
    return FAILED(hr) ? error_wrap(error, hr, "%s", path) : S_OK;
}

/* The content decides: nothing is filled, a store is kept. */
static HRESULT adopt(int fd, const char *path, const struct image *fresh,
                     struct hcs_error *error) {
    struct image now = {NULL, 0};
    HRESULT hr = image_read(fd, path, &now, error);

    if (SUCCEEDED(hr) && now.length == 0)
        hr = fill(fd, path, fresh, error);
    else if (SUCCEEDED(hr) &&
             (now.length != fresh->length ||
              memcmp(now.bytes + 40, fresh->bytes + 40, 4) != 0))
        hr = error_set(error, HR_FILE_CORRUPT,
                       "$.VirtualMachine.GuestState.GuestStateFilePath",
                       "%s is not a guest state file", path);
    free(now.bytes);
    return hr;
}

HRESULT firmware_variables(bool secure, const char *guest_state,
                           const char *directory, char *out, size_t size,
                           struct hcs_error *error) {
    struct image fresh = {NULL, 0};
    HRESULT hr = template_read(secure, &fresh, error);
    int fd, wrote;

    if (FAILED(hr))
        goto out;
    wrote = guest_state ? snprintf(out, size, "%s", guest_state)
                        : snprintf(out, size, "%s/variables", directory);
    if (wrote < 0 || (size_t)wrote >= size) {
        hr = error_set(error, HR_PATH_NOT_FOUND, NULL, "the path is too long");
        goto out;
    }
    fd = open(out, O_RDWR | O_CLOEXEC | (guest_state ? 0 : O_CREAT), 0600);
    if (fd < 0) {
        hr = error_errno(error, errno, "%s", out);
        goto out;
    }
    hr = guest_state ? adopt(fd, out, &fresh, error)
                     : fill(fd, out, &fresh, error);
    close(fd);

out:
    free(fresh.bytes);
    return hr;
}
