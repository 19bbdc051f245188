/* SPDX-License-Identifier: MIT
 * A guest's serial port for programs that know no more than CreateFileW. */
#include "platform.h"
#include "world.h"

#define NAME "spec-foreign-com1"
#define PIPE u"\\\\.\\pipe\\" NAME
#define DOCUMENT                                                        \
    u"{\"Owner\":\"spec\",\"SchemaVersion\":{\"Major\":2,\"Minor\":5}," \
    u"\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{"         \
    u"\"KernelFilePath\":"                                              \
    u"\"" PLATFORM_FILE u"\"}},\"Devices\":{\"ComPorts\":{\"0\":{"      \
    u"\"NamedPipe\":"                                                   \
    u"\"\\\\\\\\.\\\\pipe\\\\" NAME "\"}}},"                            \
    u"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64},"               \
    u"\"Processor\":{\"Count\":1}}}}"

static HRESULT start(PCWSTR id, HCS_SYSTEM *system) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HRESULT hr;
    ok(finish(op, HcsCreateComputeSystem(id, DOCUMENT, op, NULL, system)));
    hr = finish(op, HcsStartComputeSystem(*system, op, NULL));
    HcsCloseOperation(op);
    return hr;
}

static HANDLE come(PCWSTR path) {
    HANDLE pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL,
                              OPEN_EXISTING, 0, NULL);
    /* the one that came before has it until it is taken in */
    while (pipe == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY) {
        assert_true(WaitNamedPipeW(path, 10000));
        pipe = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL,
                           OPEN_EXISTING, 0, NULL);
    }
    assert_true(pipe != INVALID_HANDLE_VALUE);
    return pipe;
}

static void type(HANDLE pipe, const char *text) {
    DWORD count;
    assert_true(WriteFile(pipe, text, (DWORD)strlen(text), &count, NULL));
}

/* Reads until `words` have come; NULL: until the end. */
static void read_to(HANDLE pipe, const char *words) {
    static char text[65536];
    size_t length = 0;
    DWORD count;
    text[0] = '\0';
    while (!words || !strstr(text, words)) {
        if (!ReadFile(pipe, text + length, (DWORD)(sizeof text - 1 - length),
                      &count, NULL))
            break;
        length += count;
        text[length] = '\0';
    }
    if (words)
        has(text, words);
    else
        assert_int_equal(GetLastError(), ERROR_BROKEN_PIPE);
}

/* The process's own host has the names that documents give. */
static void by_the_name_alone(void **state) {
    HCS_SYSTEM system = NULL, other = NULL;
    HANDLE one, two;
    (void)state;
    platform_set("HCS_HOST", "sim:?access=open");
    ok(start(u"a", &system));
    fails(HR_SHARING_VIOLATION, start(u"b", &other));
    HcsCloseComputeSystem(other);
    one = come(PIPE);
    two = come(PIPE);
    type(one, "echo one\n");
    read_to(one, "one\r\n");
    read_to(two, "one\r\n");
    type(two, "echo two\n");
    read_to(one, "two\r\n");
    type(two, "poweroff\n");
    read_to(one, NULL);
    read_to(two, NULL);
    HcsCloseComputeSystem(system);
    CloseHandle(one);
    ok(start(u"a", &system)); /* though two has not let go */
    one = come(PIPE);
    read_to(one, "hcs-guest: up");
    CloseHandle(one);
    CloseHandle(two);
    HcsCloseComputeSystem(system);
}

/* Other hosts have theirs to themselves. */
static void apart(void **state) {
    HCSHOST hosts[2];
    HCS_SYSTEM systems[2] = {NULL, NULL};
    (void)state;
    for (int i = 0; i < 2; i++) {
        hosts[i] = world_open("sim:?driver=thread&access=open");
        ok(start(u"a", &systems[i]));
    }
    for (int i = 0; i < 2; i++) {
        char path[128];
        WCHAR wide[128];
        HANDLE pipe;
        ok(hcshost_pipe_path(hosts[i], PIPE, path, sizeof path));
        for (size_t c = 0; c <= strlen(path); c++)
            wide[c] = (WCHAR)path[c];
        pipe = come(wide);
        type(pipe, i ? "echo second\n" : "echo first\n");
        read_to(pipe, i ? "second\r\n" : "first\r\n");
        CloseHandle(pipe);
    }
    for (int i = 0; i < 2; i++) {
        HcsCloseComputeSystem(systems[i]);
        ok(hcshost_close(hosts[i]));
    }
    ok(hcshost_enter(NULL, NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_name_alone),
        cmocka_unit_test(apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
