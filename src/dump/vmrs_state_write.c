/* SPDX-License-Identifier: MIT
 * The partition state of a .vmrs, as Microsoft's own writer of such files
 * makes it (docs/formats/vmrs.md). */
#include <string.h>

#include "put.h"
#include "vmrs_format.h"
#include "vmrs_state.h"

static void add32(struct buf *out, uint32_t value) {
    uint8_t bytes[4];
    put32(bytes, value);
    buf_add(out, bytes, sizeof bytes);
}

static void add64(struct buf *out, uint64_t value) {
    uint8_t bytes[8];
    put64(bytes, value);
    buf_add(out, bytes, sizeof bytes);
}

static void add_zeros(struct buf *out, size_t count) {
    static const uint8_t zeros[256] = {0};
    for (; count > sizeof zeros; count -= sizeof zeros)
        buf_add(out, zeros, sizeof zeros);
    buf_add(out, zeros, count);
}

static void begin(struct buf *out, uint32_t id, size_t size) {
    add32(out, id);
    add32(out, (uint32_t)size);
    add64(out, 0);
}

/* A chunk of 16 bytes that begins with a number. */
static void small(struct buf *out, uint32_t id, uint64_t value) {
    begin(out, id, 16);
    add64(out, value);
    add64(out, 0);
}

static void prolog(struct buf *out) {
    size_t size = VMRS_PROLOG_SIZE - VMRS_CHUNK_HEADER;
    begin(out, VMRS_CHUNK_PROLOG, size);
    add32(out, VMRS_PROLOG_TAG);
    add32(out, 0);
    add32(out, VMRS_VENDOR_INTEL);
    add_zeros(out, size - 12);
}

/* The first CPU, then a bit for each, for 64 at least. */
static void indices(struct buf *out, uint32_t count) {
    uint32_t bytes = (count + 63) / 64 * 8;
    begin(out, VMRS_CHUNK_INDICES, 4 + bytes);
    add32(out, 0);
    for (uint32_t i = 0; i < bytes; i++) {
        uint32_t left = count > 8 * i ? count - 8 * i : 0;
        buf_putc(out, (char)(left >= 8 ? 255 : (1u << left) - 1));
    }
}

static void numbers(struct buf *out, uint32_t id, const struct dump_cpu *cpu,
                    const enum dump_register_id *ids, size_t count) {
    begin(out, id, 8 * count);
    for (size_t i = 0; i < count; i++)
        add64(out, cpu->values[ids[i]].number);
}

static void general(struct buf *out, const struct dump_cpu *cpu) {
    begin(out, VMRS_CHUNK_GENERAL, 18 * 8);
    for (int id = DUMP_REG_RAX; id <= DUMP_REG_RFLAGS; id++)
        add64(out, cpu->values[id].number);
}

static void segments(struct buf *out, const struct dump_cpu *cpu) {
    static const enum dump_register_id ids[] = {
        DUMP_REG_ES, DUMP_REG_CS, DUMP_REG_SS,   DUMP_REG_DS,
        DUMP_REG_FS, DUMP_REG_GS, DUMP_REG_LDTR, DUMP_REG_TR};
    begin(out, VMRS_CHUNK_SEGMENTS, 9 * 16);
    for (size_t i = 0; i < HCS_COUNT(ids); i++) {
        const union dump_value *value = &cpu->values[ids[i]];
        add64(out, value->segment.base);
        add32(out, value->segment.limit);
        add32(out, value->segment.selector | (uint32_t)value->segment.attributes
                                                 << 16);
    }
    add64(out, cpu->values[DUMP_REG_CS].segment.selector & 3u);
    add64(out, 0);
}

static void tables(struct buf *out, const struct dump_cpu *cpu) {
    static const enum dump_register_id ids[] = {DUMP_REG_IDTR, DUMP_REG_GDTR};
    begin(out, VMRS_CHUNK_TABLES, 2 * 16);
    for (size_t i = 0; i < HCS_COUNT(ids); i++) {
        add64(out, (uint64_t)cpu->values[ids[i]].table.limit << 48);
        add64(out, cpu->values[ids[i]].table.base);
    }
}

static void floating(struct buf *out, const struct dump_cpu *cpu) {
    const union dump_value *fpu = &cpu->values[DUMP_REG_FP_CONTROL];
    const union dump_value *sse = &cpu->values[DUMP_REG_XMM_CONTROL];
    begin(out, VMRS_CHUNK_FP, 26 * 16);
    for (int id = DUMP_REG_XMM0; id <= DUMP_REG_ST7; id++) {
        add64(out, cpu->values[id].wide.low);
        add64(out, cpu->values[id].wide.high);
    }
    add32(out, fpu->fpu.control | (uint32_t)fpu->fpu.status << 16);
    add32(out, fpu->fpu.tag | (uint32_t)fpu->fpu.reserved << 8 |
                   (uint32_t)fpu->fpu.last_op << 16);
    add64(out, fpu->fpu.last_rip);
    add64(out, sse->sse.last_rdp);
    add32(out, sse->sse.control);
    add32(out, sse->sse.mask);
}

/* The features that XSAVE knows: 1 is what every CPU has. */
static void xsave_control(struct buf *out) {
    begin(out, VMRS_CHUNK_XSAVE_CONTROL, 8 * 8);
    add64(out, 1);
    add_zeros(out, 7 * 8);
}

static void one_cpu(struct buf *out, const struct dump_cpu *cpu,
                    uint32_t index) {
    static const enum dump_register_id control[] = {
        DUMP_REG_CR0, DUMP_REG_CR2, DUMP_REG_CR3,
        DUMP_REG_CR4, DUMP_REG_CR8, DUMP_REG_EFER};
    static const enum dump_register_id debug[] = {DUMP_REG_DR0, DUMP_REG_DR1,
                                                  DUMP_REG_DR2, DUMP_REG_DR3,
                                                  DUMP_REG_DR6, DUMP_REG_DR7};
    small(out, VMRS_CHUNK_CPU, index);
    small(out, VMRS_CHUNK_CPU_VTL, 0);
    general(out, cpu);
    numbers(out, VMRS_CHUNK_CONTROL, cpu, control, HCS_COUNT(control));
    segments(out, cpu);
    tables(out, cpu);
    numbers(out, VMRS_CHUNK_DEBUG, cpu, debug, HCS_COUNT(debug));
    floating(out, cpu);
    xsave_control(out);
}

void vmrs_state_write(struct buf *out, const struct dump_cpu *cpus,
                      uint32_t count, uint64_t os_id) {
    size_t start = out->length;
    add64(out, VMRS_STATE_DESCRIPTOR);
    add64(out, VMRS_STATE_DESCRIPTOR);
    add64(out, 0); /* the size, when it is known */
    add_zeros(out, VMRS_STATE_GAP);
    prolog(out);
    small(out, VMRS_CHUNK_OS_ID, os_id);
    small(out, VMRS_CHUNK_PARTITION_VTL, 0);
    indices(out, count);
    for (uint32_t i = 0; i < count; i++)
        one_cpu(out, &cpus[i], i);
    begin(out, VMRS_CHUNK_EPILOG, 0);
    if (!out->failed)
        put64(out->data + start + 16, out->length - start);
}
