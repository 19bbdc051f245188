/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/list.h"

struct item {
    int number;
    struct link link;
};

static int sum(const struct link *head) {
    int total = 0;
    for (struct link *at = head->next; at != head; at = at->next)
        total = total * 10 + HCS_CONTAINER(at, struct item, link)->number;
    return total;
}

static void keeps_order(void **state) {
    struct link head;
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    (void)state;
    link_init(&head);
    assert_true(link_alone(&head));
    for (int i = 0; i < 3; i++)
        link_append(&head, &items[i].link);
    assert_int_equal(sum(&head), 123);
    link_remove(&items[1].link);
    assert_int_equal(sum(&head), 13);
    link_remove(&items[1].link); /* twice is harmless */
    assert_int_equal(sum(&head), 13);
    link_append(&head, &items[1].link);
    assert_int_equal(sum(&head), 132);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
