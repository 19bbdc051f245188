/* SPDX-License-Identifier: MIT
 * What a simulated world writes and reads: files of both kinds, saved states,
 * templates and dumps. */
#include "foreign.h"
#include "world.h"

#include <stdio.h>

#define TICKING \
    MACHINE("", "hcs.tick=10 panic=5 unknown_nmi_panic") "," DEVICES(PORT("p"))

static void format(char *out, size_t size, const char *text,
                   const struct world *world) {
    /* "%s" in a text is the world's folder, as often as it is there */
    snprintf(out, size, text, world->folder, world->folder);
}

static void path_in(char *out, size_t size, const struct world *world,
                    const char *name) {
    snprintf(out, size, "%s/%s", world->folder, name);
}

static void creates(void **state) {
    struct world world;
    char path[256];
    (void)state;
    world_open(&world, 0);
    path_in(path, sizeof path, &world, "new.vmgs");
    assert_false(sim_file_exists(world.sim, path));
    assert_int_equal(sim_file_create(world.sim, path, "x", 1, NULL), S_OK);
    assert_true(sim_file_exists(world.sim, path));
    assert_int_equal(sim_file_create(world.sim, path, "", 0, NULL),
                     HR_FILE_EXISTS);
    assert_true(platform_remove(path));
    path_in(path, sizeof path, &world, "not/at/all");
    assert_int_equal(sim_file_create(world.sim, path, "", 0, NULL),
                     PLATFORM_NO_FOLDER);

    assert_int_equal(sim_file_create(world.sim, "relative", "", 0, NULL),
                     E_INVALIDARG);
    assert_int_equal(sim_file_create(world.sim, "", "", 0, NULL), E_INVALIDARG);
    assert_int_equal(sim_file_create(world.sim, "C:", "", 0, NULL),
                     E_INVALIDARG);
    assert_false(sim_file_exists(world.sim, ""));
    world_close(&world);
}

/* Paths of the other kind of system are names in the world. */
static void keeps_the_other_kind(void **state) {
    struct world world, other;
    (void)state;
    world_open(&world, 0);
    world_open(&other, 0);
    for (size_t i = 0; i < foreign_count; i++) {
        const struct foreign *file = &foreign[i];
        assert_false(sim_file_exists(world.sim, file->path));
        assert_int_equal(sim_file_create(world.sim, file->path, "x", 1, NULL),
                         S_OK);
        assert_true(sim_file_exists(world.sim, file->path));
        assert_int_equal(sim_file_exists(world.sim, file->other),
                         file->is_same);
        assert_int_equal(sim_file_create(world.sim, file->other, "", 0, NULL),
                         file->is_same ? HR_FILE_EXISTS : S_OK);
        assert_false(sim_file_exists(other.sim, file->path));
    }
    world_close(&other);
    world_close(&world);
}

/* Runs to the second tick, pauses and saves. */
static void save_to(struct world *world, const char *options) {
    struct system system;
    system_create(world, &system, "s", TICKING);
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    world_wait(world, 45 * CLOCK_MS);
    assert_int_equal(system_do(&system, HcsOperationTypePause, NULL), S_OK);
    assert_int_equal(system_do(&system, HcsOperationTypeSave, options), S_OK);
    assert_int_equal(vm_state(system.vm), VM_PAUSED);
    system_close(&system);
}

static void expect_restored(struct world *world, const char *members) {
    struct system system;
    system_create(world, &system, "r", members);
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    system_connect(&system, "p");
    world_wait(world, 12 * CLOCK_MS);
    system_expect(&system, "hcs-guest: tick 3\r\n");
    assert_null(strstr(system.console.data, "tick 2"));
    assert_null(strstr(system.console.data, "Linux version"));
    system_type(&system, "echo alive\n");
    system_expect(&system, "alive\r\n");
    /* its log goes back to before the save */
    assert_int_equal(system_do(&system, HcsOperationTypeCrash, NULL), S_OK);
    world_wait(world, CLOCK_MS);
    assert_non_null(strstr(system.log.data, "hcs-guest: up"));
    system_close(&system);
}

static void saves_and_restores(void **state) {
    const char *const files[] = {"%s/state.vmrs", foreign_state};
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(files); i++) {
        struct world world;
        char file[256], options[512], members[1024];
        world_open(&world, 0);
        format(file, sizeof file, files[i], &world);
        snprintf(options, sizeof options, "{\"SaveStateFilePath\":\"%s\"}",
                 file);
        save_to(&world, options);
        save_to(&world, options); /* over the old one */
        snprintf(members, sizeof members,
                 TICKING ",\"RestoreState\":{\"SaveStateFilePath\":\"%s\"}",
                 file);
        expect_restored(&world, members);
        expect_restored(&world, members); /* as often as one likes */
        platform_remove(file);
        world_close(&world);
    }
}

