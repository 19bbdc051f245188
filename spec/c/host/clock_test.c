/* SPDX-License-Identifier: MIT
 * Time: virtual and manual clocks, steps and their budget, simulated guests'
 * programs. */
#include <stdbool.h>
#include <time.h>

#include "base/stream.h"
#include "world.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)

static int64_t now_of(HCSHOST host) {
    int64_t now = -1;
    ok(hcshost_now(host, &now));
    return now;
}

/* A guest's program that wakes once an hour and powers off after a while. */
struct program {
    HCSHOST host;
    int wakes, last, boots;
    int64_t delay;
    char id[32];
    HRESULT inside;
};

static void wake_and_stop(void *context, uint64_t guest,
                          HCSHOST_GUEST_EVENT event, const char *text,
                          size_t length) {
    struct program *program = context;
    if (event == HcsHostGuestBoot) {
        program->boots++;
        snprintf(program->id, sizeof program->id, "%.*s", (int)length, text);
        program->inside = hcshost_step(program->host, 0, 0, NULL);
    }
    if (event == HcsHostGuestWake && ++program->wakes == program->last)
        hcshost_guest_act(program->host, guest, HcsHostGuestPowerOff, NULL);
    else if (event == HcsHostGuestBoot || event == HcsHostGuestWake)
        hcshost_guest_wake(program->host, guest, program->delay);
}

static void a_thousand_hours_pass(const char *spec) {
    HCSHOST host = world_open(spec);
    struct program program = {.host = host, .last = 1000, .delay = HOUR};
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system;
    PWSTR document = NULL;
    time_t began = time(NULL);
    int64_t start = now_of(host);
    ok(hcshost_sim_guest(host, u"hours", wake_and_stop, &program));
    system = world_create(u"hours", op);
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    fails(HCS_E_OPERATION_TIMEOUT,
          HcsWaitForComputeSystemExit(system, 1000, NULL));
    assert_true(now_of(host) - start >= SECOND);
    ok(HcsWaitForComputeSystemExit(system, INFINITE, &document));
    has(text_of(document), "GracefulExit");
    assert_int_equal(program.wakes, 1000);
    assert_string_equal(program.id, "hours");
    assert_true(now_of(host) - start >= 1000 * HOUR);
    assert_true(now_of(host) - start < 1001 * HOUR);
    assert_true(time(NULL) - began < 10);
    ok(hcshost_sim_guest(host, u"hours", NULL, NULL));
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    world_close(host);
}

static void hours_pass_with_steps(void **state) {
    (void)state;
    a_thousand_hours_pass("sim:?driver=step&clock=virtual&access=open");
}

static void hours_pass_with_a_thread(void **state) {
    (void)state;
    a_thousand_hours_pass("sim:?driver=thread&clock=virtual&access=open");
}

/* A wait's own deadline is kept to the nanosecond. */
static void virtual_time_stops_at_deadlines(void **state) {
    HCSHOST host =
        world_open("sim:?driver=step&clock=virtual&access=open&latency=50ms");
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = world_create(u"deadline", op);
    int64_t start = now_of(host);
    (void)state;
    ok(HcsStartComputeSystem(system, op, NULL));
    fails(HCS_E_OPERATION_TIMEOUT, HcsWaitForOperationResult(op, 10, NULL));
    assert_true(now_of(host) - start == SECOND / 100);
    ok(HcsWaitForOperationResult(op, INFINITE, NULL));
    assert_true(now_of(host) - start == SECOND / 20);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    world_close(host);
}

/* Without the callback's end no time may pass. */
struct watch {
    HCSHOST host;
    int64_t before, after;
    int inside, done;
};

static void watch_time(HCS_OPERATION operation, void *context) {
    struct watch *watch = context;
    (void)operation;
    watch->before = now_of(watch->host);
    __atomic_store_n(&watch->inside, 1, __ATOMIC_SEQ_CST);
    platform_pause(30);
    watch->after = now_of(watch->host);
    __atomic_store_n(&watch->done, 1, __ATOMIC_SEQ_CST);
}

