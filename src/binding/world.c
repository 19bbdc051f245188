/* SPDX-License-Identifier: MIT
 * A host as a Lua value: what its functions share, and its end. */
#include "lhcs.h"

#include <stdlib.h>
#include <string.h>

void lhcs_world_is_closed(lua_State *L) {
    lua_getiuservalue(L, LHCS_UP(UP_WORLD), WORLD_URI);
    luaL_error(L, "the host '%s' is closed", lua_tostring(L, -1));
}

struct lhcs_world *lhcs_world_new(lua_State *L) {
    struct lhcs_world *world =
        lua_newuserdatauv(L, sizeof(*world), WORLD_VALUES);
    memset(world, 0, sizeof(*world));
    link_init(&world->handles);
    pollable_init(&world->pollable);
    world->interrupt.object = HCS_NOT_WAITABLE;
    luaL_setmetatable(L, LHCS_WORLD);
    luaL_getmetatable(L, LHCS_OPERATION);
    world->operation_meta = lua_topointer(L, -1);
    luaL_getmetatable(L, LHCS_SYSTEM);
    world->system_meta = lua_topointer(L, -1);
    lua_pop(L, 2);
    return world;
}

/* The embedded host takes its handles with it and waits for callbacks that
 * run. Microsoft's DLLs know no host: there each handle is closed. */
static void close_handles(struct lhcs_world *world) {
    world->recent_operation = NULL;
    world->recent_system = NULL;
    if (world->host != NULL) {
        (void)world->own.hcshost_close(world->host);
        world->host = NULL;
        while (!link_alone(&world->handles)) {
            struct lhcs_handle *handle =
                HCS_CONTAINER(world->handles.next, struct lhcs_handle, link);
            if (handle->apart) {
                lhcs_handle_close(handle);
            } else {
                handle->open = false;
                link_remove(&handle->link);
            }
        }
    } else {
        while (!link_alone(&world->handles))
            lhcs_handle_close(
                HCS_CONTAINER(world->handles.next, struct lhcs_handle, link));
    }
}

void lhcs_world_drop(struct lhcs_world *world) {
    pollable_close(&world->pollable); /* while what it waits for exists */
    if (world->open)
        close_handles(world);
    world->open = false;
    interrupt_close(&world->interrupt);
    queue_close(world->queue);
    world->queue = NULL;
    free(world->text);
    world->text = NULL;
    library_forget(&world->library);
}

int lhcs_close(lua_State *L) {
    lhcs_world_drop(lua_touserdata(L, LHCS_UP(UP_WORLD)));
    return 0;
}

static int world_gc(lua_State *L) {
    lhcs_world_drop(luaL_checkudata(L, 1, LHCS_WORLD));
    return 0;
}

static int world_tostring(lua_State *L) {
    struct lhcs_world *world = luaL_checkudata(L, 1, LHCS_WORLD);
    lua_getiuservalue(L, 1, WORLD_URI);
    lua_pushfstring(L, LHCS_WORLD " %s%s", lua_tostring(L, -1),
                    world->open ? "" : " (closed)");
    return 1;
}

void lhcs_world_register(lua_State *L) {
    static const luaL_Reg meta[] = {{"__gc", world_gc},
                                    {"__close", world_gc},
                                    {"__tostring", world_tostring},
                                    {NULL, NULL}};
    if (luaL_newmetatable(L, LHCS_WORLD)) {
        luaL_setfuncs(L, meta, 0);
    }
    lua_pop(L, 1);
}

HRESULT lhcs_enter(struct lhcs_world *world, HCSHOST *previous) {
    *previous = NULL;
    if (world->host == NULL)
        return S_OK;
    return world->own.hcshost_enter(world->host, previous);
}

void lhcs_leave(struct lhcs_world *world, HCSHOST previous) {
    if (world->host != NULL)
        (void)world->own.hcshost_enter(previous, NULL);
}

bool lhcs_push_open(lua_State *L, uint64_t number) {
    const struct lhcs_handle *handle;
    lua_rawgeti(L, LHCS_UP(UP_OBJECTS), (lua_Integer)number);
    handle = lua_touserdata(L, -1);
    if (handle != NULL && handle->open)
        return true;
    lua_pop(L, 1);
    return false;
}
