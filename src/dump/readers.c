/* SPDX-License-Identifier: MIT
 * The formats that are read. */
#include "reader.h"

extern const struct dump_reader dump_reader_elf;
extern const struct dump_reader dump_reader_kdump;
extern const struct dump_reader dump_reader_raw;
extern const struct dump_reader dump_reader_saved;
extern const struct dump_reader dump_reader_vmrs;
extern const struct dump_reader dump_reader_windows;

const struct dump_reader *const dump_readers[] = {
    &dump_reader_elf,
    &dump_reader_kdump,
    &dump_reader_raw,
    &dump_reader_saved,
    &dump_reader_vmrs,
    &dump_reader_windows,
    NULL,
};
