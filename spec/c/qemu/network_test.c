/* SPDX-License-Identifier: MIT
 * The worker's way to the networks, over deaths of a daemon that is made up
 * here: what it attached, what it attaches anew, and what is lost. */
#include "test.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../../../src/base/clock.h"
#include "../../../src/base/hresult_hcn.h"
#include "../../../src/vmwp/network.h"

#define PATIENCE (10 * CLOCK_SECOND)

/* --- a daemon that is made up --------------------------------------------- */

struct hostd {
    struct link link; /* in service.lines */
    int ours, theirs; /* a pair of sockets; theirs -1: it has died */
};

static hcs_mutex guard = HCS_MUTEX_INIT;
static struct {
    struct link lines;
    bool down, refuse_held, refuse, full;
    int connects, attached, held, detached;
    int far_end; /* of a tap that is full, or 0 */
} service;       /* under `guard` */

static struct guid id_of(int number) {
    struct guid id = {{1}};

    id.bytes[15] = (uint8_t)number;
    return id;
}

HRESULT hostd_connect(const struct hostd_place *place, struct hostd **out,
                      struct hcs_error *error) {
    struct hostd *line = calloc(1, sizeof *line);
    int fds[2];
    bool down;

    assert_non_null(line);
    assert_string_equal(place->program, "/somewhere/hcs-hostd");
    mutex_lock(&guard);
    service.connects++;
    down = service.down;
    if (!down) {
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
        line->ours = fds[0];
        line->theirs = fds[1];
        link_append(&service.lines, &line->link);
    }
    mutex_unlock(&guard);
    if (!down) {
        *out = line;
        return S_OK;
    }
    free(line);
    return error_set(error, HR_FILE_NOT_FOUND, NULL, "no daemon");
}

void hostd_close(struct hostd *line) {
    if (!line)
        return;
    mutex_lock(&guard);
    link_remove(&line->link);
    close(line->ours);
    if (line->theirs >= 0)
        close(line->theirs);
    mutex_unlock(&guard);
    free(line);
}

int hostd_fd(const struct hostd *line) {
    return line->ours;
}

bool hostd_alive(struct hostd *line) {
    bool alive;

    mutex_lock(&guard);
    alive = line->theirs >= 0;
    mutex_unlock(&guard);
    return alive;
}

static void fill(int fd) {
    static const char bytes[4096];

    while (write(fd, bytes, sizeof bytes) > 0)
        continue;
}

/* With `guard` held: a tap is one end of a socket, which can be written to
 * until it is full. */
static HRESULT give(int held, struct hostd_port *out) {
    int fds[2];

    if (service.refuse || (held >= 0 && service.refuse_held))
        return HCN_E_ENDPOINT_NOT_FOUND;
    service.attached++;
    service.held += held >= 0;
    memset(out, 0, sizeof *out);
    out->tap = -1;
    if (held >= 0)
        return S_OK;
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
    out->tap = fds[0];
    if (service.full) {
        service.far_end = fds[1];
        fill(fds[0]);
    } else {
        close(fds[1]);
    }
    return S_OK;
}

HRESULT hostd_attach(struct hostd *line, const struct hostd_terms *terms,
                     const struct machine_adapter *adapter, int held,
                     struct hostd_port *out, struct hcs_error *error) {
    HRESULT hr;

    (void)terms;
    assert_string_equal(adapter->machine_id, "web");
    mutex_lock(&guard);
    hr = line->theirs < 0 ? HR_RPC_SERVER_UNAVAILABLE : give(held, out);
    mutex_unlock(&guard);
    return SUCCEEDED(hr) ? hr : error_set(error, hr, "EndpointId", "refused");
}

HRESULT hostd_detach(struct hostd *line, const struct guid *endpoint,
                     struct hcs_error *error) {
    HRESULT hr = S_OK;

    (void)endpoint;
    (void)error;
    mutex_lock(&guard);
    if (line->theirs < 0)
        hr = HR_RPC_SERVER_UNAVAILABLE;
    else
        service.detached++;
    mutex_unlock(&guard);
    return hr;
}