static HRESULT try_restore(struct world *world, const char *file,
                           const char *machine) {
    struct system system;
    char members[1024];
    snprintf(members, sizeof members,
             "%s,\"RestoreState\":{\"SaveStateFilePath\":\"%s\"}", machine,
             file);
    system_create(world, &system, "r", members);
    HRESULT hr = system_do(&system, HcsOperationTypeStart, NULL);
    assert_int_equal(vm_state(system.vm), FAILED(hr) ? VM_CREATED : VM_RUNNING);
    system_close(&system);
    return hr;
}

static void copy_part(const char *from, const char *to, size_t most) {
    static char bytes[65536];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t count = fread(bytes, 1, most, in);
    assert_int_equal(fwrite(bytes, 1, count, out), count);
    fclose(in);
    fclose(out);
}

static void refuses_what_is_no_state(void **state) {
    struct world world;
    char good[256], bad[256], options[512];
    (void)state;
    world_open(&world, 0);
    path_in(good, sizeof good, &world, "good");
    path_in(bad, sizeof bad, &world, "bad");
    snprintf(options, sizeof options, "{\"SaveStateFilePath\":\"%s\"}", good);
    save_to(&world, options);
    assert_true(platform_size(good) > 0);
    assert_int_equal(try_restore(&world, bad, TICKING), HR_FILE_NOT_FOUND);
    for (int64_t size = 0; size < platform_size(good); size += 7) {
        copy_part(good, bad, (size_t)size);
        assert_int_equal(try_restore(&world, bad, TICKING), HR_FILE_CORRUPT);
        platform_remove(bad);
    }
    assert_int_equal(try_restore(&world, good, TICKING), S_OK);
    assert_int_equal(
        try_restore(&world, good,
                    "\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":128},"
                    "\"Processor\":{\"Count\":2}}"),
        HR_INVALID_DATA);
    assert_int_equal(
        try_restore(&world, good,
                    "\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64}}"),
        HR_INVALID_DATA);
    platform_remove(good);
    world_close(&world);
}

/* Whatever a state says, the guest that comes of it does no harm. */
static void live_with(struct world *world, const struct buf *text) {
    struct system system;
    char file[256], members[1024];
    path_in(file, sizeof file, world, "odd");
    assert_int_equal(
        sim_file_create(world->sim, file, text->data, text->length, NULL),
        S_OK);
    snprintf(members, sizeof members,
             TICKING ",\"RestoreState\":{\"SaveStateFilePath\":\"%s\"}", file);
    system_create(world, &system, "r", members);
    HRESULT hr = system_do(&system, HcsOperationTypeStart, NULL);
    assert_true(hr == S_OK || hr == HR_FILE_CORRUPT || hr == HR_INVALID_DATA);
    platform_remove(file);
    if (vm_state(system.vm) == VM_RUNNING) { /* it may be off already */
        system_connect(&system, "p");
        system_type(&system, "echo x\n");
        world_wait(world, 50 * CLOCK_MS);
        if (vm_state(system.vm) == VM_RUNNING)
            system_do(&system, HcsOperationTypeCrash, NULL);
        world_wait(world, 50 * CLOCK_MS);
    }
    system_close(&system);
}

static void load(const char *file, struct buf *out) {
    char bytes[65536];
    FILE *in = fopen(file, "rb");
    size_t count = fread(bytes, 1, sizeof bytes, in);
    assert_true(count > 0);
    buf_add(out, bytes, count);
    fclose(in);
}

/* Puts `value` where the member's value was. */
static void craft(struct buf *out, const struct buf *good, const char *member,
                  const char *value) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":", member);
    const char *at = strstr(good->data, key);
    assert_non_null(at);
    at += strlen(key);
    buf_clear(out);
    buf_add(out, good->data, (size_t)(at - good->data));
    buf_puts(out, value);
    size_t depth = 0;
    while (depth > 0 || (*at != ',' && *at != '}')) {
        depth += *at == '[' ? 1 : *at == ']' ? (size_t)-1 : 0;
        at++;
    }
    buf_puts(out, at);
}

