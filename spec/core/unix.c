/* SPDX-License-Identifier: MIT
 * hcs.spec_unix: the system calls that the specs of hcs.core need and Lua does
 * not have. Only for tests. */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t caught;

static int result(lua_State *L, lua_Integer value) {
    if (value < 0)
        return luaL_error(L, "%s", strerror(errno));
    lua_pushinteger(L, value);
    return 1;
}

static int fd_arg(lua_State *L, int arg) {
    return (int)luaL_checkinteger(L, arg);
}

static int unix_pipe(lua_State *L) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return result(L, -1);
    lua_pushinteger(L, ends[0]);
    lua_pushinteger(L, ends[1]);
    return 2;
}

static int unix_write(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);
    return result(L, write(fd_arg(L, 1), text, length));
}

static int unix_read(lua_State *L) {
    char text[4096];
    ssize_t got = read(fd_arg(L, 1), text, sizeof(text));
    if (got < 0)
        return result(L, -1);
    lua_pushlstring(L, text, (size_t)got);
    return 1;
}

static int unix_close(lua_State *L) {
    return result(L, close(fd_arg(L, 1)));
}

/* readable(fd, ms): 1 or 0. */
static int unix_readable(lua_State *L) {
    struct pollfd poll_fd = {.fd = fd_arg(L, 1), .events = POLLIN};
    return result(L, poll(&poll_fd, 1, (int)luaL_checkinteger(L, 2)));
}

static void count(int number) {
    (void)number;
    caught++;
}

/* catch(signal): from now on it is only counted. */
static int unix_catch(lua_State *L) {
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = count;
    return result(L, sigaction((int)luaL_checkinteger(L, 1), &action, NULL));
}

static int unix_caught(lua_State *L) {
    lua_pushinteger(L, caught);
    return 1;
}

static int unix_kill(lua_State *L) {
    return result(
        L, kill((pid_t)luaL_checkinteger(L, 1), (int)luaL_checkinteger(L, 2)));
}

static int unix_fork(lua_State *L) {
    return result(L, fork());
}

/* wait(pid): the exit code, or 128 + the signal. */
static int unix_wait(lua_State *L) {
    int status;
    if (waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0) < 0)
        return result(L, -1);
    return result(L, WIFEXITED(status) ? WEXITSTATUS(status)
                                       : 128 + WTERMSIG(status));
}

__attribute__((visibility("default"))) int luaopen_hcs_spec_unix(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"pipe", unix_pipe},   {"write", unix_write},
        {"read", unix_read},   {"close", unix_close},
        {"catch", unix_catch}, {"caught", unix_caught},
        {"kill", unix_kill},   {"fork", unix_fork},
        {"wait", unix_wait},   {"readable", unix_readable},
        {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
