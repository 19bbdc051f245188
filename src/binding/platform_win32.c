/* SPDX-License-Identifier: MIT
 * Processes, users and where we are, on Windows. */
#include "lhcs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/utf.h"

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

/* Pushes UTF-16 that is ours as UTF-8 and frees it; nil for what is no text. */
static int push_wide(lua_State *L, WCHAR *wide, size_t length) {
    char *text = NULL;
    size_t bytes = 0;
    HRESULT hr = utf8_from_utf16(wide, length, &text, &bytes, NULL);
    char *copy;
    free(wide);
    if (FAILED(hr)) {
        lua_pushnil(L);
        return 1;
    }
    /* While Lua makes its string, which may jump, the bytes are Lua's. */
    copy = lua_newuserdatauv(L, bytes + 1, 0);
    memcpy(copy, text, bytes + 1);
    free(text);
    lua_pushlstring(L, copy, bytes);
    lua_remove(L, -2);
    return 1;
}

static WCHAR *new_wide(size_t units) {
    return calloc(units, sizeof(WCHAR));
}

/* core.cwd(): the current folder. */
static int core_cwd(lua_State *L) {
    DWORD size = GetCurrentDirectoryW(0, NULL);
    WCHAR *path = size > 0 ? new_wide(size) : NULL;
    DWORD length = path != NULL ? GetCurrentDirectoryW(size, path) : 0;
    if (path == NULL)
        return fail(L, size > 0 ? ERROR_NOT_ENOUGH_MEMORY : GetLastError());
    if (length == 0 || length >= size) {
        free(path);
        return fail(L,
                    length == 0 ? GetLastError() : ERROR_INSUFFICIENT_BUFFER);
    }
    return push_wide(L, path, length);
}

/* core.getenv(name): nil for what is not set. Unlike os.getenv it is UTF-8,
 * whatever the code page. */
static int core_getenv(lua_State *L) {
    struct lhcs_word name = {.arg = 1};
    DWORD size, length = 0;
    WCHAR *value = NULL;
    lhcs_words(L, &name, 1);
    size = GetEnvironmentVariableW(name.wide, NULL, 0);
    if (size > 0)
        value = new_wide(size);
    if (value != NULL)
        length = GetEnvironmentVariableW(name.wide, value, size);
    lhcs_words_free(&name, 1);
    if (size > 0 && value == NULL)
        return fail(L, ERROR_NOT_ENOUGH_MEMORY);
    if (size == 0 || length >= size) {
        free(value);
        lua_pushnil(L);
        return 1;
    }
    return push_wide(L, value, length);
}

#define USER_MOST 257 /* units of the longest name, with its end */

/* core.user(): the name of the user this process runs as. */
static int core_user(lua_State *L) {
    DWORD size = USER_MOST;
    WCHAR *name = new_wide(size);
    if (name == NULL)
        return fail(L, ERROR_NOT_ENOUGH_MEMORY);
    if (!GetUserNameW(name, &size) || size == 0) {
        free(name);
        lua_pushliteral(L, "unknown");
        return 1;
    }
    return push_wide(L, name, size - 1);
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
