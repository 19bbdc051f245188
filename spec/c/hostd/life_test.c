/* SPDX-License-Identifier: MIT
 * The daemon's life: when it begins and ends, what is left of it, and what the
 * next one knows. */
#include "bench.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- beginning and end ---------------------------------------------------- */

static void it_is_started_on_demand(void **state) {
    struct bench *bench = *state;

    assert_false(is_running(bench));
    assert_hr(hostd_connect_running(&bench->place, &bench->hostd, NULL),
              HR_NOT_FOUND);
    bench->hostd = join(bench);
    assert_true(is_running(bench));
    assert_int_equal(processes(bench), 1);
    assert_int_equal(getpgid((pid_t)hostd_process(bench->hostd)),
                     hostd_process(bench->hostd)); /* a session of its own */
}

static void it_goes_when_nothing_is_left(void **state) {
    struct bench *bench = *state;

    leave(bench);
    await_end(bench);
    assert_false(there_is(bench, "."));
    rejoin(bench);
}

static void there_is_one(void **state) {
    struct bench *bench = *state;
    struct hostd *other = join(bench);

    assert_int_equal(hostd_process(other), hostd_process(bench->hostd));
    leave(bench);
    assert_true(hostd_alive(other));
    bench->hostd = other;
    assert_int_equal(count(bench, NET_NETWORK), 0);
}

static void networks_outlive_connections(void **state) {
    struct bench *bench = *state;
    int64_t process = hostd_process(bench->hostd);
    struct guid net = make_nat(bench, 1);
    char *before = picture(bench), *after;

    rejoin(bench);
    assert_int_equal(hostd_process(bench->hostd), process);
    after = picture(bench);
    assert_string_equal(before, after);
    free(before);
    free(after);
    erase(bench, NET_NETWORK, &net);
}

/* A program that is not there, and one that ends at once. */
static void a_daemon_that_cannot_be_is_told(void **state) {
    struct bench *bench = *state;
    struct hostd_place place = bench->place;

    place.program = "/tmp/hcs-none/hcs-hostd";
    assert_hr(hostd_connect(&place, &bench->hostd, &bench->error),
              HR_FILE_NOT_FOUND);
    place.program = "/bin/true";
    assert_hr(hostd_connect(&place, &bench->hostd, &bench->error),
              HR_RPC_SERVER_UNAVAILABLE);
    assert_null(bench->hostd);
    bench->hostd = join(bench); /* and it is whole again */
}

/* --- what is taken away --------------------------------------------------- */

static void a_socket_is_made_anew(void **state) {
    struct bench *bench = *state;
    int64_t process = hostd_process(bench->hostd);

    for (int i = 0; i < 2; i++) {
        struct hostd *other;

        assert_int_equal(unlinkat(bench->root, "net/socket", 0), 0);
        other = join(bench);
        assert_int_equal(hostd_process(other), process);
        assert_int_equal(count(bench, NET_NETWORK), 0);
        hostd_close(other);
    }
}

static void remove_below(struct bench *bench, const char *what) {
    char command[512];

    snprintf(command, sizeof command, "rm -rf %s/%s", bench->path, what);
    assert_int_equal(system(command), 0);
}

/* A daemon that nobody could find is none, whatever it has. */
static void it_ends_with_its_directory(void **state) {
    static const char *const parts[] = {"net", "net/lock"};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct guid net = make_nat(bench, 1);

        make_endpoint(bench, &net);
        remove_below(bench, parts[i]);
        await_processes(bench, 0);
        assert_false(hostd_alive(bench->hostd));
        rejoin(bench);
        if (i > 0) /* what was written down is there again */
            erase(bench, NET_NETWORK, &net);
        assert_int_equal(count(bench, NET_NETWORK), 0);
    }
}

/* --- more than one -------------------------------------------------------- */

struct heard {
    unsigned types[16];
    size_t count;
};

static void hear(void *context, const struct net_event *event) {
    struct heard *heard = context;

    assert_true(heard->count < 16);
    assert_non_null(event->document);
    heard->types[heard->count++] = event->type;
}

static void listen_for(struct bench *bench, struct hostd *hostd,
                       struct heard *heard, size_t number) {
    while (heard->count < number) {
        struct pollfd input = {hostd_fd(hostd), POLLIN, 0};

        if (hostd_next(hostd, hear, heard, &bench->error) == S_FALSE)
            assert_int_equal(poll(&input, 1, 5000), 1);
    }
}

