/* SPDX-License-Identifier: MIT
 * The daemon without memory, at every allocation of every message: it lives,
 * the client hears of it or is let go, and what is kept is what is there. */
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hresult_hcn.h"
#include "hostd/daemon.h"

#define NET "aaaaaaaa-0000-4000-8000-000000000001"
#define ENDPOINT "aaaaaaaa-0000-4000-8000-000000000002"
#define SPACE "aaaaaaaa-0000-4000-8000-000000000003"
#define MACHINE "bbbbbbbb-0000-4000-8000-000000000001"

struct stage {
    struct daemon daemon;
    struct channel client;
    char path[32];
    int directory;
};

static HRESULT begin(struct stage *stage) {
    HRESULT hr =
        daemon_open(&stage->daemon, stage->path, stage->directory, NULL);

    if (SUCCEEDED(hr))
        do
            hr = store_load_step(&stage->daemon, NULL);
        while (hr == S_FALSE);
    return hr;
}

static void run(struct stage *stage) {
    for (int i = 0; i < 4; i++) {
        uv_run(&stage->daemon.loop, UV_RUN_NOWAIT);
        clients_flush(&stage->daemon);
    }
}

static void end(struct stage *stage) {
    channel_close(&stage->client);
    clients_drop_all(&stage->daemon);
    uv_run(&stage->daemon.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stage->daemon.loop), 0);
    assert_true(link_alone(&stage->daemon.holds));
    daemon_close(&stage->daemon);
}

static void connect_one(struct stage *stage) {
    int fds[2];

    channel_close(&stage->client);
    assert_int_equal(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
        0);
    channel_open(&stage->client, fds[0]);
    client_add(&stage->daemon, fds[1], NULL);
}

