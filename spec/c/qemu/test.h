/* SPDX-License-Identifier: MIT
 * What the tests of this folder share. */
#ifndef QEMU_TEST_H
#define QEMU_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../../src/base/json.h"

static inline struct json_doc parse(const char *text) {
    struct json_doc doc;
    struct hcs_error error;

    if (FAILED(json_parse(text, strlen(text), &doc, &error)))
        fail_msg("%s", error.text);
    return doc;
}

/* An open file that has no name, holding `length` bytes. */
static inline int file_of(const void *bytes, size_t length) {
    char name[] = "/tmp/hcs-test-XXXXXX";
    int fd = mkstemp(name);

    assert_true(fd >= 0);
    unlink(name);
    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

#endif
