/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/random.h"
#include "base/timers.h"

#define MANY 300

static struct timer timers[MANY];
static int fired[10000];
static size_t fired_count;

static void note(struct timer *timer, void *context) {
    (void)context;
    assert_false(timer_armed(timer));
    fired[fired_count++] = (int)(timer - timers);
}

static int setup(void **state) {
    static struct timers heap;
    heap = (struct timers){0};
    fired_count = 0;
    for (int i = 0; i < MANY; i++)
        assert_hr(timers_add(&heap, &timers[i], note, NULL, NULL), S_OK);
    *state = &heap;
    return 0;
}

static int teardown(void **state) {
    timers_free(*state);
    assert_int_equal(faults_live(), 0);
    return 0;
}

static void empty_has_nothing_due(void **state) {
    struct timers *heap = *state;
    assert_int_equal(timers_next(heap), INT64_MAX);
    assert_false(timers_fire_one(heap, INT64_MAX));
    timers_disarm(heap, &timers[0]);
    assert_false(timer_armed(&timers[0]));
}

static void fires_by_time_then_by_arming(void **state) {
    struct timers *heap = *state;
    timers_arm(heap, &timers[0], 20);
    timers_arm(heap, &timers[1], 10);
    timers_arm(heap, &timers[2], 20);
    timers_arm(heap, &timers[3], INT64_MIN);
    timers_arm(heap, &timers[0], 20); /* again: now behind 2 */
    assert_int_equal(timers_next(heap), INT64_MIN);
    assert_true(timers_fire_one(heap, 0));
    assert_false(timers_fire_one(heap, 9));
    assert_true(timers_fire_one(heap, 10));
    assert_int_equal(timers_next(heap), 20);
    while (timers_fire_one(heap, 20))
        continue;
    assert_int_equal(fired_count, 4);
    assert_int_equal(fired[0], 3);
    assert_int_equal(fired[1], 1);
    assert_int_equal(fired[2], 2);
    assert_int_equal(fired[3], 0);
}

static void check_heap(const struct timers *heap) {
    for (size_t place = 1; place <= heap->count; place++) {
        const struct timer *timer = heap->heap[place - 1];
        assert_int_equal(timer->place, place);
        assert_true(heap->heap[place / 2 ? place / 2 - 1 : 0]->due <=
                    timer->due);
    }
}

/* The earliest by a plain search, to compare with. */
static struct timer *earliest(void) {
    struct timer *best = NULL;
    for (int i = 0; i < MANY; i++) {
        struct timer *timer = &timers[i];
        if (!timer_armed(timer))
            continue;
        if (!best || timer->due < best->due ||
            (timer->due == best->due && timer->order < best->order))
            best = timer;
    }
    return best;
}

static void any_mixture_keeps_order(void **state) {
    struct timers *heap = *state;
    struct random random;
    random_seed(&random, 42);
    for (int step = 0; step < 20000; step++) {
        struct timer *timer = &timers[random_next(&random) % MANY];
        switch (random_next(&random) % 4) {
        case 0:
            timers_disarm(heap, timer);
            break;
        case 1:
            timer = earliest();
            fired_count = 0;
            assert_int_equal(timers_fire_one(heap, INT64_MAX), timer != NULL);
            if (timer)
                assert_int_equal(fired[0], timer - timers);
            break;
        default:
            timers_arm(heap, timer, (int64_t)(random_next(&random) % 50));
        }
        check_heap(heap);
    }
}

struct chain {
    struct timers *heap;
    struct timer timer;
    int left;
};

static void again(struct timer *timer, void *context) {
    struct chain *chain = context;
    if (--chain->left > 0) {
        timers_arm(chain->heap, timer, timer->due + 5);
    } else {
        timers_remove(chain->heap, timer);
        free(chain);
    }
}

static void may_arm_and_free_itself(void **state) {
    struct chain *chain = calloc(1, sizeof *chain);
    int64_t now = 0;
    int fires = 0;
    chain->heap = *state;
    chain->left = 10;
    assert_hr(timers_add(*state, &chain->timer, again, chain, NULL), S_OK);
    timers_arm(*state, &chain->timer, 0);
    while (timers_next(*state) != INT64_MAX) {
        now = timers_next(*state);
        fires += timers_fire_one(*state, now);
    }
    assert_int_equal(fires, 10);
    assert_int_equal(now, 45);
}

static void arming_needs_no_memory(void **state) {
    struct timers *heap = *state;
    faults_fail_from(1);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < MANY; i++)
            timers_arm(heap, &timers[i], (i * 7919) % 100);
    assert_int_equal(heap->count, MANY);
    for (int i = 0; i < MANY; i += 2)
        timers_remove(heap, &timers[i]);
    assert_int_equal(faults_allocations(), 0);
    faults_fail_from(0);
    assert_int_equal(heap->count, MANY / 2);
    check_heap(heap);
}

static void adding_may_fail_once(void **state) {
    struct timers heap = {0};
    struct timer extra[40];
    struct hcs_error error = {0};
    (void)state;
    for (int i = 0; i < 40; i++) {
        HRESULT hr;
        faults_fail_from(1);
        hr = timers_add(&heap, &extra[i], note, NULL, &error);
        faults_fail_from(0);
        if (FAILED(hr)) {
            assert_hr(error.code, E_OUTOFMEMORY);
            assert_hr(timers_add(&heap, &extra[i], note, NULL, NULL), S_OK);
        }
        timers_arm(&heap, &extra[i], -i);
        check_heap(&heap);
    }
    timers_free(&heap);
    assert_false(timer_armed(&extra[0]));
}

/* Room is given back and taken again, without growing for ever. */
static void room_is_given_back(void **state) {
    struct timers heap = {0};
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct timer some[9];
        for (int i = 0; i < 9; i++) {
            assert_hr(timers_add(&heap, &some[i], note, NULL, NULL), S_OK);
            timers_arm(&heap, &some[i], i);
        }
        for (int i = 0; i < 9; i++) {
            timers_remove(&heap, &some[i]);
            timers_remove(&heap, &some[i]); /* twice is harmless */
        }
        assert_int_equal(heap.capacity, 0);
        assert_int_equal(heap.count, 0);
    }
    timers_free(&heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(empty_has_nothing_due, setup, teardown),
        cmocka_unit_test_setup_teardown(fires_by_time_then_by_arming, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(any_mixture_keeps_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(may_arm_and_free_itself, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(arming_needs_no_memory, setup,
                                        teardown),
        cmocka_unit_test(adding_may_fail_once),
        cmocka_unit_test(room_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
