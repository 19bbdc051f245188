/* SPDX-License-Identifier: MIT */
#include "pump.h"

#include "../base/clock.h"
#include "deliver.h"
#include "hcn_remote.h"

/* A thread that waits in a call. */
struct waiter {
    struct link link;
    int64_t deadline; /* host time; INT64_MAX: none */
    bool (*ready)(const void *context);
    const void *context;
    bool away; /* it runs a callback, which may wait in turn */
};

bool pump_timer(struct host *host) {
    int64_t due = timers_next(&host->timers);
    if (due == INT64_MAX || !timers_fire_one(&host->timers, host_now(host)))
        return false;
    host_settle(host);
    return true;
}

bool pump_input(struct host *host) {
    bool any = host->store && host->store->ops->pump(host->store);

    any = remote_pump(host) || any;
    if (any)
        host_settle(host);
    return any;
}

/* Of those that really wait. */
static int64_t first_deadline(const struct host *host) {
    int64_t first = INT64_MAX;
    const struct link *link;
    for (link = host->waiters.next; link != &host->waiters; link = link->next) {
        const struct waiter *w = HCS_CONTAINER(link, struct waiter, link);
        if (!w->away && w->deadline < first)
            first = w->deadline;
    }
    return first;
}

/* Whether a wait is over and its thread only has to run to find out: until it
 * did, it is not another's time to pass. */
static bool somebody_returns(struct host *host) {
    int64_t now = host_now(host);
    const struct link *link;
    for (link = host->waiters.next; link != &host->waiters; link = link->next) {
        const struct waiter *w = HCS_CONTAINER(link, struct waiter, link);
        if (!w->away && (w->deadline <= now || w->ready(w->context)))
            return true;
    }
    return false;
}

static bool is_busy(const struct host *host) {
    return host->active > 0 || !link_alone(&host->ready);
}

/* A client that only listens waits too, unless it has taken time in hand. */
static bool is_waited_for(const struct host *host) {
    return !link_alone(&host->waiters) || (host->awaited > 0 && !host->steered);
}

bool pump_time(struct host *host) {
    int64_t next = timers_next(&host->timers);
    int64_t deadline = first_deadline(host);

    if (host->spec.clock != HcsHostClockVirtual || is_busy(host) ||
        !is_waited_for(host) || somebody_returns(host))
        return false;
    if (deadline < next)
        next = deadline;
    if (next == INT64_MAX || next <= host->time)
        return false;
    if (pump_input(host)) /* what was sent has arrived before that */
        return true;
    host->time = next;
    host_changed(host);
    return true;
}

/* How long to sleep for real until `until` of host time: simulated time does
 * not come by sleeping. */
static int64_t sleep_for(struct host *host, int64_t until) {
    int64_t now;
    if (until == INT64_MAX || host_is_simulated(host))
        return -1;
    now = host_now(host);
    return until > now ? until - now : 0;
}

void pump_sleep(struct host *host, int64_t deadline) {
    int64_t until = timers_next(&host->timers);
    struct store *store = host->store;
    struct hcs_error error;
    int64_t timeout;
    bool input;

    if (deadline < until)
        until = deadline;
    timeout = sleep_for(host, until);
    /* Without its input a host would be deaf: look after it by the clock. */
    if (store &&
        FAILED(
            waker_cover(&host->waker, store->ops->waitable(store), &error)) &&
        (timeout < 0 || timeout > CLOCK_SECOND / 10))
        timeout = CLOCK_SECOND / 10;
    host->sleeping = true;
    host->call_sleeper = false;
    host->sleep_until = host_is_simulated(host) ? INT64_MAX : until;
    mutex_unlock(&host->lock);
    input = waker_sleep(&host->waker, timeout);
    mutex_lock(&host->lock);
    host->sleeping = false;
    if (!link_alone(&host->waiters))
        condition_broadcast(&host->changed);
    if (input)
        pump_input(host);
}

/* --- waiting ----------------------------------------------------------- */

static int64_t deadline_after(struct host *host, DWORD timeout_ms) {
    int64_t now;
    if (timeout_ms == INFINITE)
        return INT64_MAX;
    now = host_now(host);
    if (now > INT64_MAX - timeout_ms * CLOCK_MS)
        return INT64_MAX;
    return now + timeout_ms * CLOCK_MS;
}

/* Whether this thread runs callbacks while it waits: it must where no other
 * thread would, and inside a callback it is the one that does. */
static bool delivers(struct host *host) {
    return host->spec.driver == HcsHostDriverStep || host_is_inside(host);
}

/* Sleeps or hands the time over to the thread that sleeps already. */
static void block(struct host *host, int64_t deadline, bool may_sleep) {
    if (may_sleep && !host->sleeping) {
        pump_sleep(host, deadline);
        return;
    }
    host_settle(host);
    condition_wait(&host->changed, &host->lock,
                   host_is_simulated(host) ? INT64_MAX : deadline);
}

