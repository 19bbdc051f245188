/* SPDX-License-Identifier: MIT
 * Clients that are not what they should be: the others are served on, and
 * nothing of them is left. */
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MANY 1000

/* Descriptors that the daemon has open. */
static size_t descriptors(const struct bench *bench) {
    char path[64];
    struct dirent *entry;
    size_t number = 0;
    DIR *list;

    snprintf(path, sizeof path, "/proc/%d/fd",
             (int)hostd_process(bench->hostd));
    list = opendir(path);
    if (!list)
        return 0; /* an unprivileged one's is not shown to us */
    while ((entry = readdir(list)))
        number += entry->d_name[0] != '.';
    closedir(list);
    return number;
}

/* The same when it has nothing left to do: it counts when all that was taken
 * away is gone. */
static size_t descriptors_at_rest(struct bench *bench) {
    struct hostd_inventory counts;

    works(bench, hostd_inventory(bench->hostd, &counts, &bench->error));
    return descriptors(bench);
}

static void is_well(struct bench *bench) {
    struct guid net = make_nat(bench, 9);

    ask(bench, S_OK, NET_OPEN, NET_NETWORK, &net, NULL);
    erase(bench, NET_NETWORK, &net);
}

static void await_descriptors(struct bench *bench, size_t number) {
    for (int i = 0; i < 1000 && descriptors(bench) > number; i++)
        usleep(5000);
    assert_int_equal(descriptors(bench), number);
}

static void put_frame(struct buf *out, const char *json) {
    size_t length = strlen(json);
    unsigned char head[4] = {
        (unsigned char)length, (unsigned char)(length >> 8),
        (unsigned char)(length >> 16), (unsigned char)(length >> 24)};

    buf_add(out, head, sizeof head);
    buf_add(out, json, length);
}

/* True when the daemon ends the connection. */
static bool is_ended(int fd) {
    struct pollfd input = {fd, POLLIN, 0};
    char bytes[4096];

    while (poll(&input, 1, 5000) == 1) {
        ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

        if (got == 0 || (got < 0 && errno == ECONNRESET))
            return true;
    }
    return false;
}

static void say(const struct bench *bench, const void *bytes, size_t length) {
    int fd = raw(bench);

    assert_int_equal(send(fd, bytes, length, MSG_NOSIGNAL), length);
    assert_true(is_ended(fd));
    close(fd);
}

static void what_is_no_message_ends_the_connection(void **state) {
    static const char *const texts[] = {
        "",
        "{}",
        "[]",
        "null",
        "nonsense",
        "{\"Kind\":\"Nonsense\"}",
        "{\"Kind\":1}",
        "{\"Kind\":\"Hello\",\"Version\":1,\"Process\":1}",
        "{\"Kind\":\"Reply\",\"Tag\":1}",
        "{\"Kind\":\"Event\",\"Type\":1}",
        "{\"Kind\":\"Request\",\"Tag\":1}",
        "{\"Kind\":\"Request\",\"Tag\":1,\"Request\":[]}",
        "{\"Kind\":\"Request\",\"Tag\":1,\"Request\":{\"Verb\":\"Query\"}}",
        "{\"Kind\":\"Request\",\"Tag\":-1,\"Request\":{\"Verb\":\"Enumerate\","
        "\"Kind\":\"Network\"}}",
        "{\"Kind\":\"Request\",\"Build\":\"x\",\"Request\":{\"Verb\":"
        "\"Enumerate\",\"Kind\":\"Network\"}}",
        "{\"Kind\":\"Plan\",\"Tag\":1}",
        "{\"Kind\":\"Attach\",\"Tag\":1}",
        "{\"Kind\":\"Attach\",\"Tag\":1,\"Machine\":\"m\",\"RuntimeId\":\"x\"}",
        "{\"Kind\":\"Attach\",\"Tag\":1,\"Descriptor\":true,\"Machine\":\"m\","
        "\"RuntimeId\":\"bbbbbbbb-0000-4000-8000-000000000001\"}",
        "{\"Kind\":\"Listen\",\"Descriptor\":true}",
        "{\"Kind\":\"Connect\",\"Port\":65536}",
        "{\"Kind\":\"Connect\",\"Port\":1,\"Address\":\"a\\u0000b\"}",
    };
    struct bench *bench = *state;
    size_t before;

    is_well(bench);
    before = descriptors_at_rest(bench);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf frame = {0};

        put_frame(&frame, texts[i]);
        assert_false(frame.failed);
        say(bench, frame.data, frame.length);
        buf_free(&frame);
    }
    say(bench, "\xff\xff\xff\xff", 4);
    say(bench, "GET / HTTP/1.1\r\n\r\n", 18);
    is_well(bench);
    await_descriptors(bench, before);
}

