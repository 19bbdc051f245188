/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/index.h"

#define COUNT 1000

struct item {
    struct entry entry;
    int key, value;
};

static struct item items[COUNT];

static void put(struct index *index, int i, int key) {
    items[i].key = key;
    items[i].value = i;
    index_put(index, &items[i].entry, &items[i].key, sizeof(int), &items[i]);
}

static int found(const struct index *index, int key) {
    struct item *item = index_owner(index, &key, sizeof key);
    return item ? item->value : -1;
}

static void finds_what_is_in_it(void **state) {
    struct index index = {0};
    (void)state;
    memset(items, 0, sizeof items);
    assert_int_equal(found(&index, 1), -1);
    for (int i = 0; i < COUNT; i++)
        put(&index, i, i * 7);
    assert_int_equal(index.count, COUNT);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(found(&index, i * 7), i);
    assert_int_equal(found(&index, 1), -1);
    for (int i = 0; i < COUNT; i += 2)
        index_take(&index, &items[i].entry);
    index_take(&index, &items[0].entry); /* twice is harmless */
    assert_int_equal(index.count, COUNT / 2);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(found(&index, i * 7), i % 2 ? i : -1);
    index_free(&index);
    assert_int_equal(faults_live(), 0);
}

static void equal_keys_stand_side_by_side(void **state) {
    struct index index = {0};
    int key = 5, sum = 0;
    (void)state;
    memset(items, 0, sizeof items);
    for (int i = 0; i < 20; i++)
        put(&index, i, i % 2 ? 5 : 6);
    for (struct entry *e = index_find(&index, &key, sizeof key); e;
         e = index_next(e))
        sum += ((struct item *)e->owner)->value;
    assert_int_equal(sum, 100); /* 1 + 3 + … + 19 */
    index_free(&index);
}

/* Without memory it stays small, and right. */
static void works_without_memory(void **state) {
    struct index index = {0};
    (void)state;
    memset(items, 0, sizeof items);
    faults_fail_from(1);
    for (int i = 0; i < COUNT; i++)
        put(&index, i, i);
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(found(&index, i), i);
    faults_fail_from(0);
    assert_null(index.slots);
    index_free(&index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_is_in_it),
        cmocka_unit_test(equal_keys_stand_side_by_side),
        cmocka_unit_test(works_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
