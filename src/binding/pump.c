/* SPDX-License-Identifier: MIT
 * api.pump: drives a host until there is something for Lua. What "until" means
 * is the clock's affair:
 *
 *   real     polls; a stepped host is stepped between polls
 *   virtual  the host is moved to the next thing due
 *   manual   only api.step moves time, so what is not there is not waited for
 */
#include "lhcs.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "../base/clock.h"

#define NEVER INT64_MAX
#define FEW 16 /* descriptors without memory of their own */

enum outcome { NOTHING, QUEUE, READY, SIGNAL, TIMEOUT, FAILURE };

struct pump {
    struct lhcs_world *world;
    struct pollfd *polls; /* queue, host, then the caller's */
    nfds_t count;
    lua_State *main; /* whose hook lua.c sets on Ctrl-C */
    lua_Hook hook;
    int64_t deadline; /* of the host's clock, or NEVER */
    HRESULT failure;
};

#define OURS 2 /* descriptors before the caller's */

static short events_of(lua_State *L, int index) {
    const char *mode =
        lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    short events = 0;
    for (const char *c = mode; *c != '\0'; c++)
        events = (short)(events | (*c == 'r'   ? POLLIN
                                   : *c == 'w' ? POLLOUT
                                               : 0));
    if (events == 0)
        luaL_argerror(L, 2, "descriptors map to \"r\", \"w\" or \"rw\"");
    return events;
}

static nfds_t count_fds(lua_State *L, int index) {
    nfds_t count = 0;
    if (lua_isnoneornil(L, index))
        return 0;
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        count++;
    return count;
}

static void read_fds(lua_State *L, int index, struct pollfd *out) {
    if (lua_isnoneornil(L, index))
        return;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1), out++) {
        lua_Integer fd = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : -1;
        luaL_argcheck(L, fd >= 0 && fd <= INT32_MAX, 2,
                      "a key is not a descriptor");
        out->fd = (int)fd;
        out->events = events_of(L, -1);
        out->revents = 0;
    }
}

static bool interrupted(const struct pump *pump) {
    return lua_gethook(pump->main) != pump->hook;
}

/* Waits at most `timeout` ns of real time. */
static enum outcome wait(struct pump *pump, int64_t timeout) {
    struct timespec time = {timeout / CLOCK_SECOND, timeout % CLOCK_SECOND};
    struct lhcs_world *world = pump->world;
    bool block = timeout != 0 && queue_empty(world->queue, true);
    int ready;
    if (!block)
        time = (struct timespec){0, 0};
    pump->polls[0].fd = queue_pollfd(world->queue, false);
    pump->polls[1].fd =
        world->stepped ? world->own.hcshost_pollfd(world->host) : -1;
    ready = ppoll(pump->polls, pump->count,
                  timeout == NEVER && block ? NULL : &time, NULL);
    if (ready < 0) {
        for (nfds_t i = 0; i < pump->count; i++)
            pump->polls[i].revents = 0;
        ready = errno == EINTR ? -1 : -2;
        pump->failure = hresult_from_errno(errno);
    }
    if (block)
        queue_awake(world->queue);
    if (ready < 0)
        return ready == -1 ? SIGNAL : FAILURE;
    for (nfds_t i = OURS; i < pump->count; i++)
        if (pump->polls[i].revents != 0)
            return READY;
    return NOTHING;
}

/* Looks without waiting. */
static enum outcome look(struct pump *pump) {
    enum outcome outcome = pump->count > OURS ? wait(pump, 0) : NOTHING;
    if (!queue_empty(pump->world->queue, false))
        return QUEUE;
    if (outcome == NOTHING && interrupted(pump))
        return SIGNAL;
    return outcome;
}

static int64_t host_now(struct pump *pump) {
    struct lhcs_world *world = pump->world;
    int64_t now = 0;
    if (world->host == NULL || world->clock == LHCS_REAL)
        return clock_monotonic();
    (void)world->own.hcshost_now(world->host, &now);
    return now;
}

static int64_t remaining(struct pump *pump) {
    int64_t now;
    if (pump->deadline == NEVER)
        return NEVER;
    now = host_now(pump);
    return now >= pump->deadline ? 0 : pump->deadline - now;
}

static bool step(struct pump *pump, int64_t dt) {
    struct lhcs_world *world = pump->world;
    pump->failure = world->own.hcshost_step(world->host, dt, 0, NULL);
    return SUCCEEDED(pump->failure);
}

/* Time to the next thing due in the host, or NEVER. */
static int64_t next_due(struct pump *pump) {
    struct lhcs_world *world = pump->world;
    int64_t timeout = -1;
    if (FAILED(world->own.hcshost_timeout(world->host, &timeout)) ||
        timeout < 0)
        return NEVER;
    return timeout;
}

