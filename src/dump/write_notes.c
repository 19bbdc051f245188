/* SPDX-License-Identifier: MIT
 * The notes that QEMU puts into ELF cores and kdump files, made of registers:
 * a thread's status as Linux has it, then QEMU's own with what a status has no
 * place for, each for all CPUs, and what the kernel says about itself. */
#include <string.h>

#include "bytes.h"
#include "register_list.h"
#include "writer.h"

#define NT_PRSTATUS 1
#define STATUS_PID 32
#define STATUS_REGISTERS 112
#define STATUS_X64_SIZE 336
#define STATUS_ARM64_SIZE 392
#define QEMU_SIZE 440
#define QEMU_SEGMENTS 152
#define QEMU_SEGMENT 24
#define QEMU_CONTROL 392
#define QEMU_KERNEL_GS 432

static void pad(struct buf *out, size_t size) {
    while (size++ % 4)
        buf_putc(out, 0);
}

static void note(struct buf *out, const char *name, uint32_t type,
                 const void *bytes, size_t size) {
    uint8_t header[12];
    put32(header, (uint32_t)strlen(name) + 1);
    put32(header + 4, (uint32_t)size);
    put32(header + 8, type);
    buf_add(out, header, sizeof header);
    buf_add(out, name, strlen(name) + 1);
    pad(out, strlen(name) + 1);
    buf_add(out, bytes, size);
    pad(out, size);
}

/* --- the status ----------------------------------------------------------- */

/* The selectors of segments, the bases of two, and no "original rax". */
static const uint8_t status_ids[27] = {
    DUMP_REG_R15, DUMP_REG_R14, DUMP_REG_R13, DUMP_REG_R12,    DUMP_REG_RBP,
    DUMP_REG_RBX, DUMP_REG_R11, DUMP_REG_R10, DUMP_REG_R9,     DUMP_REG_R8,
    DUMP_REG_RAX, DUMP_REG_RCX, DUMP_REG_RDX, DUMP_REG_RSI,    DUMP_REG_RDI,
    0xFF,         DUMP_REG_RIP, DUMP_REG_CS,  DUMP_REG_RFLAGS, DUMP_REG_RSP,
    DUMP_REG_SS,  0xFF,         0xFF,         DUMP_REG_DS,     DUMP_REG_ES,
    DUMP_REG_FS,  DUMP_REG_GS};
#define STATUS_FS_BASE 21
#define STATUS_GS_BASE 22

static void status_x64(struct buf *out, const struct dump_cpu *cpu,
                       uint32_t index) {
    uint8_t bytes[STATUS_X64_SIZE] = {0};
    uint8_t *registers = bytes + STATUS_REGISTERS;
    put32(bytes + STATUS_PID, index + 1);
    for (unsigned i = 0; i < HCS_COUNT(status_ids); i++) {
        unsigned id = status_ids[i];
        if (id == 0xFF)
            continue;
        put64(registers + 8 * i, dump_registers[id].kind == DUMP_KIND_SEGMENT
                                     ? cpu->values[id].segment.selector
                                     : cpu->values[id].number);
    }
    put64(registers + 8 * STATUS_FS_BASE,
          cpu->values[DUMP_REG_FS].segment.base);
    put64(registers + 8 * STATUS_GS_BASE,
          cpu->values[DUMP_REG_GS].segment.base);
    note(out, "CORE", NT_PRSTATUS, bytes, sizeof bytes);
}

static void status_arm64(struct buf *out, const struct dump_cpu *cpu,
                         uint32_t index) {
    uint8_t bytes[STATUS_ARM64_SIZE] = {0};
    uint8_t *registers = bytes + STATUS_REGISTERS;
    put32(bytes + STATUS_PID, index + 1);
    for (unsigned i = 0; i < 31; i++)
        put64(registers + 8 * i, cpu->values[DUMP_REG_X0 + i].number);
    put64(registers + 8 * 31, cpu->values[DUMP_REG_SP_EL1].number);
    put64(registers + 8 * 32, cpu->values[DUMP_REG_PC].number);
    put64(registers + 8 * 33, cpu->values[DUMP_REG_CPSR].number);
    note(out, "CORE", NT_PRSTATUS, bytes, sizeof bytes);
}

/* --- QEMU's own ----------------------------------------------------------- */

static const uint8_t qemu_numbers[18] = {
    DUMP_REG_RAX, DUMP_REG_RBX, DUMP_REG_RCX,   DUMP_REG_RDX, DUMP_REG_RSI,
    DUMP_REG_RDI, DUMP_REG_RSP, DUMP_REG_RBP,   DUMP_REG_R8,  DUMP_REG_R9,
    DUMP_REG_R10, DUMP_REG_R11, DUMP_REG_R12,   DUMP_REG_R13, DUMP_REG_R14,
    DUMP_REG_R15, DUMP_REG_RIP, DUMP_REG_RFLAGS};
