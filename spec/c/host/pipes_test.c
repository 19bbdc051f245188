/* SPDX-License-Identifier: MIT
 * A guest's serial port through its named pipe, on both drivers: the host has
 * to look after its input while it waits. */
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "world.h"

#define PIPE u"\\\\.\\pipe\\spec-com1"
#define DOCUMENT                                                           \
    u"{\"Owner\":\"spec\",\"SchemaVersion\":{\"Major\":2,\"Minor\":5},"    \
    u"\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{"            \
    u"\"KernelFilePath\":\"/bin/sh\"}},\"Devices\":{\"ComPorts\":{\"0\":{" \
    u"\"NamedPipe\":\"\\\\\\\\.\\\\pipe\\\\spec-com1\"}}},"                \
    u"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64},"                  \
    u"\"Processor\":{\"Count\":1}}}}"

/* Reads what is there. */
static void collect(int fd, char *text, size_t size) {
    size_t used = strlen(text);
    ssize_t n = recv(fd, text + used, size - 1 - used, MSG_DONTWAIT);
    if (n > 0)
        text[used + (size_t)n] = '\0';
}

/* Lets the host run until the guest has printed `words`. */
static void expect(HCSHOST host, HCS_SYSTEM system, int fd, char *text,
                   size_t size, const char *words) {
    (void)host;
    for (int i = 0; i < 2000 && !strstr(text, words); i++) {
        HcsWaitForComputeSystemExit(system, 10, NULL);
        collect(fd, text, size);
    }
    has(text, words);
}

static void talks(const char *spec) {
    HCSHOST host = world_open(spec);
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    HANDLE pipe = NULL;
    PWSTR document = NULL;
    char text[65536] = "";
    int fd;
    ok(finish(op, HcsCreateComputeSystem(u"p", DOCUMENT, op, NULL, &system)));
    fails(HR_FILE_NOT_FOUND, hcshost_pipe_connect(host, PIPE, &pipe));
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    ok(hcshost_pipe_connect(host, PIPE, &pipe));
    fd = (int)((uintptr_t)pipe - 1);
    expect(host, system, fd, text, sizeof text, "hcs-guest: up");
    assert_int_equal(write(fd, "echo so it is\n", 14), 14);
    expect(host, system, fd, text, sizeof text, "so it is\r\n");
    assert_int_equal(write(fd, "poweroff\n", 9), 9);
    ok(HcsWaitForComputeSystemExit(system, 60000, &document));
    has(text_of(document), "GracefulExit");
    /* the other side ends with the system */
    for (int i = 0; i < 1000 && recv(fd, text, sizeof text, MSG_DONTWAIT); i++)
        HcsWaitForOperationResult(op, 1, NULL);
    assert_int_equal(recv(fd, text, sizeof text, MSG_DONTWAIT), 0);
    assert_true(CloseHandle(pipe));
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

/* Input makes the host's descriptor ready, and a step handles it. */
static void input_is_announced(void **state) {
    HCSHOST host = world_open("sim:?clock=manual&access=open");
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    HANDLE pipe = NULL;
    struct pollfd input = {.fd = hcshost_pollfd(host), .events = POLLIN};
    (void)state;
    assert_true(input.fd >= 0);
    ok(HcsCreateComputeSystem(u"p", DOCUMENT, op, NULL, &system));
    ok(HcsWaitForOperationResult(op, INFINITE, NULL));
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    hcshost_step(host, INT64_C(60000000000), 0, NULL);
    assert_int_equal(poll(&input, 1, 0), 0);
    ok(hcshost_pipe_connect(host, PIPE, &pipe));
    hcshost_step(host, 0, 0, NULL);
    assert_int_equal(write((int)((uintptr_t)pipe - 1), "hello\n", 6), 6);
    assert_int_equal(poll(&input, 1, 1000), 1);
    ok(hcshost_step(host, 0, 0, NULL));
    assert_int_equal(poll(&input, 1, 0), 0);
    assert_int_equal(hcshost_pollfd(host), input.fd);
    assert_true(CloseHandle(pipe));
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    world_close(host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_steps),
        cmocka_unit_test(with_steps_on_a_virtual_clock),
        cmocka_unit_test(with_a_thread),
        cmocka_unit_test(input_is_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
