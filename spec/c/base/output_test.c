/* SPDX-License-Identifier: MIT
 * Files that get their name when they are whole. */
#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/output.h"

static char base[64], path[96];

static int setup(void **state) {
    (void)state;
    snprintf(base, sizeof base, "/tmp/hcs-output-XXXXXX");
    if (!mkdtemp(base))
        return -1;
    snprintf(path, sizeof path, "%s/file", base);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    unlink(path);
    return rmdir(base); /* fails when something else is left */
}

static int names(void) {
    DIR *list = opendir(base);
    int count = -2; /* . and .. */

    while (readdir(list))
        count++;
    closedir(list);
    return count;
}

static bool has_unnamed_files(void) {
    int fd = open(base, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void make(const char *text) {
    struct output output;

    assert_int_equal(output_open(&output, path, NULL), S_OK);
    assert_int_equal(write(output.file, text, strlen(text)),
                     (ssize_t)strlen(text));
    assert_int_equal(output_commit(&output, NULL), S_OK);
    output_close(&output, NULL);
}

static void holds(const char *text) {
    char bytes[16] = {0};
    int fd = open(path, O_RDONLY);

    assert_true(read(fd, bytes, sizeof bytes - 1) >= 0);
    close(fd);
    assert_string_equal(bytes, text);
}

static void whole(void **state) {
    (void)state;
    make("one");
    holds("one");
    make("two");
    holds("two");
    assert_int_equal(names(), 1);
}

/* What is not committed was never there: nothing is left of a killed writer. */
static void dropped(void **state) {
    struct output output;

    (void)state;
    make("old");
    assert_int_equal(output_open(&output, path, NULL), S_OK);
    assert_int_equal(write(output.file, "new", 3), 3);
    if (has_unnamed_files())
        assert_int_equal(names(), 1);
    output_close(&output, NULL);
    holds("old");
    assert_int_equal(names(), 1);
}

static void refused(void **state) {
    struct output output;
    struct hcs_error error;

    (void)state;
    assert_int_equal(output_open(&output, "file", &error), HR_PATH_NOT_FOUND);
    assert_int_equal(output_open(&output, "/proc/no/file", &error),
                     HR_FILE_NOT_FOUND);
    assert_true(FAILED(output_open(&output, "/proc/no/file", NULL)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole, setup, teardown),
        cmocka_unit_test_setup_teardown(dropped, setup, teardown),
        cmocka_unit_test(refused)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
