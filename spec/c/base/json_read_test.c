/* SPDX-License-Identifier: MIT
 * What the reader accepts, what it refuses, and where it says the fault is. */
#include "unit.h"

#include "base/json.h"

static char *rewrite(const char *text, size_t length) {
    struct json_doc doc;
    struct hcs_error error = {0};
    struct buf out = {0};
    struct json_writer w = {&out, false};
    if (FAILED(json_parse(text, length, &doc, &error)))
        fail_msg("%s: %s (%s)", text, error.text, error.path);
    json_put_value(&w, doc.root);
    json_doc_free(&doc);
    return buf_take(&out);
}

/* Text with the same text when it is written again. */
static const char *const same[] = {
    "null",
    "true",
    "false",
    "0",
    "-1",
    "\"\"",
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    "{\"\":1}",
    "{\"a\":{}}",
    "[null,true,false,0,\"x\",[],{}]",
    "{\"b\":1,\"a\":2,\"B\":3}",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "1e400",
    "-1e400",
    "1e-400",
    "1E+9999",
    "0.1",
    "-0.5",
    "1e300",
    "5e-324",
    "0.0",
    "-0.0",
    "1.7976931348623157e308",
    "2.2250738585072014e-308",
    "\"\\\"\\\\\\b\\f\\n\\r\\t\"",
    "\"\\u0000\\u001f\"",
    "\"a\\u0000b\"",
    "\"/\x7F\xC2\x80\xE2\x80\xA8\xEF\xBF\xBD\xF4\x8F\xBF\xBF\"",
    "\"\xEF\xBB\xBF\"",
};

static void keeps_what_it_reads(void **state) {
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(same); i++) {
        char *text = rewrite(same[i], strlen(same[i]));
        assert_string_equal(text, same[i]);
        free(text);
    }
    assert_int_equal(faults_live(), 0);
}

/* Text that has a shorter or more usual form. */
static const char *const forms[][2] = {
    {" \t\r\n 1 \t\r\n ", "1"},
    {" [ 1 , 2 ] ", "[1,2]"},
    {" { \"a\" : 1 , \"b\" : [ ] } ", "{\"a\":1,\"b\":[]}"},
    {"-0", "-0.0"},
    {"1.50", "1.5"},
    {"1E5", "100000.0"},
    {"1e+2", "100.0"},
    {"1e22", "1e22"},
    {"1e-7", "1e-7"},
    {"0e999999", "0.0"},
    {"-0E-9", "-0.0"},
    {"0.1000000000000000055511151231257827", "0.1"},
    {"\"\\/\"", "\"/\""},
    {"\"\\u0041\\u00e9\\u20AC\"", "\"A\xC3\xA9\xE2\x82\xAC\""},
    {"\"\\ud83d\\uDE00\"", "\"\xF0\x9F\x98\x80\""},
    {"\"\\uDBFF\\uDFFF\"", "\"\xF4\x8F\xBF\xBF\""},
    {"\"\\u0009\\u0022\\u005c\"", "\"\\t\\\"\\\\\""},
    {"{\"\\u0061\":1}", "{\"a\":1}"},
    {"\"\\uFFFE\\uFFFF\"", "\"\xEF\xBF\xBE\xEF\xBF\xBF\""},
};

static void writes_the_usual_form(void **state) {
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(forms); i++) {
        char *text = rewrite(forms[i][0], strlen(forms[i][0]));
        assert_string_equal(text, forms[i][1]);
        free(text);
    }
}

