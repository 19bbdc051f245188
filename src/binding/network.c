/* SPDX-License-Identifier: MIT
 * HCN_NETWORK, HCN_ENDPOINT, HCN_NAMESPACE and HCN_CALLBACK, and the functions
 * of networks. GUIDs are text; what a failure leaves is the last result.
 *
 * Documents of this API are blocks of CoTaskMemAlloc, which lie on the heap
 * that LocalFree frees to. */
#include "lhcs.h"

#include <string.h>

#include "../base/guid.h"

/* In C all of them are pointers to nothing in particular. */
struct network {
    struct lhcs_handle base;
    void *handle;
    HRESULT(WINAPI *close)(void *handle);
    HRESULT closed; /* what it returned */
};

typedef HRESULT(WINAPI *list_function)(PCWSTR, PWSTR *, PWSTR *);
typedef HRESULT(WINAPI *create_function)(const GUID *, PCWSTR, void **,
                                         PWSTR *);
typedef HRESULT(WINAPI *open_function)(const GUID *, void **, PWSTR *);
typedef HRESULT(WINAPI *modify_function)(void *, PCWSTR, PWSTR *);
typedef HRESULT(WINAPI *query_function)(void *, PCWSTR, PWSTR *, PWSTR *);
typedef HRESULT(WINAPI *delete_function)(const GUID *, PWSTR *);
typedef HRESULT(WINAPI *close_function)(void *);

/* --- arguments and results ------------------------------------------------ */

/* With or without braces, in either case; `optional`: nil is all zero. */
static GUID check_guid(lua_State *L, int arg, bool optional) {
    struct guid guid = {{0}};
    GUID out = {0, 0, 0, {0}};
    size_t length;
    const char *text;
    if (optional && lua_isnoneornil(L, arg))
        return out;
    text = luaL_checklstring(L, arg, &length);
    luaL_argcheck(L, strlen(text) == length && guid_parse(text, &guid), arg,
                  "not a GUID");
    for (int i = 0; i < 4; i++)
        out.Data1 = out.Data1 << 8 | guid.bytes[i];
    out.Data2 = (uint16_t)(guid.bytes[4] << 8 | guid.bytes[5]);
    out.Data3 = (uint16_t)(guid.bytes[6] << 8 | guid.bytes[7]);
    memcpy(out.Data4, guid.bytes + 8, sizeof(out.Data4));
    return out;
}

static struct network *check(lua_State *L, struct lhcs_world *world, int arg,
                             const char *type) {
    struct network *network = luaL_checkudata(L, arg, type);
    lhcs_handle_check(L, world, arg, &network->base);
    return network;
}

static void release(struct lhcs_handle *handle) {
    struct network *network = (struct network *)(void *)handle;
    network->closed = network->close(network->handle);
}

/* Pushes a new closed handle that goes by the id at `id`, if there is one. */
static struct network *new_network(lua_State *L, struct lhcs_world *world,
                                   const char *type, close_function close,
                                   int id) {
    struct network *network =
        lhcs_handle_new_of(L, world, sizeof(*network), type, release);
    network->close = close;
    if (id != 0 && !lua_isnoneornil(L, id)) {
        lua_pushvalue(L, id);
        lua_setiuservalue(L, -2, HANDLE_NAME);
    }
    return network;
}

/* The result and the error record. */
static int push_done(lua_State *L, struct lhcs_world *world, HRESULT hr,
                     PWSTR record) {
    lhcs_push_result(L, hr);
    lhcs_push_document(L, world, record);
    return 2;
}

/* The result, the handle on the stack's top or nil, the error record. */
static int push_opened(lua_State *L, struct network *network, HRESULT hr,
                       PWSTR record) {
    struct lhcs_world *world = network->base.world;
    if (network->handle != NULL)
        lhcs_handle_opened(&network->base);
    else
        lua_pushnil(L);
    lhcs_push_result(L, hr);
    lua_insert(L, -2);
    lhcs_push_document(L, world, record);
    return 3;
}

/* The result, the document or nil, the error record. */
static int push_answer(lua_State *L, struct lhcs_world *world, HRESULT hr,
                       PWSTR document, PWSTR record) {
    lhcs_push_result(L, hr);
    lhcs_push_document(L, world, document);
    lhcs_push_document(L, world, record);
    return 3;
}

/* --- what each kind has --------------------------------------------------- */

/* (query) */
static int list(lua_State *L, list_function call) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word query = {.arg = 1, .optional = true};
    PWSTR document = NULL, record = NULL;
    HCSHOST previous;
    HRESULT hr;
    lhcs_words(L, &query, 1);
    hr = lhcs_enter(world, &previous);
    if (SUCCEEDED(hr)) {
        hr = call(query.wide, &document, &record);
        lhcs_leave(world, previous);
    }
    lhcs_words_free(&query, 1);
    return push_answer(L, world, hr, document, record);
}

