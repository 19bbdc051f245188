/* SPDX-License-Identifier: MIT */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

bool file_is_path(const char *path) {
    return path[0] == '/';
}

bool file_same_path(const char *a, size_t a_length, const char *b,
                    size_t b_length) {
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

bool file_exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

HRESULT file_open(const char *path, hcs_file *out, struct hcs_error *error) {
    *out = open(path, O_RDONLY | O_CLOEXEC);
    if (*out < 0)
        return error_errno(error, errno, "cannot open \"%s\"", path);
    return S_OK;
}

HRESULT file_open_to_write(const char *path, bool append, hcs_file *out,
                           struct hcs_error *error) {
    int how = append ? O_APPEND : O_TRUNC;
    *out = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | how, 0666);
    if (*out < 0)
        return error_errno(error, errno, "cannot write \"%s\"", path);
    return S_OK;
}

HRESULT file_create(const char *path, hcs_file *out, struct hcs_error *error) {
    *out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (*out < 0)
        return error_errno(error, errno, "cannot create \"%s\"", path);
    return S_OK;
}

HRESULT file_can_be_at(const char *path, struct hcs_error *error) {
    struct stat is;

    if (lstat(path, &is) != 0 || S_ISREG(is.st_mode))
        return S_OK;
    if (S_ISDIR(is.st_mode))
        return error_errno(error, EISDIR, "cannot write \"%s\"", path);
    return error_set(error, E_INVALIDARG, NULL,
                     S_ISLNK(is.st_mode)
                         ? "\"%s\" is a symbolic link, expected the path of "
                           "the file itself"
                         : "\"%s\" is no file",
                     path);
}

HRESULT file_create_beside(const char *path, char **name, hcs_file *out,
                           struct hcs_error *error) {
    size_t size = strlen(path) + sizeof ".XXXXXX";
    HRESULT hr = file_can_be_at(path, error);
    char *template;

    *out = HCS_NO_FILE;
    if (FAILED(hr))
        return hr;
    template = malloc(size);
    if (!template)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for \"%s\"",
                         path);
    snprintf(template, size, "%s.XXXXXX", path);
    *out = mkostemp(template, O_CLOEXEC);
    if (*out < 0) {
        hr = error_errno(error, errno, "cannot create \"%s\"", path);
        free(template);
        return hr;
    }
    *name = template;
    return S_OK;
}

HRESULT file_create_nameless(hcs_file *out, struct hcs_error *error) {
    *out = memfd_create("hcs-file", MFD_CLOEXEC);
    if (*out < 0)
        return error_errno(error, errno, "cannot create a file");
    return S_OK;
}

HRESULT file_write_all(hcs_file file, const void *bytes, size_t length,
                       struct hcs_error *error) {
    const char *next = bytes;
    while (length > 0) {
        ssize_t written = write(file, next, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return error_errno(error, errno, "cannot write");
        next += written;
        length -= (size_t)written;
    }
    return S_OK;
}

HRESULT file_write_at(hcs_file file, const void *bytes, size_t length,
                      uint64_t offset, struct hcs_error *error) {
    if (lseek(file, (off_t)offset, SEEK_SET) < 0)
        return error_errno(error, errno, "cannot write");
    return file_write_all(file, bytes, length, error);
}

HRESULT file_read_at(hcs_file file, void *bytes, size_t size, uint64_t offset,
                     size_t *count, struct hcs_error *error) {
    ssize_t got;
    do
        got = pread(file, bytes, size, (off_t)offset);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return error_errno(error, errno, "cannot read");
    *count = (size_t)got;
    return S_OK;
}

HRESULT file_length(hcs_file file, uint64_t *length, struct hcs_error *error) {
    struct stat status;
    if (fstat(file, &status) != 0)
        return error_errno(error, errno, "cannot read");
    *length = (uint64_t)status.st_size;
    return S_OK;
}

bool file_make_sparse(hcs_file file) {
    (void)file;
    return true; /* files are, where they can be */
}

HRESULT file_resize(hcs_file file, uint64_t size, struct hcs_error *error) {
    if (ftruncate(file, (off_t)size) != 0)
        return error_errno(error, errno, "cannot make the file as long");
    return S_OK;
}

HRESULT file_flush(hcs_file file, struct hcs_error *error) {
    if (fsync(file) != 0)
        return error_errno(error, errno, "cannot write");
    return S_OK;
}

HRESULT file_close(hcs_file file, struct hcs_error *error) {
    if (file >= 0 && close(file) != 0)
        return error_errno(error, errno, "cannot write");
    return S_OK;
}

HRESULT file_replace(const char *from, const char *to,
                     struct hcs_error *error) {
    if (rename(from, to) != 0)
        return error_errno(error, errno, "cannot write \"%s\"", to);
    return S_OK;
}

void file_discard(hcs_file file, const char *name) {
    unlink(name);
    file_close(file, NULL);
}

void file_remove(const char *path) {
    unlink(path);
}

bool file_room(const char *path, uint64_t *bytes) {
    struct statvfs status;
    if (statvfs(path, &status) != 0 || status.f_blocks == 0)
        return false;
    *bytes = (uint64_t)status.f_bavail * status.f_frsize;
    return true;
}
