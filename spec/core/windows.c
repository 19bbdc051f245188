/* SPDX-License-Identifier: MIT
 * hcs.spec_windows: the system calls that the specs need and Lua does not
 * have. Only for tests. Handles are integers. */
#define WIN32_LEAN_AND_MEAN
#include <winsock2.h>
#include <windows.h>

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <tlhelp32.h>

static int fail(lua_State *L, const char *what) {
    return luaL_error(L, "%s: error %d", what, (int)GetLastError());
}

/* The UTF-16 of an argument, in memory of Lua's; NULL for nil. */
static WCHAR *wide_arg(lua_State *L, int arg) {
    const char *text = luaL_optstring(L, arg, NULL);
    int size;
    WCHAR *wide;
    if (text == NULL)
        return NULL;
    size =
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    luaL_argcheck(L, size > 0, arg, "not UTF-8");
    wide = lua_newuserdatauv(L, (size_t)size * sizeof(*wide), 0);
    (void)MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, size);
    return wide;
}

static void push_wide(lua_State *L, const WCHAR *wide) {
    int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = lua_newuserdatauv(L, (size_t)size + 1, 0);
    text[0] = '\0';
    (void)WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL);
    lua_pushstring(L, text);
}

static HANDLE handle_arg(lua_State *L, int arg) {
    return (HANDLE)(intptr_t)luaL_checkinteger(L, arg);
}

static void push_handle(lua_State *L, HANDLE handle) {
    lua_pushinteger(L, (lua_Integer)(intptr_t)handle);
}

/* --- processes ---------------------------------------------------------- */

/* setenv(name, value or nil): what new processes get; returns what it was. */
static int windows_setenv(lua_State *L) {
    WCHAR old[8192];
    const WCHAR *name, *value;
    DWORD length;
    luaL_checkstring(L, 1);
    lua_settop(L, 2);
    name = wide_arg(L, 1);
    value = wide_arg(L, 2);
    length = GetEnvironmentVariableW(name, old, 8192);
    if (length >= 8192)
        return luaL_error(L, "a variable of %d characters", (int)length);
    if (!SetEnvironmentVariableW(name, value) &&
        GetLastError() != ERROR_ENVVAR_NOT_FOUND)
        return fail(L, "SetEnvironmentVariable");
    if (length == 0)
        lua_pushnil(L);
    else
        push_wide(L, old);
    return 1;
}

/* A file for a child's standard handles. It can be removed at once when the
 * child has ended, although its handles are closed a little later. */
static HANDLE child_file(const WCHAR *path, bool to_write) {
    SECURITY_ATTRIBUTES inherited = {sizeof(inherited), NULL, TRUE};
    return CreateFileW(path, to_write ? GENERIC_WRITE : GENERIC_READ,
                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                       &inherited, to_write ? CREATE_ALWAYS : OPEN_EXISTING,
                       FILE_ATTRIBUTE_NORMAL, NULL);
}

/* The exit code of a process, which is ended after `limit` ms. */
static DWORD exit_code(HANDLE process, DWORD limit) {
    DWORD code = 0;
    if (WaitForSingleObject(process, limit) == WAIT_TIMEOUT) {
        (void)TerminateProcess(process, 124);
        (void)WaitForSingleObject(process, 5000);
    }
    (void)GetExitCodeProcess(process, &code);
    return code;
}

/* run(command line, file to read, file to write, limit in ms, creation flags):
 * the exit code, 124 when its time was over. */
static int windows_run(lua_State *L) {
    STARTUPINFOW startup;
    PROCESS_INFORMATION process;
    DWORD limit = (DWORD)luaL_checkinteger(L, 4);
    DWORD flags = (DWORD)luaL_optinteger(L, 5, 0);
    WCHAR *command = wide_arg(L, 1);
    WCHAR *input = wide_arg(L, 2), *output = wide_arg(L, 3);
    BOOL started;
    memset(&startup, 0, sizeof(startup));
    startup.cb = sizeof(startup);
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = child_file(input != NULL ? input : L"NUL", false);
    if (startup.hStdInput == INVALID_HANDLE_VALUE)
        return fail(L, "CreateFile of the input");
    startup.hStdOutput = child_file(output, true);
    if (startup.hStdOutput == INVALID_HANDLE_VALUE) {
        CloseHandle(startup.hStdInput);
        return fail(L, "CreateFile of the output");
    }
    startup.hStdError = startup.hStdOutput;
    started = CreateProcessW(NULL, command, NULL, NULL, TRUE, flags, NULL, NULL,
                             &startup, &process);
    CloseHandle(startup.hStdInput);
    CloseHandle(startup.hStdOutput);
    if (!started)
        return fail(L, "CreateProcess");
    CloseHandle(process.hThread);
    lua_pushinteger(L, (lua_Integer)exit_code(process.hProcess, limit));
    CloseHandle(process.hProcess);
    return 1;
}

