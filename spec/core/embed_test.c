/* SPDX-License-Identifier: MIT
 * hcs.core in a program with Lua states of its own: their ends with work in
 * flight, and several of them at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "../../src/base/clock.h"
#include "../../src/base/thread.h"

#define STATES 4

/* Where a completion takes its time, and comes when its state may be gone: on
 * Windows the host of the process, which nobody closes. */
#define OPEN_SLOW                                                              \
    "local core = require 'hcs.core'\n"                                        \
    "local uri = 'sim:?driver=thread&latency=50ms'\n"                          \
    "if core.platform == 'windows' then\n"                                     \
    "    uri = 'windows:?library=' .. core.open('sim:?driver=step').library\n" \
    "end\n"                                                                    \
    "api = assert(core.open(uri))\n"

static const char begin_many[] =
    OPEN_SLOW "kept = {}\n"
              "for i = 1, 200 do\n"
              "    kept[i] = api.HcsCreateOperation(i, true)\n"
              "    assert(api.HcsEnumerateComputeSystems(nil, kept[i]) == 0)\n"
              "end\n";

static const char wait_for_many[] = OPEN_SLOW
    "local waiting, count = {}, 0\n"
    "for i = 1, 100 do\n"
    "    local operation = api.HcsCreateOperation(i, true)\n"
    "    waiting[operation] = true\n"
    "    assert(api.HcsEnumerateComputeSystems(nil, operation) == 0)\n"
    "end\n"
    "while count < 100 do\n"
    "    assert(api.pump(20) == 'queue')\n"
    "    for kind, operation in api.next do\n"
    "        assert(kind == 'operation' and waiting[operation])\n"
    "        waiting[operation] = nil\n"
    "        count = count + 1\n"
    "    end\n"
    "end\n";

#ifdef _WIN32
#define SUFFIX ".dll"

static void choose_host(void) {
    SetEnvironmentVariableW(L"HCS_HOST", L"sim:?latency=50ms");
}

static bool module_is_loaded(void) {
    return GetModuleHandleW(L"core.dll") != NULL;
}

static void pause_for(int ms) {
    Sleep((DWORD)ms);
}
#else
#include <dlfcn.h>
#include <time.h>

#define SUFFIX ".so"

static void choose_host(void) {
}

static bool module_is_loaded(void) {
    void *module =
        dlopen(SPEC_MODULES "/hcs/core" SUFFIX, RTLD_LAZY | RTLD_NOLOAD);
    if (module != NULL)
        (void)dlclose(module);
    return module != NULL;
}

static void pause_for(int ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    (void)nanosleep(&time, NULL);
}
#endif

static lua_State *new_state(void) {
    lua_State *L = luaL_newstate();
    if (L == NULL)
        return NULL;
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_pushliteral(L, SPEC_MODULES "/?" SUFFIX);
    lua_setfield(L, -2, "cpath");
    lua_pop(L, 1);
    return L;
}

static bool run(lua_State *L, const char *text) {
    if (luaL_dostring(L, text) == LUA_OK)
        return true;
    print_error("%s\n", lua_tostring(L, -1));
    return false;
}

static void a_state_may_end_with_work_in_flight(void **state) {
    (void)state;
    for (int round = 0; round < 5; round++) {
        lua_State *L = new_state();
        assert_non_null(L);
        assert_true(run(L, begin_many));
        lua_close(L);
        assert_true(module_is_loaded());
        pause_for(round * 30); /* completions may come now */
    }
    pause_for(100);
}

/* Context of a thread: whether all went well. */
static void live(void *context) {
    bool *well = context;
    lua_State *L = new_state();
    *well = L != NULL && run(L, wait_for_many);
    if (L != NULL)
        lua_close(L);
}

static void states_may_live_side_by_side(void **state) {
    hcs_thread threads[STATES];
    bool well[STATES];
    (void)state;
    for (int i = 0; i < STATES; i++)
        assert_int_equal(thread_start(&threads[i], live, &well[i], NULL), S_OK);
    for (int i = 0; i < STATES; i++)
        thread_join(threads[i]);
    for (int i = 0; i < STATES; i++)
        assert_true(well[i]);
}

static void one_may_end_while_another_waits(void **state) {
    bool well = false;
    hcs_thread thread;
    (void)state;
    assert_int_equal(thread_start(&thread, live, &well, NULL), S_OK);
    for (int i = 0; i < 5; i++) {
        lua_State *L = new_state();
        assert_non_null(L);
        assert_true(run(L, begin_many));
        lua_close(L);
    }
    thread_join(thread);
    assert_true(well);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_state_may_end_with_work_in_flight),
        cmocka_unit_test(states_may_live_side_by_side),
        cmocka_unit_test(one_may_end_while_another_waits),
    };
    choose_host();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