static const uint8_t qemu_segments[8] = {
    DUMP_REG_CS, DUMP_REG_DS, DUMP_REG_ES,   DUMP_REG_FS,
    DUMP_REG_GS, DUMP_REG_SS, DUMP_REG_LDTR, DUMP_REG_TR};

static void put_segment(uint8_t *at, const union dump_value *value) {
    uint32_t attributes = value->segment.attributes;
    put32(at, value->segment.selector);
    put32(at + 4, value->segment.limit);
    put32(at + 8, (attributes & 0xF0FF) << 8);
    put64(at + 16, value->segment.base);
}

static void put_table(uint8_t *at, const union dump_value *value) {
    put32(at + 4, value->table.limit);
    put64(at + 16, value->table.base);
}

static void qemu_x64(struct buf *out, const struct dump_cpu *cpu) {
    const union dump_value *values = cpu->values;
    uint8_t bytes[QEMU_SIZE] = {0};
    put32(bytes, 1); /* the version */
    put32(bytes + 4, sizeof bytes);
    for (unsigned i = 0; i < HCS_COUNT(qemu_numbers); i++)
        put64(bytes + 8 + 8 * i, values[qemu_numbers[i]].number);
    for (unsigned i = 0; i < HCS_COUNT(qemu_segments); i++)
        put_segment(bytes + QEMU_SEGMENTS + QEMU_SEGMENT * i,
                    &values[qemu_segments[i]]);
    put_table(bytes + QEMU_SEGMENTS + QEMU_SEGMENT * 8, &values[DUMP_REG_GDTR]);
    put_table(bytes + QEMU_SEGMENTS + QEMU_SEGMENT * 9, &values[DUMP_REG_IDTR]);
    put64(bytes + QEMU_CONTROL, values[DUMP_REG_CR0].number);
    put64(bytes + QEMU_CONTROL + 16, values[DUMP_REG_CR2].number);
    put64(bytes + QEMU_CONTROL + 24, values[DUMP_REG_CR3].number);
    put64(bytes + QEMU_CONTROL + 32, values[DUMP_REG_CR4].number);
    put64(bytes + QEMU_KERNEL_GS, values[DUMP_REG_KERNEL_GS_BASE].number);
    note(out, "QEMU", 0, bytes, sizeof bytes);
}

/* --- what those do not tell ----------------------------------------------- */

/* Whether QEMU's note says just what is known. */
static bool qemu_tells(const struct dump_cpu *cpu) {
    bool told[DUMP_REG_COUNT] = {false};
    for (unsigned i = 0; i < HCS_COUNT(qemu_numbers); i++)
        told[qemu_numbers[i]] = true;
    for (unsigned i = 0; i < HCS_COUNT(qemu_segments); i++)
        told[qemu_segments[i]] = true;
    told[DUMP_REG_GDTR] = told[DUMP_REG_IDTR] = true;
    told[DUMP_REG_CR0] = told[DUMP_REG_CR2] = told[DUMP_REG_CR3] = true;
    told[DUMP_REG_CR4] = told[DUMP_REG_KERNEL_GS_BASE] = true;
    return memcmp(told, cpu->known, sizeof told) == 0;
}

static void lists(struct buf *out, const struct writer *writer) {
    bool needed = false;
    for (uint32_t i = 0; i < writer->cpu_count; i++)
        if (!qemu_tells(&writer->cpus[i]))
            needed = true;
    for (uint32_t i = 0; needed && i < writer->cpu_count; i++) {
        struct buf list = {0};
        register_list_write(&list, &writer->cpus[i]);
        note(out, REGISTER_LIST_NOTE, REGISTER_LIST_TYPE, list.data,
             list.length);
        out->failed = out->failed || list.failed;
        buf_free(&list);
    }
}

void write_notes(struct buf *out, const struct writer *writer) {
    bool arm = dump_get_facts(writer->dump)->arch == DUMP_ARCH_ARM64;
    size_t length;
    const char *vmcoreinfo = dump_get_vmcoreinfo(writer->dump, &length);
    for (uint32_t i = 0; i < writer->cpu_count; i++) {
        if (arm)
            status_arm64(out, &writer->cpus[i], i);
        else
            status_x64(out, &writer->cpus[i], i);
    }
    for (uint32_t i = 0; !arm && i < writer->cpu_count; i++)
        qemu_x64(out, &writer->cpus[i]);
    if (vmcoreinfo)
        note(out, "VMCOREINFO", 0, vmcoreinfo, length);
    lists(out, writer);
}