/* (id, settings) */
static int create(lua_State *L, const char *type, create_function call,
                  close_function close) {
    struct lhcs_world *world = lhcs_world(L);
    GUID id = check_guid(L, 1, true);
    struct lhcs_word settings = {.arg = 2};
    PWSTR record = NULL;
    struct network *network;
    HCSHOST previous;
    HRESULT hr;
    lua_settop(L, 2);
    network = new_network(L, world, type, close, 1);
    lhcs_words(L, &settings, 1);
    hr = lhcs_enter(world, &previous);
    if (SUCCEEDED(hr)) {
        hr = call(&id, settings.wide, &network->handle, &record);
        lhcs_leave(world, previous);
    }
    lhcs_words_free(&settings, 1);
    return push_opened(L, network, hr, record);
}

/* (id) */
static int open_one(lua_State *L, const char *type, open_function call,
                    close_function close) {
    struct lhcs_world *world = lhcs_world(L);
    GUID id = check_guid(L, 1, false);
    PWSTR record = NULL;
    struct network *network;
    HCSHOST previous;
    HRESULT hr;
    network = new_network(L, world, type, close, 1);
    hr = lhcs_enter(world, &previous);
    if (SUCCEEDED(hr)) {
        hr = call(&id, &network->handle, &record);
        lhcs_leave(world, previous);
    }
    return push_opened(L, network, hr, record);
}

/* (handle, settings) */
static int modify(lua_State *L, const char *type, modify_function call) {
    struct lhcs_world *world = lhcs_world(L);
    struct network *network = check(L, world, 1, type);
    struct lhcs_word settings = {.arg = 2};
    PWSTR record = NULL;
    HRESULT hr;
    lhcs_words(L, &settings, 1);
    hr = call(network->handle, settings.wide, &record);
    lhcs_words_free(&settings, 1);
    return push_done(L, world, hr, record);
}

/* (handle, query) */
static int query(lua_State *L, const char *type, query_function call) {
    struct lhcs_world *world = lhcs_world(L);
    struct network *network = check(L, world, 1, type);
    struct lhcs_word text = {.arg = 2, .optional = true};
    PWSTR document = NULL, record = NULL;
    HRESULT hr;
    lhcs_words(L, &text, 1);
    hr = call(network->handle, text.wide, &document, &record);
    lhcs_words_free(&text, 1);
    return push_answer(L, world, hr, document, record);
}

/* (id) */
static int delete_one(lua_State *L, delete_function call) {
    struct lhcs_world *world = lhcs_world(L);
    GUID id = check_guid(L, 1, false);
    PWSTR record = NULL;
    HCSHOST previous;
    HRESULT hr = lhcs_enter(world, &previous);
    if (SUCCEEDED(hr)) {
        hr = call(&id, &record);
        lhcs_leave(world, previous);
    }
    return push_done(L, world, hr, record);
}

/* (handle); S_OK when it is closed already. */
static int close_one(lua_State *L, const char *type) {
    struct network *network;
    (void)lhcs_world(L);
    network = luaL_checkudata(L, 1, type);
    network->closed = S_OK;
    lhcs_handle_close(&network->base);
    lhcs_push_result(L, network->closed);
    return 1;
}

/* --- by their names ------------------------------------------------------- */

#define HCS(L) (lhcs_world(L)->hcs)

#define FAMILY(Kind, Kinds, TYPE)                                              \
    int lhcs_HcnEnumerate##Kinds(lua_State *L) {                               \
        return list(L, HCS(L).HcnEnumerate##Kinds);                            \
    }                                                                          \
    int lhcs_HcnOpen##Kind(lua_State *L) {                                     \
        return open_one(L, TYPE, HCS(L).HcnOpen##Kind, HCS(L).HcnClose##Kind); \
    }                                                                          \
    int lhcs_HcnModify##Kind(lua_State *L) {                                   \
        return modify(L, TYPE, HCS(L).HcnModify##Kind);                        \
    }                                                                          \
    int lhcs_HcnQuery##Kind##Properties(lua_State *L) {                        \
        return query(L, TYPE, HCS(L).HcnQuery##Kind##Properties);              \
    }                                                                          \
    int lhcs_HcnDelete##Kind(lua_State *L) {                                   \
        return delete_one(L, HCS(L).HcnDelete##Kind);                          \
    }                                                                          \
    int lhcs_HcnClose##Kind(lua_State *L) {                                    \
        return close_one(L, TYPE);                                             \
    }

