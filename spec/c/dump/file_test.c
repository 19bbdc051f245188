/* SPDX-License-Identifier: MIT
 * Dumps that are files: large ones with holes, ones that change while they are
 * read, and what is no file. */
#include "dump_unit.h"

#ifndef _WIN32
#include <sys/stat.h>
#endif

#include "base/clock.h"
#include "base/file.h"
#include "platform.h"
#include "put.h"

#define GB (UINT64_C(1) << 30)
#define HUGE_MEMORY (16 * GB)
#define NEEDLE_AT (15 * GB + 12345)

struct place {
    char folder[160];
    char path[200];
    struct opened o;
};

static int setup(void **state) {
    struct place *place = calloc(1, sizeof *place);
    platform_folder(place->folder, sizeof place->folder);
    snprintf(place->path, sizeof place->path, "%s/dump", place->folder);
    make_guest(&place->o.guest, GUEST_LOG_RING);
    make_elf(&place->o.guest, 0, &place->o.bytes);
    *state = place;
    return 0;
}

static int teardown(void **state) {
    struct place *place = *state;
    int result = platform_remove_folder(place->folder) ? 0 : -1;
    bytes_free(&place->o.bytes);
    free(place);
    return result;
}

/* Writes the dump, and leaves the file open. */
static hcs_file write_dump(struct place *place) {
    hcs_file file;
    assert_hr(file_create(place->path, &file, NULL), S_OK);
    assert_true(file_make_sparse(file));
    assert_hr(file_write_at(file, place->o.bytes.data, place->o.bytes.length, 0,
                            NULL),
              S_OK);
    return file;
}

static void a_file_reads_as_its_bytes(void **state) {
    struct place *place = *state;
    struct hcs_error error = {0};
    (void)state;
    file_close(write_dump(place), NULL);
    if (FAILED(dump_open(place->path, &place->o.dump, &error)))
        fail_msg("%s", error.text);
    assert_int_equal(dump_get_facts(place->o.dump)->file_bytes,
                     place->o.bytes.length);
    assert_memory(&place->o);
    assert_registers(&place->o);
    assert_kernel(&place->o);
    dump_close(place->o.dump);
    assert_true(platform_remove(place->path));
}

/* Whoever reads all of a large file takes longer each time; a busy machine does
 * not keep everybody waiting. */
static struct dump *open_at_once(const char *path) {
    struct dump *dump;
    int64_t start, took = INT64_MAX;

    for (int i = 0; i < 20; i++) {
        start = clock_monotonic();
        assert_hr(dump_open(path, &dump, NULL), S_OK);
        took = clock_monotonic() - start;
        if (took < 100 * CLOCK_MS * PLATFORM_SLOWNESS)
            return dump;
        dump_close(dump);
    }
    fail_msg("it took %d ms", (int)(took / CLOCK_MS));
    return NULL;
}

/* The second segment made 16 GB, nearly all of it a hole. */
static void large_and_sparse(void **state) {
    struct place *place = *state;
    struct dump_range range;
    uint64_t offset, at = 0, data = 0;
    uint8_t *segment = place->o.bytes.data + 128 + 2 * 56;
    hcs_file file;
    struct dump *dump;
    HRESULT hr;
    le64_to(segment + 32, HUGE_MEMORY);
    offset = place->o.bytes.length - GUEST_HIGH;
    file = write_dump(place);
    assert_hr(file_resize(file, offset + HUGE_MEMORY, NULL), S_OK);
    assert_hr(file_write_at(file, "needle", 6, offset + NEEDLE_AT, NULL), S_OK);
    file_close(file, NULL);
    dump = open_at_once(place->path);
    assert_range(dump, GUEST_LOW, GUEST_HIGH_AT, HUGE_MEMORY);
    for (;;) {
        hr = dump_next_data(dump, at, &range, NULL);
        if (hr != S_OK)
            break;
        data += range.bytes;
        at = range.start + range.bytes;
    }
    assert_hr(hr, S_FALSE);
    assert_true(data >= GUEST_BYTES);
#ifndef _WIN32
    assert_true(data < GB);
#endif
    if (data < GB) { /* Wine does not tell of holes */
        assert_hr(dump_find(dump, 0, "needle", 6, NULL, NULL, &at, NULL), S_OK);
        assert_int_equal(at, GUEST_HIGH_AT + NEEDLE_AT);
    }
    dump_close(dump);
    assert_true(platform_remove(place->path));
}

/* Windows lets nobody cut a file that is open. */
static void a_file_that_shrinks(void **state) {
    struct place *place = *state;
    hcs_file file = write_dump(place);
    size_t got;
    uint8_t bytes[5000];
    struct dump *dump;
    assert_hr(dump_open(place->path, &dump, NULL), S_OK);
    if (SUCCEEDED(file_resize(file, 8192, NULL))) {
        assert_hr(
            dump_read_physical(dump, 0x20000, bytes, sizeof bytes, &got, NULL),
            HR_FILE_CORRUPT);
        assert_hr(dump_read_physical(dump, 0x20000, bytes, 5, &got, NULL),
                  HR_FILE_CORRUPT);
    }
    dump_close(dump);
    file_close(file, NULL);
    assert_true(platform_remove(place->path));
}

static void a_file_that_grows(void **state) {
    struct place *place = *state;
    hcs_file file = write_dump(place);
    size_t whole = place->o.bytes.length;
    struct dump *dump;
    assert_hr(file_resize(file, whole - GUEST_HIGH, NULL), S_OK);
    assert_hr(dump_open(place->path, &dump, NULL), S_OK);
    assert_true(dump_get_facts(dump)->truncated);
    assert_hr(file_resize(file, whole, NULL), S_OK);
    assert_no_range(dump, GUEST_LOW); /* it is as it was opened */
    dump_close(dump);
    file_close(file, NULL);
    assert_true(platform_remove(place->path));
}

static void what_is_no_file(void **state) {
    struct place *place = *state;
    struct hcs_error error = {0};
    struct dump *dump;
    assert_hr(dump_open(place->path, &dump, &error), HR_FILE_NOT_FOUND);
    assert_null(dump);
    assert_non_null(strstr(error.text, place->path));
    assert_true(FAILED(dump_open(place->folder, &dump, &error)));
#ifndef _WIN32
    /* Nobody will ever write to it. */
    assert_int_equal(mkfifo(place->path, 0600), 0);
    assert_hr(dump_open(place->path, &dump, &error), E_INVALIDARG);
    assert_true(platform_remove(place->path));
    assert_hr(dump_open("/dev/zero", &dump, &error), E_INVALIDARG);
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_reads_as_its_bytes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(large_and_sparse, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_shrinks, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_grows, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_file, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
