/* SPDX-License-Identifier: MIT
 * VM_SAVED_STATE_DUMP, and the functions of saved states. 64-bit numbers are
 * the same bits in Lua; a register is its two halves. */
#include "lhcs.h"

#include <stdlib.h>
#include <string.h>

struct dump {
    struct lhcs_handle base;
    VM_SAVED_STATE_DUMP_HANDLE handle;
    HRESULT(WINAPI *close)(VM_SAVED_STATE_DUMP_HANDLE handle);
    HRESULT closed; /* what it returned */
};

/* --- arguments and results ------------------------------------------------ */

static struct dump *check(lua_State *L, struct lhcs_world *world) {
    struct dump *dump = luaL_checkudata(L, 1, LHCS_DUMP);
    lhcs_handle_check(L, world, 1, &dump->base);
    return dump;
}

static void release(struct lhcs_handle *handle) {
    struct dump *dump = (struct dump *)(void *)handle;
    dump->closed = dump->close(dump->handle);
}

static uint64_t check_uint64(lua_State *L, int arg) {
    return (uint64_t)luaL_checkinteger(L, arg);
}

static uint32_t check_length(lua_State *L, int arg) {
    lua_Integer value = luaL_checkinteger(L, arg);
    luaL_argcheck(L, value >= 0 && value <= INT32_MAX, arg,
                  "not between 0 and 2147483647");
    return (uint32_t)value;
}

/* The result and, of a success, a value. */
static int push_number(lua_State *L, HRESULT hr, uint64_t value) {
    lhcs_push_result(L, hr);
    if (FAILED(hr))
        return 1;
    lua_pushinteger(L, (lua_Integer)value);
    return 2;
}

static int push_bool(lua_State *L, HRESULT hr, BOOL value) {
    lhcs_push_result(L, hr);
    if (FAILED(hr))
        return 1;
    lua_pushboolean(L, value);
    return 2;
}

static int push_done(lua_State *L, HRESULT hr) {
    lhcs_push_result(L, hr);
    return 1;
}

/* --- opening and closing -------------------------------------------------- */

/* Pushes a new closed handle that goes by the path at `path`. */
static struct dump *new_dump(lua_State *L, struct lhcs_world *world, int path) {
    struct dump *dump =
        lhcs_handle_new_of(L, world, sizeof(*dump), LHCS_DUMP, release);
    dump->base.apart = true;
    dump->close = world->hcs.ReleaseSavedStateFiles;
    lua_pushvalue(L, path);
    lua_setiuservalue(L, -2, HANDLE_NAME);
    return dump;
}

/* The result and the dump, which is on the stack's top, or nil. */
static int push_opened(lua_State *L, struct dump *dump, HRESULT hr) {
    if (SUCCEEDED(hr))
        lhcs_handle_opened(&dump->base);
    else
        lua_pushnil(L);
    lhcs_push_result(L, hr);
    lua_insert(L, -2);
    return 2;
}

/* (file) */
int lhcs_LoadSavedStateFile(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word file = {.arg = 1};
    struct dump *dump;
    HRESULT hr;
    lua_settop(L, 1);
    dump = new_dump(L, world, 1);
    lhcs_words(L, &file, 1);
    hr = world->hcs.LoadSavedStateFile(file.wide, &dump->handle);
    lhcs_words_free(&file, 1);
    return push_opened(L, dump, hr);
}

/* (binFile, vsvFile) */
int lhcs_LoadSavedStateFiles(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word files[] = {{.arg = 1}, {.arg = 2}};
    struct dump *dump;
    HRESULT hr;
    lua_settop(L, 2);
    dump = new_dump(L, world, 1);
    lhcs_words(L, files, 2);
    hr = world->hcs.LoadSavedStateFiles(files[0].wide, files[1].wide,
                                        &dump->handle);
    lhcs_words_free(files, 2);
    return push_opened(L, dump, hr);
}

/* (dump); S_OK when it is closed already. */
int lhcs_ReleaseSavedStateFiles(lua_State *L) {
    struct dump *dump;
    (void)lhcs_world(L);
    dump = luaL_checkudata(L, 1, LHCS_DUMP);
    dump->closed = S_OK;
    lhcs_handle_close(&dump->base);
    return push_done(L, dump->closed);
}

/* (file) */
int lhcs_ApplyPendingSavedStateFileReplayLog(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word file = {.arg = 1};
    HRESULT hr;
    lhcs_words(L, &file, 1);
    hr = world->hcs.ApplyPendingSavedStateFileReplayLog(file.wide);
    lhcs_words_free(&file, 1);
    return push_done(L, hr);
}

/* (vmName, snapshotName): the result and three paths. */
int lhcs_LocateSavedStateFiles(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word names[] = {{.arg = 1}, {.arg = 2, .optional = true}};
    PWSTR paths[3] = {NULL, NULL, NULL};
    HRESULT hr;
    lhcs_words(L, names, 2);
    hr = world->hcs.LocateSavedStateFiles(names[0].wide, names[1].wide,
                                          &paths[0], &paths[1], &paths[2]);
    lhcs_words_free(names, 2);
    lhcs_push_result(L, hr);
    for (int i = 0; i < 3; i++)
        lhcs_push_document(L, world, paths[i]);
    return 4;
}