/* kill(pid): at once, with the exit code 137. */
static int windows_kill(lua_State *L) {
    DWORD pid = (DWORD)luaL_checkinteger(L, 1);
    HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, pid);
    if (process == NULL)
        return fail(L, "OpenProcess");
    if (!TerminateProcess(process, 137)) {
        CloseHandle(process);
        return fail(L, "TerminateProcess");
    }
    CloseHandle(process);
    return 0;
}

/* remove(path): a file; true when it is gone. */
static int windows_remove(lua_State *L) {
    luaL_checkstring(L, 1);
    lua_pushboolean(L, DeleteFileW(wide_arg(L, 1)) ||
                           GetLastError() == ERROR_FILE_NOT_FOUND);
    return 1;
}

static void CALLBACK press(void *context, BOOLEAN fired) {
    (void)context;
    (void)fired;
    (void)GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0);
}

/* interrupt(ms): somebody presses Ctrl-C then in this process's console. */
static int windows_interrupt(lua_State *L) {
    HANDLE timer;
    DWORD delay = (DWORD)luaL_checkinteger(L, 1);
    if (!CreateTimerQueueTimer(&timer, NULL, press, NULL, delay, 0,
                               WT_EXECUTEONLYONCE))
        return fail(L, "CreateTimerQueueTimer");
    return 0;
}

/* --- the console ---------------------------------------------------------- */

/* The handle is not inherited; INVALID_HANDLE_VALUE and the last error. */
static HANDLE open_console(void) {
    return CreateFileW(L"CONIN$", GENERIC_READ | GENERIC_WRITE,
                       FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                       0, NULL);
}

/* use_console(): standard input is this process's console from now on. */
static int windows_use_console(lua_State *L) {
    if (freopen("CONIN$", "r", stdin) == NULL)
        return fail(L, "CONIN$");
    if (!SetStdHandle(STD_INPUT_HANDLE, open_console()))
        return fail(L, "SetStdHandle");
    return 0;
}

/* Presses and releases a key. */
static BOOL press_key(HANDLE console, char key) {
    INPUT_RECORD records[2];
    DWORD written;
    memset(records, 0, sizeof(records));
    for (int i = 0; i < 2; i++) {
        KEY_EVENT_RECORD *event = &records[i].Event.KeyEvent;
        records[i].EventType = KEY_EVENT;
        event->bKeyDown = i == 0;
        event->wRepeatCount = 1;
        event->uChar.UnicodeChar = (WCHAR)key;
        event->wVirtualKeyCode = key == '\r' ? VK_RETURN : 0;
    }
    return WriteConsoleInputW(console, records, 2, &written);
}

/* type(text): on this process's console; "\r" is the key at a line's end. */
static int windows_type(lua_State *L) {
    const char *next = luaL_checkstring(L, 1);
    HANDLE console = open_console();
    BOOL done = console != INVALID_HANDLE_VALUE;
    for (; done && *next != '\0'; next++)
        done = press_key(console, *next);
    if (!done)
        return fail(L, "WriteConsoleInput");
    CloseHandle(console);
    return 0;
}

/* --- what there is ------------------------------------------------------ */

#define MOST_HANDLES 0x10000 /* four times as many numbers are looked at */

/* handles(): how many this process has open. Asked one by one: Wine knows no
 * count. The search ends where a long stretch is free. */
static int windows_handles(lua_State *L) {
    lua_Integer count = 0;
    DWORD flags;
    int empty = 0;
    for (intptr_t i = 4; empty < 1024 && i < MOST_HANDLES; i += 4) {
        bool open = GetHandleInformation((HANDLE)i, &flags) != FALSE;
        count += open ? 1 : 0;
        empty = open ? 0 : empty + 1;
    }
    lua_pushinteger(L, count);
    return 1;
}

static int windows_threads(lua_State *L) {
    THREADENTRY32 entry = {.dwSize = sizeof(entry)};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    lua_Integer count = 0;
    if (all == INVALID_HANDLE_VALUE)
        return fail(L, "CreateToolhelp32Snapshot");
    for (BOOL more = Thread32First(all, &entry); more;
         more = Thread32Next(all, &entry))
        count += entry.th32OwnerProcessID == GetCurrentProcessId() ? 1 : 0;
    CloseHandle(all);
    lua_pushinteger(L, count);
    return 1;
}

