/* SPDX-License-Identifier: MIT
 * Programs, pipes, devices, limits, and many systems at once. */
#include "world.h"

#include <stdio.h>

static void note_guest(struct world *world, uint64_t guest,
                       HCSHOST_GUEST_EVENT event, const char *text,
                       size_t length) {
    buf_printf(&world->guest_log, "%llu:%d:%s %.*s\n",
               (unsigned long long)guest, (int)event,
               sim_guest_id(world->sim, guest), (int)length, text);
}

static void expect_guest(struct world *world, const char *log) {
    assert_string_equal(world->guest_log.data ? world->guest_log.data : "",
                        log);
    buf_clear(&world->guest_log);
}

static void program_hears_all(void **state) {
    struct world world;
    struct system system, other;
    (void)state;
    world_open(&world, 0);
    world.guest = note_guest;
    assert_int_equal(sim_program(world.sim, "boss", true, NULL), S_OK);
    system_create(
        &world, &system, "boss",
        MACHINE("", "unknown_nmi_panic") ",\"Services\":{\"Shutdown\":{}}"
                                         "," DEVICES(PORT("p")));
    system_create(&world, &other, "other", MACHINE("", ""));
    assert_int_equal(sim_guest_wake(world.sim, 1, 0), HR_NOT_FOUND);
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    assert_int_equal(system_do(&other, HcsOperationTypeStart, NULL), S_OK);
    expect_guest(&world, "1:1:boss boss\n");
    system_connect(&system, "p");
    system_type(&system, "hello");
    expect_guest(&world, "1:3:boss hello\n");
    assert_int_equal(sim_guest_print(world.sim, 1, 0, "hi\n", 3), S_OK);
    assert_int_equal(sim_guest_print(world.sim, 1, 9, "hi\n", 3), E_INVALIDARG);
    system_expect(&system, "hi\n");
    assert_int_equal(sim_guest_wake(world.sim, 1, CLOCK_SECOND), S_OK);
    assert_int_equal(sim_guest_wake(world.sim, 1, 2 * CLOCK_SECOND), S_OK);
    world_wait(&world, 2 * CLOCK_SECOND - 1);
    expect_guest(&world, "");
    world_wait(&world, 1);
    expect_guest(&world, "1:2:boss \n");
    system_do(&system, HcsOperationTypeShutdown, NULL);
    system_do(&system, HcsOperationTypeCrash, NULL);
    expect_guest(&world, "1:4:boss \n1:5:boss \n");
    assert_int_equal(system_do(&system, HcsOperationTypeTerminate, NULL), S_OK);
    expect_guest(&world, "1:6:boss \n");
    assert_null(sim_guest_id(world.sim, 1));
    assert_int_equal(sim_guest_print(world.sim, 1, 0, "x", 1), HR_NOT_FOUND);
    assert_int_equal(sim_guest_act(world.sim, 1, HcsHostGuestPanic, NULL),
                     HR_NOT_FOUND);
    system_close(&system);
    system_close(&other);
    expect_guest(&world, "");
    world_close(&world);
}

/* Sleeping is guest time: it stands still with the guest. */
static void program_sleeps_while_paused(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    assert_int_equal(sim_program(world.sim, NULL, true, NULL), S_OK);
    system_create(&world, &system, "boss", MACHINE("", ""));
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    world.guest = note_guest;
    assert_int_equal(sim_guest_wake(world.sim, 1, CLOCK_SECOND), S_OK);
    assert_int_equal(system_do(&system, HcsOperationTypePause, NULL), S_OK);
    world_wait(&world, 10 * CLOCK_SECOND);
    expect_guest(&world, "");
    assert_int_equal(system_do(&system, HcsOperationTypeResume, NULL), S_OK);
    world_wait(&world, CLOCK_SECOND);
    expect_guest(&world, "1:2:boss \n");
    system_close(&system);
    world_close(&world);
}

