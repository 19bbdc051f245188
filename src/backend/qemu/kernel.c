/* SPDX-License-Identifier: MIT */
#include "kernel.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/guid.h"
#include "cache.h"
#include "inflate.h"

/* Offsets in the kernel's boot header (Documentation/x86/boot). */
#define BOOT_SETUP_SECTORS 0x1f1
#define BOOT_MAGIC 0x202
#define BOOT_VERSION 0x206
#define BOOT_PAYLOAD_OFFSET 0x248
#define BOOT_PAYLOAD_LENGTH 0x24c
#define BOOT_HEADER_END 0x250

#define XEN_ELFNOTE_PHYS32_ENTRY 18

static uint32_t little32(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static bool is_elf(const unsigned char *bytes, size_t length) {
    Elf64_Ehdr header;

    if (length < sizeof header)
        return false;
    memcpy(&header, bytes, sizeof header);
    return memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
           header.e_ident[EI_CLASS] == ELFCLASS64 &&
           header.e_machine == EM_X86_64;
}

/* Walks one note segment. */
static bool notes_have_pvh(const unsigned char *notes, size_t length) {
    Elf64_Nhdr note;

    while (length >= sizeof note) {
        size_t name, data;

        memcpy(&note, notes, sizeof note);
        name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
        data = ((size_t)note.n_descsz + 3) & ~(size_t)3;
        if (name > length - sizeof note || data > length - sizeof note - name)
            return false;
        if (note.n_type == XEN_ELFNOTE_PHYS32_ENTRY && note.n_namesz == 4 &&
            memcmp(notes + sizeof note, "Xen", 4) == 0)
            return true;
        notes += sizeof note + name + data;
        length -= sizeof note + name + data;
    }
    return false;
}

bool kernel_has_pvh(const unsigned char *bytes, size_t length) {
    Elf64_Ehdr header;

    if (!is_elf(bytes, length))
        return false;
    memcpy(&header, bytes, sizeof header);
    for (size_t i = 0; i < header.e_phnum; i++) {
        size_t at = header.e_phoff + i * sizeof(Elf64_Phdr);
        Elf64_Phdr segment;

        if (header.e_phoff > length || at > length ||
            length - at < sizeof segment)
            return false;
        memcpy(&segment, bytes + at, sizeof segment);
        if (segment.p_type != PT_NOTE || segment.p_offset > length ||
            segment.p_filesz > length - segment.p_offset)
            continue;
        if (notes_have_pvh(bytes + segment.p_offset, segment.p_filesz))
            return true;
    }
    return false;
}

/* Where the compressed kernel lies in a bzImage; *length 0 when its header is
 * too old to tell. */
static HRESULT find_payload(const unsigned char *bytes, size_t size,
                            size_t *offset, size_t *length,
                            struct hcs_error *error) {
    size_t sectors;

    *length = 0;
    if (size < BOOT_HEADER_END || memcmp(bytes + BOOT_MAGIC, "HdrS", 4) != 0)
        return error_set(error, HR_INVALID_DATA, NULL,
                         "the file is not an x86 Linux kernel");
    if (bytes[BOOT_VERSION + 1] < 2 ||
        (bytes[BOOT_VERSION + 1] == 2 && bytes[BOOT_VERSION] < 8))
        return S_OK;
    sectors = bytes[BOOT_SETUP_SECTORS] ? bytes[BOOT_SETUP_SECTORS] : 4;
    *offset = (sectors + 1) * 512 + little32(bytes + BOOT_PAYLOAD_OFFSET);
    *length = little32(bytes + BOOT_PAYLOAD_LENGTH);
    if (*offset > size || *length > size - *offset)
        return error_set(error, HR_FILE_CORRUPT, NULL,
                         "the kernel file is cut short");
    return S_OK;
}

HRESULT kernel_unpack(const unsigned char *bytes, size_t length, size_t limit,
                      unsigned char **out, size_t *out_length,
                      struct hcs_error *error) {
    enum inflate_format format;
    size_t offset, payload;
    HRESULT hr;

    *out = NULL;
    *out_length = 0;
    if (is_elf(bytes, length))
        return S_OK;
    hr = find_payload(bytes, length, &offset, &payload, error);
    if (FAILED(hr) || payload == 0)
        return hr;
    format = inflate_format(bytes + offset, payload);
    if (format == INFLATE_UNKNOWN)
        return S_OK;
    hr = inflate_all(format, bytes + offset, payload, limit, out, out_length,
                     error);
    if (FAILED(hr))
        return hr;
    if (!is_elf(*out, *out_length)) {
        free(*out);
        *out = NULL;
        return error_set(error, HR_FILE_CORRUPT, NULL,
                         "the kernel's payload is not an x86-64 kernel");
    }
    if (!kernel_has_pvh(*out, *out_length)) {
        free(*out);
        *out = NULL;
        *out_length = 0;
    }
    return S_OK;
}

/* The cache's name for a file as it is now: a change of content changes the
 * change time, so the content need not be read again. */
static void stamp_of(const struct stat *st, char out[128]) {
    snprintf(out, 128, "kernel-%llx-%llx-%llx-%llx.%09ld",
             (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
             (unsigned long long)st->st_size,
             (unsigned long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

/* Fills `out` from the stamp's entry, a link to the unpacked kernel; "-" says
 * that the file is to be booted as it is. */
static bool look_up(const char *cache, const char *stamp, const char *path,
                    char *out, size_t size) {
    char link[4096], target[128];
    ssize_t length;
    int wrote;

    snprintf(link, sizeof link, "%s/%s", cache, stamp);
    length = readlink(link, target, sizeof target - 1);
    if (length <= 0)
        return false;
    target[length] = 0;
    if (strcmp(target, "-") == 0)
        wrote = snprintf(out, size, "%s", path);
    else
        wrote = snprintf(out, size, "%s/%s", cache, target);
    return wrote > 0 && (size_t)wrote < size && access(out, R_OK) == 0;
}

static void remember(const char *cache, const char *stamp, const char *target) {
    char link[4096], temporary[4200];

    snprintf(link, sizeof link, "%s/%s", cache, stamp);
    snprintf(temporary, sizeof temporary, "%s.%d", link, (int)getpid());
    if (symlink(target, temporary) == 0 && rename(temporary, link) != 0)
        unlink(temporary);
}

static const struct guid kernel_space = {{0x5e, 0x2b, 0x8d, 0x61, 0x0c, 0x4f,
                                          0x4a, 0x77, 0x9b, 0x1d, 0x3f, 0x60,
                                          0xa2, 0x94, 0xc8, 0x15}};

/* Unpacks into the cache under the digest of the packed content. */
static HRESULT unpack_to(const char *cache, const unsigned char *bytes,
                         size_t length, const char *stamp,
                         struct hcs_error *error) {
    char name[64], digest[GUID_TEXT_SIZE], path[4096];
    unsigned char *unpacked = NULL;
    size_t unpacked_length = 0;
    struct guid guid;
    HRESULT hr;

    guid_from_name(&kernel_space, (const char *)bytes, length, &guid);
    guid_format(&guid, digest);
    snprintf(name, sizeof name, "vmlinux-%s", digest);
    snprintf(path, sizeof path, "%s/%s", cache, name);
    if (access(path, R_OK) == 0) {
        remember(cache, stamp, name);
        return S_OK;
    }
    hr = kernel_unpack(bytes, length, KERNEL_LIMIT, &unpacked, &unpacked_length,
                       error);
    if (FAILED(hr))
        return hr;
    if (unpacked)
        hr = cache_write(cache, name, unpacked, unpacked_length, error);
    if (SUCCEEDED(hr))
        remember(cache, stamp, unpacked ? name : "-");
    free(unpacked);
    return hr;
}

/* Not mapped: a file cut short while it is read must be no signal. */
static HRESULT read_all(int fd, size_t size, unsigned char **out,
                        struct hcs_error *error) {
    unsigned char *bytes = size <= KERNEL_LIMIT ? malloc(size) : NULL;
    size_t length = 0;

    if (!bytes)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for the kernel");
    while (length < size) {
        ssize_t got = read(fd, bytes + length, size - length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            int number = got < 0 ? errno : EIO;

            free(bytes);
            return error_errno(error, number, "reading the kernel");
        }
        length += (size_t)got;
    }
    *out = bytes;
    return S_OK;
}

static HRESULT prepare_open(int fd, const char *path, char *out, size_t size,
                            struct hcs_error *error) {
    char cache[3072], stamp[128];
    struct stat st;
    unsigned char *bytes = NULL;
    HRESULT hr;

    if (fstat(fd, &st) != 0)
        return error_errno(error, errno, "%s", path);
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        return error_set(error, HR_INVALID_DATA, NULL,
                         "%s is not an x86 Linux kernel", path);
    if (FAILED(cache_directory(cache, sizeof cache, NULL))) {
        snprintf(out, size, "%s", path);
        return S_OK;
    }
    stamp_of(&st, stamp);
    if (look_up(cache, stamp, path, out, size))
        return S_OK;
    hr = read_all(fd, (size_t)st.st_size, &bytes, error);
    if (SUCCEEDED(hr)) {
        hr = unpack_to(cache, bytes, (size_t)st.st_size, stamp, error);
        free(bytes);
    }
    if (FAILED(hr))
        return error_wrap(error, hr, "%s", path);
    if (!look_up(cache, stamp, path, out, size))
        snprintf(out, size, "%s", path);
    return S_OK;
}

HRESULT kernel_prepare(const char *path, bool as_it_is, char *out, size_t size,
                       struct hcs_error *error) {
    HRESULT hr;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_errno(error, errno, "the kernel %s", path);
    if (as_it_is) {
        snprintf(out, size, "%s", path);
        hr = S_OK;
    } else {
        hr = prepare_open(fd, path, out, size, error);
    }
    close(fd);
    return hr;
}
