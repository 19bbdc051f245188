/* SPDX-License-Identifier: MIT
 * HCS_SYSTEM and the functions of compute systems. */
#include "lhcs.h"

void lhcs_system_release(struct lhcs_handle *handle) {
    struct lhcs_system *system = (struct lhcs_system *)(void *)handle;
    handle->world->hcs.HcsCloseComputeSystem(system->handle);
}

/* Pushes a new closed system that goes by the id at stack index `id`. */
static struct lhcs_system *new_system(lua_State *L, struct lhcs_world *world,
                                      int id) {
    struct lhcs_system *system = lhcs_handle_new(
        L, world, sizeof(*system), UP_SYSTEM, lhcs_system_release);
    lua_pushvalue(L, id);
    lua_setiuservalue(L, -2, HANDLE_NAME);
    return system;
}

/* The result and the system at the top of the stack, or nil in its place. */
static int push_opened(lua_State *L, struct lhcs_system *system, HRESULT hr) {
    if (system->handle != NULL)
        lhcs_handle_opened(&system->base);
    else
        lua_pushnil(L);
    lhcs_push_result(L, hr);
    lua_insert(L, -2);
    return 2;
}

int lhcs_HcsEnumerateComputeSystems(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word query = {.arg = 1, .optional = true};
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 2);
    HRESULT hr;
    lhcs_words(L, &query, 1);
    hr = world->hcs.HcsEnumerateComputeSystems(query.wide, operation->handle);
    lhcs_words_free(&query, 1);
    lhcs_push_result(L, hr);
    return 1;
}

int lhcs_HcsCreateComputeSystem(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word words[] = {{.arg = 1}, {.arg = 2}};
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 3);
    struct lhcs_system *system;
    HRESULT hr;
    luaL_argexpected(L, lua_isnoneornil(L, 4), 4, "nil");
    luaL_checkstring(L, 1);
    system = new_system(L, world, 1);
    lhcs_words(L, words, 2);
    hr = world->hcs.HcsCreateComputeSystem(
        words[0].wide, words[1].wide, operation->handle, NULL, &system->handle);
    lhcs_words_free(words, 2);
    return push_opened(L, system, hr);
}

int lhcs_HcsOpenComputeSystem(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word id = {.arg = 1};
    DWORD access = lua_isnoneornil(L, 2) ? GENERIC_ALL : lhcs_check_dword(L, 2);
    struct lhcs_system *system;
    HCSHOST previous;
    HRESULT hr;
    luaL_checkstring(L, 1);
    system = new_system(L, world, 1);
    lhcs_words(L, &id, 1);
    hr = lhcs_enter(world, &previous);
    if (SUCCEEDED(hr)) {
        hr = world->hcs.HcsOpenComputeSystem(id.wide, access, &system->handle);
        lhcs_leave(world, previous);
    }
    lhcs_words_free(&id, 1);
    return push_opened(L, system, hr);
}

int lhcs_HcsCloseComputeSystem(lua_State *L) {
    (void)lhcs_world(L);
    lhcs_handle_close(luaL_checkudata(L, 1, LHCS_SYSTEM));
    return 0;
}

/* All of (system, operation, document); an upvalue says where the function
 * is. */
typedef HRESULT(WINAPI *system_function)(HCS_SYSTEM, HCS_OPERATION, PCWSTR);

int lhcs_system_call(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_system *system = lhcs_check_system(L, world, 1);
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 2);
    const system_function *call = lua_touserdata(L, LHCS_UP(UP_ADDRESS));
    struct lhcs_word document = {.arg = 3, .optional = true};
    HRESULT hr;
    if (lua_isnoneornil(L, 3)) {
        hr = (*call)(system->handle, operation->handle, NULL);
    } else {
        lhcs_words(L, &document, 1);
        hr = (*call)(system->handle, operation->handle, document.wide);
        lhcs_words_free(&document, 1);
    }
    lhcs_push_result(L, hr);
    return 1;
}

/* The identity is a HANDLE to a token: light userdata, or nil. */
int lhcs_HcsModifyComputeSystem(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_system *system = lhcs_check_system(L, world, 1);
    struct lhcs_operation *operation = lhcs_check_operation(L, world, 2);
    struct lhcs_word document = {.arg = 3, .optional = true};
    HANDLE identity = NULL;
    HRESULT hr;
    if (!lua_isnoneornil(L, 4)) {
        luaL_argexpected(L, lua_islightuserdata(L, 4), 4,
                         "light userdata or nil");
        identity = lua_touserdata(L, 4);
    }
    lhcs_words(L, &document, 1);
    hr = world->hcs.HcsModifyComputeSystem(system->handle, operation->handle,
                                           document.wide, identity);
    lhcs_words_free(&document, 1);
    lhcs_push_result(L, hr);
    return 1;
}

/* (system, options, context, callback): events come through the queue while
 * `callback` is true. */
int lhcs_HcsSetComputeSystemCallback(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_system *system = lhcs_check_system(L, world, 1);
    HCS_EVENT_OPTIONS options = (HCS_EVENT_OPTIONS)lhcs_check_dword(L, 2);
    bool callback = lua_toboolean(L, 4);
    HRESULT hr = S_OK;
    if (callback)
        hr = lhcs_handle_reserve(&system->base, QUEUE_SYSTEM_ITEMS);
    if (SUCCEEDED(hr))
        hr = world->hcs.HcsSetComputeSystemCallback(
            system->handle, options,
            callback ? QUEUE_CONTEXT(system->base.number) : NULL,
            callback ? queue_on_event : NULL);
    if (SUCCEEDED(hr)) {
        lua_settop(L, 3);
        lua_setiuservalue(L, 1, HANDLE_CONTEXT);
    }
    lhcs_push_result(L, hr);
    return 1;
}

int lhcs_HcsWaitForComputeSystemExit(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_system *system = lhcs_check_system(L, world, 1);
    DWORD timeout = lhcs_check_dword(L, 2);
    PWSTR document = NULL;
    HRESULT hr = world->hcs.HcsWaitForComputeSystemExit(system->handle, timeout,
                                                        &document);
    lhcs_push_result(L, hr);
    lhcs_push_document(L, world, document);
    return 2;
}

/* system:context(): what was given with the callback. */
int lhcs_system_context(lua_State *L) {
    luaL_checkudata(L, 1, LHCS_SYSTEM);
    lua_getiuservalue(L, 1, HANDLE_CONTEXT);
    return 1;
}
