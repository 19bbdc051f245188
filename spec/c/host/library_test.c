/* SPDX-License-Identifier: MIT
 * hcshost.dll as a Windows program has it: loaded at run time, freed too early,
 * its results freed by either release, with more systems and threads than is
 * usual. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "abi/hcshost.h"
#include "base/hresult.h"
#include "base/utf.h"
#include "platform.h"

#define DOCUMENT                                                               \
    L"{\"Owner\":\"spec\",\"SchemaVersion\":{\"Major\":2,\"Minor\":5},"        \
    L"\"VirtualMachine\":{\"StopOnReset\":true,\"Chipset\":{"                  \
    L"\"LinuxKernelDirect\":{\"KernelFilePath\":"                              \
    L"\"" PLATFORM_FILE L"\"}},\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":" \
    L"64},"                                                                    \
    L"\"Processor\":{\"Count\":1}}}}"

#define ok(call) assert_int_equal((uint32_t)(call), (uint32_t)S_OK)
#define fails(code, call) assert_int_equal((uint32_t)(call), (uint32_t)(code))

/* Every function under its own name behind `api.`. */
static struct {
#define HCS_FUNCTION(dll, build, kind, ret, name, params) \
    ret(WINAPI *name) params;
#include "abi/functions.def"
#undef HCS_FUNCTION
#define HCSHOST_FUNCTION(ret, name, params) ret(*name) params;
#include "abi/hcshost.def"
#undef HCSHOST_FUNCTION
} api;

static HMODULE library;

static void find(const char *name, void *out, size_t size) {
    FARPROC function = GetProcAddress(library, name);
    if (!function)
        fail_msg("no %s", name);
    assert_int_equal(size, sizeof function);
    memcpy(out, &function, size);
}

static void loads(void **state) {
    (void)state;
    library = LoadLibraryW(L"hcshost.dll");
    assert_non_null(library);
#define HCS_FUNCTION(dll, build, kind, ret, name, params) \
    find(#name, &api.name, sizeof api.name);
#include "abi/functions.def"
#undef HCS_FUNCTION
#define HCSHOST_FUNCTION(ret, name, params) \
    find(#name, &api.name, sizeof api.name);
#include "abi/hcshost.def"
#undef HCSHOST_FUNCTION
}

static HCSHOST open_host(const char *spec) {
    HCSHOST host = NULL;
    PWSTR why = NULL;
    ok(api.hcshost_open(spec, &host, &why));
    assert_null(why);
    ok(api.hcshost_enter(host, NULL));
    return host;
}

static void close_host(HCSHOST host) {
    ok(api.hcshost_enter(NULL, NULL));
    ok(api.hcshost_close(host));
}

struct heard {
    volatile LONG count, foreign;
    DWORD thread;
};

static void CALLBACK hear(HCS_OPERATION operation, void *context) {
    struct heard *heard = context;
    (void)operation;
    if (GetCurrentThreadId() != heard->thread)
        InterlockedIncrement(&heard->foreign);
    InterlockedIncrement(&heard->count);
}

static void expect(const struct heard *heard, LONG count) {
    for (int i = 0; i < 20000 && heard->count < count; i++)
        Sleep(1);
    assert_int_equal(heard->count, count);
}

/* The program lets go of the library while it works: its code must stay. */
static void freed_with_operations_in_flight(void **state) {
    struct heard heard = {.thread = GetCurrentThreadId()};
    HCSHOST host = open_host("sim:?driver=thread&access=open&latency=50ms");
    HCS_OPERATION op = api.HcsCreateOperation(&heard, hear);
    HCS_SYSTEM system = NULL;
    (void)state;
    ok(api.HcsCreateComputeSystem(L"freed", DOCUMENT, op, NULL, &system));
    for (int i = 0; i < 5; i++)
        FreeLibrary(library);
    assert_ptr_equal(GetModuleHandleW(L"hcshost.dll"), library);
    expect(&heard, 1);
    assert_int_equal(heard.foreign, 1);
    api.HcsCloseComputeSystem(system);
    api.HcsCloseOperation(op);
    close_host(host);
}

static void two_hundred_completions(void **state) {
    enum { COUNT = 200 };
    struct heard heard = {.thread = GetCurrentThreadId()};
    HCSHOST host = open_host("sim:?driver=thread");
    HCS_OPERATION ops[COUNT];
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        ops[i] = api.HcsCreateOperation(&heard, hear);
        ok(api.HcsEnumerateComputeSystems(NULL, ops[i]));
    }
    expect(&heard, COUNT);
    assert_int_equal(heard.foreign, COUNT);
    for (int i = 0; i < COUNT; i++)
        api.HcsCloseOperation(ops[i]);
    close_host(host);
}

/* Real clients mix the two releases. */
static void either_release(void **state) {
    HCSHOST host = open_host("sim:?driver=step");
    HMODULE ole = LoadLibraryW(L"ole32.dll");
    FARPROC found = GetProcAddress(ole, "CoTaskMemFree");
    void(WINAPI * release)(void *);
    PWSTR document = NULL;
    (void)state;
    memcpy(&release, &found, sizeof release);
    assert_non_null(release);
    for (int i = 0; i < 1000; i++) {
        ok(api.HcsGetServiceProperties(NULL, &document));
        assert_int_equal(LocalFlags(document) & 0xFF, 0);
        if (i % 2)
            assert_null(LocalFree(document));
        else
            release(document);
    }
    assert_true(HeapValidate(GetProcessHeap(), 0, NULL));
    FreeLibrary(ole);
    close_host(host);
}

static void a_thousand_systems(void **state) {
    enum { COUNT = 1000 };
    static HCS_SYSTEM systems[COUNT];
    HCSHOST host = open_host("sim:?driver=step&access=open");
    HCSHOST other = NULL;
    HCS_OPERATION op = api.HcsCreateOperation(NULL, NULL);
    PWSTR list = NULL;
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        WCHAR id[] = L"system-0000";
        for (int k = 10, n = i; k > 6; k--, n /= 10)
            id[k] = (WCHAR)(L'0' + n % 10);
        ok(api.HcsCreateComputeSystem(id, DOCUMENT, op, NULL, &systems[i]));
        ok(api.HcsWaitForOperationResult(op, INFINITE, NULL));
        ok(api.HcsStartComputeSystem(systems[i], op, NULL));
        ok(api.HcsWaitForOperationResult(op, INFINITE, NULL));
    }
    /* another host's world is empty meanwhile */
    ok(api.hcshost_open("sim:?driver=step", &other, NULL));
    ok(api.hcshost_enter(other, NULL));
    fails(HCS_E_SYSTEM_NOT_FOUND,
          api.HcsOpenComputeSystem(L"system-0001", GENERIC_ALL, &systems[0]));
    ok(api.hcshost_enter(host, NULL));
    ok(api.hcshost_close(other));
    ok(api.HcsEnumerateComputeSystems(NULL, op));
    ok(api.HcsWaitForOperationResult(op, INFINITE, &list));
    assert_true(utf16_length(list) > COUNT * 40);
    LocalFree(list);
    for (int i = 1; i < COUNT; i++)
        api.HcsCloseComputeSystem(systems[i]);
    api.HcsCloseOperation(op);
    close_host(host);
}

