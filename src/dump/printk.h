/* SPDX-License-Identifier: MIT
 * The two shapes of the Linux kernel's log: records one behind the other in a
 * ring of bytes (before 5.10), and descriptors of texts in a ring. */
#ifndef HCS_DUMP_PRINTK_H
#define HCS_DUMP_PRINTK_H

#include "reader.h"

/* Where the kernel's variables are read from. */
struct printk {
    struct dump *dump;
    struct dump_space space;
    dump_log_fn line;
    void *context;
};

/* HR_NOT_FOUND when the kernel does not keep its log so. */
HRESULT printk_ring(struct printk *printk, struct hcs_error *error);
HRESULT printk_records(struct printk *printk, struct hcs_error *error);

/* A number in the kernel's memory, of 4 or 8 bytes. */
HRESULT printk_u32(struct printk *printk, uint64_t address, uint32_t *out,
                   struct hcs_error *error);
HRESULT printk_u64(struct printk *printk, uint64_t address, uint64_t *out,
                   struct hcs_error *error);
/* The offset of a member that every kernel has which keeps its log so. */
bool printk_offset(struct printk *printk, const char *name, uint64_t *out);

#endif
