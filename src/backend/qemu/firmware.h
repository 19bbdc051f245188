/* SPDX-License-Identifier: MIT
 * UEFI firmware (Debian's OVMF) and its variables. */
#ifndef HCS_QEMU_FIRMWARE_H
#define HCS_QEMU_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>

#include "../../base/error.h"

/* The firmware's code; HR_FILE_NOT_FOUND names the package. */
HRESULT firmware_code(bool secure, const char **path, struct hcs_error *error);

/* Makes the variable store usable. `guest_state`, the document's file, is used
 * in place (one of no bytes, as it is made, is filled); NULL: a fresh copy in
 * `directory`. `out` gets the path. HR_FILE_CORRUPT for a file that is no
 * variable store. */
HRESULT firmware_variables(bool secure, const char *guest_state,
                           const char *directory, char *out, size_t size,
                           struct hcs_error *error);

#endif
