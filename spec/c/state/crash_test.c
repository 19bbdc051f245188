/* SPDX-License-Identifier: MIT
 * The crash flow: what is done and told, in which order, and what when parts of
 * it fail. */
#include "fake.h"

#include <stdio.h>

#define DUMP                                                          \
    "\"Devices\":{\"GuestCrashReporting\":{\"NixCrashSettings\":{"    \
    "\"DumpFileName\":\"/d/dump\",\"MaxDumpSize\":1000,\"DumpType\":" \
    "\"ElfCore\"}}}"
#define INITIATED "event 2 "
#define REPORT "event 3 "

/* Activity ids are names of their own: replaced by "*" before comparing. */
static void mask_activities(struct fake *fake) {
    static const char key[] = "\"ActivityId\":\"";
    char *at = fake->log.data;
    while (at && (at = strstr(at, key))) {
        at += sizeof key - 1;
        memset(at, '*', 36);
    }
}

#define ACTIVITY "\"ActivityId\":\"************************************\""

static void expect(struct fake *fake, const char *log) {
    mask_activities(fake);
    fake_expect(fake, log);
}

static void dump_and_go_on(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, DUMP);
    fake_bring(&fake, VM_RUNNING);
    fake_event(&fake, MACHINE_PANICKED, "Kernel panic - \xff!");
    expect(&fake, INITIATED
           "{\"SystemId\":\"vm1\"," ACTIVITY ",\"Owner\":\"me\"}\n"
           "[elf /d/dump 1000] dump\n" REPORT "{\"SystemId\":\"vm1\"," ACTIVITY
           ",\"NixCrashInfo\":{\"DumpFile\":\"/d/dump\",\"FinalPhase\":"
           "\"Complete\"},\"CrashLog\":\"Kernel panic - \xef\xbf\xbd!\","
           "\"Owner\":\"me\"}\n"
           "resume\n");
    assert_int_equal(vm_state(fake.vm), VM_RUNNING);
    fake_close(&fake);
}

static void dump_fails(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, DUMP);
    fake_bring(&fake, VM_RUNNING);
    fake.machine->failing = "dump";
    fake.machine->failure = HR_DISK_FULL;
    fake_event(&fake, MACHINE_PANICKED, "log");
    expect(&fake, INITIATED
           "{\"SystemId\":\"vm1\"," ACTIVITY ",\"Owner\":\"me\"}\n"
           "[elf /d/dump 1000] dump\n" REPORT "{\"SystemId\":\"vm1\"," ACTIVITY
           ",\"NixCrashInfo\":{\"FinalPhase\":\"Writing\",\"Status\":"
           "-2147024784},\"CrashLog\":\"log\",\"Status\":-2147024784,"
           "\"Owner\":\"me\"}\n"
           "resume\n");
    fake_close(&fake);
}

static void everything_at_once(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100,
                DUMP ",\"DisplayName\":\"box\",\"DebugOptions\":{"
                     "\"BugcheckSavedStateFileName\":\"/s/1\","
                     "\"BugcheckNoCrashdumpSavedStateFileName\":\"/s/2\"}");
    fake_bring(&fake, VM_RUNNING);
    fake.machine->failing = "dump";
    fake.machine->failure = HR_NOT_SUPPORTED;
    fake_event(&fake, MACHINE_PANICKED, "");
    expect(&fake, INITIATED
           "{\"SystemId\":\"vm1\",\"SystemName\":\"box\"," ACTIVITY
           ",\"Owner\":\"me\"}\n"
           "[elf /d/dump 1000] dump\n[/s/1] save\n[/s/2] save\n" REPORT
           "{\"SystemId\":\"vm1\",\"SystemName\":\"box\"," ACTIVITY
           ",\"NixCrashInfo\":{\"FinalPhase\":\"Writing\",\"Status\":"
           "-2147024846},\"Status\":-2147024846,\"Owner\":\"me\"}\n" REPORT
           "{\"SystemId\":\"vm1\",\"SystemName\":\"box\"," ACTIVITY
           ",\"GuestCrashSaveInfo\":{\"SaveStateFile\":\"/s/1\",\"Reason\":"
           "\"GuestCrash\"},\"Owner\":\"me\"}\n" REPORT
           "{\"SystemId\":\"vm1\",\"SystemName\":\"box\"," ACTIVITY
           ",\"GuestCrashSaveInfo\":{\"SaveStateFile\":\"/s/2\",\"Reason\":"
           "\"GuestCrashNoCrashdump\"},\"Owner\":\"me\"}\n"
           "resume\n");
    fake_close(&fake);
}

