/* SPDX-License-Identifier: MIT */
#include "register_list.h"

#include "bytes.h"
#include "put.h"

void register_halves(enum dump_register_kind kind,
                     const union dump_value *value, uint64_t half[2]) {
    half[0] = half[1] = 0;
    switch (kind) {
    case DUMP_KIND_NUMBER:
        half[0] = value->number;
        break;
    case DUMP_KIND_WIDE:
        half[0] = value->wide.low;
        half[1] = value->wide.high;
        break;
    case DUMP_KIND_SEGMENT:
        half[0] = value->segment.base;
        half[1] = value->segment.limit |
                  (uint64_t)value->segment.selector << 32 |
                  (uint64_t)value->segment.attributes << 48;
        break;
    case DUMP_KIND_TABLE:
        half[0] = value->table.base;
        half[1] = value->table.limit;
        break;
    case DUMP_KIND_FPU:
        half[0] = value->fpu.last_rip;
        half[1] = value->fpu.control | (uint64_t)value->fpu.status << 16 |
                  (uint64_t)value->fpu.tag << 32 |
                  (uint64_t)value->fpu.reserved << 40 |
                  (uint64_t)value->fpu.last_op << 48;
        break;
    case DUMP_KIND_SSE:
        half[0] = value->sse.last_rdp;
        half[1] = value->sse.control | (uint64_t)value->sse.mask << 32;
        break;
    case DUMP_KIND_NONE:
        break;
    }
}

void register_join(enum dump_register_kind kind, const uint64_t half[2],
                   union dump_value *value) {
    switch (kind) {
    case DUMP_KIND_NUMBER:
        value->number = half[0];
        break;
    case DUMP_KIND_WIDE:
        value->wide.low = half[0];
        value->wide.high = half[1];
        break;
    case DUMP_KIND_SEGMENT:
        value->segment.base = half[0];
        value->segment.limit = (uint32_t)half[1];
        value->segment.selector = (uint16_t)(half[1] >> 32);
        value->segment.attributes = (uint16_t)(half[1] >> 48);
        break;
    case DUMP_KIND_TABLE:
        value->table.base = half[0];
        value->table.limit = (uint16_t)half[1];
        break;
    case DUMP_KIND_FPU:
        value->fpu.last_rip = half[0];
        value->fpu.control = (uint16_t)half[1];
        value->fpu.status = (uint16_t)(half[1] >> 16);
        value->fpu.tag = (uint8_t)(half[1] >> 32);
        value->fpu.reserved = (uint8_t)(half[1] >> 40);
        value->fpu.last_op = (uint16_t)(half[1] >> 48);
        break;
    case DUMP_KIND_SSE:
        value->sse.last_rdp = half[0];
        value->sse.control = (uint32_t)half[1];
        value->sse.mask = (uint32_t)(half[1] >> 32);
        break;
    case DUMP_KIND_NONE:
        break;
    }
}

void register_list_write(struct buf *out, const struct dump_cpu *cpu) {
    for (uint32_t id = 0; id < DUMP_REG_COUNT; id++) {
        uint8_t entry[REGISTER_LIST_ENTRY] = {0};
        uint64_t half[2];
        if (!cpu->known[id])
            continue;
        register_halves(dump_registers[id].kind, &cpu->values[id], half);
        put32(entry, id);
        put64(entry + 8, half[0]);
        put64(entry + 16, half[1]);
        buf_add(out, entry, sizeof entry);
    }
}

void register_list_read(const uint8_t *bytes, size_t size,
                        struct dump_cpu *out) {
    memset(out->values, 0, sizeof out->values);
    memset(out->known, 0, sizeof out->known);
    for (; size >= REGISTER_LIST_ENTRY;
         size -= REGISTER_LIST_ENTRY, bytes += REGISTER_LIST_ENTRY) {
        uint32_t id = le32(bytes);
        const uint64_t half[2] = {le64(bytes + 8), le64(bytes + 16)};
        if (id >= DUMP_REG_COUNT || dump_registers[id].kind == DUMP_KIND_NONE)
            continue;
        register_join(dump_registers[id].kind, half, &out->values[id]);
        out->known[id] = true;
    }
}