/* Nothing is due and nobody is ready. False: nothing ever will be. */
static bool idle(struct host *host, const struct waiter *waiter,
                 bool stepping) {
    if (!stepping) {
        if (!pump_time(host))
            block(host, waiter->deadline, false);
        return true;
    }
    if (host_is_simulated(host)) {
        if (pump_input(host) || pump_time(host))
            return true;
        if (host->spec.driver == HcsHostDriverStep && host->active == 0 &&
            !somebody_returns(host))
            return false;
        block(host, waiter->deadline, host->spec.driver == HcsHostDriverThread);
        return true;
    }
    block(host, waiter->deadline, true);
    return true;
}

/* Runs a callback on the thread that waits. */
static bool deliver_for(struct host *host, struct waiter *waiter) {
    bool any;
    waiter->away = true;
    any = deliver_one(host);
    waiter->away = false;
    return any;
}

static HRESULT wait_loop(struct host *host, struct waiter *waiter) {
    bool stepping = delivers(host);

    for (;;) {
        if (waiter->ready(waiter->context))
            return S_OK;
        if (host->closed)
            return E_HANDLE;
        if ((stepping && deliver_for(host, waiter)) || pump_timer(host))
            continue;
        if (waiter->deadline <= host_now(host))
            return HCS_E_OPERATION_TIMEOUT;
        if (!idle(host, waiter, stepping))
            return HCS_E_OPERATION_TIMEOUT;
    }
}

static HRESULT wait_until(struct host *host, bool (*ready)(const void *context),
                          const void *context, int64_t deadline) {
    struct waiter waiter = {
        .deadline = deadline, .ready = ready, .context = context};
    bool suspended;
    HRESULT hr;

    link_init(&waiter.link);
    suspended = delivery_suspend(host);
    link_append(&host->waiters, &waiter.link);
    hr = wait_loop(host, &waiter);
    link_remove(&waiter.link);
    delivery_continue(host, suspended);
    if (host_is_simulated(host) && is_waited_for(host)) {
        /* It held up the time of the others. */
        condition_broadcast(&host->changed);
        host->call_sleeper = true;
    }
    return hr;
}

HRESULT pump_wait(struct host *host, bool (*ready)(const void *context),
                  const void *context, DWORD timeout_ms) {
    if (ready(context))
        return S_OK;
    return wait_until(host, ready, context, deadline_after(host, timeout_ms));
}

/* A wait for time alone, or for news on the way. */
struct pass {
    const struct host *host;
    uint64_t deliveries; /* when it began */
};

static bool has_news(const void *context) {
    const struct pass *pass = context;
    return pass->host->deliveries != pass->deliveries && !is_busy(pass->host);
}

HRESULT pump_pass(struct host *host, int64_t dt, int64_t *left) {
    struct pass pass = {.host = host, .deliveries = host->deliveries};
    int64_t now = host_now(host);
    int64_t end = dt > INT64_MAX - 1 - now ? INT64_MAX - 1 : now + dt;
    HRESULT hr;

    host->steered = true;
    hr = wait_until(host, has_news, &pass, end);
    now = host_now(host);
    if (left)
        *left = end > now ? end - now : 0;
    return hr == HCS_E_OPERATION_TIMEOUT ? S_OK : hr;
}

/* --- steps ------------------------------------------------------------- */

struct step {
    int64_t target; /* host time to reach */
    int64_t end;    /* of the budget, in real time */
    bool input_done;
    bool did;
};

/* Moves time to what is due next within the step; false at its end. */
static bool step_time(struct host *host, const struct step *step) {
    int64_t next = timers_next(&host->timers);
    if (!host_is_simulated(host) || next > step->target)
        return false;
    if (host->active > 0) {
        condition_wait(&host->changed, &host->lock, step->end);
        return true;
    }
    if (next > host->time)
        host->time = next;
    host_changed(host);
    return true;
}

/* One thing; false when the step is done. */
static bool step_one(struct host *host, struct step *step) {
    if (deliver_one(host) || pump_timer(host)) {
        step->did = true;
        return true;
    }
    if (!step->input_done) {
        step->input_done = true;
        if (pump_input(host))
            step->did = true;
        return true;
    }
    return step_time(host, step);
}

HRESULT pump_step(struct host *host, int64_t dt, int64_t budget,
                  int64_t *left) {
    bool simulated = host_is_simulated(host);
    struct step step = {.target = host_now(host), .end = INT64_MAX};
    bool out_of_budget = false;

    if (simulated)
        step.target =
            dt > INT64_MAX - 1 - host->time ? INT64_MAX - 1 : host->time + dt;
    if (budget > 0)
        step.end = clock_monotonic() + budget;
    while (!host->closed && !out_of_budget && step_one(host, &step))
        out_of_budget = budget > 0 && clock_monotonic() >= step.end;
    if (simulated && !out_of_budget && host->time < step.target) {
        host->time = step.target;
        host_changed(host);
    }
    if (left)
        *left = simulated ? step.target - host->time : 0;
    return host->closed ? E_HANDLE : step.did ? S_OK : S_FALSE;
}

/* --- the service thread ------------------------------------------------ */

void pump_serve(void *context) {
    struct host *host = context;

    mutex_lock(&host->lock);
    while (!host->service_stop) {
        if (deliver_one(host) || pump_timer(host) || pump_time(host))
            continue;
        pump_sleep(host, INT64_MAX);
    }
    mutex_unlock(&host->lock);
}
