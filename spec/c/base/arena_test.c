/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdalign.h>

#include "base/arena.h"

static void blocks_are_apart_and_aligned(void **state) {
    struct arena arena = {0};
    char *blocks[500];
    (void)state;
    for (size_t i = 0; i < 500; i++) {
        blocks[i] = arena_alloc(&arena, i);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % alignof(max_align_t), 0);
        memset(blocks[i], (int)(i & 0xFF), i);
    }
    for (size_t i = 0; i < 500; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_equal((unsigned char)blocks[i][j], i & 0xFF);
    arena_free(&arena);
    assert_int_equal(faults_live(), 0);
}

static void chunks_double(void **state) {
    struct arena arena = {0};
    (void)state;
    faults_fail_from(0);
    for (size_t i = 0; i < 1000000; i++)
        assert_non_null(arena_alloc(&arena, 16));
    /* 16 MB: ten doublings up to 1 MiB, then one chunk for each. */
    assert_in_range(faults_allocations(), 10, 30);
    arena_free(&arena);
}

static void absurd_sizes_fail(void **state) {
    struct arena arena = {0};
    (void)state;
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 32));
    assert_null(arena_text(&arena, "", SIZE_MAX));
    arena_free(&arena);
}

static void text_is_copied_and_ended(void **state) {
    struct arena arena = {0};
    char *text;
    (void)state;
    text = arena_text(&arena, "a\0bc", 4);
    assert_memory_equal(text, "a\0bc", 5);
    assert_string_equal(arena_text(&arena, NULL, 0), "");
    arena_free(&arena);
}

static void out_of_memory_is_null(void **state) {
    struct arena arena = {0};
    (void)state;
    faults_fail_from(1);
    assert_null(arena_alloc(&arena, 1));
    assert_null(arena_text(&arena, "x", 1));
    faults_fail_from(0);
    assert_non_null(arena_alloc(&arena, 1));
    arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_apart_and_aligned),
        cmocka_unit_test(chunks_double),
        cmocka_unit_test(absurd_sizes_fail),
        cmocka_unit_test(text_is_copied_and_ended),
        cmocka_unit_test(out_of_memory_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