static void no_second_save_after_a_dump(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100,
                DUMP ",\"DebugOptions\":{"
                     "\"BugcheckNoCrashdumpSavedStateFileName\":\"/s/2\"}");
    fake_bring(&fake, VM_RUNNING);
    fake_event(&fake, MACHINE_PANICKED, "");
    assert_null(strstr(fake.log.data, "save"));
    fake_close(&fake);
}

static void every_crash_is_saved(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100,
                "\"DebugOptions\":{\"BugcheckSavedStateFileName\":\"/s/1\"}");
    fake_bring(&fake, VM_RUNNING);
    for (int i = 0; i < 3; i++) {
        fake_event(&fake, MACHINE_PANICKED, "");
        fake_expect_contains(&fake, "[/s/1] save\nevent 3");
        fake_event(&fake, MACHINE_RESET, NULL);
        fake_expect(&fake, "reset\n");
    }
    fake_close(&fake);
}

static void save_fails(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100,
                "\"DebugOptions\":{\"BugcheckSavedStateFileName\":\"/s/1\"}");
    fake_bring(&fake, VM_RUNNING);
    fake.machine->failing = "save";
    fake.machine->failure = HR_DISK_FULL;
    fake_event(&fake, MACHINE_PANICKED, "");
    fake_expect_contains(&fake,
                         "\"GuestCrashSaveInfo\":{\"Reason\":\"GuestCrash\","
                         "\"Status\":-2147024784},\"Status\":-2147024784");
    fake_close(&fake);
}

static void nothing_asked_for(void **state) {
    struct fake fake;
    (void)state;
    fake_create(
        &fake, 19041,
        "\"Devices\":{\"GuestCrashReporting\":{\"WindowsCrashSettings\":"
        "{\"DumpFileName\":\"/d/win.dmp\",\"DumpType\":\"Full\"}}}");
    fake_bring(&fake, VM_RUNNING);
    fake_event(&fake, MACHINE_PANICKED, "boom");
    expect(&fake, INITIATED "{\"SystemId\":\"vm1\"," ACTIVITY "}\n" REPORT
                            "{\"SystemId\":\"vm1\"," ACTIVITY
                            ",\"CrashLog\":\"boom\"}\n"
                            "resume\n");
    fake_close(&fake);
}

static void old_builds_have_no_save_info(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 20348,
                "\"DebugOptions\":{\"BugcheckSavedStateFileName\":\"/s/1\"}");
    fake_bring(&fake, VM_RUNNING);
    fake_event(&fake, MACHINE_PANICKED, "boom");
    expect(&fake,
           INITIATED "{\"SystemId\":\"vm1\"," ACTIVITY "}\n"
                     "[/s/1] save\n" REPORT "{\"SystemId\":\"vm1\"," ACTIVITY
                     ",\"CrashLog\":\"boom\"}\n"
                     "resume\n");
    fake_close(&fake);
}

static void then_it_resets(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, "\"StopOnReset\":true");
    fake_bring(&fake, VM_RUNNING);
    fake_event(&fake, MACHINE_PANICKED, "boom");
    buf_clear(&fake.log);
    fake_event(&fake, MACHINE_RESET, NULL);
    fake_expect(&fake,
                "power_off\n"
                "event 1 {\"Status\":0,\"ExitType\":\"GracefulExit\","
                "\"Attribution\":[{\"GuestCrash\":{}},{\"WorkerExit\":{"
                "\"Type\":\"StoppedOnReset\",\"Detail\":\"Reset\"}}]}\n");
    fake_close(&fake);
}

