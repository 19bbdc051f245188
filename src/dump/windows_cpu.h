/* SPDX-License-Identifier: MIT
 * The CPUs of a Windows dump: the header has the registers of the one that
 * stopped, the memory those of all. */
#ifndef HCS_DUMP_WINDOWS_CPU_H
#define HCS_DUMP_WINDOWS_CPU_H

#include "reader.h"

#define WINDOWS_CONTEXT 1232u

struct windows_system {
    struct dump_space space; /* the kernel's */
    uint64_t debugger_data;  /* where the kernel tells of its structures */
    uint8_t context[WINDOWS_CONTEXT];
};

/* From the 8 KB of a dump's header. */
void windows_system_read(struct windows_system *system, const uint8_t *header);
/* As a reader's cpu. What is not in the dump's memory is left out. */
HRESULT windows_read_cpu(const struct windows_system *system, struct dump *dump,
                         uint32_t index, struct dump_cpu *out,
                         struct hcs_error *error);

#endif
