/* SPDX-License-Identifier: MIT
 * Dumps on their way from the pipe to the file. */
#include "test.h"

#include <sys/stat.h>

#include "../../../src/backend/qemu/flatten.h"

static void put64(struct buf *out, uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8)
        buf_putc(out, (char)(unsigned char)(value >> shift));
}

static void put_head(struct buf *out) {
    static char head[4096] = "makedumpfile";

    buf_add(out, head, sizeof head);
}

static void put_piece(struct buf *out, uint64_t offset, const char *text) {
    put64(out, offset);
    put64(out, strlen(text));
    buf_puts(out, text);
}

static void put_end(struct buf *out) {
    put64(out, UINT64_MAX);
    put64(out, UINT64_MAX);
}

static HRESULT run(const struct buf *in, uint64_t limit, char *out, size_t size,
                   uint64_t *written) {
    int from = file_of(in->data, in->length), to = file_of("", 0);
    HRESULT hr = flatten_undo(from, to, limit, 0, written, NULL);

    memset(out, 0, size);
    assert_true(pread(to, out, size - 1, 0) >= 0);
    close(from);
    close(to);
    return hr;
}

static void pieces(void **state) {
    struct buf in = {0};
    uint64_t written = 0;
    char out[64];

    (void)state;
    put_head(&in);
    put_piece(&in, 6, "world");
    put_piece(&in, 0, "hello ");
    put_piece(&in, 4, "O");
    put_end(&in);
    buf_puts(&in, "what follows is no business of ours");
    assert_int_equal(run(&in, 0, out, sizeof out, &written), S_OK);
    assert_string_equal(out, "hellO world");
    assert_int_equal(written, 11);
    assert_int_equal(run(&in, 11, out, sizeof out, &written), S_OK);
    assert_int_equal(run(&in, 10, out, sizeof out, &written), HR_DISK_FULL);
    buf_free(&in);
}

static void broken(void **state) {
    struct buf in = {0};
    uint64_t written;
    char out[64];

    (void)state;
    put_head(&in);
    put_piece(&in, 0, "hello");
    put_end(&in);
    for (size_t cut = 0; cut < in.length; cut += cut < 4000 ? 500 : 1) {
        struct buf part = {in.data, cut, 0, false};

        assert_int_equal(run(&part, 0, out, sizeof out, &written),
                         HR_INVALID_DATA);
    }
    in.data[3] = 'X';
    assert_int_equal(run(&in, 0, out, sizeof out, &written), HR_INVALID_DATA);
    buf_clear(&in);
    put_head(&in);
    put64(&in, INT64_MAX);
    put64(&in, 2);
    assert_int_equal(run(&in, 0, out, sizeof out, &written), HR_INVALID_DATA);
    buf_free(&in);
}

static void sparse(void **state) {
    size_t size = (3u << 20) + 123;
    char *bytes = calloc(1, size), *back = malloc(size);
    uint64_t written;
    struct stat st;
    int from, to = file_of("", 0);

    (void)state;
    assert_non_null(bytes);
    assert_non_null(back);
    memset(bytes + 5000, 'a', 10);
    memset(bytes + (1u << 20) - 1, 'b', 2);
    from = file_of(bytes, size);
    assert_int_equal(sparse_copy(from, to, 0, 0, &written, NULL), S_OK);
    assert_int_equal(written, size);
    assert_int_equal(pread(to, back, size, 0), (ssize_t)size);
    assert_memory_equal(bytes, back, size);
    assert_int_equal(fstat(to, &st), 0);
    assert_true(st.st_blocks * 512 < (1 << 20));
    assert_int_equal(lseek(from, 0, SEEK_SET), 0);
    assert_int_equal(sparse_copy(from, to, size - 1, 0, &written, NULL),
                     HR_DISK_FULL);
    close(from);
    close(to);
    free(bytes);
    free(back);
}

static void space(void **state) {
    int fd = file_of("", 0);

    (void)state;
    assert_int_equal(space_check(fd, 1, 0, NULL), S_OK);
    assert_int_equal(space_check(fd, UINT64_MAX, 0, NULL), HR_DISK_FULL);
    assert_int_equal(space_check(fd, 0, UINT64_MAX, NULL), HR_DISK_FULL);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces), cmocka_unit_test(broken),
        cmocka_unit_test(sparse), cmocka_unit_test(space)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
