/* SPDX-License-Identifier: MIT
 * Networks of each type: who reaches whom. */
#include "bench.h"

static void test_nat(void **state) {
    struct bench *bench = *state;

    up_network(bench, 1, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    up_endpoint(bench, 1, 1);
    assert_true(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_true(ping(bench, AT(1, 1), "10.1.0.10"));
    assert_true(ping(bench, AT(1, 0), "10.1.0.1"));
    assert_true(ping(bench, HOST, "10.1.0.10"));
    assert_false(ping(bench, AT(1, 0), "10.1.0.12"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nat, bench_open, bench_close),
    };
    struct hcs_error error;

    if (FAILED(linux_plane_enter(&error))) {
        print_error("%s\n", error.text);
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
