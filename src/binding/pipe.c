/* SPDX-License-Identifier: MIT
 * HCS_PIPE: a guest's serial port as a stream that never blocks. */
#include "lhcs.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define READ_DEFAULT 65536
#define READ_MOST (16 * 1024 * 1024)

struct pipe {
    HANDLE handle; /* NULL when closed */
    BOOL(WINAPI *close)(HANDLE handle);
};

static struct pipe *check_open(lua_State *L) {
    struct pipe *pipe = luaL_checkudata(L, 1, LHCS_PIPE);
    luaL_argcheck(L, pipe->handle != NULL, 1, "it is closed");
    return pipe;
}

/* On this platform a HANDLE is a descriptor plus one. */
static int fd_of(const struct pipe *pipe) {
    return (int)((intptr_t)pipe->handle - 1);
}

static int pipe_fail(lua_State *L, int number) {
    return lhcs_fail(L, hresult_from_errno(number), strerror(number));
}

/* pipe:read(n): what is there, at most n bytes; "" when nothing is; nil at the
 * end; nil, hr, text on failure. */
static int pipe_read(lua_State *L) {
    struct pipe *pipe = check_open(L);
    lua_Integer most = luaL_optinteger(L, 2, READ_DEFAULT);
    luaL_Buffer buffer;
    char *space;
    ssize_t got;
    luaL_argcheck(L, most > 0 && most <= READ_MOST, 2,
                  "not between 1 and 16777216");
    space = luaL_buffinitsize(L, &buffer, (size_t)most);
    do
        got = recv(fd_of(pipe), space, (size_t)most, MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) {
        lua_pushnil(L);
        return 1;
    }
    if (got < 0 && errno != EAGAIN)
        return pipe_fail(L, errno);
    luaL_pushresultsize(&buffer, got < 0 ? 0 : (size_t)got);
    return 1;
}

/* pipe:write(text, first): how many bytes, from the first on, were taken (0
 * when the other side is slow); nil, hr, text when it is gone. */
static int pipe_write(lua_State *L) {
    struct pipe *pipe = check_open(L);
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);
    lua_Integer first = luaL_optinteger(L, 3, 1);
    ssize_t put;
    luaL_argcheck(L, first >= 1 && (size_t)first <= length + 1, 3,
                  "outside the text");
    text += first - 1;
    length -= (size_t)first - 1;
    do
        put = length == 0 ? 0
                          : send(fd_of(pipe), text, length,
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    if (put < 0 && errno != EAGAIN)
        return pipe_fail(L, errno);
    lua_pushinteger(L, put < 0 ? 0 : put);
    return 1;
}

static int pipe_fd(lua_State *L) {
    lua_pushinteger(L, fd_of(check_open(L)));
    return 1;
}

static int pipe_is_open(lua_State *L) {
    const struct pipe *pipe = luaL_checkudata(L, 1, LHCS_PIPE);
    lua_pushboolean(L, pipe->handle != NULL);
    return 1;
}

static int pipe_close(lua_State *L) {
    struct pipe *pipe = luaL_checkudata(L, 1, LHCS_PIPE);
    HANDLE handle = pipe->handle;
    pipe->handle = NULL;
    if (handle != NULL)
        (void)pipe->close(handle);
    return 0;
}

static int pipe_tostring(lua_State *L) {
    const struct pipe *pipe = luaL_checkudata(L, 1, LHCS_PIPE);
    lua_getiuservalue(L, 1, 1);
    lua_pushfstring(L, LHCS_PIPE " \"%s\"%s", luaL_tolstring(L, -1, NULL),
                    pipe->handle != NULL ? "" : " (closed)");
    return 1;
}

/* api.pipe_connect(name): the stream, or nil and the HRESULT. */
int lhcs_pipe_connect(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word name = {.arg = 1};
    struct pipe *pipe;
    HRESULT hr;
    luaL_checkstring(L, 1);
    pipe = lua_newuserdatauv(L, sizeof(*pipe), 1);
    pipe->handle = NULL;
    pipe->close = world->library.close_handle;
    luaL_setmetatable(L, LHCS_PIPE);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    lhcs_words(L, &name, 1);
    hr = world->own.hcshost_pipe_connect(world->host, name.wide, &pipe->handle);
    lhcs_words_free(&name, 1);
    return FAILED(hr) ? lhcs_fail(L, hr, NULL) : 1;
}

/* api.pipe_path(name): where other programs find it, or nil and the HRESULT. */
int lhcs_pipe_path(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word name = {.arg = 1};
    char path[4096];
    HRESULT hr;
    lhcs_words(L, &name, 1);
    hr = world->own.hcshost_pipe_path(world->host, name.wide, path,
                                      sizeof(path));
    lhcs_words_free(&name, 1);
    if (FAILED(hr))
        return lhcs_fail(L, hr, NULL);
    lua_pushstring(L, path);
    return 1;
}

void lhcs_pipe_register(lua_State *L) {
    static const luaL_Reg meta[] = {{"__gc", pipe_close},
                                    {"__close", pipe_close},
                                    {"__tostring", pipe_tostring},
                                    {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"read", pipe_read},   {"write", pipe_write},     {"fd", pipe_fd},
        {"close", pipe_close}, {"is_open", pipe_is_open}, {NULL, NULL}};
    if (luaL_newmetatable(L, LHCS_PIPE)) {
        luaL_setfuncs(L, meta, 0);
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
    }
    lua_pop(L, 1);
}
