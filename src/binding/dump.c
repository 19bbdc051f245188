/* SPDX-License-Identifier: MIT
 * HCS_DUMP: a dump of any format, read by the embedded host's library, whatever
 * host there is. What fails returns nil, the HRESULT and a sentence. */
#include "dump.h"

#include <stdlib.h>
#include <string.h>

#include "../base/buf.h"
#include "../base/clock.h"

#define TYPE "HCS_DUMP"

/* --- the library ---------------------------------------------------------- */

/* What is needed of it. */
#define FUNCTIONS(X)            \
    X(ReleaseSavedStateFiles)   \
    X(GetRegisterValue)         \
    X(GetPagingMode)            \
    X(InKernelSpace)            \
    X(ReadGuestPhysicalAddress) \
    X(GuestVirtualAddressToPhysicalAddress)

#define OWN_FUNCTIONS(X)       \
    X(hcshost_dump_open)       \
    X(hcshost_dump_reason)     \
    X(hcshost_dump_describe)   \
    X(hcshost_dump_register)   \
    X(hcshost_dump_range)      \
    X(hcshost_dump_read)       \
    X(hcshost_dump_find)       \
    X(hcshost_dump_log)        \
    X(hcshost_dump_export)     \
    X(hcshost_dump_vmcoreinfo) \
    X(hcshost_dump_summary)

static HRESULT resolve(struct dump_library *library, void *place,
                       const char *name, struct hcs_error *error) {
    void *address = library_symbol(&library->library, NULL, name);
    if (address == NULL)
        return error_set(error, HR_FILE_CORRUPT, NULL,
                         "'%s' cannot read dumps: it has no %s",
                         library->library.path, name);
    memcpy(place, &address, sizeof(address));
    return S_OK;
}

