/* SPDX-License-Identifier: MIT
 * The compute service stops and starts (trace 13). Every test runs on both
 * drivers. */

#include "world.h"

#define LOST HCS_E_SERVICE_DISCONNECT
#define DOWN HCS_E_SERVICE_NOT_AVAILABLE

/* Ends with its last handle. */
#define MORTAL                                                          \
    u"{\"Owner\":\"spec\",\"SchemaVersion\":{\"Major\":2,\"Minor\":5}," \
    u"\"ShouldTerminateOnLastHandleClosed\":true,"                      \
    u"\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{"         \
    u"\"KernelFilePath\":\"" PLATFORM_FILE                              \
    "\"}},\"ComputeTopology\":{\"Memory\":{"                            \
    u"\"SizeInMB\":64},\"Processor\":{\"Count\":1}}}}"

static const char *spec;

static int setup(void **state) {
    *state = world_open(spec);
    return 0;
}

static int teardown(void **state) {
    world_close(*state);
    return 0;
}

/* What a handle's callback was told. */
struct log {
    int exits, disconnects, others;
    HCSHOST stop; /* the host whose service to stop inside */
    HRESULT stopped;
};

static void on_event(HCS_EVENT *event, void *context) {
    struct log *log = context;
    int *count = event->Type == HcsEventSystemExited        ? &log->exits
                 : event->Type == HcsEventServiceDisconnect ? &log->disconnects
                                                            : &log->others;
    if (event->Type == HcsEventServiceDisconnect)
        assert_null(event->EventData);
    if (log->stop)
        log->stopped = hcshost_sim_service(log->stop, 0);
    __atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
}

static int read_count(int *count) {
    return __atomic_load_n(count, __ATOMIC_SEQ_CST);
}

static void nap(HCSHOST host) {
    if (hcshost_step(host, 0, 0, NULL) == E_NOTIMPL)
        platform_pause(1);
}

static void expect(HCSHOST host, int *count, int wanted) {
    for (int i = 0; i < 20000 && read_count(count) < wanted; i++)
        nap(host);
    for (int i = 0; i < 20; i++) /* and no more */
        nap(host);
    assert_int_equal(read_count(count), wanted);
}

static HCS_SYSTEM run(PCWSTR id, PCWSTR document, HCS_OPERATION op,
                      struct log *log) {
    HCS_SYSTEM system = NULL;
    ok(finish(op, HcsCreateComputeSystem(id, document, op, NULL, &system)));
    ok(HcsSetComputeSystemCallback(system, HcsEventOptionNone, log, on_event));
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    return system;
}

/* Everything but closing and forgetting the callback. */
static void is_lost(HCS_SYSTEM system, HCS_OPERATION op, struct log *log) {
    PWSTR document = NULL;
    ok(HcsGetComputeSystemProperties(system, op, NULL));
    fails(LOST, HcsWaitForOperationResult(op, INFINITE, &document));
    has(text_of(document), "went away");
    fails(LOST, finish(op, HcsStartComputeSystem(system, op, NULL)));
    fails(LOST, finish(op, HcsPauseComputeSystem(system, op, u"{")));
    fails(LOST, finish(op, HcsTerminateComputeSystem(system, op, NULL)));
    fails(LOST, finish(op, HcsModifyComputeSystem(system, op, u"{}", NULL)));
    ok(HcsSetComputeSystemCallback(system, HcsEventOptionNone, NULL, NULL));
    fails(LOST, HcsSetComputeSystemCallback(system, HcsEventOptionNone, log,
                                            on_event));
}

static void nothing_new(HCS_OPERATION op) {
    HCS_SYSTEM system = (HCS_SYSTEM)(void *)op;
    PWSTR document = NULL;
    fails(DOWN, HcsOpenComputeSystem(u"kept", GENERIC_ALL, &system));
    assert_null(system);
    fails(DOWN, HcsGetServiceProperties(NULL, &document));
    has(text_of(document), "not running");
    ok(HcsEnumerateComputeSystems(NULL, op));
    fails(DOWN, HcsWaitForOperationResult(op, INFINITE, &document));
    has(text_of(document), "not running");
    ok(HcsCreateComputeSystem(u"new", u"{", op, NULL, &system));
    fails(DOWN, HcsWaitForOperationResult(op, INFINITE, NULL));
    assert_non_null(system);
    HcsCloseComputeSystem(system);
}

