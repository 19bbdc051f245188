/* SPDX-License-Identifier: MIT
 * Small dumps of a machine that never was, in each format: with page tables,
 * a kernel log and what a kernel notes about itself. The fuzzers begin with
 * them, too. */
#ifndef MAKE_H
#define MAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory: a low part, and a high one somewhere else. */
#define GUEST_LOW 0x30000u
#define GUEST_HIGH 0x10000u
#define GUEST_BYTES (GUEST_LOW + GUEST_HIGH)
#define GUEST_HIGH_AT UINT64_C(0x100000000)
#define GUEST_CPUS 2u

/* Where the kernel's addresses begin; they are mapped from physical 0 on, page
 * by page, but for two pages. */
#define GUEST_KERNEL UINT64_C(0xFFFFFFFF80000000)
#define GUEST_UNMAPPED 60u /* the page that is not there */
#define GUEST_NOWHERE 61u  /* the page that is mapped to 1 TB */
/* The same memory by a page of 2 MB, and by one of 1 GB. */
#define GUEST_2MB (GUEST_KERNEL + 0x200000)
#define GUEST_1GB UINT64_C(0xFFFF800000000000)
/* Tables that lead to themselves, and out of the memory. */
#define GUEST_LOOP UINT64_C(0xFFFF808000000000)
#define GUEST_LOOP_SMALL (GUEST_KERNEL + 0x400000)
#define GUEST_OUTSIDE UINT64_C(0xFFFF800040000000)
#define GUEST_ROOT 0x1000u
#define GUEST_ROOT_5 0x5000u

enum guest_log { GUEST_LOG_NONE, GUEST_LOG_RING, GUEST_LOG_RECORDS };

struct guest {
    uint8_t ram[GUEST_BYTES]; /* the low part, then the high one */
    char notes[4096];         /* VMCOREINFO; "" for a guest that is no Linux */
    uint64_t high_at;         /* GUEST_HIGH_AT unless changed */
};

/* The log as text, as both shapes of it are to be printed. */
extern const char guest_log_text[];

void make_guest(struct guest *guest, enum guest_log log);
/* The register that is the `index`-th of those QEMU notes (rax, rbx, rcx …) of
 * a CPU. */
uint64_t guest_register(unsigned cpu, unsigned index);

struct bytes {
    uint8_t *data; /* malloc'd */
    size_t length;
};

void bytes_free(struct bytes *bytes);
/* Writes there; what lies between is zeros. */
void bytes_put(struct bytes *bytes, size_t at, const void *data, size_t length);

enum elf_option {
    ELF_PAGING = 1,  /* a segment for each page, by virtual address, too */
    ELF_NO_QEMU = 2, /* without QEMU's notes */
    ELF_MANY = 4     /* the number of segments in a section */
};
void make_elf(const struct guest *guest, unsigned options, struct bytes *out);
/* ELF notes of all CPUs and the kernel's. */
void make_notes(const struct guest *guest, unsigned options, struct bytes *out);

enum kdump_option {
    KDUMP_FLAT = 1,
    KDUMP_SPLIT = 2,    /* only what is below page 16 */
    KDUMP_EXCLUDED = 4, /* every seventh page is left out */
    KDUMP_OLD = 8       /* header version 5 */
};
/* `flag`: of pages that are compressed: 1 zlib, 2 LZO, 4 Snappy, 0x20 zstd, 0:
 * none. */
void make_kdump(const struct guest *guest, unsigned flag, unsigned options,
                struct bytes *out);
void make_flat(const struct bytes *file, struct bytes *out);

enum windows_option { WINDOWS_BITMAP = 1, WINDOWS_HEADER = 2 };
/* Adds to the guest what the kernel tells debuggers. */
void make_windows(struct guest *guest, unsigned options, struct bytes *out);

enum saved_option {
    SAVED_STREAM = 1, /* QEMU's stream without the header */
    SAVED_TEMPLATE = 2,
    SAVED_TWICE = 4 /* pages come once more, after other ones */
};
/* The memory in one piece from 0 on; "pc.bios" is a copy of its high part. */
void make_saved(struct guest *guest, unsigned options, struct bytes *out);

enum vmrs_option {
    VMRS_PACKED = 1, /* as Hyper-V packs memory, by each of its records */
    VMRS_LOG = 2,    /* a replay log that is yet to be carried out */
    VMRS_FOREIGN = 4 /* without what is ours */
};
/* As it is exported of an ELF core, but for the options. */
void make_vmrs(const struct guest *guest, unsigned options, struct bytes *out);

#endif
