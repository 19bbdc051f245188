/* SPDX-License-Identifier: MIT
 * Functions that a host's Windows build does not have. A program that links
 * the library, or reaches it through a forwarding DLL, can call them all the
 * same: the exports are those of every build. */
#include "world.h"

#define FIRST_BUILD 17763 /* that has any function */

/* A system of every build. */
#define OLD_DOCUMENT                                                    \
    u"{\"Owner\":\"spec\",\"SchemaVersion\":{\"Major\":2,\"Minor\":1}," \
    u"\"VirtualMachine\":{\"Chipset\":{\"Uefi\":{}},"                   \
    u"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64},"               \
    u"\"Processor\":{\"Count\":1}}}}"

/* The calls of functions that came later; `system` is of the host. */
static HRESULT crash(HCS_SYSTEM system, HCS_OPERATION operation) {
    return HcsCrashComputeSystem(system, operation, NULL);
}

static HRESULT wait_for_exit(HCS_SYSTEM system, HCS_OPERATION operation) {
    PWSTR result = (PWSTR)&result;
    HRESULT hr = HcsWaitForComputeSystemExit(system, 0, &result);
    (void)operation;
    assert_null(result);
    return hr;
}

static HRESULT grant(HCS_SYSTEM system, HCS_OPERATION operation) {
    (void)system;
    (void)operation;
    return HcsGrantVmGroupAccess(u"/builds-test/disk");
}

static HRESULT revoke(HCS_SYSTEM system, HCS_OPERATION operation) {
    (void)system;
    (void)operation;
    return HcsRevokeVmGroupAccess(u"/builds-test/disk");
}

static const struct later {
    const char *name;
    HRESULT (*call)(HCS_SYSTEM system, HCS_OPERATION operation);
} later[] = {
    {"HcsCrashComputeSystem", crash},
    {"HcsWaitForComputeSystemExit", wait_for_exit},
    {"HcsGrantVmGroupAccess", grant},
    {"HcsRevokeVmGroupAccess", revoke},
};

static const struct later *find_later(const char *name) {
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (strcmp(later[i].name, name) == 0)
            return &later[i];
    return NULL;
}

/* Dumps belong to no host, so nothing is refused in a host's name. */
static bool is_of_dumps(const char *dll) {
    return strcmp(dll, "vmsavedstatedumpprovider") == 0;
}

static void check_build(int build) {
    char spec[80];
    HCSHOST host;
    HCS_OPERATION operation;
    HCS_SYSTEM system = NULL;

    snprintf(spec, sizeof spec, "sim:?build=%d&driver=step&clock=manual",
             build);
    host = world_open(spec);
    operation = HcsCreateOperation(NULL, NULL);
    ok(finish(operation, HcsCreateComputeSystem(u"old", OLD_DOCUMENT, operation,
                                                NULL, &system)));
#define HCS_FUNCTION(dll, since, kind, ret, name, params)                \
    if (is_of_dumps(#dll)) {                                             \
        assert_int_equal(!hcshost_proc(host, #name), build < since);     \
    } else if (since > FIRST_BUILD) {                                    \
        const struct later *one = find_later(#name);                     \
        if (!one)                                                        \
            fail_msg("%s is not tested", #name);                         \
        else if (build < since)                                          \
            fails(E_NOTIMPL, one->call(system, operation));              \
        else                                                             \
            assert_int_not_equal((uint32_t)one->call(system, operation), \
                                 (uint32_t)E_NOTIMPL);                   \
        assert_int_equal(!hcshost_proc(host, #name), build < since);     \
    }
#include "abi/functions.def"
#undef HCS_FUNCTION
    HcsCloseComputeSystem(system);
    HcsCloseOperation(operation);
    world_close(host);
}

static void what_came_later_is_not_implemented(void **state) {
    (void)state;
    check_build(17763);
    check_build(19040);
    check_build(19041);
    check_build(20347);
    check_build(20348);
    check_build(26100);
}

/* Every handle begins with one of these. */
static void before_the_first_build_there_is_nothing(void **state) {
    HCSHOST host = world_open("sim:?build=17762");
    HCS_SYSTEM system = NULL;
    PWSTR result = NULL;
    (void)state;
    assert_null(HcsCreateOperation(NULL, NULL));
    fails(E_NOTIMPL, HcsOpenComputeSystem(u"old", GENERIC_ALL, &system));
    assert_null(system);
    fails(E_NOTIMPL, HcsGetServiceProperties(NULL, &result));
    assert_null(result);
    fails(E_NOTIMPL, HcsCreateEmptyGuestStateFile(u"/builds-test/state"));
    fails(E_NOTIMPL, HcsCreateEmptyRuntimeStateFile(u"/builds-test/state"));
    fails(E_NOTIMPL, HcsGrantVmAccess(u"old", u"/builds-test/disk"));
    fails(E_NOTIMPL, HcsRevokeVmAccess(u"old", u"/builds-test/disk"));
#define HCS_FUNCTION(dll, since, kind, ret, name, params) \
    assert_null(hcshost_proc(host, #name));
#include "abi/functions.def"
#undef HCS_FUNCTION
    assert_non_null(hcshost_proc(host, "hcshost_describe"));
    world_close(host);
}

/* A mistake in the arguments comes first. */
static void handles_are_looked_at_first(void **state) {
    HCSHOST host = world_open("sim:?build=17763&driver=step");
    HCS_OPERATION operation = HcsCreateOperation(NULL, NULL);
    (void)state;
    fails(E_HANDLE, HcsCrashComputeSystem(NULL, operation, NULL));
    fails(E_HANDLE, HcsWaitForComputeSystemExit(NULL, 0, NULL));
    fails(E_INVALIDARG, HcsGrantVmGroupAccess(NULL));
    HcsCloseOperation(operation);
    world_close(host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_later_is_not_implemented),
        cmocka_unit_test(before_the_first_build_there_is_nothing),
        cmocka_unit_test(handles_are_looked_at_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
