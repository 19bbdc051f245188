/* SPDX-License-Identifier: MIT
 * Connections from outside to servers of simulated guests. */
#include "lab.h"

#include <stdio.h>

struct visitor {
    struct lab lab;
    struct stream_set *set;
    struct stream *stream;
    struct buf got;
    bool ended;
};

static void open_all(struct visitor *v) {
    const struct lab_options plain = {0};
    *v = (struct visitor){0};
    lab_open(&v->lab, &plain);
    lab_start_both(&v->lab);
    lab_say(&v->lab.a, "serve 80 Hello.", 0, "hcs-guest: serve 80\r\n");
    lab_say(&v->lab.a, "receive 5001", 0, "hcs-guest: receive 5001\r\n");
    assert_int_equal(stream_set_create(&v->set, NULL), S_OK);
}

static void close_all(struct visitor *v) {
    stream_set_destroy(v->set);
    buf_free(&v->got);
    lab_close(&v->lab);
}

static HRESULT call(struct visitor *v, const char *address, uint16_t port) {
    struct ip_address to = {0};
    struct hcs_error error = {0};
    stream_native native;
    HRESULT hr;
    if (*address)
        assert_true(ip_parse(address, &to));
    hr = sim_connect(v->lab.world.sim, &to, port, &native, &error);
    if (FAILED(hr)) {
        assert_int_equal(error.code, hr);
        assert_true(strlen(error.text) > 10);
        return hr;
    }
    stream_close(v->stream);
    buf_clear(&v->got);
    v->ended = false;
    assert_int_equal(stream_open(v->set, native, NULL, NULL, &v->stream, NULL),
                     S_OK);
    return hr;
}

static void put(struct visitor *v, const char *text) {
    size_t taken;
    assert_int_equal(stream_write(v->stream, text, strlen(text), &taken, NULL),
                     S_OK);
    assert_int_equal(taken, strlen(text));
}

/* Reads until `want` bytes are there, or the end. */
static void take(struct visitor *v, size_t want) {
    for (int i = 0; i < 2000 && v->got.length < want && !v->ended; i++) {
        char bytes[4096];
        size_t count;
        world_wait(&v->lab.world, 0);
        stream_set_pump(v->set);
        HRESULT hr = stream_read(v->stream, bytes, sizeof bytes, &count, NULL);
        assert_true(SUCCEEDED(hr));
        v->ended = hr == S_FALSE;
        buf_add(&v->got, bytes, count);
        if (count == 0)
            platform_pause(1);
    }
}

static void expect(struct visitor *v, const char *text) {
    take(v, SIZE_MAX);
    assert_true(v->ended);
    buf_putc(&v->got, '\0');
    assert_string_equal(v->got.data, text);
}

#define ANSWER                                        \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" \
    "Content-Length: 7\r\nConnection: close\r\n\r\nHello.\n"

