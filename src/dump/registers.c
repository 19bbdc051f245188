/* SPDX-License-Identifier: MIT */
#include "reader.h"

const struct dump_register dump_registers[] = {
#define X(id, name, kind) {name, DUMP_KIND_##kind},
#include "registers.def"
#undef X
};

enum dump_register_id dump_register_find(const char *name) {
    unsigned i;

    for (i = 0; i < DUMP_REG_COUNT; i++) {
        if (dump_registers[i].kind != DUMP_KIND_NONE &&
            strcmp(dump_registers[i].name, name) == 0)
            break;
    }
    return (enum dump_register_id)i;
}

void dump_put(struct dump_cpu *cpu, enum dump_register_id id, uint64_t value) {
    cpu->values[id].number = value;
    cpu->known[id] = true;
}

void dump_put_segment(struct dump_cpu *cpu, enum dump_register_id id,
                      uint64_t base, uint32_t limit, uint16_t selector,
                      uint32_t descriptor) {
    union dump_value *value = &cpu->values[id];

    value->segment.base = base;
    value->segment.limit = limit;
    value->segment.selector = selector;
    value->segment.attributes = (uint16_t)(descriptor >> 8 & 0xF0FF);
    cpu->known[id] = true;
}

void dump_put_table(struct dump_cpu *cpu, enum dump_register_id id,
                    uint64_t base, uint16_t limit) {
    cpu->values[id].table.base = base;
    cpu->values[id].table.limit = limit;
    cpu->known[id] = true;
}
