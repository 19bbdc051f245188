/* SPDX-License-Identifier: MIT
 * A guest's serial port through its named pipe, on both drivers: the host has
 * to look after its input while it waits. */
#include "base/stream.h"
#include "native.h"
#include "platform.h"
#include "world.h"

#define PIPE u"\\\\.\\pipe\\spec-com1"
#define DOCUMENT                                                        \
    u"{\"Owner\":\"spec\",\"SchemaVersion\":{\"Major\":2,\"Minor\":5}," \
    u"\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{"         \
    u"\"KernelFilePath\":"                                              \
    u"\"" PLATFORM_FILE u"\"}},\"Devices\":{\"ComPorts\":{\"0\":{"      \
    u"\"NamedPipe\":\"\\\\\\\\.\\\\pipe\\\\spec-com1\"}}},"             \
    u"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64},"               \
    u"\"Processor\":{\"Count\":1}}}}"

/* A client of the pipe. */
struct line {
    struct stream_set *set;
    struct stream *stream;
    char text[65536]; /* what was read */
    bool ended;
};

static void line_open(struct line *line, HANDLE pipe) {
    *line = (struct line){.ended = false};
    ok(stream_set_create(&line->set, NULL));
    ok(stream_open(line->set, stream_from_handle(pipe), NULL, NULL,
                   &line->stream, NULL));
}

static void type(struct line *line, const char *text) {
    size_t taken;
    ok(stream_write(line->stream, text, strlen(text), &taken, NULL));
    assert_int_equal(taken, strlen(text));
}

/* Reads what is there. */
static void collect(struct line *line) {
    size_t used = strlen(line->text);
    size_t got;
    HRESULT hr = stream_read(line->stream, line->text + used,
                             sizeof line->text - 1 - used, &got, NULL);
    assert_true(SUCCEEDED(hr));
    line->ended = hr == S_FALSE;
}

/* Lets the host run until the guest has printed `words`. */
static void expect(HCS_SYSTEM system, struct line *line, const char *words) {
    for (int i = 0; i < 2000 && !strstr(line->text, words); i++) {
        HcsWaitForComputeSystemExit(system, 10, NULL);
        collect(line);
    }
    has(line->text, words);
}

static void talks(const char *spec) {
    HCSHOST host = world_open(spec);
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    HANDLE pipe = NULL;
    PWSTR document = NULL;
    struct line line;
    ok(finish(op, HcsCreateComputeSystem(u"p", DOCUMENT, op, NULL, &system)));
    fails(HR_FILE_NOT_FOUND, hcshost_pipe_connect(host, PIPE, &pipe));
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    ok(hcshost_pipe_connect(host, PIPE, &pipe));
    line_open(&line, pipe);
    expect(system, &line, "hcs-guest: up");
    type(&line, "echo so it is\n");
    expect(system, &line, "so it is\r\n");
    type(&line, "poweroff\n");
    ok(HcsWaitForComputeSystemExit(system, 60000, &document));
    has(text_of(document), "GracefulExit");
    /* the other side ends with the system */
    for (int i = 0; i < 10000 && !line.ended; i++) {
        HcsWaitForOperationResult(op, 1, NULL); /* which is over */
        platform_pause(1);
        collect(&line);
    }
    assert_true(line.ended);
    stream_set_destroy(line.set);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    world_close(host);
}

static void with_steps(void **state) {
    (void)state;
    talks("sim:?driver=step&access=open");
}

static void with_steps_on_a_virtual_clock(void **state) {
    (void)state;
    talks("sim:?driver=step&clock=virtual&access=open");
}

static void with_a_thread(void **state) {
    (void)state;
    talks("sim:?driver=thread&access=open");
}

/* What hcshost_pollfd says is an int on every system. */
static bool is_ready(int number, int milliseconds) {
    hcs_waitable waitable = (hcs_waitable)(intptr_t)number;
    return native_wait(waitable, milliseconds);
}

/* Input makes the host's descriptor ready, and a step handles it. */
static void input_is_announced(void **state) {
    HCSHOST host = world_open("sim:?clock=manual&access=open");
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    HANDLE pipe = NULL;
    struct line line;
    int input = hcshost_pollfd(host);
    (void)state;
    assert_true(input != -1);
    ok(HcsCreateComputeSystem(u"p", DOCUMENT, op, NULL, &system));
    ok(HcsWaitForOperationResult(op, INFINITE, NULL));
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    hcshost_step(host, INT64_C(60000000000), 0, NULL);
    assert_false(is_ready(input, 0));
    ok(hcshost_pipe_connect(host, PIPE, &pipe));
    line_open(&line, pipe);
    do { /* the system may announce the client late */
        hcshost_step(host, 0, 0, NULL);
    } while (is_ready(input, 50));
    type(&line, "hello\n");
    assert_true(is_ready(input, 10000));
    ok(hcshost_step(host, 0, 0, NULL));
    assert_false(is_ready(input, 0));
    assert_int_equal(hcshost_pollfd(host), input);
    stream_set_destroy(line.set);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    world_close(host);
}

static void has_a_path_for_others(void **state) {
    HCSHOST host = world_open("sim:?access=open");
    char path[128] = "";
    (void)state;
    if (STREAM_HAS_NAMES) {
        ok(hcshost_pipe_path(host, PIPE, path, sizeof path));
        has(path, "\\\\.\\pipe\\hcs-");
        has(path, "-spec-com1");
        fails(HR_INSUFFICIENT_BUFFER,
              hcshost_pipe_path(host, PIPE, path, strlen(path)));
        ok(hcshost_pipe_path(host, PIPE, path, strlen(path) + 1));
    } else {
        fails(HR_NOT_SUPPORTED,
              hcshost_pipe_path(host, PIPE, path, sizeof path));
    }
    fails(E_POINTER, hcshost_pipe_path(host, PIPE, NULL, 0));
    world_close(host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_steps),
        cmocka_unit_test(with_steps_on_a_virtual_clock),
        cmocka_unit_test(with_a_thread),
        cmocka_unit_test(input_is_announced),
        cmocka_unit_test(has_a_path_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
