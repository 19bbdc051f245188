/* SPDX-License-Identifier: MIT */
#include "windows_cpu.h"

/* Of what the kernel tells debuggers. */
#define DATA_TAG 0x10u
#define DATA_SIZE 0x340u
#define DATA_PROCESSORS 0x218u /* an array of each CPU's block */
#define DATA_CONTEXT_STATE 0x2BCu
#define DATA_SPECIAL 0x2F2u
#define DATA_CONTEXT 0x338u

#define SPECIAL_SIZE 0xB8u
#define CR0_PAGING UINT64_C(0x80000001) /* with protection */

void windows_system_read(struct windows_system *system, const uint8_t *header) {
    system->space.mode = DUMP_PAGING_LONG;
    system->space.levels = 4;
    system->space.root = le64(header + 0x10) & UINT64_C(0x000FFFFFFFFFF000);
    system->debugger_data = le64(header + 0x80);
    memcpy(system->context, header + 0x348, sizeof system->context);
}

/* --- registers ----------------------------------------------------------- */

static void take_segments(const uint8_t *context, struct dump_cpu *out) {
    static const uint8_t ids[6] = {DUMP_REG_CS, DUMP_REG_DS, DUMP_REG_ES,
                                   DUMP_REG_FS, DUMP_REG_GS, DUMP_REG_SS};
    unsigned i;

    for (i = 0; i < 6; i++)
        dump_put_segment(out, (enum dump_register_id)ids[i], 0, 0,
                         le16(context + 0x38 + 2 * i), 0);
}

static void take_vectors(const uint8_t *context, struct dump_cpu *out) {
    union dump_value *fpu = &out->values[DUMP_REG_FP_CONTROL];
    union dump_value *sse = &out->values[DUMP_REG_XMM_CONTROL];
    unsigned i;

    fpu->fpu.control = le16(context + 0x100);
    fpu->fpu.status = le16(context + 0x102);
    fpu->fpu.tag = context[0x104];
    fpu->fpu.last_op = le16(context + 0x106);
    fpu->fpu.last_rip = le64(context + 0x108);
    out->known[DUMP_REG_FP_CONTROL] = true;
    sse->sse.last_rdp = le64(context + 0x110);
    sse->sse.control = le32(context + 0x118);
    sse->sse.mask = le32(context + 0x11C);
    out->known[DUMP_REG_XMM_CONTROL] = true;
    for (i = 0; i < 24; i++) { /* eight of 80 bits, then sixteen of 128 */
        unsigned id = i < 8 ? DUMP_REG_ST0 + i : DUMP_REG_XMM0 + i - 8;
        out->values[id].wide.low = le64(context + 0x120 + 16 * i);
        out->values[id].wide.high = i < 8 ? le16(context + 0x128 + 16 * i)
                                          : le64(context + 0x128 + 16 * i);
        out->known[id] = true;
    }
}

static void take_context(const uint8_t *context, struct dump_cpu *out) {
    static const uint8_t debug[6] = {DUMP_REG_DR0, DUMP_REG_DR1, DUMP_REG_DR2,
                                     DUMP_REG_DR3, DUMP_REG_DR6, DUMP_REG_DR7};
    unsigned i;

    take_segments(context, out);
    dump_put(out, DUMP_REG_RFLAGS, le32(context + 0x44));
    for (i = 0; i < 6; i++)
        dump_put(out, (enum dump_register_id)debug[i],
                 le64(context + 0x48 + 8 * i));
    for (i = 0; i < 17; i++) /* rax to r15 and rip, in the ids' order */
        dump_put(out, (enum dump_register_id)(DUMP_REG_RAX + i),
                 le64(context + 0x78 + 8 * i));
    take_vectors(context, out);
}

/* The registers that programs do not have; nothing if they were not saved. */
static void take_special(const uint8_t *b, struct dump_cpu *out) {
    if ((le64(b) & CR0_PAGING) != CR0_PAGING)
        return;
    dump_put(out, DUMP_REG_CR0, le64(b));
    dump_put(out, DUMP_REG_CR2, le64(b + 8));
    dump_put(out, DUMP_REG_CR3, le64(b + 0x10));
    dump_put(out, DUMP_REG_CR4, le64(b + 0x18));
    dump_put(out, DUMP_REG_CR8, le64(b + 0xA0));
    dump_put_table(out, DUMP_REG_GDTR, le64(b + 0x58), le16(b + 0x56));
    dump_put_table(out, DUMP_REG_IDTR, le64(b + 0x68), le16(b + 0x66));
    dump_put_segment(out, DUMP_REG_TR, 0, 0, le16(b + 0x70), 0);
    dump_put_segment(out, DUMP_REG_LDTR, 0, 0, le16(b + 0x72), 0);
    out->values[DUMP_REG_GS].segment.base = le64(b + 0xA8);
    dump_put(out, DUMP_REG_KERNEL_GS_BASE, le64(b + 0xB0));
}

/* --- finding them -------------------------------------------------------- */

static bool read_at(const struct windows_system *system, struct dump *dump,
                    uint64_t address, void *bytes, size_t size) {
    return SUCCEEDED(dump_read_virtual_in(dump, &system->space, address, bytes,
                                          size, NULL, NULL));
}

static bool read_pointer(const struct windows_system *system, struct dump *dump,
                         uint64_t address, uint64_t *out) {
    uint8_t bytes[8];

    if (!read_at(system, dump, address, bytes, sizeof bytes))
        return false;
    *out = le64(bytes);
    return true;
}

/* Where the CPU's registers are: what a pointer of its block leads to, or the
 * block itself. */
static bool read_context(const struct windows_system *system, struct dump *dump,
                         const uint8_t *data, uint64_t block,
                         uint8_t context[WINDOWS_CONTEXT]) {
    uint64_t pointer;
    uint16_t offset = le16(data + DATA_CONTEXT);

    if (offset != 0 && read_pointer(system, dump, block + offset, &pointer) &&
        read_at(system, dump, pointer, context, WINDOWS_CONTEXT))
        return true;
    offset = le16(data + DATA_CONTEXT_STATE);
    return offset != 0 &&
           read_at(system, dump, block + offset, context, WINDOWS_CONTEXT);
}

/* The CPU's block, and what the kernel tells of it. */
static bool find_block(const struct windows_system *system, struct dump *dump,
                       uint32_t index, uint8_t data[DATA_SIZE],
                       uint64_t *block) {
    return read_at(system, dump, system->debugger_data, data, DATA_SIZE) &&
           memcmp(data + DATA_TAG, "KDBG", 4) == 0 &&
           read_pointer(system, dump,
                        le64(data + DATA_PROCESSORS) + 8 * (uint64_t)index,
                        block);
}

HRESULT windows_read_cpu(const struct windows_system *system, struct dump *dump,
                         uint32_t index, struct dump_cpu *out,
                         struct hcs_error *error) {
    uint8_t data[DATA_SIZE], context[WINDOWS_CONTEXT], special[SPECIAL_SIZE];
    bool found = false;
    uint64_t block;

    (void)error;
    if (out->arch != DUMP_ARCH_X64)
        return S_OK;
    dump_put(out, DUMP_REG_CR3, system->space.root);
    if (find_block(system, dump, index, data, &block)) {
        found = read_context(system, dump, data, block, context);
        if (found)
            take_context(context, out);
        if (le16(data + DATA_SPECIAL) != 0 &&
            read_at(system, dump, block + le16(data + DATA_SPECIAL), special,
                    sizeof special))
            take_special(special, out);
    }
    if (!found && index == 0) /* one is better than none */
        take_context(system->context, out);
    return S_OK;
}
