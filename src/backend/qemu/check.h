/* SPDX-License-Identifier: MIT
 * Whether a document describes a machine that can be had here. */
#ifndef HCS_QEMU_CHECK_H
#define HCS_QEMU_CHECK_H

#include "../../base/json.h"

/* Besides support_check: memory and processors as far as this computer has
 * them, ports that exist. *memory gets the guest's bytes. */
HRESULT document_check(const struct json *virtual_machine, uint64_t *memory,
                       struct hcs_error *error);

#endif
