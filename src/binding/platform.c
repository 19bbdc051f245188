/* SPDX-License-Identifier: MIT
 * The few things of the operating system that the Lua layer needs: clocks,
 * processes and where we are. */
#include "lhcs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"

static int push_time(lua_State *L, int64_t time) {
    lua_pushnumber(L, (lua_Number)time / (lua_Number)CLOCK_SECOND);
    return 1;
}

static int core_monotonic(lua_State *L) {
    return push_time(L, clock_monotonic());
}

/* Seconds since 1970 UTC, with their fraction. */
static int core_wall(lua_State *L) {
    return push_time(L, clock_wall());
}

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

/* Names this boot of the machine: a GUID. */
static int core_boot_id(lua_State *L) {
    char text[64];
    ssize_t length;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail(L, errno);
    length = read(fd, text, sizeof(text));
    (void)close(fd);
    if (length < 0)
        return fail(L, errno);
    while (length > 0 && text[length - 1] == '\n')
        length--;
    lua_pushlstring(L, text, (size_t)length);
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

void lhcs_push_platform(lua_State *L) {
    static const luaL_Reg functions[] = {{"monotonic", core_monotonic},
                                         {"wall", core_wall},
                                         {"pid", core_pid},
                                         {"alive", core_alive},
                                         {"boot_id", core_boot_id},
                                         {"cwd", core_cwd},
                                         {"isatty", core_isatty},
                                         {"interruptible", lhcs_interruptible},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    lua_pushliteral(L, "linux");
    lua_setfield(L, -2, "platform");
}