static int64_t lesser(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* One round of a stepped host, after which one looks again. */
static enum outcome round_stepped(struct pump *pump, int64_t left) {
    enum lhcs_clock clock = pump->world->clock;
    int64_t due = clock == LHCS_MANUAL ? NEVER : next_due(pump);
    if (clock == LHCS_REAL)
        return wait(pump, lesser(due, left));
    if (due == NEVER && left == NEVER) /* only the world outside is left */
        return pump->count > OURS ? wait(pump, NEVER) : TIMEOUT;
    if (clock == LHCS_MANUAL)
        return TIMEOUT;
    return step(pump, lesser(due, left)) ? NOTHING : FAILURE;
}

static enum outcome run_stepped(struct pump *pump) {
    for (;;) {
        int64_t left = remaining(pump);
        enum outcome outcome;
        if (!step(pump, 0))
            return FAILURE;
        outcome = look(pump);
        if (outcome != NOTHING)
            return outcome;
        if (left == 0)
            return TIMEOUT;
        outcome = round_stepped(pump, left);
        if (outcome != NOTHING)
            return outcome;
    }
}

static enum outcome run_threaded(struct pump *pump) {
    for (;;) {
        int64_t left = remaining(pump);
        enum outcome outcome = look(pump);
        if (outcome != NOTHING)
            return outcome;
        if (left == 0)
            return TIMEOUT;
        outcome = wait(pump, left);
        if (outcome != NOTHING)
            return outcome;
    }
}

/* What is due at once: helps with it, and waits for what is left. */
static enum outcome do_due(struct pump *pump) {
    if (!step(pump, 0))
        return FAILURE;
    return next_due(pump) == 0 ? wait(pump, CLOCK_MS) : NOTHING;
}

/* On a virtual clock time passes for those who wait in the host, and this
 * thread does not unless it says so. What is due at once comes first, and one
 * looks after one has asked: then nothing comes in between. */
static enum outcome run_timeless(struct pump *pump) {
    for (;;) {
        int64_t left = remaining(pump);
        int64_t due = next_due(pump);
        enum outcome outcome = look(pump);
        if (outcome != NOTHING)
            return outcome;
        if (due == 0)
            outcome = do_due(pump);
        else if (left == 0)
            return TIMEOUT;
        else if (due == NEVER && left == NEVER)
            return pump->count > OURS ? wait(pump, NEVER) : TIMEOUT;
        else if (!step(pump, lesser(due, left)))
            return FAILURE;
        if (outcome != NOTHING)
            return outcome;
    }
}

static enum outcome run(struct pump *pump) {
    if (pump->world->stepped)
        return run_stepped(pump);
    if (pump->world->clock == LHCS_VIRTUAL)
        return run_timeless(pump);
    return run_threaded(pump);
}

/* The set of the caller's descriptors that are ready. */
static void push_ready(lua_State *L, const struct pump *pump) {
    lua_newtable(L);
    for (nfds_t i = OURS; i < pump->count; i++) {
        const struct pollfd *poll = &pump->polls[i];
        short events = poll->revents;
        if (events == 0)
            continue;
        /* Errors and ends are found by whoever reads or writes. */
        if ((events & (POLLIN | POLLOUT)) == 0)
            events = poll->events;
        lua_pushstring(L, (events & POLLIN) == 0    ? "w"
                          : (events & POLLOUT) == 0 ? "r"
                                                    : "rw");
        lua_rawseti(L, -2, poll->fd);
    }
}

/* Whether something is there after no more than a look and a step. */
static bool is_there(struct lhcs_world *world) {
    if (!queue_empty(world->queue, false))
        return true;
    return world->stepped &&
           SUCCEEDED(world->own.hcshost_step(world->host, 0, 0, NULL)) &&
           !queue_empty(world->queue, false);
}

/* api.pump(timeout, fds): "queue", "fd" (both with the set of descriptors that
 * are ready, if any were asked for), "signal" or "timeout". */
int lhcs_pump(lua_State *L) {
    static const char *const names[] = {NULL,     "queue",   "fd",
                                        "signal", "timeout", NULL};
    struct pollfd few[FEW];
    struct pump pump = {.world = lhcs_world(L), .polls = few};
    int64_t timeout = lhcs_check_time(L, 1, NEVER);
    enum outcome outcome;
    if (queue_foreign(pump.world->queue))
        return luaL_error(L, "the host belongs to another process");
    if (lua_isnoneornil(L, 2) && is_there(pump.world)) {
        lua_pushliteral(L, "queue");
        return 1;
    }
    lua_settop(L, 2);
    pump.count = OURS + count_fds(L, 2);
    if (pump.count > FEW)
        pump.polls = lua_newuserdatauv(L, pump.count * sizeof(few[0]), 0);
    pump.polls[0] = (struct pollfd){.fd = -1, .events = POLLIN};
    pump.polls[1] = (struct pollfd){.fd = -1, .events = POLLIN};
    read_fds(L, 2, pump.polls + OURS);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    pump.main = lua_tothread(L, -1);
    pump.hook = lua_gethook(pump.main);
    pump.deadline = NEVER;
    if (timeout != NEVER)
        pump.deadline = host_now(&pump) + timeout;
    outcome = run(&pump);
    if (outcome == FAILURE)
        return lhcs_fail(L, pump.failure, NULL);
    lua_pushstring(L, names[outcome]);
    if (pump.count == OURS || outcome == SIGNAL || outcome == TIMEOUT)
        return 1;
    push_ready(L, &pump);
    return 2;
}