static void what_one_does_the_others_see(void **state) {
    struct bench *bench = *state;
    struct hostd *first = bench->hostd, *listener = join(bench);
    struct heard heard = {.count = 0};
    struct guid net;

    works(bench, hostd_listen(listener, &bench->error));
    net = make_nat(bench, 1);
    bench->hostd = join(bench);
    ask(bench, S_OK, NET_OPEN, NET_NETWORK, &net, NULL);
    erase(bench, NET_NETWORK, &net);
    listen_for(bench, listener, &heard, 4);
    assert_int_equal(heard.types[0], NET_EVENT_NETWORK_PRE_CREATE);
    assert_int_equal(heard.types[1], NET_EVENT_NETWORK_CREATE);
    assert_int_equal(heard.types[2], NET_EVENT_NETWORK_PRE_DELETE);
    assert_int_equal(heard.types[3], NET_EVENT_NETWORK_DELETE);
    hostd_close(listener);
    hostd_close(first);
}

/* A child that holds the socket on does not keep the connection. */
static void a_connection_ends_with_its_process(void **state) {
    struct bench *bench = *state;
    int gate[2];
    pid_t child;

    leave(bench);
    await_end(bench);
    assert_int_equal(pipe(gate), 0);
    child = fork();
    if (child == 0) {
        struct hostd *hostd;

        if (FAILED(hostd_connect(&bench->place, &hostd, NULL)))
            _exit(1);
        if (fork() == 0) { /* with the socket, until the gate is closed */
            char byte;

            close(gate[1]);
            _exit((int)read(gate[0], &byte, 1));
        }
        _exit(0);
    }
    close(gate[0]);
    assert_true(child > 0);
    {
        int status;

        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    await_end(bench);
    close(gate[1]);
    rejoin(bench);
}

/* --- after a death -------------------------------------------------------- */

static void fill(struct bench *bench, struct guid *net, struct guid *endpoint,
                 struct guid *space) {
    *net = make_nat(bench, 1);
    make(bench, NET_NETWORK, NULL,
         "{'Name':'quote \\\" and\\nline','Type':'Private'," V2 "}");
    *endpoint = make(bench, NET_ENDPOINT, net,
                     "{'Name':'e','Policies':[{'Type':'PortMapping',"
                     "'Settings':{'Protocol':6,'InternalPort':80,"
                     "'ExternalPort':8080}}]," V2 "}");
    make_endpoint(bench, net);
    *space = make(bench, NET_NAMESPACE, NULL, "{" V2 "}");
    put(bench, space, endpoint);
}

static void the_next_knows_it_all(void **state) {
    struct bench *bench = *state;
    struct guid net, endpoint, space;
    char *before, *after;
    int64_t process;

    fill(bench, &net, &endpoint, &space);
    before = picture(bench);
    for (int i = 0; i < 2; i++) {
        process = hostd_process(bench->hostd);
        kill_daemon(bench);
        ask(bench, HR_RPC_SERVER_UNAVAILABLE, NET_OPEN, NET_NETWORK, &net,
            NULL);
        rejoin(bench);
        assert_int_not_equal(hostd_process(bench->hostd), process);
        after = picture(bench);
        assert_string_equal(after, before);
        free(after);
    }
    free(before);
    ask(bench, S_OK, NET_STATISTICS, NET_ENDPOINT, &endpoint, NULL);
    erase(bench, NET_NETWORK, &net); /* and what hangs on it */
    assert_int_equal(count(bench, NET_ENDPOINT), 0);
}

static void what_was_removed_stays_so(void **state) {
    struct bench *bench = *state;
    struct guid net, endpoint, space;
    char path[96];

    fill(bench, &net, &endpoint, &space);
    object_path(NET_ENDPOINT, &endpoint, path);
    assert_true(there_is(bench, path));
    erase(bench, NET_ENDPOINT, &endpoint);
    assert_false(there_is(bench, path));
    kill_daemon(bench);
    rejoin(bench);
    ask(bench, HCN_E_ENDPOINT_NOT_FOUND, NET_OPEN, NET_ENDPOINT, &endpoint,
        NULL);
    ask(bench, S_OK, NET_OPEN, NET_NAMESPACE, &space, NULL);
    assert_int_equal(count(bench, NET_ENDPOINT), 1);
}

static void some_networks_do_not_come_back(void **state) {
    struct bench *bench = *state;
    struct guid net =
        make(bench, NET_NETWORK, NULL, "{'Name':'f','Flags':8," V2 "}");
    struct guid endpoint = make_endpoint(bench, &net);
    char path[96];

    object_path(NET_NETWORK, &net, path);
    assert_false(there_is(bench, path));
    object_path(NET_ENDPOINT, &endpoint, path);
    assert_false(there_is(bench, path));
    kill_daemon(bench);
    rejoin(bench);
    assert_int_equal(count(bench, NET_NETWORK), 0);
    assert_int_equal(count(bench, NET_ENDPOINT), 0);
}

/* DHCP's program goes with the daemon, and its files with the next one. */
static void programs_die_with_it(void **state) {
    struct bench *bench = *state;
    size_t with;

    make(bench, NET_NETWORK, NULL,
         "{'Type':'ICS','Flags':3,'Ipams':[{'Subnets':[{'IpAddressPrefix':"
         "'10.78.0.0/24'}]}]," V2 "}");
    with = processes(bench);
    assert_true(with >= 2);
    kill_daemon(bench); /* waits until none of them is left */
    assert_int_equal(processes(bench), 0);
    rejoin(bench);
    assert_int_equal(count(bench, NET_NETWORK), 1); /* when it is all there */
    assert_int_equal(processes(bench), with);
}

/* Where paths are longer than DHCP's program is told. */
static void far_down_the_tree(void **state) {
    struct bench *bench = *state;
    struct hostd_inventory counts;
    struct guid net;

    net = make(bench, NET_NETWORK, NULL,
               "{'Type':'ICS','Flags':3,'Ipams':[{'Subnets':[{"
               "'IpAddressPrefix':'10.78.0.0/24'}]}]," V2 "}");
    make_endpoint(bench, &net);
    usleep(100000); /* one that cannot read its files has ended by then */
    works(bench, hostd_inventory(bench->hostd, &counts, &bench->error));
    assert_int_equal(counts.processes, 1);
    kill_daemon(bench);
    rejoin(bench);
    assert_int_equal(count(bench, NET_ENDPOINT), 1);
}

/* --- files that were tampered with ---------------------------------------- */

static void bad_files_are_put_aside(void **state) {
    static const char *const texts[] = {
        "", "{", "[]", "{\"Order\":1}", "{\"Properties\":{},\"Kept\":{}}",
    };
    struct bench *bench = *state;
    struct guid net, endpoint, space;
    char path[96], aside[128];

    fill(bench, &net, &endpoint, &space);
    object_path(NET_NETWORK, &net, path);
    snprintf(aside, sizeof aside, "%s.bad", path);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        kill_daemon(bench);
        scribble(bench, path, texts[i]);
        rejoin(bench);
        assert_int_equal(count(bench, NET_NETWORK), 1);
        assert_int_equal(count(bench, NET_ENDPOINT), 0); /* of that network */
        assert_true(there_is(bench, aside));
        assert_false(there_is(bench, path));
        assert_int_equal(unlinkat(bench->root, "net/objects/endpoints", 0), -1);
    }
    kill_daemon(bench);
    scribble(bench, "objects/networks/new", "half");
    scribble(bench, "objects/networks/notes.txt", "mine");
    rejoin(bench);
    assert_false(there_is(bench, "objects/networks/new"));
    assert_true(there_is(bench, "objects/networks/notes.txt"));
    {
        char command[512];

        snprintf(command, sizeof command,
                 "cd %s/net/objects && rm -f */*.bad */notes.txt", bench->path);
        assert_int_equal(system(command), 0);
    }
}