/* --- what a call of the same shape answers -------------------------------- */

/* (dump) */
#define ASK(Name, type, push)                       \
    int lhcs_##Name(lua_State *L) {                 \
        struct lhcs_world *world = lhcs_world(L);   \
        struct dump *dump = check(L, world);        \
        type value = 0;                             \
        HRESULT hr;                                 \
        hr = world->hcs.Name(dump->handle, &value); \
        return push(L, hr, value);                  \
    }

ASK(GetVpCount, uint32_t, push_number)
ASK(GetGuestEnabledVirtualTrustLevels, uint32_t, push_number)
ASK(IsNestedVirtualizationEnabled, BOOL, push_bool)
ASK(GetGuestRawSavedMemorySize, UINT64, push_number)
ASK(GetMemoryBlockCacheLimit, UINT64, push_number)

/* (dump, vpId) */
#define ASK_CPU(Name, type, push)                        \
    int lhcs_##Name(lua_State *L) {                      \
        struct lhcs_world *world = lhcs_world(L);        \
        struct dump *dump = check(L, world);             \
        DWORD cpu = lhcs_check_dword(L, 2);              \
        type value = 0;                                  \
        HRESULT hr;                                      \
        hr = world->hcs.Name(dump->handle, cpu, &value); \
        return push(L, hr, value);                       \
    }

ASK_CPU(GetActiveVirtualTrustLevel, uint8_t, push_number)
ASK_CPU(GetEnabledVirtualTrustLevels, uint32_t, push_number)
ASK_CPU(IsActiveVirtualTrustLevelEnabled, BOOL, push_bool)
ASK_CPU(GetNestedVirtualizationMode, BOOL, push_bool)
ASK_CPU(InKernelSpace, BOOL, push_bool)
ASK_CPU(GetArchitecture, VIRTUAL_PROCESSOR_ARCH, push_number)
ASK_CPU(GetPagingMode, PAGING_MODE, push_number)

/* (dump, vpId, value) */
#define FORCE(Name, type)                                                     \
    int lhcs_##Name(lua_State *L) {                                           \
        struct lhcs_world *world = lhcs_world(L);                             \
        struct dump *dump = check(L, world);                                  \
        DWORD cpu = lhcs_check_dword(L, 2);                                   \
        DWORD value = lhcs_check_dword(L, 3);                                 \
        luaL_argcheck(L, value <= 255, 3, "not between 0 and 255");           \
        return push_done(L, world->hcs.Name(dump->handle, cpu, (type)value)); \
    }

FORCE(ForceArchitecture, VIRTUAL_PROCESSOR_ARCH)
FORCE(ForcePagingMode, PAGING_MODE)
FORCE(ForceActiveVirtualTrustLevel, uint8_t)

/* (dump, vpId, hostMode): the result and the mode before. */
int lhcs_ForceNestedHostMode(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct dump *dump = check(L, world);
    DWORD cpu = lhcs_check_dword(L, 2);
    BOOL before = 0;
    HRESULT hr = world->hcs.ForceNestedHostMode(dump->handle, cpu,
                                                lua_toboolean(L, 3), &before);
    return push_bool(L, hr, before);
}

/* (dump, virtualTrustLevel) */
int lhcs_GetGuestOsInfo(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct dump *dump = check(L, world);
    DWORD level = lhcs_check_dword(L, 2);
    GUEST_OS_INFO info = {.AsUINT64 = 0};
    HRESULT hr;
    luaL_argcheck(L, level <= 255, 2, "not between 0 and 255");
    hr = world->hcs.GetGuestOsInfo(dump->handle, (uint8_t)level, &info);
    return push_number(L, hr, info.AsUINT64);
}

/* (dump, limit) */
int lhcs_SetMemoryBlockCacheLimit(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct dump *dump = check(L, world);
    uint64_t limit = check_uint64(L, 2);
    return push_done(L,
                     world->hcs.SetMemoryBlockCacheLimit(dump->handle, limit));
}

/* (dump, vpId, registerId): the result and two numbers. */
int lhcs_GetRegisterValue(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct dump *dump = check(L, world);
    DWORD cpu = lhcs_check_dword(L, 2);
    DWORD id = lhcs_check_dword(L, 3);
    VIRTUAL_PROCESSOR_REGISTER value;
    HRESULT hr;
    memset(&value, 0, sizeof(value));
    hr = world->hcs.GetRegisterValue(dump->handle, cpu, id, &value);
    lhcs_push_result(L, hr);
    if (FAILED(hr))
        return 1;
    lua_pushinteger(L, (lua_Integer)value.Reg128.Low64);
    lua_pushinteger(L, (lua_Integer)value.Reg128.High64);
    return 3;
}

/* --- memory --------------------------------------------------------------- */

