/* SPDX-License-Identifier: MIT
 * What a console keeps, replays and never waits for. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../src/host/state/console.h"
#include "../../../src/host/state/history.h"

struct desk {
    struct console_set *set;
    struct console *console;
    struct buf typed;
};

static void on_input(void *context, const char *bytes, size_t length) {
    struct desk *desk = context;
    buf_add(&desk->typed, bytes, length);
}

static void desk_open(struct desk *desk, bool replay) {
    *desk = (struct desk){0};
    assert_int_equal(console_set_create(&desk->set, NULL), S_OK);
    assert_int_equal(
        console_create(desk->set, replay, on_input, desk, &desk->console, NULL),
        S_OK);
}

static void desk_close(struct desk *desk) {
    console_set_destroy(desk->set);
    buf_free(&desk->typed);
}

static int attach(struct desk *desk) {
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends),
                     0);
    assert_int_equal(console_attach(desk->console, ends[0], NULL), S_OK);
    return ends[1];
}

/* Reads what is there, pumping so that more may come; *ended at the end. */
static void take(struct desk *desk, int fd, struct buf *out, bool *ended) {
    char bytes[65536];
    ssize_t count;
    *ended = false;
    while ((count = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
        buf_add(out, bytes, (size_t)count);
        console_set_pump(desk->set);
    }
    *ended = count == 0;
}

static void expect(struct desk *desk, int fd, const char *text) {
    struct buf out = {0};
    bool ended;
    take(desk, fd, &out, &ended);
    assert_string_equal(out.data ? out.data : "", text);
    buf_free(&out);
}

static void say(struct desk *desk, const char *text) {
    console_output(desk->console, text, strlen(text));
}

/* `count` bytes that tell where they are. */
static void print_numbers(struct desk *desk, uint64_t from, uint64_t count) {
    for (uint64_t i = from; i < from + count; i += 16) {
        char line[24];
        snprintf(line, sizeof line, "%015u\n", (unsigned)i);
        console_output(desk->console, line, 16);
    }
}

static void both_ways(void **state) {
    struct desk desk;
    bool ended;
    struct buf out = {0};
    (void)state;
    desk_open(&desk, true);
    say(&desk, "early ");
    int one = attach(&desk);
    say(&desk, "late");
    int two = attach(&desk);
    expect(&desk, one, "early late");
    expect(&desk, two, "early late");
    assert_int_equal(send(one, "type", 4, 0), 4);
    console_set_pump(desk.set);
    assert_string_equal(desk.typed.data, "type");
    close(one);
    console_set_pump(desk.set);
    console_set_pump(desk.set);
    say(&desk, "!");
    expect(&desk, two, "!");
    console_end(desk.console);
    take(&desk, two, &out, &ended);
    assert_true(ended);
    close(two);
    two = attach(&desk); /* the replay, then the end */
    take(&desk, two, &out, &ended);
    assert_true(ended);
    assert_string_equal(out.data, "early late!");
    close(two);
    buf_free(&out);
    desk_close(&desk);
}

static void without_replay(void **state) {
    struct desk desk;
    (void)state;
    desk_open(&desk, false);
    say(&desk, "early");
    int fd = attach(&desk);
    say(&desk, "late");
    expect(&desk, fd, "late");
    close(fd);
    desk_close(&desk);
}

/* Nothing is lost before the limits, and exactly what must be after them. */
static void gap(void **state) {
    static const uint64_t sizes[] = {
        HISTORY_HEAD_SIZE - 16,
        HISTORY_HEAD_SIZE,
        HISTORY_HEAD_SIZE + 16,
        HISTORY_HEAD_SIZE + HISTORY_TAIL_SIZE,
        HISTORY_HEAD_SIZE + HISTORY_TAIL_SIZE + 16,
        HISTORY_HEAD_SIZE + 3 * (uint64_t)HISTORY_TAIL_SIZE + 4096};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct desk desk;
        struct buf out = {0};
        bool ended;
        uint64_t kept = HISTORY_HEAD_SIZE + HISTORY_TAIL_SIZE;
        uint64_t lost = sizes[i] > kept ? sizes[i] - kept : 0;
        char notice[64] = "";
        size_t at = HISTORY_HEAD_SIZE;
        desk_open(&desk, true);
        print_numbers(&desk, 0, sizes[i]);
        int fd = attach(&desk);
        take(&desk, fd, &out, &ended);
        if (lost) {
            snprintf(notice, sizeof notice, "\n[… %llu bytes not kept …]\n",
                     (unsigned long long)lost);
            assert_memory_equal(out.data + at, notice, strlen(notice));
            at += strlen(notice);
            assert_int_equal(strtoull(out.data + at, NULL, 10),
                             HISTORY_HEAD_SIZE + lost);
        }
        assert_int_equal(out.length, sizes[i] - lost + strlen(notice));
        assert_int_equal(strtoull(out.data + out.length - 16, NULL, 10),
                         sizes[i] - 16);
        close(fd);
        buf_free(&out);
        desk_close(&desk);
    }
}

