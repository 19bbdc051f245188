/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <time.h>

#include "base/clock.h"
#include "platform.h"

static void monotonic_does_not_go_back(void **state) {
    int64_t before = clock_monotonic();
    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_monotonic();
        assert_true(now >= before);
        before = now;
    }
    assert_true(before > 0);
}

static void wall_is_the_time_of_day(void **state) {
    int64_t before = (int64_t)time(NULL);
    int64_t wall = clock_wall() / CLOCK_SECOND;
    (void)state;
    assert_in_range(wall, before - 1, (int64_t)time(NULL) + 1);
}

static void assert_format(int64_t wall, const char *expected) {
    char text[CLOCK_ISO_SIZE];
    clock_format_iso(wall, text);
    assert_string_equal(text, expected);
}

static void formats(void **state) {
    (void)state;
    assert_format(0, "1970-01-01T00:00:00.0000000Z");
    assert_format(99, "1970-01-01T00:00:00.0000000Z");
    assert_format(100, "1970-01-01T00:00:00.0000001Z");
    assert_format(999999999, "1970-01-01T00:00:00.9999999Z");
    assert_format(-1, "1969-12-31T23:59:59.9999999Z");
    assert_format(-100, "1969-12-31T23:59:59.9999999Z");
    assert_format(-101, "1969-12-31T23:59:59.9999998Z");
    assert_format(INT64_C(951782399) * CLOCK_SECOND,
                  "2000-02-28T23:59:59.0000000Z");
    assert_format(INT64_C(951782400) * CLOCK_SECOND,
                  "2000-02-29T00:00:00.0000000Z");
    assert_format(INT64_C(4107542400) * CLOCK_SECOND,
                  "2100-03-01T00:00:00.0000000Z");
    assert_format(INT64_MAX, "2262-04-11T23:47:16.8547758Z");
    assert_format(INT64_MIN, "1677-09-21T00:12:43.1452241Z");
}

/* Every day for 400 years, and some, against the C library. */
static void agrees_with_gmtime(void **state) {
    (void)state;
    for (int64_t day = -100000; day < 100000; day++) {
        int64_t seconds = day * 86400 + 12345;
        struct tm tm;
        char expected[64];
        if (!platform_date(seconds, &tm)) {
            assert_true(day < 0); /* not every library goes back that far */
            continue;
        }
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S.0000000Z", &tm);
        assert_format(seconds * CLOCK_SECOND, expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotonic_does_not_go_back),
        cmocka_unit_test(wall_is_the_time_of_day),
        cmocka_unit_test(formats),
        cmocka_unit_test(agrees_with_gmtime),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