static void the_service_restarts(void **state) {
    struct log kept_log = {0}, other_log = {0}, mortal_log = {0};
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM kept = run(u"kept", SYSTEM_DOCUMENT, op, &kept_log);
    HCS_SYSTEM mortal = run(u"mortal", MORTAL, op, &mortal_log);
    HCS_SYSTEM other = NULL, silent = NULL;
    PWSTR document = NULL;
    const char *list;
    ok(HcsOpenComputeSystem(u"kept", GENERIC_ALL, &other));
    ok(HcsOpenComputeSystem(u"mortal", GENERIC_ALL, &silent));
    ok(HcsSetComputeSystemCallback(other, HcsEventOptionNone, &other_log,
                                   on_event));
    fails(S_FALSE, hcshost_sim_service(*state, 1));
    ok(hcshost_sim_service(*state, 0));
    fails(S_FALSE, hcshost_sim_service(*state, 0));
    expect(*state, &kept_log.disconnects, 1);
    expect(*state, &other_log.disconnects, 1);
    expect(*state, &mortal_log.disconnects, 1);
    assert_int_equal(mortal_log.exits, 0);
    is_lost(kept, op, &kept_log);
    is_lost(silent, op, &kept_log);
    fails(LOST, HcsWaitForComputeSystemExit(mortal, 0, NULL));
    nothing_new(op);
    ok(hcshost_sim_service(*state, 42));
    is_lost(other, op, &other_log); /* for good */
    HcsCloseComputeSystem(other);
    HcsCloseComputeSystem(kept);
    HcsCloseComputeSystem(mortal);
    HcsCloseComputeSystem(silent);
    ok(HcsEnumerateComputeSystems(NULL, op));
    ok(HcsWaitForOperationResult(op, INFINITE, &document));
    list = text_of(document);
    has(list, "\"kept\"");
    assert_null(strstr(list, "mortal"));
    ok(HcsOpenComputeSystem(u"kept", GENERIC_ALL, &kept));
    ok(HcsGetComputeSystemProperties(kept, op, NULL));
    ok(HcsWaitForOperationResult(op, INFINITE, &document));
    has(text_of(document), "\"State\":\"Running\"");
    fails(HCS_E_SYSTEM_NOT_FOUND,
          HcsOpenComputeSystem(u"mortal", GENERIC_ALL, &other));
    mortal = run(u"mortal", MORTAL, op, &mortal_log);
    ok(finish(op, HcsTerminateComputeSystem(mortal, op, NULL)));
    ok(HcsGetServiceProperties(NULL, &document));
    LocalFree(document);
    HcsCloseComputeSystem(mortal);
    HcsCloseComputeSystem(kept);
    HcsCloseOperation(op);
}

/* --- what is under way -------------------------------------------------- */

static int told;

static void count_told(HCS_OPERATION operation, void *context) {
    (void)context;
    fails(LOST, HcsGetOperationResult(operation, NULL));
    __atomic_add_fetch(&told, 1, __ATOMIC_SEQ_CST);
}

static void pending_operations_complete(void **state) {
    struct log log = {0};
    HCSHOST slow = world_open(
        strstr(spec, "step") ? "sim:?access=open&latency=400ms&driver=step"
                             : "sim:?access=open&latency=400ms&driver=thread");
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_OPERATION heard = HcsCreateOperation(NULL, count_told);
    HCS_OPERATION created = HcsCreateOperation(NULL, NULL);
    HCS_OPERATION orphan = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM a, b, c = NULL;
    HRESULT hr;
    (void)state;
    told = 0;
    a = run(u"a", SYSTEM_DOCUMENT, op, &log);
    b = run(u"b", SYSTEM_DOCUMENT, op, &log);
    ok(HcsPauseComputeSystem(a, heard, NULL));
    ok(HcsPauseComputeSystem(b, orphan, NULL));
    ok(HcsCreateComputeSystem(u"c", SYSTEM_DOCUMENT, created, NULL, &c));
    HcsCloseComputeSystem(b);
    fails(HCS_E_OPERATION_PENDING, HcsGetOperationResult(orphan, NULL));
    ok(hcshost_sim_service(slow, 0));
    fails(LOST, HcsGetOperationResult(orphan, NULL));
    fails(LOST, HcsGetOperationResult(created, NULL));
    expect(slow, &told, 1);
    expect(slow, &log.disconnects, 1);
    fails(LOST, HcsWaitForComputeSystemExit(c, 0, NULL));
    ok(hcshost_sim_service(slow, 1));
    /* the work itself has gone on */
    HcsCloseComputeSystem(a);
    ok(HcsOpenComputeSystem(u"b", GENERIC_ALL, &b));
    hr = E_FAIL;
    for (int i = 0; i < 20 && FAILED(hr); i++) {
        nap(slow);
        platform_pause(50);
        hr = finish(op, HcsResumeComputeSystem(b, op, NULL));
    }
    ok(hr);
    HcsCloseComputeSystem(b);
    HcsCloseComputeSystem(c);
    HcsCloseOperation(op);
    HcsCloseOperation(heard);
    HcsCloseOperation(created);
    HcsCloseOperation(orphan);
    world_close(slow);
}

