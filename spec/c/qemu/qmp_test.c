/* SPDX-License-Identifier: MIT
 * The QMP client against a QEMU that is played here: split bytes, garbage,
 * ends at every moment. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../../../src/backend/qemu/qmp.h"
#include "faults.h"

#define GREETING "{\"QMP\":{\"version\":{},\"capabilities\":[]}}\r\n"
#define READY GREETING "{\"return\":{},\"id\":1}\r\n"

struct client {
    uv_loop_t loop;
    struct qmp *qmp;
    int other; /* QEMU's end */
    int ready, closed, events, replies, failures;
    HRESULT why;
    char last_event[64];
    char last_error[128];
};

static void on_ready(void *context) {
    ((struct client *)context)->ready++;
}

static void on_event(void *context, const char *name, const struct json *data) {
    struct client *client = context;

    (void)data;
    client->events++;
    snprintf(client->last_event, sizeof client->last_event, "%s", name);
}

static void on_closed(void *context, const struct hcs_error *error) {
    struct client *client = context;

    client->closed++;
    client->why = error->code;
}

static void on_reply(void *context, const struct json *value,
                     const struct hcs_error *error) {
    struct client *client = context;

    client->replies++;
    if (error) {
        client->failures++;
        client->why = error->code;
        snprintf(client->last_error, sizeof client->last_error, "%.100s",
                 error->text);
    } else {
        assert_non_null(value);
    }
}

static void start(struct client *client) {
    struct qmp_handler handler = {on_ready, on_event, on_closed, client};
    int fds[2];

    memset(client, 0, sizeof *client);
    assert_int_equal(uv_loop_init(&client->loop), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    client->other = fds[1];
    assert_int_equal(
        qmp_open(&client->loop, fds[0], &handler, &client->qmp, NULL), S_OK);
}

static void stop(struct client *client) {
    qmp_close(client->qmp);
    if (client->other >= 0)
        close(client->other);
    uv_run(&client->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&client->loop), 0);
}

static HRESULT receive(struct client *client, const char *text) {
    return qmp_receive(client->qmp, text, strlen(text), NULL);
}

/* However the bytes are cut, the same messages come out. */
static void split_bytes(void **state) {
    static const char text[] =
        "{\"event\":\"STOP\",\"timestamp\":{\"seconds\":1}}\r\n"
        "{\"return\":{\"x\":1},\"id\":2}\n\r\n"
        "{\"error\":{\"class\":\"GenericError\",\"desc\":\"no\"},\"id\":3}\n";
    size_t whole = sizeof text - 1;

    (void)state;
    for (size_t step = 1; step <= whole; step++) {
        struct client client;

        start(&client);
        assert_int_equal(receive(&client, READY), S_OK);
        assert_int_equal(client.ready, 1);
        qmp_send(client.qmp, "a", "{\"b\":1}", -1, on_reply, &client);
        qmp_send(client.qmp, "c", NULL, -1, on_reply, &client);
        for (size_t at = 0; at < whole; at += step)
            assert_int_equal(qmp_receive(client.qmp, text + at,
                                         whole - at < step ? whole - at : step,
                                         NULL),
                             S_OK);
        assert_int_equal(client.replies, 2);
        assert_int_equal(client.failures, 1);
        assert_string_equal(client.last_error, "no");
        assert_int_equal(client.events, 1);
        assert_string_equal(client.last_event, "STOP");
        stop(&client);
    }
}