static void expect_text(PCWSTR document, const char *part) {
    char *text = NULL;
    assert_non_null(document);
    ok(utf8_from_utf16(document, utf16_length(document), &text, NULL, NULL));
    if (!strstr(text, part))
        fail_msg("no \"%s\" in %s", part, text);
    free(text);
}

static HRESULT make_and_start(PCWSTR id, PCWSTR document) {
    HCS_OPERATION op = api.HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    HRESULT hr;
    ok(api.HcsCreateComputeSystem(id, document, op, NULL, &system));
    ok(api.HcsWaitForOperationResult(op, INFINITE, NULL));
    hr = api.HcsStartComputeSystem(system, op, NULL);
    if (SUCCEEDED(hr))
        hr = api.HcsWaitForOperationResult(op, INFINITE, NULL);
    api.HcsTerminateComputeSystem(system, op, NULL);
    api.HcsWaitForOperationResult(op, INFINITE, NULL);
    api.HcsCloseComputeSystem(system);
    api.HcsCloseOperation(op);
    return hr;
}

/* A file outside every code page, granted by another spelling of its name. */
static void grants_know_no_case(void **state) {
    static const WCHAR name[] = L"\x00c4\x0436\x6f22.vhdx";
    static const WCHAR spelled[] = L"\x00e4\x0416\x6f22.VHDX";
    HCSHOST host = open_host("sim:?driver=step");
    WCHAR path[300], other[300], document[1024] = L"";
    char folder[160];
    size_t length = 0;
    (void)state;
    platform_folder(folder, sizeof folder);
    for (; folder[length]; length++)
        path[length] = other[length] = (WCHAR)folder[length];
    path[length] = L'/';
    other[length] = L'\\';
    memcpy(path + length + 1, name, sizeof name);
    memcpy(other + length + 1, spelled, sizeof spelled);
    lstrcatW(document,
             L"{\"SchemaVersion\":{\"Major\":2,\"Minor\":5},"
             L"\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{"
             L"\"KernelFilePath\":\"");
    lstrcatW(document, path);
    lstrcatW(document, L"\"}},\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":"
                       L"64},\"Processor\":{\"Count\":1}}}}");
    fails(HR_FILE_NOT_FOUND, make_and_start(L"g", document));
    fails(HR_FILE_NOT_FOUND, api.HcsGrantVmAccess(L"g", path));
    ok(api.HcsCreateEmptyGuestStateFile(path));
    fails(HR_FILE_EXISTS, api.HcsCreateEmptyGuestStateFile(other));
    fails(E_ACCESSDENIED, make_and_start(L"g", document));
    ok(api.HcsGrantVmAccess(L"g", other));
    ok(make_and_start(L"g", document));
    ok(api.HcsRevokeVmAccess(L"g", path));
    fails(E_ACCESSDENIED, make_and_start(L"g", document));
    assert_true(DeleteFileW(path));
    assert_true(platform_remove_folder(folder));
    close_host(host);
}

static void real_guests_need_linux(void **state) {
    HCSHOST host = NULL;
    PWSTR why = NULL;
    (void)state;
    fails(HR_NOT_SUPPORTED, api.hcshost_open("qemu:", &host, &why));
    assert_null(host);
    expect_text(why, "real guests need Linux");
    LocalFree(why);
}

/* HCS_HOST is read as it is when the first call needs it, in Unicode. */
static void the_process_has_a_host(void **state) {
    PWSTR document = NULL;
    static const WCHAR value[] = L"sim:?build=22621&root=\x6f22";
    (void)state;
    assert_true(SetEnvironmentVariableW(L"HCS_HOST", value));
    fails(HCS_E_SERVICE_NOT_AVAILABLE,
          api.HcsGetServiceProperties(NULL, &document));
    expect_text(document, "HCS_HOST=sim:?build=22621&root=\xe6\xbc\xa2");
    LocalFree(document);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads),
        cmocka_unit_test(freed_with_operations_in_flight),
        cmocka_unit_test(two_hundred_completions),
        cmocka_unit_test(either_release),
        cmocka_unit_test(a_thousand_systems),
        cmocka_unit_test(grants_know_no_case),
        cmocka_unit_test(real_guests_need_linux),
        cmocka_unit_test(the_process_has_a_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