/* What cannot be kept is not made. */
static void a_full_disk_is_told(void **state) {
    struct bench *bench = *state;
    struct guid net = make_nat(bench, 1);
    struct net_request create = {
        .verb = NET_CREATE, .kind = NET_NETWORK, .text = "{}"};
    const struct hostd_terms terms = {.build = 26100};

    assert_int_equal(mkdirat(bench->root, "net/objects/networks/new", 0700), 0);
    net_reply_free(&bench->reply);
    assert_hr(hostd_request(bench->hostd, &terms, &create, &bench->reply),
              HCN_E_REGKEY_FAILURE);
    assert_int_equal(count(bench, NET_NETWORK), 1);
    ask(bench, HCN_E_REGKEY_FAILURE, NET_MODIFY, NET_NETWORK, &net,
        "{'ResourceType':'DNS','RequestType':'Update','Settings':{'Domain':"
        "'later.test'}}");
    assert_int_equal(
        unlinkat(bench->root, "net/objects/networks/new", AT_REMOVEDIR), 0);
    make_nat(bench, 2); /* and what was not written before is now */
    kill_daemon(bench);
    rejoin(bench);
    ask(bench, S_OK, NET_QUERY, NET_NETWORK, &net, NULL);
    assert_non_null(strstr(bench->reply.document, "later.test"));
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, bench_open, bench_close)
#define BARE(name) \
    cmocka_unit_test_setup_teardown(name, bench_bare, bench_close)

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        BARE(it_is_started_on_demand),
        TEST(it_goes_when_nothing_is_left),
        TEST(there_is_one),
        TEST(networks_outlive_connections),
        BARE(a_daemon_that_cannot_be_is_told),
        TEST(a_socket_is_made_anew),
        TEST(it_ends_with_its_directory),
        TEST(what_one_does_the_others_see),
        TEST(a_connection_ends_with_its_process),
        TEST(the_next_knows_it_all),
        TEST(what_was_removed_stays_so),
        TEST(some_networks_do_not_come_back),
        TEST(programs_die_with_it),
        cmocka_unit_test_setup_teardown(far_down_the_tree, bench_far,
                                        bench_close),
        TEST(bad_files_are_put_aside),
        TEST(a_full_disk_is_told),
    };
    return bench_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
