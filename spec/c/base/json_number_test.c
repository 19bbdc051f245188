/* SPDX-License-Identifier: MIT
 * Doubles survive, in every locale. */
#include "unit.h"

#include <locale.h>
#include <math.h>
#include <stdbool.h>

#include "base/json.h"
#include "base/number.h"
#include "base/os.h"
#include "base/random.h"
#include "locales.h"

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
        if (number_is_finite(value))
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

static void check_in_locale(void) {
    assert_string_not_equal(localeconv()->decimal_point, ".");
    short_forms(NULL);
    edges_survive(NULL);
    assert_string_not_equal(localeconv()->decimal_point, ".");
}

static void locale_does_not_matter(void **state) {
    (void)state;
    if (!locales_each(check_in_locale))
        skip();
}

/* What lies in the middle of two doubles, or as good as, goes to the right one
 * of them. */
static void exactly_rounded(void **state) {
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740993.0", 9007199254740992.0},
        {"9007199254740993.00000000000000000001", 9007199254740994.0},
        {"900719925474099300e-2", 9007199254740992.0},
        {"2.4703282292062327e-324", 0.0},
        {"2.4703282292062328e-324", 5e-324},
        {"0.500000000000000166533453693773481063544750213623046875",
         0.50000000000000022},
        {"3.518437208883201171875e13", 35184372088832.016},
        {"62.5364939768271845828", 62.536493976827186},
        {"8.10109172351e-10", 8.10109172351e-10},
        {"1.50000000000000011102230246251565", 1.5},
        {"1.7976931348623158e308", 1.7976931348623157e308},
        {"0.0000000000000000000000000000001e331", 1e300},
        {"100000000000000000000000000000.0e-29", 1.0},
        {"1e-0000000000000000000000000000000001", 0.1},
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(cases); i++) {
        double value = -1;
        assert_true(os_strtod(cases[i].text, &value));
        if (memcmp(&value, &cases[i].value, sizeof value) != 0)
            fail_msg("%s became %a", cases[i].text, value);
    }
}

static void out_of_range(void **state) {
    double value;
    (void)state;
    assert_true(os_strtod("1.5e99999999999999999999999", &value));
    assert_false(number_is_finite(value));
    assert_true(os_strtod("-1.5e-99999999999999999999999", &value));
    assert_true(value == 0);
    assert_true(os_strtod("0.0e99999999999999999999999", &value));
    assert_true(value == 0);
    assert_true(number_is_normal(1.0));
    assert_false(number_is_normal(5e-324));
    assert_false(number_is_normal(HUGE_VAL));
    assert_false(number_is_finite(-HUGE_VAL));
    assert_false(number_is_finite(nan("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_survive),
        cmocka_unit_test(any_bits_survive),
        cmocka_unit_test(short_forms),
        cmocka_unit_test(exactly_rounded),
        cmocka_unit_test(out_of_range),
        cmocka_unit_test(locale_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
