/* SPDX-License-Identifier: MIT
 * A dump in another format. The file appears under its name only when it is
 * whole; until then, and after any failure, what was there before is there.
 * Only its owner may read it. Pages of zeros take no room where the disk knows
 * holes. */
#ifndef HCS_DUMP_EXPORT_H
#define HCS_DUMP_EXPORT_H

#include "dump.h"

enum dump_export_format {
    DUMP_EXPORT_ELF,   /* an ELF core with QEMU's notes: gdb, crash */
    DUMP_EXPORT_KDUMP, /* kdump-compressed: crash, makedumpfile */
    DUMP_EXPORT_RAW,   /* each byte at its physical address; PATH.map tells */
    DUMP_EXPORT_VMRS   /* a saved state of Hyper-V: WinDbg */
};

/* The format of a name: "elf", "kdump", "raw", "vmrs". */
bool dump_export_find(const char *name, enum dump_export_format *out);

/* All zeros are fine. */
/* It would take such members for macros. */
/* clang-format off */
struct dump_export_options {
    bool compress;      /* KDUMP: each page, where that makes it shorter */
    uint64_t max_bytes; /* of the file; 0: any */
    uint64_t keep_free; /* bytes that must stay free on the disk */
    /* Told about every 4 MB how much of the memory is done, both in bytes, and
     * at the end; answers whether to go on. May be NULL. */
    bool (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
};
/* clang-format on */

/* `path` is absolute, UTF-8. `options` may be NULL; *bytes, unless NULL, gets
 * the file's length. HR_DISK_FULL when it would pass max_bytes or leave less
 * than keep_free, or the disk is full; HR_CANCELLED when progress said so;
 * HR_NOT_SUPPORTED for what a format cannot hold. */
HRESULT dump_export(struct dump *dump, const char *path,
                    enum dump_export_format format,
                    const struct dump_export_options *options, uint64_t *bytes,
                    struct hcs_error *error);
/* The same into a file that is open for writing and empty, which the caller
 * flushes and names; `path` says on which disk it is. After a failure it holds
 * anything. */
HRESULT dump_export_file(struct dump *dump, hcs_file file, const char *path,
                         enum dump_export_format format,
                         const struct dump_export_options *options,
                         uint64_t *bytes, struct hcs_error *error);
/* Appends what PATH.map is to hold of a RAW dump that dump_export_file wrote;
 * dump_export writes that file itself. */
HRESULT dump_export_map(struct dump *dump, struct buf *out,
                        struct hcs_error *error);

#endif
