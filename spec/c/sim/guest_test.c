/* SPDX-License-Identifier: MIT
 * The built-in guest: its boot, its commands, and its time that stops. */
#include "world.h"

#include <stdio.h>

#define TICKING \
    MACHINE("", "console=ttyS0 hcs.tick=10 panic=1 unknown_nmi_panic")

static void start(struct world *world, struct system *system,
                  const char *members) {
    system_create(world, system, "g", members);
    assert_int_equal(system_do(system, HcsOperationTypeStart, NULL), S_OK);
    system_connect(system, "\\\\.\\pipe\\COM-g");
}

static void boots_and_ticks(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    start(&world, &system, TICKING "," DEVICES(PORT("com-G")));
    world_wait(&world, 19 * CLOCK_MS);
    system_expect(&system, "Linux version");
    assert_null(strstr(system.console.data, "hcs-guest: up"));
    world_wait(&world, CLOCK_MS);
    system_expect(&system, "hcs-guest: up\r\n");
    world_wait(&world, 25 * CLOCK_MS);
    system_expect(&system, "hcs-guest: tick 2\r\n");
    assert_null(strstr(system.console.data, "tick 3"));
    system_close(&system);
    world_close(&world);
}

/* Paused time is no time: the third tick is due 5 ms after the resume. */
static void stands_still(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    start(&world, &system, TICKING "," DEVICES(PORT("com-g")));
    world_wait(&world, 45 * CLOCK_MS);
    assert_int_equal(system_do(&system, HcsOperationTypePause, NULL), S_OK);
    world_wait(&world, 1000 * CLOCK_MS);
    system_type(&system, "echo typed while paused\n");
    world_wait(&world, 1000 * CLOCK_MS);
    system_expect(&system, "tick 2\r\n");
    assert_null(strstr(system.console.data, "tick 3"));
    assert_null(strstr(system.console.data, "typed"));
    assert_int_equal(system_do(&system, HcsOperationTypeResume, NULL), S_OK);
    system_expect(&system, "\ntyped while paused\r\n");
    world_wait(&world, 4 * CLOCK_MS);
    system_read(&system);
    assert_null(strstr(system.console.data, "tick 3"));
    world_wait(&world, 2 * CLOCK_MS);
    system_expect(&system, "tick 3\r\n");
    assert_null(strstr(system.console.data, "tick 4"));
    system_close(&system);
    world_close(&world);
}

static void commands(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    start(&world, &system, MACHINE("", "") "," DEVICES(PORT("com-g")));
    system_type(&system, "echo typed ahead\n");
    world_wait(&world, 30 * CLOCK_MS);
    system_expect(&system, "hcs-guest: up\r\ntyped ahead\r\n");
    system_type(&system, "ec");
    system_type(&system, "ho a  b\r\n\nnonsense now\n");
    system_expect(&system, "\na  b\r\nhcs-guest: unknown command \"nonsense\"");
    system_type(&system, "hang\necho no\n");
    world_wait(&world, CLOCK_SECOND);
    system_read(&system);
    assert_null(strstr(system.console.data, "\nno"));
    system_close(&system);
    world_close(&world);
}

static void long_lines_are_cut(void **state) {
    struct world world;
    struct system system;
    char text[10001];
    (void)state;
    world_open(&world, 0);
    start(&world, &system, MACHINE("", "") "," DEVICES(PORT("com-g")));
    world_wait(&world, 30 * CLOCK_MS);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text, "echo ", 5);
    system_type(&system, text);
    system_type(&system, "\necho next\n");
    world_wait(&world, CLOCK_MS);
    system_expect(&system, "next\r\n");
    system_close(&system);
    world_close(&world);
}

static void floods(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    start(&world, &system, MACHINE("", "") "," DEVICES(PORT("com-g")));
    system_type(&system, "flood\n");
    world_wait(&world, 10 * CLOCK_SECOND); /* nobody reads */
    system_expect(&system, "bytes not kept");
    assert_int_equal(system_do(&system, HcsOperationTypeTerminate, NULL), S_OK);
    system_read(&system);
    system_expect_end(&system);
    system_close(&system);
    world_close(&world);
}

static void switches_itself_off(void **state) {
    struct world world;
    struct system system;
    stream_native native;
    (void)state;
    world_open(&world, 0);
    start(&world, &system, MACHINE("", "") "," DEVICES(PORT("com-g")));
    world_wait(&world, 30 * CLOCK_MS);
    system_type(&system, "poweroff\n");
    world_wait(&world, CLOCK_MS);
    system_expect_log(&system, "\"ExitType\":\"GracefulExit\"");
    system_expect(&system, "reboot: Power down\r\n");
    system_expect_end(&system);
    assert_int_equal(sim_pipe_connect(world.sim, "com-g", &native, NULL),
                     HR_FILE_NOT_FOUND);
    system_close(&system);
    world_close(&world);
}