static void act_at_boot(struct world *world, uint64_t guest,
                        HCSHOST_GUEST_EVENT event, const char *text,
                        size_t length) {
    note_guest(world, guest, event, text, length);
    if (event == HcsHostGuestWake)
        assert_int_equal(sim_guest_act(world->sim, guest, HcsHostGuestPanic,
                                       "oops: out of cheese"),
                         S_OK);
    else if (event != HcsHostGuestOff)
        assert_int_equal(
            sim_guest_act(world->sim, guest, HcsHostGuestDefault, NULL), S_OK);
}

static void program_hands_back(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    world.guest = act_at_boot;
    sim_program(world.sim, "boss", true, NULL);
    system_create(&world, &system, "boss",
                  MACHINE("", "") "," DEVICES(PORT("p")));
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    system_connect(&system, "p");
    world_wait(&world, 30 * CLOCK_MS);
    system_expect(&system, "hcs-guest: up");
    system_type(&system, "echo back\n");
    system_expect(&system, "\nback\r\n");
    sim_guest_wake(world.sim, 1, 0);
    world_wait(&world, CLOCK_MS);
    system_expect_log(&system, "\"CrashLog\":\"oops: out of cheese\"");
    system_expect(&system, "oops: out of cheese\r\n");
    system_close(&system);
    world_close(&world);
}

static void program_acts(void **state) {
    static const struct {
        HCSHOST_GUEST_ACTION action;
        const char *log;
    } cases[] = {
        {HcsHostGuestPowerOff, "GracefulExit"},
        {HcsHostGuestTripleFault, "TripleFault"},
        {HcsHostGuestPanic, "Kernel panic - not syncing"},
        {HcsHostGuestReboot, "StoppedOnReset"},
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(cases); i++) {
        struct world world;
        struct system system;
        world_open(&world, 0);
        sim_program(world.sim, NULL, true, NULL);
        system_create(&world, &system, "a",
                      MACHINE("", "") ",\"StopOnReset\":true");
        assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
        assert_int_equal(sim_guest_act(world.sim, 1, cases[i].action, NULL),
                         S_OK);
        assert_int_equal(sim_guest_act(world.sim, 1, cases[i].action, NULL),
                         HCS_E_INVALID_STATE);
        world_wait(&world, CLOCK_MS);
        system_expect_log(&system, cases[i].log);
        system_close(&system);
        world_close(&world);
    }
}

static void program_hangs(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    sim_program(world.sim, NULL, true, NULL);
    system_create(&world, &system, "a", MACHINE("", "unknown_nmi_panic"));
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    sim_guest_act(world.sim, 1, HcsHostGuestHang, NULL);
    world.guest = note_guest;
    system_do(&system, HcsOperationTypeCrash, NULL);
    world_wait(&world, 6 * CLOCK_SECOND);
    expect_guest(&world, "");
    system_expect_log(&system, "\"Status\":-2147023436");
    system_close(&system);
    world_close(&world);
}

static void pipes(void **state) {
    struct world world;
    struct system one, two;
    stream_native native;
    (void)state;
    world_open(&world, 0);
    system_create(&world, &one, "one", MACHINE("", "") "," DEVICES(PORT("p")));
    assert_int_equal(
        sim_pipe_connect(world.sim, "\\\\.\\pipe\\p", &native, NULL),
        HR_FILE_NOT_FOUND);
    system_create(&world, &two, "two", MACHINE("", "") "," DEVICES(PORT("P")));
    assert_int_equal(system_do(&one, HcsOperationTypeStart, NULL), S_OK);
    assert_int_equal(system_do(&two, HcsOperationTypeStart, NULL),
                     HR_SHARING_VIOLATION);
    assert_int_equal(system_do(&one, HcsOperationTypeTerminate, NULL), S_OK);
    assert_int_equal(system_do(&two, HcsOperationTypeStart, NULL), S_OK);
    assert_int_equal(
        system_do(&two, HcsOperationTypeModify,
                  "{\"ResourcePath\":\"VirtualMachine/Devices/ComPorts/1\","
                  "\"RequestType\":\"Update\",\"Settings\":{\"NamedPipe\":"
                  "\"\\\\\\\\.\\\\pipe\\\\q\"}}"),
        S_OK);
    system_connect(&two, "q");
    assert_int_equal(sim_guest_print(world.sim, 2, 1, "on two", 6), S_OK);
    system_expect(&two, "on two");
    system_close(&one);
    system_close(&two);
    world_close(&world);
}

