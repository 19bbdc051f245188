/* SPDX-License-Identifier: MIT
 * From creation to exit: every request is answered once, whatever comes. */
#include "fake.h"

#define FORCED                                                             \
    "event 1 {\"Status\":0,\"ExitType\":\"ForcedExit\",\"Attribution\":[{" \
    "\"SystemExit\":{\"Detail\":\"Terminate\",\"Initiator\":\"Client\"}}]}\n"

static void guest_powers_off(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_RUNNING);
    fake_event(&fake, MACHINE_POWERED_OFF, NULL);
    fake_expect(&fake,
                "power_off\n"
                "event 1 {\"Status\":0,\"ExitType\":\"GracefulExit\","
                "\"Attribution\":[{\"SystemExit\":{\"Detail\":\"Shutdown\","
                "\"Initiator\":\"GuestOS\"}},{\"WorkerExit\":{\"Type\":"
                "\"Stopped\",\"Detail\":\"PowerOff\",\"Initiator\":\"GuestOS\""
                "}}]}\n");
    fake_submit(&fake, HcsOperationTypeGetProperties, NULL);
    fake_expect_contains(&fake, "\"State\":\"Stopped\",\"Stopped\":true,"
                                "\"ExitType\":\"GracefulExit\"}");
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"PropertyTypes\":[\"Memory\"]}");
    fake_expect(&fake, "reply 0x80370110\n");
    fake_close(&fake);
}

static void exit_by_build(void **state) {
    static const struct {
        int build;
        const char *document;
    } cases[] = {
        {17763, "event 1 {\"Status\":0}\n"},
        {18362, "event 1 {\"Status\":0,\"ExitType\":\"ForcedExit\"}\n"},
        {19041, "event 1 {\"Status\":0,\"ExitType\":\"ForcedExit\"}\n"},
        {20348, FORCED},
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(cases); i++) {
        struct fake fake;
        fake_create(&fake, cases[i].build, NULL);
        fake_submit(&fake, HcsOperationTypeTerminate, NULL);
        fake_expect_contains(&fake, cases[i].document);
        fake_close(&fake);
    }
}

static void machine_dies_while_starting(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake.machine->by_hand = true;
    fake_submit(&fake, HcsOperationTypeStart, NULL);
    fake_submit(&fake, HcsOperationTypePause, NULL);
    fake_event(&fake, MACHINE_DIED, "gone");
    fake_expect(&fake,
                "start\nreply 0x80370100\nreply 0x80370106\n"
                "event 1 {\"Status\":-1070137082,\"ExitType\":"
                "\"UnexpectedExit\",\"Attribution\":[{\"SystemExit\":{"
                "\"Detail\":\"UnexpectedExit\",\"Initiator\":\"Internal\"}},{"
                "\"WorkerExit\":{\"ExitCode\":255,\"Detail\":"
                "\"ProcessUnexpectedExit\"}}]}\n");
    fake_event(&fake, MACHINE_DIED, "again");
    fake_event(&fake, MACHINE_PANICKED, "late");
    fake_expect(&fake, "");
    fake_close(&fake);
}

static void start_fails_and_may_be_tried_again(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake.machine->failing = "start";
    fake.machine->failure = HR_NO_SYSTEM_RESOURCES;
    fake_submit(&fake, HcsOperationTypeStart, NULL);
    fake_expect(&fake, "start\nreply 0x800705aa\n");
    assert_int_equal(vm_state(fake.vm), VM_CREATED);
    fake.machine->failing = NULL;
    fake_submit(&fake, HcsOperationTypeStart, NULL);
    fake_expect(&fake, "start\nreply 0x00000000\n");
    fake_close(&fake);
}

/* Requests made while another is under way see the state it leaves. */
static void requests_wait_in_line(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake.machine->by_hand = true;
    fake_submit(&fake, HcsOperationTypeStart, NULL);
    fake_submit(&fake, HcsOperationTypePause, NULL);
    fake_submit(&fake, HcsOperationTypePause, NULL);
    fake_expect(&fake, "start\n");
    fake_done(&fake, S_OK);
    fake_expect(&fake, "reply 0x00000000\npause\n");
    fake_done(&fake, S_OK);
    fake_expect(&fake, "reply 0x00000000\nreply 0x80370105\n");
    fake_close(&fake);
}

static void terminate_overtakes(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake.machine->by_hand = true;
    fake_submit(&fake, HcsOperationTypeStart, NULL);
    fake_submit(&fake, HcsOperationTypePause, NULL);
    fake_submit(&fake, HcsOperationTypeTerminate, NULL);
    fake_submit(&fake, HcsOperationTypeTerminate, NULL);
    fake_submit(&fake, HcsOperationTypePause, NULL);
    fake_expect(&fake,
                "start\npower_off\nreply 0x80370110\nreply 0x80370110\n");
    fake_power_done(&fake, S_OK);
    fake_expect(
        &fake, "reply 0x80370107\nreply 0x80370107\nreply 0x00000000\n" FORCED);
    fake_done(&fake, S_OK); /* the start's own end comes too late */
    fake_expect(&fake, "");
    assert_int_equal(vm_state(fake.vm), VM_STOPPED);
    fake_close(&fake);
}