static void reboots(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_RUNNING);
    fake_event(&fake, MACHINE_RESET, NULL);
    fake_expect(&fake, "reset\n");
    assert_int_equal(vm_state(fake.vm), VM_RUNNING);
    fake_close(&fake);
}

static void reset_fails(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_RUNNING);
    fake.machine->failing = "reset";
    fake.machine->failure = HR_IO_DEVICE;
    fake_event(&fake, MACHINE_RESET, NULL);
    fake_expect_contains(&fake, "\"ExitType\":\"UnexpectedExit\"");
    fake_close(&fake);
}

static void triple_fault(void **state) {
    struct fake fake;
    (void)state;
    fake_create(
        &fake, 26100,
        "\"DebugOptions\":{\"TripleFaultSavedStateFileName\":\"/s/3\"}");
    fake_bring(&fake, VM_RUNNING);
    fake_event(&fake, MACHINE_TRIPLE_FAULT, NULL);
    expect(&fake,
           "[/s/3] save\n" REPORT "{\"SystemId\":\"vm1\"," ACTIVITY
           ",\"GuestCrashSaveInfo\":{"
           "\"SaveStateFile\":\"/s/3\",\"Reason\":\"TripleFault\"},"
           "\"Owner\":\"me\"}\n"
           "power_off\n"
           "event 1 {\"Status\":-1070137082,\"ExitType\":\"UnexpectedExit\","
           "\"Attribution\":[{\"TripleFault\":{}},{\"WorkerExit\":{"
           "\"Type\":\"UnexpectedStop\",\"Detail\":\"TripleFault\","
           "\"Initiator\":\"GuestOS\"}}]}\n");
    fake_close(&fake);
}

/* The client's pause came first: the guest goes on when the client says so. */
static void paused_meanwhile(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_RUNNING);
    fake.machine->by_hand = true;
    fake_submit(&fake, HcsOperationTypePause, NULL);
    fake_event(&fake, MACHINE_PANICKED, "boom");
    fake_expect(&fake, "pause\n");
    fake_done(&fake, S_OK);
    fake_expect_contains(&fake, "event 3");
    assert_int_equal(vm_state(fake.vm), VM_PAUSED);
    assert_null(fake.machine->done);
    fake_close(&fake);
}

/* Requests wait for the flow; Terminate does not. */
static void terminated_while_dumping(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, DUMP);
    fake_bring(&fake, VM_RUNNING);
    fake.machine->by_hand = true;
    fake_event(&fake, MACHINE_PANICKED, "boom");
    buf_clear(&fake.log);
    fake_submit(&fake, HcsOperationTypePause, NULL);
    fake_submit(&fake, HcsOperationTypeTerminate, NULL);
    fake_expect(&fake, "power_off\n");
    fake_done(&fake, HR_CANCELLED); /* the dump: nobody cares any more */
    fake_expect(&fake, "");
    fake_power_done(&fake, S_OK);
    fake_expect(&fake,
                "reply 0x80370107\n"
                "reply 0x00000000\n"
                "event 1 {\"Status\":0,\"ExitType\":\"ForcedExit\","
                "\"Attribution\":[{\"SystemExit\":{\"Detail\":\"Terminate\","
                "\"Initiator\":\"Client\"}}]}\n");
    fake_close(&fake);
}

static void died_while_dumping(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, DUMP);
    fake_bring(&fake, VM_RUNNING);
    fake.machine->by_hand = true;
    fake_event(&fake, MACHINE_PANICKED, "boom");
    buf_clear(&fake.log);
    fake_event(&fake, MACHINE_DIED, "killed");
    fake_expect_contains(&fake, "\"ProcessUnexpectedExit\"");
    fake_done(&fake, S_OK);
    fake_expect(&fake, "");
    fake_close(&fake);
}

/* What the guest did comes before what clients have asked for meanwhile. */
static void crash_before_requests(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, DUMP);
    fake_bring(&fake, VM_RUNNING);
    fake.machine->by_hand = true;
    fake_submit(&fake, HcsOperationTypePause, NULL);
    fake_submit(&fake, HcsOperationTypeResume, NULL);
    fake_event(&fake, MACHINE_PANICKED, "boom");
    fake_expect(&fake, "pause\n");
    fake_done(&fake, S_OK);
    fake_expect_contains(&fake, "[elf /d/dump 1000] dump\n");
    fake_done(&fake, S_OK);
    fake_expect_contains(&fake, "resume\n");
    fake_done(&fake, S_OK);
    fake_expect(&fake, "reply 0x00000000\n");
    fake_close(&fake);
}

