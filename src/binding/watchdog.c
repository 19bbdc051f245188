/* SPDX-License-Identifier: MIT
 * A time limit for the process: for a program whose only task is to try what
 * may never come back, and which is watched by another. */
#include "lhcs.h"

#include "../base/clock.h"
#include "../base/thread.h"
#include "machine.h"

static hcs_mutex lock = HCS_MUTEX_INIT;
static hcs_condition changed;
static hcs_thread thread;
static bool running;
static int64_t deadline = INT64_MAX; /* of clock_monotonic */

static void watch(void *context) {
    (void)context;
    mutex_lock(&lock);
    while (deadline == INT64_MAX || clock_monotonic() < deadline)
        (void)condition_wait(&changed, &lock, deadline);
    machine_end_process(LHCS_WATCHDOG_STATUS);
    mutex_unlock(&lock);
}

static HRESULT set_deadline(int64_t time, struct hcs_error *error) {
    HRESULT hr = S_OK;
    mutex_lock(&lock);
    if (!running) {
        machine_no_windows();
        condition_init(&changed);
        hr = thread_start(&thread, watch, NULL, error);
        if (FAILED(hr))
            condition_destroy(&changed);
        running = SUCCEEDED(hr);
    }
    if (running) {
        deadline = time;
        condition_broadcast(&changed);
    }
    mutex_unlock(&lock);
    return hr;
}

/* core.watchdog(seconds): unless it is called again within that time, the
 * process ends at once with the exit status 124; nil calls it off. From the
 * first call on no crash waits in a window. True, or nil, hr, text. */
int lhcs_watchdog(lua_State *L) {
    int64_t limit = lhcs_check_time(L, 1, INT64_MAX);
    int64_t now = clock_monotonic();
    struct hcs_error error = {.code = S_OK};
    HRESULT hr =
        set_deadline(limit > INT64_MAX - now ? INT64_MAX : now + limit, &error);
    if (FAILED(hr))
        return lhcs_fail(L, hr, error.text);
    lua_pushboolean(L, 1);
    return 1;
}
