/* SPDX-License-Identifier: MIT
 * .vmrs files: those that are good, and those that lie. */
#include "dump_unit.h"

#include "dump/bytes.h"
#include "dump/crc32.h"
#include "dump/hvs.h"
#include "dump/hvs_format.h"
#include "dump/put.h"

static void open_vmrs(struct opened *o, unsigned options) {
    memset(o, 0, sizeof *o);
    make_guest(&o->guest, GUEST_LOG_RING);
    make_vmrs(&o->guest, options, &o->bytes);
    open_bytes(o);
}

static void all_of_it_is_there(void **state) {
    static const unsigned options[] = {0, VMRS_PACKED, VMRS_LOG,
                                       VMRS_PACKED | VMRS_LOG};
    (void)state;
    for (unsigned i = 0; i < HCS_COUNT(options); i++) {
        struct opened o;
        open_vmrs(&o, options[i]);
        assert_int_equal(dump_get_facts(o.dump)->format, DUMP_FORMAT_VMRS);
        assert_string_equal(dump_get_facts(o.dump)->variant,
                            options[i] & VMRS_LOG ? "its replay log pending"
                                                  : "");
        assert_memory(&o);
        assert_registers(&o);
        assert_kernel(&o);
        close_opened(&o);
    }
}

/* As another program writes it: registers that nobody says are unknown are
 * known, and the system is what it told the hypervisor. */
static void without_what_is_ours(void **state) {
    struct dump_cpu cpu;
    struct opened o;
    (void)state;
    open_vmrs(&o, VMRS_PACKED | VMRS_FOREIGN);
    assert_memory(&o);
    assert_registers(&o);
    assert_int_equal(dump_get_facts(o.dump)->os, DUMP_OS_LINUX);
    assert_string_equal(dump_get_facts(o.dump)->os_release, "6.1.3");
    assert_null(dump_get_vmcoreinfo(o.dump, NULL));
    assert_hr(dump_get_cpu(o.dump, 1, &cpu, NULL), S_OK);
    assert_true(cpu.known[DUMP_REG_DR7]);
    assert_false(cpu.known[DUMP_REG_KERNEL_GS_BASE]);
    assert_int_equal(cpu.values[DUMP_REG_CS].segment.selector, 8);
    assert_int_equal(cpu.values[DUMP_REG_CS].segment.attributes, 0xA09B);
    assert_int_equal(cpu.values[DUMP_REG_IDTR].table.limit, 0x8008);
    assert_int_equal(cpu.values[DUMP_REG_CR3].number, GUEST_ROOT);
    close_opened(&o);
}

/* Ours says which registers are not known. */
static void what_is_not_known_stays_so(void **state) {
    struct dump_cpu cpu;
    struct opened o;
    (void)state;
    open_vmrs(&o, 0);
    assert_hr(dump_get_cpu(o.dump, 0, &cpu, NULL), S_OK);
    assert_false(cpu.known[DUMP_REG_EFER]);
    assert_false(cpu.known[DUMP_REG_XMM0]);
    assert_true(cpu.known[DUMP_REG_KERNEL_GS_BASE]);
    close_opened(&o);
}

/* --- damage --------------------------------------------------------------- */

static HRESULT try_bytes(const struct bytes *bytes, size_t length) {
    struct hcs_error error = {0};
    struct dump *dump;
    HRESULT hr = dump_open_memory(bytes->data, length, &dump, &error);
    if (FAILED(hr))
        assert_true(error.text[0] != 0);
    dump_close(dump);
    return hr;
}

static void made(struct bytes *out, unsigned options) {
    struct guest *guest = malloc(sizeof *guest);
    assert_non_null(guest);
    make_guest(guest, GUEST_LOG_RING);
    make_vmrs(guest, options, out);
    free(guest);
}

static void truncated(void **state) {
    struct bytes bytes = {0};
    (void)state;
    made(&bytes, 0);
    for (size_t length = 0; length < bytes.length; length += 3001)
        assert_true(FAILED(try_bytes(&bytes, length)));
    assert_hr(try_bytes(&bytes, bytes.length), S_OK);
    bytes_free(&bytes);
}

