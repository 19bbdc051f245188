/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/text.h"

static void copies(void **state) {
    char *copy = text_copy("");
    (void)state;
    assert_string_equal(copy, "");
    free(copy);
    copy = text_copy_n("abc", 2);
    assert_string_equal(copy, "ab");
    free(copy);
    faults_fail_from(1);
    assert_null(text_copy("x"));
    faults_fail_from(0);
    assert_int_equal(faults_live(), 0);
}

static void folds(void **state) {
    (void)state;
    assert_true(text_same_folded("", ""));
    assert_true(text_same_folded("COM1", "com1"));
    assert_false(text_same_folded("com1", "com"));
    assert_false(text_same_folded("com", "com1"));
    assert_false(text_same_folded("[", "{")); /* 0x20 apart, and no letters */
    assert_false(text_same_folded("\xc3\x84", "\xc3\xa4"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(copies),
                                       cmocka_unit_test(folds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
