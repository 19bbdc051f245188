/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/json.h"

static const char text[] =
    "{\"A\":{\"B\":{\"C\":\"deep\"},\"A\":1},\"AB\":true,\"n\":null,"
    "\"big\":18446744073709551615,\"neg\":-5,\"d\":1.0,\"f\":false,"
    "\"list\":[1],\"nul\":\"a\\u0000b\",\"\":7}";

static struct json_doc doc;

static int setup(void **state) {
    (void)state;
    return (int)json_parse(text, sizeof text - 1, &doc, NULL);
}

static int teardown(void **state) {
    (void)state;
    json_doc_free(&doc);
    assert_null(doc.root);
    return faults_live() != 0;
}

static void get(void **state) {
    (void)state;
    assert_int_equal(json_get(doc.root, "AB")->type, JSON_BOOL);
    assert_int_equal(json_get(doc.root, "")->as.integer, 7);
    assert_int_equal(json_get(doc.root, "n")->type, JSON_NULL);
    assert_null(json_get(doc.root, "a"));
    assert_null(json_get(doc.root, "ABC"));
    assert_null(json_get(NULL, "A"));
    assert_null(json_get(json_get(doc.root, "list"), "A"));
    assert_null(json_get(json_get(doc.root, "neg"), "A"));
}

static void at(void **state) {
    (void)state;
    assert_string_equal(json_text(json_at(doc.root, "A.B.C"), NULL), "deep");
    assert_ptr_equal(json_at(doc.root, "AB"), json_get(doc.root, "AB"));
    assert_null(json_at(doc.root, "A.B.C.D"));
    assert_null(json_at(doc.root, "A.B.X"));
    assert_null(json_at(doc.root, "X.B.C"));
    assert_null(json_at(doc.root, "A.B."));
    assert_null(json_at(NULL, "A"));
    assert_int_equal(json_at(doc.root, "")->as.integer, 7);
}

static void texts(void **state) {
    (void)state;
    assert_string_equal(json_text(json_get(doc.root, "n"), "else"), "else");
    assert_string_equal(json_text(NULL, "else"), "else");
    assert_null(json_text(json_get(doc.root, "neg"), NULL));
    /* A string that a C string would cut is not handed out as one. */
    assert_null(json_text(json_get(doc.root, "nul"), NULL));
}

static void truth(void **state) {
    (void)state;
    assert_true(json_is_true(json_get(doc.root, "AB")));
    assert_false(json_is_true(json_get(doc.root, "f")));
    assert_false(json_is_true(json_get(doc.root, "neg")));
    assert_false(json_is_true(NULL));
}

static void integers(void **state) {
    int64_t number = 99;
    uint64_t natural = 99;
    (void)state;
    assert_true(json_to_int64(json_get(doc.root, "neg"), &number));
    assert_int_equal(number, -5);
    assert_false(json_to_uint64(json_get(doc.root, "neg"), &natural));
    assert_false(json_to_int64(json_get(doc.root, "big"), &number));
    assert_int_equal(number, -5);
    assert_true(json_to_uint64(json_get(doc.root, "big"), &natural));
    assert_true(natural == UINT64_MAX);
    assert_true(json_to_uint64(json_get(doc.root, ""), &natural));
    assert_int_equal(natural, 7);
    assert_false(json_to_int64(json_get(doc.root, "d"), &number));
    assert_false(json_to_uint64(json_get(doc.root, "d"), &natural));
    assert_false(json_to_int64(NULL, &number));
    assert_false(json_to_uint64(NULL, &natural));
}

static void type_names(void **state) {
    (void)state;
    assert_string_equal(json_type_name(JSON_NULL), "null");
    assert_string_equal(json_type_name(JSON_BOOL), "boolean");
    assert_string_equal(json_type_name(JSON_INT), "integer");
    assert_string_equal(json_type_name(JSON_UINT), "integer");
    assert_string_equal(json_type_name(JSON_DOUBLE), "number");
    assert_string_equal(json_type_name(JSON_NUMBER), "number");
    assert_string_equal(json_type_name(JSON_STRING), "string");
    assert_string_equal(json_type_name(JSON_ARRAY), "array");
    assert_string_equal(json_type_name(JSON_OBJECT), "object");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get),      cmocka_unit_test(at),
        cmocka_unit_test(texts),    cmocka_unit_test(truth),
        cmocka_unit_test(integers), cmocka_unit_test(type_names),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
