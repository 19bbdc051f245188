/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/buf.h"

static void starts_empty(void **state) {
    struct buf buf = {0};
    char *text;
    (void)state;
    assert_null(buf.data);
    buf_consume(&buf, 10);
    buf_clear(&buf);
    text = buf_take(&buf);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(faults_live(), 0);
}

static void grows(void **state) {
    struct buf buf = {0};
    (void)state;
    faults_fail_from(0);
    for (int i = 0; i < 100000; i++)
        buf_putc(&buf, (char)('a' + i % 26));
    assert_false(buf.failed);
    assert_int_equal(buf.length, 100000);
    assert_int_equal(buf.data[100000], 0);
    assert_int_equal(buf.data[99999], 'a' + 99999 % 26);
    assert_in_range(faults_allocations(), 1, 16);
    buf_free(&buf);
    assert_null(buf.data);
    assert_int_equal(faults_live(), 0);
}

static void keeps_its_end(void **state) {
    struct buf buf = {0};
    (void)state;
    for (size_t length = 0; length < 300; length++) {
        buf_puts(&buf, "x");
        assert_int_equal(strlen(buf.data), buf.length);
        assert_true(buf.capacity > buf.length);
    }
    buf_puts(&buf, "");
    buf_add(&buf, "\0y", 2);
    assert_memory_equal(buf.data + 300, "\0y", 3);
    buf_free(&buf);
}

static void prints_at_every_fill(void **state) {
    (void)state;
    for (size_t fill = 0; fill < 200; fill++) {
        struct buf buf = {0};
        for (size_t i = 0; i < fill; i++)
            buf_putc(&buf, '.');
        buf_printf(&buf, "%d-%s-%064d", 42, "text", 7);
        assert_int_equal(buf.length, fill + 3 + 5 + 64);
        assert_memory_equal(buf.data + fill, "42-text-000", 11);
        assert_int_equal(buf.data[buf.length - 1], '7');
        assert_int_equal(buf.data[buf.length], 0);
        buf_free(&buf);
    }
}

static void consumes_from_the_front(void **state) {
    struct buf buf = {0};
    (void)state;
    buf_puts(&buf, "hello world");
    buf_consume(&buf, 0);
    buf_consume(&buf, 6);
    assert_string_equal(buf.data, "world");
    buf_consume(&buf, 100);
    assert_int_equal(buf.length, 0);
    assert_string_equal(buf.data, "");
    buf_free(&buf);
}

static void clear_keeps_memory(void **state) {
    struct buf buf = {0};
    size_t capacity;
    (void)state;
    buf_puts(&buf, "something");
    capacity = buf.capacity;
    buf_clear(&buf);
    assert_int_equal(buf.length, 0);
    assert_int_equal(buf.capacity, capacity);
    assert_string_equal(buf.data, "");
    buf_free(&buf);
}

static void take_gives_it_away(void **state) {
    struct buf buf = {0};
    char *text;
    (void)state;
    buf_puts(&buf, "mine");
    text = buf_take(&buf);
    assert_string_equal(text, "mine");
    assert_null(buf.data);
    assert_int_equal(buf.length, 0);
    free(text);
}

static void failure_is_remembered(void **state) {
    struct buf buf = {0};
    (void)state;
    buf_puts(&buf, "before");
    faults_fail_from(1);
    buf_printf(&buf, "%0200d", 1);
    faults_fail_from(0);
    assert_true(buf.failed);
    assert_string_equal(buf.data, "before");
    buf_puts(&buf, "ignored");
    assert_string_equal(buf.data, "before");
    assert_null(buf_take(&buf));
    assert_false(buf.failed);
    assert_int_equal(faults_live(), 0);
}

static void failure_at_each_allocation(void **state) {
    (void)state;
    for (size_t n = 1; n <= 6; n++) {
        struct buf buf = {0};
        faults_fail_from(n);
        for (int i = 0; i < 1000; i++)
            buf_puts(&buf, "0123456789");
        buf_printf(&buf, "%d", 1);
        faults_fail_from(0);
        assert_true(buf.failed);
        assert_int_equal(buf.length % 10, 0);
        assert_null(buf_take(&buf));
        assert_int_equal(faults_live(), 0);
    }
}

static void absurd_lengths_fail(void **state) {
    struct buf buf = {0};
    (void)state;
    buf_puts(&buf, "x");
    buf_add(&buf, "y", SIZE_MAX - 1);
    assert_true(buf.failed);
    buf_clear(&buf);
    assert_false(buf.failed);
    buf_add(&buf, "y", SIZE_MAX / 2);
    assert_true(buf.failed);
    buf_free(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_empty),
        cmocka_unit_test(grows),
        cmocka_unit_test(keeps_its_end),
        cmocka_unit_test(prints_at_every_fill),
        cmocka_unit_test(consumes_from_the_front),
        cmocka_unit_test(clear_keeps_memory),
        cmocka_unit_test(take_gives_it_away),
        cmocka_unit_test(failure_is_remembered),
        cmocka_unit_test(failure_at_each_allocation),
        cmocka_unit_test(absurd_lengths_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