static const struct {
    const char *text;
    size_t offset;
    const char *path;
} refused[] = {
    {"", 0, "$"},
    {" ", 1, "$"},
    {"nul", 0, "$"},
    {"nulll", 4, "$"},
    {"True", 0, "$"},
    {"NaN", 0, "$"},
    {"Infinity", 0, "$"},
    {"-Infinity", 1, "$"},
    {"\xEF\xBB\xBFnull", 0, "$"},
    {"1 2", 2, "$"},
    {"1,", 1, "$"},
    {"[]]", 2, "$"},
    {"{}{}", 2, "$"},
    {"// a\n1", 0, "$"},
    {"/**/1", 0, "$"},
    {"'a'", 0, "$"},
    {"\v1", 0, "$"},
    {"\xC2\xA0"
     "1",
     0, "$"},
    /* numbers */
    {"01", 1, "$"},
    {"-01", 2, "$"},
    {"00", 1, "$"},
    {"-", 1, "$"},
    {"+1", 0, "$"},
    {".5", 0, "$"},
    {"1.", 2, "$"},
    {"1.e5", 2, "$"},
    {"1e", 2, "$"},
    {"1e+", 3, "$"},
    {"1.5.5", 3, "$"},
    {"0x10", 1, "$"},
    {"1_000", 1, "$"},
    {"--1", 1, "$"},
    {"[1.]", 3, "$[0]"},
    /* strings */
    {"\"", 1, "$"},
    {"\"abc", 4, "$"},
    {"\"abc\\", 5, "$"},
    {"\"abc\\\"", 6, "$"},
    {"\"\\x\"", 2, "$"},
    {"\"\\'\"", 2, "$"},
    {"\"\\U0041\"", 2, "$"},
    {"\"\\u\"", 3, "$"},
    {"\"\\u00\"", 5, "$"},
    {"\"\\u00g0\"", 5, "$"},
    {"\"\\u+041\"", 3, "$"},
    {"\"a\nb\"", 2, "$"},
    {"\"a\tb\"", 2, "$"},
    {"\"\x1F\"", 1, "$"},
    {"\"\\uD800\"", 1, "$"},
    {"\"ab\\uDC00\"", 3, "$"},
    {"\"\\uD800\\uD800\"", 1, "$"},
    {"\"\\uD800x\"", 1, "$"},
    {"\"\\uD800\\n\"", 1, "$"},
    {"\"\\uD800\\u0041\"", 1, "$"},
    {"\"\\uDE00\\uD83D\"", 1, "$"},
    {"\"\x80\"", 1, "$"},
    {"\"a\xC0\x80\"", 2, "$"},
    {"\"\xED\xA0\x80\"", 1, "$"},
    {"\"\xF4\x90\x80\x80\"", 1, "$"},
    {"\"\xC3\"", 1, "$"},
    {"\"\xC3", 1, "$"},
    {"\xFF", 0, "$"},
    /* arrays */
    {"[", 1, "$[0]"},
    {"[1", 2, "$"},
    {"[1,", 3, "$[1]"},
    {"[1,]", 3, "$[1]"},
    {"[,1]", 1, "$[0]"},
    {"[1 2]", 3, "$"},
    {"[1}", 2, "$"},
    {"[[1],[2,[x]]]", 9, "$[1][1][0]"},
    {"[1,,2]", 3, "$[1]"},
    {"]", 0, "$"},
    /* objects */
    {"{", 1, "$"},
    {"{1:2}", 1, "$"},
    {"{a:1}", 1, "$"},
    {"{'a':1}", 1, "$"},
    {"{\"a\"", 4, "$.a"},
    {"{\"a\"}", 4, "$.a"},
    {"{\"a\" 1}", 5, "$.a"},
    {"{\"a\":", 5, "$.a"},
    {"{\"a\":}", 5, "$.a"},
    {"{\"a\":1", 6, "$"},
    {"{\"a\":1,", 7, "$"},
    {"{\"a\":1,}", 7, "$"},
    {"{\"a\":1]", 6, "$"},
    {"{,}", 1, "$"},
    {"{\"a\":1 \"b\":2}", 7, "$"},
    {"{null:1}", 1, "$"},
    {"}", 0, "$"},
    {"{\"a\\u0000\":1}", 1, "$"},
    {"{\"a\":{\"b\\u0000c\":1}}", 6, "$.a"},
    {"{\"a\":{\"b c\":[0,{\"x\":tru}]}}", 20, "$.a['b c'][1].x"},
    {"{\"a\":[{\"b\":1},{\"b\":1,\"c\":-}]}", 26, "$.a[1].c"},
    /* names that stand twice */
    {"{\"a\":1,\"a\":1}", 7, "$.a"},
    {"{\"a\":1,\"b\":2,\"\\u0061\":1,\"b\":1}", 13, "$.a"},
    {"{\"\":1,\"\":2}", 6, "$['']"},
    {"[0,{\"x\":{\"y\":1,\"z\":2,\"y\":3}}]", 21, "$[1].x.y"},
    {"{\"a\":{\"x\":[1,2]},\"a\":{\"x\":[]}}", 17, "$.a"},
};