static void virtual_time_waits_for_callbacks(void **state) {
    HCSHOST host =
        world_open("sim:?driver=thread&clock=virtual&access=open&latency=1s");
    struct watch watch = {.host = host};
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_OPERATION heard = HcsCreateOperation(&watch, watch_time);
    HCS_SYSTEM system = world_create(u"busy", op);
    (void)state;
    ok(HcsEnumerateComputeSystems(NULL, heard));
    while (!__atomic_load_n(&watch.inside, __ATOMIC_SEQ_CST))
        platform_pause(0);
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    while (!__atomic_load_n(&watch.done, __ATOMIC_SEQ_CST))
        platform_pause(0);
    assert_true(watch.before == watch.after);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(heard);
    HcsCloseOperation(op);
    world_close(host);
}

static void flag(HCS_OPERATION operation, void *context) {
    (void)operation;
    __atomic_store_n((int *)context, 1, __ATOMIC_SEQ_CST);
}

/* Nobody waits in a call, but a callback is waited for. */
static void virtual_time_comes_to_callbacks(void **state) {
    HCSHOST host =
        world_open("sim:?driver=thread&clock=virtual&access=open&latency=9s");
    int done = 0;
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_OPERATION heard = HcsCreateOperation(&done, flag);
    HCS_SYSTEM system = world_create(u"heard", op);
    (void)state;
    ok(HcsStartComputeSystem(system, heard, NULL));
    for (int i = 0; i < 5000 && !__atomic_load_n(&done, __ATOMIC_SEQ_CST); i++)
        platform_pause(1);
    assert_int_equal(__atomic_load_n(&done, __ATOMIC_SEQ_CST), 1);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(heard);
    HcsCloseOperation(op);
    world_close(host);
}

/* Who steps has time in hand: a callback that is waited for moves it no more,
 * and a step ends with the news. */
static void virtual_time_is_the_steppers(void **state) {
    HCSHOST host =
        world_open("sim:?driver=thread&clock=virtual&access=open&latency=9s");
    int done = 0;
    int64_t left = -1, start;
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_OPERATION heard = HcsCreateOperation(&done, flag);
    HCS_SYSTEM system = world_create(u"steered", op);
    (void)state;
    ok(hcshost_step(host, 0, 0, &left));
    assert_true(left == 0);
    start = now_of(host);
    ok(HcsStartComputeSystem(system, heard, NULL));
    platform_pause(30);
    assert_int_equal(__atomic_load_n(&done, __ATOMIC_SEQ_CST), 0);
    assert_true(now_of(host) == start);
    ok(hcshost_step(host, 20 * SECOND, 0, &left));
    if (left > 0) {
        assert_int_equal(__atomic_load_n(&done, __ATOMIC_SEQ_CST), 1);
        assert_true(left == 11 * SECOND);
        ok(hcshost_step(host, left, 0, &left));
    }
    assert_true(left == 0);
    assert_int_equal(__atomic_load_n(&done, __ATOMIC_SEQ_CST), 1);
    assert_true(now_of(host) == start + 20 * SECOND);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(heard);
    HcsCloseOperation(op);
    world_close(host);
}

/* The thread that waited has to run before time goes on without it. */
static void virtual_time_stops_with_the_wait(void **state) {
    HCSHOST host = world_open(
        "sim:?driver=thread&clock=virtual&access=open&latency=100ms");
    struct program program = {.host = host, .last = -1, .delay = SECOND / 1000};
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM ticks = world_create(u"ticks", op), system;
    (void)state;
    ok(hcshost_sim_guest(host, u"ticks", wake_and_stop, &program));
    ok(finish(op, HcsStartComputeSystem(ticks, op, NULL)));
    system = world_create(u"paused", op);
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    for (int i = 0; i < 30; i++) {
        int64_t start = now_of(host);
        ok(finish(op, HcsPauseComputeSystem(system, op, NULL)));
        assert_true(now_of(host) == start + SECOND / 10);
        ok(finish(op, HcsResumeComputeSystem(system, op, NULL)));
        assert_true(now_of(host) == start + SECOND / 5);
    }
    ok(hcshost_sim_guest(host, u"ticks", NULL, NULL)); /* it is over now */
    assert_true(program.wakes > 1000);
    HcsCloseComputeSystem(system);
    HcsCloseComputeSystem(ticks);
    HcsCloseOperation(op);
    world_close(host);
}