struct waits {
    HCS_SYSTEM system;
    HRESULT result;
};

static void wait_for_exit(void *context) {
    struct waits *waits = context;
    waits->result = HcsWaitForComputeSystemExit(waits->system, 20000, NULL);
}

static void waiters_are_released(void **state) {
    struct log log = {0};
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    struct waits waits = {run(u"w", SYSTEM_DOCUMENT, op, &log), E_FAIL};
    hcs_thread thread;
    assert_int_equal(thread_start(&thread, wait_for_exit, &waits, NULL), 0);
    platform_pause(20);
    ok(hcshost_sim_service(*state, 0));
    thread_join(thread);
    fails(LOST, waits.result);
    ok(hcshost_sim_service(*state, 1));
    HcsCloseComputeSystem(waits.system);
    ok(HcsOpenComputeSystem(u"w", GENERIC_ALL, &waits.system));
    ok(finish(op, HcsTerminateComputeSystem(waits.system, op, NULL)));
    HcsCloseComputeSystem(waits.system);
    HcsCloseOperation(op);
}

static void an_exit_that_was_known_stays_known(void **state) {
    struct log log = {0};
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = run(u"x", SYSTEM_DOCUMENT, op, &log);
    PWSTR document = NULL;
    ok(finish(op, HcsTerminateComputeSystem(system, op, NULL)));
    expect(*state, &log.exits, 1);
    ok(hcshost_sim_service(*state, 0));
    expect(*state, &log.disconnects, 1);
    ok(HcsWaitForComputeSystemExit(system, 0, &document));
    has(text_of(document), "ForcedExit");
    is_lost(system, op, &log);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    /* the host is closed while its service is down */
}

static void it_stops_inside_a_callback(void **state) {
    struct log log = {.stop = *state, .stopped = E_FAIL};
    struct log other = {0};
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM first = run(u"first", MORTAL, op, &log);
    HCS_SYSTEM second = run(u"second", MORTAL, op, &other);
    ok(finish(op, HcsTerminateComputeSystem(first, op, NULL)));
    expect(*state, &log.exits, 1);
    expect(*state, &log.disconnects, 1);
    expect(*state, &other.disconnects, 1);
    fails(S_FALSE, log.stopped); /* the second time */
    ok(hcshost_sim_service(*state, 1));
    HcsCloseComputeSystem(first);
    HcsCloseComputeSystem(second);
    HcsCloseOperation(op);
}

static void only_simulated_services_stop(void **state) {
    HCSHOST host = NULL;
    PWSTR why = NULL;
    char root[160], uri[200];
    (void)state;
    fails(E_HANDLE, hcshost_sim_service((HCSHOST)(void *)root, 0));
    platform_folder(root, sizeof root);
    snprintf(uri, sizeof uri, "qemu:?root=%s", root);
    if (SUCCEEDED(hcshost_open(uri, &host, &why))) {
        fails(E_NOTIMPL, hcshost_sim_service(host, 0));
        ok(hcshost_close(host));
    }
    LocalFree(why);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    static const char *const specs[] = {"sim:?driver=step&access=open",
                                        "sim:?driver=thread&access=open"};
    const struct CMUnitTest tests[] = {
        TEST(the_service_restarts),
        cmocka_unit_test(pending_operations_complete),
        TEST(waiters_are_released),
        TEST(an_exit_that_was_known_stays_known),
        TEST(it_stops_inside_a_callback),
        cmocka_unit_test(only_simulated_services_stop),
    };
    int failed = 0;
    for (size_t i = 0; i < 2; i++) {
        spec = specs[i];
        failed += cmocka_run_group_tests_name(spec, tests, NULL, NULL);
    }
    return failed;
}