FAMILY(Network, Networks, LHCS_NETWORK)
FAMILY(Endpoint, Endpoints, LHCS_ENDPOINT)
FAMILY(Namespace, Namespaces, LHCS_NAMESPACE)

int lhcs_HcnCreateNetwork(lua_State *L) {
    return create(L, LHCS_NETWORK, HCS(L).HcnCreateNetwork,
                  HCS(L).HcnCloseNetwork);
}

int lhcs_HcnCreateNamespace(lua_State *L) {
    return create(L, LHCS_NAMESPACE, HCS(L).HcnCreateNamespace,
                  HCS(L).HcnCloseNamespace);
}

/* (network, id, settings) */
int lhcs_HcnCreateEndpoint(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct network *network = check(L, world, 1, LHCS_NETWORK);
    GUID id = check_guid(L, 2, true);
    struct lhcs_word settings = {.arg = 3};
    struct network *endpoint;
    PWSTR record = NULL;
    HRESULT hr;
    lua_settop(L, 3);
    endpoint =
        new_network(L, world, LHCS_ENDPOINT, world->hcs.HcnCloseEndpoint, 2);
    lhcs_words(L, &settings, 1);
    hr = world->hcs.HcnCreateEndpoint(network->handle, &id, settings.wide,
                                      &endpoint->handle, &record);
    lhcs_words_free(&settings, 1);
    return push_opened(L, endpoint, hr, record);
}

int lhcs_HcnQueryEndpointStats(lua_State *L) {
    return query(L, LHCS_ENDPOINT, HCS(L).HcnQueryEndpointStats);
}

/* --- callbacks ------------------------------------------------------------ */

/* (callback, context): notifications come through the queue if `callback` is
 * true. The result and the HCN_CALLBACK. */
int lhcs_HcnRegisterServiceCallback(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    bool wanted = lua_toboolean(L, 1);
    struct network *callback;
    HCSHOST previous;
    HRESULT hr;
    lua_settop(L, 2);
    callback = new_network(L, world, LHCS_CALLBACK,
                           world->hcs.HcnUnregisterServiceCallback, 0);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, -2, HANDLE_CONTEXT);
    hr = lhcs_handle_reserve(&callback->base, QUEUE_NETWORK_ITEMS);
    if (SUCCEEDED(hr))
        hr = lhcs_enter(world, &previous);
    if (SUCCEEDED(hr)) {
        hr = world->hcs.HcnRegisterServiceCallback(
            wanted ? queue_on_notification : NULL,
            QUEUE_CONTEXT(callback->base.number), &callback->handle);
        lhcs_leave(world, previous);
    }
    if (callback->handle != NULL) {
        lhcs_handle_opened(&callback->base);
    } else {
        (void)lhcs_handle_reserve(&callback->base, 0);
        lua_pushnil(L);
    }
    lhcs_push_result(L, hr);
    lua_insert(L, -2);
    return 2;
}

int lhcs_HcnUnregisterServiceCallback(lua_State *L) {
    return close_one(L, LHCS_CALLBACK);
}

/* callback:context(): what was given with it. */
static int callback_context(lua_State *L) {
    luaL_checkudata(L, 1, LHCS_CALLBACK);
    lua_getiuservalue(L, 1, HANDLE_CONTEXT);
    return 1;
}

/* api.packet(document): what becomes of a packet, a document. */
int lhcs_packet(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word packet = {.arg = 1};
    PWSTR verdict = NULL;
    HRESULT hr;
    lhcs_words(L, &packet, 1);
    hr = world->own.hcshost_sim_packet(world->host, packet.wide, &verdict);
    lhcs_words_free(&packet, 1);
    if (FAILED(hr))
        return lhcs_fail(L, hr, NULL);
    lhcs_push_document(L, world, verdict);
    return 1;
}

/* api.network_plan(settings): what a network would change, as the functions of
 * networks answer. */
int lhcs_network_plan(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word settings = {.arg = 1};
    PWSTR document = NULL, record = NULL;
    HRESULT hr;
    lhcs_words(L, &settings, 1);
    hr = world->own.hcshost_network_plan(world->host, settings.wide, &document,
                                         &record);
    lhcs_words_free(&settings, 1);
    return push_answer(L, world, hr, document, record);
}

void lhcs_network_register(lua_State *L) {
    static const luaL_Reg none[] = {{NULL, NULL}};
    static const luaL_Reg callback[] = {{"context", callback_context},
                                        {NULL, NULL}};
    lhcs_handle_register(L, LHCS_NETWORK, none);
    lhcs_handle_register(L, LHCS_ENDPOINT, none);
    lhcs_handle_register(L, LHCS_NAMESPACE, none);
    lhcs_handle_register(L, LHCS_CALLBACK, callback);
}
