/* SPDX-License-Identifier: MIT
 * Processes, users and where we are, on Windows. */
#include "lhcs.h"

#include <stdio.h>
#include <string.h>

static int fail(lua_State *L, DWORD code) {
    struct hcs_error error;
    HRESULT hr = error_win32(&error, code, "Windows error %lu", code);
    return lhcs_fail(L, hr, error.text);
}

static uint64_t to_uint64(FILETIME time) {
    return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime;
}

/* --- processes ----------------------------------------------------------- */

static int core_pid(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)GetCurrentProcessId());
    return 1;
}

static DWORD check_pid(lua_State *L) {
    lua_Integer pid = luaL_checkinteger(L, 1);
    luaL_argcheck(L, pid > 0 && pid <= UINT32_MAX, 1, "not a process id");
    return (DWORD)pid;
}

/* Windows ignores the two lowest bits of an id when it opens a process. */
static HANDLE open_process(DWORD pid) {
    if (pid % 4 != 0) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    return OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE,
                       pid);
}

/* core.alive(pid): also true for a process that we have no right to open. */
static int core_alive(lua_State *L) {
    HANDLE process = open_process(check_pid(L));
    bool alive = process != NULL || GetLastError() == ERROR_ACCESS_DENIED;
    if (process != NULL) {
        alive = WaitForSingleObject(process, 0) == WAIT_TIMEOUT;
        CloseHandle(process);
    }
    lua_pushboolean(L, alive);
    return 1;
}

/* core.started(pid): when a process started, in a unit of the system's that
 * only tells two processes with one number apart; 0 where it cannot be told. */
static int core_started(lua_State *L) {
    HANDLE process = open_process(check_pid(L));
    FILETIME created = {0, 0}, exited, kernel, user;
    if (process != NULL) {
        if (!GetProcessTimes(process, &created, &exited, &kernel, &user))
            created = (FILETIME){0, 0};
        CloseHandle(process);
    }
    lua_pushinteger(L, (lua_Integer)to_uint64(created));
    return 1;
}

/* --- the boot ------------------------------------------------------------ */

/* What NtQuerySystemInformation(SystemTimeOfDayInformation) fills in. Both
 * times follow when the clock is set, so their difference does not. */
struct time_of_day {
    int64_t boot_time, current_time, zone_bias;
    uint32_t zone, reserved;
    uint64_t boot_time_bias, sleep_time_bias;
};
#define SYSTEM_TIME_OF_DAY 3

typedef LONG(WINAPI *query_system)(int what, void *out, ULONG size,
                                   ULONG *needed);

/* Names this boot of the machine: a GUID, made from the time at which the
 * kernel started. */
static int core_boot_id(lua_State *L) {
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    FARPROC found = ntdll != NULL
                        ? GetProcAddress(ntdll, "NtQuerySystemInformation")
                        : NULL;
    struct time_of_day times;
    query_system query;
    uint64_t boot;
    char text[40];
    memset(&times, 0, sizeof(times));
    memcpy(&query, &found, sizeof(query));
    if (query == NULL ||
        query(SYSTEM_TIME_OF_DAY, &times, sizeof(times), NULL) < 0)
        return fail(L, ERROR_NOT_SUPPORTED);
    boot = (uint64_t)times.boot_time - times.boot_time_bias;
    (void)snprintf(text, sizeof(text), "%08x-%04x-%04x-0000-000000000000",
                   (unsigned)(boot >> 32), (unsigned)(boot >> 16) & 0xFFFFu,
                   (unsigned)boot & 0xFFFFu);
    lua_pushstring(L, text);
    return 1;
}

/* --- text of the system's ------------------------------------------------ */

/* All buffers are Lua's, so that its errors, which jump, lose nothing. */
static WCHAR *new_wide(lua_State *L, size_t units) {
    return lua_newuserdatauv(L, units * sizeof(WCHAR), 0);
}

