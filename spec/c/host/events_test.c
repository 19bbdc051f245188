/* SPDX-License-Identifier: MIT
 * Events of systems: who hears what, in which order, how often, and the
 * reference traces that have to do with it. Every test runs on both drivers. */

#include "world.h"

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
    hcs_mutex lock;
    int count;
    HCS_EVENT_TYPE types[16];
    HCS_OPERATION operations[16];
    char last[2048];
    HCS_SYSTEM close; /* to be closed inside */
    int inside, overlaps;
};

static void on_event(HCS_EVENT *event, void *context) {
    struct log *log = context;
    if (__atomic_add_fetch(&log->inside, 1, __ATOMIC_SEQ_CST) != 1)
        log->overlaps++;
    mutex_lock(&log->lock);
    if (log->count < 16) {
        log->types[log->count] = event->Type;
        log->operations[log->count] = event->Operation;
    }
    if (event->EventData) {
        char *text = NULL;
        ok(utf8_from_utf16(event->EventData, utf16_length(event->EventData),
                           &text, NULL, NULL));
        snprintf(log->last, sizeof log->last, "%s", text);
        free(text);
    }
    if (log->close) /* before anybody is told that it was */
        HcsCloseComputeSystem(log->close);
    log->count++;
    mutex_unlock(&log->lock);
    __atomic_sub_fetch(&log->inside, 1, __ATOMIC_SEQ_CST);
}

static int count_of(struct log *log) {
    int count;
    mutex_lock(&log->lock);
    count = log->count;
    mutex_unlock(&log->lock);
    return count;
}

static void expect(HCSHOST host, struct log *log, int count) {
    for (int i = 0; i < 20000 && count_of(log) < count; i++)
        if (hcshost_step(host, 1000000, 0, NULL) == E_NOTIMPL)
            platform_pause(1);
    assert_int_equal(count_of(log), count);
    assert_int_equal(log->overlaps, 0);
}

#define LOG \
    { .lock = HCS_MUTEX_INIT }

static HCS_SYSTEM run(PCWSTR id, HCS_OPERATION op, struct log *log) {
    HCS_SYSTEM system = world_create(id, op);
    ok(HcsSetComputeSystemCallback(system, HcsEventOptionNone, log, on_event));
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    return system;
}

static void every_handle_hears_of_the_exit(void **state) {
    struct log mine = LOG, theirs = LOG;
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = run(u"Exit", op, &mine), other = NULL;
    PWSTR document = NULL;
    const char *stopped;
    ok(HcsOpenComputeSystem(u"Exit", GENERIC_ALL, &other));
    ok(HcsSetComputeSystemCallback(other, HcsEventOptionNone, &theirs,
                                   on_event));
    fails(HCS_E_OPERATION_TIMEOUT, HcsWaitForComputeSystemExit(other, 0, NULL));
    ok(finish(op, HcsTerminateComputeSystem(system, op, NULL)));
    expect(*state, &mine, 1);
    expect(*state, &theirs, 1);
    assert_int_equal(mine.types[0], HcsEventSystemExited);
    has(mine.last, "\"ExitType\":\"ForcedExit\"");
    assert_string_equal(mine.last, theirs.last);
    ok(HcsWaitForComputeSystemExit(other, 0, &document));
    assert_string_equal(text_of(document), mine.last);
    /* the old handles answer by themselves, and the id is free */
    ok(HcsTerminateComputeSystem(other, op, NULL));
    fails(HCS_E_SYSTEM_ALREADY_STOPPED,
          HcsWaitForOperationResult(op, INFINITE, NULL));
    ok(HcsGetComputeSystemProperties(other, op, u"{\"PropertyTypes\":[]}"));
    ok(HcsWaitForOperationResult(op, INFINITE, &document));
    stopped = text_of(document);
    has(stopped, "{\"Id\":\"Exit\",\"SystemType\":\"VirtualMachine\","
                 "\"Owner\":\"spec\",\"RuntimeId\":\"");
    has(stopped, "\",\"State\":\"Stopped\",\"Stopped\":true,"
                 "\"ExitType\":\"ForcedExit\"}");
    ok(HcsGetComputeSystemProperties(other, op,
                                     u"{\"PropertyTypes\":[\"Statistics\"]}"));
    fails(HCS_E_SYSTEM_ALREADY_STOPPED,
          HcsWaitForOperationResult(op, INFINITE, NULL));
    ok(HcsGetComputeSystemProperties(other, op, u"{\"PropertyTypes\":1}"));
    fails(HCS_E_INVALID_JSON, HcsWaitForOperationResult(op, INFINITE, NULL));
    ok(HcsStartComputeSystem(other, op, u"{"));
    fails(HR_INVALID_DATA, HcsWaitForOperationResult(op, INFINITE, NULL));
    HcsCloseComputeSystem(other);
    fails(HCS_E_SYSTEM_NOT_FOUND,
          HcsOpenComputeSystem(u"Exit", GENERIC_ALL, &other));
    HcsCloseComputeSystem(world_create(u"Exit", op));
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
}