static void last_handle(void **state) {
    struct fake fake;
    struct hcs_error error;
    (void)state;
    fake_open(&fake, 26100);
    assert_int_equal(
        fake_create_document(
            &fake,
            "{\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"VirtualMachine\":{"
            "\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64}}},"
            "\"ShouldTerminateOnLastHandleClosed\":true}",
            &error),
        S_OK);
    buf_clear(&fake.log);
    fake_submit(&fake, HcsOperationTypeGetProperties,
                "{\"PropertyTypes\":[\"TerminateOnLastHandleClosed\"]}");
    fake_expect_contains(&fake, "\"TerminateOnLastHandleClosed\":true");
    vm_handle_closed(fake.vm, 1);
    fake_expect(&fake, "");
    vm_handle_closed(fake.vm, 0);
    fake_expect(&fake, "power_off\n" FORCED);
    vm_handle_closed(fake.vm, 0);
    fake_expect(&fake, "");
    fake_close(&fake);
}

static void survives_its_handles(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    vm_handle_closed(fake.vm, 0);
    fake_expect(&fake, "");
    assert_int_equal(vm_state(fake.vm), VM_CREATED);
    fake_close(&fake);
}

static void late_watcher(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_STOPPED);
    vm_unwatch(&fake.watcher);
    vm_watch(fake.vm, &fake.watcher);
    fake_expect(&fake, FORCED);
    fake_close(&fake);
}

static void creation_fails_later(void **state) {
    struct fake fake;
    struct hcs_error error;
    (void)state;
    fake_open(&fake, 26100);
    fake.machine->failing = "create";
    fake.machine->failure = HR_IO_DEVICE;
    assert_int_equal(
        fake_create_document(&fake,
                             "{\"SchemaVersion\":{\"Major\":2,\"Minor\":1},"
                             "\"VirtualMachine\":{\"ComputeTopology\":{"
                             "\"Memory\":{\"SizeInMB\":64}}}}",
                             &error),
        S_OK);
    fake_expect(&fake, "create\nreply 0x8007045d\n");
    assert_int_equal(vm_state(fake.vm), VM_STOPPED);
    fake_submit(&fake, HcsOperationTypeStart, NULL);
    fake_expect(&fake, "reply 0x80370110\n");
    fake_close(&fake);
}

static void creation_refused(void **state) {
    struct fake fake;
    struct hcs_error error;
    (void)state;
    fake_open(&fake, 26100);
    fake.machine->failing = "refuse";
    fake.machine->failure = HR_NOT_SUPPORTED;
    assert_int_equal(
        fake_create_document(&fake,
                             "{\"SchemaVersion\":{\"Major\":2,\"Minor\":1},"
                             "\"VirtualMachine\":{\"ComputeTopology\":{"
                             "\"Memory\":{\"SizeInMB\":64}}}}",
                             &error),
        HR_NOT_SUPPORTED);
    assert_null(fake.vm);
    fake_expect(&fake, ""); /* the result is the answer */
    fake_close(&fake);
}

static void terminated_while_creating(void **state) {
    struct fake fake;
    struct hcs_error error;
    (void)state;
    fake_open(&fake, 26100);
    fake.machine->by_hand = true;
    fake_create_document(&fake,
                         "{\"SchemaVersion\":{\"Major\":2,\"Minor\":1},"
                         "\"VirtualMachine\":{\"ComputeTopology\":{"
                         "\"Memory\":{\"SizeInMB\":64}}}}",
                         &error);
    fake_submit(&fake, HcsOperationTypeTerminate, NULL);
    fake_power_done(&fake, S_OK);
    fake_expect(&fake, "create\npower_off\nreply 0x80370107\n"
                       "reply 0x00000000\n" FORCED);
    fake_close(&fake);
}

static void destroyed_while_pending(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake.machine->by_hand = true;
    fake_submit(&fake, HcsOperationTypeStart, NULL);
    fake_submit(&fake, HcsOperationTypePause, NULL);
    vm_destroy(fake.vm);
    fake.vm = NULL;
    fake_expect(&fake, "start\nreply 0x80370106\nreply 0x80370106\n");
    fake_close(&fake);
}

static void forgotten(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake.machine->by_hand = true;
    fake_submit(&fake, HcsOperationTypeStart, NULL);
    fake_submit(&fake, HcsOperationTypePause, NULL);
    vm_forget(fake.vm, &fake);
    fake_done(&fake, S_OK);
    fake_done(&fake, S_OK);
    fake_expect(&fake, "start\npause\n"); /* the work goes on */
    assert_int_equal(vm_state(fake.vm), VM_PAUSED);
    fake_close(&fake);
}