/* Pushes UTF-16 as UTF-8; nil for what is no text. */
static int push_wide(lua_State *L, const WCHAR *wide, size_t length) {
    int most = (int)length * 3; /* of a unit come three bytes at most */
    char *text = lua_newuserdatauv(L, (size_t)most + 1, 0);
    int bytes = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide,
                                    (int)length, text, most, NULL, NULL);
    if (length == 0 || bytes > 0)
        lua_pushlstring(L, text, (size_t)bytes);
    else
        lua_pushnil(L);
    return 1;
}

/* core.cwd(): the current folder. */
static int core_cwd(lua_State *L) {
    DWORD size = GetCurrentDirectoryW(0, NULL);
    WCHAR *path = new_wide(L, size);
    DWORD length = GetCurrentDirectoryW(size, path);
    if (length == 0 || length >= size)
        return fail(L,
                    length == 0 ? GetLastError() : ERROR_INSUFFICIENT_BUFFER);
    return push_wide(L, path, length);
}

/* The UTF-16 of an argument; raises for what is no text. */
static const WCHAR *check_wide(lua_State *L, int arg) {
    size_t length;
    const char *text = luaL_checklstring(L, arg, &length);
    WCHAR *wide = new_wide(L, length + 1);
    int units;
    luaL_argcheck(L, length < INT32_MAX && strlen(text) == length, arg,
                  "it contains a NUL");
    units = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide,
                                (int)length + 1);
    luaL_argcheck(L, units > 0, arg, "it is not UTF-8");
    return wide;
}

/* core.getenv(name): nil for what is not set. Unlike os.getenv it is UTF-8,
 * whatever the code page. */
static int core_getenv(lua_State *L) {
    const WCHAR *name = check_wide(L, 1);
    DWORD size = GetEnvironmentVariableW(name, NULL, 0);
    WCHAR *value = new_wide(L, size);
    DWORD length = GetEnvironmentVariableW(name, value, size);
    if (size > 0 && length < size)
        return push_wide(L, value, length);
    lua_pushnil(L);
    return 1;
}

#define USER_MOST 257 /* units of the longest name, with its end */

/* core.user(): the name of the user this process runs as. */
static int core_user(lua_State *L) {
    DWORD size = USER_MOST;
    WCHAR *name = new_wide(L, size);
    if (GetUserNameW(name, &size) && size > 0)
        return push_wide(L, name, size - 1);
    lua_pushliteral(L, "unknown");
    return 1;
}

/* --- terminals ----------------------------------------------------------- */

/* The console that a standard stream (0, 1, 2) is, else NULL; of other numbers
 * Windows knows nothing. */
static HANDLE console_of(lua_Integer fd) {
    static const DWORD standard[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE,
                                     STD_ERROR_HANDLE};
    HANDLE handle = fd < 3 ? GetStdHandle(standard[fd]) : NULL;
    DWORD mode;
    return handle != NULL && GetConsoleMode(handle, &mode) ? handle : NULL;
}

/* core.isatty(fd): whether a standard stream is a console. */
static int core_isatty(lua_State *L) {
    lua_Integer fd = luaL_checkinteger(L, 1);
    luaL_argcheck(L, fd >= 0 && fd <= INT32_MAX, 1, "not a descriptor");
    lua_pushboolean(L, console_of(fd) != NULL);
    return 1;
}

/* core.standard(fd): what api.pump can wait for of a standard stream, nil where
 * it cannot: pipes and files are not waited for here. A console is ready from
 * the first key on; reading then waits for the line's end. */
static int core_standard(lua_State *L) {
    lua_Integer fd = luaL_checkinteger(L, 1);
    HANDLE console;
    luaL_argcheck(L, fd >= 0 && fd <= 2, 1, "not a standard stream");
    console = console_of(fd);
    if (console != NULL)
        lua_pushinteger(L, (lua_Integer)(uint32_t)(uintptr_t)console);
    else
        lua_pushnil(L);
    return 1;
}

void lhcs_push_system(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"pid", core_pid},         {"alive", core_alive},
        {"started", core_started}, {"user", core_user},
        {"boot_id", core_boot_id}, {"cwd", core_cwd},
        {"isatty", core_isatty},   {"standard", core_standard},
        {"getenv", core_getenv},   {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    lua_pushliteral(L, "windows");
    lua_setfield(L, -2, "platform");
}
