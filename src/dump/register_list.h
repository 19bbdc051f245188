/* SPDX-License-Identifier: MIT
 * All that is known of a CPU, as bytes: for what the formats of others have no
 * place for, or cannot say that it is not known. 24 bytes for each register:
 * its number u32, zeros, and the two halves of its value. */
#ifndef HCS_DUMP_REGISTER_LIST_H
#define HCS_DUMP_REGISTER_LIST_H

#include "../base/buf.h"
#include "dump.h"

/* The note of ELF cores and kdump files that holds one; in the order of the
 * CPUs. */
#define REGISTER_LIST_NOTE "LUAHCS"
#define REGISTER_LIST_TYPE 1u

#define REGISTER_LIST_ENTRY 24u
#define REGISTER_LIST_MOST (DUMP_REG_COUNT * REGISTER_LIST_ENTRY)

/* The two halves of a register's value, and back. */
void register_halves(enum dump_register_kind kind,
                     const union dump_value *value, uint64_t half[2]);
void register_join(enum dump_register_kind kind, const uint64_t half[2],
                   union dump_value *value);

void register_list_write(struct buf *out, const struct dump_cpu *cpu);
/* What is known of `out` is then what the list says. Numbers that are none
 * are passed over; a list that is cut short ends where it does. */
void register_list_read(const uint8_t *bytes, size_t size,
                        struct dump_cpu *out);

#endif
