/* SPDX-License-Identifier: MIT
 * What a console keeps, replays and never waits for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/state/console.h"
#include "host/state/history.h"
#include "native.h"

struct desk {
    struct console_set *set;
    struct console *console;
    struct buf typed;
    struct stream_set *clients;
    char pipe[64];
};

static void on_input(void *context, const char *bytes, size_t length) {
    struct desk *desk = context;
    buf_add(&desk->typed, bytes, length);
}

static void desk_open(struct desk *desk, bool replay) {
    static unsigned desks;
    *desk = (struct desk){0};
    snprintf(desk->pipe, sizeof desk->pipe,
             "\\\\.\\pipe\\hcs-console-test-%u-%u", (unsigned)os_process_id(),
             ++desks);
    assert_int_equal(stream_set_create(&desk->clients, NULL), S_OK);
    assert_int_equal(console_set_create(&desk->set, NULL), S_OK);
    assert_int_equal(
        console_create(desk->set, replay, on_input, desk, &desk->console, NULL),
        S_OK);
    assert_int_equal(console_listen(desk->console, desk->pipe, NULL), S_OK);
}

static void desk_close(struct desk *desk) {
    console_set_destroy(desk->set);
    stream_set_destroy(desk->clients);
    buf_free(&desk->typed);
}

static struct stream *attach(struct desk *desk) {
    stream_native native;
    struct stream *client;
    assert_int_equal(console_connect(desk->console, &native, NULL), S_OK);
    assert_int_equal(
        stream_open(desk->clients, native, NULL, NULL, &client, NULL), S_OK);
    return client;
}

/* Reads what is there; false when there is nothing now. */
static bool take_some(struct stream *client, struct buf *out, bool *ended) {
    char bytes[65536];
    size_t count;
    HRESULT hr = stream_read(client, bytes, sizeof bytes, &count, NULL);
    assert_true(SUCCEEDED(hr));
    buf_add(out, bytes, count);
    *ended = hr == S_FALSE;
    return count > 0;
}

static bool ends_with(const struct buf *out, const char *text) {
    size_t length = strlen(text);
    return out->length >= length &&
           memcmp(out->data + out->length - length, text, length) == 0;
}

/* Reads until what was read ends with `last`, pumping so that it comes, which
 * may take the system a moment. NULL: until the end. */
static void take(struct desk *desk, struct stream *client, struct buf *out,
                 const char *last) {
    bool ended = false;
    do {
        while (take_some(client, out, &ended))
            console_set_pump(desk->set);
        if (ended || (last && ends_with(out, last)))
            break;
    } while (console_set_pump(desk->set) ||
             native_wait(console_set_waitable(desk->set), 10000));
    assert_true(ended == !last);
}

static void expect(struct desk *desk, struct stream *client, const char *text) {
    struct buf out = {0};
    take(desk, client, &out, text);
    assert_string_equal(out.data, text);
    buf_free(&out);
}

static void say(struct desk *desk, const char *text) {
    console_output(desk->console, text, strlen(text));
}

static void number(char line[24], uint64_t place) {
    snprintf(line, 24, "%015u\n", (unsigned)place);
}

/* `count` bytes that tell where they are. */
static void print_numbers(struct desk *desk, uint64_t from, uint64_t count) {
    for (uint64_t i = from; i < from + count; i += 16) {
        char line[24];
        number(line, i);
        console_output(desk->console, line, 16);
    }
}

static void both_ways(void **state) {
    struct desk desk;
    size_t taken;
    struct buf out = {0};
    (void)state;
    desk_open(&desk, true);
    say(&desk, "early ");
    struct stream *one = attach(&desk);
    say(&desk, "late");
    struct stream *two = attach(&desk);
    expect(&desk, one, "early late");
    expect(&desk, two, "early late");
    assert_int_equal(stream_write(one, "type", 4, &taken, NULL), S_OK);
    assert_int_equal(taken, 4);
    console_set_pump(desk.set);
    assert_string_equal(desk.typed.data, "type");
    stream_close(one);
    console_set_pump(desk.set);
    console_set_pump(desk.set);
    say(&desk, "!");
    expect(&desk, two, "!");
    console_end(desk.console);
    take(&desk, two, &out, NULL);
    /* The name is free though a client has not gone yet; who comes then gets
     * the replay and the end. */
    assert_int_equal(console_listen(desk.console, desk.pipe, NULL), S_OK);
    one = attach(&desk);
    stream_close(two);
    two = one;
    take(&desk, two, &out, NULL);
    assert_string_equal(out.data, "early late!");
    stream_close(two);
    buf_free(&out);
    desk_close(&desk);
}

static void without_replay(void **state) {
    struct desk desk;
    (void)state;
    desk_open(&desk, false);
    say(&desk, "early");
    struct stream *client = attach(&desk);
    say(&desk, "late");
    expect(&desk, client, "late");
    stream_close(client);
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
        uint64_t kept = HISTORY_HEAD_SIZE + HISTORY_TAIL_SIZE;
        uint64_t lost = sizes[i] > kept ? sizes[i] - kept : 0;
        char notice[64] = "", last[24];
        size_t at = HISTORY_HEAD_SIZE;
        desk_open(&desk, true);
        print_numbers(&desk, 0, sizes[i]);
        struct stream *client = attach(&desk);
        number(last, sizes[i] - 16);
        take(&desk, client, &out, last);
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
        stream_close(client);
        buf_free(&out);
        desk_close(&desk);
    }
}

/* A client that does not read costs nothing and is told what it missed. */
static void slow_client(void **state) {
    struct desk desk;
    struct buf out = {0};
    (void)state;
    desk_open(&desk, true);
    char last[24];
    struct stream *slow = attach(&desk);
    struct stream *quick = attach(&desk);
    for (int i = 0; i < 64; i++) {
        print_numbers(&desk, (uint64_t)i * 131072, 131072);
        buf_clear(&out);
        number(last, (uint64_t)(i + 1) * 131072 - 16);
        take(&desk, quick, &out, last);
        assert_int_equal(out.length, 131072);
    }
    buf_clear(&out);
    take(&desk, slow, &out, last);
    assert_non_null(strstr(out.data, "bytes not kept"));
    assert_true(out.length < 3u * 1024 * 1024);
    assert_int_equal(strtoull(out.data + out.length - 16, NULL, 10),
                     64 * 131072 - 16);
    stream_close(slow);
    stream_close(quick);
    buf_free(&out);
    desk_close(&desk);
}

/* What was printed before the end still reaches a client that reads late. */
static void ended_with_a_backlog(void **state) {
    struct desk desk;
    struct buf out = {0};
    (void)state;
    desk_open(&desk, true);
    struct stream *client = attach(&desk);
    print_numbers(&desk, 0, 1024 * 1024);
    console_end(desk.console);
    take(&desk, client, &out, NULL);
    assert_int_equal(out.length, 1024 * 1024);
    stream_close(client);
    buf_free(&out);
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
        cmocka_unit_test(tails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
