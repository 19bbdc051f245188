/* SPDX-License-Identifier: MIT
 * What Windows says of itself, of its libraries and its services. Nothing here
 * changes anything, and nothing needs more than a user's rights. */
#include "lhcs.h"

#include <intrin.h>
#include <string.h>

#include "machine.h"

#define TEXT_SIZE 512 /* bytes of UTF-8 */

void machine_end_process(int status) {
    (void)TerminateProcess(GetCurrentProcess(), (UINT)status);
}

void machine_no_windows(void) {
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX |
                       SEM_NOOPENFILEERRORBOX);
}

/* Pushes UTF-16 as UTF-8, nil for what is no text or too long. */
static void push_wide(lua_State *L, const WCHAR *wide) {
    char text[TEXT_SIZE];
    if (WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, TEXT_SIZE, NULL, NULL) >
        0)
        lua_pushstring(L, text);
    else
        lua_pushnil(L);
}

static void set_text(lua_State *L, const char *name, const char *text) {
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool value) {
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

/* --- version and edition ------------------------------------------------ */

/* A procedure of a library that every process has. */
static FARPROC procedure(const WCHAR *library, const char *name) {
    HMODULE module = GetModuleHandleW(library);
    return module != NULL ? GetProcAddress(module, name) : NULL;
}

/* GetVersionEx tells programs what their manifest asks for; this, the truth. */
static void add_version(lua_State *L) {
    typedef LONG(WINAPI * get_version)(OSVERSIONINFOW *);
    OSVERSIONINFOW info;
    FARPROC found = procedure(L"ntdll.dll", "RtlGetVersion");
    get_version call;
    memset(&info, 0, sizeof(info));
    info.dwOSVersionInfoSize = sizeof(info);
    memcpy(&call, &found, sizeof(call));
    if (call == NULL || call(&info) != 0)
        return;
    lua_pushfstring(L, "%d.%d.%d", (int)info.dwMajorVersion,
                    (int)info.dwMinorVersion, (int)info.dwBuildNumber);
    lua_setfield(L, -2, "version");
    set_integer(L, "build", (lua_Integer)info.dwBuildNumber);
}

static const WCHAR version_key[] =
    L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";

static void add_registry_text(lua_State *L, const char *name,
                              const WCHAR *value) {
    WCHAR text[128];
    DWORD size = sizeof(text);
    if (RegGetValueW(HKEY_LOCAL_MACHINE, version_key, value, RRF_RT_REG_SZ,
                     NULL, text, &size) != ERROR_SUCCESS)
        return;
    push_wide(L, text);
    lua_setfield(L, -2, name);
}

static void add_edition(lua_State *L) {
    DWORD revision, size = sizeof(revision);
    if (RegGetValueW(HKEY_LOCAL_MACHINE, version_key, L"UBR", RRF_RT_REG_DWORD,
                     NULL, &revision, &size) == ERROR_SUCCESS)
        set_integer(L, "revision", (lua_Integer)revision);
    add_registry_text(L, "edition", L"EditionID");
    add_registry_text(L, "release", L"DisplayVersion");
    add_registry_text(L, "installation", L"InstallationType");
}

/* Under Wine what is found says nothing of Windows. */
static void add_wine(lua_State *L) {
    typedef const char *(*get_version)(void);
    FARPROC found = procedure(L"ntdll.dll", "wine_get_version");
    get_version call;
    memcpy(&call, &found, sizeof(call));
    if (call != NULL)
        set_text(L, "wine", call());
}

static const char *architecture(void) {
    SYSTEM_INFO info;
    GetNativeSystemInfo(&info);
    switch (info.wProcessorArchitecture) {
    case PROCESSOR_ARCHITECTURE_AMD64:
        return "x86_64";
    case PROCESSOR_ARCHITECTURE_ARM64:
        return "aarch64";
    case PROCESSOR_ARCHITECTURE_INTEL:
        return "x86";
    default:
        return "unknown";
    }
}

/* --- rights and virtualization ------------------------------------------ */

static bool is_elevated(void) {
    TOKEN_ELEVATION elevation = {0};
    HANDLE token;
    DWORD size = 0;
    BOOL known;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    known = GetTokenInformation(token, TokenElevation, &elevation,
                                sizeof(elevation), &size);
    CloseHandle(token);
    return known && elevation.TokenIsElevated != 0;
}

#define HYPERV_ADMINISTRATORS 578 /* S-1-5-32-578 */

static bool is_hyperv_administrator(void) {
    SID_IDENTIFIER_AUTHORITY authority = SECURITY_NT_AUTHORITY;
    BOOL member = FALSE;
    PSID group;
    if (!AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID,
                                  HYPERV_ADMINISTRATORS, 0, 0, 0, 0, 0, 0,
                                  &group))
        return false;
    if (!CheckTokenMembership(NULL, group, &member))
        member = FALSE;
    FreeSid(group);
    return member != FALSE;
}