static void shutting_down(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, "\"Services\":{\"Shutdown\":{}}");
    fake_bring(&fake, VM_RUNNING);
    fake_submit(&fake, HcsOperationTypeShutdown,
                "{\"Mechanism\":\"IntegrationService\",\"Type\":\"Reboot\"}");
    fake_expect(&fake, "reply 0x80070032 $.Type\n");
    fake_submit(&fake, HcsOperationTypeShutdown,
                "{\"Mechanism\":\"GuestConnection\"}");
    fake_expect(&fake, "reply 0x80070032 $.Mechanism\n");
    fake_submit(&fake, HcsOperationTypeShutdown,
                "{\"Mechanism\":\"IntegrationService\",\"Type\":\"Shutdown\"}");
    fake_expect(&fake, "press_power\nreply 0x00000000\n");
    fake_submit(&fake, HcsOperationTypeShutdown, NULL);
    fake_expect(&fake, "reply 0x80370110\n");
    fake_event(&fake, MACHINE_RESET, NULL); /* it rebooted instead */
    fake_expect(&fake, "reset\n");
    fake_submit(&fake, HcsOperationTypeShutdown, "");
    fake_expect(&fake, "press_power\nreply 0x00000000\n");
    fake_event(&fake, MACHINE_POWERED_OFF, NULL);
    fake_expect_contains(&fake, "{\"SystemExit\":{\"Detail\":\"Shutdown\","
                                "\"Initiator\":\"Client\"}}");
    fake_close(&fake);
}

static void shutting_down_without_a_service(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, "\"Services\":{\"Timesync\":{}}");
    fake_bring(&fake, VM_RUNNING);
    fake_submit(&fake, HcsOperationTypeShutdown, NULL);
    fake_expect(&fake, "reply 0x80070032\n");
    assert_int_equal(vm_state(fake.vm), VM_RUNNING);
    fake_close(&fake);
}

static void templates(void **state) {
    struct fake fake;
    (void)state;
    fake_create(&fake, 26100, NULL);
    fake_bring(&fake, VM_SAVED_AS_TEMPLATE);
    fake_submit(&fake, HcsOperationTypeGetProperties, NULL);
    fake_expect_contains(&fake, "\"IsRuntimeTemplate\":true,\"State\":"
                                "\"SavedAsTemplate\"}");
    fake.clones = true;
    fake_submit(&fake, HcsOperationTypeTerminate, NULL);
    fake_expect(&fake, "reply 0x80370105\n");
    fake.clones = false;
    fake_submit(&fake, HcsOperationTypeTerminate, NULL);
    fake_expect_contains(&fake, "ForcedExit");
    fake_close(&fake);
}

static void clones(void **state) {
    struct fake fake;
    struct hcs_error error;
    static const char document[] =
        "{\"SchemaVersion\":{\"Major\":2,\"Minor\":1},\"VirtualMachine\":{"
        "\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64}},"
        "\"RestoreState\":{\"TemplateSystemId\":"
        "\"6A1F0F1E-2C6F-4C0F-9A55-3F5B4F1D9F02\"}}}";
    (void)state;
    fake_open(&fake, 26100);
    fake.find_template = HCS_E_INVALID_STATE;
    assert_int_equal(fake_create_document(&fake, document, &error),
                     HCS_E_INVALID_STATE);
    fake.find_template = S_OK;
    assert_int_equal(fake_create_document(&fake, document, &error), S_OK);
    assert_string_equal(vm_template_id(fake.vm),
                        "6a1f0f1e-2c6f-4c0f-9a55-3f5b4f1d9f02");
    buf_clear(&fake.log);
    fake_submit(&fake, HcsOperationTypeGetProperties, NULL);
    fake_expect_contains(
        &fake,
        "\"RuntimeTemplateId\":\"6a1f0f1e-2c6f-4c0f-9a55-3f5b4f1d9f02\"");
    fake_close(&fake);
}

static void runtime_ids(void **state) {
    char one[37], two[37];
    (void)state;
    vm_runtime_id_of("{6A1F0F1E-2C6F-4C0F-9A55-3F5B4F1D9F02}", one);
    assert_string_equal(one, "6a1f0f1e-2c6f-4c0f-9a55-3f5b4f1d9f02");
    vm_runtime_id_of("ubuntu", one);
    vm_runtime_id_of("ubuntu", two);
    assert_string_equal(one, two);
    assert_int_equal(one[14], '5');
    vm_runtime_id_of("Ubuntu", two);
    assert_string_not_equal(one, two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guest_powers_off),
        cmocka_unit_test(exit_by_build),
        cmocka_unit_test(machine_dies_while_starting),
        cmocka_unit_test(start_fails_and_may_be_tried_again),
        cmocka_unit_test(requests_wait_in_line),
        cmocka_unit_test(terminate_overtakes),
        cmocka_unit_test(last_handle),
        cmocka_unit_test(survives_its_handles),
        cmocka_unit_test(late_watcher),
        cmocka_unit_test(creation_fails_later),
        cmocka_unit_test(creation_refused),
        cmocka_unit_test(terminated_while_creating),
        cmocka_unit_test(destroyed_while_pending),
        cmocka_unit_test(forgotten),
        cmocka_unit_test(shutting_down),
        cmocka_unit_test(shutting_down_without_a_service),
        cmocka_unit_test(templates),
        cmocka_unit_test(clones),
        cmocka_unit_test(runtime_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
