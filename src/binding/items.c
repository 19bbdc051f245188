/* SPDX-License-Identifier: MIT
 * api.next, and the small functions that ask or move an embedded host. */
#include "lhcs.h"

#include <stdlib.h>

#include "../base/clock.h"
#include "watch.h"

const char *const lhcs_guest_events[] = {"",      "boot", "wake", "input",
                                         "power", "nmi",  "off",  NULL};

static void push_text(lua_State *L, const struct item *item) {
    if (item->text == NULL)
        lua_pushnil(L);
    else
        lua_pushlstring(L, item->text, item->length);
}

/* "network", type, status, document, callback. */
static int push_notice(lua_State *L, const struct item *item) {
    lua_pushliteral(L, "network");
    lua_pushinteger(L, (lua_Integer)(uint32_t)item->type);
    lhcs_push_result(L, item->status);
    push_text(L, item);
    return lhcs_push_open(L, item->number) ? 5 : 0;
}

/* Pushes an item's values; 0 when what it is about is closed by now. */
static int push_item(lua_State *L, const struct item *item) {
    if (item->kind == ITEM_GUEST) {
        lua_pushliteral(L, "guest");
        lua_pushinteger(L, (lua_Integer)item->number);
        lua_pushstring(L, lhcs_guest_events[item->type]);
        push_text(L, item);
        return 4;
    }
    if (item->kind == ITEM_NETWORK)
        return push_notice(L, item);
    lua_pushstring(L, item->kind == ITEM_EVENT ? "event" : "operation");
    if (!lhcs_push_open(L, item->number))
        return 0;
    if (item->kind == ITEM_OPERATION)
        return 2;
    lua_pushinteger(L, (lua_Integer)(uint32_t)item->type);
    push_text(L, item);
    if (!lhcs_push_open(L, item->operation))
        lua_pushnil(L);
    return 5;
}

/* api.next(): one item of the queue, or nil. */
int lhcs_next(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct item item;
    int results = 0;
    if (queue_foreign(world->queue))
        return luaL_error(L, "the host belongs to another process");
    while (results == 0 && queue_take(world->queue, &item)) {
        free(world->text); /* from now on the world's, as Lua may jump */
        world->text = item.text;
        lua_settop(L, 0);
        results = push_item(L, &item);
    }
    if (results == 0) {
        lua_pushnil(L);
        return 1;
    }
    return results;
}

/* api.queue_counts(): items waiting, coalesced and dropped. */
int lhcs_queue_counts(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct queue_counts counts;
    if (queue_foreign(world->queue))
        return luaL_error(L, "the host belongs to another process");
    queue_count(world->queue, &counts);
    lua_pushinteger(L, (lua_Integer)counts.waiting);
    lua_pushinteger(L, (lua_Integer)counts.coalesced);
    lua_pushinteger(L, (lua_Integer)counts.dropped);
    return 3;
}

static hcs_waitable host_object(lua_State *L, const struct lhcs_world *world) {
    if (queue_foreign(world->queue))
        luaL_error(L, "the host belongs to another process");
    if (!world->stepped)
        return HCS_NOT_WAITABLE;
    return watch_object(world->own.hcshost_pollfd(world->host));
}

/* api.pollfd(): a descriptor, the api's own, that is readable when api.pump
 * has something to do at once; on Windows the handle of an event. */
int lhcs_pollfd(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    hcs_waitable host = host_object(L, world);
    hcs_waitable out = HCS_NOT_WAITABLE;
    struct hcs_error error;
    HRESULT hr =
        pollable_get(&world->pollable, world->queue, host, &out, &error);
    if (FAILED(hr))
        return lhcs_fail(L, hr, error.text);
    lua_pushinteger(L, watch_number(out));
    return 1;
}

/* api.pollsocket(): the same for loops that poll sockets only. */
int lhcs_pollsocket(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    hcs_waitable host = host_object(L, world);
    intptr_t out = 0;
    struct hcs_error error;
    HRESULT hr =
        pollable_get_socket(&world->pollable, world->queue, host, &out, &error);
    if (FAILED(hr))
        return lhcs_fail(L, hr, error.text);
    lua_pushinteger(L, (lua_Integer)out);
    return 1;
}

static int push_seconds(lua_State *L, int64_t time) {
    lua_pushnumber(L, (lua_Number)time / (lua_Number)CLOCK_SECOND);
    return 1;
}

/* api.now(): seconds of the host's clock. */
int lhcs_now(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    int64_t now = 0;
    HRESULT hr = world->own.hcshost_now(world->host, &now);
    return FAILED(hr) ? lhcs_fail(L, hr, NULL) : push_seconds(L, now);
}

/* api.timeout(): seconds of host time until something is due, 0 when items
 * wait; nil when nothing is scheduled. */
int lhcs_timeout(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    int64_t timeout = -1;
    HRESULT hr = world->own.hcshost_timeout(world->host, &timeout);
    if (FAILED(hr))
        return lhcs_fail(L, hr, NULL);
    if (!queue_empty(world->queue, false))
        timeout = 0;
    if (timeout >= 0)
        return push_seconds(L, timeout);
    lua_pushnil(L);
    return 1;
}

/* api.step(dt, budget), seconds: whether anything was done, and the part of dt
 * that the budget did not reach. */
int lhcs_step(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    int64_t dt = lhcs_check_time(L, 1, 0);
    int64_t budget = lhcs_check_time(L, 2, 0);
    int64_t left = 0;
    HRESULT hr;
    luaL_argcheck(L, luaL_optnumber(L, 1, 0) >= 0, 1, "time goes forward only");
    luaL_argcheck(L, dt != INT64_MAX, 1, "it is too long");
    hr = world->own.hcshost_step(world->host, dt,
                                 budget == INT64_MAX ? 0 : budget, &left);
    pollable_update(&world->pollable, world->queue);
    if (FAILED(hr))
        return lhcs_fail(L, hr, NULL);
    lua_pushboolean(L, hr == S_OK);
    return 1 + push_seconds(L, left);
}

static int push_about(lua_State *L,
                      HRESULT (*ask)(HCSHOST host, PWSTR *document)) {
    struct lhcs_world *world = lhcs_world(L);
    PWSTR document = NULL;
    HRESULT hr = ask(world->host, &document);
    if (FAILED(hr))
        return lhcs_fail(L, hr, NULL);
    lhcs_push_document(L, world, document);
    return 1;
}

/* api.describe() and api.inventory(): documents. */
int lhcs_describe(lua_State *L) {
    return push_about(L, lhcs_world(L)->own.hcshost_describe);
}

int lhcs_inventory(lua_State *L) {
    return push_about(L, lhcs_world(L)->own.hcshost_inventory);
}
