/* SPDX-License-Identifier: MIT
 * api.pump: drives a host until there is something for Lua. What "until" means
 * is the clock's affair:
 *
 *   real     polls; a stepped host is stepped between polls
 *   virtual  the host is moved to the next thing due
 *   manual   only api.step moves time, so what is not there is not waited for
 */
#include "lhcs.h"

#include "../base/clock.h"
#include "watch.h"

#define NEVER INT64_MAX
#define FEW 16 /* descriptors without memory of their own */
#define ROOM_TIME (20 * CLOCK_MS)

enum outcome { NOTHING, QUEUE, READY, SIGNAL, TIMEOUT, FAILURE };

struct pump {
    struct lhcs_world *world;
    struct watch *watches; /* the caller's */
    size_t count;
    lua_State *main; /* whose hook lua.c sets on Ctrl-C */
    lua_Hook hook;
    int64_t deadline; /* of the host's clock, or NEVER */
    bool patient;     /* has waited for room */
    HRESULT failure;
    struct hcs_error error;
};

static unsigned mode_of(lua_State *L, int index) {
    const char *mode =
        lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    unsigned wanted = 0;
    for (const char *c = mode; *c != '\0'; c++)
        wanted |= *c == 'r'   ? (unsigned)WATCH_READ
                  : *c == 'w' ? (unsigned)WATCH_WRITE
                              : 0u;
    if (wanted == 0)
        luaL_argerror(L, 2, "descriptors map to \"r\", \"w\" or \"rw\"");
    return wanted;
}

static size_t count_fds(lua_State *L, int index) {
    size_t count = 0;
    if (lua_isnoneornil(L, index))
        return 0;
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        count++;
    return count;
}

static void read_fds(lua_State *L, int index, struct watch *out) {
    if (lua_isnoneornil(L, index))
        return;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1), out++) {
        lua_Integer number = lua_isinteger(L, -2) ? lua_tointeger(L, -2) : -1;
        *out = (struct watch){.wanted = mode_of(L, -1)};
        luaL_argcheck(L, watch_find(L, number, out), 2,
                      "a key is not a descriptor");
    }
}

static bool interrupted(const struct pump *pump) {
    return lua_gethook(pump->main) != pump->hook;
}

static hcs_waitable host_object(const struct lhcs_world *world) {
    if (!world->stepped)
        return HCS_NOT_WAITABLE;
    return watch_object(world->own.hcshost_pollfd(world->host));
}

static bool any_ready(const struct pump *pump) {
    for (size_t i = 0; i < pump->count; i++)
        if (pump->watches[i].ready != 0)
            return true;
    return false;
}

/* Waits at most `timeout` ns of real time. */
static enum outcome wait(struct pump *pump, int64_t timeout) {
    struct lhcs_world *world = pump->world;
    bool block = timeout != 0 && queue_empty(world->queue, true);
    hcs_waitable ours[WATCH_OURS] = {queue_waitable(world->queue, false),
                                     host_object(world),
                                     world->interrupt.object};
    pump->failure = watch_wait(ours, pump->watches, pump->count,
                               block ? timeout : 0, &pump->error);
    if (block)
        queue_awake(world->queue);
    if (FAILED(pump->failure))
        return FAILURE;
    if (pump->failure == S_FALSE || interrupt_came(&world->interrupt))
        return SIGNAL;
    return any_ready(pump) ? READY : NOTHING;
}

/* Looks without waiting. */
static enum outcome look(struct pump *pump) {
    enum outcome outcome = pump->count > 0 ? wait(pump, 0) : NOTHING;
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

static bool any_writer(const struct pump *pump) {
    for (size_t i = 0; i < pump->count; i++)
        if (pump->watches[i].wanted & WATCH_WRITE)
            return true;
    return false;
}

/* What the host has taken out of a pipe makes room, of which Windows tells a
 * moment later: simulated time does not run away from a writer in between. */
static enum outcome await_room(struct pump *pump) {
    if (pump->patient || !any_writer(pump))
        return NOTHING;
    pump->patient = true;
    return wait(pump, ROOM_TIME);
}

/* Moves a virtual clock on. */
static enum outcome advance(struct pump *pump, int64_t dt) {
    enum outcome outcome = await_room(pump);
    if (outcome != NOTHING)
        return outcome;
    return step(pump, dt) ? NOTHING : FAILURE;
}

/* One round of a stepped host, after which one looks again. */
static enum outcome round_stepped(struct pump *pump, int64_t left) {
    enum lhcs_clock clock = pump->world->clock;
    int64_t due = clock == LHCS_MANUAL ? NEVER : next_due(pump);
    if (clock == LHCS_REAL)
        return wait(pump, lesser(due, left));
    if (due == NEVER && left == NEVER) /* only the world outside is left */
        return pump->count > 0 ? wait(pump, NEVER) : TIMEOUT;
    if (clock == LHCS_MANUAL)
        return TIMEOUT;
    return advance(pump, lesser(due, left));
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
            return pump->count > 0 ? wait(pump, NEVER) : TIMEOUT;
        else
            outcome = advance(pump, lesser(due, left));
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
    static const char *const modes[] = {NULL, "r", "w", "rw"};
    lua_newtable(L);
    for (size_t i = 0; i < pump->count; i++) {
        const struct watch *watch = &pump->watches[i];
        if (watch->ready == 0)
            continue;
        lua_pushstring(L, modes[watch->ready]);
        lua_rawseti(L, -2, watch->number);
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
    struct watch few[FEW];
    struct pump pump = {.world = lhcs_world(L), .watches = few};
    int64_t timeout = lhcs_check_time(L, 1, NEVER);
    enum outcome outcome;
    if (queue_foreign(pump.world->queue))
        return luaL_error(L, "the host belongs to another process");
    if (lua_isnoneornil(L, 2) && is_there(pump.world)) {
        lua_pushliteral(L, "queue");
        return 1;
    }
    lua_settop(L, 2);
    pump.count = count_fds(L, 2);
    if (pump.count > FEW)
        pump.watches = lua_newuserdatauv(L, pump.count * sizeof(few[0]), 0);
    read_fds(L, 2, pump.watches);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    pump.main = lua_tothread(L, -1);
    pump.hook = lua_gethook(pump.main);
    pump.deadline = NEVER;
    if (timeout != NEVER)
        pump.deadline = host_now(&pump) + timeout;
    outcome = run(&pump);
    pollable_update(&pump.world->pollable, pump.world->queue);
    if (outcome == FAILURE)
        return lhcs_fail(L, pump.failure,
                         pump.error.code == pump.failure ? pump.error.text
                                                         : NULL);
    lua_pushstring(L, names[outcome]);
    if (pump.count == 0 || outcome == SIGNAL || outcome == TIMEOUT)
        return 1;
    push_ready(L, &pump);
    return 2;
}
