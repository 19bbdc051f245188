/* SPDX-License-Identifier: MIT */
#include "raw_map.h"

#include <inttypes.h>
#include <stdio.h>

#include "../base/json.h"
#include "reader.h"
#include "register_list.h"

static void pair_hex(struct json_writer *w, const char *name, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "0x%" PRIx64, value);
    json_pair_string(w, name, text);
}

static HRESULT write_ranges(struct writer *writer, struct json_writer *w,
                            struct hcs_error *error) {
    struct dump_range range = {0, 0};
    HRESULT hr;
    json_key(w, "Ranges");
    json_begin_array(w);
    while ((hr = writer_next_range(writer, range.start + range.bytes, &range,
                                   error)) == S_OK) {
        json_begin_object(w);
        pair_hex(w, "Start", range.start);
        pair_hex(w, "Bytes", range.bytes);
        json_end_object(w);
    }
    json_end_array(w);
    return FAILED(hr) ? hr : S_OK;
}

static void write_cpu(struct json_writer *w, const struct dump_cpu *cpu) {
    json_begin_object(w);
    for (unsigned id = 0; id < DUMP_REG_COUNT; id++) {
        uint64_t half[2];
        char text[48];
        if (!cpu->known[id])
            continue;
        register_halves(dump_registers[id].kind, &cpu->values[id], half);
        if (dump_registers[id].kind == DUMP_KIND_NUMBER)
            snprintf(text, sizeof text, "0x%" PRIx64, half[0]);
        else
            snprintf(text, sizeof text, "0x%" PRIx64 ",0x%" PRIx64, half[0],
                     half[1]);
        json_pair_string(w, dump_registers[id].name, text);
    }
    json_end_object(w);
}

static void write_bugcheck(struct json_writer *w,
                           const struct dump_bugcheck *bugcheck) {
    static const char *const names[] = {"Parameter1", "Parameter2",
                                        "Parameter3", "Parameter4"};
    json_key(w, "Bugcheck");
    json_begin_object(w);
    pair_hex(w, "Code", bugcheck->code);
    for (unsigned i = 0; i < HCS_COUNT(names); i++)
        pair_hex(w, names[i], bugcheck->parameters[i]);
    json_end_object(w);
}

/* A note that is no text is none of a kernel's. */
static bool is_text(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((text[i] < ' ' && text[i] != '\n') || text[i] > '~')
            return false;
    return true;
}

static void write_system(struct writer *writer, struct json_writer *w) {
    const struct dump_facts *facts = dump_get_facts(writer->dump);
    const struct dump_bugcheck *bugcheck = dump_get_bugcheck(writer->dump);
    size_t length;
    const char *notes = dump_get_vmcoreinfo(writer->dump, &length);
    json_pair_string(w, "Architecture", dump_arch_name(facts->arch));
    json_pair_string(w, "System", dump_os_name(facts->os));
    json_pair_string(w, "Release", facts->os_release);
    json_pair_string(w, "Created", facts->created);
    if (bugcheck)
        write_bugcheck(w, bugcheck);
    if (notes && is_text(notes, length)) {
        json_key(w, "VmCoreInfo");
        json_put_string_n(w, notes, length);
    }
}

HRESULT raw_map_write(struct writer *writer, struct buf *out,
                      struct hcs_error *error) {
    struct json_writer w = {out, false};
    HRESULT hr;
    json_begin_object(&w);
    json_pair_string(&w, "Format", "lua-hcs raw memory");
    json_pair_int(&w, "Version", RAW_MAP_VERSION);
    write_system(writer, &w);
    hr = write_ranges(writer, &w, error);
    json_key(&w, "Cpus");
    json_begin_array(&w);
    for (uint32_t i = 0; i < writer->cpu_count; i++)
        write_cpu(&w, &writer->cpus[i]);
    json_end_array(&w);
    json_end_object(&w);
    buf_putc(out, '\n');
    if (FAILED(hr))
        return hr;
    if (out->failed)
        return dump_no_memory(error);
    return out->length <= RAW_MAP_MOST
               ? S_OK
               : error_set(error, HR_NOT_SUPPORTED, NULL,
                           "the dump has too much to tell for a map");
}
