/* SPDX-License-Identifier: MIT
 * The header of a saved state's file. */
#include "test.h"

#include "../../../src/backend/qemu/saved.h"

#define SHAPE "075db90b-9ef8-58a7-acf3-65e59f94b956"

static int saved_file(size_t stream) {
    struct saved_header header = {SHAPE, 256 << 20, stream, true};
    char *zeros = calloc(1, SAVED_HEADER_SIZE + stream);
    int fd;

    assert_non_null(zeros);
    fd = file_of(zeros, SAVED_HEADER_SIZE + stream);
    free(zeros);
    assert_int_equal(saved_write_header(fd, &header, NULL), S_OK);
    return fd;
}

static void read_back(void **state) {
    struct saved_header header;
    int fd = saved_file(100);

    (void)state;
    assert_int_equal(saved_read_header(fd, "f", &header, NULL), S_OK);
    assert_string_equal(header.shape, SHAPE);
    assert_int_equal(header.memory_bytes, 256 << 20);
    assert_int_equal(header.stream_bytes, 100);
    assert_true(header.held);
    assert_int_equal(saved_check(&header, SHAPE, 256 << 20, "f", NULL), S_OK);
    assert_int_equal(saved_check(&header, SHAPE, 255 << 20, "f", NULL),
                     HR_FILE_CORRUPT);
    assert_int_equal(saved_check(&header, "x", 256 << 20, "f", NULL),
                     HR_FILE_CORRUPT);
    close(fd);
}

static void cut_or_grown(void **state) {
    struct saved_header header;
    int fd = saved_file(100);

    (void)state;
    assert_int_equal(ftruncate(fd, SAVED_HEADER_SIZE + 99), 0);
    assert_int_equal(saved_read_header(fd, "f", &header, NULL),
                     HR_FILE_CORRUPT);
    assert_int_equal(ftruncate(fd, SAVED_HEADER_SIZE + 101), 0);
    assert_int_equal(saved_read_header(fd, "f", &header, NULL),
                     HR_FILE_CORRUPT);
    assert_int_equal(ftruncate(fd, 100), 0);
    assert_int_equal(saved_read_header(fd, "f", &header, NULL),
                     HR_FILE_CORRUPT);
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(saved_read_header(fd, "f", &header, NULL),
                     HR_FILE_CORRUPT);
    close(fd);
}

/* A flipped bit is found, or changes nothing but what it says. */
static void flipped(void **state) {
    struct saved_header header;
    int fd = saved_file(10), bad = 0;

    (void)state;
    for (off_t at = 0; at < 200; at++) {
        char byte;

        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        bad += FAILED(saved_read_header(fd, "f", &header, NULL));
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    assert_true(bad > 50);
    assert_int_equal(saved_read_header(fd, "f", &header, NULL), S_OK);
    close(fd);
}

/* A header that fills its block and does not end. */
static void endless_header(void **state) {
    char block[SAVED_HEADER_SIZE];
    struct saved_header header;
    int fd;

    (void)state;
    memset(block, '[', sizeof block);
    memcpy(block, SAVED_MAGIC, SAVED_MAGIC_LENGTH);
    fd = file_of(block, sizeof block);
    assert_int_equal(saved_read_header(fd, "f", &header, NULL),
                     HR_FILE_CORRUPT);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_back), cmocka_unit_test(cut_or_grown),
        cmocka_unit_test(flipped), cmocka_unit_test(endless_header)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