static void one_header_is_enough(void **state) {
    struct bytes bytes = {0};
    (void)state;
    made(&bytes, 0);
    bytes.data[20] ^= 1;
    assert_hr(try_bytes(&bytes, bytes.length), S_OK);
    bytes.data[0] ^= 1;
    assert_hr(try_bytes(&bytes, bytes.length), S_OK);
    bytes.data[HVS_PAGE + 20] ^= 1;
    assert_true(FAILED(try_bytes(&bytes, bytes.length)));
    bytes_free(&bytes);
}

static void sum_headers(struct bytes *bytes) {
    for (size_t at = 0; at <= HVS_PAGE; at += HVS_PAGE)
        put32(bytes->data + at + HVS_HEADER_SUM,
              crc32_without(bytes->data + at, HVS_HEADER_SIZE, HVS_HEADER_SUM));
}

static void other_versions(void **state) {
    struct bytes bytes = {0};
    (void)state;
    made(&bytes, 0);
    put32(bytes.data + HVS_HEADER_VERSION, 0x0301);
    put32(bytes.data + HVS_PAGE + HVS_HEADER_VERSION, 0x0301);
    sum_headers(&bytes);
    assert_hr(try_bytes(&bytes, bytes.length), HR_NOT_SUPPORTED);
    bytes_free(&bytes);
}

static void log_somewhere_else(void **state) {
    static const uint64_t places[] = {0, 1u << 30, UINT64_MAX, HVS_OBJECTS_AT};
    struct bytes bytes = {0};
    (void)state;
    made(&bytes, 0);
    for (unsigned i = 0; i < HCS_COUNT(places); i++) {
        put64(bytes.data + HVS_HEADER_LOG, places[i]);
        sum_headers(&bytes);
        assert_hr(try_bytes(&bytes, bytes.length), HR_FILE_CORRUPT);
    }
    bytes_free(&bytes);
}

static void log_entries_that_lie(void **state) {
    struct bytes bytes = {0};
    uint8_t *log;
    (void)state;
    made(&bytes, VMRS_LOG);
    log = bytes.data + le64(bytes.data + HVS_HEADER_LOG);
    log[1024] ^= 1; /* the data */
    assert_hr(try_bytes(&bytes, bytes.length), HR_FILE_CORRUPT);
    log[1024] ^= 1;
    assert_hr(try_bytes(&bytes, bytes.length), S_OK);
    log[HVS_LOG_HEADER + HVS_LOG_ENTRY_TO] ^= 1;
    assert_hr(try_bytes(&bytes, bytes.length), HR_FILE_CORRUPT);
    put64(log + HVS_LOG_HEADER + HVS_LOG_ENTRY_TO, UINT64_MAX - 5);
    put32(log + HVS_LOG_HEADER,
          crc32_without(log + HVS_LOG_HEADER, HVS_LOG_ENTRY, 0));
    assert_hr(try_bytes(&bytes, bytes.length), HR_FILE_CORRUPT);
    put32(log + HVS_LOG_COUNT, UINT32_MAX);
    put32(log + HVS_LOG_SUM, crc32_without(log, HVS_LOG_HEADER, HVS_LOG_SUM));
    assert_hr(try_bytes(&bytes, bytes.length), HR_FILE_CORRUPT);
    bytes_free(&bytes);
}

static void set_object(uint8_t *entry, unsigned type, uint64_t offset,
                       uint32_t size) {
    entry[0] = (uint8_t)type;
    put64(entry + HVS_OBJECT_OFFSET, offset);
    put32(entry + HVS_OBJECT_LENGTH, size);
    put32(entry + HVS_OBJECT_SUM,
          crc32_without(entry, HVS_OBJECT_SIZE, HVS_OBJECT_SUM));
}

static void tables_in_a_circle(void **state) {
    struct bytes bytes = {0};
    uint8_t *table, *last;
    (void)state;
    made(&bytes, 0);
    table = bytes.data + HVS_OBJECTS_AT;
    last = table + HVS_OBJECTS_HEADER +
           (size_t)HVS_OBJECT_SIZE * (le32(table + 4) - 1);
    set_object(last, HVS_OBJECT_TABLE, HVS_OBJECTS_AT, HVS_PAGE);
    assert_hr(try_bytes(&bytes, bytes.length), HR_FILE_CORRUPT);
    set_object(last, HVS_OBJECT_TABLE, UINT64_MAX - 3, HVS_PAGE);
    assert_hr(try_bytes(&bytes, bytes.length), HR_FILE_CORRUPT);
    set_object(last, HVS_EMPTY, 0, 0);
    assert_hr(try_bytes(&bytes, bytes.length), S_OK);
    put32(table + 4, UINT32_MAX);
    assert_hr(try_bytes(&bytes, bytes.length), HR_FILE_CORRUPT);
    bytes_free(&bytes);
}

