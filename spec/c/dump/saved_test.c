/* SPDX-License-Identifier: MIT */
#include "dump_unit.h"

#include "put.h"

#define BIOS_AT (UINT64_C(0x100000000) - GUEST_HIGH)

static void make(struct opened *o, unsigned options) {
    memset(o, 0, sizeof *o);
    make_guest(&o->guest, GUEST_LOG_RING);
    make_saved(&o->guest, options, &o->bytes);
}

static void all_of_it_is_there(void **state) {
    static const unsigned options[] = {0, SAVED_STREAM, SAVED_TWICE};
    (void)state;
    for (unsigned i = 0; i < HCS_COUNT(options); i++) {
        uint8_t bytes[GUEST_HIGH];
        struct opened o;
        make(&o, options[i]);
        open_bytes(&o);
        assert_int_equal(dump_get_facts(o.dump)->format, DUMP_FORMAT_SAVED);
        assert_false(dump_get_facts(o.dump)->truncated);
        assert_range(o.dump, 0, 0, GUEST_BYTES);
        assert_range(o.dump, GUEST_BYTES, BIOS_AT, GUEST_HIGH);
        assert_no_range(o.dump, BIOS_AT + GUEST_HIGH);
        for (size_t at = 0; at < GUEST_BYTES; at += 1021) {
            size_t size = GUEST_BYTES - at < 1021 ? GUEST_BYTES - at : 1021;
            assert_hr(dump_read_physical(o.dump, at, bytes, size, NULL, NULL),
                      S_OK);
            assert_memory_equal(bytes, o.guest.ram + at, size);
        }
        assert_hr(dump_read_physical(o.dump, BIOS_AT, bytes, sizeof bytes, NULL,
                                     NULL),
                  S_OK);
        assert_memory_equal(bytes, o.guest.ram + GUEST_LOW, sizeof bytes);
        assert_registers(&o);
        assert_kernel(&o);
        close_opened(&o);
    }
}

static void other_registers(void **state) {
    struct dump_cpu cpu;
    struct opened o;
    (void)state;
    make(&o, 0);
    open_bytes(&o);
    assert_hr(dump_get_cpu(o.dump, 1, &cpu, NULL), S_OK);
    assert_int_equal(cpu.values[DUMP_REG_EFER].number, 0xD01);
    assert_int_equal(cpu.values[DUMP_REG_CR3].number, GUEST_ROOT);
    assert_int_equal(cpu.values[DUMP_REG_SS].segment.selector, 24);
    assert_int_equal(cpu.values[DUMP_REG_SS].segment.attributes, 0xA09B);
    assert_int_equal(cpu.values[DUMP_REG_LDTR].segment.base,
                     UINT64_C(0xFFFF000000000006));
    assert_int_equal(cpu.values[DUMP_REG_GDTR].table.limit, 0x8007);
    assert_false(cpu.known[DUMP_REG_XMM0]); /* this one has none */
    close_opened(&o);
}

/* Zeros are known without reading. */
static void pages_of_zeros(void **state) {
    struct dump_range range;
    struct opened o;
    (void)state;
    make(&o, SAVED_TWICE);
    open_bytes(&o);
    assert_hr(dump_next_data(o.dump, 0x14000, &range, NULL), S_OK);
    assert_int_equal(range.start, 0x15000);
    assert_hr(dump_next_data(o.dump, BIOS_AT + GUEST_HIGH, &range, NULL),
              S_FALSE);
    close_opened(&o);
}

static HRESULT try_made(struct opened *o, struct hcs_error *error) {
    HRESULT hr =
        dump_open_memory(o->bytes.data, o->bytes.length, &o->dump, error);

    return hr;
}

static void templates_have_no_memory(void **state) {
    struct hcs_error error = {0};
    struct opened o;
    (void)state;
    make(&o, SAVED_TEMPLATE);
    assert_hr(try_made(&o, &error), HR_NOT_SUPPORTED);
    assert_non_null(strstr(error.text, "template"));
    close_opened(&o);
}

/* Without the description the devices are not known; without the end of the
 * memory what came until then is. */
static void cut_off(void **state) {
    struct opened o;
    uint8_t byte;
    (void)state;
    make(&o, 0);
    o.bytes.length -= 1;
    assert_hr(try_made(&o, NULL), S_OK);
    assert_true(dump_get_facts(o.dump)->truncated);
    assert_int_equal(dump_get_facts(o.dump)->cpu_count, 0);
    close_opened(&o);
    make(&o, SAVED_STREAM);
    o.bytes.length = 40000;
    assert_hr(try_made(&o, NULL), S_OK);
    assert_true(dump_get_facts(o.dump)->truncated);
    assert_hr(dump_read_physical(o.dump, 4096 * 3, &byte, 1, NULL, NULL), S_OK);
    close_opened(&o);
    make(&o, SAVED_STREAM);
    o.bytes.length = 50; /* within the list of blocks */
    assert_hr(try_made(&o, NULL), HR_FILE_CORRUPT);
    close_opened(&o);
}

static void headers_that_lie(void **state) {
    static const struct {
        size_t at;
        const char *bytes;
        size_t length;
        HRESULT hr;
    } changes[] = {
        {8, "[]", 2, HR_FILE_CORRUPT},
        {4096, "QEVN", 4, HR_FILE_CORRUPT},
        {4096 + 9, "\0\0\1", 3, HR_FILE_CORRUPT}, /* the machine's name */
        {4096 + 29, "rom", 3, HR_NOT_SUPPORTED},  /* another section */
        {4096 + 47, "\x7F", 1, HR_NOT_SUPPORTED}, /* a flag of pages */
        {4096 + 40, "\x7F", 1, HR_FILE_CORRUPT},  /* so much memory */
    };
    (void)state;
    for (unsigned i = 0; i < HCS_COUNT(changes); i++) {
        struct opened o;
        make(&o, 0);
        memcpy(o.bytes.data + changes[i].at, changes[i].bytes,
               changes[i].length);
        assert_hr(try_made(&o, NULL), changes[i].hr);
        close_opened(&o);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_is_there),
        cmocka_unit_test(other_registers),
        cmocka_unit_test(pages_of_zeros),
        cmocka_unit_test(templates_have_no_memory),
        cmocka_unit_test(cut_off),
        cmocka_unit_test(headers_that_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
