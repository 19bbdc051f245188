/* SPDX-License-Identifier: MIT
 * The DLLs with Microsoft's names, found in system32 and nowhere else, as
 * Windows programs find them: every function is the embedded host's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "abi/computecore.h"
#include "abi/hcshost.h"

static HMODULE load(const char *name) {
    char path[MAX_PATH] = "";
    HMODULE dll = LoadLibraryExA(name, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (!dll)
        fail_msg("%s: error %lu", name, GetLastError());
    assert_true(GetModuleFileNameA(dll, path, sizeof path) > 0);
    if (!strstr(path, "system32"))
        fail_msg("%s is %s", name, path);
    return dll;
}

static FARPROC find(HMODULE dll, const char *name) {
    FARPROC found = GetProcAddress(dll, name);
    if (!found)
        fail_msg("no %s: error %lu", name, GetLastError());
    return found;
}

static void every_function_is_the_hosts(void **state) {
    HMODULE host = load("hcshost.dll");
    size_t count = 0;
    (void)state;
#define HCS_FUNCTION(dll, build, kind, ret, name, params)                \
    assert_ptr_equal(find(load(#dll ".dll"), #name), find(host, #name)); \
    count++;
#include "abi/functions.def"
#undef HCS_FUNCTION
    assert_true(count >= 33);
}

/* What is the host's own is no function of Microsoft's. */
static void nothing_else_is_there(void **state) {
    HMODULE host = load("hcshost.dll");
    HMODULE core = load("computecore.dll");
    (void)state;
#define HCSHOST_FUNCTION(ret, name, params) \
    find(host, #name);                      \
    assert_null(GetProcAddress(core, #name));
#include "abi/hcshost.def"
#undef HCSHOST_FUNCTION
    assert_null(GetProcAddress(core, "HcsNonsense"));
    assert_null(GetProcAddress(core, "DllMain"));
    assert_null(GetProcAddress(core, (const char *)(uintptr_t)1000));
}

typedef HCS_OPERATION(WINAPI *create_fn)(const void *context,
                                         HCS_OPERATION_COMPLETION callback);
typedef void(WINAPI *close_fn)(HCS_OPERATION operation);
typedef void *(WINAPI *context_fn)(HCS_OPERATION operation);

static void calls_go_through(void **state) {
    HMODULE core = load("computecore.dll");
    create_fn create =
        (create_fn)(void (*)(void))find(core, "HcsCreateOperation");
    close_fn close = (close_fn)(void (*)(void))find(core, "HcsCloseOperation");
    context_fn context =
        (context_fn)(void (*)(void))find(core, "HcsGetOperationContext");
    HCS_OPERATION operation;
    int here = 0;
    (void)state;
    assert_true(SetEnvironmentVariableA("HCS_HOST", "sim:?clock=virtual"));
    operation = create(&here, NULL);
    assert_non_null(operation);
    assert_ptr_equal(context(operation), &here);
    close(operation);
    assert_null(context(operation));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_the_hosts),
        cmocka_unit_test(nothing_else_is_there),
        cmocka_unit_test(calls_go_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
