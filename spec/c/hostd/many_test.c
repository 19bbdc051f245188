/* SPDX-License-Identifier: MIT
 * Hundreds of endpoints: made, known to the next daemon, which is there in
 * time, and removed. */
#include "bench.h"

#include "base/clock.h"

#define MANY 500
#define INTIME (5 * CLOCK_SECOND) /* of the 10 that clients wait for it */

static void hundreds_of_endpoints(void **state) {
    struct bench *bench = *state;
    struct guid space, net;
    static struct guid ids[MANY];
    int64_t start = clock_monotonic(), took;
    char *before, *after;

    net = make(bench, NET_NETWORK, NULL,
               "{'Type':'NAT','Ipams':[{'Subnets':[{'IpAddressPrefix':"
               "'10.64.0.0/16'}]}]," V2 "}");
    space = make(bench, NET_NAMESPACE, NULL, "{" V2 "}");
    for (int i = 0; i < MANY; i++) {
        ids[i] = make_endpoint(bench, &net);
        if (i % 4 == 0)
            put(bench, &space, &ids[i]);
    }
    took = clock_monotonic() - start;
    print_message("made in %d ms\n", (int)(took / CLOCK_MS));
    before = picture(bench);
    kill_daemon(bench);
    start = clock_monotonic();
    rejoin(bench);
    took = clock_monotonic() - start;
    print_message("there again in %d ms\n", (int)(took / CLOCK_MS));
    assert_true(took < INTIME);
    after = picture(bench);
    assert_string_equal(after, before);
    free(before);
    free(after);
    start = clock_monotonic();
    erase(bench, NET_NETWORK, &net);
    took = clock_monotonic() - start;
    print_message("removed in %d ms\n", (int)(took / CLOCK_MS));
    assert_int_equal(count(bench, NET_ENDPOINT), 0);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, bench_open, bench_close)

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        TEST(hundreds_of_endpoints),
    };
    return bench_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
