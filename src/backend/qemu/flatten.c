/* SPDX-License-Identifier: MIT */
#include "flatten.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define HEADER_SIZE 4096 /* "makedumpfile", padded */
#define CHUNK ((size_t)1 << 20)
#define CHECK_EVERY (UINT64_C(16) << 20) /* bytes between looks at the disk */

struct copy {
    int in, out;
    uint64_t limit, floor;
    uint64_t size;      /* of the file so far */
    uint64_t unchecked; /* bytes since the last look at the disk */
    char *bytes;        /* CHUNK of them */
};

HRESULT space_check(int fd, uint64_t more, uint64_t floor,
                    struct hcs_error *error) {
    struct statvfs st;
    uint64_t free_bytes;

    if (fstatvfs(fd, &st) != 0)
        return error_errno(error, errno, "the disk's free space");
    free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    if (free_bytes >= floor && free_bytes - floor >= more)
        return S_OK;
    return error_set(error, HR_DISK_FULL, NULL,
                     "%llu MiB are needed and %llu MiB must stay free, but "
                     "only %llu MiB are",
                     (unsigned long long)(more >> 20),
                     (unsigned long long)(floor >> 20),
                     (unsigned long long)(free_bytes >> 20));
}

static HRESULT read_exactly(int fd, char *bytes, size_t length,
                            struct hcs_error *error) {
    while (length > 0) {
        ssize_t got = read(fd, bytes, length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno(error, errno, "reading the dump");
        if (got == 0)
            return error_set(error, HR_INVALID_DATA, NULL,
                             "the dump ended too early");
        bytes += got;
        length -= (size_t)got;
    }
    return S_OK;
}

static HRESULT put(struct copy *copy, size_t length, uint64_t offset,
                   struct hcs_error *error) {
    const char *next = copy->bytes;

    while (length > 0) {
        ssize_t put = pwrite(copy->out, next, length, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return error_errno(error, errno, "writing the dump");
        next += put;
        offset += (uint64_t)put;
        length -= (size_t)put;
    }
    return S_OK;
}

static HRESULT grow(struct copy *copy, uint64_t offset, uint64_t length,
                    struct hcs_error *error) {
    if (offset + length > copy->size)
        copy->size = offset + length;
    if (copy->limit && copy->size > copy->limit)
        return error_set(error, HR_DISK_FULL, NULL,
                         "the dump would be larger than %llu bytes",
                         (unsigned long long)copy->limit);
    copy->unchecked += length;
    if (copy->unchecked < CHECK_EVERY)
        return S_OK;
    copy->unchecked = 0;
    return space_check(copy->out, 0, copy->floor, error);
}

static HRESULT copy_piece(struct copy *copy, uint64_t offset, uint64_t length,
                          struct hcs_error *error) {
    HRESULT hr = S_OK;

    while (SUCCEEDED(hr) && length > 0) {
        size_t part = length < CHUNK ? (size_t)length : CHUNK;

        hr = grow(copy, offset, part, error);
        if (SUCCEEDED(hr))
            hr = read_exactly(copy->in, copy->bytes, part, error);
        if (SUCCEEDED(hr))
            hr = put(copy, part, offset, error);
        offset += part;
        length -= part;
    }
    return hr;
}

static uint64_t big64(const char *bytes) {
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

static HRESULT copy_all(struct copy *copy, struct hcs_error *error) {
    HRESULT hr = read_exactly(copy->in, copy->bytes, HEADER_SIZE, error);
    char header[16];

    if (SUCCEEDED(hr) && memcmp(copy->bytes, "makedumpfile", 13) != 0)
        hr = error_set(error, HR_INVALID_DATA, NULL,
                       "QEMU wrote no flattened dump");
    while (SUCCEEDED(hr)) {
        uint64_t offset, length;

        hr = read_exactly(copy->in, header, sizeof header, error);
        if (FAILED(hr))
            break;
        offset = big64(header);
        length = big64(header + 8);
        if (offset == UINT64_MAX && length == UINT64_MAX)
            return S_OK;
        if (offset > INT64_MAX || length > (uint64_t)INT64_MAX - offset)
            return error_set(error, HR_INVALID_DATA, NULL,
                             "the dump has a piece out of place");
        hr = copy_piece(copy, offset, length, error);
    }
    return hr;
}

/* --- plain copies --------------------------------------------------------- */

#define PAGE 4096

/* As much as there is, up to `length`; 0 at the end. */
static HRESULT read_some(int fd, char *bytes, size_t length, size_t *got,
                         struct hcs_error *error) {
    size_t have = 0;

    while (have < length) {
        ssize_t part = read(fd, bytes + have, length - have);

        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0)
            return error_errno(error, errno, "reading the dump");
        if (part == 0)
            break;
        have += (size_t)part;
    }
    *got = have;
    return S_OK;
}

static bool is_zero(const char *bytes, size_t length) {
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

/* Writes what is not zero of one chunk. */
static HRESULT put_sparse(struct copy *copy, size_t length, uint64_t offset,
                          struct hcs_error *error) {
    char *whole = copy->bytes;
    HRESULT hr = S_OK;

    for (size_t at = 0; SUCCEEDED(hr) && at < length;) {
        size_t end = at;

        while (end < length) {
            size_t page = length - end < PAGE ? length - end : PAGE;

            if (is_zero(whole + end, page))
                break;
            end += page;
        }
        if (end > at) {
            copy->bytes = whole + at;
            hr = put(copy, end - at, offset + at, error);
            copy->bytes = whole;
            at = end;
        } else {
            at += length - at < PAGE ? length - at : PAGE;
        }
    }
    return hr;
}

static HRESULT copy_sparse(struct copy *copy, struct hcs_error *error) {
    uint64_t offset = 0;

    for (;;) {
        size_t length = 0;
        HRESULT hr = read_some(copy->in, copy->bytes, CHUNK, &length, error);

        if (SUCCEEDED(hr) && length == 0)
            break;
        if (SUCCEEDED(hr))
            hr = grow(copy, offset, length, error);
        if (SUCCEEDED(hr))
            hr = put_sparse(copy, length, offset, error);
        if (FAILED(hr))
            return hr;
        offset += length;
    }
    if (ftruncate(copy->out, (off_t)offset) != 0)
        return error_errno(error, errno, "writing the dump");
    return S_OK;
}

/* --- the two ways --------------------------------------------------------- */

static HRESULT run(HRESULT (*how)(struct copy *, struct hcs_error *),
                   struct copy *copy, uint64_t *written,
                   struct hcs_error *error) {
    HRESULT hr;

    copy->unchecked = CHECK_EVERY;
    copy->bytes = malloc(CHUNK);
    if (!copy->bytes)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    hr = how(copy, error);
    free(copy->bytes);
    if (SUCCEEDED(hr))
        *written = copy->size;
    return hr;
}

HRESULT flatten_undo(int in, int out, uint64_t limit, uint64_t floor,
                     uint64_t *written, struct hcs_error *error) {
    struct copy copy = {in, out, limit, floor, 0, 0, NULL};

    return run(copy_all, &copy, written, error);
}

HRESULT sparse_copy(int in, int out, uint64_t limit, uint64_t floor,
                    uint64_t *written, struct hcs_error *error) {
    struct copy copy = {in, out, limit, floor, 0, 0, NULL};

    return run(copy_sparse, &copy, written, error);
}
