/* SPDX-License-Identifier: MIT
 * What the tests of dumps share: a made dump, opened, and its guest. */
#ifndef DUMP_UNIT_H
#define DUMP_UNIT_H

#include "../base/unit.h"

#include "dump/dump.h"
#include "make.h"

struct opened {
    struct guest guest;
    struct bytes bytes;
    struct dump *dump;
};

/* Opens bytes that must be a dump. */
static inline void open_bytes(struct opened *o) {
    struct hcs_error error = {0};
    HRESULT hr =
        dump_open_memory(o->bytes.data, o->bytes.length, &o->dump, &error);

    if (FAILED(hr))
        fail_msg("%08x: %s", (unsigned)hr, error.text);
}

static inline void close_opened(struct opened *o) {
    dump_close(o->dump);
    bytes_free(&o->bytes);
    o->dump = NULL;
}

/* The guest's byte at a physical address; the memory must have it. */
static inline const uint8_t *guest_at(const struct guest *guest,
                                      uint64_t address) {
    return address < GUEST_LOW
               ? guest->ram + address
               : guest->ram + GUEST_LOW + (address - guest->high_at);
}

static inline void assert_range(struct dump *dump, uint64_t from,
                                uint64_t start, uint64_t bytes) {
    struct dump_range range;

    assert_hr(dump_next_range(dump, from, &range, NULL), S_OK);
    assert_int_equal(range.start, start);
    assert_int_equal(range.bytes, bytes);
}

static inline void assert_no_range(struct dump *dump, uint64_t from) {
    struct dump_range range;

    assert_hr(dump_next_range(dump, from, &range, NULL), S_FALSE);
}

/* Both parts of the memory are there, byte for byte, in reads of any size. */
void assert_memory(const struct opened *o);
/* The registers of both CPUs that every format has. */
void assert_registers(const struct opened *o);
/* The log as dmesg prints it. */
HRESULT log_text(struct dump *dump, struct buf *out, struct hcs_error *error);
/* What else is the same in each: notes, log, a page of virtual memory. */
void assert_kernel(const struct opened *o);

#endif
