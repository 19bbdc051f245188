/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>

#include "base/error.h"
#include "base/utf.h"

static void set_fills(void **state) {
    struct hcs_error error;
    (void)state;
    memset(&error, 0xA5, sizeof error);
    assert_hr(error_set(&error, E_INVALIDARG, "$.A", "no %s, %d", "way", 7),
              E_INVALIDARG);
    assert_hr(error.code, E_INVALIDARG);
    assert_string_equal(error.path, "$.A");
    assert_string_equal(error.text, "no way, 7");
    error_set(&error, E_FAIL, NULL, "x");
    assert_string_equal(error.path, "");
}

static void null_is_allowed(void **state) {
    (void)state;
    assert_hr(error_set(NULL, E_FAIL, "$", "x"), E_FAIL);
    assert_hr(error_wrap(NULL, E_HANDLE, "x"), E_HANDLE);
    assert_hr(error_errno(NULL, ENOENT, "x"), HR_FILE_NOT_FOUND);
}

static void arguments_may_lie_in_the_error(void **state) {
    struct hcs_error error = {0};
    (void)state;
    error_set(&error, E_FAIL, "$.Here", "inner");
    error_set(&error, HR_NOT_FOUND, error.path, "outer (%s)", error.text);
    assert_string_equal(error.text, "outer (inner)");
    assert_string_equal(error.path, "$.Here");
    error_wrap(&error, E_FAIL, "at %s", error.path);
    assert_string_equal(error.text, "at $.Here: outer (inner)");
    assert_hr(error.code, HR_NOT_FOUND);
}

static void wrap_completes(void **state) {
    struct hcs_error error = {0};
    (void)state;
    assert_hr(error_wrap(&error, E_UNEXPECTED, "only"), E_UNEXPECTED);
    assert_string_equal(error.text, "only");
    assert_hr(error_wrap(&error, E_FAIL, "more"), E_UNEXPECTED);
    assert_string_equal(error.text, "more: only");
}

/* Any text of any length stays UTF-8 when it is cut. */
static void cuts_at_a_character(void **state) {
    static const char *const wide[] = {"a", "\xC3\xA9", "\xE2\x82\xAC",
                                       "\xF0\x9F\x98\x80"};
    (void)state;
    for (size_t w = 0; w < 4; w++) {
        for (size_t shift = 0; shift < 4; shift++) {
            struct hcs_error error = {0};
            char text[2000] = "";
            memset(text, '.', shift);
            for (int i = 0; i < 300; i++)
                strcat(text, wide[w]);
            error_set(&error, E_FAIL, text, "%s%s", text, text);
            assert_true(utf8_valid(error.text, strlen(error.text)));
            assert_true(utf8_valid(error.path, strlen(error.path)));
            assert_in_range(strlen(error.text), sizeof error.text - 4,
                            sizeof error.text - 1);
            assert_in_range(strlen(error.path), sizeof error.path - 4,
                            sizeof error.path - 1);
            error_wrap(&error, E_FAIL, "prefix");
            assert_true(utf8_valid(error.text, strlen(error.text)));
            assert_memory_equal(error.text, "prefix: ", 8);
        }
    }
}

/* A quotation may be no UTF-8, or cut in the middle of a character. */
static void quotes_become_characters(void **state) {
    struct hcs_error error = {0};
    (void)state;
    error_set(&error, E_FAIL, "$.\xff", "\"%.4s\" \xc3 %s", "abc\xc3\xa4",
              "\xc3\xa4\x80");
    assert_string_equal(error.text, "\"abc?\" ? \xc3\xa4?");
    assert_string_equal(error.path, "$.?");
    error_wrap(&error, E_FAIL, "\xff");
    assert_string_equal(error.text, "?: \"abc?\" ? \xc3\xa4?");
    error_errno(&error, ENOENT, "\xfe");
    assert_string_equal(error.text, "?: No such file or directory");
}

static void errno_adds_its_text(void **state) {
    struct hcs_error error = {.path = "$.old"};
    (void)state;
    assert_hr(error_errno(&error, ENOENT, "open %s", "/x"), HR_FILE_NOT_FOUND);
    assert_string_equal(error.text, "open /x: No such file or directory");
    assert_string_equal(error.path, "");
    error_errno(&error, 99999, "do");
    assert_string_equal(error.text, "do: system error 99999");
    assert_hr(error.code, E_FAIL);
}

static void errno_maps_as_windows_does(void **state) {
    static const struct {
        int number;
        uint32_t code;
    } cases[] = {
        {ENOENT, 0x80070002},  {EACCES, 0x80070005},    {EPERM, 0x80070005},
        {EEXIST, 0x80070050},  {ENOSPC, 0x80070070},    {ENOMEM, 0x8007000E},
        {EINVAL, 0x80070057},  {EBUSY, 0x80070020},     {ETXTBSY, 0x80070020},
        {ENOTDIR, 0x80070003}, {EIO, 0x8007045D},       {EMFILE, 0x800705AA},
        {ENFILE, 0x800705AA},  {ETIMEDOUT, 0x800705B4}, {EBADF, 0x80070006},
        {ENOSYS, 0x80070032},  {0, 0x80004005},         {-5, 0x80004005},
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(cases); i++)
        assert_hr(hresult_from_errno(cases[i].number), cases[i].code);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_fills),
        cmocka_unit_test(null_is_allowed),
        cmocka_unit_test(arguments_may_lie_in_the_error),
        cmocka_unit_test(wrap_completes),
        cmocka_unit_test(cuts_at_a_character),
        cmocka_unit_test(quotes_become_characters),
        cmocka_unit_test(errno_adds_its_text),
        cmocka_unit_test(errno_maps_as_windows_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