static void refuses_and_says_where(void **state) {
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(refused); i++) {
        const char *text = refused[i].text;
        struct json_doc doc = {0};
        struct hcs_error error = {0};
        char start[32];
        if (json_parse(text, strlen(text), &doc, &error) != HR_INVALID_DATA)
            fail_msg("accepted: %s", text);
        assert_null(doc.root);
        assert_null(doc.arena);
        assert_hr(error.code, HR_INVALID_DATA);
        snprintf(start, sizeof start, "byte %zu: ", refused[i].offset);
        if (strncmp(error.text, start, strlen(start)) != 0)
            fail_msg("%s: %s", text, error.text);
        if (strcmp(error.path, refused[i].path) != 0)
            fail_msg("%s: %s", text, error.path);
        assert_hr(json_parse(text, strlen(text), &doc, NULL), HR_INVALID_DATA);
        json_doc_free(&doc); /* harmless after a failure */
    }
    assert_int_equal(faults_live(), 0);
}

static void says_what_it_expected(void **state) {
    static const char *const cases[][2] = {
        {"[1 2]", "byte 3: expected ',' or ']', found '2'"},
        {"{\"a\":1", "byte 6: expected ',' or '}', found the end of the text"},
        {"{\"a\"=1}", "byte 4: expected ':', found '='"},
        {"{a", "byte 1: expected a member's name, found 'a'"},
        {"\xEF\xBB\xBF{}", "byte 0: expected a value, found a byte order mark"},
        {"\"\n\"", "byte 1: expected the end of the string, found the byte "
                   "0x0A"},
        {"\"\xFF\"", "byte 1: expected UTF-8, found the byte 0xFF that is not"},
        {"[\xE2\x82\xAC]", "byte 1: expected a value, found '\xE2\x82\xAC'"},
        {"01", "byte 1: expected a number without leading zeros"},
        {"{\"a\":1,\"a\":2}",
         "byte 7: expected another name, found one that is there already"},
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(cases); i++) {
        struct json_doc doc;
        struct hcs_error error = {0};
        assert_hr(json_parse(cases[i][0], strlen(cases[i][0]), &doc, &error),
                  HR_INVALID_DATA);
        assert_string_equal(error.text, cases[i][1]);
    }
}

/* Every prefix of a valid text is refused, and nothing past it is read: the
 * copy has no terminator, so that a sanitizer sees a step too far. */
static void every_prefix_is_refused(void **state) {
    static const char text[] =
        "{\"a\":[1,-2.5e+3,true,null,\"x\\u00e9\\ud83d\\ude00\xC3\xA9\"],"
        "\"b\":{\"c\":18446744073709551616,\"d\":false}}";
    (void)state;
    for (size_t length = 0; length < sizeof text - 1; length++) {
        char *copy = malloc(length ? length : 1);
        struct json_doc doc;
        memcpy(copy, text, length);
        assert_hr(json_parse(copy, length, &doc, NULL), HR_INVALID_DATA);
        free(copy);
    }
    free(rewrite(text, sizeof text - 1));
    assert_int_equal(faults_live(), 0);
}

/* Any single byte changed: refused or read, but never past the end. */
static void any_byte_changed(void **state) {
    static const char text[] =
        "{\"a\":[1,-2.5e+3,true,null,\"x\\u00e9\\ud83d\\ude00\xC3\xA9\"]}";
    (void)state;
    for (size_t at = 0; at < sizeof text - 1; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char copy[sizeof text];
            struct json_doc doc;
            memcpy(copy, text, sizeof text);
            copy[at] = (char)byte;
            if (SUCCEEDED(json_parse(copy, sizeof text - 1, &doc, NULL)))
                json_doc_free(&doc);
        }
    }
    assert_int_equal(faults_live(), 0);
}

static void nul_bytes_are_no_end(void **state) {
    struct json_doc doc;
    struct hcs_error error = {0};
    (void)state;
    assert_hr(json_parse("1\0", 2, &doc, &error), HR_INVALID_DATA);
    assert_string_equal(error.text, "byte 1: expected the end of the text, "
                                    "found the byte 0x00");
    assert_hr(json_parse("\"a\0b\"", 5, &doc, &error), HR_INVALID_DATA);
    assert_hr(json_parse("\"\\\0\"", 4, &doc, &error), HR_INVALID_DATA);
    assert_hr(json_parse(NULL, 0, &doc, &error), HR_INVALID_DATA);
}

