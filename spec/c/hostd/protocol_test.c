/* SPDX-License-Identifier: MIT
 * Messages and channels, without a daemon. */
#include "unit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread.h"
#include "hostd/channel.h"

static struct guid guid(const char *text) {
    struct guid out;

    assert_true(guid_parse(text, &out));
    return out;
}

#define ID "aaaaaaaa-0000-4000-8000-000000000001"
#define OTHER "bbbbbbbb-0000-4000-8000-000000000002"

static struct hostd_message full(enum hostd_kind kind) {
    return (struct hostd_message){
        .kind = kind,
        .tag = UINT64_MAX,
        .version = 7,
        .process = 4711,
        .build = 26100,
        .allow_host_change = true,
        .result = HCS_E_PROTOCOL_ERROR,
        .type = 0x10,
        .status = E_FAIL,
        .id = guid(ID),
        .runtime_id = guid(OTHER),
        .port = 65535,
        .machine = "a \"machine\"\n",
        .mac = "00-15-5D-00-00-01",
        .address = "::1",
        .document = "{\"a\":[1,2]}",
        .path = "$.A",
        .text = "why",
        .body = "{\"Verb\":\"Query\"}",
    };
}

static void check_full(const struct hostd_message *m,
                       const struct hostd_message *sent) {
    assert_int_equal(m->kind, sent->kind);
    assert_true(m->tag == sent->tag);
    assert_int_equal(m->version, 7);
    assert_int_equal(m->process, 4711);
    assert_int_equal(m->build, 26100);
    assert_true(m->allow_host_change);
    assert_false(m->descriptor);
    assert_hr(m->result, HCS_E_PROTOCOL_ERROR);
    assert_int_equal(m->type, 0x10);
    assert_hr(m->status, E_FAIL);
    assert_memory_equal(&m->id, &sent->id, sizeof m->id);
    assert_memory_equal(&m->runtime_id, &sent->runtime_id, sizeof m->id);
    assert_int_equal(m->port, 65535);
    assert_string_equal(m->machine, sent->machine);
    assert_string_equal(m->mac, sent->mac);
    assert_string_equal(m->address, sent->address);
    assert_string_equal(m->document, sent->document);
    assert_string_equal(m->path, sent->path);
    assert_string_equal(m->text, sent->text);
    assert_string_equal(json_text(json_get(m->read, "Verb"), ""), "Query");
}

static void messages_arrive_whole(void **state) {
    (void)state;
    for (int kind = HOSTD_HELLO; kind <= HOSTD_EVENT; kind++) {
        struct hostd_message sent = full((enum hostd_kind)kind), got;
        struct buf wire = {0}, part = {0};
        struct json_doc doc;

        assert_hr(hostd_message_write(&wire, &sent, NULL), S_OK);
        for (size_t i = 0; i + 1 < wire.length; i++) { /* byte by byte */
            buf_add(&part, wire.data + i, 1);
            assert_hr(hostd_message_read(&part, &got, &doc, NULL), S_FALSE);
        }
        buf_add(&part, wire.data + wire.length - 1, 1);
        buf_add(&part, "rest", 4);
        assert_hr(hostd_message_read(&part, &got, &doc, NULL), S_OK);
        check_full(&got, &sent);
        json_doc_free(&doc);
        assert_int_equal(part.length, 4);
        buf_free(&part);
        buf_free(&wire);
    }
}

/* What is absent is nothing, and nothing is left out that is there. */
static void an_empty_message_is_short(void **state) {
    const struct hostd_message sent = {.kind = HOSTD_LISTEN};
    struct hostd_message got;
    struct buf wire = {0};
    struct json_doc doc;

    (void)state;
    assert_hr(hostd_message_write(&wire, &sent, NULL), S_OK);
    assert_int_equal(wire.length, 4 + strlen("{\"Kind\":\"Listen\"}"));
    assert_hr(hostd_message_read(&wire, &got, &doc, NULL), S_OK);
    assert_int_equal(got.tag, 0);
    assert_null(got.document);
    assert_null(got.read);
    json_doc_free(&doc);
    buf_free(&wire);
}

