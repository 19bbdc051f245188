/* SPDX-License-Identifier: MIT
 * What is left when things end, and what happens when they go wrong. */
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <poll.h>
#include <unistd.h>

#include "../../../src/backend/linux/device.h"
#include "../../../src/backend/linux/filter.h"
#include "../../../src/base/clock.h"

/* A bridge has 1,024 ports at most. Without rights, and under sanitizers, which
 * make it slow (140 s of the 300 that a test has), it is the same with less. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define MANY 200u
#else
#define MANY (geteuid() == 0 ? 1000u : 200u)
#endif

static size_t count_entries(const char *path) {
    DIR *folder = opendir(path);
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* The entries when their number has come to rest: a thread that was joined is
 * still there for a moment. */
static size_t count_settled(const char *path) {
    size_t count = count_entries(path);

    for (int calm = 0; calm < 5; calm++) {
        size_t before = count;

        usleep(10000);
        count = count_entries(path);
        if (count != before)
            calm = -1;
    }
    return count;
}

/* The lines of one file of the calling thread's namespace. */
static size_t count_lines(const char *path) {
    FILE *file = fopen(path, "r");
    size_t count = 0;

    assert_non_null(file);
    for (int c; (c = getc(file)) != EOF;)
        count += c == '\n';
    fclose(file);
    return count;
}

/* In the namespace of the plane's host: how many interfaces there are, and
 * tables, chains and so on of the packet filter. */
struct census {
    size_t devices, rules;
};

static void look(struct bench *bench, struct census *out) {
    struct linux_plane_counts counts;
    int home, back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    struct nft_ctx *filter;
    char *text;

    /* It counts when all that was taken away is gone. */
    works(bench, linux_plane_count(bench->plane, &counts, &bench->error));
    works(bench,
          linux_plane_namespace(bench->plane, NULL, &home, &bench->error));
    assert_int_equal(setns(home, CLONE_NEWNET), 0);
    out->devices = count_lines("/proc/thread-self/net/dev");
    works(bench, filter_open(&filter, &bench->error));
    works(bench, filter_text(filter, &text, &bench->error));
    out->rules = 0;
    for (const char *c = text; *c; c++)
        out->rules += *c == '\n';
    free(text);
    filter_close(filter);
    assert_int_equal(setns(back, CLONE_NEWNET), 0);
    close(back);
    close(home);
}

static double seconds_since(int64_t start) {
    return (double)(clock_monotonic() - start) / 1e9;
}