static void die(void) {
    mutex_lock(&guard);
    for (struct link *l = service.lines.next; l != &service.lines;
         l = l->next) {
        struct hostd *line = HCS_CONTAINER(l, struct hostd, link);

        if (line->theirs >= 0)
            close(line->theirs);
        line->theirs = -1;
    }
    mutex_unlock(&guard);
}

static int look(const int *number) {
    int value;

    mutex_lock(&guard);
    value = *number;
    mutex_unlock(&guard);
    return value;
}

/* --- the worker's side ---------------------------------------------------- */

static struct world {
    uv_loop_t loop;
    uv_timer_t beat; /* so that waits have an end */
    struct network network;
    int lost, another;
} world;

static void on_lost(void *context, const struct guid *endpoint, int tap) {
    assert_ptr_equal(context, &world);
    assert_int_equal(endpoint->bytes[0], 1);
    if (tap >= 0)
        close(tap);
    world.another += tap >= 0;
    world.lost += tap < 0;
}

static void on_beat(uv_timer_t *timer) {
    (void)timer;
}

static int open_world(void **state) {
    memset(&service, 0, sizeof service);
    link_init(&service.lines);
    memset(&world, 0, sizeof world);
    uv_loop_init(&world.loop);
    uv_timer_init(&world.loop, &world.beat);
    uv_timer_start(&world.beat, on_beat, 5, 5);
    world.network.lost = on_lost;
    world.network.context = &world;
    *state = &world;
    return network_open(&world.network, &world.loop, "/somewhere/hcs-vmwp")
               ? 0
               : -1;
}

static int close_world(void **state) {
    (void)state;
    network_close(&world.network);
    uv_close((uv_handle_t *)&world.beat, NULL);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    network_free(&world.network);
    assert_true(link_alone(&service.lines));
    if (service.far_end > 0)
        close(service.far_end);
    return uv_loop_close(&world.loop);
}

/* Runs the loop until *number is `wanted`. */
static void await(const int *number, int wanted) {
    int64_t deadline = clock_monotonic() + PATIENCE;

    while (look(number) != wanted) {
        if (clock_monotonic() > deadline)
            fail_msg("it is %d, not %d", look(number), wanted);
        uv_run(&world.loop, UV_RUN_ONCE);
    }
}

static void run_for(int64_t time) {
    int64_t end = clock_monotonic() + time;

    while (clock_monotonic() < end)
        uv_run(&world.loop, UV_RUN_ONCE);
}

static void attach(int number) {
    static const struct mac_address mac = {{0, 0x15, 0x5d, 1, 2, 3}};
    char machine[] = "web";
    const struct machine_adapter adapter = {id_of(number), &mac, machine,
                                            "r-u-n"};
    struct mac_address has;
    int tap = -1;

    if (FAILED(network_attach(&world.network, &adapter, &tap, &has, NULL)))
        return;
    assert_true(tap >= 0);
    close(tap);
    machine[0] = '?'; /* it is not kept */
}

static void detach(int number) {
    const struct guid id = id_of(number);

    network_detach(&world.network, &id);
}

static void attaches_and_detaches(void **state) {
    (void)state;
    attach(1);
    attach(2);
    run_for(20 * CLOCK_MS);
    assert_int_equal(service.connects, 1);
    assert_int_equal(service.attached, 2);
    detach(1);
    detach(1);
    detach(7);
    assert_int_equal(service.detached, 1);
    run_for(CLOCK_SECOND);
    assert_int_equal(world.lost, 0);
    assert_int_equal(service.connects, 1);
}

static void keeps_taps_over_a_death(void **state) {
    (void)state;
    attach(1);
    attach(2);
    run_for(20 * CLOCK_MS);
    for (int death = 1; death <= 3; death++) {
        die();
        await(&service.held, 2 * death);
    }
    run_for(20 * CLOCK_MS);
    assert_int_equal(service.connects, 4);
    assert_int_equal(world.lost + world.another, 0);
    detach(1);
    assert_int_equal(service.detached, 1);
}