static HRESULT load(struct dump_library *library, struct hcs_error *error) {
    HRESULT hr = S_OK;
    if (library->loaded)
        return S_OK;
    hr = library_load(&library->library, false, NULL, error);
#define X(name)        \
    if (SUCCEEDED(hr)) \
        hr = resolve(library, &library->hcs.name, #name, error);
    FUNCTIONS(X)
#undef X
#define X(name)        \
    if (SUCCEEDED(hr)) \
        hr = resolve(library, &library->own.name, #name, error);
    OWN_FUNCTIONS(X)
#undef X
    library->loaded = SUCCEEDED(hr);
    if (FAILED(hr))
        library_forget(&library->library);
    return hr;
}

static int library_gc(lua_State *L) {
    struct dump_library *library = lua_touserdata(L, 1);
    library_forget(&library->library);
    return 0;
}

/* --- the userdata --------------------------------------------------------- */

struct dump *lhcs_check_dump(lua_State *L) {
    struct dump *dump = luaL_checkudata(L, 1, TYPE);
    if (dump->handle == NULL)
        luaL_argerror(L, 1, "the dump is closed");
    return dump;
}

void lhcs_dump_drop(struct dump *dump) {
    if (dump->block != NULL)
        (void)dump->library->library.local_free(dump->block);
    dump->block = NULL;
    buf_free(&dump->collected);
}

static int dump_close(lua_State *L) {
    struct dump *dump = luaL_checkudata(L, 1, TYPE);
    lhcs_dump_drop(dump);
    if (dump->handle != NULL)
        (void)dump->library->hcs.ReleaseSavedStateFiles(dump->handle);
    dump->handle = NULL;
    return 0;
}

static int dump_is_open(lua_State *L) {
    struct dump *dump = luaL_checkudata(L, 1, TYPE);
    lua_pushboolean(L, dump->handle != NULL);
    return 1;
}

static int dump_tostring(lua_State *L) {
    struct dump *dump = luaL_checkudata(L, 1, TYPE);
    lua_getiuservalue(L, 1, 2);
    lua_pushfstring(L, TYPE " \"%s\"%s", lua_tostring(L, -1),
                    dump->handle != NULL ? "" : " (closed)");
    return 1;
}

/* Pushes UTF-16 text of the library's as UTF-8. */
static void push_wide(lua_State *L, struct dump *dump, PWSTR wide) {
    lhcs_dump_drop(dump);
    dump->block = wide;
    if (wide == NULL) {
        lua_pushnil(L);
        return;
    }
    if (FAILED(lhcs_narrow(wide, &dump->collected)))
        luaL_error(L, "not enough memory");
    lua_pushlstring(L, dump->collected.data != NULL ? dump->collected.data : "",
                    dump->collected.length);
    lhcs_dump_drop(dump);
}

/* Pushes nil, the HRESULT and the library's sentence. */
int lhcs_dump_fail(lua_State *L, struct dump *dump, HRESULT hr) {
    PWSTR reason = NULL;
    (void)dump->library->own.hcshost_dump_reason(dump->handle, &reason);
    lua_pushnil(L);
    lhcs_push_result(L, hr);
    push_wide(L, dump, reason);
    return 3;
}

/* core.dump_open(path) */
static int core_dump_open(lua_State *L) {
    struct dump_library *library = lua_touserdata(L, lua_upvalueindex(1));
    struct lhcs_word path = {.arg = 1};
    struct hcs_error error = {.code = S_OK};
    struct dump *dump;
    PWSTR reason = NULL;
    HRESULT hr;
    luaL_checkstring(L, 1);
    lua_settop(L, 1);
    hr = load(library, &error);
    if (FAILED(hr))
        return lhcs_fail(L, hr, error.text);
    dump = lua_newuserdatauv(L, sizeof(*dump), 2);
    memset(dump, 0, sizeof(*dump));
    dump->library = library;
    luaL_setmetatable(L, TYPE);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 2);
    lhcs_words(L, &path, 1);
    hr = library->own.hcshost_dump_open(path.wide, &dump->handle, &reason);
    lhcs_words_free(&path, 1);
    if (SUCCEEDED(hr))
        return 1;
    lua_pushnil(L);
    lhcs_push_result(L, hr);
    push_wide(L, dump, reason);
    return 3;
}

/* --- facts ---------------------------------------------------------------- */

/* dump:describe(): a document. */
static int dump_describe(lua_State *L) {
    struct dump *dump = lhcs_check_dump(L);
    PWSTR document = NULL;
    HRESULT hr =
        dump->library->own.hcshost_dump_describe(dump->handle, &document);
    if (FAILED(hr))
        return lhcs_dump_fail(L, dump, hr);
    push_wide(L, dump, document);
    return 1;
}

static int push_bytes(lua_State *L, HRESULT (*call)(VM_SAVED_STATE_DUMP_HANDLE,
                                                    char **, size_t *)) {
    struct dump *dump = lhcs_check_dump(L);
    char *text = NULL;
    size_t length = 0;
    HRESULT hr = call(dump->handle, &text, &length);
    if (FAILED(hr))
        return lhcs_dump_fail(L, dump, hr);
    lhcs_dump_drop(dump);
    dump->block = text;
    lua_pushlstring(L, text, length);
    lhcs_dump_drop(dump);
    return 1;
}

static int dump_vmcoreinfo(lua_State *L) {
    return push_bytes(L,
                      lhcs_check_dump(L)->library->own.hcshost_dump_vmcoreinfo);
}

static int dump_summary(lua_State *L) {
    return push_bytes(L, lhcs_check_dump(L)->library->own.hcshost_dump_summary);
}

/* dump:register(cpu, id): two numbers, the register's 128 bits. */
static int dump_register(lua_State *L) {
    struct dump *dump = lhcs_check_dump(L);
    DWORD cpu = lhcs_check_dword(L, 2);
    DWORD id = lhcs_check_dword(L, 3);
    VIRTUAL_PROCESSOR_REGISTER value;
    HRESULT hr;
    memset(&value, 0, sizeof(value));
    hr = dump->library->hcs.GetRegisterValue(dump->handle, cpu, id, &value);
    if (FAILED(hr))
        return lhcs_dump_fail(L, dump, hr);
    lua_pushinteger(L, (lua_Integer)value.Reg128.Low64);
    lua_pushinteger(L, (lua_Integer)value.Reg128.High64);
    return 2;
}

/* dump:paging(cpu): PAGING_MODE. */
static int dump_paging(lua_State *L) {
    struct dump *dump = lhcs_check_dump(L);
    DWORD cpu = lhcs_check_dword(L, 2);
    PAGING_MODE mode = Paging_Invalid;
    HRESULT hr = dump->library->hcs.GetPagingMode(dump->handle, cpu, &mode);
    if (FAILED(hr))
        return lhcs_dump_fail(L, dump, hr);
    lua_pushinteger(L, (lua_Integer)mode);
    return 1;
}

/* dump:in_kernel(cpu) */
static int dump_in_kernel(lua_State *L) {
    struct dump *dump = lhcs_check_dump(L);
    DWORD cpu = lhcs_check_dword(L, 2);
    BOOL kernel = 0;
    HRESULT hr = dump->library->hcs.InKernelSpace(dump->handle, cpu, &kernel);
    if (FAILED(hr))
        return lhcs_dump_fail(L, dump, hr);
    lua_pushboolean(L, kernel);
    return 1;
}

/* --- memory --------------------------------------------------------------- */

static uint32_t check_size(lua_State *L, int arg) {
    lua_Integer size = luaL_checkinteger(L, arg);
    luaL_argcheck(L, size >= 0 && size <= INT32_MAX, arg,
                  "not between 0 and 2147483647 bytes");
    return (uint32_t)size;
}

/* dump:read_physical(address, size): bytes, fewer before memory that the dump
 * does not have. */
static int dump_read_physical(lua_State *L) {
    struct dump *dump = lhcs_check_dump(L);
    uint64_t address = (uint64_t)luaL_checkinteger(L, 2);
    uint32_t size = check_size(L, 3), got = 0;
    luaL_Buffer bytes;
    HRESULT hr = dump->library->hcs.ReadGuestPhysicalAddress(
        dump->handle, address, luaL_buffinitsize(L, &bytes, size), size, &got);
    luaL_pushresultsize(&bytes, FAILED(hr) ? 0 : got);
    return FAILED(hr) ? lhcs_dump_fail(L, dump, hr) : 1;
}

/* dump:read(cpu, address, size): the same of virtual memory. */
static int dump_read(lua_State *L) {
    struct dump *dump = lhcs_check_dump(L);
    DWORD cpu = lhcs_check_dword(L, 2);
    uint64_t address = (uint64_t)luaL_checkinteger(L, 3);
    uint32_t size = check_size(L, 4), got = 0;
    luaL_Buffer bytes;
    HRESULT hr = dump->library->own.hcshost_dump_read(
        dump->handle, cpu, address, luaL_buffinitsize(L, &bytes, size), size,
        &got);
    luaL_pushresultsize(&bytes, FAILED(hr) ? 0 : got);
    return FAILED(hr) ? lhcs_dump_fail(L, dump, hr) : 1;
}

/* dump:translate(cpu, address): the physical address; on failure also the size
 * of what is not mapped. */
static int dump_translate(lua_State *L) {
    struct dump *dump = lhcs_check_dump(L);
    DWORD cpu = lhcs_check_dword(L, 2);
    uint64_t address = (uint64_t)luaL_checkinteger(L, 3);
    UINT64 physical = 0, unmapped = 0;
    HRESULT hr = dump->library->hcs.GuestVirtualAddressToPhysicalAddress(
        dump->handle, cpu, address, &physical, &unmapped);
    if (FAILED(hr)) {
        (void)lhcs_dump_fail(L, dump, hr);
        lua_pushinteger(L, (lua_Integer)unmapped);
        return 4;
    }
    lua_pushinteger(L, (lua_Integer)physical);
    return 1;
}

/* dump:range(from): where memory begins and its size, or nothing. */
static int dump_range(lua_State *L) {
    struct dump *dump = lhcs_check_dump(L);
    uint64_t from = (uint64_t)luaL_checkinteger(L, 2);
    UINT64 start = 0, size = 0;
    HRESULT hr = dump->library->own.hcshost_dump_range(dump->handle, from,
                                                       &start, &size);
    if (FAILED(hr))
        return lhcs_dump_fail(L, dump, hr);
    if (hr == S_FALSE)
        return 0;
    lua_pushinteger(L, (lua_Integer)start);
    lua_pushinteger(L, (lua_Integer)size);
    return 2;
}

/* A search that stops when its time is over, but not before it got on. */
struct search {
    int64_t deadline;
    uint64_t from, reached;
};

static BOOL go_on(void *context, uint64_t done, uint64_t total) {
    struct search *search = context;
    (void)total;
    search->reached = done;
    return done <= search->from || clock_monotonic() < search->deadline;
}

/* dump:find(from, bytes, seconds): the address, nothing when there is none, or
 * false and where to go on when the time is over. */
static int dump_find(lua_State *L) {
    struct dump *dump = lhcs_check_dump(L);
    uint64_t from = (uint64_t)luaL_checkinteger(L, 2);
    size_t length;
    const char *bytes = luaL_checklstring(L, 3, &length);
    struct search search = {clock_monotonic() + lhcs_check_time(L, 4, 0), from,
                            from};
    UINT64 address = 0;
    HRESULT hr;
    luaL_argcheck(L, length >= 1 && length <= 65536, 3,
                  "not between 1 and 65536 bytes");
    hr = dump->library->own.hcshost_dump_find(
        dump->handle, from, bytes, (uint32_t)length, go_on, &search, &address);
    if (hr == HR_CANCELLED && search.reached != from) {
        lua_pushboolean(L, 0);
        lua_pushinteger(L, (lua_Integer)search.reached);
        return 2;
    }
    if (FAILED(hr))
        return lhcs_dump_fail(L, dump, hr);
    if (hr == S_FALSE)
        return 0;
    lua_pushinteger(L, (lua_Integer)address);
    return 1;
}

/* --- registers ------------------------------------------------------------ */

/* core.dump_registers(): {name, kind} by number, from 0; a gap is false. */
static int core_dump_registers(lua_State *L) {
    static const char *const kinds[] = {"number", "wide", "segment", "table",
                                        "fpu",    "sse",  NULL};
    struct dump_library *library = lua_touserdata(L, lua_upvalueindex(1));
    struct hcs_error error = {.code = S_OK};
    HCSHOST_DUMP_REGISTER kind = HcsHostDumpNone;
    const char *name;
    HRESULT hr = load(library, &error);
    if (FAILED(hr))
        return lhcs_fail(L, hr, error.text);
    lua_newtable(L);
    for (uint32_t id = 0;
         (name = library->own.hcshost_dump_register(id, &kind)) != NULL; id++) {
        if (kind == HcsHostDumpNone) {
            lua_pushboolean(L, 0);
        } else {
            lua_createtable(L, 0, 2);
            lua_pushstring(L, name);
            lua_setfield(L, -2, "name");
            lua_pushstring(L, kinds[kind]);
            lua_setfield(L, -2, "kind");
        }
        lua_rawseti(L, -2, (lua_Integer)id);
    }
    return 1;
}

/* Puts dump_open and dump_registers into the table on the stack's top. */
void lhcs_push_dump(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"dump_open", core_dump_open},
        {"dump_registers", core_dump_registers},
        {"printable", lhcs_printable},
        {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"close", dump_close},         {"is_open", dump_is_open},
        {"describe", dump_describe},   {"vmcoreinfo", dump_vmcoreinfo},
        {"summary", dump_summary},     {"register", dump_register},
        {"paging", dump_paging},       {"in_kernel", dump_in_kernel},
        {"read", dump_read},           {"read_physical", dump_read_physical},
        {"translate", dump_translate}, {"range", dump_range},
        {"find", dump_find},           {"log", lhcs_dump_log},
        {"export", lhcs_dump_export},  {NULL, NULL}};
    static const luaL_Reg meta[] = {{"__gc", dump_close},
                                    {"__close", dump_close},
                                    {"__tostring", dump_tostring},
                                    {NULL, NULL}};
    struct dump_library *library;
    if (luaL_newmetatable(L, TYPE)) {
        luaL_setfuncs(L, meta, 0);
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
    }
    lua_pop(L, 1);
    lhcs_dump_export_register(L);
    library = lua_newuserdatauv(L, sizeof(*library), 0);
    memset(library, 0, sizeof(*library));
    if (luaL_newmetatable(L, "HCS_DUMP_LIBRARY")) {
        lua_pushcfunction(L, library_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    luaL_setfuncs(L, functions, 1);
}
