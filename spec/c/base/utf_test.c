/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/utf.h"

/* Every character there is, both ways. */
static void every_character(void **state) {
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        char bytes[4];
        uint32_t again = 0;
        size_t length;
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        length = utf8_put(code, bytes);
        if (utf8_step(bytes, length, &again) != length || again != code)
            fail_msg("U+%04X", code);
        for (size_t cut = 0; cut < length; cut++)
            if (utf8_step(bytes, cut, &again) != 0)
                fail_msg("U+%04X cut to %zu", code, cut);
    }
}

static void ill_formed(void **state) {
    static const char *const bad[] = {
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xC3",
        "\xC3(",
        "\xE0\x80\x80",
        "\xE0\x9F\xBF",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xE2\x82",
        "\xE2(\xA1",
        "\xF0\x80\x80\x80",
        "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF0\x9F\x98",
        "\xF8\x88\x80\x80\x80",
        "\xFE",
        "\xFF",
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(bad); i++) {
        struct hcs_error error = {0};
        char text[32];
        PWSTR wide = NULL;
        int length = snprintf(text, sizeof text, "ok%s", bad[i]);
        assert_false(utf8_valid(text, (size_t)length));
        assert_hr(utf16_from_utf8(text, (size_t)length, &wide, NULL, &error),
                  HR_INVALID_DATA);
        assert_string_equal(error.text, "byte 2 is not valid UTF-8");
        assert_null(wide);
    }
    assert_true(utf8_valid("", 0));
    assert_true(utf8_valid("a\0\xC3\xA9", 4));
}

static void both_ways(void **state) {
    static const char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\0z";
    static const WCHAR units[] = {'a', 0xE9, 0x20AC, 0xD83D, 0xDE00, 0, 'z', 0};
    size_t length = 99;
    PWSTR wide;
    char *narrow;
    (void)state;
    assert_hr(utf16_from_utf8(text, sizeof text - 1, &wide, &length, NULL),
              S_OK);
    assert_int_equal(length, 7);
    assert_memory_equal(wide, units, sizeof units);
    assert_int_equal(utf16_length(wide), 5);
    assert_hr(utf8_from_utf16(wide, length, &narrow, &length, NULL), S_OK);
    assert_int_equal(length, sizeof text - 1);
    assert_memory_equal(narrow, text, sizeof text);
    free(wide);
    free(narrow);
    assert_int_equal(faults_live(), 0);
}

static void empty_texts(void **state) {
    static const WCHAR none[] = {0};
    size_t length = 99;
    PWSTR wide;
    char *narrow;
    (void)state;
    assert_hr(utf16_from_utf8("", 0, &wide, &length, NULL), S_OK);
    assert_int_equal(length, 0);
    assert_int_equal(wide[0], 0);
    assert_hr(utf8_from_utf16(none, 0, &narrow, &length, NULL), S_OK);
    assert_int_equal(length, 0);
    assert_string_equal(narrow, "");
    free(wide);
    free(narrow);
}

static void lone_surrogates(void **state) {
    static const WCHAR texts[][4] = {
        {'a', 0xD800},
        {'a', 0xDC00},
        {'a', 0xD800, 'b'},
        {'a', 0xDBFF, 0xD800, 0xDC00},
        {'a', 0xDFFF, 0xD800},
        {'a', 0xD800, 0xDC00}, /* whose other half is past the end */
    };
    static const size_t lengths[] = {2, 2, 3, 4, 3, 2};
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(texts); i++) {
        struct hcs_error error = {0};
        char *out = NULL;
        assert_hr(utf8_from_utf16(texts[i], lengths[i], &out, NULL, &error),
                  HR_INVALID_DATA);
        assert_string_equal(error.text, "unit 1 is a lone surrogate");
        assert_null(out);
    }
}

static void out_of_memory(void **state) {
    static const WCHAR wide[] = {'a', 0};
    struct hcs_error error = {0};
    PWSTR units = NULL;
    char *bytes = NULL;
    (void)state;
    faults_fail_from(1);
    assert_hr(utf16_from_utf8("a", 1, &units, NULL, &error), E_OUTOFMEMORY);
    assert_hr(error.code, E_OUTOFMEMORY);
    error.code = S_OK;
    assert_hr(utf8_from_utf16(wide, 1, &bytes, NULL, &error), E_OUTOFMEMORY);
    assert_hr(error.code, E_OUTOFMEMORY);
    faults_fail_from(0);
    assert_null(units);
    assert_null(bytes);
    assert_int_equal(faults_live(), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character), cmocka_unit_test(ill_formed),
        cmocka_unit_test(both_ways),       cmocka_unit_test(empty_texts),
        cmocka_unit_test(lone_surrogates), cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