static void too_long_is_not_sent(void **state) {
    static char text[FRAME_LIMIT + 1];
    struct hostd_message sent = {.kind = HOSTD_REPLY, .document = text};
    struct buf wire = {0};
    struct hcs_error error;

    (void)state;
    memset(text, 'x', FRAME_LIMIT);
    buf_puts(&wire, "before");
    assert_hr(hostd_message_write(&wire, &sent, &error), HCS_E_INVALID_JSON);
    assert_int_equal(wire.length, 6);
    text[FRAME_LIMIT - 64] = '\0';
    assert_hr(hostd_message_write(&wire, &sent, &error), S_OK);
    buf_free(&wire);
}

static void out_of_memory(void **state) {
    const struct hostd_message sent = full(HOSTD_ATTACH);
    struct buf wire = {0};
    HRESULT hr = E_OUTOFMEMORY;

    (void)state;
    for (size_t n = 1; hr == E_OUTOFMEMORY; n++) {
        buf_free(&wire);
        faults_fail_from(n);
        hr = hostd_message_write(&wire, &sent, NULL);
        faults_fail_from(0);
    }
    assert_hr(hr, S_OK);
    hr = E_OUTOFMEMORY;
    for (size_t n = 1; hr == E_OUTOFMEMORY; n++) {
        struct hostd_message got;
        struct json_doc doc;

        faults_fail_from(n);
        hr = hostd_message_read(&wire, &got, &doc, NULL);
        faults_fail_from(0);
        if (SUCCEEDED(hr))
            json_doc_free(&doc);
    }
    assert_hr(hr, S_OK);
    buf_free(&wire);
}

/* --- channels ------------------------------------------------------------- */

struct pair {
    struct channel a, b;
};

static void open_pair(struct pair *pair) {
    int fds[2];

    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
        0);
    channel_open(&pair->a, fds[0]);
    channel_open(&pair->b, fds[1]);
}

static int number_of(int fd) {
    char byte;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, 0), 1);
    return byte;
}

/* A file that is told apart by what is in it. */
static int file_of(int number) {
    char name[] = "/tmp/hcs-channel-XXXXXX", byte = (char)number;
    int fd = mkostemp(name, O_CLOEXEC);

    assert_true(fd >= 0);
    unlink(name);
    assert_int_equal(write(fd, &byte, 1), 1);
    return fd;
}

/* Until nothing more comes; checks that message i has descriptor i, where i
 * is a multiple of `every`. */
static void take_all(struct pair *pair, unsigned *next, unsigned every) {
    struct hostd_message message;
    struct json_doc doc;
    int fd;

    while (channel_receive(&pair->b, NULL) == S_OK)
        while (channel_next(&pair->b, &message, &doc, &fd, NULL) == S_OK) {
            assert_int_equal(message.tag, *next);
            assert_int_equal(message.descriptor, *next % every == 0);
            if (*next % every == 0)
                assert_int_equal(number_of(fd), (int)(*next % 100));
            else
                assert_int_equal(fd, -1);
            if (fd >= 0)
                close(fd);
            json_doc_free(&doc);
            ++*next;
        }
}

/* Each message has the descriptor that it was sent with, however the bytes
 * are cut, also when the socket is full in between. */
static void descriptors_stay_with_their_messages(void **state) {
    static char text[30000];
    struct pair pair;
    unsigned next = 1;

    (void)state;
    open_pair(&pair);
    memset(text, 'x', sizeof text - 1);
    for (unsigned i = 1; i <= 120; i++) {
        const struct hostd_message message = {
            .kind = HOSTD_REPLY, .tag = i, .document = i % 7 ? text : NULL};
        int fd = i % 3 == 0 ? file_of((int)(i % 100)) : -1;

        assert_hr(channel_send(&pair.a, &message, fd, NULL), S_OK);
        assert_true(SUCCEEDED(channel_flush(&pair.a, NULL)));
        if (pair.a.sending_count > CHANNEL_DESCRIPTORS / 2)
            take_all(&pair, &next, 3);
    }
    while (next <= 120) {
        assert_true(SUCCEEDED(channel_flush(&pair.a, NULL)));
        take_all(&pair, &next, 3);
    }
    assert_int_equal(pair.a.out.length, 0);
    assert_int_equal(pair.a.sending_count, 0);
    channel_close(&pair.a);
    assert_hr(channel_receive(&pair.b, NULL), HCS_E_CONNECTION_CLOSED);
    channel_close(&pair.b);
    channel_close(&pair.b);
}