/* A wait that is over but runs a callback does not hold up the callback. */
struct nest {
    HCS_SYSTEM second;
    HCS_OPERATION op;
    HRESULT inside;
};

static void start_second(HCS_OPERATION operation, void *context) {
    struct nest *nest = context;
    (void)operation;
    nest->inside =
        finish(nest->op, HcsStartComputeSystem(nest->second, nest->op, NULL));
}

static void virtual_time_passes_inside_callbacks(void **state) {
    HCSHOST host =
        world_open("sim:?driver=step&clock=virtual&access=open&latency=1s");
    struct nest nest = {.op = HcsCreateOperation(NULL, NULL), .inside = E_FAIL};
    HCS_OPERATION op = HcsCreateOperation(&nest, start_second);
    HCS_SYSTEM first = world_create(u"first", nest.op);
    int64_t start;
    (void)state;
    nest.second = world_create(u"second", nest.op);
    start = now_of(host);
    ok(HcsStartComputeSystem(first, op, NULL));
    fails(HCS_E_OPERATION_TIMEOUT,
          HcsWaitForComputeSystemExit(first, 1000, NULL));
    ok(nest.inside);
    assert_true(now_of(host) == start + 2 * SECOND);
    HcsCloseComputeSystem(nest.second);
    HcsCloseComputeSystem(first);
    HcsCloseOperation(op);
    HcsCloseOperation(nest.op);
    world_close(host);
}

#define PORT_DOCUMENT                                                         \
    u"{\"Owner\":\"spec\",\"SchemaVersion\":{\"Major\":2,\"Minor\":5},"       \
    u"\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{"               \
    u"\"KernelFilePath\":\"" PLATFORM_FILE "\"}},\"Devices\":{\"ComPorts\":{" \
    u"\"0\":{\"NamedPipe\":\"\\\\\\\\.\\\\pipe\\\\clock-com1\"}}},"           \
    u"\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64},"                     \
    u"\"Processor\":{\"Count\":1}}}}"

/* The pipe is closed with the set that it is put into. */
static struct stream_set *type(HANDLE pipe, const char *text) {
    struct stream_set *streams;
    struct stream *stream;
    size_t taken;
    ok(stream_set_create(&streams, NULL));
    ok(stream_open(streams, stream_from_handle(pipe), NULL, NULL, &stream,
                   NULL));
    ok(stream_write(stream, text, strlen(text), &taken, NULL));
    assert_int_equal(taken, strlen(text));
    return streams;
}

/* What was sent before a wait arrives before its deadline. */
static void virtual_time_waits_for_input(void **state) {
    HCSHOST host = world_open("sim:?driver=thread&clock=virtual&access=open");
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    (void)state;
    for (int i = 0; i < 30; i++) {
        HCS_SYSTEM system = NULL;
        HANDLE pipe = NULL;
        struct stream_set *streams;
        ok(finish(op, HcsCreateComputeSystem(u"typed", PORT_DOCUMENT, op, NULL,
                                             &system)));
        ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
        ok(hcshost_pipe_connect(host, u"\\\\.\\pipe\\clock-com1", &pipe));
        fails(HCS_E_OPERATION_TIMEOUT,
              HcsWaitForComputeSystemExit(system, 60000, NULL));
        streams = type(pipe, "poweroff\n");
        ok(HcsWaitForComputeSystemExit(system, 60000, NULL));
        stream_set_destroy(streams);
        HcsCloseComputeSystem(system);
    }
    HcsCloseOperation(op);
    world_close(host);
}