static char *nested(size_t depth, const char *open, const char *close) {
    struct buf buf = {0};
    for (size_t i = 0; i < depth; i++)
        buf_puts(&buf, open);
    buf_puts(&buf, "1");
    for (size_t i = 0; i < depth; i++)
        buf_puts(&buf, close);
    return buf_take(&buf);
}

static void check_depth(const char *open, const char *close, bool closed) {
    struct hcs_error error = {0};
    struct json_doc doc;
    char *text = nested(JSON_MAX_DEPTH, open, close);
    char expected[64];
    char *again;

    again = rewrite(text, strlen(text));
    assert_string_equal(again, text);
    free(again);
    free(text);
    text = nested(10000, open, closed ? close : "");
    assert_hr(json_parse(text, strlen(text), &doc, &error), HR_INVALID_DATA);
    snprintf(expected, sizeof expected,
             "byte %zu: expected at most 128 levels of nesting",
             JSON_MAX_DEPTH * strlen(open));
    assert_string_equal(error.text, expected);
    assert_in_range(strlen(error.path), 150, JSON_MAX_PATH - 1);
    assert_string_equal(error.path + strlen(error.path) - 3, "\xE2\x80\xA6");
    free(text);
}

static void depth_is_limited(void **state) {
    (void)state;
    check_depth("[", "]", true);
    check_depth("{\"a\":", "}", true);
    check_depth("[", "]", false);
    check_depth("{\"abc\":", "}", false);
}

static struct json_doc parse(const char *text) {
    struct json_doc doc;
    struct hcs_error error = {0};
    if (FAILED(json_parse(text, strlen(text), &doc, &error)))
        fail_msg("%s: %s", text, error.text);
    return doc;
}

static void numbers_keep_their_kind(void **state) {
    static const struct {
        const char *text;
        enum json_type type;
    } cases[] = {
        {"0", JSON_INT},
        {"-0", JSON_DOUBLE},
        {"-1", JSON_INT},
        {"9007199254740993", JSON_INT},
        {"9223372036854775807", JSON_INT},
        {"-9223372036854775808", JSON_INT},
        {"9223372036854775808", JSON_UINT},
        {"18446744073709551615", JSON_UINT},
        {"18446744073709551616", JSON_NUMBER},
        {"-9223372036854775809", JSON_NUMBER},
        {"99999999999999999999999", JSON_NUMBER},
        {"1.0", JSON_DOUBLE},
        {"1e0", JSON_DOUBLE},
        {"1e308", JSON_DOUBLE},
        {"1e309", JSON_NUMBER},
        {"-1e309", JSON_NUMBER},
        {"4e-324", JSON_DOUBLE},
        {"1e-324", JSON_NUMBER},
        {"0.000e-999", JSON_DOUBLE},
        {"-0e5", JSON_DOUBLE},
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(cases); i++) {
        struct json_doc doc = parse(cases[i].text);
        if (doc.root->type != cases[i].type)
            fail_msg("%s is of type %d", cases[i].text, (int)doc.root->type);
        if (doc.root->type == JSON_NUMBER) {
            assert_string_equal(doc.root->as.string.text, cases[i].text);
            assert_int_equal(doc.root->as.string.length, strlen(cases[i].text));
        }
        json_doc_free(&doc);
    }
}

static void strings_may_hold_nul(void **state) {
    struct json_doc doc = parse("\"a\\u0000b\"");
    (void)state;
    assert_int_equal(doc.root->as.string.length, 3);
    assert_memory_equal(doc.root->as.string.text, "a\0b", 4);
    json_doc_free(&doc);
}

static void members_keep_their_order(void **state) {
    struct json_doc doc = parse("{\"z\":1,\"a\":2,\"m\":3}");
    const struct json_member *members = doc.root->as.object.members;
    (void)state;
    assert_int_equal(doc.root->as.object.count, 3);
    assert_string_equal(members[0].name.text, "z");
    assert_string_equal(members[1].name.text, "a");
    assert_int_equal(members[2].value.as.integer, 3);
    json_doc_free(&doc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_it_reads),
        cmocka_unit_test(writes_the_usual_form),
        cmocka_unit_test(refuses_and_says_where),
        cmocka_unit_test(says_what_it_expected),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(any_byte_changed),
        cmocka_unit_test(nul_bytes_are_no_end),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(numbers_keep_their_kind),
        cmocka_unit_test(strings_may_hold_nul),
        cmocka_unit_test(members_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
