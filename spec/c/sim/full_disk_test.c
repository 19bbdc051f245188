/* SPDX-License-Identifier: MIT
 * A disk that is full at each of the calls that write to it: nothing is left,
 * what was there before stays, and all is said. The linker leads the calls
 * through here. */
#include "world.h"

#include <stdio.h>

#include "../../../src/base/file.h"

static long countdown = -1; /* calls until one fails; -1: none does */

static bool is_full(void) {
    return countdown >= 0 && countdown-- == 0;
}

static HRESULT full(struct hcs_error *error) {
    return error_set(error, HR_DISK_FULL, NULL, "the disk is full");
}

#define LEAD(name, parameters, arguments, error)                  \
    HRESULT __real_##name parameters;                             \
    HRESULT __wrap_##name parameters;                             \
    HRESULT __wrap_##name parameters {                            \
        return is_full() ? full(error) : __real_##name arguments; \
    }

LEAD(file_write_all,
     (hcs_file file, const void *bytes, size_t length, struct hcs_error *error),
     (file, bytes, length, error), error)
LEAD(file_write_at,
     (hcs_file file, const void *bytes, size_t length, uint64_t offset,
      struct hcs_error *error),
     (file, bytes, length, offset, error), error)
LEAD(file_resize, (hcs_file file, uint64_t size, struct hcs_error *error),
     (file, size, error), error)
LEAD(file_flush, (hcs_file file, struct hcs_error *error), (file, error), error)
LEAD(file_replace, (const char *from, const char *to, struct hcs_error *error),
     (from, to, error), error)

bool __real_file_room(const char *path, uint64_t *bytes);
bool __wrap_file_room(const char *path, uint64_t *bytes);
bool __wrap_file_room(const char *path, uint64_t *bytes) {
    if (!__real_file_room(path, bytes))
        return false;
    if (is_full())
        *bytes = UINT64_C(15) << 20; /* less than what a dump leaves free */
    return true;
}

/* Closing is what tells some file systems' failures: the file is closed. */
HRESULT __real_file_close(hcs_file file, struct hcs_error *error);
HRESULT __wrap_file_close(hcs_file file, struct hcs_error *error);
HRESULT __wrap_file_close(hcs_file file, struct hcs_error *error) {
    HRESULT hr = __real_file_close(file, error);
    return error && is_full() ? full(error) : hr;
}

static void expect_old(const char *path) {
    char bytes[8] = "";
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(bytes, 1, sizeof bytes, file), 3);
    fclose(file);
    assert_string_equal(bytes, "old");
}

/* Whether the n-th call was reached. */
static bool save_with(long n) {
    struct world world;
    struct system system;
    char path[200], options[256];
    bool reached;
    HRESULT hr;
    world_open(&world, 0);
    snprintf(path, sizeof path, "%s/state", world.folder);
    snprintf(options, sizeof options, "{\"SaveStateFilePath\":\"%s\"}", path);
    assert_int_equal(sim_file_create(world.sim, path, "old", 3, NULL), S_OK);
    system_create(&world, &system, "s", MACHINE("", ""));
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    assert_int_equal(system_do(&system, HcsOperationTypePause, NULL), S_OK);
    countdown = n;
    hr = system_do(&system, HcsOperationTypeSave, options);
    reached = countdown < 0;
    countdown = -1;
    assert_int_equal(hr, reached ? HR_DISK_FULL : S_OK);
    if (reached)
        expect_old(path);
    assert_int_equal(system_do(&system, HcsOperationTypeResume, NULL), S_OK);
    system_close(&system);
    assert_true(platform_remove(path));
    world_close(&world); /* checks that no other file is there */
    return reached;
}

static void while_saving(void **state) {
    long n = 0;
    (void)state;
    while (save_with(n))
        n++;
    assert_int_equal(n, 4); /* write, flush, close, replace */
}

static bool dump_with(long n) {
    struct world world;
    struct system system;
    char path[200], members[1024];
    bool reached;
    world_open(&world, 0);
    snprintf(path, sizeof path, "%s/core", world.folder);
    snprintf(members, sizeof members,
             MACHINE("", "panic=5 unknown_nmi_panic") "," DEVICES(
                 "\"GuestCrashReporting\":{\"NixCrashSettings\":{"
                 "\"DumpFileName\":\"%s\",\"DumpType\":\"ElfCore\"}}"),
             path);
    system_create(&world, &system, "d", members);
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    world_wait(&world, 30 * CLOCK_MS);
    countdown = n;
    assert_int_equal(system_do(&system, HcsOperationTypeCrash, NULL), S_OK);
    world_wait(&world, CLOCK_MS);
    reached = countdown < 0;
    countdown = -1;
    if (reached) {
        assert_null(strstr(system.log.data, "Complete"));
        system_expect_log(&system, "\"Status\":-2147024784");
    } else {
        system_expect_log(&system, "\"FinalPhase\":\"Complete\"");
        assert_true(platform_remove(path));
        snprintf(path, sizeof path, "%s/core.json", world.folder);
        assert_true(platform_remove(path));
    }
    system_close(&system);
    world_close(&world);
    return reached;
}

static void while_dumping(void **state) {
    long n = 0;
    (void)state;
    while (dump_with(n))
        n++;
    /* room, write, log, size; write, flush, close and replace of what tells
     * about it; flush, close, replace */
    assert_int_equal(n, 11);
}

static void while_creating(void **state) {
    struct world world;
    struct hcs_error error;
    char path[200];
    (void)state;
    world_open(&world, 0);
    snprintf(path, sizeof path, "%s/new", world.folder);
    for (int n = 0; n < 2; n++) { /* write, close */
        countdown = n;
        assert_int_equal(sim_file_create(world.sim, path, "x", 1, &error),
                         HR_DISK_FULL);
        assert_false(sim_file_exists(world.sim, path));
    }
    countdown = -1;
    assert_int_equal(sim_file_create(world.sim, path, "x", 1, &error), S_OK);
    assert_true(platform_remove(path));
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_saving),
        cmocka_unit_test(while_dumping),
        cmocka_unit_test(while_creating),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