/* A client that does not read costs nothing and is told what it missed. */
static void slow_client(void **state) {
    struct desk desk;
    struct buf out = {0};
    bool ended;
    (void)state;
    desk_open(&desk, true);
    int slow = attach(&desk);
    int quick = attach(&desk);
    for (int i = 0; i < 64; i++) {
        print_numbers(&desk, (uint64_t)i * 131072, 131072);
        buf_clear(&out);
        take(&desk, quick, &out, &ended);
        assert_int_equal(out.length, 131072);
    }
    buf_clear(&out);
    take(&desk, slow, &out, &ended);
    assert_non_null(strstr(out.data, "bytes not kept"));
    assert_true(out.length < 3u * 1024 * 1024);
    assert_int_equal(strtoull(out.data + out.length - 16, NULL, 10),
                     64 * 131072 - 16);
    close(slow);
    close(quick);
    buf_free(&out);
    desk_close(&desk);
}

/* What was printed before the end still reaches a client that reads late. */
static void ended_with_a_backlog(void **state) {
    struct desk desk;
    struct buf out = {0};
    bool ended;
    (void)state;
    desk_open(&desk, true);
    int fd = attach(&desk);
    print_numbers(&desk, 0, 1024 * 1024);
    console_end(desk.console);
    take(&desk, fd, &out, &ended);
    assert_true(ended);
    assert_int_equal(out.length, 1024 * 1024);
    close(fd);
    buf_free(&out);
    desk_close(&desk);
}

static void half_closed(void **state) {
    struct desk desk;
    (void)state;
    desk_open(&desk, true);
    int fd = attach(&desk);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    console_set_pump(desk.set);
    struct pollfd quiet = {console_set_waitable(desk.set), POLLIN, 0};
    assert_int_equal(poll(&quiet, 1, 0), 0); /* no busy loop */
    say(&desk, "still here");
    expect(&desk, fd, "still here");
    close(fd);
    desk_close(&desk);
}

static void expect_tail(struct desk *desk, size_t most, const char *text) {
    struct buf out = {0};
    console_tail(desk->console, most, &out);
    assert_string_equal(out.data ? out.data : "", text);
    buf_free(&out);
}

static void tails(void **state) {
    struct desk desk;
    struct buf out = {0};
    (void)state;
    desk_open(&desk, true);
    expect_tail(&desk, 10, "");
    say(&desk, "one\ntwo\nthree");
    expect_tail(&desk, 100, "one\ntwo\nthree");
    expect_tail(&desk, 13, "one\ntwo\nthree");
    expect_tail(&desk, 12, "two\nthree");
    expect_tail(&desk, 9, "two\nthree");
    expect_tail(&desk, 8, "three");
    expect_tail(&desk, 3, "ree"); /* no line begins in what is left */
    print_numbers(&desk, 0, HISTORY_HEAD_SIZE + 2 * HISTORY_TAIL_SIZE);
    console_tail(desk.console, 40, &out);
    assert_int_equal(out.length, 32);
    buf_clear(&out);
    console_tail(desk.console, 4 * (size_t)HISTORY_TAIL_SIZE, &out);
    assert_true(out.length <= HISTORY_TAIL_SIZE);
    assert_true(out.length >= HISTORY_TAIL_SIZE - 16);
    buf_free(&out);
    desk_close(&desk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(without_replay),
        cmocka_unit_test(gap),
        cmocka_unit_test(slow_client),
        cmocka_unit_test(ended_with_a_backlog),
        cmocka_unit_test(half_closed),
        cmocka_unit_test(tails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
