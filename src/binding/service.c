/* SPDX-License-Identifier: MIT
 * The functions without a handle: the service's and those of files. They run
 * in the api's own host. */
#include "lhcs.h"

int lhcs_HcsGetServiceProperties(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word query = {.arg = 1, .optional = true};
    PWSTR document = NULL;
    HCSHOST previous;
    HRESULT hr;
    lhcs_words(L, &query, 1);
    hr = lhcs_enter(world, &previous);
    if (SUCCEEDED(hr)) {
        hr = world->hcs.HcsGetServiceProperties(query.wide, &document);
        lhcs_leave(world, previous);
    }
    lhcs_words_free(&query, 1);
    lhcs_push_result(L, hr);
    lhcs_push_document(L, world, document);
    return 2;
}

/* (path), with an upvalue that says where the function is. */
typedef HRESULT(WINAPI *path_function)(PCWSTR);

int lhcs_path_call(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    const path_function *call = lua_touserdata(L, LHCS_UP(UP_ADDRESS));
    struct lhcs_word path = {.arg = 1};
    HCSHOST previous;
    HRESULT hr;
    lhcs_words(L, &path, 1);
    hr = lhcs_enter(world, &previous);
    if (SUCCEEDED(hr)) {
        hr = (*call)(path.wide);
        lhcs_leave(world, previous);
    }
    lhcs_words_free(&path, 1);
    lhcs_push_result(L, hr);
    return 1;
}

/* (vm id, path), likewise. */
typedef HRESULT(WINAPI *access_function)(PCWSTR, PCWSTR);

int lhcs_access_call(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    const access_function *call = lua_touserdata(L, LHCS_UP(UP_ADDRESS));
    struct lhcs_word words[] = {{.arg = 1}, {.arg = 2}};
    HCSHOST previous;
    HRESULT hr;
    lhcs_words(L, words, 2);
    hr = lhcs_enter(world, &previous);
    if (SUCCEEDED(hr)) {
        hr = (*call)(words[0].wide, words[1].wide);
        lhcs_leave(world, previous);
    }
    lhcs_words_free(words, 2);
    lhcs_push_result(L, hr);
    return 1;
}
