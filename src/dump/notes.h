/* SPDX-License-Identifier: MIT
 * The notes of ELF cores, which kdump files have too: a CPU's registers as
 * Linux keeps them of threads, QEMU's own with the rest of them, and what the
 * kernel says about itself. */
#ifndef HCS_DUMP_NOTES_H
#define HCS_DUMP_NOTES_H

#include "reader.h"

#define NOTES_MAX_CPUS 65536u
/* All that are looked at, of whatever kind. */
#define NOTES_MAX (4 * NOTES_MAX_CPUS)

/* Where in the source; 0: nowhere. */
struct note_cpu {
    uint64_t status, status_size;
    uint64_t qemu, qemu_size;
    uint64_t list, list_size; /* register_list.h */
};

struct notes {
    struct note_cpu *cpus;
    uint32_t cpu_count;
    uint32_t capacity;
    uint32_t qemu_count;
    uint32_t seen;
    uint32_t list_count;
    uint64_t vmcoreinfo, vmcoreinfo_size;
};

/* Adds what lies in `size` bytes at `offset`; ends at the first note that is
 * damaged or empty. Fails only when nothing can be read or for want of memory.
 */
HRESULT notes_scan(struct notes *notes, struct source *source, uint64_t offset,
                   uint64_t size, struct hcs_error *error);
void notes_free(struct notes *notes);

/* As a reader's cpu. */
HRESULT notes_cpu(const struct notes *notes, struct source *source,
                  uint32_t index, struct dump_cpu *out,
                  struct hcs_error *error);
/* Sets the dump's CPU count, VMCOREINFO and the system by it. */
HRESULT notes_tell(const struct notes *notes, struct dump *dump,
                   struct hcs_error *error);

#endif
