/* SPDX-License-Identifier: MIT
 * The header of a saved state's file. */
#include "test.h"

#include <stdio.h>

#include "../../../src/backend/qemu/saved.h"

#define SHAPE "075db90b-9ef8-58a7-acf3-65e59f94b956"

static int saved_file(size_t stream) {
    struct saved_header header = {
        SHAPE,
        256 << 20,
        stream,
        true,
        {{SHAPE, {{0, 0x15, 0x5d, 1, 2, 3}}, 5, true},
         {SHAPE, {{0, 0x15, 0x5d, 1, 2, 4}}, 0, false}},
        2};
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
    assert_int_equal(header.nic_count, 2);
    assert_string_equal(header.nics[0].name, SHAPE);
    assert_int_equal(header.nics[0].mac.bytes[5], 3);
    assert_int_equal(header.nics[0].slot, 5);
    assert_true(header.nics[0].connected);
    assert_int_equal(header.nics[1].slot, 0);
    assert_false(header.nics[1].connected);
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

/* A header whose adapters are `text`. */
static HRESULT adapters(const char *text) {
    char block[SAVED_HEADER_SIZE] = {0};
    struct saved_header header;
    HRESULT hr;
    int fd;

    snprintf(block, sizeof block,
             SAVED_MAGIC "{\"Version\":1,\"Shape\":\"" SHAPE
                         "\",\"MemoryBytes\":1,\"StreamBytes\":0,"
                         "\"Adapters\":%s}",
             text);
    fd = file_of(block, sizeof block);
    hr = saved_read_header(fd, "f", &header, NULL);
    close(fd);
    return hr;
}

#define NIC(slot)                                                   \
    "{\"Name\":\"" SHAPE "\",\"MacAddress\":\"00-15-5D-01-02-03\"," \
    "\"Slot\":" slot ",\"Connected\":true}"

static void adapters_that_are_none(void **state) {
    (void)state;
    assert_int_equal(adapters("[]"), S_OK);
    assert_int_equal(adapters("[" NIC("0") "," NIC("7") "]"), S_OK);
    assert_int_equal(adapters("null"), HR_FILE_CORRUPT);
    assert_int_equal(adapters("[1]"), HR_FILE_CORRUPT);
    assert_int_equal(adapters("[" NIC("8") "]"), HR_FILE_CORRUPT);
    assert_int_equal(adapters("[" NIC("-1") "]"), HR_FILE_CORRUPT);
    assert_int_equal(adapters("[" NIC("3") "," NIC("3") "]"), HR_FILE_CORRUPT);
    assert_int_equal(adapters("[{},{},{},{},{},{},{},{},{}]"), HR_FILE_CORRUPT);
    assert_int_equal(adapters("[{\"Name\":\"" SHAPE "\",\"Slot\":0}]"),
                     HR_FILE_CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_back), cmocka_unit_test(cut_or_grown),
        cmocka_unit_test(flipped), cmocka_unit_test(endless_header),
        cmocka_unit_test(adapters_that_are_none)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
