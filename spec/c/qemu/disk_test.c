/* SPDX-License-Identifier: MIT
 * Which driver a disk gets, by its content. */
#include "test.h"

#include <stdio.h>

#include "../../../src/backend/qemu/disk.h"

static const char *probe(const char *ending, const char *mark, off_t at,
                         off_t size, HRESULT expected) {
    char path[128];
    const char *driver = NULL;
    FILE *file;

    snprintf(path, sizeof path, "/tmp/hcs-disk-%d%s", (int)getpid(), ending);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    fputs(mark, file);
    fclose(file);
    assert_int_equal(truncate(path, size), 0);
    assert_int_equal(disk_probe(path, &driver, NULL), expected);
    unlink(path);
    return driver;
}

static void by_content(void **state) {
    (void)state;
    assert_string_equal(probe(".vhdx", "vhdxfile", 0, 4096, S_OK), "vhdx");
    assert_string_equal(probe(".img", "vhdxfile", 0, 4096, S_OK), "vhdx");
    assert_string_equal(probe(".vhd", "conectix", 4096 - 512, 4096, S_OK),
                        "vpc");
    assert_string_equal(probe(".img", "", 0, 4096, S_OK), "raw");
    assert_string_equal(probe(".img", "", 0, 0, S_OK), "raw");
    /* Formats that name further files are never recognised. */
    assert_string_equal(probe(".img", "QFI\xfb", 0, 4096, S_OK), "raw");
    assert_string_equal(probe(".qcow2", "QFI\xfb", 0, 4096, S_OK), "raw");
    probe(".vhdx", "nothing", 0, 4096, HR_FILE_CORRUPT);
    probe(".VHD", "conectix", 0, 4096, HR_FILE_CORRUPT);
    probe(".vhdx", "vhdx", 0, 4, HR_FILE_CORRUPT);
}

static void missing(void **state) {
    const char *driver;

    (void)state;
    assert_int_equal(disk_probe("/tmp/no/such/file", &driver, NULL),
                     HR_FILE_NOT_FOUND);
}

static void attachments(void **state) {
    struct json_doc doc = parse("{\"Type\":\"Iso\",\"Path\":\"/a,b\"}");
    struct json_doc relative = parse("{\"Path\":\"a.vhdx\"}");
    struct qemu_disk disk = {0};
    struct hcs_error error = {0};

    (void)state;
    assert_int_equal(disk_from_attachment(doc.root, "$.x", &disk, &error),
                     S_OK);
    assert_true(disk.cdrom && disk.read_only);
    assert_string_equal(disk.path, "/a,b");
    disk_free(&disk);
    assert_int_equal(disk_from_attachment(relative.root, "$.x", &disk, &error),
                     HR_PATH_NOT_FOUND);
    assert_string_equal(error.path, "$.x");
    json_doc_free(&doc);
    json_doc_free(&relative);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_content),
                                       cmocka_unit_test(missing),
                                       cmocka_unit_test(attachments)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