/* processes(): {[process id] = its parent's}. */
static int windows_processes(lua_State *L) {
    PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    if (all == INVALID_HANDLE_VALUE)
        return fail(L, "CreateToolhelp32Snapshot");
    lua_newtable(L);
    for (BOOL more = Process32FirstW(all, &entry); more;
         more = Process32NextW(all, &entry)) {
        lua_pushinteger(L, (lua_Integer)entry.th32ParentProcessID);
        lua_rawseti(L, -2, (lua_Integer)entry.th32ProcessID);
    }
    CloseHandle(all);
    return 1;
}

/* loaded(name): the path of a library that is loaded, or nil. */
static int windows_loaded(lua_State *L) {
    WCHAR path[MAX_PATH];
    HMODULE module = GetModuleHandleW(wide_arg(L, 1));
    if (module == NULL || GetModuleFileNameW(module, path, MAX_PATH) == 0)
        lua_pushnil(L);
    else
        push_wide(L, path);
    return 1;
}

/* --- events ------------------------------------------------------------- */

/* event(automatic): one that is reset by hand, or by the wait that it ends. */
static int windows_event(lua_State *L) {
    HANDLE event = CreateEventW(NULL, !lua_toboolean(L, 1), FALSE, NULL);
    if (event == NULL)
        return fail(L, "CreateEvent");
    push_handle(L, event);
    return 1;
}

static int windows_set(lua_State *L) {
    return SetEvent(handle_arg(L, 1)) ? 0 : fail(L, "SetEvent");
}

static int windows_reset(lua_State *L) {
    return ResetEvent(handle_arg(L, 1)) ? 0 : fail(L, "ResetEvent");
}

static int windows_close(lua_State *L) {
    return CloseHandle(handle_arg(L, 1)) ? 0 : fail(L, "CloseHandle");
}

/* pipe(name): the one end that a named pipe's server has of it. */
static int windows_pipe(lua_State *L) {
    HANDLE pipe =
        CreateNamedPipeW(wide_arg(L, 1), PIPE_ACCESS_DUPLEX,
                         PIPE_TYPE_BYTE | PIPE_NOWAIT, 1, 4096, 4096, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        return fail(L, "CreateNamedPipe");
    push_handle(L, pipe);
    return 1;
}

/* signalled(handle, ms): 1 or 0. */
static int windows_signalled(lua_State *L) {
    DWORD limit = (DWORD)luaL_checkinteger(L, 2);
    DWORD result = WaitForSingleObject(handle_arg(L, 1), limit);
    if (result == WAIT_FAILED)
        return fail(L, "WaitForSingleObject");
    lua_pushinteger(L, result == WAIT_OBJECT_0 ? 1 : 0);
    return 1;
}

/* Winsock is not linked with: what is shipped must not be by accident either,
 * and the same check is made of all DLLs. */
static FARPROC winsock(const char *name) {
    HMODULE module =
        LoadLibraryExW(L"ws2_32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    return module != NULL ? GetProcAddress(module, name) : NULL;
}

/* socket_readable(socket, ms): 1 or 0. */
static int windows_socket_readable(lua_State *L) {
    int(WSAAPI * poll)(WSAPOLLFD *, ULONG, INT);
    FARPROC found = winsock("WSAPoll");
    WSAPOLLFD socket = {.fd = (SOCKET)luaL_checkinteger(L, 1),
                        .events = POLLRDNORM};
    int count;
    memcpy(&poll, &found, sizeof(poll));
    if (poll == NULL)
        return fail(L, "WSAPoll");
    count = poll(&socket, 1, (INT)luaL_checkinteger(L, 2));
    if (count < 0)
        return fail(L, "WSAPoll");
    lua_pushinteger(L, count);
    return 1;
}

__declspec(dllexport) int luaopen_hcs_spec_windows(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"setenv", windows_setenv},
        {"run", windows_run},
        {"use_console", windows_use_console},
        {"type", windows_type},
        {"remove", windows_remove},
        {"kill", windows_kill},
        {"interrupt", windows_interrupt},
        {"handles", windows_handles},
        {"threads", windows_threads},
        {"processes", windows_processes},
        {"loaded", windows_loaded},
        {"event", windows_event},
        {"set", windows_set},
        {"reset", windows_reset},
        {"close", windows_close},
        {"pipe", windows_pipe},
        {"signalled", windows_signalled},
        {"socket_readable", windows_socket_readable},
        {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