static int open_stage(void **state) {
    struct stage *stage = calloc(1, sizeof *stage);

    if (!stage)
        return -1;
    snprintf(stage->path, sizeof stage->path, "/tmp/hcs-XXXXXX");
    if (!mkdtemp(stage->path))
        return -1;
    stage->directory = open(stage->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    channel_open(&stage->client, -1);
    if (begin(stage) != S_OK || uv_loop_init(&stage->daemon.loop) != 0)
        return -1;
    *state = stage;
    return 0;
}

static int close_stage(void **state) {
    struct stage *stage = *state;
    bool gone;

    end(stage);
    close(stage->directory);
    gone = rmdir(stage->path) == 0;
    free(stage);
    return gone ? 0 : -1;
}

/* The reply to the message, or 1: the connection was ended. */
static HRESULT outcome(struct stage *stage) {
    struct hostd_message message;
    struct json_doc doc;
    uint64_t number;
    HRESULT hr = 1;
    int fd;

    while (channel_receive(&stage->client, NULL) == S_OK)
        while (channel_next(&stage->client, &message, &doc, &fd, NULL) ==
               S_OK) {
            if (message.kind == HOSTD_REPLY)
                hr = message.result;
            if (json_to_uint64(json_get(message.read, "Result"), &number))
                hr = (HRESULT)(uint32_t)number;
            if (fd >= 0)
                close(fd);
            json_doc_free(&doc);
        }
    return hr;
}

static HRESULT say(struct stage *stage, const char *text, size_t fault) {
    struct buf frame = {0};

    connect_one(stage);
    outcome(stage); /* the greeting */
    frame_begin(&frame);
    buf_puts(&frame, text);
    assert_hr(frame_end(&frame, &stage->client.out, NULL), S_OK);
    assert_hr(channel_flush(&stage->client, NULL), S_OK);
    faults_fail_from(fault);
    run(stage);
    faults_fail_from(0);
    run(stage);
    return outcome(stage);
}

#define REQUEST(verb, kind, more)                                           \
    "{\"Kind\":\"Request\",\"Tag\":1,\"Build\":26100,\"Request\":{\"Verb\"" \
    ":\"" verb "\",\"Kind\":\"" kind "\"" more "}}"

static const char *const steps[] = {
    "{\"Kind\":\"Listen\",\"Tag\":1}",
    REQUEST("Create", "Network", ",\"Id\":\"" NET "\",\"Document\":\"{}\""),
    REQUEST("Create", "Endpoint",
            ",\"Id\":\"" ENDPOINT "\",\"Parent\":\"" NET
            "\",\"Document\":\"{}\""),
    REQUEST("Create", "Namespace", ",\"Id\":\"" SPACE "\",\"Document\":\"{}\""),
    REQUEST("Query", "Endpoint", ",\"Id\":\"" ENDPOINT "\""),
    REQUEST("Enumerate", "Network", ""),
    REQUEST("Modify", "Namespace",
            ",\"Id\":\"" SPACE
            "\",\"Document\":\"{\\\"ResourceType\\\":\\\"Container\\\","
            "\\\"RequestType\\\":\\\"Add\\\",\\\"Settings\\\":{"
            "\\\"ContainerId\\\":\\\"c\\\"}}\""),
    "{\"Kind\":\"Attach\",\"Tag\":1,\"Id\":\"" ENDPOINT
    "\",\"Machine\":\"vm\",\"RuntimeId\":\"" MACHINE "\"}",
    "{\"Kind\":\"Plan\",\"Tag\":1,\"Build\":26100,\"Request\":{\"Verb\":"
    "\"Create\",\"Kind\":\"Network\",\"Document\":\"{}\"}}",
    "{\"Kind\":\"Inventory\",\"Tag\":1}",
    REQUEST("Delete", "Network", ",\"Id\":\"" NET "\""),
    REQUEST("Delete", "Namespace", ",\"Id\":\"" SPACE "\""),
};

static bool tells_of_memory(HRESULT hr) {
    return hr == 1 || hr == E_OUTOFMEMORY;
}

/* A change may have been made although there was no memory to say so. */
static bool is_done_already(HRESULT hr) {
    return hr == HCN_E_NETWORK_ALREADY_EXISTS || hr == HR_ALREADY_EXISTS ||
           hr == HCN_E_NETWORK_NOT_FOUND || hr == HR_NOT_FOUND;
}

static void at_every_allocation(void **state) {
    struct stage *stage = *state;

    for (size_t i = 0; i < HCS_COUNT(steps); i++) {
        HRESULT hr = E_OUTOFMEMORY;
        size_t n;

        for (n = 1; n < 3000; n++) {
            hr = say(stage, steps[i], n);
            if (!tells_of_memory(hr))
                break;
        }
        if (hr != S_OK && !is_done_already(hr))
            print_error("%s: %08x at %zu\n", steps[i], (unsigned)hr, n);
        assert_true(hr == S_OK || is_done_already(hr));
        assert_true(n > 1 && n < 3000);
    }
    assert_int_equal(net_count(stage->daemon.net, NET_NETWORK), 0);
    assert_int_equal(net_count(stage->daemon.net, NET_ENDPOINT), 0);
    assert_int_equal(net_count(stage->daemon.net, NET_NAMESPACE), 1);
}

/* It says that it cannot begin, and begins whole the next time. */
static void at_its_beginning(void **state) {
    struct stage *stage = *state;
    HRESULT hr = E_OUTOFMEMORY;

    for (size_t i = 0; i < 4; i++)
        assert_hr(say(stage, steps[i], 0), S_OK);
    for (size_t n = 1; hr == E_OUTOFMEMORY; n++) {
        end(stage);
        faults_fail_from(n);
        hr = begin(stage);
        faults_fail_from(0);
        if (FAILED(hr)) {
            assert_hr(hr, E_OUTOFMEMORY);
            daemon_close(&stage->daemon);
            assert_hr(begin(stage), S_OK);
        }
        assert_int_equal(net_count(stage->daemon.net, NET_NETWORK), 1);
        assert_int_equal(net_count(stage->daemon.net, NET_ENDPOINT), 1);
        assert_int_equal(net_count(stage->daemon.net, NET_NAMESPACE), 2);
        assert_int_equal(uv_loop_init(&stage->daemon.loop), 0);
    }
    assert_hr(hr, S_OK);
    assert_hr(say(stage, steps[10], 0), S_OK);
    assert_hr(say(stage, steps[11], 0), S_OK);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, open_stage, close_stage)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(at_every_allocation),
        TEST(at_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