static void tables_of_keys_that_lie(void **state) {
    struct bytes bytes = {0};
    uint8_t *object, *keys;
    uint64_t offset;
    (void)state;
    made(&bytes, 0);
    object = bytes.data + HVS_OBJECTS_AT + HVS_OBJECTS_HEADER;
    assert_int_equal(object[0], HVS_KEY_TABLE);
    offset = le64(object + HVS_OBJECT_OFFSET);
    set_object(object, HVS_KEY_TABLE, offset, UINT32_MAX);
    assert_hr(try_bytes(&bytes, bytes.length), HR_FILE_CORRUPT);
    set_object(object, HVS_KEY_TABLE, offset, 5);
    assert_hr(try_bytes(&bytes, bytes.length), HR_FILE_CORRUPT);
    set_object(object, HVS_KEY_TABLE, UINT64_MAX - 9, HVS_PAGE);
    assert_hr(try_bytes(&bytes, bytes.length), HR_FILE_CORRUPT);
    set_object(object, HVS_KEY_TABLE, offset, HVS_PAGE);
    assert_hr(try_bytes(&bytes, bytes.length), S_OK);
    keys = bytes.data + offset;
    keys[HVS_KEYS_HEADER + HVS_ENTRY_HEADER + 1] ^= 1; /* a name */
    assert_hr(try_bytes(&bytes, bytes.length), HR_FILE_CORRUPT);
    bytes_free(&bytes);
}

/* Whatever single bit is another one: refused, or not noticed, since it is in
 * the memory, in a copy of the header that does not count, or in a gap. */
static void bits(void **state) {
    struct bytes bytes = {0};
    (void)state;
    made(&bytes, VMRS_LOG);
    for (size_t i = 0; i < 4000; i++) {
        size_t at = i * 7919 * 13 % bytes.length;
        if (i < 1500)
            at = i * 11 % (HVS_OBJECTS_AT + HVS_PAGE);
        bytes.data[at] ^= (uint8_t)(1u << i % 8);
        try_bytes(&bytes, bytes.length);
        bytes.data[at] ^= (uint8_t)(1u << i % 8);
    }
    assert_hr(try_bytes(&bytes, bytes.length), S_OK);
    bytes_free(&bytes);
}

static void out_of_memory(void **state) {
    struct bytes bytes = {0};
    struct dump *dump;
    long live;
    size_t n = 1;
    (void)state;
    made(&bytes, VMRS_PACKED | VMRS_LOG);
    live = faults_live();
    for (;; n++) {
        struct hcs_error error = {0};
        struct dump_cpu cpu;
        uint8_t byte;
        HRESULT hr;
        faults_fail_from(n);
        hr = dump_open_memory(bytes.data, bytes.length, &dump, &error);
        if (SUCCEEDED(hr))
            hr = dump_read_physical(dump, 0x1234, &byte, 1, NULL, &error);
        if (SUCCEEDED(hr))
            hr = dump_get_cpu(dump, 1, &cpu, &error);
        faults_fail_from(0);
        dump_close(dump);
        assert_int_equal(faults_live(), live);
        if (SUCCEEDED(hr))
            break;
        assert_hr(hr, E_OUTOFMEMORY);
    }
    assert_true(n > 10);
    bytes_free(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_it_is_there),
        cmocka_unit_test(without_what_is_ours),
        cmocka_unit_test(what_is_not_known_stays_so),
        cmocka_unit_test(truncated),
        cmocka_unit_test(one_header_is_enough),
        cmocka_unit_test(other_versions),
        cmocka_unit_test(log_somewhere_else),
        cmocka_unit_test(log_entries_that_lie),
        cmocka_unit_test(tables_in_a_circle),
        cmocka_unit_test(tables_of_keys_that_lie),
        cmocka_unit_test(bits),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
