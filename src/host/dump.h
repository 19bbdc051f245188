/* SPDX-License-Identifier: MIT
 * Dumps by their handles, as Microsoft's saved states. They belong to no host;
 * each has a lock of its own. */
#ifndef HCS_HOST_DUMP_H
#define HCS_HOST_DUMP_H

#include "../abi/hcshost.h"
#include "../base/thread.h"
#include "../dump/dump.h"
#include "handle.h"

#define DUMP_E_NESTED_NOT_SUPPORTED HCS_HR(0xC0370503)
#define DUMP_E_VTL_NOT_ENABLED HCS_HR(0xC0370509)

/* Bytes that somebody wants to see in the place of the dump's own. */
struct dump_fix {
    uint64_t address; /* physical */
    size_t length;
    uint8_t *bytes;
};

/* What a processor is to be taken for. */
struct dump_forced {
    uint32_t cpu;
    enum dump_arch arch;     /* DUMP_ARCH_UNKNOWN: what it is */
    enum dump_paging paging; /* DUMP_PAGING_INVALID: likewise */
};

struct dumped {
    struct object object;
    hcs_mutex lock; /* guards all that follows */
    struct dump *dump;
    struct hcs_error error; /* of the last call that failed */
    uint64_t cache_limit;   /* remembered, and that is all */

    struct dump_range *ranges; /* all of them, once they are asked for */
    size_t range_count;
    bool ranges_known;

    struct dump_fix *fixes; /* later ones lie over earlier ones */
    size_t fix_count;
    uint64_t fix_bytes;

    struct dump_forced *forced;
    size_t forced_count;
};

/* Looks the handle up and locks its dump: E_HANDLE for one that is none. What
 * it fails with goes to (*out)->error; `dump_end` returns it. */
HRESULT dump_begin(VM_SAVED_STATE_DUMP_HANDLE handle, struct dumped **out);
HRESULT dump_end(struct dumped *dumped, HRESULT hr);
/* The same for one that has to say where the answer goes. */
HRESULT dump_begin_answer(VM_SAVED_STATE_DUMP_HANDLE handle, const void *answer,
                          struct dumped **out);

/* E_INVALIDARG for a number that is no processor's. */
HRESULT dump_check_cpu(struct dumped *dumped, uint32_t cpu);
/* What the processor is to be taken for, NULL for what it is. */
struct dump_forced *dump_find_forced(struct dumped *dumped, uint32_t cpu);
HRESULT dump_space_of(struct dumped *dumped, uint32_t cpu,
                      struct dump_space *out);

/* Finds all ranges, in pages and in order. */
HRESULT dump_know_ranges(struct dumped *dumped);
/* As dump_read_physical, with the fixes; *got may not be NULL. */
HRESULT dump_read_fixed(struct dumped *dumped, uint64_t address, void *bytes,
                        size_t size, size_t *got);

#endif
