/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <math.h>

#include "base/json.h"

static struct buf out;
static struct json_writer w = {&out, false};

static int setup(void **state) {
    (void)state;
    w.comma = false;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    buf_free(&out);
    return faults_live() != 0;
}

static void commas_are_its_business(void **state) {
    (void)state;
    json_begin_object(&w);
    json_pair_string(&w, "s", "x");
    json_pair_int(&w, "i", INT64_MIN);
    json_pair_uint(&w, "u", UINT64_MAX);
    json_pair_bool(&w, "b", false);
    json_pair_string(&w, "none", NULL);
    json_key(&w, "empty");
    json_begin_array(&w);
    json_end_array(&w);
    json_key(&w, "list");
    json_begin_array(&w);
    json_begin_object(&w);
    json_end_object(&w);
    json_put_null(&w);
    json_put_bool(&w, true);
    json_put_raw(&w, "{\"raw\":[1]}", 11);
    json_put_double(&w, 0.5);
    json_begin_array(&w);
    json_put_int(&w, 1);
    json_end_array(&w);
    json_end_array(&w);
    json_key_n(&w, "cut", 1);
    json_put_uint(&w, 2);
    json_end_object(&w);
    assert_string_equal(out.data,
                        "{\"s\":\"x\",\"i\":-9223372036854775808,"
                        "\"u\":18446744073709551615,\"b\":false,"
                        "\"none\":null,\"empty\":[],\"list\":[{},null,true,"
                        "{\"raw\":[1]},0.5,[1]],\"c\":2}");
}

static void escapes(void **state) {
    char all[128];
    (void)state;
    for (int i = 0; i < 128; i++)
        all[i] = (char)i;
    json_put_string_n(&w, all, sizeof all);
    assert_string_equal(
        out.data,
        "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n"
        "\\u000b\\f\\r\\u000e\\u000f\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015"
        "\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d\\u001e\\u001f"
        " !\\\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\\\]"
        "^_`abcdefghijklmnopqrstuvwxyz{|}~\x7F\"");
}

static void what_is_not_utf8_is_replaced(void **state) {
    (void)state;
    json_put_string(&w, "a\xFF\xC3\xA9\xE2\x82z\xED\xA0\x80\xC3");
    assert_string_equal(out.data,
                        "\"a\xEF\xBF\xBD\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBDz"
                        "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

static void odd_strings(void **state) {
    (void)state;
    json_begin_array(&w);
    json_put_string_n(&w, NULL, 0);
    json_put_string(&w, "");
    json_put_string(&w, NULL);
    json_end_array(&w);
    assert_string_equal(out.data, "[\"\",\"\",null]");
}

static void not_finite_is_null(void **state) {
    (void)state;
    json_begin_array(&w);
    json_put_double(&w, (double)NAN);
    json_put_double(&w, (double)INFINITY);
    json_put_double(&w, -(double)INFINITY);
    json_end_array(&w);
    assert_string_equal(out.data, "[null,null,null]");
}

static void failure_is_remembered(void **state) {
    (void)state;
    faults_fail_from(1);
    json_begin_array(&w);
    json_put_int(&w, 1);
    json_put_string(&w, "abc");
    json_end_array(&w);
    faults_fail_from(0);
    assert_true(out.failed);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(commas_are_its_business),      TEST(escapes),
        TEST(what_is_not_utf8_is_replaced), TEST(odd_strings),
        TEST(not_finite_is_null),           TEST(failure_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
