/* SPDX-License-Identifier: MIT */
#include "dump_unit.h"

#include "put.h"

static void open_elf(struct opened *o, unsigned options) {
    memset(o, 0, sizeof *o);
    make_guest(&o->guest, GUEST_LOG_RING);
    make_elf(&o->guest, options, &o->bytes);
    open_bytes(o);
}

static void all_of_it_is_there(void **state) {
    static const unsigned options[] = {0, ELF_PAGING, ELF_MANY,
                                       ELF_PAGING | ELF_MANY};
    (void)state;
    for (unsigned i = 0; i < HCS_COUNT(options); i++) {
        struct opened o;
        open_elf(&o, options[i]);
        assert_int_equal(dump_get_facts(o.dump)->format, DUMP_FORMAT_ELF);
        assert_string_equal(dump_get_facts(o.dump)->format_name, "elf");
        assert_false(dump_get_facts(o.dump)->truncated);
        assert_null(dump_get_bugcheck(o.dump));
        assert_memory(&o);
        assert_registers(&o);
        assert_kernel(&o);
        close_opened(&o);
    }
}

static void qemu_notes_have_all_registers(void **state) {
    struct dump_cpu cpu;
    struct opened o;
    (void)state;
    open_elf(&o, 0);
    assert_hr(dump_get_cpu(o.dump, 1, &cpu, NULL), S_OK);
    assert_int_equal(cpu.values[DUMP_REG_RFLAGS].number, guest_register(1, 17));
    assert_int_equal(cpu.values[DUMP_REG_CR0].number, 0x80050033);
    assert_int_equal(cpu.values[DUMP_REG_CR2].number, 0xC2);
    assert_int_equal(cpu.values[DUMP_REG_CR3].number, GUEST_ROOT);
    assert_int_equal(cpu.values[DUMP_REG_CR4].number, 0x6F0);
    assert_int_equal(cpu.values[DUMP_REG_KERNEL_GS_BASE].number,
                     UINT64_C(0x6500650065006500));
    assert_int_equal(cpu.values[DUMP_REG_CS].segment.selector, 8);
    assert_int_equal(cpu.values[DUMP_REG_CS].segment.limit, 0x7FFF);
    assert_int_equal(cpu.values[DUMP_REG_CS].segment.attributes, 0xA09B);
    assert_int_equal(cpu.values[DUMP_REG_GS].segment.base,
                     UINT64_C(0xFFFF000000000004));
    assert_int_equal(cpu.values[DUMP_REG_IDTR].table.base,
                     UINT64_C(0xFFFF000000000009));
    assert_int_equal(cpu.values[DUMP_REG_IDTR].table.limit, 0x8008);
    assert_false(cpu.known[DUMP_REG_EFER]);
    assert_false(cpu.known[DUMP_REG_XMM0]);
    close_opened(&o);
}

/* As a kernel that saved itself writes them: threads' registers only, and the
 * kernel's notes lead to its memory. */
static void without_qemu(void **state) {
    struct dump_cpu cpu;
    struct opened o;
    (void)state;
    open_elf(&o, ELF_NO_QEMU);
    assert_registers(&o);
    assert_kernel(&o);
    assert_hr(dump_get_cpu(o.dump, 0, &cpu, NULL), S_OK);
    assert_false(cpu.known[DUMP_REG_CR3]);
    assert_int_equal(cpu.values[DUMP_REG_CS].segment.selector, 0x10);
    assert_int_equal(cpu.values[DUMP_REG_FS].segment.base, 0xF5BA5E00);
    close_opened(&o);
}

static void what_is_cut_off_is_told(void **state) {
    struct opened o = {0};
    size_t got = 0;
    uint8_t byte;
    (void)state;
    make_guest(&o.guest, GUEST_LOG_RING);
    make_elf(&o.guest, 0, &o.bytes);
    o.bytes.length -= GUEST_HIGH + 100;
    open_bytes(&o);
    assert_true(dump_get_facts(o.dump)->truncated);
    assert_range(o.dump, 0, 0, GUEST_LOW - 100);
    assert_no_range(o.dump, GUEST_LOW - 100);
    assert_hr(dump_read_physical(o.dump, GUEST_LOW - 100, &byte, 1, &got, NULL),
              VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND);
    assert_kernel(&o);
    close_opened(&o);
}

static HRESULT try_changed(size_t at, const void *bytes, size_t length,
                           struct hcs_error *error) {
    struct opened o = {0};
    HRESULT hr;

    make_guest(&o.guest, GUEST_LOG_NONE);
    make_elf(&o.guest, 0, &o.bytes);
    memcpy(o.bytes.data + at, bytes, length);
    hr = dump_open_memory(o.bytes.data, o.bytes.length, &o.dump, error);
    close_opened(&o);
    return hr;
}

static void headers_that_lie(void **state) {
    static const uint8_t ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    struct hcs_error error = {0};
    (void)state;
    assert_hr(try_changed(32, ones, 8, NULL), HR_FILE_CORRUPT); /* table */
    assert_hr(try_changed(54, "\x37\0", 2, NULL), HR_FILE_CORRUPT);
    assert_hr(try_changed(56, "\xFE\xFF", 2, NULL), HR_FILE_CORRUPT);
    assert_hr(try_changed(56, "\1\0", 2, &error), HR_FILE_CORRUPT);
    assert_non_null(strstr(error.text, "no memory"));
    assert_hr(try_changed(0, "\177ELG", 4, &error), HR_FILE_CORRUPT);
    assert_non_null(strstr(error.text, "no dump"));
    /* A segment at the end of all addresses. */
    assert_hr(try_changed(128 + 56 + 24, ones, 8, NULL), HR_FILE_CORRUPT);
    /* One that lies past the file has nothing, the other one remains. */
    assert_hr(try_changed(128 + 56 + 8, ones, 7, NULL), S_OK);
}

static void a_process_is_no_machine(void **state) {
    struct opened o = {0};
    struct hcs_error error = {0};
    unsigned i;
    (void)state;
    make_guest(&o.guest, GUEST_LOG_NONE);
    o.guest.notes[0] = '\0';
    make_elf(&o.guest, ELF_NO_QEMU, &o.bytes);
    for (i = 1; i <= 2; i++) {
        le64_to(o.bytes.data + 128 + 56 * i + 16, 0x400000);
        le64_to(o.bytes.data + 128 + 56 * i + 24, 0);
    }
    assert_hr(dump_open_memory(o.bytes.data, o.bytes.length, &o.dump, &error),
              HR_NOT_SUPPORTED);
    assert_non_null(strstr(error.text, "process"));
    close_opened(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_is_there),
        cmocka_unit_test(qemu_notes_have_all_registers),
        cmocka_unit_test(without_qemu),
        cmocka_unit_test(what_is_cut_off_is_told),
        cmocka_unit_test(headers_that_lie),
        cmocka_unit_test(a_process_is_no_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
