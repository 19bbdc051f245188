/* SPDX-License-Identifier: MIT
 * What a host says of itself, what a build exports, files and grants, and the
 * process's own host. */
#include <stdatomic.h>

#include "world.h"

static const char *service(PCWSTR query) {
    PWSTR document = NULL;
    ok(HcsGetServiceProperties(query, &document));
    return text_of(document);
}

static void refused(PCWSTR query, HRESULT code, const char *words) {
    PWSTR document = NULL;
    fails(code, HcsGetServiceProperties(query, &document));
    has(text_of(document), words);
}

static void service_properties_follow_the_build(void **state) {
    HCSHOST host = world_open("sim:?build=22000&driver=step");
    (void)state;
    assert_string_equal(
        service(u"{\"PropertyTypes\":[\"Basic\"]}"),
        "{\"Properties\":[{\"SupportedSchemaVersions\":[{\"Major\":1,"
        "\"Minor\":0},{\"Major\":2,\"Minor\":6}]}]}");
    assert_string_equal(service(u"{\"PropertyTypes\":[\"CpuGroup\","
                                u"\"QoSCapabilities\"]}"),
                        "{\"Properties\":[{\"CpuGroups\":[]},"
                        "{\"ProcessorQoSSupported\":false}]}");
    assert_string_equal(service(NULL), "{}");
    has(service(u"{\"PropertyTypes\":[\"ProcessorTopology\"]}"),
        "{\"Properties\":[{\"LogicalProcessorCount\":");
    has(service(u"{\"PropertyQueries\":{\"Basic\":null,\"Nonsense\":{}}}"),
        "{\"PropertyResponses\":{\"Basic\":{\"Response\":{\"Supported");
    has(service(u"{\"PropertyQueries\":{\"Nonsense\":{}}}"),
        "{\"Nonsense\":{\"Error\":{\"Error\":-2147024846,");
    refused(u"{\"PropertyTypes\":[\"CacheAllocation\"]}", HR_NOT_SUPPORTED,
            "'$.PropertyTypes[0]'");
    refused(u"{\"PropertyTypes\":[\"Basik\"]}", HCS_E_INVALID_JSON, "Basic");
    refused(u"{", HR_INVALID_DATA, "\"EventId\":11000");
    fails(E_POINTER, HcsGetServiceProperties(NULL, NULL));
    world_close(host);
    host = world_open("sim:?build=17763&driver=step");
    refused(u"{\"PropertyQueries\":{\"Basic\":{}}}", HCS_E_INVALID_JSON,
            "PropertyQueries");
    has(service(u"{\"PropertyTypes\":[\"Basic\"]}"), "\"Minor\":1}]}");
    world_close(host);
}

