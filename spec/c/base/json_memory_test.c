/* SPDX-License-Identifier: MIT
 * Large texts cost what they are worth, and running out of memory at any
 * point is an error that leaves nothing behind. */
#include "unit.h"

#include "base/json.h"

static const char sample[] =
    "{\"a\":[1,-2.5e+3,1e999,18446744073709551616,true,null,\"x\\u00e9\"],"
    "\"b\":{\"c\":\"\",\"d\":false},\"e\":[[],{},[{}]],"
    /* more than fits the small way of looking for names */
    "\"o\":{\"0\":0,\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,"
    "\"8\":0,\"9\":0,\"A\":0,\"B\":0,\"C\":0,\"D\":0,\"E\":0,\"F\":0,"
    "\"G\":0,\"H\":0,\"I\":0,\"J\":0,\"K\":0,\"L\":0,\"M\":0,\"N\":0}}";

static void each_allocation_may_fail(void **state) {
    size_t n = 0;
    HRESULT hr;
    (void)state;
    do {
        struct json_doc doc;
        struct hcs_error error = {0};
        faults_fail_from(++n);
        hr = json_parse(sample, sizeof sample - 1, &doc, &error);
        faults_fail_from(0);
        if (FAILED(hr)) {
            assert_hr(hr, E_OUTOFMEMORY);
            assert_hr(error.code, E_OUTOFMEMORY);
            assert_null(doc.root);
            assert_null(doc.arena);
        } else {
            json_doc_free(&doc);
        }
        assert_int_equal(faults_live(), 0);
    } while (FAILED(hr));
    assert_true(n > 6); /* some were tried */
}

/* A fault in the text beats running out of memory only where it is found. */
static void bad_text_leaves_nothing(void **state) {
    (void)state;
    for (size_t n = 1; n < 12; n++) {
        struct json_doc doc;
        faults_fail_from(n);
        assert_true(
            FAILED(json_parse("[{\"a\":\"x\",\"b\":[1,2}", 19, &doc, NULL)));
        faults_fail_from(0);
        assert_int_equal(faults_live(), 0);
    }
}

static void big_array(void **state) {
    enum { COUNT = 1000000 };
    struct buf text = {0};
    struct json_doc doc;
    (void)state;
    buf_putc(&text, '[');
    for (int i = 0; i < COUNT; i++)
        buf_printf(&text, i ? ",%d" : "%d", i);
    buf_putc(&text, ']');
    faults_fail_from(0);
    assert_hr(json_parse(text.data, text.length, &doc, NULL), S_OK);
    /* Doublings of the pending values and the arena: a logarithm. */
    assert_in_range(faults_allocations(), 1, 40);
    assert_int_equal(doc.root->as.array.count, COUNT);
    assert_int_equal(doc.root->as.array.items[COUNT - 1].as.integer, COUNT - 1);
    json_doc_free(&doc);
    buf_free(&text);
    assert_int_equal(faults_live(), 0);
}

/* 10^5 names of equal length and long common beginnings: comparing each with
 * each would be 5 * 10^9 comparisons and show as a hanging test. */
static void put_names(struct buf *text, int count) {
    buf_putc(text, '{');
    for (int i = 0; i < count; i++)
        buf_printf(text, "%s\"SomeCommonBeginning%07d\":{\"v\":%d}",
                   i ? "," : "", i * 7 % count, i);
}

static void big_object(void **state) {
    enum { COUNT = 100000 };
    struct buf text = {0};
    struct json_doc doc;
    (void)state;
    put_names(&text, COUNT);
    buf_putc(&text, '}');
    faults_fail_from(0);
    assert_hr(json_parse(text.data, text.length, &doc, NULL), S_OK);
    assert_in_range(faults_allocations(), 1, 60);
    assert_int_equal(doc.root->as.object.count, COUNT);
    assert_int_equal(
        json_get(json_get(doc.root, "SomeCommonBeginning0000007"), "v")
            ->as.integer,
        1);
    json_doc_free(&doc);
    buf_free(&text);
}

static void name_twice_in_a_big_object(void **state) {
    enum { COUNT = 100000 };
    struct buf text = {0};
    struct json_doc doc;
    struct hcs_error error = {0};
    char expected[32];
    (void)state;
    put_names(&text, COUNT);
    snprintf(expected, sizeof expected, "byte %zu: ", text.length + 1);
    /* Two that are there already: the one that stands first is named. */
    buf_puts(&text, ",\"SomeCommonBeginning0099999\":1");
    buf_puts(&text, ",\"SomeCommonBeginning0000000\":1}");
    assert_hr(json_parse(text.data, text.length, &doc, &error),
              HR_INVALID_DATA);
    assert_memory_equal(error.text, expected, strlen(expected));
    assert_string_equal(error.path, "$.SomeCommonBeginning0099999");
    buf_free(&text);
    assert_int_equal(faults_live(), 0);
}

static void big_string(void **state) {
    enum { COUNT = 4000000 };
    struct buf text = {0};
    struct buf out = {0};
    struct json_writer w = {&out, false};
    struct json_doc doc;
    (void)state;
    buf_putc(&text, '"');
    for (int i = 0; i < COUNT; i++)
        buf_puts(&text, i % 2 ? "\\n" : "x");
    buf_putc(&text, '"');
    faults_fail_from(0);
    assert_hr(json_parse(text.data, text.length, &doc, NULL), S_OK);
    assert_in_range(faults_allocations(), 1, 40);
    assert_int_equal(doc.root->as.string.length, COUNT);
    json_put_value(&w, doc.root);
    assert_int_equal(out.length, text.length);
    assert_memory_equal(out.data, text.data, text.length);
    json_doc_free(&doc);
    buf_free(&text);
    buf_free(&out);
}

static void long_numbers(void **state) {
    enum { COUNT = 1000000 };
    static const char *const ends[] = {"", ".5", "e-5"};
    static const enum json_type types[] = {JSON_NUMBER, JSON_NUMBER,
                                           JSON_NUMBER};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf text = {0};
        struct json_doc doc;
        for (int digit = 0; digit < COUNT; digit++)
            buf_putc(&text, '7');
        buf_puts(&text, ends[i]);
        assert_hr(json_parse(text.data, text.length, &doc, NULL), S_OK);
        assert_int_equal(doc.root->type, types[i]);
        assert_int_equal(doc.root->as.string.length, text.length);
        json_doc_free(&doc);
        buf_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(bad_text_leaves_nothing),
        cmocka_unit_test(big_array),
        cmocka_unit_test(big_object),
        cmocka_unit_test(name_twice_in_a_big_object),
        cmocka_unit_test(big_string),
        cmocka_unit_test(long_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