static void survives_crafted_states(void **state) {
    static const struct {
        const char *member, *value;
    } cases[] = {
        {"BootStep", "64"},
        {"BootStep", "65"},
        {"Uptime", "9223372036854775807"},
        {"Uptime", "-1"},
        {"Work", "2305843009213693951"},
        {"Alarms", "[0,0,0,0,0,0]"},
        {"Alarms", "[-1,-1,-1,-1,-1,9223372036854775807]"},
        {"Alarms", "[2305843009213693951,-1,-1,-1,-1,-1]"},
        {"Alarms", "[0]"},
        {"Ticks", "18446744073709551615"},
        {"CommandLine", "\"hcs.tick=99999999999999999999 panic=-7\""},
        {"Dead", "true"},
        {"Typed", "null"},
    };
    struct world world;
    struct buf good = {0}, odd = {0};
    struct random random;
    char file[256], options[512];
    (void)state;
    world_open(&world, 0);
    path_in(file, sizeof file, &world, "good");
    snprintf(options, sizeof options, "{\"SaveStateFilePath\":\"%s\"}", file);
    save_to(&world, options);
    load(file, &good);
    platform_remove(file);
    for (size_t i = 0; i < HCS_COUNT(cases); i++) {
        craft(&odd, &good, cases[i].member, cases[i].value);
        live_with(&world, &odd);
    }
    buf_clear(&odd); /* a line longer than any that can be typed */
    buf_add(&odd, "\"", 1);
    for (int i = 0; i < 10000; i++)
        buf_puts(&odd, "x");
    buf_puts(&odd, "\"");
    char *line = buf_take(&odd);
    craft(&odd, &good, "Typed", line);
    free(line);
    live_with(&world, &odd);
    random_seed(&random, 20);
    for (int i = 0; i < 300; i++) {
        buf_clear(&odd);
        buf_add(&odd, good.data, good.length);
        odd.data[random_next(&random) % odd.length] =
            (char)(random_next(&random) & 0x7f);
        live_with(&world, &odd);
    }
    buf_free(&odd);
    buf_free(&good);
    world_close(&world);
}

/* A damaged state must not leave half of itself in the machine. */
static void restores_after_a_failure(void **state) {
    struct world world;
    struct system system;
    char file[256], options[512], members[1024];
    (void)state;
    world_open(&world, 0);
    path_in(file, sizeof file, &world, "f");
    snprintf(options, sizeof options, "{\"SaveStateFilePath\":\"%s\"}", file);
    snprintf(members, sizeof members,
             TICKING ",\"RestoreState\":{\"SaveStateFilePath\":\"%s\"}", file);
    assert_int_equal(sim_file_create(world.sim, file, "junk", 4, NULL), S_OK);
    system_create(&world, &system, "r", members);
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL),
                     HR_FILE_CORRUPT);
    save_to(&world, options);
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    system_connect(&system, "p");
    world_wait(&world, 12 * CLOCK_MS);
    system_expect(&system, "tick 3");
    platform_remove(file);
    system_close(&system);
    world_close(&world);
}

static void cannot_save(void **state) {
    struct world world;
    struct system system;
    char options[512];
    (void)state;
    world_open(&world, 0);
    system_create(&world, &system, "s", TICKING);
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    assert_int_equal(system_do(&system, HcsOperationTypePause, NULL), S_OK);
    format(options, sizeof options, "{\"SaveStateFilePath\":\"%s/not/at/all\"}",
           &world);
    assert_int_equal(system_do(&system, HcsOperationTypeSave, options),
                     PLATFORM_NO_FOLDER);
    assert_int_equal(system_do(&system, HcsOperationTypeSave,
                               "{\"SaveStateFilePath\":\"relative\"}"),
                     E_INVALIDARG);
    assert_int_equal(system_do(&system, HcsOperationTypeResume, NULL), S_OK);
    system_close(&system);
    world_close(&world);
}

