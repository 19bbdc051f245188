/* SPDX-License-Identifier: MIT
 * hcs.bench_calls: the measured loops as a C program would write them, on the
 * library that hcs.core has loaded, for calls.lua to time beside its own. */
#include <dlfcn.h>
#include <lauxlib.h>
#include <pthread.h>
#include <string.h>

#include "../../src/abi/hcshost.h"

#define WAIT_MS 10000

struct functions {
#define HCS_FUNCTION(dll, build, kind, ret, name, params) ret(*name) params;
#include "../../src/abi/functions.def"
#undef HCS_FUNCTION
#define HCSHOST_FUNCTION(ret, name, params) ret(*name) params;
#include "../../src/abi/hcshost.def"
#undef HCSHOST_FUNCTION
    HLOCAL (*LocalFree)(HLOCAL block);
};

struct bench {
    struct functions f;
    HCSHOST host;
    HCS_SYSTEM system;
    HCS_OPERATION operation; /* used again and again */
    char16_t document[4096];
    char16_t query[256];
    int stepped;

    pthread_mutex_t lock; /* of what the callback says */
    pthread_cond_t changed;
    long completed;
};

static void find(lua_State *L, void *module, const char *name, void *place) {
    void *address = dlsym(module, name);
    if (address == NULL)
        luaL_error(L, "no %s in the library", name);
    memcpy(place, &address, sizeof(address));
}

static void find_all(lua_State *L, void *module, struct functions *f) {
#define HCS_FUNCTION(dll, build, kind, ret, name, params) \
    find(L, module, #name, &f->name);
#include "../../src/abi/functions.def"
#undef HCS_FUNCTION
#define HCSHOST_FUNCTION(ret, name, params) find(L, module, #name, &f->name);
#include "../../src/abi/hcshost.def"
#undef HCSHOST_FUNCTION
    find(L, module, "LocalFree", &f->LocalFree);
}

static void widen(lua_State *L, int arg, char16_t *out, size_t size) {
    size_t length;
    const char *text = luaL_checklstring(L, arg, &length);
    luaL_argcheck(L, length < size, arg, "too long");
    for (size_t i = 0; i <= length; i++)
        out[i] = (unsigned char)text[i]; /* the bench's texts are ASCII */
}

/* Waits for the operation in use and drops its document. */
static int finish(struct bench *b, HCS_OPERATION operation, HRESULT hr) {
    PWSTR document = NULL;
    if (hr < 0)
        return 0;
    hr = b->f.HcsWaitForOperationResult(operation, WAIT_MS, &document);
    b->f.LocalFree(document);
    return hr >= 0;
}

static int start_system(struct bench *b) {
    b->f.hcshost_enter(b->host, NULL);
    b->operation = b->f.HcsCreateOperation(NULL, NULL);
    if (!finish(b, b->operation,
                b->f.HcsCreateComputeSystem(u"bench", b->document, b->operation,
                                            NULL, &b->system)))
        return 0;
    return finish(b, b->operation,
                  b->f.HcsStartComputeSystem(b->system, b->operation, NULL));
}

/* open(library, spec, document, query, stepped): a bench with a running
 * system. */
static int bench_open(lua_State *L) {
    struct bench *b = lua_newuserdatauv(L, sizeof(*b), 0);
    void *module = dlopen(luaL_checkstring(L, 1), RTLD_NOW);
    memset(b, 0, sizeof(*b));
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->changed, NULL);
    if (module == NULL)
        return luaL_error(L, "%s", dlerror());
    find_all(L, module, &b->f);
    widen(L, 3, b->document, 4096);
    widen(L, 4, b->query, 256);
    b->stepped = lua_toboolean(L, 5);
    if (b->f.hcshost_open(luaL_checkstring(L, 2), &b->host, NULL) < 0)
        return luaL_error(L, "cannot open the host");
    if (!start_system(b))
        return luaL_error(L, "cannot start the system");
    luaL_setmetatable(L, "hcs.bench");
    return 1;
}

static int bench_close(lua_State *L) {
    struct bench *b = luaL_checkudata(L, 1, "hcs.bench");
    if (b->host != NULL)
        b->f.hcshost_close(b->host);
    b->host = NULL;
    return 0;
}

static int run_id(struct bench *b) {
    return b->f.HcsGetOperationId(b->operation) != 0;
}

static int run_operation(struct bench *b) {
    HCS_OPERATION operation = b->f.HcsCreateOperation(NULL, NULL);
    b->f.HcsCloseOperation(operation);
    return operation != NULL;
}

static int run_pause(struct bench *b) {
    HCS_OPERATION op = b->operation;
    return finish(b, op, b->f.HcsPauseComputeSystem(b->system, op, NULL)) &&
           finish(b, op, b->f.HcsResumeComputeSystem(b->system, op, NULL));
}

