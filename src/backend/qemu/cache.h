/* SPDX-License-Identifier: MIT
 * The directory for what can be made again: extracted kernels and the answer
 * about the accelerator. */
#ifndef HCS_QEMU_CACHE_H
#define HCS_QEMU_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "../../base/error.h"

/* $XDG_CACHE_HOME/hcs; for root /var/cache/hcs; else ~/.cache/hcs. Made when
 * missing. HR_PATH_NOT_FOUND when none of them can be had. */
HRESULT cache_directory(char *path, size_t size, struct hcs_error *error);

/* Writes `length` bytes to DIRECTORY/NAME under a temporary name and renames,
 * so that a reader sees all of it or nothing. */
HRESULT cache_write(const char *directory, const char *name, const void *bytes,
                    size_t length, struct hcs_error *error);

#endif
