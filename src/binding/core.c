/* SPDX-License-Identifier: MIT
 * The module hcs.core. Opening it does nothing but make a table; a host comes
 * with core.open. */
#include "lhcs.h"

#include <stdlib.h>
#include <string.h>

#include "../base/json.h"
#include "../base/utf.h"

#ifdef _WIN32
#define LHCS_EXPORT __declspec(dllexport)
#else
#define LHCS_EXPORT __attribute__((visibility("default")))
#endif

#define OPTION "library="
#define WINDOWS "windows:"

/* Pushes the spec without the option "library=PATH", which is ours, and then
 * PATH or nil. */
static void push_spec(lua_State *L, const char *uri) {
    const char *at = strchr(uri, '?');
    while (at != NULL && strncmp(at + 1, OPTION, strlen(OPTION)) != 0)
        at = strchr(at + 1, '&');
    if (at == NULL) {
        lua_pushstring(L, uri);
        lua_pushnil(L);
    } else {
        const char *value = at + 1 + strlen(OPTION);
        size_t length = strcspn(value, "&");
        const char *rest = value + length;
        lua_pushlstring(L, uri, (size_t)(at - uri) + (*rest != '\0'));
        lua_pushstring(L, *rest != '\0' ? rest + 1 : "");
        lua_concat(L, 2);
        lua_pushlstring(L, value, length);
    }
}

/* What the host says of itself decides how it is pumped. */
static void learn(struct lhcs_world *world, const struct json *description) {
    const char *driver = json_text(json_get(description, "Driver"), "");
    const char *clock = json_text(json_get(description, "Clock"), "");
    const char *kind = json_text(json_get(description, "Kind"), "");
    world->stepped = strcmp(driver, "step") == 0;
    world->simulated = strcmp(kind, "sim") == 0;
    if (strcmp(clock, "virtual") == 0)
        world->clock = LHCS_VIRTUAL;
    else if (strcmp(clock, "manual") == 0)
        world->clock = LHCS_MANUAL;
}

static HRESULT describe(struct lhcs_world *world, struct hcs_error *error) {
    struct json_doc document = {NULL, NULL};
    PWSTR wide = NULL;
    char *text = NULL;
    size_t length = 0;
    HRESULT hr = world->own.hcshost_describe(world->host, &wide);
    if (FAILED(hr))
        return error_set(error, hr, NULL, "the host does not describe itself");
    hr = utf8_from_utf16(wide, utf16_length(wide), &text, &length, error);
    if (SUCCEEDED(hr))
        hr = json_parse(text, length, &document, error);
    if (SUCCEEDED(hr))
        learn(world, document.root);
    json_doc_free(&document);
    free(text);
    (void)world->library.local_free(wide);
    return hr;
}

static HRESULT open_embedded(struct lhcs_world *world, const char *spec,
                             PWSTR *document, struct hcs_error *error) {
    uint32_t version;
    HRESULT hr = lhcs_resolve_own(world, error);
    if (FAILED(hr))
        return hr;
    version = world->own.hcshost_abi_version();
    if (version != HCSHOST_ABI_VERSION)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "'%s' speaks version %u, hcs.core needs %u",
                         world->library.path, (unsigned)version,
                         (unsigned)HCSHOST_ABI_VERSION);
    hr = world->own.hcshost_open(spec, &world->host, document);
    if (FAILED(hr)) {
        world->host = NULL;
        return error_set(error, hr, NULL, "cannot open '%s'", spec);
    }
    world->open = true;
    hr = describe(world, error);
    if (SUCCEEDED(hr) && !world->stepped && world->clock == LHCS_VIRTUAL)
        /* Time is ours: it does not pass while Lua runs. */
        hr = world->own.hcshost_step(world->host, 0, 0, NULL);
    return hr;
}

/* Windows' own service takes no options but ours. */
static HRESULT check_windows(const char *spec, struct hcs_error *error) {
    const char *rest = spec + strlen(WINDOWS);
    if (rest[0] == '\0' || strcmp(rest, "?") == 0)
        return S_OK;
    return error_set(
        error, E_INVALIDARG, NULL,
        "'%s': the host windows: has no option but library=", spec);
}

