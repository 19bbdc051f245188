/* SPDX-License-Identifier: MIT
 * The Linux kernel that QEMU is to boot. Decompressing it here and entering it
 * by PVH boots in three quarters of the time of a bzImage (a third for one
 * packed with xz), so the unpacked kernel is kept in the cache. */
#ifndef HCS_QEMU_KERNEL_H
#define HCS_QEMU_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "../../base/error.h"

#define KERNEL_LIMIT ((size_t)1 << 30) /* bytes an unpacked kernel may have */

/* Unpacks the image in `bytes`. *out is malloc'd; it is NULL, with S_OK, when
 * the image is fine but better booted as it is (already unpacked, an unknown
 * compression, no PVH entry). HR_FILE_CORRUPT for a damaged image,
 * HR_INVALID_DATA for a file that is no x86-64 Linux kernel. */
HRESULT kernel_unpack(const unsigned char *bytes, size_t length, size_t limit,
                      unsigned char **out, size_t *out_length,
                      struct hcs_error *error);

/* Whether `bytes` is an x86-64 ELF image with a PVH entry note. */
bool kernel_has_pvh(const unsigned char *bytes, size_t length);

/* The file to give to QEMU for the kernel at `path`: an unpacked one from the
 * cache, or `path` itself. as_it_is: do not unpack (a screen or a TPM, which
 * do not work with PVH). `out` has `size` bytes. */
HRESULT kernel_prepare(const char *path, bool as_it_is, char *out, size_t size,
                       struct hcs_error *error);

#endif