static void only_so_many_wait(void **state) {
    const struct hostd_message message = {.kind = HOSTD_REPLY};
    struct pair pair;
    int fd;

    (void)state;
    open_pair(&pair);
    for (int i = 0; i < CHANNEL_DESCRIPTORS; i++)
        assert_hr(channel_send(&pair.a, &message, file_of(i), NULL), S_OK);
    fd = file_of(1);
    assert_hr(channel_send(&pair.a, &message, fd, NULL),
              HR_NO_SYSTEM_RESOURCES);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* it was closed */
    assert_hr(channel_send(&pair.a, &message, -1, NULL), S_OK);
    fd = pair.a.sending[0].fd;
    channel_close(&pair.a); /* with those that wait */
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    channel_close(&pair.b);
}

static void a_promise_must_be_kept(void **state) {
    static const char text[] = "{\"Kind\":\"Reply\",\"Descriptor\":true}";
    const char head[4] = {sizeof text - 1, 0, 0, 0};
    struct hostd_message message;
    struct json_doc doc;
    struct pair pair;
    int fd;

    (void)state;
    open_pair(&pair);
    assert_int_equal(send(pair.a.fd, head, 4, 0), 4);
    assert_int_equal(send(pair.a.fd, text, sizeof text - 1, 0),
                     sizeof text - 1);
    while (channel_receive(&pair.b, NULL) == S_OK)
        continue;
    assert_hr(channel_next(&pair.b, &message, &doc, &fd, NULL),
              HCS_E_PROTOCOL_ERROR);
    channel_close(&pair.a);
    channel_close(&pair.b);
}

static void nobody_is_there(void **state) {
    const struct hostd_message message = {.kind = HOSTD_LISTEN};
    struct pair pair;

    (void)state;
    open_pair(&pair);
    channel_close(&pair.b);
    assert_hr(channel_send(&pair.a, &message, -1, NULL), S_OK);
    assert_hr(channel_flush(&pair.a, NULL), HCS_E_CONNECTION_CLOSED);
    assert_hr(channel_receive(&pair.a, NULL), HCS_E_CONNECTION_CLOSED);
    channel_close(&pair.a);
}

/* --- the directory -------------------------------------------------------- */

struct remover {
    int root;
    atomic_bool enough;
};

/* As daemons do that leave, all the time. */
static void keep_removing(void *context) {
    struct remover *remover = context;

    while (!atomic_load(&remover->enough))
        unlinkat(remover->root, HOSTD_DIRECTORY, AT_REMOVEDIR);
}

static void the_directory_is_made_again(void **state) {
    char path[] = "/tmp/hcs-directory-XXXXXX";
    struct remover remover = {.root = -1};
    hcs_thread thread;
    int directory;

    (void)state;
    assert_non_null(mkdtemp(path));
    remover.root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(remover.root >= 0);
    assert_hr(thread_start(&thread, keep_removing, &remover, NULL), S_OK);
    for (int i = 0; i < 30000; i++) {
        struct hcs_error error;

        if (FAILED(hostd_directory(remover.root, &directory, &error)))
            fail_msg("the time %d: %s", i, error.text);
        close(directory);
    }
    atomic_store(&remover.enough, true);
    thread_join(thread);
    unlinkat(remover.root, HOSTD_DIRECTORY, AT_REMOVEDIR);
    /* But what cannot be opened is told. */
    assert_int_equal(symlinkat("nowhere", remover.root, HOSTD_DIRECTORY), 0);
    assert_hr(hostd_directory(remover.root, &directory, NULL),
              HR_FILE_NOT_FOUND);
    assert_int_equal(unlinkat(remover.root, HOSTD_DIRECTORY, 0), 0);
    close(remover.root);
    assert_int_equal(rmdir(path), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_arrive_whole),
        cmocka_unit_test(an_empty_message_is_short),
        cmocka_unit_test(too_long_is_not_sent),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(descriptors_stay_with_their_messages),
        cmocka_unit_test(only_so_many_wait),
        cmocka_unit_test(a_promise_must_be_kept),
        cmocka_unit_test(nobody_is_there),
        cmocka_unit_test(the_directory_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
