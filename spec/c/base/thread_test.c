/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include "base/clock.h"
#include "base/thread.h"

struct shared {
    hcs_mutex mutex;
    hcs_condition condition;
    hcs_thread thread;
    int count;
    bool ready;
    bool flag;
};

static int setup(void **state) {
    struct shared *shared = calloc(1, sizeof *shared);
    mutex_init(&shared->mutex);
    condition_init(&shared->condition);
    *state = shared;
    return 0;
}

static int teardown(void **state) {
    struct shared *shared = *state;
    condition_destroy(&shared->condition);
    mutex_destroy(&shared->mutex);
    free(shared);
    assert_int_equal(faults_live(), 0);
    return 0;
}

static void count_up(void *context) {
    struct shared *shared = context;
    for (int i = 0; i < 10000; i++) {
        mutex_lock(&shared->mutex);
        shared->count++;
        mutex_unlock(&shared->mutex);
    }
}

static void lock_excludes(void **state) {
    struct shared *shared = *state;
    hcs_thread threads[4];
    for (int i = 0; i < 4; i++)
        assert_hr(thread_start(&threads[i], count_up, shared, NULL), S_OK);
    for (int i = 0; i < 4; i++)
        thread_join(threads[i]);
    assert_int_equal(shared->count, 40000);
}

static void set_ready(void *context) {
    struct shared *shared = context;
    mutex_lock(&shared->mutex);
    shared->ready = true;
    condition_broadcast(&shared->condition);
    mutex_unlock(&shared->mutex);
}

static void broadcast_wakes(void **state) {
    struct shared *shared = *state;
    hcs_thread thread;
    mutex_lock(&shared->mutex);
    assert_hr(thread_start(&thread, set_ready, shared, NULL), S_OK);
    while (!shared->ready)
        assert_true(
            condition_wait(&shared->condition, &shared->mutex, INT64_MAX));
    mutex_unlock(&shared->mutex);
    thread_join(thread);
}

static void deadline_ends_the_wait(void **state) {
    struct shared *shared = *state;
    static const int64_t past[] = {INT64_MIN, -1, 0, 1};
    int64_t deadline;
    mutex_lock(&shared->mutex);
    for (size_t i = 0; i < HCS_COUNT(past); i++)
        assert_false(
            condition_wait(&shared->condition, &shared->mutex, past[i]));
    deadline = clock_monotonic() + 20 * CLOCK_MS;
    while (condition_wait(&shared->condition, &shared->mutex, deadline))
        continue;
    assert_true(clock_monotonic() >= deadline);
    mutex_unlock(&shared->mutex);
}

/* A deadline far off must not overflow: the broadcast ends the wait. */
static void far_deadlines_wait(void **state) {
    struct shared *shared = *state;
    hcs_thread thread;
    mutex_lock(&shared->mutex);
    assert_hr(thread_start(&thread, set_ready, shared, NULL), S_OK);
    while (!shared->ready)
        assert_true(
            condition_wait(&shared->condition, &shared->mutex, INT64_MAX - 1));
    mutex_unlock(&shared->mutex);
    thread_join(thread);
}

static void ask_who(void *context) {
    struct shared *shared = context;
    mutex_lock(&shared->mutex); /* held until `thread` is written */
    shared->flag = thread_is_current(shared->thread);
    mutex_unlock(&shared->mutex);
}

static void knows_itself(void **state) {
    struct shared *shared = *state;
    mutex_lock(&shared->mutex);
    assert_hr(thread_start(&shared->thread, ask_who, shared, NULL), S_OK);
    assert_false(thread_is_current(shared->thread));
    mutex_unlock(&shared->mutex);
    thread_join(shared->thread);
    assert_true(shared->flag);
}

static void out_of_memory(void **state) {
    struct hcs_error error = {0};
    hcs_thread thread;
    faults_fail_from(1);
    assert_hr(thread_start(&thread, set_ready, *state, &error), E_OUTOFMEMORY);
    faults_fail_from(0);
    assert_hr(error.code, E_OUTOFMEMORY);
}

static hcs_mutex fixed = HCS_MUTEX_INIT;
static HCS_THREAD_LOCAL int own;

static void set_own(void *context) {
    mutex_lock(&fixed);
    own = 2;
    *(int *)context = own;
    mutex_unlock(&fixed);
}

static void statics(void **state) {
    hcs_thread thread;
    int seen = 0;
    (void)state;
    own = 1;
    assert_hr(thread_start(&thread, set_own, &seen, NULL), S_OK);
    thread_join(thread);
    assert_int_equal(seen, 2);
    assert_int_equal(own, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(lock_excludes),
        TEST(broadcast_wakes),
        TEST(deadline_ends_the_wait),
        TEST(far_deadlines_wait),
        TEST(knows_itself),
        TEST(out_of_memory),
        TEST(statics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
