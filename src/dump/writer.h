/* SPDX-License-Identifier: MIT
 * What the writers of all formats have in common: a file that gets its name at
 * the end, limits, progress, and copies of the machine's memory. */
#ifndef HCS_DUMP_WRITER_H
#define HCS_DUMP_WRITER_H

#include "../base/file.h"
#include "export.h"
#include "put.h"

#define WRITER_BLOCK (UINT32_C(1) << 20)

struct writer {
    struct dump *dump;
    struct dump_export_options options;
    hcs_file file;
    const char *path;
    uint64_t length;    /* the file's so far */
    uint64_t unchecked; /* bytes since the disk's room was looked at */
    uint64_t done;      /* of the memory */
    uint64_t total;
    uint64_t told; /* what of it progress was told */
    struct dump_cpu *cpus;
    uint32_t cpu_count;
    uint8_t *block; /* WRITER_BLOCK bytes, for whoever needs them */
};

/* All bytes at `offset`, which may be behind the end. */
HRESULT writer_put(struct writer *writer, uint64_t offset, const void *bytes,
                   size_t size, struct hcs_error *error);
/* The same, but pages of zeros that begin at a multiple of a page in the file
 * are left out: nothing was written there before. */
HRESULT writer_put_sparse(struct writer *writer, uint64_t offset,
                          const uint8_t *bytes, size_t size,
                          struct hcs_error *error);
/* The file is at least so long. */
HRESULT writer_extend(struct writer *writer, uint64_t length,
                      struct hcs_error *error);
/* So much more of the memory is done. HR_CANCELLED. */
HRESULT writer_advance(struct writer *writer, uint64_t bytes,
                       struct hcs_error *error);
/* The memory of `range` at `offset` in the file. Uses the block. */
HRESULT writer_copy(struct writer *writer, const struct dump_range *range,
                    uint64_t offset, struct hcs_error *error);

/* `size` (<= WRITER_BLOCK) bytes of memory from `address` on into the block;
 * what the dump does not have is zeros. */
HRESULT writer_read(struct writer *writer, uint64_t address, size_t size,
                    struct hcs_error *error);

/* The dump's ranges, widened to whole pages, in order and apart; S_FALSE when
 * there is none at or after `from`. */
HRESULT writer_next_range(struct writer *writer, uint64_t from,
                          struct dump_range *out, struct hcs_error *error);
HRESULT writer_count_ranges(struct writer *writer, uint64_t *count,
                            struct hcs_error *error);
/* Whether all `size` bytes are zeros. */
bool all_zeros(const uint8_t *bytes, size_t size);

/* --- formats -------------------------------------------------------------- */

HRESULT write_elf(struct writer *writer, struct hcs_error *error);
HRESULT write_kdump(struct writer *writer, struct hcs_error *error);
HRESULT write_raw(struct writer *writer, struct hcs_error *error);
HRESULT write_vmrs(struct writer *writer, struct hcs_error *error);

/* The notes of an ELF core and a kdump file: as QEMU has them, and ours for
 * registers that those do not tell. */
void write_notes(struct buf *out, const struct writer *writer);

#endif