static HRESULT open_world(struct lhcs_world *world, const char *spec,
                          const char *library, PWSTR *document,
                          struct hcs_error *error) {
    bool windows = strncmp(spec, WINDOWS, strlen(WINDOWS)) == 0;
    HRESULT hr = windows ? check_windows(spec, error) : S_OK;
    if (SUCCEEDED(hr))
        hr = queue_open(&world->queue, error);
    if (SUCCEEDED(hr))
        hr = interrupt_open(&world->interrupt, error);
    if (SUCCEEDED(hr))
        hr = library_load(&world->library, windows, library, error);
    if (SUCCEEDED(hr) && !windows)
        hr = open_embedded(world, spec, document, error);
    if (FAILED(hr))
        return hr;
    world->open = true;
    world->guest_number = queue_number(world->queue);
    lhcs_resolve(world);
    return S_OK;
}

/* core.open(uri): the table of a host's functions, or nil, hr and a document
 * or sentence that says why. */
int lhcs_open(lua_State *L) {
    size_t length;
    const char *uri = luaL_checklstring(L, 1, &length);
    struct hcs_error error = {.code = S_OK};
    PWSTR document = NULL;
    struct lhcs_world *world;
    HRESULT hr;
    luaL_argcheck(L, memchr(uri, '\0', length) == NULL, 1, "it contains a NUL");
    luaL_argcheck(L, utf8_valid(uri, length), 1, "it is not UTF-8");
    lua_settop(L, 1);
    push_spec(L, uri);
    world = lhcs_world_new(L); /* at 4 */
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, 4, WORLD_URI);
    hr = open_world(world, lua_tostring(L, 2), lua_tostring(L, 3), &document,
                    &error);
    if (SUCCEEDED(hr)) {
        lhcs_push_api(L, 4);
        return 1;
    }
    if (document == NULL) {
        lhcs_world_drop(world);
        return lhcs_fail(L, hr, error.text);
    }
    lua_pushnil(L);
    lhcs_push_result(L, hr);
    lhcs_push_document(L, world, document);
    lhcs_world_drop(world);
    return 3;
}

/* core.symbol(hr) and core.text(hr): nil for a code without a name. */
static HRESULT check_result(lua_State *L) {
    lua_Integer value = luaL_checkinteger(L, 1);
    luaL_argcheck(L, value >= INT32_MIN && value <= UINT32_MAX, 1,
                  "not an HRESULT");
    return (HRESULT)(uint32_t)value;
}

static int core_symbol(lua_State *L) {
    lua_pushstring(L, hresult_symbol(check_result(L)));
    return 1;
}

static int core_text(lua_State *L) {
    lua_pushstring(L, hresult_text(check_result(L)));
    return 1;
}

static void push_names(lua_State *L, const char *const *names) {
    lua_newtable(L);
    for (lua_Integer i = 1; *names != NULL; i++, names++) {
        lua_pushstring(L, *names);
        lua_rawseti(L, -2, i);
    }
}

LHCS_EXPORT int luaopen_hcs_core(lua_State *L) {
    static const luaL_Reg functions[] = {{"open", lhcs_open},
                                         {"symbol", core_symbol},
                                         {"text", core_text},
                                         {NULL, NULL}};
    static const luaL_Reg none[] = {{NULL, NULL}};
    static const luaL_Reg system[] = {{"context", lhcs_system_context},
                                      {NULL, NULL}};
#ifdef _WIN32
    static const char *const kinds[] = {"windows", "sim", NULL};
#else
    static const char *const kinds[] = {"qemu", "sim", NULL};
#endif
    library_locate();
    lhcs_handle_register(L, LHCS_OPERATION, none);
    lhcs_handle_register(L, LHCS_SYSTEM, system);
    lhcs_world_register(L);
    lhcs_pipe_register(L);
    lhcs_network_register(L);
    lhcs_provider_register(L);
    luaL_newlib(L, functions);
    lhcs_push_json(L);
    lhcs_push_platform(L);
    lhcs_push_file(L);
    lhcs_push_dump(L);
    lhcs_push_machine(L);
    push_names(L, kinds);
    lua_setfield(L, -2, "kinds");
    lua_pushliteral(L, LHCS_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}