static void template_and_clones(void **state) {
    struct world world;
    struct system template, clones[3];
    struct hcs_error error;
    (void)state;
    world_open(&world, 0);
    system_create(&world, &template, "t", TICKING);
    assert_int_equal(system_do(&template, HcsOperationTypeStart, NULL), S_OK);
    world_wait(&world, 45 * CLOCK_MS);
    assert_int_equal(system_do(&template, HcsOperationTypePause, NULL), S_OK);
    assert_int_equal(system_do(&template, HcsOperationTypeSave,
                               "{\"SaveType\":\"AsTemplate\"}"),
                     S_OK);
    assert_int_equal(system_do(&template, HcsOperationTypeResume, NULL),
                     HCS_E_INVALID_STATE);
    assert_int_equal(system_try(&world, &clones[0], "c",
                                TICKING ",\"RestoreState\":{"
                                        "\"TemplateSystemId\":\"none\"}",
                                &error),
                     HCS_E_SYSTEM_NOT_FOUND);
    system_close(&clones[0]);
    world.template = &template;
    for (size_t i = 0; i < HCS_COUNT(clones); i++) {
        char id[8], members[512];
        snprintf(id, sizeof id, "c%zu", i);
        snprintf(members, sizeof members,
                 MACHINE("", "") "," DEVICES(PORT(
                     "p%zu")) ",\"RestoreState\":{\"TemplateSystemId\":\"t\"}",
                 i);
        system_create(&world, &clones[i], id, members);
        assert_int_equal(system_do(&clones[i], HcsOperationTypeStart, NULL),
                         S_OK);
        snprintf(id, sizeof id, "P%zu", i);
        system_connect(&clones[i], id);
    }
    world_wait(&world, 12 * CLOCK_MS);
    system_type(&clones[1], "poweroff\n");
    world_wait(&world, CLOCK_MS);
    system_expect(&clones[0], "tick 3");
    system_expect(&clones[2], "tick 3");
    system_expect_log(&clones[1], "GracefulExit");
    assert_int_equal(vm_state(clones[2].vm), VM_RUNNING);
    for (size_t i = 0; i < HCS_COUNT(clones); i++)
        system_close(&clones[i]);
    system_close(&template);
    world_close(&world);
}

/* --- dumps ------------------------------------------------------------ */

#define CRASHING(settings)                                                     \
    MACHINE("", "panic=5 unknown_nmi_panic")                                   \
    "," DEVICES("\"GuestCrashReporting\":{\"NixCrashSettings\":{" settings "}" \
                "}")

static void crash_with(struct world *world, struct system *system,
                       const char *settings) {
    char members[1024], text[2048];
    snprintf(members, sizeof members, CRASHING("%s"), settings);
    format(text, sizeof text, members, world);
    system_create(world, system, "d", text);
    assert_int_equal(system_do(system, HcsOperationTypeStart, NULL), S_OK);
    world_wait(world, 30 * CLOCK_MS);
    assert_int_equal(system_do(system, HcsOperationTypeCrash, NULL), S_OK);
    world_wait(world, CLOCK_MS);
}

/* And what tells about it. */
static void remove_dump(const char *path) {
    char name[300];
    assert_true(platform_remove(path));
    snprintf(name, sizeof name, "%s.json", path);
    assert_true(platform_remove(name));
}

static uint64_t number_at(const unsigned char *bytes, size_t size) {
    uint64_t value = 0;
    while (size-- > 0)
        value = value << 8 | bytes[size];
    return value;
}

/* An ELF core (the header's numbers are where the format has them) whose
 * memory is a hole but for the log. */
static void check_core(const char *path) {
    unsigned char head[64 + 2 * 56], *notes = head + 64, *memory = notes + 56;
    static char log[0x11000];
    FILE *file = fopen(path, "rb");
    uint64_t at;
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    assert_memory_equal(head, "\177ELF\2\1\1", 7);
    assert_int_equal(number_at(head + 16, 2), 4);  /* a core */
    assert_int_equal(number_at(head + 18, 2), 62); /* of an x86-64 */
    assert_int_equal(number_at(head + 20, 4), 1);
    assert_int_equal(number_at(head + 32, 8), 64);
    assert_int_equal(number_at(head + 52, 2), 64);
    assert_int_equal(number_at(head + 54, 2), 56);
    assert_int_equal(number_at(head + 56, 2), 2);
    assert_int_equal(number_at(notes, 4), 4);
    assert_int_equal(number_at(notes + 8, 8), sizeof head);
    assert_int_equal(number_at(notes + 32, 8), 2 * (12 + 8 + 336));
    assert_int_equal(number_at(memory, 4), 1);
    assert_int_equal(number_at(memory + 4, 4), 7);
    at = number_at(memory + 8, 8);
    assert_int_equal(number_at(memory + 32, 8), 64 << 20);
    assert_int_equal(number_at(memory + 40, 8), 64 << 20);
    assert_int_equal(platform_size(path), at + (64 << 20));
    assert_true(platform_room_taken(path) < 1 << 20);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    assert_int_equal(fread(log, 1, sizeof log, file), sizeof log);
    fclose(file);
    log[sizeof log - 1] = '\0';
    assert_non_null(strstr(log + 0x10000, "Kernel panic - not syncing: NMI"));
}

