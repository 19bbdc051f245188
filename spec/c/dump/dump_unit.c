/* SPDX-License-Identifier: MIT */
#include "dump_unit.h"

static void assert_read(const struct opened *o, uint64_t address, size_t size) {
    uint8_t *bytes = malloc(size);
    size_t got = 0;

    assert_non_null(bytes);
    assert_hr(dump_read_physical(o->dump, address, bytes, size, &got, NULL),
              S_OK);
    assert_int_equal(got, size);
    assert_memory_equal(bytes, guest_at(&o->guest, address), size);
    free(bytes);
}

static void assert_part(const struct opened *o, uint64_t start,
                        uint64_t bytes) {
    uint64_t at;

    assert_read(o, start, (size_t)bytes);
    for (at = 0; at + 1021 <= bytes; at += 1021) /* in and across pages */
        assert_read(o, start + at, 1021);
    assert_read(o, start + 4095, 2);
    assert_read(o, start + 1, 8191);
    assert_read(o, start + bytes - 1, 1);
}

void assert_memory(const struct opened *o) {
    uint64_t bytes = 0;
    size_t got = 0;
    uint8_t byte[2];

    assert_part(o, 0, GUEST_LOW);
    assert_part(o, o->guest.high_at, GUEST_HIGH);
    assert_hr(dump_read_physical(o->dump, GUEST_LOW - 1, byte, 2, &got, NULL),
              S_OK);
    assert_int_equal(got, 1);
    assert_hr(dump_read_physical(o->dump, GUEST_LOW - 1, byte, 2, NULL, NULL),
              VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND);
    assert_hr(dump_read_physical(o->dump, GUEST_LOW, byte, 1, &got, NULL),
              VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND);
    assert_hr(
        dump_read_physical(o->dump, UINT64_C(1) << 40, byte, 1, &got, NULL),
        VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND);
    assert_hr(dump_read_physical(o->dump, UINT64_MAX, byte, 2, &got, NULL),
              VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND);
    assert_range(o->dump, 0, 0, GUEST_LOW);
    assert_range(o->dump, 12345, 12345, GUEST_LOW - 12345);
    assert_range(o->dump, GUEST_LOW, o->guest.high_at, GUEST_HIGH);
    assert_no_range(o->dump, o->guest.high_at + GUEST_HIGH);
    assert_no_range(o->dump, UINT64_MAX);
    assert_hr(dump_memory_bytes(o->dump, &bytes, NULL), S_OK);
    assert_int_equal(bytes, GUEST_BYTES);
}

void assert_registers(const struct opened *o) {
    static const uint8_t order[17] = {
        DUMP_REG_RAX, DUMP_REG_RBX, DUMP_REG_RCX, DUMP_REG_RDX, DUMP_REG_RSI,
        DUMP_REG_RDI, DUMP_REG_RSP, DUMP_REG_RBP, DUMP_REG_R8,  DUMP_REG_R9,
        DUMP_REG_R10, DUMP_REG_R11, DUMP_REG_R12, DUMP_REG_R13, DUMP_REG_R14,
        DUMP_REG_R15, DUMP_REG_RIP};
    struct dump_cpu cpu;
    unsigned i, j;

    assert_int_equal(dump_get_facts(o->dump)->cpu_count, GUEST_CPUS);
    assert_int_equal(dump_get_facts(o->dump)->arch, DUMP_ARCH_X64);
    for (i = 0; i < GUEST_CPUS; i++) {
        assert_hr(dump_get_cpu(o->dump, i, &cpu, NULL), S_OK);
        for (j = 0; j < 17; j++) {
            assert_true(cpu.known[order[j]]);
            assert_int_equal(cpu.values[order[j]].number, guest_register(i, j));
        }
    }
    assert_hr(dump_get_cpu(o->dump, GUEST_CPUS, &cpu, NULL), E_INVALIDARG);
}

static bool add_line(void *context, const struct dump_log_line *line) {
    struct buf *out = context;
    size_t start = out->length, indent, i;

    buf_printf(out, "[%5llu.%06llu] ",
               (unsigned long long)(line->nanoseconds / 1000000000),
               (unsigned long long)(line->nanoseconds % 1000000000 / 1000));
    indent = out->length - start;
    for (i = 0; i < line->length; i++) {
        buf_putc(out, line->text[i]);
        if (line->text[i] == '\n')
            buf_printf(out, "%*s", (int)indent, "");
    }
    buf_putc(out, '\n');
    return !out->failed;
}

HRESULT log_text(struct dump *dump, struct buf *out, struct hcs_error *error) {
    HRESULT hr = dump_log(dump, add_line, out, error);

    return SUCCEEDED(hr) && out->failed ? E_OUTOFMEMORY : hr;
}

void assert_kernel(const struct opened *o) {
    struct buf text = {0};
    uint8_t bytes[5000];
    uint64_t address = 0, size = 0;

    assert_string_equal(dump_get_facts(o->dump)->os_release, "0.0-test");
    assert_int_equal(dump_get_facts(o->dump)->os, DUMP_OS_LINUX);
    assert_non_null(strstr(dump_get_vmcoreinfo(o->dump, NULL), "phys_base"));
    assert_hr(log_text(o->dump, &text, NULL), S_OK);
    assert_string_equal(text.data, guest_log_text);
    buf_clear(&text);
    assert_hr(dump_summary(o->dump, &text, NULL), S_OK);
    assert_non_null(strstr(text.data, "not syncing: a test"));
    buf_free(&text);
    assert_hr(dump_translate(o->dump, 1, GUEST_KERNEL + 0x20123, &address,
                             &size, NULL),
              S_OK);
    assert_int_equal(address, 0x20123);
    assert_int_equal(size, 4096 - 0x123);
    assert_hr(dump_read_virtual(o->dump, 0, GUEST_KERNEL + 0x20123, bytes,
                                sizeof bytes, NULL, NULL),
              S_OK);
    assert_memory_equal(bytes, o->guest.ram + 0x20123, sizeof bytes);
}
