/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/json.h"
#include "base/utf.h"

#define ELLIPSIS "\xE2\x80\xA6"

static void assert_member(const char *name, size_t length,
                          const char *expected) {
    char path[JSON_MAX_PATH] = "$";
    struct json_string string = {name, length};
    json_path_member(path, &string);
    assert_string_equal(path, expected);
}

static void members(void **state) {
    (void)state;
    assert_member("Devices", 7, "$.Devices");
    assert_member("_a1", 3, "$._a1");
    assert_member("", 0, "$['']");
    assert_member("0", 1, "$['0']");
    assert_member("a b", 3, "$['a b']");
    assert_member("a.b", 3, "$['a.b']");
    assert_member("it's", 4, "$['it\\'s']");
    assert_member("a\\b", 3, "$['a\\\\b']");
    assert_member("a\nb", 3, "$['a\\u000ab']");
    assert_member("a\0b", 3, "$['a\\u0000b']");
    assert_member("\xC3\xA9", 2, "$['\xC3\xA9']");
}

static void indices(void **state) {
    char path[JSON_MAX_PATH] = "$.a";
    (void)state;
    json_path_index(path, 0);
    json_path_index(path, SIZE_MAX);
    assert_string_equal(path, "$.a[0][18446744073709551615]");
}

/* Whatever is appended, the path stays within its buffer, stays UTF-8, and
 * once cut stays as it is. */
static void too_long_is_cut(void **state) {
    static const char *const names[] = {
        "abc", "a b", "\xE2\x82\xAC\xE2\x82\xAC", "x\xE2\x80\xA6", "'''''",
    };
    (void)state;
    for (size_t n = 0; n < HCS_COUNT(names); n++) {
        struct json_string name = {names[n], strlen(names[n])};
        for (size_t shift = 0; shift < 12; shift++) {
            struct {
                char path[JSON_MAX_PATH];
                char guard[8];
            } box = {"$", "guard"};
            char cut[JSON_MAX_PATH];
            for (size_t i = 0; i < shift; i++)
                strcat(box.path, "x");
            for (int i = 0; i < 100; i++)
                json_path_member(box.path, &name);
            memcpy(cut, box.path, sizeof cut);
            assert_string_equal(box.guard, "guard");
            assert_true(utf8_valid(cut, strlen(cut)));
            assert_in_range(strlen(cut), JSON_MAX_PATH - 10, JSON_MAX_PATH - 1);
            assert_string_equal(cut + strlen(cut) - 3, ELLIPSIS);
            json_path_index(box.path, 1);
            json_path_member(box.path, &name);
            assert_string_equal(box.path, cut);
        }
    }
}

/* A name that holds the mark itself does not end the path. */
static void mark_inside_a_name(void **state) {
    (void)state;
    assert_member("a" ELLIPSIS "b", 5, "$['a" ELLIPSIS "b']");
    assert_member(ELLIPSIS, 3, "$['" ELLIPSIS "']");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),
        cmocka_unit_test(indices),
        cmocka_unit_test(too_long_is_cut),
        cmocka_unit_test(mark_inside_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
