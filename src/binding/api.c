/* SPDX-License-Identifier: MIT
 * The table of functions of one host: Microsoft's by their names, as far as
 * the library has them, and our own. */
#include "lhcs.h"

#include <string.h>

/* A function of the ABI: where its address is in struct lhcs_functions, and
 * what calls it for Lua. */
struct entry {
    const char *dll, *name;
    lua_CFunction call;
    size_t offset;
};

static const struct entry entries[] = {
#define HCS_FUNCTION(dll, build, kind, ret, name, params) \
    {#dll, #name, lhcs_##name, offsetof(struct lhcs_functions, name)},
#include "../abi/functions.def"
#undef HCS_FUNCTION
};

static const struct entry own_entries[] = {
#define HCSHOST_FUNCTION(ret, name, params) \
    {NULL, #name, NULL, offsetof(struct lhcs_host_functions, name)},
#include "../abi/hcshost.def"
#undef HCSHOST_FUNCTION
};

static const luaL_Reg common[] = {
    {"next", lhcs_next},
    {"pump", lhcs_pump},
    {"pollfd", lhcs_pollfd},
    {"pollsocket", lhcs_pollsocket},
    {"close", lhcs_close},
    {"queue_counts", lhcs_queue_counts},
    {"pipe_connect", lhcs_pipe_connect},
    {"pipe_path", lhcs_pipe_path},
    {NULL, NULL},
};

static const luaL_Reg embedded[] = {
    {"now", lhcs_now},
    {"timeout", lhcs_timeout},
    {"step", lhcs_step},
    {"describe", lhcs_describe},
    {"inventory", lhcs_inventory},
    {"network_connect", lhcs_network_connect},
    {"network_plan", lhcs_network_plan},
    {NULL, NULL},
};

static const luaL_Reg simulated[] = {
    {"guest", lhcs_guest},
    {"service", lhcs_service},
    {"packet", lhcs_packet},
    {"guest_print", lhcs_guest_print},
    {"guest_wake", lhcs_guest_wake},
    {"guest_act", lhcs_guest_act},
    {NULL, NULL},
};

HRESULT lhcs_resolve_own(struct lhcs_world *world, struct hcs_error *error) {
    for (size_t i = 0; i < HCS_COUNT(own_entries); i++) {
        void *address =
            library_symbol(&world->library, NULL, own_entries[i].name);
        if (address == NULL)
            return error_set(error, HR_FILE_CORRUPT, NULL,
                             "'%s' is not a host library of this version: it "
                             "has no %s",
                             world->library.path, own_entries[i].name);
        memcpy((char *)&world->own + own_entries[i].offset, &address,
               sizeof(address));
    }
    return S_OK;
}

void lhcs_resolve(struct lhcs_world *world) {
    for (size_t i = 0; i < HCS_COUNT(entries); i++) {
        void *address =
            world->host != NULL
                ? world->own.hcshost_proc(world->host, entries[i].name)
                : library_symbol(&world->library, entries[i].dll,
                                 entries[i].name);
        memcpy((char *)&world->hcs + entries[i].offset, &address,
               sizeof(address));
    }
    queue_set_lookup(world->queue, world->hcs.HcsGetOperationContext);
}

size_t library_dlls(const char *names[LHCS_DLLS]) {
    size_t count = 0;
    for (size_t i = 0; i < HCS_COUNT(entries); i++) {
        size_t known = 0;
        while (known < count && strcmp(names[known], entries[i].dll) != 0)
            known++;
        if (known == count && count < LHCS_DLLS)
            names[count++] = entries[i].dll;
    }
    return count;
}

/* Pushes what all functions share. */
static void push_upvalues(lua_State *L, int index) {
    lua_pushvalue(L, index);
    lua_pushvalue(L, index + 1);
    luaL_getmetatable(L, LHCS_OPERATION);
    luaL_getmetatable(L, LHCS_SYSTEM);
}

static void push_abi(lua_State *L, int index, struct lhcs_world *world) {
    for (size_t i = 0; i < HCS_COUNT(entries); i++) {
        char *place = (char *)&world->hcs + entries[i].offset;
        void *address;
        memcpy(&address, place, sizeof(address));
        if (address == NULL)
            continue;
        push_upvalues(L, index);
        lua_pushlightuserdata(L, place);
        lua_pushcclosure(L, entries[i].call, UP_ADDRESS);
        lua_setfield(L, -2, entries[i].name);
    }
}

static void push_own(lua_State *L, int index, const luaL_Reg *functions) {
    push_upvalues(L, index);
    luaL_setfuncs(L, functions, UP_COMMON);
}

/* Pushes the table of handles, which does not keep them alive. */
static void push_objects(lua_State *L) {
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

/* api.dlls, where functions come from several: names to paths. */
static void push_dlls(lua_State *L, const struct lhcs_library *library) {
    if (library->module != NULL)
        return;
    lua_newtable(L);
    for (size_t i = 0; i < LHCS_DLLS; i++) {
        if (library->dlls[i].path == NULL)
            continue;
        lua_pushstring(L, library->dlls[i].path);
        lua_setfield(L, -2, library->dlls[i].name);
    }
    lua_setfield(L, -2, "dlls");
}

void lhcs_push_api(lua_State *L, int index) {
    struct lhcs_world *world = lua_touserdata(L, index);
    push_objects(L); /* at index + 1 */
    lua_createtable(L, 0,
                    HCS_COUNT(entries) + HCS_COUNT(embedded) +
                        HCS_COUNT(common) + HCS_COUNT(simulated));
    push_abi(L, index, world);
    push_own(L, index, common);
    if (world->host != NULL)
        push_own(L, index, embedded);
    if (world->simulated)
        push_own(L, index, simulated);
    lua_getiuservalue(L, index, WORLD_URI);
    lua_setfield(L, -2, "uri");
    lua_pushstring(L, world->library.path);
    lua_setfield(L, -2, "library");
    push_dlls(L, &world->library);
}
