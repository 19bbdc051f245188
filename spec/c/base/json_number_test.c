/* SPDX-License-Identifier: MIT
 * Doubles survive, in every locale. A locale with a decimal comma is compiled
 * for the test, since few machines have one. */
#include "unit.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>

#include "base/json.h"
#include "base/random.h"

static void assert_survives(double value) {
    struct buf out = {0};
    struct json_writer w = {&out, false};
    struct json_doc doc;
    json_put_double(&w, value);
    assert_hr(json_parse(out.data, out.length, &doc, NULL), S_OK);
    assert_int_equal(doc.root->type, JSON_DOUBLE);
    if (memcmp(&doc.root->as.number, &value, sizeof value) != 0)
        fail_msg("%a became %s", value, out.data);
    json_doc_free(&doc);
    buf_free(&out);
}

static void assert_text(double value, const char *expected) {
    struct buf out = {0};
    struct json_writer w = {&out, false};
    json_put_double(&w, value);
    assert_string_equal(out.data, expected);
    buf_free(&out);
}

static void edges_survive(void **state) {
    static const double edges[] = {
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.1,
        1.0 / 3.0,
        1e22,
        1e23,
        1e21,
        123456789.125,
        9007199254740993.0,
        18446744073709551616.0,
        1.7976931348623157e308,
        2.2250738585072014e-308,
        2.225073858507201e-308,
        5e-324,
        4.35,
        0.3,
        2.2204460492503131e-16,
        9.5,
        1e15,
        1e16,
        1e17,
        123456789012345680.0,
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(edges); i++) {
        assert_survives(edges[i]);
        assert_survives(-edges[i]);
        assert_survives(nextafter(edges[i], 0));
        if (edges[i] < 1e308)
            assert_survives(nextafter(edges[i], 1e308));
    }
}

static void any_bits_survive(void **state) {
    struct random random;
    (void)state;
    random_seed(&random, 3);
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = random_next(&random);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value))
            assert_survives(value);
    }
}

static void short_forms(void **state) {
    (void)state;
    assert_text(1, "1.0");
    assert_text(-0.0, "-0.0");
    assert_text(0.1, "0.1");
    assert_text(1e21, "1e21");
    assert_text(1e-7, "1e-7");
    assert_text(1e100, "1e100");
    assert_text(1.5e-10, "1.5e-10");
    assert_text(5e-324, "5e-324");
    assert_text(100000, "100000.0");
    assert_text(0.3, "0.3");
    assert_text(1.0 / 3.0, "0.3333333333333333");
    assert_text(0.1 + 0.2, "0.30000000000000004");
}

/* Makes a locale in a folder of its own; false where its source or localedef
 * is not installed. */
static bool make_locale(const char *folder, const char *name) {
    char command[512];
    snprintf(command, sizeof command,
             "timeout 60 localedef -c -i %s -f UTF-8 %s/%s.UTF-8 2>/dev/null",
             name, folder, name);
    return system(command) == 0;
}

static bool check_in_locale(const char *folder, const char *name) {
    char full[32];
    snprintf(full, sizeof full, "%s.UTF-8", name);
    if (!make_locale(folder, name))
        return false;
    setenv("LOCPATH", folder, 1);
    assert_non_null(setlocale(LC_ALL, full));
    assert_string_not_equal(localeconv()->decimal_point, ".");
    short_forms(NULL);
    edges_survive(NULL);
    assert_string_not_equal(localeconv()->decimal_point, ".");
    setlocale(LC_ALL, "C");
    return true;
}

/* A decimal comma, and a separator of two bytes. */
static void locale_does_not_matter(void **state) {
    static const char *const names[] = {"de_DE", "ps_AF"};
    char folder[] = "/tmp/hcs-locale-XXXXXX";
    char command[64];
    int checked = 0;
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < HCS_COUNT(names); i++)
        checked += check_in_locale(folder, names[i]);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    if (checked == 0)
        skip();
    assert_int_equal(checked, HCS_COUNT(names));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_survive),
        cmocka_unit_test(any_bits_survive),
        cmocka_unit_test(short_forms),
        cmocka_unit_test(locale_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