static void writes_a_core(void **state) {
    struct world world;
    struct system system;
    char path[256];
    (void)state;
    world_open(&world, 0);
    crash_with(&world, &system,
               "\"DumpFileName\":\"%s/core\",\"DumpType\":\"ElfCore\"");
    path_in(path, sizeof path, &world, "core");
    system_expect_log(&system, "\"FinalPhase\":\"Complete\"");
    check_core(path);
    remove_dump(path);
    system_close(&system);
    world_close(&world);
}

static void limits_of_a_dump(void **state) {
    static const struct {
        const char *settings;
        const char *report;
    } cases[] = {
        {"\"DumpFileName\":\"%s/core\",\"DumpType\":\"ElfCore\","
         "\"MaxDumpSize\":67112959",
         "\"Status\":-2147024784"},
        {"\"DumpFileName\":\"%s/not/at/all\",\"DumpType\":\"ElfCore\"",
         PLATFORM_NO_FOLDER == HR_FILE_NOT_FOUND ? "\"Status\":-2147024894"
                                                 : "\"Status\":-2147024893"},
        {"\"DumpFileName\":\"%s/core\"", "CrashLog"},
    };
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(cases); i++) {
        struct world world;
        struct system system;
        world_open(&world, 0);
        crash_with(&world, &system, cases[i].settings);
        assert_null(strstr(system.log.data, "Complete"));
        system_expect_log(&system, cases[i].report);
        assert_int_equal(vm_state(system.vm), VM_RUNNING);
        system_close(&system);
        world_close(&world); /* checks that no file is there */
    }
}

static void large_enough(void **state) {
    struct world world;
    struct system system;
    char path[256];
    (void)state;
    world_open(&world, 0);
    crash_with(&world, &system,
               "\"DumpFileName\":\"%s/core\",\"DumpType\":\"ElfCore\","
               "\"MaxDumpSize\":67112960");
    system_expect_log(&system, "\"FinalPhase\":\"Complete\"");
    path_in(path, sizeof path, &world, "core");
    remove_dump(path);
    system_close(&system);
    world_close(&world);
}

static void saves_when_it_crashes(void **state) {
    struct world world;
    struct system system;
    char members[1024], path[256];
    (void)state;
    world_open(&world, 0);
    path_in(path, sizeof path, &world, "crash.vmrs");
    snprintf(members, sizeof members,
             MACHINE("", "unknown_nmi_panic") ",\"DebugOptions\":{"
                                              "\"BugcheckNoCrashdumpSavedStateF"
                                              "ileName\":\"%s\"}",
             path);
    system_create(&world, &system, "d", members);
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    world_wait(&world, 30 * CLOCK_MS);
    assert_int_equal(system_do(&system, HcsOperationTypeCrash, NULL), S_OK);
    world_wait(&world, CLOCK_MS);
    system_expect_log(&system, "\"Reason\":\"GuestCrashNoCrashdump\"");
    system_close(&system);
    assert_int_equal(try_restore(&world, path, MACHINE("", "")), S_OK);
    assert_true(platform_remove(path));
    world_close(&world);
}

static void captures(void **state) {
    struct world world;
    struct system system;
    char options[512], path[256];
    (void)state;
    world_open(&world, CLOCK_MS / 20);
    path_in(path, sizeof path, &world, "capture");
    snprintf(options, sizeof options,
             "{\"Type\":\"CaptureGuestDebugState\",\"GuestDebugStateFile\":"
             "\"%s\"}",
             path);
    system_create(&world, &system, "d", TICKING);
    assert_int_equal(system_do(&system, HcsOperationTypeStart, NULL), S_OK);
    world_wait(&world, 30 * CLOCK_MS);
    assert_int_equal(system_do(&system, HcsOperationTypeCrash, options), S_OK);
    assert_int_equal(vm_state(system.vm), VM_RUNNING);
    remove_dump(path);
    system_connect(&system, "p");
    world_wait(&world, 100 * CLOCK_MS);
    system_expect(&system, "tick 9");
    system_close(&system);
    world_close(&world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates),
        cmocka_unit_test(keeps_the_other_kind),
        cmocka_unit_test(saves_and_restores),
        cmocka_unit_test(refuses_what_is_no_state),
        cmocka_unit_test(survives_crafted_states),
        cmocka_unit_test(restores_after_a_failure),
        cmocka_unit_test(cannot_save),
        cmocka_unit_test(template_and_clones),
        cmocka_unit_test(writes_a_core),
        cmocka_unit_test(limits_of_a_dump),
        cmocka_unit_test(large_enough),
        cmocka_unit_test(saves_when_it_crashes),
        cmocka_unit_test(captures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
