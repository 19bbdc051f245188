/* SPDX-License-Identifier: MIT
 * Saved states: QEMU's migration stream, and the header before it. */
#include <stdio.h>
#include <string.h>

#include "make.h"
#include "put.h"

#define NOTE 0xF000u
#define BIOS "pc.bios"

static void add(struct bytes *out, const void *data, size_t length) {
    bytes_put(out, out->length, data, length);
}

static void add8(struct bytes *out, unsigned value) {
    uint8_t b = (uint8_t)value;

    add(out, &b, 1);
}

static void add32(struct bytes *out, uint32_t value) {
    uint8_t b[4];

    be32_to(b, value);
    add(out, b, sizeof b);
}

static void add64(struct bytes *out, uint64_t value) {
    uint8_t b[8];

    be64_to(b, value);
    add(out, b, sizeof b);
}

static void add_name(struct bytes *out, const char *name) {
    add8(out, (unsigned)strlen(name));
    add(out, name, strlen(name));
}

static void add_footer(struct bytes *out, uint32_t id) {
    add8(out, 0x7E);
    add32(out, id);
}

/* --- memory -------------------------------------------------------------- */

static void add_page(struct bytes *out, const char *block, bool again,
                     uint64_t offset, const uint8_t *page) {
    static const uint8_t zeros[4096];
    bool zero = memcmp(page, zeros, sizeof zeros) == 0;

    add64(out, offset | (zero ? 2 : 8) | (again ? 0x20 : 0));
    if (!again)
        add_name(out, block);
    add(out, page, zero ? 1 : 4096);
}

static void add_memory(const struct guest *guest, unsigned options,
                       struct bytes *out) {
    static const uint8_t old[4096] = {1};
    size_t at;

    add8(out, 0x01);
    add32(out, 2);
    add_name(out, "ram");
    add32(out, 0);
    add32(out, 4);
    add64(out, (GUEST_BYTES + GUEST_HIGH) | 0x04);
    add_name(out, "m0");
    add64(out, GUEST_BYTES);
    add_name(out, BIOS);
    add64(out, GUEST_HIGH);
    add64(out, 0x10);
    add_footer(out, 2);
    add8(out, 0x02);
    add32(out, 2);
    for (at = 0; at < GUEST_BYTES && (options & SAVED_TWICE); at += 4096)
        add_page(out, "m0", at > 0, at, old);
    for (at = 0; at < GUEST_BYTES; at += 4096)
        add_page(out, "m0", at > 0, at, guest->ram + at);
    add64(out, 0x10);
    add_footer(out, 2);
    add8(out, 0x03);
    add32(out, 2);
    for (at = 0; at < GUEST_HIGH; at += 4096)
        add_page(out, BIOS, at > 0, at, guest->ram + GUEST_LOW + at);
    add64(out, 0x10);
    add_footer(out, 2);
}

/* --- devices ------------------------------------------------------------- */

static void add_section(struct bytes *out, const char *name, uint32_t id,
                        uint32_t instance) {
    add8(out, 0x04);
    add32(out, id);
    add_name(out, name);
    add32(out, instance);
    add32(out, 1);
}

static void add_segments(struct bytes *out, unsigned count) {
    unsigned i;

    for (i = 0; i < count; i++) {
        add32(out, 8 * i + 8);
        add64(out, UINT64_C(0xFFFF000000000000) + i);
        add32(out, 0x7FFF + i);
        add32(out, 0x00A09B00);
    }
}

static void add_cpu(struct bytes *out, unsigned cpu) {
    /* Which of guest_register's each register is, in the order of its id. */
    static const uint8_t order[16] = {0, 2, 3,  1,  6,  7,  4,  5,
                                      8, 9, 10, 11, 12, 13, 14, 15};
    unsigned i;

    add_section(out, "cpu", 3 + cpu, cpu);
    for (i = 0; i < 16; i++)
        add64(out, guest_register(cpu, order[i]));
    add64(out, guest_register(cpu, 16));
    add64(out, guest_register(cpu, 17));
    add_segments(out, 10); /* six, ldt, tr, gdt, idt */
    add64(out, 0x80050033);
    add64(out, 0xC2);
    add64(out, GUEST_ROOT);
    add64(out, 0x6F0);
    add64(out, 0xD01);
    /* A part of its own. */
    add8(out, 0x05);
    add_name(out, "cpu/x");
    add32(out, 1);
    add64(out, 7);
    add_footer(out, 3 + cpu);
}

