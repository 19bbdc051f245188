/* SPDX-License-Identifier: MIT
 * Names and rules that only Windows has. */
#include "unit.h"

#include <wchar.h>

#include "base/file.h"
#include "base/utf.h"
#include "platform.h"

static char folder[160];

static int setup(void **state) {
    (void)state;
    platform_folder(folder, sizeof folder);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    assert_true(platform_remove_folder(folder));
    assert_int_equal(faults_live(), 0);
    return 0;
}

static void write_and_replace(const char *path) {
    char *name = NULL;
    char bytes[8];
    size_t count = 0;
    hcs_file file;
    for (int i = 0; i < 2; i++) {
        assert_hr(file_create_beside(path, &name, &file, NULL), S_OK);
        assert_hr(file_write_all(file, "text", 4, NULL), S_OK);
        assert_hr(file_close(file, NULL), S_OK);
        assert_hr(file_replace(name, path, NULL), S_OK);
        free(name);
    }
    assert_true(file_exists(path));
    assert_hr(file_open(path, &file, NULL), S_OK);
    assert_hr(file_read_at(file, bytes, sizeof bytes, 0, &count, NULL), S_OK);
    assert_int_equal(count, 4);
    assert_hr(file_close(file, NULL), S_OK);
    file_remove(path);
    assert_false(file_exists(path));
}

/* Letters of no code page, and one that takes two units. */
static void any_letters(void **state) {
    char path[300];
    (void)state;
    snprintf(path, sizeof path,
             "%s/\xc3\x84\xd0\xb6\xe2\x82\xac\xe6\xbc\xa2\xf0\x9f\x90\xa7.vhdx",
             folder);
    write_and_replace(path);
    snprintf(path, sizeof path, "%s\\\xe6\xbc\xa2", folder);
    write_and_replace(path);
}

static void not_text(void **state) {
    char path[300];
    hcs_file file;
    (void)state;
    snprintf(path, sizeof path, "%s/\xff", folder);
    assert_true(FAILED(file_create(path, &file, NULL)));
    assert_false(file_exists(path));
}

/* Longer than 260 units, by folders of 100 each. */
static void long_paths(void **state) {
    WCHAR wide[2048] = L"\\\\?\\";
    char path[2048];
    size_t ends[8];
    (void)state;
    snprintf(path, sizeof path, "%s", folder);
    for (size_t i = 0; i < HCS_COUNT(ends); i++) {
        size_t at = strlen(path);
        ends[i] = at;
        path[at] = '\\';
        memset(path + at + 1, 'a', 100);
        path[at + 101] = '\0';
        for (size_t k = 0; k <= at + 101; k++)
            wide[4 + k] = path[k] == '/' ? L'\\' : (WCHAR)path[k];
        assert_true(CreateDirectoryW(wide, NULL));
    }
    assert_true(strlen(path) > 800);
    strcat(path, "/file.vhdx");
    write_and_replace(path);
    for (size_t i = HCS_COUNT(ends); i-- > 0;) {
        assert_true(RemoveDirectoryW(wide));
        wide[4 + ends[i]] = 0;
    }
}

static void shapes_of_names(void **state) {
    char path[300], other[300];
    (void)state;
    snprintf(path, sizeof path, "%s/none/../f", folder);
    write_and_replace(path);
    snprintf(path, sizeof path, "\\\\?\\%s\\f", folder);
    for (char *c = path; *c; c++)
        *c = *c == '/' ? '\\' : *c;
    write_and_replace(path);
    snprintf(path, sizeof path, "%s\\FILE", folder);
    snprintf(other, sizeof other, "%s/file", folder);
    assert_true(file_same_path(path, strlen(path), other, strlen(other)));
    assert_true(file_same_path("C:\\\xc3\x84", 5, "c:/\xc3\xa4", 5));
    assert_false(file_same_path("C:\\\xc3\x84", 5, "c:/\xc3\xb6", 5));
    assert_false(file_same_path("C:\\\xff", 4, "C:\\\xff", 4));
    assert_true(file_is_path("\\\\server\\share\\x"));
    assert_true(file_is_path("//server/share/x"));
    assert_false(file_is_path("\\\\"));
    assert_false(file_is_path("/bin/sh"));
}

