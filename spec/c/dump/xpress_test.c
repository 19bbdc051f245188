/* SPDX-License-Identifier: MIT
 * The two packings of saved memory. */
#include "../base/unit.h"

#include "base/compiler.h"
#include "dump/crc32.h"
#include "dump/xpress.h"

/* The examples of [MS-XCA]. */
static void of_the_specification(void **state) {
    static const uint8_t letters[] = {
        0x3f, 0x00, 0x00, 0x00, 'a', 'b', 'c', 'd', 'e', 'f',
        'g',  'h',  'i',  'j',  'k', 'l', 'm', 'n', 'o', 'p',
        'q',  'r',  's',  't',  'u', 'v', 'w', 'x', 'y', 'z'};
    static const uint8_t abc[] = {0xff, 0xff, 0xff, 0x1f, 0x61, 0x62, 0x63,
                                  0x17, 0x00, 0x0f, 0xff, 0x26, 0x01};
    uint8_t out[300];
    (void)state;
    assert_true(xpress_unpack(letters, sizeof letters, out, 26));
    assert_memory_equal(out, "abcdefghijklmnopqrstuvwxyz", 26);
    assert_true(xpress_unpack(abc, sizeof abc, out, 300));
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(out[i], "abc"[i % 3]);
}

static void cut_short(void **state) {
    static const uint8_t abc[] = {0xff, 0xff, 0xff, 0x1f, 0x61, 0x62, 0x63,
                                  0x17, 0x00, 0x0f, 0xff, 0x26, 0x01};
    uint8_t out[400];
    (void)state;
    for (size_t size = 0; size < sizeof abc; size++) {
        uint8_t *copy = malloc(size ? size : 1); /* its end is watched */
        assert_non_null(copy);
        memcpy(copy, abc, size);
        assert_false(xpress_unpack(copy, size, out, 300));
        free(copy);
    }
    assert_false(xpress_unpack(abc, sizeof abc, out, 299)); /* too much */
    assert_false(xpress_unpack(abc, sizeof abc, out, 301)); /* too little */
}

static void before_the_beginning(void **state) {
    static const uint8_t bad[] = {0, 0, 0, 0x80, 8, 0};
    uint8_t out[8];
    (void)state;
    assert_false(xpress_unpack(bad, sizeof bad, out, sizeof out));
}

/* Two lengths share a byte, and 4-byte lengths. */
static void long_lengths(void **state) {
    static const uint8_t halves[] = {0, 0, 0, 0x60, 'x', 7, 0, 0x21, 7, 0};
    static const uint8_t large[] = {0,   0, 0, 0x40, 'y',  7, 0, 15,
                                    255, 0, 0, 0x70, 0x11, 1, 0};
    static uint8_t out[70004];
    (void)state;
    /* 1 + (1 + 7 + 3) + (2 + 7 + 3) */
    assert_true(xpress_unpack(halves, sizeof halves, out, 24));
    for (size_t i = 0; i < 24; i++)
        assert_int_equal(out[i], 'x');
    assert_true(xpress_unpack(large, sizeof large, out, 1 + 70000 + 3));
    for (size_t i = 0; i < sizeof out; i++)
        assert_int_equal(out[i], 'y');
}

static void records_that_lie(void **state) {
    static const struct {
        uint8_t bytes[20];
        size_t size;
    } bad[] = {
        {{0x00, 0x10, 0, 0, 'x'}, 5},           /* a page of one byte */
        {{0x01, 0x10, 0, 0, 'x'}, 5},           /* more than a page */
        {{0, 0, 0, 0}, 4},                      /* of nothing */
        {{0xFE, 0xFF, 0xFF, 0xFF, 1, 2, 3}, 7}, /* half a pattern */
        {{0xFD, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0}, 16},
        {{0xFC, 0xFF, 0xFF, 0xFF, 0, 0x20, 0, 0, 1, 0, 0, 0, 'x'}, 13},
        {{0xFE, 0xFF}, 2},
    };
    static uint8_t out[8192];
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(bad); i++)
        assert_false(pages_unpack(bad[i].bytes, bad[i].size, out, sizeof out));
    memset(out, 1, sizeof out);
    assert_true(pages_unpack(bad[0].bytes, 0, out, sizeof out));
    for (size_t i = 0; i < sizeof out; i++)
        assert_int_equal(out[i], 0);
}

static void sums(void **state) {
    uint8_t bytes[9] = "12345678";
    (void)state;
    assert_int_equal(crc32_add(0, "123456789", 9), 0xCBF43926);
    assert_int_equal(crc32_add(crc32_add(0, "1234", 4), "56789", 5),
                     0xCBF43926);
    assert_int_equal(crc32_add(0, NULL, 0), 0);
    memset(bytes + 2, 0, 4);
    assert_int_equal(crc32_without("12345678", 8, 2), crc32_add(0, bytes, 8));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_the_specification), cmocka_unit_test(cut_short),
        cmocka_unit_test(before_the_beginning), cmocka_unit_test(long_lengths),
        cmocka_unit_test(records_that_lie),     cmocka_unit_test(sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