/* A capture does not let a guest go on that panicked meanwhile. */
static void crash_during_a_capture(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_RUNNING);
    fake.machine->by_hand = true;
    fake_submit(&fake, HcsOperationTypeCrash,
                "{\"Type\":\"CaptureGuestDebugState\","
                "\"GuestDebugStateFile\":\"/d/state\"}");
    fake_event(&fake, MACHINE_PANICKED, "boom");
    fake_done(&fake, S_OK);
    fake_expect(&fake, "pause\n[elf /d/state 0] dump\n");
    fake_done(&fake, S_OK);
    assert_memory_equal(fake.log.data, "reply 0x00000000\nevent 2 ", 25);
    fake_expect_contains(&fake, "boom");
    fake_done(&fake, S_OK); /* the resume that ends the flow */
    fake_expect(&fake, "");
    fake_close(&fake);
}

static void nmi_without_a_panic(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_RUNNING);
    fake_submit(&fake, HcsOperationTypeCrash, "{\"Type\":\"CrashGuest\"}");
    fake_expect(&fake, "inject_nmi\nreply 0x00000000\n");
    fake_wait(&fake, INT64_C(4999999999));
    fake_expect(&fake, "");
    fake_wait(&fake, 1);
    fake_expect_contains(&fake, "\"Status\":-2147023436");
    fake_close(&fake);
}

static void nmi_answered(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_RUNNING);
    fake_submit(&fake, HcsOperationTypeCrash, NULL);
    fake_event(&fake, MACHINE_PANICKED, "NMI");
    buf_clear(&fake.log);
    fake_wait(&fake, INT64_C(20000000000));
    fake_expect(&fake, "");
    fake_close(&fake);
}

static void capture(void **state) {
    struct fake fake;
    static const char options[] = "{\"Type\":\"CaptureGuestDebugState\","
                                  "\"GuestDebugStateFile\":\"/d/state\"}";
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_RUNNING);
    fake_submit(&fake, HcsOperationTypeCrash, options);
    fake_expect(&fake, "pause\n[elf /d/state 0] dump\nresume\n"
                       "reply 0x00000000\n");
    fake.machine->failing = "dump";
    fake.machine->failure = HR_DISK_FULL;
    fake_submit(&fake, HcsOperationTypeCrash, options);
    fake_expect(&fake, "pause\n[elf /d/state 0] dump\nresume\n"
                       "reply 0x80070070\n");
    fake_submit(&fake, HcsOperationTypeCrash,
                "{\"Type\":\"CaptureGuestDebugState\"}");
    fake_expect(&fake, "reply 0x8037010d $.GuestDebugStateFile\n");
    fake_close(&fake);
}

static void submit_capture(struct fake *fake, const char *path) {
    char options[256];
    snprintf(options, sizeof options,
             "{\"Type\":\"CaptureGuestDebugState\","
             "\"GuestDebugStateFile\":\"%s\"}",
             path);
    fake_submit(fake, HcsOperationTypeCrash, options);
}

static void capture_by_name(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_RUNNING);
    submit_capture(&fake, "/d/a.vmrs");
    fake_expect_contains(&fake, "[vmrs /d/a.vmrs 0]");
    submit_capture(&fake, "/d/a.KDUMP");
    fake_expect_contains(&fake, "[kdump /d/a.KDUMP 0]");
    submit_capture(&fake, "/d/a.raw");
    fake_expect_contains(&fake, "[raw /d/a.raw 0]");
    submit_capture(&fake, ".raw"); /* a name, and no ending */
    fake_expect_contains(&fake, "[elf .raw 0]");
    fake_close(&fake);
}