/* Half a frame, and then the end; also of the process' patience. */
static void half_a_frame_is_nothing(void **state) {
    struct bench *bench = *state;
    struct buf frame = {0};
    size_t before = descriptors_at_rest(bench);

    put_frame(&frame, "{\"Kind\":\"Request\",\"Tag\":1,\"Request\":{\"Verb\":"
                      "\"Create\",\"Kind\":\"Network\",\"Document\":\"{}\"}}");
    for (size_t length = 0; length < frame.length; length += 7) {
        int fd = raw(bench);

        assert_int_equal(send(fd, frame.data, length, MSG_NOSIGNAL), length);
        close(fd);
    }
    buf_free(&frame);
    assert_int_equal(count(bench, NET_NETWORK), 0);
    await_descriptors(bench, before);
}

/* Descriptors that nobody asked for are closed, and so is what brings them. */
static void descriptors_are_not_kept(void **state) {
    struct bench *bench = *state;
    size_t before = descriptors_at_rest(bench);

    for (int round = 0; round < 20; round++) {
        char room[CMSG_SPACE(200 * sizeof(int))] = {0};
        int fds[200], fd = raw(bench);
        struct iovec part = {"\x01", 1};
        struct msghdr head = {.msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = room,
                              .msg_controllen = sizeof room};
        struct cmsghdr *message = CMSG_FIRSTHDR(&head);

        for (int i = 0; i < 200; i++)
            fds[i] = bench->root;
        message->cmsg_level = SOL_SOCKET;
        message->cmsg_type = SCM_RIGHTS;
        message->cmsg_len = CMSG_LEN(sizeof fds);
        memcpy(CMSG_DATA(message), fds, sizeof fds);
        assert_int_equal(sendmsg(fd, &head, MSG_NOSIGNAL), 1);
        assert_true(is_ended(fd));
        close(fd);
    }
    await_descriptors(bench, before);
    is_well(bench);
}

static void a_thousand_connections(void **state) {
    struct bench *bench = *state;
    struct rlimit limit;
    size_t before = descriptors_at_rest(bench);
    static int fds[MANY];

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < MANY + 100)
        skip();
    for (int i = 0; i < MANY; i++)
        fds[i] = raw(bench);
    is_well(bench);
    for (int i = 0; i < MANY; i += 2)
        close(fds[i]);
    is_well(bench);
    for (int i = 1; i < MANY; i += 2)
        close(fds[i]);
    await_descriptors(bench, before);
    is_well(bench);
}

/* More connections than the daemon has descriptors: they wait, and those that
 * are there are served. */
static void no_descriptors_left(void **state) {
    struct bench *bench = *state;
    pid_t process = (pid_t)hostd_process(bench->hostd);
    struct rlimit few, old;
    struct hostd *late = NULL;
    int fds[100], made = 0;

    if (prlimit(process, RLIMIT_NOFILE, NULL, &old) != 0)
        skip(); /* it is in a user namespace of its own */
    few = (struct rlimit){.rlim_cur = 40, .rlim_max = old.rlim_max};
    assert_int_equal(prlimit(process, RLIMIT_NOFILE, &few, NULL), 0);
    for (; made < 100; made++) {
        struct pollfd input = {.events = POLLIN};
        int directory = openat(bench->root, "net", O_PATH | O_CLOEXEC);

        if (FAILED(socket_connect(directory, "socket", &fds[made], NULL))) {
            close(directory);
            break;
        }
        close(directory);
        input.fd = fds[made];
        if (poll(&input, 1, 1000) == 0) {
            made++;
            break;
        }
    }
    assert_true(made > 5 && made < 100);
    assert_int_equal(count(bench, NET_NETWORK), 0);
    for (int i = 0; i < made; i++)
        close(fds[i]);
    late = join(bench);
    hostd_close(late);
    assert_int_equal(prlimit(process, RLIMIT_NOFILE, &old, NULL), 0);
    is_well(bench);
}

