/* SPDX-License-Identifier: MIT
 * What handles have in common as userdata. */
#include "lhcs.h"

#include <string.h>

/* The metatable is on the stack's top, and goes from there. */
static void *make(lua_State *L, struct lhcs_world *world, size_t size,
                  void (*release)(struct lhcs_handle *handle)) {
    struct lhcs_handle *handle = lua_newuserdatauv(L, size, HANDLE_VALUES);
    memset(handle, 0, size);
    link_init(&handle->link);
    handle->world = world;
    handle->release = release;
    handle->number = queue_number(world->queue);
    lua_insert(L, -2);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, LHCS_UP(UP_WORLD));
    lua_setiuservalue(L, -2, HANDLE_WORLD);
    lua_pushvalue(L, -1);
    lua_rawseti(L, LHCS_UP(UP_OBJECTS), (lua_Integer)handle->number);
    return handle;
}

void *lhcs_handle_new(lua_State *L, struct lhcs_world *world, size_t size,
                      int type, void (*release)(struct lhcs_handle *handle)) {
    lua_pushvalue(L, LHCS_UP(type));
    return make(L, world, size, release);
}

void *lhcs_handle_new_of(lua_State *L, struct lhcs_world *world, size_t size,
                         const char *type,
                         void (*release)(struct lhcs_handle *handle)) {
    luaL_getmetatable(L, type);
    return make(L, world, size, release);
}

void lhcs_handle_opened(struct lhcs_handle *handle) {
    handle->open = true;
    link_append(&handle->world->handles, &handle->link);
}

static void forget(struct lhcs_world *world, const struct lhcs_handle *handle) {
    if (world->recent_operation == handle)
        world->recent_operation = NULL;
    if (world->recent_system == handle)
        world->recent_system = NULL;
}

void lhcs_handle_close(struct lhcs_handle *handle) {
    if (!handle->open)
        return;
    handle->open = false;
    link_remove(&handle->link);
    forget(handle->world, handle);
    handle->release(handle);
    (void)lhcs_handle_reserve(handle, 0);
}

HRESULT lhcs_handle_reserve(struct lhcs_handle *handle, unsigned count) {
    struct queue *queue = handle->world->queue;
    HRESULT hr = S_OK;
    if (queue_foreign(queue))
        return S_OK;
    if (count > handle->reserved)
        hr = queue_reserve(queue, count - handle->reserved);
    else if (count < handle->reserved)
        queue_unreserve(queue, handle->reserved - count);
    if (SUCCEEDED(hr))
        handle->reserved = count;
    return hr;
}

void lhcs_handle_check(lua_State *L, const struct lhcs_world *world, int arg,
                       const struct lhcs_handle *handle) {
    if (!handle->open)
        luaL_argerror(L, arg, "it is closed");
    if (handle->world != world)
        luaL_argerror(L, arg, "it belongs to another host");
}

/* The handle at `arg` if its metatable is the one with this identity. Most
 * calls are about the handle of the call before: while it is open, nothing
 * else can lie at its address. */
static struct lhcs_handle *check(lua_State *L, struct lhcs_world *world,
                                 int arg, const void *meta, const char *type,
                                 struct lhcs_handle **recent) {
    struct lhcs_handle *handle = lua_touserdata(L, arg);
    bool same = false;
    if (handle != NULL && handle == *recent)
        return handle;
    if (handle != NULL && lua_getmetatable(L, arg)) {
        same = lua_topointer(L, -1) == meta;
        lua_pop(L, 1);
    }
    if (!same)
        luaL_typeerror(L, arg, type);
    lhcs_handle_check(L, world, arg, handle);
    *recent = handle;
    return handle;
}

struct lhcs_operation *lhcs_check_operation(lua_State *L,
                                            struct lhcs_world *world, int arg) {
    return (struct lhcs_operation *)(void *)check(
        L, world, arg, world->operation_meta, LHCS_OPERATION,
        &world->recent_operation);
}

struct lhcs_system *lhcs_check_system(lua_State *L, struct lhcs_world *world,
                                      int arg) {
    return (struct lhcs_system *)(void *)check(
        L, world, arg, world->system_meta, LHCS_SYSTEM, &world->recent_system);
}

/* Methods of all kinds: the upvalues are the type's name and metatable. */
static struct lhcs_handle *self(lua_State *L) {
    void *handle = lua_touserdata(L, 1);
    bool same = false;
    if (handle != NULL && lua_getmetatable(L, 1)) {
        same = lua_rawequal(L, -1, lua_upvalueindex(2));
        lua_pop(L, 1);
    }
    if (same)
        return handle;
    return luaL_checkudata(L, 1, lua_tostring(L, lua_upvalueindex(1)));
}

static int handle_close(lua_State *L) {
    lhcs_handle_close(self(L));
    return 0;
}

static int handle_is_open(lua_State *L) {
    lua_pushboolean(L, self(L)->open);
    return 1;
}

static int handle_tostring(lua_State *L) {
    struct lhcs_handle *handle = self(L);
    const char *type = lua_tostring(L, lua_upvalueindex(1));
    const char *state = handle->open ? "" : " (closed)";
    if (lua_getiuservalue(L, 1, HANDLE_NAME) == LUA_TSTRING)
        lua_pushfstring(L, "%s \"%s\"%s", type, lua_tostring(L, -1), state);
    else
        lua_pushfstring(L, "%s %I%s", type,
                        (LUAI_UACINT)(handle->number & 0xFFFFFFFFFFFFF), state);
    return 1;
}

void lhcs_handle_register(lua_State *L, const char *type,
                          const luaL_Reg *methods) {
    static const luaL_Reg meta[] = {{"__gc", handle_close},
                                    {"__close", handle_close},
                                    {"__tostring", handle_tostring},
                                    {NULL, NULL}};
    static const luaL_Reg common[] = {
        {"close", handle_close}, {"is_open", handle_is_open}, {NULL, NULL}};
    if (luaL_newmetatable(L, type)) {
        lua_pushstring(L, type);
        lua_pushvalue(L, -2);
        luaL_setfuncs(L, meta, 2);
        lua_newtable(L);
        lua_pushstring(L, type);
        lua_pushvalue(L, -3);
        luaL_setfuncs(L, common, 2);
        luaL_setfuncs(L, methods, 0);
        lua_setfield(L, -2, "__index");
    }
    lua_pop(L, 1);
}
