/* SPDX-License-Identifier: MIT
 * The most that a process may write, which only POSIX systems limit. */
#include "world.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

static void crash(struct world *world, struct system *system) {
    char members[1024];
    snprintf(members, sizeof members,
             MACHINE("", "panic=5 unknown_nmi_panic") "," DEVICES(
                 "\"GuestCrashReporting\":{\"NixCrashSettings\":{"
                 "\"DumpFileName\":\"%s/core\",\"DumpType\":\"ElfCore\"}}"),
             world->folder);
    system_create(world, system, "d", members);
    assert_int_equal(system_do(system, HcsOperationTypeStart, NULL), S_OK);
    world_wait(world, 30 * CLOCK_MS);
    assert_int_equal(system_do(system, HcsOperationTypeCrash, NULL), S_OK);
    world_wait(world, CLOCK_MS);
}

static void no_room(void **state) {
    struct world world;
    struct system system;
    struct rlimit limit, old;
    (void)state;
    world_open(&world, 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    limit.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    crash(&world, &system);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_null(strstr(system.log.data, "Complete"));
    system_expect_log(&system, "\"FinalPhase\":\"Writing\"");
    system_close(&system);
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