static void test_many(void **state) {
    struct bench *bench = *state;
    struct census before, during, after;
    size_t descriptors, threads;
    struct guid network = net_id(1);
    int64_t start;

    up_network(bench, 1, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    down_endpoint(bench, 1, 0);
    bench->ops->network_down(bench->plane, &network);
    look(bench, &before);
    descriptors = count_settled("/proc/self/fd");
    threads = count_settled("/proc/self/task");
    up_network(bench, 1, PLANE_NAT);
    start = clock_monotonic();
    for (unsigned k = 0; k < MANY; k++)
        up_endpoint(bench, 1, k);
    print_message("%u endpoints up in %.1f s", MANY, seconds_since(start));
    assert_soon(ping(bench, AT(1, 0), "10.1.0.209"));
    assert_soon(ping(bench, AT(1, MANY - 1), "10.1.0.10"));
    look(bench, &during);
    assert_int_equal(during.devices, before.devices + 1 + MANY);
    start = clock_monotonic();
    for (unsigned k = 0; k < MANY; k++)
        down_endpoint(bench, 1, k);
    print_message(", down in %.1f s\n", seconds_since(start));
    bench->ops->network_down(bench->plane, &network);
    look(bench, &after);
    assert_int_equal(after.devices, before.devices);
    assert_int_equal(after.rules, before.rules);
    assert_int_equal(count_settled("/proc/self/fd"), descriptors);
    assert_int_equal(count_settled("/proc/self/task"), threads);
}

/* All at once, without taking anything away first. */
static void test_destroy(void **state) {
    struct bench *bench = *state;
    size_t descriptors, threads;
    struct linux_plane_options options = {0};
    struct plane *first = bench->plane;

    descriptors = count_settled("/proc/self/fd");
    threads = count_settled("/proc/self/task");
    works(bench, linux_plane_open(&options, &bench->plane, &bench->error));
    up_network(bench, 1, PLANE_NAT);
    for (unsigned k = 0; k < 10; k++)
        up_endpoint(bench, 1, k);
    bench->ops->destroy(bench->plane);
    bench->ops->destroy(NULL);
    bench->plane = first;
    assert_int_equal(count_settled("/proc/self/fd"), descriptors);
    assert_int_equal(count_settled("/proc/self/task"), threads);
}

/* Two planes know nothing of each other. */
static void test_two_planes(void **state) {
    struct bench *bench = *state;
    struct linux_plane_options options = {0};
    struct bench other = *bench;

    works(bench, linux_plane_open(&options, &other.plane, &bench->error));
    up_network(bench, 1, PLANE_NAT);
    up_network(&other, 1, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    up_endpoint(&other, 1, 1);
    assert_false(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_soon(ping(&other, HOST, "10.1.0.11"));
    other.ops->destroy(other.plane);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.1"));
}

/* Deletes an interface as another program would. */
static void delete_behind(struct bench *bench, const char *name) {
    int home, back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    struct device device;
    struct wire wire;

    works(bench,
          linux_plane_namespace(bench->plane, NULL, &home, &bench->error));
    assert_int_equal(setns(home, CLONE_NEWNET), 0);
    works(bench, wire_open(&wire, &bench->error));
    snprintf(device.name, sizeof device.name, "%s", name);
    works(bench, device_find(&device, &bench->error));
    device_delete(&wire, device.index);
    assert_true(FAILED(device_find(&device, NULL)));
    wire_close(&wire);
    assert_int_equal(setns(back, CLONE_NEWNET), 0);
    close(back);
    close(home);
}

static void test_bridge_deleted(void **state) {
    struct bench *bench = *state;
    struct plane_port port = {.kind = PLANE_PORT_NAMESPACE, .adapter = ""};
    struct guid network = net_id(1), id = end_id(1, 2);
    struct plane_statistics numbers;
    char device[PLANE_DEVICE_SIZE];
    struct census before, after;
    struct end_told told;
    struct net_told net;

    look(bench, &before);
    up_network(bench, 1, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    up_endpoint(bench, 1, 1);
    delete_behind(bench, "hb1");
    assert_false(ping(bench, AT(1, 0), "10.1.0.11"));
    /* What needs it fails with words, and changes nothing. */
    told_endpoint(&told, 1, 2);
    works(bench,
          bench->ops->endpoint_up(bench->plane, &told.endpoint, &bench->error));
    port.owner = space_id(1, 0);
    assert_true(FAILED(
        bench->ops->port_up(bench->plane, &id, &port, device, &bench->error)));
    assert_int_not_equal(bench->error.text[0], '\0');
    told_network(&net, 1, PLANE_NAT);
    assert_true(FAILED(
        bench->ops->network_change(bench->plane, &net.network, &bench->error)));
    id = end_id(1, 0);
    works(bench,
          bench->ops->statistics(bench->plane, &id, &numbers, &bench->error));
    id = end_id(1, 2);
    bench->ops->endpoint_down(bench->plane, &id);
    down_endpoint(bench, 1, 0);
    down_endpoint(bench, 1, 1);
    bench->ops->network_down(bench->plane, &network);
    look(bench, &after);
    assert_int_equal(after.devices, before.devices);
    assert_int_equal(after.rules, before.rules);
    up_network(bench, 1, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.1"));
}

static void test_port_deleted(void **state) {
    struct bench *bench = *state;
    struct guid id = end_id(1, 0);
    struct plane_statistics numbers;

    up_network(bench, 1, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    delete_behind(bench, "hp2");
    assert_true(FAILED(
        bench->ops->statistics(bench->plane, &id, &numbers, &bench->error)));
    bench->ops->port_down(bench->plane, &id);
    works(bench,
          bench->ops->statistics(bench->plane, &id, &numbers, &bench->error));
    down_endpoint(bench, 1, 0);
}

/* The only child of a process, 0: it has none. */
static pid_t child_of(pid_t pid) {
    char path[400], folder_name[64];
    DIR *folder;
    int child = 0;

    snprintf(folder_name, sizeof folder_name, "/proc/%d/task", (int)pid);
    folder = opendir(folder_name);
    for (struct dirent *entry; child == 0 && (entry = readdir(folder));) {
        FILE *file;
        snprintf(path, sizeof path, "%s/%s/children", folder_name,
                 entry->d_name);
        file = fopen(path, "r");
        if (file && fscanf(file, "%d", &child) != 1)
            child = 0;
        if (file)
            fclose(file);
    }
    closedir(folder);
    return child;
}

/* A plane with all that it may have; the process waits to be killed. */
static void live_until_killed(struct bench *bench, int ready) {
    struct linux_plane_options options = {.directory = bench->directory};
    struct bench mine = {.ops = linux_plane_ops()};
    struct net_told told;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    options.uplink = address("10.201.0.0");
    works(&mine, linux_plane_open(&options, &mine.plane, &mine.error));
    told_network(&told, 1, PLANE_NAT);
    if (SUCCEEDED(mine.ops->can_network(mine.plane, PLANE_ICS, &mine.error)))
        told.network.mode = PLANE_ICS;
    works(&mine, mine.ops->network_up(mine.plane, &told.network, &mine.error));
    up_endpoint(&mine, 1, 0);
    (void)!write(ready, "x", 1);
    for (;;)
        pause();
}

static bool gone(pid_t service) {
    return if_nametoindex("hcs-up0") == 0 &&
           (service == 0 || kill(service, 0) != 0);
}

/* The process dies in the middle of things: nothing is left of it. */
static void test_killed(void **state) {
    struct bench *bench = *state;
    struct linux_plane_options options = {.directory = bench->directory};
    struct plane *next;
    pid_t child, service;
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0)
        live_until_killed(bench, ready[1]);
    close(ready[1]); /* a child that failed is no child to wait for */
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_true(if_nametoindex("hcs-up0") > 0);
    service = child_of(child);
    assert_int_equal(service > 0, SUCCEEDED(bench->ops->can_network(
                                      bench->plane, PLANE_ICS, NULL)));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    /* The kernel takes namespaces away in its own time. */
    for (int i = 0; i < 6000 && !gone(service); i++)
        usleep(10000);
    assert_true(gone(service));
    /* The next one finds the files and takes them away. */
    works(bench, linux_plane_open(&options, &next, &bench->error));
    bench->ops->destroy(next);
    assert_int_equal(count_entries(bench->directory), 2);
    close(ready[0]);
}

/* Without an uplink nothing changes in the machine's own network. */
static void test_machine_untouched(void **state) {
    struct bench *bench = *state;
    struct nft_ctx *filter;
    char *before, *after;
    size_t devices = count_lines("/proc/thread-self/net/dev");
    size_t forwarding;
    char value[8] = "";
    int fd = open("/proc/sys/net/ipv4/ip_forward", O_RDONLY | O_CLOEXEC);

    forwarding = (size_t)read(fd, value, sizeof value - 1);
    close(fd);
    works(bench, filter_open(&filter, &bench->error));
    works(bench, filter_text(filter, &before, &bench->error));
    up_network(bench, 1, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    works(bench, filter_text(filter, &after, &bench->error));
    assert_string_equal(before, after);
    assert_int_equal(count_lines("/proc/thread-self/net/dev"), devices);
    assert_int_equal(forwarding, 2);
    assert_string_equal(value, "0\n");
    fd = open("/proc/sys/net/ipv4/ip_forward", O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, value, sizeof value - 1), 2);
    close(fd);
    assert_string_equal(value, "0\n");
    free(before);
    free(after);
    filter_close(filter);
}

int main(void) {
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, bench_open, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(test_many),
        TEST(test_destroy),
        TEST(test_two_planes),
        TEST(test_bridge_deleted),
        TEST(test_port_deleted),
        TEST(test_killed),
        TEST(test_machine_untouched),
    };

    return bench_main(tests);
}
