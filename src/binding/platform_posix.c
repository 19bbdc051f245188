/* SPDX-License-Identifier: MIT
 * Processes, users and where we are. */
#include "lhcs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int core_pid(lua_State *L) {
    lua_pushinteger(L, getpid());
    return 1;
}

/* core.alive(pid): also true for a process we have no right to signal. */
static int core_alive(lua_State *L) {
    lua_Integer pid = luaL_checkinteger(L, 1);
    luaL_argcheck(L, pid > 0 && pid <= INT_MAX, 1, "not a process id");
    lua_pushboolean(L, kill((pid_t)pid, 0) == 0 || errno == EPERM);
    return 1;
}

static int fail(lua_State *L, int number) {
    return lhcs_fail(L, hresult_from_errno(number), strerror(number));
}

/* The beginning of a file of the kernel's, NUL-terminated; its length, or -1
 * and errno. */
static ssize_t read_start(const char *path, char *text, size_t size) {
    ssize_t length;
    int saved;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    length = read(fd, text, size - 1);
    saved = errno;
    (void)close(fd);
    errno = saved;
    text[length < 0 ? 0 : length] = '\0';
    return length;
}

/* Names this boot of the machine: a GUID. */
static int core_boot_id(lua_State *L) {
    char text[64];
    ssize_t length =
        read_start("/proc/sys/kernel/random/boot_id", text, sizeof(text));
    if (length < 0)
        return fail(L, errno);
    while (length > 0 && text[length - 1] == '\n')
        length--;
    lua_pushlstring(L, text, (size_t)length);
    return 1;
}

/* The 22nd field of a line of /proc/PID/stat; the second, a name in
 * parentheses, may hold blanks and parentheses. */
static lua_Integer start_in(const char *line) {
    const char *at = strrchr(line, ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at == NULL ? 0 : (lua_Integer)strtoll(at, NULL, 10);
}

/* core.started(pid): when a process started, in a unit of the system's that
 * only tells two processes with one number apart; 0 where it cannot be told. */
static int core_started(lua_State *L) {
    char path[64];
    char line[1024];
    lua_Integer pid = luaL_checkinteger(L, 1);
    luaL_argcheck(L, pid > 0 && pid <= INT_MAX, 1, "not a process id");
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    lua_pushinteger(
        L, read_start(path, line, sizeof(line)) < 0 ? 0 : start_in(line));
    return 1;
}

/* core.user(): the name of the user this process runs as, his number where he
 * has none. */
static int core_user(lua_State *L) {
    char names[4096];
    struct passwd entry;
    struct passwd *found = NULL;
    if (getpwuid_r(geteuid(), &entry, names, sizeof(names), &found) == 0 &&
        found != NULL)
        lua_pushstring(L, entry.pw_name);
    else
        lua_pushfstring(L, "%I", (LUAI_UACINT)geteuid());
    return 1;
}

static int core_cwd(lua_State *L) {
    char path[PATH_MAX];
    if (getcwd(path, sizeof(path)) == NULL)
        return fail(L, errno);
    lua_pushstring(L, path);
    return 1;
}

static int core_isatty(lua_State *L) {
    lua_Integer fd = luaL_checkinteger(L, 1);
    luaL_argcheck(L, fd >= 0 && fd <= INT_MAX, 1, "not a descriptor");
    lua_pushboolean(L, isatty((int)fd));
    return 1;
}

/* core.getenv(name): nil for what is not set. */
static int core_getenv(lua_State *L) {
    lua_pushstring(L, getenv(luaL_checkstring(L, 1)));
    return 1;
}

/* core.standard(fd): what api.pump can wait for of a standard stream (0, 1, 2),
 * nil where it cannot. */
static int core_standard(lua_State *L) {
    lua_Integer fd = luaL_checkinteger(L, 1);
    luaL_argcheck(L, fd >= 0 && fd <= 2, 1, "not a standard stream");
    lua_pushinteger(L, fd);
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
    lua_pushliteral(L, "linux");
    lua_setfield(L, -2, "platform");
}
