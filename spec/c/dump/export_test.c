/* SPDX-License-Identifier: MIT
 * Dumps written in each format and read again. */
#include "dump_unit.h"

#ifndef _WIN32
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#endif

#include "dump/export.h"
#include "dump/keep.h"
#include "platform.h"

struct place {
    char folder[160];
    char path[200];
    struct opened from; /* an ELF core */
};

static int setup(void **state) {
    struct place *place = calloc(1, sizeof *place);
    platform_folder(place->folder, sizeof place->folder);
    snprintf(place->path, sizeof place->path, "%s/dump", place->folder);
    make_guest(&place->from.guest, GUEST_LOG_RING);
    make_elf(&place->from.guest, 0, &place->from.bytes);
    open_bytes(&place->from);
    *state = place;
    return 0;
}

static int teardown(void **state) {
    struct place *place = *state;
    close_opened(&place->from);
    /* whatever a test leaves behind shows */
    int result = platform_remove_folder(place->folder) ? 0 : -1;
    free(place);
    return result;
}

static HRESULT export(struct place *place, enum dump_export_format format,
                      const struct dump_export_options *options) {
    struct hcs_error error = {0};
    uint64_t bytes = 0;
    HRESULT hr = dump_export(place->from.dump, place->path, format, options,
                             &bytes, &error);
    if (FAILED(hr)) {
        assert_non_null(strstr(error.text, place->path));
    } else {
        assert_int_equal(bytes, platform_size(place->path));
    }
    return hr;
}

static void assert_same_cpus(struct dump *a, struct dump *b) {
    struct dump_cpu one, two;
    assert_int_equal(dump_get_facts(a)->cpu_count,
                     dump_get_facts(b)->cpu_count);
    for (uint32_t i = 0; i < dump_get_facts(a)->cpu_count; i++) {
        assert_hr(dump_get_cpu(a, i, &one, NULL), S_OK);
        assert_hr(dump_get_cpu(b, i, &two, NULL), S_OK);
        assert_memory_equal(one.known, two.known, sizeof one.known);
        for (size_t id = 0; id < DUMP_REG_COUNT; id++)
            assert_memory_equal(&one.values[id], &two.values[id],
                                sizeof one.values[id]);
    }
}

static const enum dump_export_format formats[] = {
    DUMP_EXPORT_ELF, DUMP_EXPORT_KDUMP, DUMP_EXPORT_RAW, DUMP_EXPORT_VMRS};

static void drop(const struct place *place, enum dump_export_format format) {
    char map[220];
    assert_true(platform_remove(place->path));
    snprintf(map, sizeof map, "%s.map", place->path);
    if (format == DUMP_EXPORT_RAW)
        assert_true(platform_remove(map));
}

/* The raw file is read by its map. */
static struct dump *open_any(const struct place *place,
                             enum dump_export_format format) {
    struct hcs_error error = {0};
    struct dump *dump;
    char path[220];
    HRESULT hr;
    snprintf(path, sizeof path, "%s%s", place->path,
             format == DUMP_EXPORT_RAW ? ".map" : "");
    hr = dump_open(path, &dump, &error);
    if (FAILED(hr))
        fail_msg("%08x: %s", (unsigned)hr, error.text);
    return dump;
}

static void bit_for_bit(void **state) {
    struct place *place = *state;
    for (size_t i = 0; i < HCS_COUNT(formats); i++) {
        for (int compress = 0; compress < 2; compress++) {
            const struct dump_export_options options = {.compress = compress};
            struct opened again = {.guest = place->from.guest};
            assert_hr(export(place, formats[i], &options), S_OK);
            again.dump = open_any(place, formats[i]);
            assert_memory(&again);
            assert_registers(&again);
            assert_kernel(&again);
            assert_same_cpus(place->from.dump, again.dump);
            dump_close(again.dump);
            drop(place, formats[i]);
        }
    }
}