/* (dump, virtual or raw place, size): the result and the bytes. */
static int read_memory(lua_State *L,
                       HRESULT(WINAPI *call)(VM_SAVED_STATE_DUMP_HANDLE, UINT64,
                                             void *, uint32_t, uint32_t *)) {
    struct dump *dump = luaL_checkudata(L, 1, LHCS_DUMP);
    uint64_t place = check_uint64(L, 2);
    uint32_t size = check_length(L, 3), got = 0;
    luaL_Buffer bytes;
    HRESULT hr;
    hr = call(dump->handle, place, luaL_buffinitsize(L, &bytes, size), size,
              &got);
    luaL_pushresultsize(&bytes, FAILED(hr) || got > size ? 0 : got);
    lhcs_push_result(L, hr);
    if (FAILED(hr))
        return 1;
    lua_insert(L, -2);
    return 2;
}

int lhcs_ReadGuestPhysicalAddress(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    (void)check(L, world);
    return read_memory(L, world->hcs.ReadGuestPhysicalAddress);
}

int lhcs_ReadGuestRawSavedMemory(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    (void)check(L, world);
    return read_memory(L, world->hcs.ReadGuestRawSavedMemory);
}

/* (dump, vpId, virtualAddress): the result, the physical address or nil, the
 * size of what is not mapped. */
int lhcs_GuestVirtualAddressToPhysicalAddress(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct dump *dump = check(L, world);
    DWORD cpu = lhcs_check_dword(L, 2);
    uint64_t address = check_uint64(L, 3);
    UINT64 physical = 0, unmapped = 0;
    HRESULT hr = world->hcs.GuestVirtualAddressToPhysicalAddress(
        dump->handle, cpu, address, &physical, &unmapped);
    lhcs_push_result(L, hr);
    if (FAILED(hr))
        lua_pushnil(L);
    else
        lua_pushinteger(L, (lua_Integer)physical);
    lua_pushinteger(L, (lua_Integer)unmapped);
    return 3;
}

/* (dump, physicalAddress) */
int lhcs_GuestPhysicalAddressToRawSavedMemoryOffset(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct dump *dump = check(L, world);
    uint64_t address = check_uint64(L, 2);
    UINT64 offset = 0;
    HRESULT hr = world->hcs.GuestPhysicalAddressToRawSavedMemoryOffset(
        dump->handle, address, &offset);
    return push_number(L, hr, offset);
}

/* (dump, vpId, virtualAddress, bytes) */
int lhcs_ApplyGuestMemoryFix(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct dump *dump = check(L, world);
    DWORD cpu = lhcs_check_dword(L, 2);
    uint64_t address = check_uint64(L, 3);
    size_t length;
    const char *bytes = luaL_checklstring(L, 4, &length);
    void *copy;
    HRESULT hr;
    luaL_argcheck(L, length <= INT32_MAX, 4, "too many bytes");
    /* Microsoft's function may write to them, as far as its prototype tells. */
    copy = lua_newuserdatauv(L, length + 1, 0);
    memcpy(copy, bytes, length);
    hr = world->hcs.ApplyGuestMemoryFix(dump->handle, cpu, address, copy,
                                        (uint32_t)length);
    return push_done(L, hr);
}

static void push_chunks(lua_State *L, const GPA_MEMORY_CHUNK *chunks,
                        UINT64 count) {
    lua_createtable(L, (int)(count < INT32_MAX ? count : 0), 0);
    for (UINT64 i = 0; i < count; i++) {
        lua_createtable(L, 2, 0);
        lua_pushinteger(L, (lua_Integer)chunks[i].GuestPhysicalStartPageIndex);
        lua_rawseti(L, -2, 1);
        lua_pushinteger(L, (lua_Integer)chunks[i].PageCount);
        lua_rawseti(L, -2, 2);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* (dump): the result, the size of a page, and pairs of the first page and how
 * many there are. */
int lhcs_GetGuestPhysicalMemoryChunks(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct dump *dump = check(L, world);
    GPA_MEMORY_CHUNK one, *chunks = &one;
    UINT64 page = 0, room = 1, count = 1;
    HRESULT hr = world->hcs.GetGuestPhysicalMemoryChunks(dump->handle, &page,
                                                         chunks, &count);
    if (FAILED(hr) && count > room && count < SIZE_MAX / sizeof(*chunks)) {
        room = count;
        chunks = lua_newuserdatauv(L, (size_t)room * sizeof(*chunks), 0);
        hr = world->hcs.GetGuestPhysicalMemoryChunks(dump->handle, &page,
                                                     chunks, &count);
    }
    lhcs_push_result(L, hr);
    if (FAILED(hr))
        return 1;
    lua_pushinteger(L, (lua_Integer)page);
    push_chunks(L, chunks, count < room ? count : room);
    return 3;
}

void lhcs_provider_register(lua_State *L) {
    static const luaL_Reg none[] = {{NULL, NULL}};
    lhcs_handle_register(L, LHCS_DUMP, none);
}