#define FEATURE_VIRTUALIZATION_IN_FIRMWARE 21

/* The bit by which a hypervisor, also one above this machine, is seen. */
static void add_hypervisor(lua_State *L) {
#if defined(_M_X64) || defined(__x86_64__)
    int registers[4] = {0};
    __cpuid(registers, 1);
    set_flag(L, "hypervisor", ((unsigned)registers[2] >> 31) != 0);
#endif
    set_flag(L, "virtualization_in_firmware",
             IsProcessorFeaturePresent(FEATURE_VIRTUALIZATION_IN_FIRMWARE) !=
                 FALSE);
}

static void add_variable(lua_State *L, const char *name,
                         const WCHAR *variable) {
    WCHAR value[MAX_PATH];
    DWORD length = GetEnvironmentVariableW(variable, value, MAX_PATH);
    if (length == 0 || length >= MAX_PATH)
        return;
    push_wide(L, value);
    lua_setfield(L, -2, name);
}

int lhcs_machine(lua_State *L) {
    lua_newtable(L);
    set_text(L, "system", "Windows");
    set_text(L, "architecture", architecture());
    add_version(L);
    add_edition(L);
    add_wine(L);
    set_flag(L, "elevated", is_elevated());
    set_flag(L, "hyperv_administrator", is_hyperv_administrator());
    add_hypervisor(L);
    add_variable(L, "name", L"COMPUTERNAME");
    add_variable(L, "user", L"USERNAME");
    add_variable(L, "domain", L"USERDOMAIN");
    add_variable(L, "home", L"USERPROFILE");
    return 1;
}

/* --- libraries ---------------------------------------------------------- */

#define VERSION_SIGNATURE 0xFEEF04BDu

/* The fixed part of a version resource stands after texts of unknown length,
 * at a multiple of four bytes; it begins with its signature. */
static const VS_FIXEDFILEINFO *version_of(HMODULE module) {
    HRSRC found = FindResourceW(module, MAKEINTRESOURCEW(VS_VERSION_INFO),
                                MAKEINTRESOURCEW(16)); /* RT_VERSION */
    HGLOBAL loaded = found != NULL ? LoadResource(module, found) : NULL;
    const DWORD *words = loaded != NULL ? LockResource(loaded) : NULL;
    size_t count = found != NULL ? SizeofResource(module, found) / 4 : 0;
    size_t needed = sizeof(VS_FIXEDFILEINFO) / 4;
    if (words == NULL)
        return NULL;
    for (size_t i = 0; i + needed <= count; i++)
        if (words[i] == VERSION_SIGNATURE)
            return (const VS_FIXEDFILEINFO *)(const void *)&words[i];
    return NULL;
}

static void add_file_version(lua_State *L, HMODULE module) {
    const VS_FIXEDFILEINFO *info = version_of(module);
    if (info == NULL)
        return;
    lua_pushfstring(L, "%d.%d.%d.%d", (int)HIWORD(info->dwFileVersionMS),
                    (int)LOWORD(info->dwFileVersionMS),
                    (int)HIWORD(info->dwFileVersionLS),
                    (int)LOWORD(info->dwFileVersionLS));
    lua_setfield(L, -2, "version");
}

