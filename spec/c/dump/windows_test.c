/* SPDX-License-Identifier: MIT */
#include "dump_unit.h"

#include "put.h"

static void make(struct opened *o, unsigned options) {
    memset(o, 0, sizeof *o);
    make_guest(&o->guest, GUEST_LOG_NONE);
    make_windows(&o->guest, options, &o->bytes);
}

static void assert_facts(struct dump *dump, const char *variant) {
    const struct dump_facts *facts = dump_get_facts(dump);
    const struct dump_bugcheck *check = dump_get_bugcheck(dump);
    struct buf text = {0};

    assert_int_equal(facts->format, DUMP_FORMAT_WINDOWS);
    assert_string_equal(facts->variant, variant);
    assert_int_equal(facts->os, DUMP_OS_WINDOWS);
    assert_string_equal(facts->os_release, "10.0.19041");
    assert_string_equal(facts->created, "2021-01-01T00:00:00.0000000Z");
    assert_non_null(check);
    assert_int_equal(check->code, 0x1E);
    assert_int_equal(check->parameters[3], 0x103);
    assert_string_equal(check->name, "KMODE_EXCEPTION_NOT_HANDLED");
    assert_hr(log_text(dump, &text, NULL), HR_NOT_FOUND);
    assert_hr(dump_summary(dump, &text, NULL), S_OK);
    assert_non_null(strstr(text.data, "0x0000001e KMODE_EXCEPTION"));
    assert_non_null(strstr(text.data, "0x103)"));
    buf_free(&text);
}

static void full(void **state) {
    struct opened o;
    (void)state;
    make(&o, 0);
    open_bytes(&o);
    assert_facts(o.dump, "full");
    assert_memory(&o);
    assert_registers(&o);
    close_opened(&o);
}

static void by_a_map(void **state) {
    struct opened o;
    uint64_t bytes;
    uint8_t page[3 * 4096];
    size_t got = 0;
    (void)state;
    make(&o, WINDOWS_BITMAP);
    open_bytes(&o);
    assert_facts(o.dump, "bitmap, kernel");
    assert_registers(&o);
    assert_range(o.dump, 0, 0, 6 * 4096);
    assert_range(o.dump, 6 * 4096, 7 * 4096, 6 * 4096);
    assert_hr(dump_memory_bytes(o.dump, &bytes, NULL), S_OK);
    assert_int_equal(bytes, GUEST_BYTES - GUEST_BYTES / 4096 / 7 * 4096);
    assert_hr(
        dump_read_physical(o.dump, 4 * 4096, page, sizeof page, &got, NULL),
        S_OK);
    assert_int_equal(got, 2 * 4096);
    assert_memory_equal(page, o.guest.ram + 4 * 4096, got);
    assert_hr(dump_read_physical(o.dump, 17 * 4096 + 5, page, 4096, NULL, NULL),
              S_OK);
    assert_memory_equal(page, o.guest.ram + 17 * 4096 + 5, 4096);
    assert_hr(dump_read_physical(o.dump, 6 * 4096, page, 1, NULL, NULL),
              VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND);
    close_opened(&o);
}

static void special_registers(void **state) {
    struct dump_cpu cpu;
    struct opened o;
    (void)state;
    make(&o, 0);
    open_bytes(&o);
    assert_hr(dump_get_cpu(o.dump, 1, &cpu, NULL), S_OK);
    assert_int_equal(cpu.values[DUMP_REG_CR2].number, 0xC2);
    assert_int_equal(cpu.values[DUMP_REG_CR4].number, 0x6F8);
    assert_int_equal(cpu.values[DUMP_REG_DR7].number, 0x400);
    assert_int_equal(cpu.values[DUMP_REG_IDTR].table.limit, 0xFFF);
    assert_int_equal(cpu.values[DUMP_REG_GS].segment.base,
                     UINT64_C(0xFFFF650065000000));
    assert_int_equal(cpu.values[DUMP_REG_XMM0].wide.low,
                     UINT64_C(0x0123456789ABCDEF));
    assert_int_equal(cpu.values[DUMP_REG_XMM0].wide.high,
                     UINT64_C(0xFEDCBA9876543210));
    assert_int_equal(cpu.values[DUMP_REG_XMM_CONTROL].sse.control, 0x1F80);
    close_opened(&o);
}

/* Then the first one has those of the header. */
static void without_memory(void **state) {
    struct dump_cpu cpu;
    struct opened o;
    (void)state;
    make(&o, WINDOWS_HEADER);
    open_bytes(&o);
    assert_facts(o.dump, "header");
    assert_no_range(o.dump, 0);
    assert_hr(dump_get_cpu(o.dump, 0, &cpu, NULL), S_OK);
    assert_int_equal(cpu.values[DUMP_REG_RIP].number, guest_register(1, 16));
    assert_int_equal(cpu.values[DUMP_REG_CR3].number, GUEST_ROOT);
    assert_hr(dump_get_cpu(o.dump, 1, &cpu, NULL), S_OK);
    assert_false(cpu.known[DUMP_REG_RIP]);
    close_opened(&o);
}

static HRESULT try_changed(unsigned options, size_t at, uint32_t value) {
    struct opened o;
    HRESULT hr;

    make(&o, options);
    le32_to(o.bytes.data + at, value);
    hr = dump_open_memory(o.bytes.data, o.bytes.length, &o.dump, NULL);
    close_opened(&o);
    return hr;
}

static void headers_that_lie(void **state) {
    (void)state;
    assert_hr(try_changed(0, 4, 0x504D5544), HR_NOT_SUPPORTED); /* 32-bit */
    assert_hr(try_changed(0, 0xF98, 4), HR_NOT_SUPPORTED);
    assert_hr(try_changed(0, 0xF98, 99), HR_NOT_SUPPORTED);
    assert_hr(try_changed(0, 0xF98, 5), HR_FILE_CORRUPT); /* no map */
    assert_hr(try_changed(0, 0x88, 0), HR_FILE_CORRUPT);
    assert_hr(try_changed(0, 0x88, 43), HR_FILE_CORRUPT);
    assert_hr(try_changed(0, 0x98 + 4, UINT32_MAX), HR_FILE_CORRUPT);
    assert_hr(try_changed(0, 0xA0 + 4, UINT32_MAX), HR_FILE_CORRUPT);
    assert_hr(try_changed(0, 0x34, UINT32_MAX), HR_FILE_CORRUPT);
    assert_hr(try_changed(WINDOWS_BITMAP, 0x2000, 0), HR_FILE_CORRUPT);
    assert_hr(try_changed(WINDOWS_BITMAP, 0x2034, 0x7FFFFFFF), HR_FILE_CORRUPT);
    assert_hr(try_changed(WINDOWS_BITMAP, 0x2024, UINT32_MAX), HR_FILE_CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full),
        cmocka_unit_test(by_a_map),
        cmocka_unit_test(special_registers),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(headers_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