/* What a format has no place for goes beside it. */
static void registers_of_all_kinds(void **state) {
    struct place *place = *state;
    struct opened saved = {0};
    struct dump *elf = place->from.dump;
    make_guest(&saved.guest, GUEST_LOG_RING);
    make_vmrs(&saved.guest, VMRS_PACKED, &saved.bytes);
    open_bytes(&saved);
    place->from.dump = saved.dump; /* it has FP and debug registers, too */
    for (size_t i = 0; i < HCS_COUNT(formats); i++) {
        struct dump *again;
        assert_hr(export(place, formats[i], NULL), S_OK);
        again = open_any(place, formats[i]);
        assert_same_cpus(saved.dump, again);
        dump_close(again);
        drop(place, formats[i]);
    }
    place->from.dump = elf;
    close_opened(&saved);
}

static void zeros_take_no_room(void **state) {
    struct place *place = *state;
    assert_hr(export(place, DUMP_EXPORT_VMRS, NULL), S_OK);
    assert_true(platform_size(place->path) > 2 << 20);
    assert_true(platform_room_taken(place->path) < 1 << 20);
    drop(place, DUMP_EXPORT_VMRS);
}

#ifndef _WIN32
static void only_for_its_owner(void **state) {
    struct place *place = *state;
    mode_t mask = umask(0);
    struct stat status;
    for (size_t i = 0; i < HCS_COUNT(formats); i++) {
        assert_hr(export(place, formats[i], NULL), S_OK);
        assert_int_equal(stat(place->path, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
        drop(place, formats[i]);
    }
    umask(mask);
}
#endif

/* --- what does not come to its end ---------------------------------------- */

static void put_old(const struct place *place) {
    FILE *file = fopen(place->path, "wb");
    assert_non_null(file);
    fputs("old", file);
    fclose(file);
}

/* What was there before still is, and nothing else. */
static void assert_old(const struct place *place) {
    char text[8] = "";
    FILE *file = fopen(place->path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text, file), 3);
    fclose(file);
    assert_string_equal(text, "old");
    assert_true(platform_remove(place->path));
}

struct teller {
    uint64_t last, total;
    unsigned calls, stop_at; /* 0: never */
};

static bool told(void *context, uint64_t done, uint64_t total) {
    struct teller *teller = context;
    assert_true(done >= teller->last && done <= total);
    teller->last = done;
    teller->total = total;
    return ++teller->calls != teller->stop_at;
}

static void tells_how_far_it_is(void **state) {
    struct place *place = *state;
    for (size_t i = 0; i < HCS_COUNT(formats); i++) {
        struct teller teller = {0};
        const struct dump_export_options options = {.progress = told,
                                                    .context = &teller};
        assert_hr(export(place, formats[i], &options), S_OK);
        assert_int_equal(teller.last, GUEST_BYTES);
        assert_int_equal(teller.total, GUEST_BYTES);
        drop(place, formats[i]);
        teller = (struct teller){.stop_at = 1};
        put_old(place);
        assert_hr(export(place, formats[i], &options), HR_CANCELLED);
        assert_old(place);
    }
}

static void limits(void **state) {
    struct place *place = *state;
    for (size_t i = 0; i < HCS_COUNT(formats); i++) {
        const struct dump_export_options small = {.max_bytes = 100000};
        const struct dump_export_options full = {.keep_free = UINT64_MAX};
        struct dump_export_options fits = {0};
        put_old(place);
        assert_hr(export(place, formats[i], &small), HR_DISK_FULL);
        assert_old(place);
        put_old(place);
        assert_hr(export(place, formats[i], &full), HR_DISK_FULL);
        assert_old(place);
        assert_hr(export(place, formats[i], NULL), S_OK);
        fits.max_bytes = (uint64_t)platform_size(place->path);
        assert_hr(export(place, formats[i], &fits), S_OK);
        drop(place, formats[i]);
        fits.max_bytes--;
        assert_hr(export(place, formats[i], &fits), HR_DISK_FULL);
    }
}

#ifndef _WIN32
/* A file that may be only so long stands for a disk that is full. */
static void full_disks(void **state) {
    struct place *place = *state;
    struct rlimit before, limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (size_t i = 0; i < HCS_COUNT(formats); i++) {
        for (rlim_t bytes = 0; bytes < 200000; bytes += 9999) {
            HRESULT hr;
            put_old(place);
            limit = (struct rlimit){bytes, before.rlim_max};
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
            hr = export(place, formats[i], NULL);
            assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
            assert_true(FAILED(hr));
            assert_old(place);
        }
    }
    signal(SIGXFSZ, SIG_DFL);
}
#endif

static void out_of_memory(void **state) {
    struct place *place = *state;
    for (size_t i = 0; i < HCS_COUNT(formats); i++) {
        long live = faults_live();
        HRESULT hr = E_FAIL;
        size_t n = 1;
        for (; FAILED(hr); n++) {
            faults_fail_from(n);
            hr = dump_export(place->from.dump, place->path, formats[i], NULL,
                             NULL, NULL);
            faults_fail_from(0);
            /* strdup's blocks are counted when they are freed only */
            assert_true(faults_live() <= live);
            if (FAILED(hr))
                assert_hr(hr, E_OUTOFMEMORY);
        }
        assert_true(n > 4);
        drop(place, formats[i]);
    }
}

static void refused(void **state) {
    struct place *place = *state;
    struct hcs_error error = {0};
    enum dump_export_format format;
    assert_hr(dump_export(place->from.dump, "relative", DUMP_EXPORT_ELF, NULL,
                          NULL, &error),
              HR_PATH_NOT_FOUND);
    assert_false(dump_export_find("win-dmp", &format));
    assert_true(dump_export_find("vmrs", &format));
    assert_int_equal(format, DUMP_EXPORT_VMRS);
}

/* --- dumps that are kept -------------------------------------------------- */

static void put_text(const struct place *place, const char *ending,
                     const char *text) {
    char path[220];
    FILE *file;
    snprintf(path, sizeof path, "%s%s", place->path, ending);
    file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

#define MAP_OF "{\"Format\":\"lua-hcs raw memory\","
#define MAP MAP_OF "\"Version\":1,"

static void maps_that_lie(void **state) {
    static const struct {
        const char *text;
        HRESULT hr;
    } maps[] = {
        {MAP "\"Ranges\":[]}", S_OK},
        {MAP_OF "\"Version\":2,\"Ranges\":[]}", HR_NOT_SUPPORTED},
        {MAP_OF "\"Version\":\"1\",\"Ranges\":[]}", HR_FILE_CORRUPT},
        {MAP_OF "\"Ranges\":[]}", HR_FILE_CORRUPT},
        {MAP "\"Ranges\":[{\"Start\":\"0x0\",\"Bytes\":\"0x2\"}],"
             "\"Cpus\":[{\"rip\":\"0xffffffffffffffff\",\"new\":7}]}",
         S_OK},
        {MAP "\"Ranges\":[", HR_FILE_CORRUPT},
        {MAP "\"Ranges\":7}", HR_FILE_CORRUPT},
        {MAP "\"Cpus\":[]}", HR_FILE_CORRUPT},
        {MAP "\"Ranges\":[7]}", HR_FILE_CORRUPT},
        {MAP "\"Ranges\":[{\"Start\":\"0x0\"}]}", HR_FILE_CORRUPT},
        {MAP "\"Ranges\":[{\"Start\":\"0\",\"Bytes\":\"0x1\"}]}",
         HR_FILE_CORRUPT},
        {MAP "\"Ranges\":[{\"Start\":\"0x\",\"Bytes\":\"0x1\"}]}",
         HR_FILE_CORRUPT},
        {MAP "\"Ranges\":[{\"Start\":\"0x00000000000000000\","
             "\"Bytes\":\"0x1\"}]}",
         HR_FILE_CORRUPT},
        {MAP "\"Ranges\":[],\"Cpus\":[{\"rip\":\"seven\"}]}", HR_FILE_CORRUPT},
        {MAP "\"Ranges\":[],\"Cpus\":[{\"cs\":\"0x1,0x2,0x3\"}]}",
         HR_FILE_CORRUPT},
        /* more than the file has is what the file has */
        {MAP "\"Ranges\":[{\"Start\":\"0x2\",\"Bytes\":"
             "\"0xffffffffffffffff\"},{\"Start\":\"0xffffffffffffffff\","
             "\"Bytes\":\"0xffffffffffffffff\"}]}",
         S_OK},
    };
    struct place *place = *state;
    char path[220];
    struct dump *dump;
    put_text(place, "", "memory");
    snprintf(path, sizeof path, "%s.map", place->path);
    for (size_t i = 0; i < HCS_COUNT(maps); i++) {
        put_text(place, ".map", maps[i].text);
        assert_hr(dump_open(path, &dump, NULL), maps[i].hr);
        if (dump) {
            uint64_t bytes = 0;
            uint8_t byte;
            assert_hr(dump_memory_bytes(dump, &bytes, NULL), S_OK);
            assert_true(bytes <= 6);
            dump_read_physical(dump, 0, &byte, 1, NULL, NULL);
            dump_read_physical(dump, UINT64_MAX, &byte, 1, NULL, NULL);
        }
        dump_close(dump);
    }
    assert_hr(dump_open_memory(maps[0].text, strlen(maps[0].text), &dump, NULL),
              HR_NOT_SUPPORTED);
    assert_true(platform_remove(place->path));
    assert_hr(dump_open(path, &dump, NULL), HR_FILE_NOT_FOUND);
    assert_true(platform_remove(path));
}

/* And takes it away; NULL: nothing is there. */
static void assert_text(const struct place *place, const char *ending,
                        const char *text) {
    char path[220], found[16] = "";
    FILE *file;
    snprintf(path, sizeof path, "%s%s", place->path, ending);
    file = fopen(path, "rb");
    if (!text) {
        assert_null(file);
        return;
    }
    assert_non_null(file);
    assert_true(fread(found, 1, sizeof found - 1, file) > 0);
    fclose(file);
    assert_string_equal(found, text);
    assert_true(platform_remove(path));
}

static void rows_move_up(void **state) {
    struct place *place = *state;
    assert_hr(dump_make_room(place->path, 3, NULL), S_OK); /* nothing there */
    put_text(place, "", "new");
    put_text(place, ".json", "new too");
    put_text(place, ".1", "older");
    put_text(place, ".1.json", "older too");
    put_text(place, ".2", "oldest");
    assert_hr(dump_make_room(place->path, 1, NULL), S_OK);
    assert_hr(dump_make_room(place->path, 0, NULL), S_OK);
    assert_hr(dump_make_room(place->path, 3, NULL), S_OK);
    assert_text(place, "", NULL);
    assert_text(place, ".json", NULL);
    assert_text(place, ".1", "new");
    assert_text(place, ".1.json", "new too");
    assert_text(place, ".2", "older");
    assert_text(place, ".2.json", "older too");
    assert_text(place, ".3", NULL);
}

static void a_gap_ends_a_row(void **state) {
    struct place *place = *state;
    put_text(place, "", "new");
    put_text(place, ".1.json", "of none");
    put_text(place, ".2", "far");
    assert_hr(dump_make_room(place->path, UINT32_MAX, NULL), S_OK);
    assert_text(place, ".1", "new");
    assert_text(place, ".1.json", NULL); /* it had gone with another */
    assert_text(place, ".2", "far");
}

static void what_is_beside(void **state) {
    struct place *place = *state;
    assert_hr(dump_put_beside(place->path, DUMP_ABOUT, "{}", NULL), S_OK);
    assert_hr(dump_put_beside(place->path, DUMP_ABOUT, "{\"a\":1}", NULL),
              S_OK);
    assert_text(place, ".json", "{\"a\":1}");
    dump_drop_beside(place->path, DUMP_ABOUT);
    assert_hr(dump_put_beside(place->path, DUMP_ABOUT, "{}", NULL), S_OK);
    dump_drop_beside(place->path, DUMP_ABOUT);
    assert_text(place, ".json", NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(bit_for_bit),
        TEST(registers_of_all_kinds),
        TEST(zeros_take_no_room),
        TEST(tells_how_far_it_is),
        TEST(limits),
#ifndef _WIN32
        TEST(only_for_its_owner),
        TEST(full_disks),
#endif
        TEST(out_of_memory),
        TEST(refused),
        TEST(maps_that_lie),
        TEST(rows_move_up),
        TEST(a_gap_ends_a_row),
        TEST(what_is_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