static void tries_until_there_is_one(void **state) {
    (void)state;
    attach(1);
    run_for(20 * CLOCK_MS);
    mutex_lock(&guard);
    service.down = true;
    mutex_unlock(&guard);
    die();
    await(&service.connects, 3);
    mutex_lock(&guard);
    service.down = false;
    mutex_unlock(&guard);
    await(&service.held, 1);
    assert_int_equal(world.lost, 0);
}

static void nobody_needs_one(void **state) {
    (void)state;
    attach(1);
    detach(1);
    run_for(20 * CLOCK_MS);
    die();
    run_for(600 * CLOCK_MS);
    assert_int_equal(service.connects, 1);
    attach(2);
    assert_int_equal(service.connects, 2);
    assert_int_equal(service.attached, 2);
}

/* Of two adapters that the next call finds without a line, one was attached by
 * the new one. */
static void a_call_finds_it_dead(void **state) {
    (void)state;
    attach(1);
    run_for(20 * CLOCK_MS);
    die();
    attach(2);
    await(&service.attached, 3);
    run_for(50 * CLOCK_MS);
    assert_int_equal(service.attached, 3);
    assert_int_equal(service.held, 1);
    assert_int_equal(service.connects, 2);
}

static void another_tap(void **state) {
    (void)state;
    attach(1);
    run_for(20 * CLOCK_MS);
    service.refuse_held = true;
    die();
    await(&world.another, 1);
    service.refuse_held = false;
    die();
    await(&service.held, 1);
    assert_int_equal(world.lost, 0);
}

static void what_is_refused_is_lost(void **state) {
    (void)state;
    attach(1);
    attach(2);
    run_for(20 * CLOCK_MS);
    service.refuse = true;
    die();
    await(&world.lost, 2);
    detach(1);
    assert_int_equal(service.detached, 0);
}

/* As that of an endpoint that was deleted. */
static void a_tap_that_is_down_is_lost(void **state) {
    (void)state;
    service.full = true;
    attach(1);
    service.full = false;
    attach(2);
    await(&world.lost, 1);
    run_for(CLOCK_SECOND);
    assert_int_equal(world.lost, 1);
    assert_int_equal(world.network.lines, 1);
}

/* --- all at once ---------------------------------------------------------- */

static void churn(uv_work_t *work) {
    int number = *(int *)work->data;

    for (int i = 0; i < 60; i++) {
        attach(number);
        uv_sleep(1);
        detach(number);
    }
}

static int churned;

static void on_churned(uv_work_t *work, int status) {
    (void)work;
    (void)status;
    churned++;
}

static void deaths_while_adapters_come_and_go(void **state) {
    static int numbers[2] = {1, 2};
    static uv_work_t works[2];
    int64_t deadline = clock_monotonic() + 3 * PATIENCE;

    (void)state;
    churned = 0;
    for (int i = 0; i < 2; i++) {
        works[i].data = &numbers[i];
        uv_queue_work(&world.loop, &works[i], churn, on_churned);
    }
    for (int i = 0; churned < 2; i++) {
        assert_true(clock_monotonic() < deadline);
        if (i % 5 == 0)
            die();
        uv_run(&world.loop, UV_RUN_ONCE);
    }
    run_for(50 * CLOCK_MS);
    assert_int_equal(world.lost, 0);
    assert_true(link_alone(&world.network.adapters));
}

#define IN_WORLD(test) \
    cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_WORLD(attaches_and_detaches),
        IN_WORLD(keeps_taps_over_a_death),
        IN_WORLD(tries_until_there_is_one),
        IN_WORLD(nobody_needs_one),
        IN_WORLD(a_call_finds_it_dead),
        IN_WORLD(another_tap),
        IN_WORLD(what_is_refused_is_lost),
        IN_WORLD(a_tap_that_is_down_is_lost),
        IN_WORLD(deaths_while_adapters_come_and_go)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