static const char cpu_shape[] =
    "{\"name\":\"cpu\",\"instance_id\":%u,\"vmsd_name\":\"cpu\",\"version\":1,"
    "\"fields\":[{\"name\":\"env.regs\",\"array_len\":16,\"size\":8},"
    "{\"name\":\"env.eip\",\"size\":8},{\"name\":\"env.eflags\",\"size\":8},"
    "{\"name\":\"env.segs\",\"array_len\":6,\"size\":20},"
    "{\"name\":\"env.ldt\",\"size\":20},{\"name\":\"env.tr\",\"size\":20},"
    "{\"name\":\"env.gdt\",\"size\":20},{\"name\":\"env.idt\",\"size\":20},"
    "{\"name\":\"env.cr[0]\",\"size\":8},{\"name\":\"env.cr[2]\",\"size\":8},"
    "{\"name\":\"env.cr[3]\",\"size\":8},{\"name\":\"env.cr[4]\",\"size\":8},"
    "{\"name\":\"env.efer\",\"size\":8}],\"subsections\":[{\"vmsd_name\":"
    "\"cpu/x\",\"version\":1,\"fields\":[{\"name\":\"y\",\"size\":8}]}]},";

static const char note_shape[] =
    "{\"name\":\"vmcoreinfo\",\"instance_id\":0,\"version\":1,\"fields\":["
    "{\"name\":\"has_vmcoreinfo\",\"size\":1},"
    "{\"name\":\"vmcoreinfo.size\",\"size\":4},"
    "{\"name\":\"vmcoreinfo.paddr\",\"size\":8}]}]}";

static void add_devices(struct bytes *out, uint32_t note_size) {
    char text[2048];
    size_t length = 0;
    unsigned cpu;

    for (cpu = 0; cpu < GUEST_CPUS; cpu++)
        add_cpu(out, cpu);
    add_section(out, "vmcoreinfo", 9, 0);
    add8(out, note_size != 0);
    add32(out, note_size);
    add64(out, NOTE);
    add_footer(out, 9);
    add8(out, 0);
    length += (size_t)snprintf(text, sizeof text,
                               "{\"page_size\":4096,\"devices\":[");
    for (cpu = 0; cpu < GUEST_CPUS; cpu++)
        length += (size_t)snprintf(text + length, sizeof text - length,
                                   cpu_shape, cpu);
    length +=
        (size_t)snprintf(text + length, sizeof text - length, "%s", note_shape);
    add8(out, 0x06);
    add32(out, (uint32_t)length);
    add(out, text, length);
}

/* --- all of it ----------------------------------------------------------- */

/* The kernel's notes are in its memory; at most a page. */
static uint32_t put_note(struct guest *guest) {
    uint8_t *note = guest->ram + NOTE;
    size_t length = strlen(guest->notes);

    if (length == 0)
        return 0;
    le32_to(note, 11);
    le32_to(note + 4, (uint32_t)length);
    memcpy(note + 12, "VMCOREINFO", 11);
    memcpy(note + 24, guest->notes, length);
    return (uint32_t)(24 + length);
}

static void add_stream(struct guest *guest, unsigned options,
                       struct bytes *out) {
    static const char machine[] = "pc-q35-7.2";
    uint32_t note_size = put_note(guest);

    add(out, "QEVM\0\0\0\3", 8);
    add8(out, 0x07);
    add32(out, sizeof machine - 1);
    add(out, machine, sizeof machine - 1);
    if (options & SAVED_TEMPLATE) {
        add8(out, 0x05);
        add_name(out, "configuration/capabilities");
    }
    add_memory(guest, options, out);
    add_devices(out, note_size);
}

void make_saved(struct guest *guest, unsigned options, struct bytes *out) {
    struct bytes stream = {0};
    char header[256];

    add_stream(guest, options, &stream);
    if (options & SAVED_STREAM) {
        *out = stream;
        return;
    }
    snprintf(header, sizeof header,
             "LUAHCS\x01\n{\"Version\":1,\"Shape\":\"x\",\"MemoryBytes\":%u,"
             "\"StreamBytes\":%u,\"Held\":true}",
             GUEST_BYTES, (unsigned)stream.length);
    bytes_put(out, 0, header, strlen(header));
    bytes_put(out, 4096, stream.data, stream.length);
    bytes_free(&stream);
}