static void heeds_the_button(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    start(&world, &system,
          MACHINE("", "") ",\"Services\":{\"Shutdown\":{}}," DEVICES(
              PORT("com-g")));
    world_wait(&world, 30 * CLOCK_MS);
    assert_int_equal(system_do(&system, HcsOperationTypeShutdown, NULL), S_OK);
    assert_int_equal(vm_state(system.vm), VM_RUNNING);
    world_wait(&world, 20 * CLOCK_MS);
    system_expect_log(&system, "\"Initiator\":\"Client\"");
    system_close(&system);
    world_close(&world);
}

static void reboots(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    start(&world, &system, MACHINE("", "") "," DEVICES(PORT("com-g")));
    world_wait(&world, 30 * CLOCK_MS);
    system_expect(&system, "hcs-guest: up");
    buf_clear(&system.console);
    system_type(&system, "reboot\n");
    world_wait(&world, 30 * CLOCK_MS);
    system_expect(&system, "hcs-guest: up");
    assert_int_equal(vm_state(system.vm), VM_RUNNING);
    system_close(&system);
    start(&world, &system,
          MACHINE("", "") ",\"StopOnReset\":true," DEVICES(PORT("com-g")));
    world_wait(&world, 30 * CLOCK_MS);
    system_type(&system, "reboot\n");
    world_wait(&world, 30 * CLOCK_MS);
    system_expect_log(&system, "\"StoppedOnReset\"");
    system_close(&system);
    world_close(&world);
}

static void triple_faults(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    start(&world, &system, MACHINE("", "") "," DEVICES(PORT("com-g")));
    world_wait(&world, 30 * CLOCK_MS);
    system_type(&system, "triplefault\n");
    world_wait(&world, CLOCK_MS);
    system_expect_log(&system, "\"ExitType\":\"UnexpectedExit\"");
    system_close(&system);
    world_close(&world);
}

static void nmi(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    start(&world, &system, MACHINE("", "") "," DEVICES(PORT("com-g")));
    world_wait(&world, 30 * CLOCK_MS);
    assert_int_equal(system_do(&system, HcsOperationTypeCrash, NULL), S_OK);
    system_expect(&system, "Uhhuh. NMI received");
    world_wait(&world, 6 * CLOCK_SECOND);
    system_expect_log(&system, "\"Status\":-2147023436");
    system_close(&system);
    world_close(&world);
}

/* A panic without a port still has a log: it is in the guest's memory. */
static void panics_and_resets(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    system_create(&world, &system, "g", TICKING);
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    world_wait(&world, 45 * CLOCK_MS);
    assert_int_equal(
        system_do(&system, HcsOperationTypeCrash, "{\"Type\":\"CrashGuest\"}"),
        S_OK);
    world_wait(&world, CLOCK_MS);
    assert_non_null(strstr(system.log.data, "event 2 "));
    system_expect_log(&system, "Kernel panic - not syncing: NMI");
    world_wait(&world, CLOCK_SECOND + 60 * CLOCK_MS);
    assert_int_equal(vm_state(system.vm), VM_RUNNING);
    assert_int_equal(system_do(&system, HcsOperationTypeCrash, NULL), S_OK);
    world_wait(&world, CLOCK_MS);
    assert_non_null(strstr(system.log.data, "hcs-guest: tick 1")); /* anew */
    system_expect_log(&system, "event 3 ");
    system_close(&system);
    world_close(&world);
}

static void uefi_guests_boot_too(void **state) {
    struct world world;
    struct system system;
    (void)state;
    world_open(&world, 0);
    start(&world, &system,
          "\"Chipset\":{\"Uefi\":{}},\"ComputeTopology\":{\"Memory\":{"
          "\"SizeInMB\":64}}," DEVICES(PORT("com-g")));
    world_wait(&world, 30 * CLOCK_MS);
    system_expect(&system, "hcs-guest: up");
    system_close(&system);
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boots_and_ticks),
        cmocka_unit_test(stands_still),
        cmocka_unit_test(commands),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(floods),
        cmocka_unit_test(switches_itself_off),
        cmocka_unit_test(heeds_the_button),
        cmocka_unit_test(reboots),
        cmocka_unit_test(triple_faults),
        cmocka_unit_test(nmi),
        cmocka_unit_test(panics_and_resets),
        cmocka_unit_test(uefi_guests_boot_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