static void is_answered(void **state) {
    static const char *const requests[] = {"GET / HTTP/1.0\r\n\r\n",
                                           "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                                           "GET /\n\n", "x\n\r\n"};
    struct visitor v;
    (void)state;
    open_all(&v);
    for (size_t i = 0; i < HCS_COUNT(requests); i++) {
        assert_int_equal(call(&v, i % 2 ? "192.0.2.1" : "", 8080), S_OK);
        put(&v, requests[i]);
        expect(&v, ANSWER);
    }
    assert_true(lab_counted(&v.lab, ENDPOINT_A).packets_sent >= 8);
    assert_true(lab_counted(&v.lab, ENDPOINT_A).packets_received >= 8);
    close_all(&v);
}

static void takes_its_time(void **state) {
    struct visitor v;
    (void)state;
    open_all(&v);
    assert_int_equal(call(&v, "", 8080), S_OK);
    put(&v, "GET / HTTP/1.0\r\n");
    world_wait(&v.lab.world, CLOCK_SECOND);
    assert_int_equal(system_do(&v.lab.a, HcsOperationTypePause, NULL), S_OK);
    put(&v, "\r\n");
    world_wait(&v.lab.world, CLOCK_SECOND);
    stream_set_pump(v.set);
    assert_int_equal(stream_events(v.stream) & STREAM_READABLE, 0);
    assert_int_equal(call(&v, "", 8080), HR_TIMEOUT);
    assert_int_equal(system_do(&v.lab.a, HcsOperationTypeResume, NULL), S_OK);
    expect(&v, ANSWER);
    close_all(&v);
}

static void receives(void **state) {
    struct visitor v;
    (void)state;
    open_all(&v);
    assert_int_equal(call(&v, "", 8081), S_OK);
    put(&v, "1");
    world_wait(&v.lab.world, 0);
    put(&v, "0\n0123456");
    world_wait(&v.lab.world, 0);
    put(&v, "789");
    expect(&v, "10\n");
    assert_int_equal(call(&v, "", 8081), S_OK);
    put(&v, "0\n");
    expect(&v, "0\n");
    assert_int_equal(call(&v, "", 8081), S_OK);
    put(&v, "ten\n");
    expect(&v, "");
    assert_int_equal(call(&v, "", 8081), S_OK);
    put(&v, "99999999999999999999\n");
    expect(&v, "");
    assert_int_equal(call(&v, "", 8081), S_OK);
    put(&v, "no number and no line either");
    expect(&v, "");
    close_all(&v);
}

static void goes_with_its_guest(void **state) {
    struct visitor v;
    (void)state;
    open_all(&v);
    assert_int_equal(call(&v, "", 8080), S_OK);
    system_type(&v.lab.a, "reboot\n");
    world_wait(&v.lab.world, CLOCK_MS);
    expect(&v, "");
    assert_int_equal(call(&v, "", 8080), HR_TIMEOUT); /* no address yet */
    world_wait(&v.lab.world, 100 * CLOCK_MS);
    system_read(&v.lab.a);
    buf_clear(&v.lab.a.console);
    lab_say(&v.lab.a, "net 10.0.0.10/24", 0,
            "hcs-guest: address 10.0.0.10/24\r\n");
    assert_int_equal(call(&v, "", 8080), HR_CONNECTION_REFUSED);
    lab_say(&v.lab.a, "serve 80 x", 0, "hcs-guest: serve 80\r\n");
    assert_int_equal(call(&v, "", 8080), S_OK);
    assert_int_equal(system_do(&v.lab.a, HcsOperationTypeTerminate, NULL),
                     S_OK);
    expect(&v, "");
    assert_int_equal(call(&v, "", 8080), HR_TIMEOUT);
    close_all(&v);
}

static void is_refused(void **state) {
    struct visitor v;
    struct ip_address any = {0};
    stream_native native;
    struct world world;
    (void)state;
    open_all(&v);
    assert_int_equal(call(&v, "", 8082), HR_CONNECTION_REFUSED);
    assert_int_equal(call(&v, "10.0.0.1", 22), HR_CONNECTION_REFUSED);
    assert_int_equal(call(&v, "10.0.0.10", 80), HR_TIMEOUT);
    assert_int_equal(call(&v, "10.0.0.11", 80), HR_TIMEOUT);
    close_all(&v);
    world_open(&world, 0);
    assert_int_equal(sim_connect(world.sim, &any, 80, &native, NULL),
                     HR_NOT_SUPPORTED);
    world_close(&world);
}

/* Clients that go before they were answered, and some that stay. */
static void forgets(void **state) {
    struct visitor v;
    char line[2048];
    (void)state;
    open_all(&v);
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    for (int i = 0; i < 20; i++) {
        assert_int_equal(call(&v, "", 8080), S_OK);
        put(&v, "GET / HTTP");
    }
    world_wait(&v.lab.world, 0);
    assert_int_equal(call(&v, "", 8080), S_OK);
    for (int i = 0; i < 33; i++) { /* more than a request may be */
        put(&v, line);
        world_wait(&v.lab.world, 0);
    }
    expect(&v, ANSWER);
    assert_int_equal(call(&v, "", 8080), S_OK);
    close_all(&v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_answered), cmocka_unit_test(takes_its_time),
        cmocka_unit_test(receives),    cmocka_unit_test(goes_with_its_guest),
        cmocka_unit_test(is_refused),  cmocka_unit_test(forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
