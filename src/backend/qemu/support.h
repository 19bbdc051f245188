/* SPDX-License-Identifier: MIT
 * What of a VirtualMachine document this backend honours. */
#ifndef HCS_QEMU_SUPPORT_H
#define HCS_QEMU_SUPPORT_H

#include "../../base/json.h"

/* HR_NOT_SUPPORTED with the member's path for the first member that is there
 * and is neither honoured nor harmless (a value that asks for nothing). */
HRESULT support_check(const struct json *virtual_machine,
                      struct hcs_error *error);
/* The same for an Attachment of a later request; `where` is its path. */
HRESULT support_check_attachment(const struct json *attachment,
                                 const char *where, struct hcs_error *error);
/* And for a NetworkAdapter. */
HRESULT support_check_adapter(const struct json *adapter, const char *where,
                              struct hcs_error *error);

#endif