/* --- who does not read ---------------------------------------------------- */

/* Asks without end and reads nothing: heard no more, not kept in memory. */
static void who_reads_no_replies_is_not_heard(void **state) {
    struct bench *bench = *state;
    struct buf frames = {0};
    size_t sent = 0;
    int fd = raw(bench);

    make_nat(bench, 1);
    for (int i = 0; i < 500; i++)
        put_frame(&frames, "{\"Kind\":\"Request\",\"Tag\":1,\"Request\":{"
                           "\"Verb\":\"Enumerate\",\"Kind\":\"Network\","
                           "\"Document\":\"{\\\"Filter\\\":\\\"{}\\\"}\"}}");
    assert_false(frames.failed);
    for (;;) {
        struct pollfd output = {fd, POLLOUT, 0};
        ssize_t got;

        if (poll(&output, 1, 1500) == 0)
            break;
        got = send(fd, frames.data, frames.length, MSG_NOSIGNAL | MSG_DONTWAIT);
        assert_true(got > 0); /* it is not dropped, either */
        sent += (size_t)got;
        assert_true(sent < (size_t)64 << 20);
    }
    is_well(bench);
    /* and when it reads it is heard again */
    {
        char bytes[65536];
        size_t read_all = 0;
        struct pollfd input = {fd, POLLIN, 0};

        while (read_all <= sent / 4) {
            ssize_t got;

            assert_int_equal(poll(&input, 1, 10000), 1);
            got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
            assert_true(got > 0);
            read_all += (size_t)got;
        }
    }
    close(fd);
    buf_free(&frames);
}

/* A listener that reads nothing does not hold up who makes networks. */
static void who_reads_no_events_holds_nobody_up(void **state) {
    struct bench *bench = *state;
    struct buf frame = {0};
    int fd = raw(bench);

    put_frame(&frame, "{\"Kind\":\"Listen\",\"Tag\":1}");
    assert_int_equal(send(fd, frame.data, frame.length, 0), frame.length);
    buf_free(&frame);
    for (int i = 0; i < 400; i++) {
        struct guid space = make(bench, NET_NAMESPACE, NULL, "{}");

        erase(bench, NET_NAMESPACE, &space);
    }
    is_well(bench);
    close(fd);
}

/* --- strange places ------------------------------------------------------- */

static int start_with(const struct bench *bench, const char *root) {
    char line[640];

    snprintf(line, sizeof line,
             "exec timeout 10 %s --serve '%s' 3</dev/null 4</dev/null",
             bench->place.program, root);
    return system(line);
}

/* Started by somebody who does not know how, it serves nobody. */
static void without_its_lock_it_is_nothing(void **state) {
    struct bench *bench = *state;
    char line[640];

    start_with(bench, bench->path);
    start_with(bench, "/tmp/hcs-none/of/these");
    start_with(bench, "relative");
    start_with(bench, "");
    snprintf(line, sizeof line,
             "timeout 10 %s >/dev/null 2>&1 </dev/null; test $? = 2",
             bench->place.program);
    assert_int_equal(system(line), 0);
    snprintf(line, sizeof line,
             "timeout 10 %s --version | grep -q '^hcs-hostd '",
             bench->place.program);
    assert_int_equal(system(line), 0);
    is_well(bench);
    await_processes(bench, 1); /* what was started ends behind its starter */
    rmdir("/tmp/hcs-none/of/these/pipes");
    rmdir("/tmp/hcs-none/of/these/grants");
    rmdir("/tmp/hcs-none/of/these/net");
    rmdir("/tmp/hcs-none/of/these");
    rmdir("/tmp/hcs-none/of");
    rmdir("/tmp/hcs-none");
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, bench_open, bench_close)

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_message_ends_the_connection),
        TEST(half_a_frame_is_nothing),
        TEST(descriptors_are_not_kept),
        TEST(a_thousand_connections),
        TEST(no_descriptors_left),
        TEST(who_reads_no_replies_is_not_heard),
        TEST(who_reads_no_events_holds_nobody_up),
        TEST(without_its_lock_it_is_nothing),
    };
    return bench_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