/* The names of the table at argument 2 that the library does not export. */
static void add_missing(lua_State *L, HMODULE module) {
    lua_Integer count = 0;
    lua_newtable(L);
    for (lua_Integer i = 1; lua_rawgeti(L, 2, i) == LUA_TSTRING; i++) {
        if (GetProcAddress(module, lua_tostring(L, -1)) == NULL)
            lua_rawseti(L, -2, ++count);
        else
            lua_pop(L, 1);
    }
    lua_pop(L, 1);
    lua_setfield(L, -2, "missing");
}

static int fail(lua_State *L, DWORD code) {
    return lhcs_fail(L, HRESULT_FROM_WIN32(code), NULL);
}

/* A library by its bare name, from the system's folder and nowhere else. */
static HMODULE load(const WCHAR *name) {
    return LoadLibraryExW(name, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
}

/* core.module(name, functions): loads a library of the system and tells
 * {path, version, missing}; nil, hr, text when it does not load. A library
 * that is loaded stays. */
static int core_module(lua_State *L) {
    struct lhcs_word name = {.arg = 1};
    WCHAR path[MAX_PATH];
    HMODULE module;
    DWORD code;
    const char *text = luaL_checkstring(L, 1);
    luaL_argcheck(L, strpbrk(text, "/\\:") == NULL, 1, "a bare name expected");
    luaL_checktype(L, 2, LUA_TTABLE);
    lhcs_words(L, &name, 1);
    module = load(name.wide);
    code = GetLastError();
    lhcs_words_free(&name, 1);
    if (module == NULL)
        return fail(L, code);
    lua_newtable(L);
    if (GetModuleFileNameW(module, path, MAX_PATH) != 0)
        push_wide(L, path);
    else
        lua_pushnil(L);
    lua_setfield(L, -2, "path");
    add_file_version(L, module);
    add_missing(L, module);
    return 1;
}

/* --- services ----------------------------------------------------------- */

static const char *state_text(DWORD state) {
    static const char *const names[] = {
        "unknown", "stopped",    "start_pending", "stop_pending",
        "running", "continuing", "pausing",       "paused"};
    return state < HCS_COUNT(names) ? names[state] : names[0];
}

static const char *start_text(DWORD start) {
    static const char *const names[] = {"boot", "system", "automatic", "manual",
                                        "disabled"};
    return start < HCS_COUNT(names) ? names[start] : "unknown";
}

/* What of a service was found out; codes of Windows. */
struct service {
    DWORD failure, state, start;
    bool start_known;
};

#define CONFIG_SIZE 8192 /* the most that QueryServiceConfig ever needs */

static void query_start(SC_HANDLE handle, struct service *service) {
    union {
        QUERY_SERVICE_CONFIGW config;
        BYTE bytes[CONFIG_SIZE];
    } answer;
    DWORD needed;
    service->start_known = QueryServiceConfigW(handle, &answer.config,
                                               CONFIG_SIZE, &needed) != FALSE;
    if (service->start_known)
        service->start = answer.config.dwStartType;
}

static void query_service(const WCHAR *name, struct service *service) {
    SERVICE_STATUS status;
    SC_HANDLE handle = NULL;
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    if (manager != NULL)
        handle = OpenServiceW(manager, name,
                              SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG);
    if (handle == NULL || !QueryServiceStatus(handle, &status)) {
        service->failure = GetLastError();
    } else {
        service->state = status.dwCurrentState;
        query_start(handle, service);
    }
    if (handle != NULL)
        CloseServiceHandle(handle);
    if (manager != NULL)
        CloseServiceHandle(manager);
}

/* core.service(name): {state, start} of a service, or nil, hr, text. */
static int core_service(lua_State *L) {
    struct service service = {0};
    struct lhcs_word name = {.arg = 1};
    lhcs_words(L, &name, 1);
    query_service(name.wide, &service);
    lhcs_words_free(&name, 1);
    if (service.failure != 0)
        return fail(L, service.failure);
    lua_newtable(L);
    set_text(L, "state", state_text(service.state));
    if (service.start_known)
        set_text(L, "start", start_text(service.start));
    return 1;
}

void lhcs_push_machine_only(lua_State *L) {
    static const luaL_Reg own[] = {
        {"module", core_module}, {"service", core_service}, {NULL, NULL}};
    luaL_setfuncs(L, own, 0);
}