static void refusals(void **state) {
    static const struct {
        const char *members;
        HRESULT result;
        const char *path;
    } cases[] = {
        {MACHINE("", "") "," DEVICES("\"ComPorts\":{\"7\":{}}"),
         HCS_E_INVALID_JSON, "$.VirtualMachine.Devices.ComPorts['7']"},
        {MACHINE("", "") "," DEVICES(
             "\"GuestCrashReporting\":{\"NixCrashSettings\":{"
             "\"DumpFileName\":\"/d\",\"DumpType\":\"KDump\"}}"),
         HR_NOT_SUPPORTED,
         "$.VirtualMachine.Devices.GuestCrashReporting.NixCrashSettings"
         ".DumpType"},
        {MACHINE("", "") "," DEVICES("\"VirtioSerial\":{\"Ports\":{\"0\":{}}}"),
         HR_NOT_SUPPORTED, "$.VirtualMachine.Devices.VirtioSerial.Ports"},
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(cases); i++) {
        struct world world;
        struct system system;
        struct hcs_error error;
        world_open(&world, 0);
        assert_int_equal(
            system_try(&world, &system, "x", cases[i].members, &error),
            cases[i].result);
        assert_string_equal(error.path, cases[i].path);
        system_close(&system);
        world_close(&world);
    }
}

static void too_much_memory(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    system_create(&world, &system, "x",
                  "\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":1048576}}");
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL),
                     HR_NO_SYSTEM_RESOURCES);
    assert_int_equal(vm_state(system.vm), VM_CREATED);
    system_close(&system);
    world_close(&world);
}

#define DISK(number, kind, settings)                                \
    "{\"ResourcePath\":\"VirtualMachine/Devices/Scsi/" number "\"," \
    "\"RequestType\":\"" kind "\"" settings "}"
#define ISO ",\"Settings\":{\"Type\":\"Iso\",\"Path\":\"" PLATFORM_FILE "\"}"

static void devices(void **state) {
    static const struct {
        const char *request;
        HRESULT result;
    } cases[] = {
        {DISK("0/Attachments/0", "Add", ISO), HR_FILE_EXISTS},
        {DISK("0/Attachments/1", "Add", ISO), S_OK},
        {DISK("0/Attachments/1", "Update", ISO), S_OK},
        {DISK("0/Attachments/1", "Remove", ""), S_OK},
        {DISK("0/Attachments/1", "Remove", ""), HR_NOT_FOUND},
        {DISK("0/Attachments/1", "Update", ISO), HR_NOT_FOUND},
        {DISK("9/Attachments/0", "Add", ISO), HR_NOT_FOUND},
        {"{\"ResourcePath\":\"VirtualMachine/Devices/NetworkAdapters/"
         "6a1f0f1e-2c6f-4c0f-9a55-3f5b4f1d9f02\",\"RequestType\":\"Add\","
         "\"Settings\":{}}",
         S_OK},
        {"{\"ResourcePath\":\"VirtualMachine/Devices/NetworkAdapters/"
         "6a1f0f1e-2c6f-4c0f-9a55-3f5b4f1d9f02\",\"RequestType\":\"Update\","
         "\"Settings\":{}}",
         HR_NOT_SUPPORTED},
        {"{\"ResourcePath\":\"VirtualMachine/Devices/Plan9/Shares\","
         "\"RequestType\":\"Add\",\"Settings\":{}}",
         HR_NOT_SUPPORTED},
        {"{\"ResourcePath\":\"VirtualMachine/ComputeTopology/Memory/SizeInMB\","
         "\"RequestType\":\"Update\",\"Settings\":128}",
         S_OK},
        {"{\"ResourcePath\":\"VirtualMachine/ComputeTopology/Memory/SizeInMB\","
         "\"RequestType\":\"Update\",\"Settings\":1048576}",
         HR_NO_SYSTEM_RESOURCES},
    };
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    system_create(&world, &system, "x",
                  MACHINE("", "") "," DEVICES(
                      "\"Scsi\":{\"0\":{\"Attachments\":{\"0\":{\"Type\":"
                      "\"Iso\",\"Path\":\"" PLATFORM_FILE "\"}}}}"));
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    for (size_t i = 0; i < HCS_COUNT(cases); i++) {
        HRESULT hr =
            system_do(&system, HcsOperationTypeModify, cases[i].request);
        if (hr != cases[i].result)
            print_error("case %u: 0x%08x\n", (unsigned)i, (unsigned)hr);
        assert_int_equal(hr, cases[i].result);
    }
    system_close(&system);
    world_close(&world);
}

