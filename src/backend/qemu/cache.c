/* SPDX-License-Identifier: MIT */
#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/file.h"

static bool usable(const char *path) {
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return false;
    return access(path, W_OK | X_OK) == 0;
}

/* PARENT/hcs, making PARENT too when it is missing. */
static bool below(const char *parent, const char *middle, char *path,
                  size_t size) {
    int length = snprintf(path, size, "%s%s", parent, middle);

    if (parent[0] != '/' || length < 0 || (size_t)length + 5 > size)
        return false;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return false;
    memcpy(path + length, "/hcs", 5);
    return usable(path);
}

HRESULT cache_directory(char *path, size_t size, struct hcs_error *error) {
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");

    if (cache && below(cache, "", path, size))
        return S_OK;
    if (geteuid() == 0 && below("/var/cache", "", path, size))
        return S_OK;
    if (home && below(home, "/.cache", path, size))
        return S_OK;
    return error_set(error, HR_PATH_NOT_FOUND, NULL,
                     "no cache directory: set XDG_CACHE_HOME");
}

HRESULT cache_write(const char *directory, const char *name, const void *bytes,
                    size_t length, struct hcs_error *error) {
    char path[4096], temporary[4200];
    HRESULT hr;
    int fd;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    snprintf(temporary, sizeof temporary, "%s.XXXXXX", path);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return error_errno(error, errno, "%s", path);
    hr = file_write_all(fd, bytes, length, error);
    if (close(fd) != 0 && SUCCEEDED(hr))
        hr = error_errno(error, errno, "%s", path);
    if (SUCCEEDED(hr) && rename(temporary, path) != 0)
        hr = error_errno(error, errno, "%s", path);
    if (FAILED(hr))
        unlink(temporary);
    return hr;
}
