/* SPDX-License-Identifier: MIT
 * Interfaces that somebody else takes away: noticed, and made anew. */
#include "bench.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../../src/backend/linux/device.h"

static void delete_here(struct bench *bench, const char *name) {
    struct device device;
    struct wire wire;

    works(bench, wire_open(&wire, &bench->error));
    snprintf(device.name, sizeof device.name, "%s", name);
    works(bench, device_find(&device, &bench->error));
    device_delete(&wire, device.index);
    assert_true(FAILED(device_find(&device, NULL)));
    wire_close(&wire);
}

/* In the namespace of the plane's host. */
static void delete_behind(struct bench *bench, const char *name) {
    int home, back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

    works(bench,
          linux_plane_namespace(bench->plane, NULL, &home, &bench->error));
    assert_int_equal(setns(home, CLONE_NEWNET), 0);
    delete_here(bench, name);
    assert_int_equal(setns(back, CLONE_NEWNET), 0);
    close(back);
    close(home);
}

static bool noticed(struct bench *bench) {
    struct pollfd one = {linux_plane_pollfd(bench->plane), POLLIN, 0};

    return poll(&one, 1, 10000) == 1;
}

static bool quiet(struct bench *bench) {
    struct pollfd one = {linux_plane_pollfd(bench->plane), POLLIN, 0};

    return poll(&one, 1, 0) == 0;
}

/* The kernel tells in several messages, one after the other: that a port has
 * left its bridge, and that it has gone. */
static void mend(struct bench *bench) {
    assert_true(noticed(bench));
    for (int i = 0; i < 10 && (i == 0 || !quiet(bench)); i++)
        works(bench, linux_plane_tend(bench->plane, &bench->error));
    assert_true(quiet(bench));
}

static void test_bridge(void **state) {
    struct bench *bench = *state;
    struct plane_acl acl = {.action = PLANE_BLOCK, .direction = PLANE_IN};
    struct linux_plane_counts before, after;
    uint8_t protocol = 17;
    struct end_told told;

    told_endpoint(&told, 1, 1);
    acl.tuple.protocols = (struct plane_protocols){&protocol, 1};
    told.endpoint.acls = &acl;
    told.endpoint.acl_count = 1;
    told.endpoint.egress_limit = 10000000;
    told.endpoint.flags = PLANE_ENDPOINT_ISOLATED;
    change(bench, &told);
    up_endpoint(bench, 1, 2);
    works(bench, linux_plane_count(bench->plane, &before, &bench->error));
    delete_behind(bench, "hb1");
    assert_false(ping(bench, AT(1, 0), "10.1.0.11"));
    mend(bench);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_soon(ping(bench, AT(1, 2), "10.1.0.1"));
    /* With all that was said of its endpoints. */
    assert_false(udp(bench, AT(1, 0), "10.1.0.11", 7, AT(1, 1), 7, NULL));
    assert_soon(udp(bench, AT(1, 1), "10.1.0.10", 7, AT(1, 0), 7, NULL));
    works(bench, linux_plane_count(bench->plane, &after, &bench->error));
    assert_memory_equal(&before, &after, sizeof before);
    up_endpoint(bench, 1, 3);
    assert_soon(ping(bench, AT(1, 3), "10.1.0.10"));
}

static void test_port(void **state) {
    struct bench *bench = *state;
    struct guid id = end_id(1, 0);
    struct plane_statistics numbers;

    delete_behind(bench, "hp2");
    assert_false(ping(bench, AT(1, 0), "10.1.0.1"));
    mend(bench);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    works(bench,
          bench->ops->statistics(bench->plane, &id, &numbers, &bench->error));
    assert_true(numbers.packets_sent > 0);
    /* Both, and their bridge. */
    delete_behind(bench, "hp3");
    delete_behind(bench, "hb1");
    delete_behind(bench, "hp2");
    mend(bench);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    down_endpoint(bench, 1, 0);
    mend(bench); /* its own doing is nothing to mend */
    assert_false(ping(bench, AT(1, 1), "10.1.0.10"));
}

static void test_limiter(void **state) {
    struct bench *bench = *state;
    struct end_told told;

    told_endpoint(&told, 1, 0);
    told.endpoint.egress_limit = 10000000;
    change(bench, &told);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    delete_behind(bench, "hi2");
    mend(bench);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    told.endpoint.egress_limit = 0;
    change(bench, &told);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
}

static void test_uplink(void **state) {
    struct bench *bench = *state;

    works(bench, linux_plane_uplink(bench->plane, NULL, &bench->error));
    delete_here(bench, "hcs-up0");
    mend(bench);
    assert_true(if_nametoindex("hcs-up0") > 0);
    delete_behind(bench, "up0");
    mend(bench);
    assert_true(if_nametoindex("hcs-up0") > 0);
    assert_int_equal(linux_plane_uplink(bench->plane, NULL, &bench->error),
                     S_FALSE);
}

static void test_service(void **state) {
    struct bench *bench = *state;
    struct linux_plane_counts counts;
    struct net_told told;

    told_network(&told, 2, PLANE_ICS);
    if (FAILED(bench->ops->can_network(bench->plane, PLANE_ICS, NULL)))
        skip();
    works(bench,
          bench->ops->network_up(bench->plane, &told.network, &bench->error));
    up_endpoint(bench, 2, 0);
    delete_behind(bench, "hb4");
    mend(bench);
    works(bench, linux_plane_count(bench->plane, &counts, &bench->error));
    assert_int_equal(counts.processes, 1);
    assert_soon(ping(bench, AT(2, 0), "10.2.0.1"));
}

/* A machine has the descriptor of what is gone, and must be given another. */
static void test_tap(void **state) {
    struct bench *bench = *state;
    struct plane_port port = {
        .kind = PLANE_PORT_MACHINE, .owner = id_of(99), .adapter = ""};
    struct guid id = end_id(1, 2);
    char device[PLANE_DEVICE_SIZE];
    struct end_told told;

    told_endpoint(&told, 1, 2);
    told.endpoint.name = "of a machine";
    works(bench,
          bench->ops->endpoint_up(bench->plane, &told.endpoint, &bench->error));
    if (access("/dev/net/tun", R_OK | W_OK) != 0) {
        assert_int_equal(bench->ops->port_up(bench->plane, &id, &port, device,
                                             &bench->error),
                         HR_NOT_SUPPORTED);
        assert_non_null(strstr(bench->error.text, "/dev/net/tun"));
        return;
    }
    works(bench,
          bench->ops->port_up(bench->plane, &id, &port, device, &bench->error));
    delete_behind(bench, device);
    delete_behind(bench, "hp2");
    assert_true(noticed(bench));
    assert_true(FAILED(linux_plane_tend(bench->plane, &bench->error)));
    assert_non_null(strstr(bench->error.text, "of a machine"));
    assert_true(quiet(bench));
    /* The others are mended, and it can be attached again. */
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    works(bench,
          bench->ops->port_up(bench->plane, &id, &port, device, &bench->error));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_two, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(test_bridge), TEST(test_port),    TEST(test_limiter),
        TEST(test_uplink), TEST(test_service), TEST(test_tap),
    };

    return bench_main(tests);
}
