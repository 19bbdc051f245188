/* SPDX-License-Identifier: MIT
 * The partition state of a .vmrs: the registers of all CPUs and what system
 * the guest is, as a row of chunks. */
#ifndef HCS_DUMP_VMRS_STATE_H
#define HCS_DUMP_VMRS_STATE_H

#include "../base/buf.h"
#include "dump.h"

#define VMRS_MAX_CPUS 4096u
enum vmrs_part {
    VMRS_GENERAL,
    VMRS_FP,
    VMRS_CONTROL,
    VMRS_DEBUG,
    VMRS_SEGMENTS,
    VMRS_TABLES,
    VMRS_PARTS
};

/* Where the parts of a CPU's registers begin; 0: they are not there. */
struct vmrs_cpu {
    uint32_t index;
    uint32_t parts[VMRS_PARTS];
};

struct vmrs_state {
    const uint8_t *bytes;  /* the caller's */
    struct vmrs_cpu *cpus; /* malloc'd */
    uint32_t count;
    uint64_t os_id; /* as the guest told the hypervisor; 0: it did not */
    bool arm64;
};

/* Looks through `length` bytes, which stay the caller's and must live as long
 * as the state. */
HRESULT vmrs_state_parse(const uint8_t *bytes, size_t length,
                         struct vmrs_state *out, struct hcs_error *error);
void vmrs_state_free(struct vmrs_state *state);
/* What is known of a CPU, number < count; `out` is zeros. */
void vmrs_state_cpu(const struct vmrs_state *state, uint32_t number,
                    struct dump_cpu *out);

/* Appends a partition state of `count` (1..VMRS_MAX_CPUS) x86-64 CPUs. */
void vmrs_state_write(struct buf *out, const struct dump_cpu *cpus,
                      uint32_t count, uint64_t os_id);

/* What a guest of that system and release would tell the hypervisor; 0 for one
 * that is not known; and back. */
uint64_t vmrs_os_id(enum dump_os os, const char *release);
void vmrs_os_facts(uint64_t id, enum dump_os *os, char *release, size_t size);

#endif
