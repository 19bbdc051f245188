/* SPDX-License-Identifier: MIT
 * Files of this machine, the same on every system. */
#include "unit.h"

#include "base/file.h"
#include "platform.h"

struct place {
    char folder[160];
    char path[200];
};

static int setup(void **state) {
    struct place *place = calloc(1, sizeof *place);
    platform_folder(place->folder, sizeof place->folder);
    snprintf(place->path, sizeof place->path, "%s/file", place->folder);
    *state = place;
    return 0;
}

/* Every test takes its own files away: what else is there shows. */
static int teardown(void **state) {
    struct place *place = *state;
    bool empty = platform_remove_folder(place->folder);
    free(place);
    assert_true(empty);
    assert_int_equal(faults_live(), 0);
    return 0;
}

static void expect(const char *path, uint64_t offset, const char *text) {
    char bytes[64];
    size_t count = 99;
    hcs_file file;
    assert_hr(file_open(path, &file, NULL), S_OK);
    assert_hr(file_read_at(file, bytes, sizeof bytes - 1, offset, &count, NULL),
              S_OK);
    bytes[count] = '\0';
    assert_string_equal(bytes, text);
    assert_hr(file_close(file, NULL), S_OK);
}

static void make(const char *path, const char *text) {
    hcs_file file;
    assert_hr(file_create(path, &file, NULL), S_OK);
    assert_hr(file_write_all(file, text, strlen(text), NULL), S_OK);
    assert_hr(file_close(file, NULL), S_OK);
}

static void creates_what_is_not_there(void **state) {
    struct place *place = *state;
    struct hcs_error error;
    hcs_file file;
    assert_false(file_exists(place->path));
    assert_hr(file_open(place->path, &file, &error), HR_FILE_NOT_FOUND);
    assert_true(file == HCS_NO_FILE);
    assert_non_null(strstr(error.text, "/file\""));
    make(place->path, "abc");
    assert_true(file_exists(place->path));
    expect(place->path, 0, "abc");
    expect(place->path, 2, "c");
    expect(place->path, 3, "");
    expect(place->path, UINT64_C(1) << 40, "");
    assert_hr(file_create(place->path, &file, &error), HR_FILE_EXISTS);
    assert_true(file == HCS_NO_FILE);
    expect(place->path, 0, "abc");
    file_remove(place->path);
    assert_false(file_exists(place->path));
    file_remove(place->path);
    assert_hr(file_close(HCS_NO_FILE, NULL), S_OK);
}

static void no_such_folder(void **state) {
    struct place *place = *state;
    struct hcs_error error;
    char *name = NULL;
    hcs_file file;
    snprintf(place->path, sizeof place->path, "%s/none/file", place->folder);
    assert_hr(file_create(place->path, &file, &error), PLATFORM_NO_FOLDER);
    assert_hr(file_create_beside(place->path, &name, &file, &error),
              PLATFORM_NO_FOLDER);
    assert_null(name);
    assert_hr(file_open(place->path, &file, &error), PLATFORM_NO_FOLDER);
    assert_false(file_exists(place->path));
    assert_hr(file_replace(place->path, place->path, &error),
              PLATFORM_NO_FOLDER);
}

static void replaces_at_once(void **state) {
    struct place *place = *state;
    char *name = NULL;
    hcs_file file;
    make(place->path, "old, and longer");
    assert_hr(file_create_beside(place->path, &name, &file, NULL), S_OK);
    assert_int_equal(strncmp(name, place->path, strlen(place->path)), 0);
    assert_int_equal(strlen(name), strlen(place->path) + 7);
    assert_hr(file_write_all(file, "new", 3, NULL), S_OK);
    assert_hr(file_flush(file, NULL), S_OK);
    expect(place->path, 0, "old, and longer");
    assert_hr(file_close(file, NULL), S_OK);
    assert_hr(file_replace(name, place->path, NULL), S_OK);
    expect(place->path, 0, "new");
    assert_false(file_exists(name));
    assert_hr(file_replace(name, place->path, NULL), HR_FILE_NOT_FOUND);
    expect(place->path, 0, "new");
    file_remove(place->path);
    free(name);
}

static void writes_at_places(void **state) {
    struct place *place = *state;
    hcs_file file;
    uint64_t room = 0;
    assert_hr(file_create(place->path, &file, NULL), S_OK);
    assert_true(file_make_sparse(file));
    assert_hr(file_write_all(file, "ab", 2, NULL), S_OK);
    assert_hr(file_write_all(file, "cd", 2, NULL), S_OK);
    assert_hr(file_write_at(file, "X", 1, UINT64_C(3) << 30, NULL), S_OK);
    assert_hr(file_write_all(file, "Y", 1, NULL), S_OK); /* behind it */
    assert_hr(file_resize(file, (UINT64_C(3) << 30) + 100, NULL), S_OK);
    assert_hr(file_close(file, NULL), S_OK);
    expect(place->path, 0, "abcd");
    expect(place->path, UINT64_C(3) << 30, "XY");
    assert_int_equal(platform_size(place->path), (INT64_C(3) << 30) + 100);
    assert_true(platform_room_taken(place->path) < 1 << 20);
    assert_true(file_room(place->path, &room));
    assert_true(room > 0);
    file_remove(place->path);
}

static void nameless(void **state) {
    hcs_file one, two;
    char bytes[8];
    size_t count;
    (void)state;
    assert_hr(file_create_nameless(&one, NULL), S_OK);
    assert_hr(file_create_nameless(&two, NULL), S_OK);
    assert_hr(file_write_all(one, "one", 3, NULL), S_OK);
    assert_hr(file_write_all(two, "2", 1, NULL), S_OK);
    assert_hr(file_read_at(one, bytes, sizeof bytes, 0, &count, NULL), S_OK);
    assert_int_equal(count, 3);
    assert_hr(file_read_at(two, bytes, sizeof bytes, 0, &count, NULL), S_OK);
    assert_int_equal(count, 1);
    assert_hr(file_resize(two, UINT64_C(1) << 32, NULL), S_OK);
    assert_hr(file_close(one, NULL), S_OK);
    assert_hr(file_close(two, NULL), S_OK);
}

static void same_paths(void **state) {
    (void)state;
    assert_true(file_is_path(PLATFORM_FILE));
    assert_true(file_exists(PLATFORM_FILE));
    assert_false(file_is_path(""));
    assert_false(file_is_path("file"));
    assert_false(file_is_path("c"));
    assert_false(file_is_path("c:"));
    assert_false(file_is_path("c:file"));
    assert_false(file_is_path("\\file"));
    assert_false(file_exists(""));
    assert_true(file_same_path("/a/b", 2, "/abc", 2));
    assert_false(file_same_path("/a", 2, "/a/", 3));
}

static void no_memory(void **state) {
    struct place *place = *state;
    char *name = NULL;
    hcs_file file;
    HRESULT hr = E_OUTOFMEMORY;
    for (size_t n = 1; hr == E_OUTOFMEMORY; n++) {
        faults_fail_from(n);
        hr = file_create_beside(place->path, &name, &file, NULL);
        faults_fail_from(0);
        if (FAILED(hr))
            assert_null(name);
    }
    assert_hr(hr, S_OK);
    assert_hr(file_close(file, NULL), S_OK);
    file_remove(name);
    free(name);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(creates_what_is_not_there),
        TEST(no_such_folder),
        TEST(replaces_at_once),
        TEST(writes_at_places),
        TEST(nameless),
        TEST(same_paths),
        TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