/* It stands still already, and still does afterwards. */
static void capture_while_paused(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_PAUSED);
    submit_capture(&fake, "/d/state");
    fake_expect(&fake, "[elf /d/state 0] dump\nreply 0x00000000\n");
    assert_int_equal(vm_state(fake.vm), VM_PAUSED);
    fake.machine->failing = "dump";
    fake.machine->failure = HR_DISK_FULL;
    submit_capture(&fake, "/d/state");
    fake_expect(&fake, "[elf /d/state 0] dump\nreply 0x80070070\n");
    fake_submit(&fake, HcsOperationTypeCrash, "{\"Type\":\"CrashGuest\"}");
    fake_expect(&fake, "reply 0x80370105\n");
    fake_close(&fake);
}

static void capture_while_paused_strictly(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_PAUSED);
    fake_strict(&fake);
    submit_capture(&fake, "/d/state");
    fake_expect(&fake, "reply 0x80370105\n");
    fake_close(&fake);
}

#define POLICY(settings)                                             \
    "{\"ResourcePath\":\"LuaHcs/Dumps\",\"RequestType\":\"Update\"," \
    "\"Settings\":" settings "}"

static void keeps_dumps(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, DUMP);
    fake_submit(&fake, HcsOperationTypeModify,
                POLICY("{\"Keep\":3,\"FreeBytes\":5000}"));
    fake_expect_contains(&fake, "reply 0x00000000\n");
    fake_bring(&fake, VM_RUNNING);
    fake_submit(&fake, HcsOperationTypeModify, POLICY("{\"Keep\":4}"));
    fake_event(&fake, MACHINE_PANICKED, "boom");
    assert_int_equal(fake.dump.keep, 4);
    assert_int_equal(fake.dump.keep_free, 5000);
    assert_int_equal(fake.dump.limit, 1000);
    assert_non_null(strstr(fake.about, "\"Why\":\"Crash\""));
    assert_non_null(strstr(fake.about, "\"Host\":{\"Kind\":\"fake\","
                                       "\"Build\":26100},\"Id\":\"vm1\""));
    assert_non_null(strstr(fake.about, "\"DumpFileName\":\"/d/dump\""));
    fake_close(&fake);
}

static void refuses_policies(void **state) {
    static const char *const bad[] = {
        POLICY("{\"Keep\":0}"),
        POLICY("{\"Keep\":1001}"),
        POLICY("{\"Keep\":\"3\"}"),
        POLICY("{\"FreeBytes\":-1}"),
        POLICY("{\"Compress\":true}"),
        POLICY("7"),
        ("{\"ResourcePath\":\"LuaHcs/Dumps\",\"RequestType\":\"Add\","
         "\"Settings\":{}}")};
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    buf_clear(&fake.log);
    for (size_t i = 0; i < HCS_COUNT(bad); i++) {
        fake_submit(&fake, HcsOperationTypeModify, bad[i]);
        fake_expect_contains(&fake, "reply 0x8037010d $");
    }
    fake_close(&fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capture_by_name),
        cmocka_unit_test(capture_while_paused),
        cmocka_unit_test(capture_while_paused_strictly),
        cmocka_unit_test(keeps_dumps),
        cmocka_unit_test(refuses_policies),
        cmocka_unit_test(dump_and_go_on),
        cmocka_unit_test(dump_fails),
        cmocka_unit_test(everything_at_once),
        cmocka_unit_test(no_second_save_after_a_dump),
        cmocka_unit_test(every_crash_is_saved),
        cmocka_unit_test(save_fails),
        cmocka_unit_test(nothing_asked_for),
        cmocka_unit_test(old_builds_have_no_save_info),
        cmocka_unit_test(then_it_resets),
        cmocka_unit_test(reboots),
        cmocka_unit_test(reset_fails),
        cmocka_unit_test(triple_fault),
        cmocka_unit_test(paused_meanwhile),
        cmocka_unit_test(terminated_while_dumping),
        cmocka_unit_test(died_while_dumping),
        cmocka_unit_test(crash_before_requests),
        cmocka_unit_test(crash_during_a_capture),
        cmocka_unit_test(nmi_without_a_panic),
        cmocka_unit_test(nmi_answered),
        cmocka_unit_test(capture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
