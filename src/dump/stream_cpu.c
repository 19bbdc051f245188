/* SPDX-License-Identifier: MIT
 * A CPU's registers among the devices of a migration stream. */
#include "stream.h"

/* A field of numbers: of how many registers from which on. */
struct field {
    const char *name;
    unsigned bytes; /* of one */
    unsigned count;
    enum dump_register_id first;
};

static const struct field fields[] = {
    {"env.regs", 8, 16, DUMP_REG_RAX},
    {"env.eip", 8, 1, DUMP_REG_RIP},
    {"env.eflags", 8, 1, DUMP_REG_RFLAGS},
    {"env.cr[0]", 8, 1, DUMP_REG_CR0},
    {"env.cr[2]", 8, 1, DUMP_REG_CR2},
    {"env.cr[3]", 8, 1, DUMP_REG_CR3},
    {"env.cr[4]", 8, 1, DUMP_REG_CR4},
    {"env.efer", 8, 1, DUMP_REG_EFER},
    {"env.kernelgsbase", 8, 1, DUMP_REG_KERNEL_GS_BASE},
    {"env.segs", 20, 6, DUMP_REG_ES},
    {"env.ldt", 20, 1, DUMP_REG_LDTR},
    {"env.tr", 20, 1, DUMP_REG_TR},
    {"env.idt", 20, 1, DUMP_REG_IDTR},
    {"env.gdt", 20, 1, DUMP_REG_GDTR},
    {"env.fpregs", 10, 8, DUMP_REG_ST0},
    {"env.xmm_regs[0]", 16, 16, DUMP_REG_XMM0},
};

static void put_field(struct dump_cpu *cpu, enum dump_register_id id,
                      unsigned bytes, const uint8_t *b) {
    union dump_value *value = &cpu->values[id];

    if (bytes == 8) {
        dump_put(cpu, id, be64(b));
    } else if (bytes == 20 && dump_registers[id].kind == DUMP_KIND_TABLE) {
        dump_put_table(cpu, id, be64(b + 4), (uint16_t)be32(b + 12));
    } else if (bytes == 20) {
        dump_put_segment(cpu, id, be64(b + 4), be32(b + 12), (uint16_t)be32(b),
                         be32(b + 16));
    } else {
        value->wide.low = be64(b);
        value->wide.high =
            bytes == 16 ? be64(b + 8) : (uint64_t)(b[8] << 8 | b[9]);
        cpu->known[id] = true;
    }
}

static HRESULT read_debug(struct source *source,
                          const struct stream_device *device,
                          struct dump_cpu *out, struct hcs_error *error) {
    static const uint8_t ids[8] = {
        DUMP_REG_DR0, DUMP_REG_DR1, DUMP_REG_DR2, DUMP_REG_DR3, 0, 0,
        DUMP_REG_DR6, DUMP_REG_DR7};
    uint8_t bytes[64];
    unsigned i;
    HRESULT hr =
        stream_read_field(source, device, "env.dr", bytes, sizeof bytes, error);

    for (i = 0; hr == S_OK && i < 8; i++) {
        if (ids[i] != 0)
            dump_put(out, (enum dump_register_id)ids[i], be64(bytes + 8 * i));
    }
    return FAILED(hr) ? hr : S_OK;
}

static HRESULT read_control(struct source *source,
                            const struct stream_device *device,
                            struct dump_cpu *out, struct hcs_error *error) {
    uint8_t fpuc[2], fpus[2], tag[2], mxcsr[4];
    HRESULT hr = stream_read_field(source, device, "env.fpuc", fpuc, 2, error);

    if (hr == S_OK)
        hr = stream_read_field(source, device, "env.fpus_vmstate", fpus, 2,
                               error);
    if (hr == S_OK)
        hr = stream_read_field(source, device, "env.fptag_vmstate", tag, 2,
                               error);
    if (hr == S_OK) {
        union dump_value *value = &out->values[DUMP_REG_FP_CONTROL];
        value->fpu.control = (uint16_t)(fpuc[0] << 8 | fpuc[1]);
        value->fpu.status = (uint16_t)(fpus[0] << 8 | fpus[1]);
        value->fpu.tag = tag[1]; /* 1 for each place that is in use */
        out->known[DUMP_REG_FP_CONTROL] = true;
        hr = stream_read_field(source, device, "env.mxcsr", mxcsr, 4, error);
    }
    if (hr == S_OK) {
        out->values[DUMP_REG_XMM_CONTROL].sse.control = be32(mxcsr);
        out->values[DUMP_REG_XMM_CONTROL].sse.mask = 0xFFFF;
        out->known[DUMP_REG_XMM_CONTROL] = true;
    }
    return FAILED(hr) ? hr : S_OK;
}

HRESULT stream_read_cpu(const struct stream_devices *devices,
                        struct source *source, uint32_t index,
                        struct dump_cpu *out, struct hcs_error *error) {
    const struct stream_device *device =
        stream_find_device(devices, "cpu", index);
    uint8_t bytes[16 * 20];
    unsigned i, j;
    HRESULT hr = S_OK;

    for (i = 0; i < HCS_COUNT(fields) && SUCCEEDED(hr); i++) {
        const struct field *field = &fields[i];
        hr = stream_read_field(source, device, field->name, bytes,
                               (size_t)field->bytes * field->count, error);
        for (j = 0; hr == S_OK && j < field->count; j++)
            put_field(out, (enum dump_register_id)(field->first + j),
                      field->bytes, bytes + (size_t)field->bytes * j);
    }
    if (SUCCEEDED(hr))
        hr = read_debug(source, device, out, error);
    return SUCCEEDED(hr) ? read_control(source, device, out, error) : hr;
}