static void latency(void **state) {
    struct world world;
    struct system system;
    struct hcs_error error;
    (void)state;
    world_open(&world, 5 * CLOCK_MS);
    assert_int_equal(system_try(&world, &system, "x", MACHINE("", ""), &error),
                     S_OK);
    world_wait(&world, 5 * CLOCK_MS - 1);
    assert_int_equal(system.log.length, 0);
    world_wait(&world, 1);
    system_expect_log(&system, "reply 0x00000000");
    int64_t before = world.now;
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    assert_true(world.now - before >= 5 * CLOCK_MS);
    system_close(&system);
    world_close(&world);
}

/* Destroyed with everything under way. */
static void destroyed_midway(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, CLOCK_SECOND);
    struct hcs_error error;
    assert_int_equal(system_try(&world, &system, "x",
                                MACHINE("", "") "," DEVICES(PORT("p")), &error),
                     S_OK);
    system_close(&system);
    assert_int_equal(world.timers.count, 0);
    world_close(&world);
}

static void same_seed_same_world(void **state) {
    struct buf logs[2] = {{0}, {0}};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world world;
        struct system system;
        world_open(&world, 0);
        system_create(&world, &system, "x",
                      MACHINE("", "hcs.tick=3 unknown_nmi_panic"));
        system_do(&system, HcsOperationTypeStart, NULL);
        world_wait(&world, 100 * CLOCK_MS);
        system_do(&system, HcsOperationTypeCrash, NULL);
        world_wait(&world, CLOCK_MS);
        logs[i] = system.log;
        system.log = (struct buf){0};
        system_close(&system);
        world_close(&world);
    }
    assert_string_equal(logs[0].data, logs[1].data);
    buf_free(&logs[0]);
    buf_free(&logs[1]);
}

static void fifty_at_once(void **state) {
    enum { COUNT = 50 };
    static struct system systems[COUNT];
    struct world world;
    int64_t before = clock_monotonic();
    (void)state;
    world_open(&world, 0);
    for (int i = 0; i < COUNT; i++) {
        char id[16], members[512];
        snprintf(id, sizeof id, "s%d", i);
        snprintf(members, sizeof members,
                 MACHINE("", "hcs.tick=100") "," DEVICES(PORT("p%d")), i);
        system_create(&world, &systems[i], id, members);
        assert_int_equal(system_do(&systems[i], HcsOperationTypeStart, NULL),
                         S_OK);
    }
    world_wait(&world, 10 * CLOCK_SECOND);
    for (int i = 0; i < COUNT; i++) {
        char pipe[16];
        snprintf(pipe, sizeof pipe, "p%d", i);
        system_connect(&systems[i], pipe);
        system_expect(&systems[i], "tick 99");
        system_close(&systems[i]);
    }
    world_close(&world);
    assert_true(clock_monotonic() - before <
                5 * PLATFORM_SLOWNESS * CLOCK_SECOND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(program_hears_all),
        cmocka_unit_test(program_sleeps_while_paused),
        cmocka_unit_test(program_hands_back),
        cmocka_unit_test(program_acts),
        cmocka_unit_test(program_hangs),
        cmocka_unit_test(pipes),
        cmocka_unit_test(refusals),
        cmocka_unit_test(too_much_memory),
        cmocka_unit_test(devices),
        cmocka_unit_test(latency),
        cmocka_unit_test(destroyed_midway),
        cmocka_unit_test(same_seed_same_world),
        cmocka_unit_test(fifty_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
