/* SPDX-License-Identifier: MIT
 * What a Linux kernel notes about itself for those who read its dumps: lines
 * of "KIND(name)=number". */
#ifndef HCS_DUMP_VMCOREINFO_H
#define HCS_DUMP_VMCOREINFO_H

#include "reader.h"

/* The value of "SYMBOL(name)", an address, or of "OFFSET(name)", "SIZE(name)",
 * "NUMBER(name)" and so on. False when it is not noted. */
bool vmcoreinfo_symbol(const struct dump *dump, const char *name,
                       uint64_t *value);
bool vmcoreinfo_number(const struct dump *dump, const char *kind,
                       const char *name, uint64_t *value);
/* As dump_set_vmcoreinfo, of `size` bytes of the source; sets the facts that it
 * tells, too. */
HRESULT dump_take_vmcoreinfo(struct dump *dump, uint64_t offset, uint64_t size,
                             struct hcs_error *error);

#endif