static void on_completed(HCS_OPERATION operation, void *context) {
    struct bench *b = context;
    (void)operation;
    pthread_mutex_lock(&b->lock);
    b->completed++;
    pthread_cond_signal(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

static void await(struct bench *b, long completed) {
    pthread_mutex_lock(&b->lock);
    while (b->completed < completed) {
        if (!b->stepped) {
            pthread_cond_wait(&b->changed, &b->lock);
            continue;
        }
        pthread_mutex_unlock(&b->lock);
        b->f.hcshost_step(b->host, 0, 0, NULL);
        pthread_mutex_lock(&b->lock);
    }
    pthread_mutex_unlock(&b->lock);
}

/* Pause and resume, each with an operation of its own and a callback. */
static int run_callback(struct bench *b) {
    int ok = 1;
    for (int resume = 0; resume < 2 && ok; resume++) {
        HCS_OPERATION op = b->f.HcsCreateOperation(b, on_completed);
        long next = b->completed + 1;
        PWSTR document = NULL;
        HRESULT hr = resume ? b->f.HcsResumeComputeSystem(b->system, op, NULL)
                            : b->f.HcsPauseComputeSystem(b->system, op, NULL);
        ok = hr >= 0;
        if (ok) {
            await(b, next);
            ok = b->f.HcsGetOperationResult(op, &document) >= 0;
            b->f.LocalFree(document);
        }
        b->f.HcsCloseOperation(op);
    }
    return ok;
}

static int run_properties(struct bench *b) {
    return finish(
        b, b->operation,
        b->f.HcsGetComputeSystemProperties(b->system, b->operation, b->query));
}

static int run_cycle(struct bench *b) {
    HCS_SYSTEM system = NULL;
    HCS_OPERATION op = b->f.HcsCreateOperation(NULL, NULL);
    int ok = finish(b, op,
                    b->f.HcsCreateComputeSystem(u"cycle", b->document, op, NULL,
                                                &system)) &&
             finish(b, op, b->f.HcsStartComputeSystem(system, op, NULL)) &&
             finish(b, op, b->f.HcsTerminateComputeSystem(system, op, NULL));
    b->f.HcsCloseComputeSystem(system);
    b->f.HcsCloseOperation(op);
    return ok;
}

/* bench:run(name, count): so many rounds. */
static int bench_run(lua_State *L) {
    static const char *const names[] = {
        "id", "operation", "pause", "callback", "properties", "cycle", NULL};
    static int (*const loops[])(struct bench *) = {
        run_id,       run_operation,  run_pause,
        run_callback, run_properties, run_cycle};
    struct bench *b = luaL_checkudata(L, 1, "hcs.bench");
    int (*loop)(struct bench *) = loops[luaL_checkoption(L, 2, NULL, names)];
    lua_Integer count = luaL_checkinteger(L, 3);
    HCSHOST previous = NULL;
    int ok = 1;
    b->f.hcshost_enter(b->host, &previous);
    for (lua_Integer i = 0; i < count && ok; i++)
        ok = loop(b);
    b->f.hcshost_enter(previous, NULL);
    if (!ok)
        return luaL_error(L, "a call failed");
    return 0;
}

/* --- what Lua itself takes ------------------------------------------------ */

/* call(handle, ...): a call of a C function that looks at its handle and gives
 * a number: the least that any call of the ABI from Lua is made of. */
static int floor_call(lua_State *L) {
    lua_pushinteger(L, luaL_checkudata(L, 1, "hcs.bench_handle") != NULL);
    return 1;
}

/* handle(): the least that a handle is: an object with a finalizer, which a
 * completion that comes from another thread finds by its number. */
static int floor_handle(lua_State *L) {
    lua_Integer *number = lua_newuserdatauv(L, sizeof(*number), 1);
    *number = lua_tointeger(L, lua_upvalueindex(2)) + 1;
    lua_pushinteger(L, *number);
    lua_replace(L, lua_upvalueindex(2));
    luaL_setmetatable(L, "hcs.bench_handle");
    lua_pushvalue(L, -1);
    lua_rawseti(L, lua_upvalueindex(1), *number);
    return 1;
}

/* Pushes floor_handle with its table, which keeps nothing alive. */
static void push_floor_handle(lua_State *L) {
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, floor_handle, 2);
}

static void register_floor(lua_State *L) {
    static const luaL_Reg methods[] = {{"close", floor_call},
                                       {"__gc", floor_call},
                                       {"__close", floor_call},
                                       {NULL, NULL}};
    luaL_newmetatable(L, "hcs.bench_handle");
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

__attribute__((visibility("default"))) int luaopen_hcs_bench_calls(
    lua_State *L) {
    static const luaL_Reg functions[] = {
        {"open", bench_open}, {"call", floor_call}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"run", bench_run}, {"close", bench_close}, {NULL, NULL}};
    register_floor(L);
    luaL_newmetatable(L, "hcs.bench");
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    push_floor_handle(L);
    lua_setfield(L, -2, "handle");
    return 1;
}
