/* SPDX-License-Identifier: MIT
 * HCS_OPERATION and the functions that take nothing else. */
#include "lhcs.h"

static void release(struct lhcs_handle *handle) {
    struct lhcs_operation *operation = (struct lhcs_operation *)(void *)handle;
    handle->world->hcs.HcsCloseOperation(operation->handle);
}

/* (context, callback): any value, and whether its completion is to come
 * through the queue. */
int lhcs_HcsCreateOperation(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    bool callback = lua_toboolean(L, 2);
    struct lhcs_operation *operation;
    HCSHOST previous;
    HRESULT hr = S_OK;
    lua_settop(L, 2);
    operation =
        lhcs_handle_new(L, world, sizeof(*operation), UP_OPERATION, release);
    if (!lua_isnil(L, 1)) {
        lua_pushvalue(L, 1);
        lua_setiuservalue(L, -2, HANDLE_CONTEXT);
    }
    if (callback)
        hr = lhcs_handle_reserve(&operation->base, QUEUE_OPERATION_ITEMS);
    if (SUCCEEDED(hr))
        hr = lhcs_enter(world, &previous);
    if (SUCCEEDED(hr)) {
        operation->handle =
            world->hcs.HcsCreateOperation(QUEUE_CONTEXT(operation->base.number),
                                          callback ? queue_on_operation : NULL);
        lhcs_leave(world, previous);
    }
    if (operation->handle != NULL) {
        lhcs_handle_opened(&operation->base);
    } else {
        (void)lhcs_handle_reserve(&operation->base, 0);
        lua_pushnil(L);
    }
    return 1;
}

int lhcs_HcsCloseOperation(lua_State *L) {
    (void)lhcs_world(L);
    lhcs_handle_close(luaL_checkudata(L, 1, LHCS_OPERATION));
    return 0;
}

/* What Lua gave for a context stays in Lua; the host has the number. */
int lhcs_HcsGetOperationContext(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 1);
    if (world->hcs.HcsGetOperationContext(operation->handle) == NULL)
        lua_pushnil(L);
    else
        lua_getiuservalue(L, 1, HANDLE_CONTEXT);
    return 1;
}

static int set_context(lua_State *L, HRESULT hr) {
    if (SUCCEEDED(hr)) {
        lua_settop(L, 2);
        lua_setiuservalue(L, 1, HANDLE_CONTEXT);
    }
    lhcs_push_result(L, hr);
    return 1;
}

int lhcs_HcsSetOperationContext(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 1);
    return set_context(
        L, world->hcs.HcsSetOperationContext(
               operation->handle, QUEUE_CONTEXT(operation->base.number)));
}

int lhcs_HcsSetOperationCallback(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 1);
    bool callback = lua_toboolean(L, 3);
    HRESULT hr = S_OK;
    if (callback)
        hr = lhcs_handle_reserve(&operation->base, QUEUE_OPERATION_ITEMS);
    if (SUCCEEDED(hr))
        hr = world->hcs.HcsSetOperationCallback(
            operation->handle, QUEUE_CONTEXT(operation->base.number),
            callback ? queue_on_operation : NULL);
    return set_context(L, hr);
}

int lhcs_HcsGetComputeSystemFromOperation(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 1);
    HCS_SYSTEM system =
        world->hcs.HcsGetComputeSystemFromOperation(operation->handle);
    struct link *at = world->handles.next;
    for (; system != NULL && at != &world->handles; at = at->next) {
        struct lhcs_handle *handle =
            HCS_CONTAINER(at, struct lhcs_handle, link);
        if (handle->release == lhcs_system_release &&
            ((struct lhcs_system *)(void *)handle)->handle == system &&
            lhcs_push_open(L, handle->number))
            return 1;
    }
    lua_pushnil(L);
    return 1;
}

int lhcs_HcsGetOperationType(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 1);
    lua_pushinteger(L, world->hcs.HcsGetOperationType(operation->handle));
    return 1;
}

int lhcs_HcsGetOperationId(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 1);
    lua_pushinteger(
        L, (lua_Integer)world->hcs.HcsGetOperationId(operation->handle));
    return 1;
}

int lhcs_HcsGetOperationResult(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 1);
    PWSTR document = NULL;
    HRESULT hr = world->hcs.HcsGetOperationResult(operation->handle, &document);
    lhcs_push_result(L, hr);
    lhcs_push_document(L, world, document);
    return 2;
}

int lhcs_HcsWaitForOperationResult(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 1);
    DWORD timeout = lhcs_check_dword(L, 2);
    PWSTR document = NULL;
    HRESULT hr = world->hcs.HcsWaitForOperationResult(operation->handle,
                                                      timeout, &document);
    lhcs_push_result(L, hr);
    lhcs_push_document(L, world, document);
    return 2;
}

int lhcs_HcsCancelOperation(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 1);
    lhcs_push_result(L, world->hcs.HcsCancelOperation(operation->handle));
    return 1;
}
