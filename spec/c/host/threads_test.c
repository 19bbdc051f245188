/* SPDX-License-Identifier: MIT
 * Many threads at once: operations, callbacks, closing and waiting. What goes
 * wrong here is best seen under a thread sanitizer. */
#include <stdatomic.h>
#include <stdbool.h>

#include "world.h"

#define THREADS 16
#define ROUNDS 1000

static const char *spec;

static int setup(void **state) {
    *state = world_open(spec);
    return 0;
}

static int teardown(void **state) {
    world_close(*state);
    return 0;
}

struct worker {
    hcs_thread thread;
    HCSHOST host;
    int number;
    int failures; /* cmocka's checks belong to the first thread */
    int called;
};

static void expect(struct worker *worker, bool right) {
    if (!right)
        worker->failures++;
}

static void run_all(HCSHOST host, void (*body)(void *)) {
    struct worker workers[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) {
        workers[i].host = host;
        workers[i].number = i;
        assert_int_equal(
            thread_start(&workers[i].thread, body, &workers[i], NULL), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        thread_join(workers[i].thread);
        assert_int_equal(workers[i].failures, 0);
    }
}

static HCS_SYSTEM create(struct worker *worker, HCS_OPERATION op) {
    WCHAR id[] = u"system-??";
    HCS_SYSTEM system = NULL;
    id[7] = (WCHAR)('a' + worker->number);
    id[8] = 0;
    expect(worker,
           SUCCEEDED(finish(op, HcsCreateComputeSystem(id, SYSTEM_DOCUMENT, op,
                                                       NULL, &system))));
    return system;
}

static void pause_and_resume(void *context) {
    struct worker *worker = context;
    HCS_OPERATION op;
    HCS_SYSTEM system;
    hcshost_enter(worker->host, NULL);
    op = HcsCreateOperation(NULL, NULL);
    system = create(worker, op);
    expect(worker, finish(op, HcsStartComputeSystem(system, op, NULL)) == S_OK);
    for (int i = 0; i < ROUNDS / 2; i++) {
        expect(worker,
               finish(op, HcsPauseComputeSystem(system, op, NULL)) == S_OK);
        expect(worker,
               finish(op, HcsResumeComputeSystem(system, op, NULL)) == S_OK);
    }
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
}

static void threads_pause_and_resume(void **state) {
    run_all(*state, pause_and_resume);
}

static void count(HCS_OPERATION operation, void *context) {
    struct worker *worker = context;
    (void)operation;
    __atomic_add_fetch(&worker->called, 1, __ATOMIC_SEQ_CST);
}

/* Closes operations at whatever point they are; after that none may call. */
static void start_and_close(void *context) {
    struct worker *worker = context;
    hcshost_enter(worker->host, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        HCS_OPERATION op = HcsCreateOperation(worker, count);
        int before;
        expect(worker, HcsEnumerateComputeSystems(NULL, op) == S_OK);
        if (i % 3 == 0)
            HcsCancelOperation(op);
        if (i % 3 == 1)
            HcsWaitForOperationResult(op, INFINITE, NULL);
        HcsCloseOperation(op);
        before = __atomic_load_n(&worker->called, __ATOMIC_SEQ_CST);
        if (i % 16 == 0)
            platform_pause(0);
        expect(worker,
               before == __atomic_load_n(&worker->called, __ATOMIC_SEQ_CST));
    }
}

static void threads_close_operations_at_any_point(void **state) {
    run_all(*state, start_and_close);
}

static void on_event(HCS_EVENT *event, void *context) {
    struct worker *worker = context;
    if (event->Type == HcsEventSystemExited)
        __atomic_add_fetch(&worker->called, 1, __ATOMIC_SEQ_CST);
}

/* Systems come and go; their events race with the end of their handles. */
static void live_and_die(void *context) {
    struct worker *worker = context;
    HCS_OPERATION op;
    hcshost_enter(worker->host, NULL);
    op = HcsCreateOperation(NULL, NULL);
    for (int i = 0; i < 60; i++) {
        HCS_SYSTEM system = create(worker, op);
        expect(worker, HcsSetComputeSystemCallback(system, HcsEventOptionNone,
                                                   worker, on_event) == S_OK);
        expect(worker,
               finish(op, HcsStartComputeSystem(system, op, NULL)) == S_OK);
        expect(worker,
               finish(op, HcsTerminateComputeSystem(system, op, NULL)) == S_OK);
        if (i % 2)
            expect(worker,
                   HcsWaitForComputeSystemExit(system, INFINITE, NULL) == S_OK);
        HcsCloseComputeSystem(system);
    }
    HcsCloseOperation(op);
}

static void threads_make_and_end_systems(void **state) {
    run_all(*state, live_and_die);
}

/* --- several threads wait for one --------------------------------------- */

struct shared {
    HCS_OPERATION op;
    HCS_SYSTEM system;
    int done;
    int failures;
};

static void wait_for_it(void *context) {
    struct shared *shared = context;
    PWSTR document = NULL;
    if (FAILED(HcsWaitForOperationResult(shared->op, INFINITE, &document)))
        __atomic_add_fetch(&shared->failures, 1, __ATOMIC_SEQ_CST);
    LocalFree(document);
    __atomic_add_fetch(&shared->done, 1, __ATOMIC_SEQ_CST);
}

static void several_threads_wait_for_one_operation(void **state) {
    struct shared shared = {0};
    hcs_thread threads[THREADS];
    HCSHOST slow = NULL;
    ok(hcshost_open("sim:?driver=thread&access=open&latency=400ms", &slow,
                    NULL));
    ok(hcshost_enter(slow, NULL));
    shared.op = HcsCreateOperation(NULL, NULL);
    shared.system = world_create(u"slow", shared.op);
    ok(HcsStartComputeSystem(shared.system, shared.op, NULL));
    /* trace 17 */
    fails(HCS_E_OPERATION_TIMEOUT,
          HcsWaitForOperationResult(shared.op, 1, NULL));
    fails(HCS_E_OPERATION_PENDING, HcsGetOperationResult(shared.op, NULL));
    fails(HCS_E_OPERATION_ALREADY_STARTED,
          HcsStartComputeSystem(shared.system, shared.op, NULL));
    for (int i = 0; i < THREADS; i++)
        thread_start(&threads[i], wait_for_it, &shared, NULL);
    for (int i = 0; i < THREADS; i++)
        thread_join(threads[i]);
    assert_int_equal(shared.failures, 0);
    assert_int_equal(shared.done, THREADS);
    ok(HcsGetOperationResult(shared.op, NULL));
    ok(hcshost_enter(*state, NULL));
    ok(hcshost_close(slow));
}

static void wait_for_exit(void *context) {
    struct shared *shared = context;
    if (HcsWaitForComputeSystemExit(shared->system, INFINITE, NULL) == E_HANDLE)
        __atomic_add_fetch(&shared->done, 1, __ATOMIC_SEQ_CST);
}

/* The end of a host releases who waits in it. */
static void closing_the_host_releases_waiters(void **state) {
    struct shared shared = {0};
    hcs_thread threads[4];
    HCSHOST host = NULL;
    ok(hcshost_open(spec, &host, NULL));
    ok(hcshost_enter(host, NULL));
    shared.op = HcsCreateOperation(NULL, NULL);
    shared.system = world_create(u"wait", shared.op);
    for (int i = 0; i < 4; i++)
        thread_start(&threads[i], wait_for_exit, &shared, NULL);
    platform_pause(20);
    ok(hcshost_enter(*state, NULL));
    ok(hcshost_close(host));
    for (int i = 0; i < 4; i++)
        thread_join(threads[i]);
    assert_int_equal(shared.done, 4);
    HcsCloseComputeSystem(shared.system);
    HcsCloseOperation(shared.op);
}

static void close_handle(void *context) {
    struct shared *shared = context;
    platform_pause(10);
    HcsCloseComputeSystem(shared->system);
    HcsCloseOperation(shared->op);
}

/* So does the end of the handle. */
static void closing_a_handle_releases_waiters(void **state) {
    struct shared shared = {0};
    hcs_thread thread;
    (void)state;
    shared.op = HcsCreateOperation(NULL, NULL);
    shared.system = world_create(u"wait", shared.op);
    thread_start(&thread, close_handle, &shared, NULL);
    fails(E_HANDLE, HcsWaitForComputeSystemExit(shared.system, INFINITE, NULL));
    thread_join(thread);
}

/* --- closing waits for the callback -------------------------------------- */

struct slow {
    int inside, left;
};

static void be_slow(HCS_OPERATION operation, void *context) {
    struct slow *slow = context;
    (void)operation;
    __atomic_store_n(&slow->inside, 1, __ATOMIC_SEQ_CST);
    platform_pause(30);
    __atomic_store_n(&slow->left, 1, __ATOMIC_SEQ_CST);
}

static void closing_waits_for_the_callback(void **state) {
    struct slow slow = {0};
    HCSHOST host = NULL;
    HCS_OPERATION op;
    (void)state;
    ok(hcshost_open("sim:?driver=thread", &host, NULL));
    ok(hcshost_enter(host, NULL));
    op = HcsCreateOperation(&slow, be_slow);
    ok(HcsEnumerateComputeSystems(NULL, op));
    while (!__atomic_load_n(&slow.inside, __ATOMIC_SEQ_CST))
        platform_pause(0);
    HcsCloseOperation(op);
    assert_int_equal(__atomic_load_n(&slow.left, __ATOMIC_SEQ_CST), 1);
    /* the end of the host does so too */
    slow = (struct slow){0};
    op = HcsCreateOperation(&slow, be_slow);
    ok(HcsEnumerateComputeSystems(NULL, op));
    while (!__atomic_load_n(&slow.inside, __ATOMIC_SEQ_CST))
        platform_pause(0);
    ok(hcshost_enter(*state, NULL));
    ok(hcshost_close(host));
    assert_int_equal(__atomic_load_n(&slow.left, __ATOMIC_SEQ_CST), 1);
}

static void close_host_inside(HCS_OPERATION operation, void *context) {
    HRESULT *result = context;
    HCSHOST host = NULL;
    (void)operation;
    hcshost_enter(NULL, &host);
    *result = hcshost_close(host);
}

static void a_host_is_not_closed_from_its_callback(void **state) {
    HRESULT result = S_OK;
    HCSHOST host = NULL;
    HCS_OPERATION op;
    ok(hcshost_open("sim:?driver=step", &host, NULL));
    ok(hcshost_enter(host, NULL));
    op = HcsCreateOperation(&result, close_host_inside);
    ok(HcsEnumerateComputeSystems(NULL, op));
    ok(hcshost_step(host, 0, 0, NULL));
    fails(HCS_E_INVALID_STATE, result);
    ok(hcshost_enter(*state, NULL));
    ok(hcshost_close(host));
}

struct held {
    atomic_bool running, go_on;
};

static void hold(HCS_OPERATION operation, void *context) {
    struct held *held = context;
    (void)operation;
    atomic_store(&held->running, true);
    while (!atomic_load(&held->go_on))
        platform_pause(1);
}

static void close_host(void *context) {
    hcshost_close(context);
}

/* While a host that closes waits for a callback, its other handles may go. */
static void handles_close_while_their_host_does(void **state) {
    struct held held = {false, false};
    HCSHOST host = NULL;
    HCS_OPERATION first, last;
    HCS_SYSTEM system;
    hcs_thread closer;
    ok(hcshost_open("sim:?driver=thread&access=open", &host, NULL));
    ok(hcshost_enter(host, NULL));
    first = HcsCreateOperation(&held, hold);
    last = HcsCreateOperation(NULL, NULL);
    system = world_create(u"last", last);
    ok(HcsEnumerateComputeSystems(NULL, first));
    while (!atomic_load(&held.running))
        platform_pause(1);
    ok(thread_start(&closer, close_host, host, NULL));
    platform_pause(20); /* it waits for the callback by then */
    HcsCloseComputeSystem(system);
    HcsCloseOperation(last);
    atomic_store(&held.go_on, true);
    thread_join(closer);
    ok(hcshost_enter(*state, NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    static const char *const specs[] = {
        "sim:?driver=thread&access=open", "sim:?driver=step&access=open",
        "sim:?driver=thread&clock=virtual&access=open&latency=1ms"};
    const struct CMUnitTest tests[] = {
        TEST(threads_pause_and_resume),
        TEST(threads_close_operations_at_any_point),
        TEST(threads_make_and_end_systems),
        TEST(several_threads_wait_for_one_operation),
        TEST(closing_the_host_releases_waiters),
        TEST(closing_a_handle_releases_waiters),
        TEST(closing_waits_for_the_callback),
        TEST(a_host_is_not_closed_from_its_callback),
        TEST(handles_close_while_their_host_does),
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        spec = specs[i];
        failed += cmocka_run_group_tests_name(spec, tests, NULL, NULL);
    }
    return failed;
}
