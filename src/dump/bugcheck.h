/* SPDX-License-Identifier: MIT */
#ifndef HCS_DUMP_BUGCHECK_H
#define HCS_DUMP_BUGCHECK_H

#include <stdint.h>

/* What Windows calls a stop code; "" for one that has no name here. */
const char *bugcheck_name(uint32_t code);

#endif