static void registering_follows_the_rules(void **state) {
    struct log log = LOG;
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = world_create(u"rules", op);
    (void)state;
    fails(E_INVALIDARG, HcsSetComputeSystemCallback(
                            system, (HCS_EVENT_OPTIONS)0x8, &log, on_event));
    fails(E_INVALIDARG,
          HcsSetComputeSystemCallback(
              system, HcsEventOptionEnableOperationCallbacks, NULL, NULL));
    ok(HcsSetComputeSystemCallback(system, HcsEventOptionNone, &log, on_event));
    fails(HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET,
          HcsSetComputeSystemCallback(system, HcsEventOptionNone, &log,
                                      on_event));
    ok(HcsSetComputeSystemCallback(system, HcsEventOptionNone, NULL, NULL));
    ok(HcsSetComputeSystemCallback(system, HcsEventOptionEnableVmLifecycle,
                                   &log, on_event));
    HcsCloseComputeSystem(system);
    fails(E_HANDLE,
          HcsSetComputeSystemCallback(system, HcsEventOptionNone, NULL, NULL));
    HcsCloseOperation(op);
}

static void nothing(HCS_OPERATION operation, void *context) {
    (void)operation;
    ++*(int *)context;
}

/* Trace 15, and what goes with it. */
static void completions_reach_a_late_event_callback(void **state) {
    struct log log = LOG;
    int own = 0;
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_OPERATION second = HcsCreateOperation(&own, nothing);
    HCS_SYSTEM system = world_create(u"late", op);
    ok(HcsSetComputeSystemCallback(
        system, HcsEventOptionEnableOperationCallbacks, &log, on_event));
    expect(*state, &log, 1);
    assert_int_equal(log.types[0], HcsEventOperationCallback);
    assert_ptr_equal(log.operations[0], op);
    fails(HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET,
          HcsStartComputeSystem(system, second, NULL));
    assert_int_equal(HcsGetOperationType(second), HcsOperationTypeNone);
    ok(HcsStartComputeSystem(system, op, NULL));
    expect(*state, &log, 2);
    ok(HcsGetOperationResult(op, NULL));
    /* other handles of the same system are not concerned */
    ok(HcsEnumerateComputeSystems(NULL, second));
    ok(HcsWaitForOperationResult(second, INFINITE, NULL));
    HcsCloseOperation(second);
    /* without the callback the next one is heard of by the next callback */
    ok(HcsSetComputeSystemCallback(system, HcsEventOptionNone, NULL, NULL));
    ok(finish(op, HcsPauseComputeSystem(system, op, NULL)));
    ok(HcsSetComputeSystemCallback(
        system, HcsEventOptionEnableOperationCallbacks, &log, on_event));
    expect(*state, &log, 3);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
}

static void a_handle_is_closed_in_its_callback(void **state) {
    static struct log log; /* its callback may end after this test */
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    log = (struct log)LOG;
    log.close = run(u"inside", op, &log);
    ok(finish(op, HcsTerminateComputeSystem(log.close, op, NULL)));
    expect(*state, &log, 1);
    fails(E_HANDLE, HcsStartComputeSystem(log.close, op, NULL));
    HcsCloseOperation(op);
}

/* Trace 9 with a Linux guest that panics on an interrupt and boots again. */
static void a_crash_is_told_in_order(void **state) {
    static const WCHAR document[] =
        u"{\"Owner\":\"spec\",\"SchemaVersion\":{\"Major\":2,\"Minor\":5},"
        u"\"VirtualMachine\":{\"StopOnReset\":true,\"Chipset\":{"
        u"\"LinuxKernelDirect\":{\"KernelFilePath\":\"" PLATFORM_FILE "\","
        u"\"KernelCmdLine\":\"unknown_nmi_panic panic=-1\"}},"
        u"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64},"
        u"\"Processor\":{\"Count\":1}}}}";
    struct log log = LOG;
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    ok(finish(op,
              HcsCreateComputeSystem(u"crash", document, op, NULL, &system)));
    ok(HcsSetComputeSystemCallback(system, HcsEventOptionNone, &log, on_event));
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    ok(finish(op, HcsCrashComputeSystem(system, op, NULL)));
    ok(HcsWaitForComputeSystemExit(system, 60000, NULL));
    expect(*state, &log, 3);
    assert_int_equal(log.types[0], HcsEventSystemCrashInitiated);
    assert_int_equal(log.types[1], HcsEventSystemCrashReport);
    assert_int_equal(log.types[2], HcsEventSystemExited);
    has(log.last, "\"ExitType\":\"GracefulExit\"");
    HcsCloseOperation(op);
    HcsCloseComputeSystem(system);
}

/* Nobody waits but the callback, which comes while the operation is under
 * way: time passes for it all the same. */
static void a_callback_that_comes_late_is_waited_for(void **state) {
    struct log log = LOG;
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    ok(HcsCreateComputeSystem(u"soon", SYSTEM_DOCUMENT, op, NULL, &system));
    ok(HcsSetComputeSystemCallback(
        system, HcsEventOptionEnableOperationCallbacks, &log, on_event));
    for (int i = 0; i < 2000 && count_of(&log) == 0; i++) {
        if (strstr(spec, "driver=step"))
            hcshost_step(*state, 1000000, 0, NULL);
        platform_pause(1);
    }
    assert_int_equal(count_of(&log), 1);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
}

