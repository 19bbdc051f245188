/* SPDX-License-Identifier: MIT */
#include "dump_unit.h"

#include "dump/unpack.h"
#include "put.h"

static void make(struct opened *o, unsigned flag, unsigned options) {
    memset(o, 0, sizeof *o);
    make_guest(&o->guest, GUEST_LOG_RECORDS);
    make_kdump(&o->guest, flag, options, &o->bytes);
}

static void each_compression(void **state) {
    static const struct {
        unsigned flag;
        const char *name, *flat_name;
        enum pack pack;
    } kinds[] = {{0, "uncompressed", "uncompressed, flattened", PACK_LZO},
                 {1, "zlib", "zlib, flattened", PACK_ZLIB},
                 {2, "lzo", "lzo, flattened", PACK_LZO},
                 {4, "snappy", "snappy, flattened", PACK_SNAPPY},
                 {0x20, "zstd", "zstd, flattened", PACK_ZSTD}};
    (void)state;
    for (unsigned i = 0; i < HCS_COUNT(kinds); i++) {
        for (unsigned flat = 0; flat < 2; flat++) {
            struct opened o;
            if (!unpack_can(kinds[i].pack))
                continue;
            make(&o, kinds[i].flag,
                 (flat ? KDUMP_FLAT : 0) | (i % 2 ? KDUMP_OLD : 0));
            open_bytes(&o);
            assert_int_equal(dump_get_facts(o.dump)->format, DUMP_FORMAT_KDUMP);
            assert_string_equal(dump_get_facts(o.dump)->variant,
                                flat ? kinds[i].flat_name : kinds[i].name);
            assert_false(dump_get_facts(o.dump)->truncated);
            assert_memory(&o);
            assert_registers(&o);
            assert_kernel(&o);
            close_opened(&o);
        }
    }
}

static void what_cannot_be_unpacked_is_named(void **state) {
    struct hcs_error error = {0};
    struct opened o;
    uint8_t byte;
    (void)state;
    if (unpack_can(PACK_ZSTD))
        return; /* this build can unpack them all */
    make(&o, 0, 0);
    le32_to(o.bytes.data + 3 * 4096 + 2 * 33 * 4096 + 12, 0x20);
    open_bytes(&o);
    assert_hr(dump_read_physical(o.dump, 0, &byte, 1, NULL, &error),
              HR_NOT_SUPPORTED);
    assert_non_null(strstr(error.text, "zstd"));
    close_opened(&o);
}

static void pages_that_were_left_out(void **state) {
    struct opened o;
    uint8_t byte;
    (void)state;
    make(&o, 1, KDUMP_EXCLUDED);
    open_bytes(&o);
    assert_range(o.dump, 0, 0, 6 * 4096);
    assert_range(o.dump, 6 * 4096, 7 * 4096, 6 * 4096);
    assert_hr(dump_read_physical(o.dump, 6 * 4096, &byte, 1, NULL, NULL),
              VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND);
    for (uint64_t page = 0; page < GUEST_LOW / 4096; page++) {
        if (page % 7 == 6)
            continue;
        assert_hr(
            dump_read_physical(o.dump, page * 4096 + 5, &byte, 1, NULL, NULL),
            S_OK);
        assert_int_equal(byte, o.guest.ram[page * 4096 + 5]);
    }
    close_opened(&o);
}

static void a_part_of_a_split_dump(void **state) {
    (void)state;
    for (unsigned old = 0; old < 2; old++) {
        struct opened o;
        uint8_t byte;
        make(&o, 1, KDUMP_SPLIT | (old ? KDUMP_OLD : 0));
        open_bytes(&o);
        assert_range(o.dump, 0, 0, 16 * 4096);
        assert_no_range(o.dump, 16 * 4096);
        assert_hr(dump_read_physical(o.dump, 16 * 4096, &byte, 1, NULL, NULL),
                  VM_SAVED_STATE_DUMP_E_GUEST_MEMORY_NOT_FOUND);
        assert_hr(
            dump_read_physical(o.dump, 16 * 4096 - 1, &byte, 1, NULL, NULL),
            S_OK);
        close_opened(&o);
    }
}

static HRESULT try_changed(size_t at, const void *bytes, size_t length,
                           struct hcs_error *error) {
    struct opened o;
    HRESULT hr;

    make(&o, 1, 0);
    memcpy(o.bytes.data + at, bytes, length);
    hr = dump_open_memory(o.bytes.data, o.bytes.length, &o.dump, error);
    close_opened(&o);
    return hr;
}

static void headers_that_lie(void **state) {
    static const uint8_t ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    (void)state;
    assert_hr(try_changed(272, "i686\0\0", 7, NULL), HR_NOT_SUPPORTED);
    assert_hr(try_changed(8, "\0", 1, NULL), HR_NOT_SUPPORTED);
    assert_hr(try_changed(428, "\0\0\0\0", 4, NULL), HR_FILE_CORRUPT);
    assert_hr(try_changed(428, ones, 4, NULL), HR_FILE_CORRUPT);
    assert_hr(try_changed(432, ones, 4, NULL), HR_FILE_CORRUPT);
    assert_hr(try_changed(436, "\0\0\0\0", 4, NULL), HR_FILE_CORRUPT);
    assert_hr(try_changed(4096 + 96, ones, 8, NULL), HR_FILE_CORRUPT);
    /* Notes that lie past the file are none. */
    assert_hr(try_changed(4096 + 48, ones, 7, NULL), S_OK);
}

/* A page whose descriptor or bytes are wrong is an error, the others remain. */
static void pages_that_lie(void **state) {
    static const struct {
        unsigned at, bytes;
        HRESULT hr;
    } changes[] = {{0, 8, HR_FILE_CORRUPT}, {8, 4, HR_FILE_CORRUPT}};
    const size_t descriptors = 3 * 4096 + 2 * 33 * 4096;
    (void)state;
    for (unsigned i = 0; i < HCS_COUNT(changes); i++) {
        struct opened o;
        uint8_t byte;
        make(&o, 1, 0);
        memset(o.bytes.data + descriptors + 24 + changes[i].at, 0x7F,
               changes[i].bytes);
        open_bytes(&o);
        assert_hr(dump_read_physical(o.dump, 4096, &byte, 1, NULL, NULL),
                  changes[i].hr);
        assert_hr(dump_read_physical(o.dump, 8192, &byte, 1, NULL, NULL), S_OK);
        close_opened(&o);
    }
}

static void flattened_without_an_end(void **state) {
    struct opened o;
    (void)state;
    make(&o, 1, KDUMP_FLAT);
    o.bytes.length -= 16 + 100;
    open_bytes(&o);
    assert_true(dump_get_facts(o.dump)->truncated);
    close_opened(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_compression),
        cmocka_unit_test(what_cannot_be_unpacked_is_named),
        cmocka_unit_test(pages_that_were_left_out),
        cmocka_unit_test(a_part_of_a_split_dump),
        cmocka_unit_test(headers_that_lie),
        cmocka_unit_test(pages_that_lie),
        cmocka_unit_test(flattened_without_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