static void devices_are_no_files(void **state) {
    static const char *const names[] = {"\\\\.\\PhysicalDrive0",
                                        "//./C:", "\\\\.\\pipe\\x"};
    hcs_file file;
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(names); i++) {
        assert_hr(file_open(names[i], &file, NULL), HCS_HR(0x8007007B));
        assert_hr(file_create(names[i], &file, NULL), HCS_HR(0x8007007B));
        assert_false(file_exists(names[i]));
    }
}

static void make(char *path, size_t size, const char *name) {
    hcs_file file;
    snprintf(path, size, "%s/%s", folder, name);
    assert_hr(file_create(path, &file, NULL), S_OK);
    assert_hr(file_write_all(file, "old", 3, NULL), S_OK);
    assert_hr(file_close(file, NULL), S_OK);
}

static void expect_old(const char *path) {
    char bytes[8] = "";
    size_t count = 0;
    hcs_file file;
    assert_hr(file_open(path, &file, NULL), S_OK);
    assert_hr(file_read_at(file, bytes, sizeof bytes, 0, &count, NULL), S_OK);
    assert_hr(file_close(file, NULL), S_OK);
    assert_int_equal(count, 3);
    assert_memory_equal(bytes, "old", 3);
}

/* Windows refuses to take such a file's place; Wine does as POSIX does. */
static void read_only(void **state) {
    char path[300], new[300];
    HRESULT hr;
    (void)state;
    make(path, sizeof path, "kept");
    make(new, sizeof new, "new");
    assert_true(SetFileAttributesA(path, FILE_ATTRIBUTE_READONLY));
    hr = file_replace(new, path, NULL);
    assert_true(hr == S_OK || hr == E_ACCESSDENIED);
    assert_int_equal(file_exists(new), FAILED(hr));
    expect_old(path);
    assert_true(SetFileAttributesA(path, FILE_ATTRIBUTE_NORMAL));
    file_remove(new);
    file_remove(path);
}

/* What somebody else has open for himself alone is left alone. */
static void open_elsewhere(void **state) {
    char path[300], new[300];
    struct hcs_error error;
    HANDLE other;
    hcs_file file;
    HRESULT hr;
    (void)state;
    make(path, sizeof path, "held");
    make(new, sizeof new, "new");
    other = CreateFileA(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(other != INVALID_HANDLE_VALUE);
    assert_hr(file_open(path, &file, &error), HR_SHARING_VIOLATION);
    hr = file_replace(new, path, &error);
    assert_true(hr == E_ACCESSDENIED || hr == HR_SHARING_VIOLATION);
    assert_true(file_exists(path));
    assert_true(file_exists(new));
    CloseHandle(other);
    expect_old(path);
    assert_hr(file_replace(new, path, &error), S_OK);
    file_remove(path);
}

static void texts_of_errors(void **state) {
    struct hcs_error error;
    (void)state;
    assert_hr(error_win32(&error, ERROR_FILE_NOT_FOUND, "open %s", "x"),
              HR_FILE_NOT_FOUND);
    assert_string_equal(error.text, "open x: There is no such file.");
    assert_hr(error_win32(&error, ERROR_INVALID_NAME, "open"),
              HCS_HR(0x8007007B));
    assert_true(strlen(error.text) > strlen("open: "));
    assert_int_not_equal(error.text[strlen(error.text) - 1], '\n');
    assert_hr(error_win32(&error, 60000, "open"), HCS_HR(0x8007EA60));
    assert_string_equal(error.text, "open: system error 60000");
    assert_hr(error_win32(NULL, ERROR_INVALID_NAME, "open"),
              HCS_HR(0x8007007B));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(any_letters),          TEST(not_text),
        TEST(long_paths),           TEST(shapes_of_names),
        TEST(devices_are_no_files), TEST(read_only),
        TEST(open_elsewhere),       TEST(texts_of_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