static void only_steps_move_a_manual_clock(void **state) {
    HCSHOST host = world_open("sim:?clock=manual&access=open&latency=1s");
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    int64_t left = -1, timeout = -1, start = now_of(host);
    (void)state;
    ok(HcsCreateComputeSystem(u"manual", SYSTEM_DOCUMENT, op, NULL, &system));
    fails(HCS_E_OPERATION_TIMEOUT,
          HcsWaitForOperationResult(op, INFINITE, NULL));
    assert_true(now_of(host) == start);
    ok(hcshost_timeout(host, &timeout));
    assert_true(timeout > 0 && timeout <= SECOND);
    fails(S_FALSE, hcshost_step(host, SECOND / 2, 0, &left));
    assert_true(left == 0);
    assert_true(now_of(host) - start == SECOND / 2);
    fails(HCS_E_OPERATION_PENDING, HcsGetOperationResult(op, NULL));
    ok(hcshost_step(host, SECOND, 0, &left));
    assert_true(left == 0);
    assert_true(now_of(host) - start == SECOND / 2 + SECOND);
    ok(HcsWaitForOperationResult(op, INFINITE, NULL));
    ok(hcshost_timeout(host, &timeout));
    assert_true(timeout == -1);
    fails(E_INVALIDARG, hcshost_step(host, -1, 0, NULL));
    fails(E_INVALIDARG, hcshost_step(host, 0, -1, NULL));
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    world_close(host);
}

/* A budget ends a step with what is left of it, and later steps go on. */
static void a_budget_is_kept(void **state) {
    HCSHOST host = world_open("sim:?clock=manual&access=open");
    struct program program = {.host = host, .last = -1, .delay = 1000};
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    int64_t left = 0, start;
    (void)state;
    ok(hcshost_sim_guest(host, NULL, wake_and_stop, &program));
    ok(HcsCreateComputeSystem(u"budget", SYSTEM_DOCUMENT, op, NULL, &system));
    hcshost_step(host, 0, 0, NULL);
    ok(HcsStartComputeSystem(system, op, NULL));
    hcshost_step(host, 0, 0, NULL);
    fails(HCS_E_INVALID_STATE, program.inside);
    start = now_of(host);
    ok(hcshost_step(host, 100 * SECOND, 2000000, &left));
    assert_true(left > 0);
    assert_true(now_of(host) - start == 100 * SECOND - left);
    assert_true(program.wakes > 0);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    world_close(host);
}

static void steps_are_for_the_step_driver(void **state) {
    HCSHOST host = world_open("sim:?driver=thread");
    (void)state;
    fails(E_NOTIMPL, hcshost_step(host, 0, 0, NULL));
    world_close(host);
    fails(E_HANDLE, hcshost_step(host, 0, 0, NULL));
}

/* A program takes over a guest that runs, and gives it back. */
static void programs_change_hands(void **state) {
    HCSHOST host = world_open("sim:?clock=virtual&driver=step&access=open");
    struct program one = {.host = host, .last = -1, .delay = SECOND};
    struct program all = {.host = host, .last = -1, .delay = SECOND};
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system;
    (void)state;
    ok(hcshost_sim_guest(host, NULL, wake_and_stop, &all));
    system = world_create(u"hands", op);
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    hcshost_step(host, 10 * SECOND, 0, NULL);
    assert_int_equal(all.boots, 1);
    assert_true(all.wakes >= 9);
    ok(hcshost_sim_guest(host, u"hands", wake_and_stop, &one));
    all.wakes = 0;
    hcshost_step(host, 10 * SECOND, 0, NULL);
    assert_int_equal(all.wakes, 0);
    assert_true(one.wakes >= 9);
    fails(HR_NOT_FOUND, hcshost_guest_wake(host, 12345, 0));
    fails(E_INVALIDARG, hcshost_guest_wake(host, 1, -1));
    ok(hcshost_sim_guest(host, u"hands", NULL, NULL));
    ok(hcshost_sim_guest(host, NULL, NULL, NULL));
    ok(hcshost_sim_guest(host, u"nobody", NULL, NULL));
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
    world_close(host);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_pass_with_steps),
        cmocka_unit_test(hours_pass_with_a_thread),
        cmocka_unit_test(virtual_time_stops_at_deadlines),
        cmocka_unit_test(virtual_time_waits_for_callbacks),
        cmocka_unit_test(virtual_time_comes_to_callbacks),
        cmocka_unit_test(virtual_time_is_the_steppers),
        cmocka_unit_test(virtual_time_stops_with_the_wait),
        cmocka_unit_test(virtual_time_passes_inside_callbacks),
        cmocka_unit_test(virtual_time_waits_for_input),
        cmocka_unit_test(only_steps_move_a_manual_clock),
        cmocka_unit_test(a_budget_is_kept),
        cmocka_unit_test(steps_are_for_the_step_driver),
        cmocka_unit_test(programs_change_hands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