static void pending_operations_outlive_the_handle(void **state) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = world_create(u"outlive", op);
    PWSTR list = NULL;
    (void)state;
    ok(HcsStartComputeSystem(system, op, NULL));
    HcsCloseComputeSystem(system);
    ok(HcsWaitForOperationResult(op, INFINITE, NULL));
    assert_null(HcsGetComputeSystemFromOperation(op));
    ok(finish(op, HcsEnumerateComputeSystems(u"{\"Ids\":[\"outlive\"]}", op)));
    ok(HcsGetOperationResult(op, &list));
    has(text_of(list), "\"State\":\"Running\"");
    ok(finish(op, HcsEnumerateComputeSystems(u"{\"Owners\":[\"me\"]}", op)));
    ok(HcsGetOperationResult(op, &list));
    assert_string_equal(text_of(list), "[]");
    HcsCloseOperation(op);
}

static void the_last_handle_takes_the_system_along(void **state) {
    static const WCHAR document[] =
        u"{\"Owner\":\"spec\",\"SchemaVersion\":{\"Major\":2,\"Minor\":5},"
        u"\"ShouldTerminateOnLastHandleClosed\":true,\"VirtualMachine\":{"
        u"\"Chipset\":{\"LinuxKernelDirect\":{\"KernelFilePath\":"
        u"\"" PLATFORM_FILE "\"}},"
        u"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64},"
        u"\"Processor\":{\"Count\":1}}}}";
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    (void)state;
    HCS_SYSTEM system = NULL, other = NULL, clock = world_create(u"clock", op);
    PWSTR list = NULL;
    ok(finish(op,
              HcsCreateComputeSystem(u"last", document, op, NULL, &system)));
    ok(HcsOpenComputeSystem(u"last", GENERIC_ALL, &other));
    HcsCloseComputeSystem(system);
    ok(finish(op, HcsStartComputeSystem(other, op, NULL)));
    HcsCloseComputeSystem(other);
    for (int i = 0; i < 1000; i++) {
        ok(finish(op, HcsEnumerateComputeSystems(u"{\"Ids\":[\"last\"]}", op)));
        ok(HcsGetOperationResult(op, &list));
        if (strcmp(text_of(list), "[]") == 0)
            break;
        fails(HCS_E_OPERATION_TIMEOUT,
              HcsWaitForComputeSystemExit(clock, 1, NULL));
    }
    ok(HcsGetOperationResult(op, &list));
    assert_string_equal(text_of(list), "[]");
    HcsCloseComputeSystem(clock);
    HcsCloseOperation(op);
}

/* A callback that waits for something on its own handle. */
struct nested {
    HCS_SYSTEM system;
    HRESULT result;
    int count, depth, deepest;
};

static void wait_inside(HCS_EVENT *event, void *context) {
    struct nested *nested = context;
    HCS_OPERATION op;
    if (++nested->depth > nested->deepest)
        nested->deepest = nested->depth;
    if (event->Type == HcsEventOperationCallback && nested->count == 0) {
        op = HcsCreateOperation(NULL, NULL);
        nested->result =
            finish(op, HcsStartComputeSystem(nested->system, op, NULL));
        HcsCloseOperation(op);
    }
    nested->depth--;
    __atomic_add_fetch(&nested->count, 1, __ATOMIC_SEQ_CST);
}

static void a_callback_may_wait(void **state) {
    struct nested nested = {.result = E_FAIL};
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    nested.system = world_create(u"nested", op);
    ok(HcsSetComputeSystemCallback(nested.system,
                                   HcsEventOptionEnableOperationCallbacks,
                                   &nested, wait_inside));
    for (int i = 0;
         i < 20000 && __atomic_load_n(&nested.count, __ATOMIC_SEQ_CST) == 0;
         i++)
        if (hcshost_step(*state, 1000000, 0, NULL) == E_NOTIMPL)
            platform_pause(1);
    HcsCloseComputeSystem(nested.system);
    HcsCloseOperation(op);
    ok(nested.result);
    assert_int_equal(nested.deepest, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    static const char *const specs[] = {
        "sim:?driver=step&access=open", "sim:?driver=thread&access=open",
        "sim:?driver=step&clock=virtual&access=open&latency=5ms",
        "sim:?driver=thread&clock=virtual&access=open&latency=5ms",
        "sim:?driver=thread&access=open&latency=200us"};
    const struct CMUnitTest tests[] = {
        TEST(every_handle_hears_of_the_exit),
        TEST(registering_follows_the_rules),
        TEST(completions_reach_a_late_event_callback),
        TEST(a_handle_is_closed_in_its_callback),
        TEST(a_crash_is_told_in_order),
        TEST(a_callback_that_comes_late_is_waited_for),
        TEST(pending_operations_outlive_the_handle),
        TEST(the_last_handle_takes_the_system_along),
        TEST(a_callback_may_wait),
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        spec = specs[i];
        failed += cmocka_run_group_tests_name(spec, tests, NULL, NULL);
    }
    return failed;
}