static void a_build_exports_what_it_has(void **state) {
    HCSHOST old = NULL, new = NULL;
    (void)state;
    ok(hcshost_open("sim:?build=17763", &old, NULL));
    ok(hcshost_open("sim:?build=20348", &new, NULL));
    assert_non_null(hcshost_proc(old, "HcsCreateComputeSystem"));
    assert_null(hcshost_proc(old, "HcsCrashComputeSystem"));
    assert_null(hcshost_proc(old, "HcsWaitForComputeSystemExit"));
    assert_non_null(hcshost_proc(old, "hcshost_step"));
    assert_ptr_equal(hcshost_proc(old, "LocalFree"),
                     platform_symbol("LocalFree"));
    assert_non_null(hcshost_proc(new, "HcsCrashComputeSystem"));
    assert_non_null(hcshost_proc(new, "HcsWaitForComputeSystemExit"));
    assert_non_null(hcshost_proc(NULL, "HcsWaitForComputeSystemExit"));
    assert_null(hcshost_proc(NULL, "HcsNonsense"));
    assert_null(hcshost_proc(NULL, NULL));
    /* every address is the function of that name */
#define HCS_FUNCTION(dll, build, kind, ret, name, params) \
    assert_ptr_equal(hcshost_proc(NULL, #name), platform_symbol(#name));
#include "abi/functions.def"
#undef HCS_FUNCTION
#define HCSHOST_FUNCTION(ret, name, params) \
    assert_ptr_equal(hcshost_proc(NULL, #name), platform_symbol(#name));
#include "abi/hcshost.def"
#undef HCSHOST_FUNCTION
    ok(hcshost_close(old));
    ok(hcshost_close(new));
    assert_null(hcshost_proc(old, "HcsCreateComputeSystem"));
}

static void old_builds_lack_what_came_later(void **state) {
    HCSHOST host =
        world_open("sim:?build=19041&driver=step&access=open&latency=1s&"
                   "clock=manual");
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    PWSTR document = NULL;
    const char *text;
    (void)state;
    ok(HcsCreateComputeSystem(u"old", u"{", op, NULL, &system));
    fails(E_NOTIMPL, HcsCancelOperation(op));
    fails(HR_INVALID_DATA, HcsGetOperationResult(op, &document));
    text = text_of(document);
    has(text, "\"ErrorEvents\"");
    assert_null(strstr(text, "Attribution"));
    fails(E_INVALIDARG,
          HcsSetComputeSystemCallback(system, HcsEventOptionEnableVmLifecycle,
                                      &host, (HCS_EVENT_CALLBACK)abort));
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    world_close(host);
}

static void a_host_describes_itself(void **state) {
    HCSHOST host = world_open("sim:?driver=step&clock=virtual&seed=7&strict=1");
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    PWSTR document = NULL;
    HCSHOST previous = NULL;
    (void)state;
    ok(hcshost_describe(host, &document));
    assert_string_equal(
        text_of(document),
        "{\"Uri\":\"sim:?driver=step&clock=virtual&seed=7&strict=1\","
        "\"Kind\":\"sim\",\"Build\":26100,\"Clock\":\"virtual\","
        "\"Driver\":\"step\",\"Seed\":7,\"Strict\":true,"
        "\"Access\":\"grants\"}");
    ok(HcsCreateComputeSystem(u"x", SYSTEM_DOCUMENT, op, NULL, &system));
    ok(HcsWaitForOperationResult(op, INFINITE, NULL));
    ok(hcshost_inventory(NULL, &document)); /* the one that was entered */
    assert_string_equal(text_of(document),
                        "{\"Systems\":1,\"Networks\":0,\"Endpoints\":0,"
                        "\"Namespaces\":0,\"Handles\":1,\"Operations\":1,"
                        "\"Processes\":0,\"Files\":0,\"Threads\":0}");
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    ok(hcshost_inventory(host, &document));
    assert_string_equal(text_of(document),
                        "{\"Systems\":1,\"Networks\":0,\"Endpoints\":0,"
                        "\"Namespaces\":0,\"Handles\":0,\"Operations\":0,"
                        "\"Processes\":0,\"Files\":0,\"Threads\":0}");
    ok(hcshost_enter(NULL, &previous));
    assert_ptr_equal(previous, host);
    world_close(host);
    fails(E_HANDLE, hcshost_enter(host, NULL));
    fails(E_HANDLE, hcshost_describe(host, &document));
    assert_null(document);
}

/* --- files ---------------------------------------------------------------- */

static HRESULT start_with_kernel(PCWSTR id, PCWSTR document) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    HRESULT hr;
    ok(finish(op, HcsCreateComputeSystem(id, document, op, NULL, &system)));
    hr = finish(op, HcsStartComputeSystem(system, op, NULL));
    finish(op, HcsTerminateComputeSystem(system, op, NULL));
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    return hr;
}

static void access_is_granted_and_revoked(void **state) {
    HCSHOST host = world_open("sim:?driver=step");
    (void)state;
    fails(E_ACCESSDENIED, start_with_kernel(u"g", SYSTEM_DOCUMENT));
    fails(HR_FILE_NOT_FOUND, HcsGrantVmAccess(u"g", u"/nowhere/at/all"));
    fails(E_INVALIDARG, HcsGrantVmAccess(NULL, u"" PLATFORM_FILE));
    fails(E_INVALIDARG, HcsGrantVmAccess(u"g", u""));
    ok(HcsGrantVmAccess(u"g", u"" PLATFORM_FILE));
    ok(start_with_kernel(u"g", SYSTEM_DOCUMENT));
    fails(E_ACCESSDENIED, start_with_kernel(u"h", SYSTEM_DOCUMENT));
    ok(HcsRevokeVmAccess(u"g", u"" PLATFORM_FILE));
    ok(HcsRevokeVmAccess(u"g", u"" PLATFORM_FILE));
    fails(HR_FILE_NOT_FOUND, HcsRevokeVmAccess(u"g", u"/nowhere/at/all"));
    fails(E_ACCESSDENIED, start_with_kernel(u"g", SYSTEM_DOCUMENT));
    ok(HcsGrantVmGroupAccess(u"" PLATFORM_FILE));
    ok(start_with_kernel(u"h", SYSTEM_DOCUMENT));
    ok(HcsRevokeVmGroupAccess(u"" PLATFORM_FILE));
    fails(E_ACCESSDENIED, start_with_kernel(u"h", SYSTEM_DOCUMENT));
    world_close(host);
    host = world_open("sim:?driver=step&access=open");
    ok(start_with_kernel(u"g", SYSTEM_DOCUMENT));
    world_close(host);
}

static void path_in(const char *folder, const char *name, WCHAR *out,
                    size_t size) {
    size_t at = 0;
    for (const char *c = folder; *c; c++)
        out[at++] = (WCHAR)*c;
    out[at++] = '/';
    for (const char *c = name; *c; c++)
        out[at++] = (WCHAR)*c;
    assert_true(at < size);
    out[at] = 0;
}

static void remove_in(const char *folder, const char *name) {
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_true(platform_remove(path));
}

static void state_files_are_made_once(void **state) {
    HCSHOST host = world_open("sim:?driver=step");
    char folder[160];
    WCHAR guest[200], runtime[200];
    (void)state;
    platform_folder(folder, sizeof folder);
    path_in(folder, "x.vmgs", guest, 200);
    path_in(folder, "x.vmrs", runtime, 200);
    ok(HcsCreateEmptyGuestStateFile(guest));
    fails(HR_FILE_EXISTS, HcsCreateEmptyGuestStateFile(guest));
    ok(HcsCreateEmptyRuntimeStateFile(runtime));
    ok(HcsGrantVmAccess(u"x", runtime));
    remove_in(folder, "x.vmgs");
    remove_in(folder, "x.vmrs");
    assert_true(platform_remove_folder(folder));
    fails(E_INVALIDARG, HcsCreateEmptyRuntimeStateFile(u"relative"));
    fails(E_INVALIDARG, HcsCreateEmptyRuntimeStateFile(NULL));
    world_close(host);
}

static void pipes_need_their_system(void **state) {
    HCSHOST host = world_open("sim:?driver=step");
    HANDLE pipe = (HANDLE)state;
    fails(HR_FILE_NOT_FOUND,
          hcshost_pipe_connect(host, u"\\\\.\\pipe\\nobody", &pipe));
    assert_null(pipe);
    fails(E_POINTER, hcshost_pipe_connect(host, u"x", NULL));
    world_close(host);
}

/* --- the process's own host ----------------------------------------------- */

static void CALLBACK says_that_it_came(HCS_OPERATION op, void *context) {
    (void)op;
    atomic_store((atomic_bool *)context, true);
}

/* Who only listens is told, too. */
static void without_a_host_completions_come(void) {
    atomic_bool came = false;
    HCS_OPERATION op = HcsCreateOperation(&came, says_that_it_came);
    ok(HcsEnumerateComputeSystems(NULL, op));
    for (int i = 0; i < 500 && !atomic_load(&came); i++)
        platform_pause(10);
    assert_true(atomic_load(&came));
    HcsCloseOperation(op);
}

static void without_a_host_calls_say_why(void **state) {
    HCS_OPERATION op;
    HCS_SYSTEM system = NULL;
    PWSTR document = NULL;
    const char *text;
    (void)state;
    platform_set("HCS_HOST", NULL);
    platform_set("PATH", "/nowhere::/usr/games");
    op = HcsCreateOperation(NULL, NULL);
    assert_non_null(op);
    ok(HcsEnumerateComputeSystems(NULL, op));
    fails(HCS_E_SERVICE_NOT_AVAILABLE,
          HcsWaitForOperationResult(op, INFINITE, &document));
    text = text_of(document);
    has(text, PLATFORM_ADVICE);
    has(text, "sim:");
    ok(HcsCreateComputeSystem(u"x", SYSTEM_DOCUMENT, op, NULL, &system));
    fails(HCS_E_SERVICE_NOT_AVAILABLE, HcsGetOperationResult(op, NULL));
    HcsCloseComputeSystem(system);
    fails(HCS_E_SERVICE_NOT_AVAILABLE,
          HcsOpenComputeSystem(u"x", GENERIC_ALL, &system));
    fails(HCS_E_SERVICE_NOT_AVAILABLE,
          HcsGetServiceProperties(NULL, &document));
    has(text_of(document), PLATFORM_ADVICE);
    fails(HCS_E_SERVICE_NOT_AVAILABLE,
          HcsGrantVmAccess(u"x", u"" PLATFORM_FILE));
    fails(HCS_E_SERVICE_NOT_AVAILABLE, HcsCreateEmptyGuestStateFile(u"/x"));
    fails(HCS_E_SERVICE_NOT_AVAILABLE, hcshost_describe(NULL, &document));
    assert_int_equal(hcshost_pollfd(NULL), -1);
    fails(E_NOTIMPL, hcshost_sim_guest(NULL, NULL, NULL, NULL));
    fails(E_HANDLE, hcshost_close(NULL));
    HcsCloseOperation(op);
    without_a_host_completions_come();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(service_properties_follow_the_build),
        cmocka_unit_test(a_build_exports_what_it_has),
        cmocka_unit_test(old_builds_lack_what_came_later),
        cmocka_unit_test(a_host_describes_itself),
        cmocka_unit_test(access_is_granted_and_revoked),
        cmocka_unit_test(state_files_are_made_once),
        cmocka_unit_test(pipes_need_their_system),
        cmocka_unit_test(without_a_host_calls_say_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