static void what_is_sent(void **state) {
    struct client client;
    char text[512];
    ssize_t length;

    (void)state;
    start(&client);
    receive(&client, GREETING);
    length = recv(client.other, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = 0;
    assert_string_equal(text, "{\"execute\":\"qmp_capabilities\",\"id\":1}\n");
    assert_int_equal(client.ready, 0);
    receive(&client, "{\"return\":{},\"id\":1}\n");
    assert_int_equal(client.ready, 1);
    qmp_send(client.qmp, "balloon", "{\"value\":1}", -1, on_reply, &client);
    length = recv(client.other, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = 0;
    assert_string_equal(
        text,
        "{\"execute\":\"balloon\",\"arguments\":{\"value\":1},\"id\":2}\n");
    stop(&client);
    assert_int_equal(client.replies, 0); /* forgotten */
}

static void descriptors(void **state) {
    struct client client;
    char text[512];
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {text, sizeof text};
    struct msghdr header = {.msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    int file = file_of("hello", 5), got;

    (void)state;
    start(&client);
    receive(&client, READY);
    recv(client.other, text, sizeof text, 0);
    qmp_send(client.qmp, "getfd", "{}", file, on_reply, &client);
    assert_true(recvmsg(client.other, &header, 0) > 0);
    assert_int_equal(control.header.cmsg_type, SCM_RIGHTS);
    memcpy(&got, CMSG_DATA(&control.header), sizeof got);
    assert_int_equal(read(got, text, 5), 5);
    assert_memory_equal(text, "hello", 5);
    close(got);
    close(file);
    stop(&client);
}

static void garbage(void **state) {
    static const char *const texts[] = {
        "QEMU\n",
        "{\"return\":{},\"id\":1}\n", /* nothing was asked */
        GREETING "{\"return\":{},\"id\":7}\n",
        GREETING "{\"return\":{},\"id\":\"1\"}\n",
        GREETING "{\"return\":{}}\n",
        GREETING "[]\n",
        GREETING "{}\n",
        GREETING GREETING, /* greeted twice */
        "\xff\xfe\n",
        "{\"a\":1,\"a\":2}\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct client client;

        start(&client);
        if (SUCCEEDED(receive(&client, texts[i])))
            fail_msg("taken for QMP: %s", texts[i]);
        assert_int_equal(client.ready, 0);
        stop(&client);
    }
}

static void endless_line(void **state) {
    struct client client;
    char *much = malloc(QMP_LINE_LIMIT / 2 + 1);

    (void)state;
    assert_non_null(much);
    memset(much, 'x', QMP_LINE_LIMIT / 2);
    much[QMP_LINE_LIMIT / 2] = 0;
    start(&client);
    assert_int_equal(receive(&client, much), S_OK);
    assert_int_equal(receive(&client, much), S_OK);
    assert_true(FAILED(receive(&client, much)));
    stop(&client);
    free(much);
}

/* Through the socket: QEMU goes while commands wait. */
static void the_end(void **state) {
    struct client client;

    (void)state;
    start(&client);
    assert_true(write(client.other, READY, sizeof READY - 1) > 0);
    while (!client.ready)
        uv_run(&client.loop, UV_RUN_ONCE);
    qmp_send(client.qmp, "quit", NULL, -1, on_reply, &client);
    qmp_send(client.qmp, "cont", NULL, -1, on_reply, &client);
    close(client.other);
    client.other = -1;
    while (!client.closed)
        uv_run(&client.loop, UV_RUN_ONCE);
    assert_int_equal(client.failures, 2);
    assert_int_equal(client.closed, 1);
    assert_int_equal(client.why, HCS_E_UNEXPECTED_EXIT);
    /* A command after the end is answered at once. */
    qmp_send(client.qmp, "stop", NULL, -1, on_reply, &client);
    assert_int_equal(client.failures, 3);
    stop(&client);
}

/* Whichever allocation fails, the command is answered and no descriptor that
 * is not its own is closed. */
static void out_of_memory(void **state) {
    struct client client;
    size_t n = 0;

    (void)state;
    do {
        start(&client);
        assert_int_equal(receive(&client, READY), S_OK);
        faults_fail_from(++n);
        qmp_send(client.qmp, "getfd", "{}", client.other, on_reply, &client);
        faults_fail_from(0);
        assert_int_equal(client.replies, client.failures);
        if (client.failures)
            assert_int_equal(client.why, E_OUTOFMEMORY);
        stop(&client);
        assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
    } while (client.failures);
    assert_true(n > 2);
}

/* Nonsense from a generator never crashes and never answers a command. */
static void noise(void **state) {
    uint32_t seed = 12345;

    (void)state;
    for (int round = 0; round < 300; round++) {
        struct client client;
        char bytes[256];

        start(&client);
        receive(&client, READY);
        qmp_send(client.qmp, "a", NULL, -1, on_reply, &client);
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = "{}[]\":,0123ae\n\r \\ue"[(seed >> 24) % 20];
        }
        qmp_receive(client.qmp, bytes, sizeof bytes, NULL);
        assert_int_equal(client.replies, 0);
        stop(&client);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_bytes),   cmocka_unit_test(what_is_sent),
        cmocka_unit_test(descriptors),   cmocka_unit_test(garbage),
        cmocka_unit_test(endless_line),  cmocka_unit_test(the_end),
        cmocka_unit_test(out_of_memory), cmocka_unit_test(noise)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
