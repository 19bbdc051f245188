/* SPDX-License-Identifier: MIT
 * HCS_PIPE: a guest's serial port as a stream that never blocks. */
#include "pipe.h"
#include "lhcs.h"
#include "watch.h"

#define READ_DEFAULT 65536
#define READ_MOST (16 * 1024 * 1024)

static struct pipe *check_open(lua_State *L) {
    struct pipe *pipe = luaL_checkudata(L, 1, LHCS_PIPE);
    luaL_argcheck(L, pipe->handle != NULL, 1, "it is closed");
    return pipe;
}

/* pipe:read(n): what is there, at most n bytes; "" when nothing is; nil at the
 * end; nil, hr, text on failure. */
static int pipe_read(lua_State *L) {
    struct pipe *pipe = check_open(L);
    lua_Integer most = luaL_optinteger(L, 2, READ_DEFAULT);
    struct hcs_error error;
    luaL_Buffer buffer;
    char *space;
    size_t got = 0;
    HRESULT hr;
    luaL_argcheck(L, most > 0 && most <= READ_MOST, 2,
                  "not between 1 and 16777216");
    space = luaL_buffinitsize(L, &buffer, (size_t)most);
    hr = pipe_take(pipe, space, (size_t)most, &got, &error);
    if (FAILED(hr))
        return lhcs_fail(L, hr, error.text);
    if (hr == S_FALSE)
        lua_pushnil(L);
    else
        luaL_pushresultsize(&buffer, got);
    return 1;
}

/* pipe:write(text, first): how many bytes, from the first on, were taken (0
 * when the other side is slow); nil, hr, text when it is gone. */
static int pipe_write(lua_State *L) {
    struct pipe *pipe = check_open(L);
    size_t length;
    const char *text = luaL_checklstring(L, 2, &length);
    lua_Integer first = luaL_optinteger(L, 3, 1);
    struct hcs_error error;
    size_t put = 0;
    HRESULT hr;
    luaL_argcheck(L, first >= 1 && (size_t)first <= length + 1, 3,
                  "outside the text");
    hr = pipe_put(pipe, text + first - 1, length - ((size_t)first - 1), &put,
                  &error);
    if (FAILED(hr))
        return lhcs_fail(L, hr, error.text);
    lua_pushinteger(L, (lua_Integer)put);
    return 1;
}

/* pipe:fd(): what api.pump and other loops wait for. */
static int pipe_fd(lua_State *L) {
    struct pipe *pipe = check_open(L);
    pipe_arm(pipe);
    lua_pushinteger(L, watch_number(pipe_waitable(pipe)));
    return 1;
}

/* pipe:connected(): whether the other side has answered; nil, hr, text when it
 * did not let us in. */
static int pipe_is_connected(lua_State *L) {
    const struct pipe *pipe = check_open(L);
    struct hcs_error error;
    HRESULT hr = pipe_connected(pipe, &error);
    if (FAILED(hr))
        return lhcs_fail(L, hr, error.text);
    lua_pushboolean(L, hr == S_OK);
    return 1;
}

static int pipe_is_open(lua_State *L) {
    const struct pipe *pipe = luaL_checkudata(L, 1, LHCS_PIPE);
    lua_pushboolean(L, pipe->handle != NULL);
    return 1;
}

static int pipe_close(lua_State *L) {
    pipe_drop(luaL_checkudata(L, 1, LHCS_PIPE));
    return 0;
}

static int pipe_tostring(lua_State *L) {
    const struct pipe *pipe = luaL_checkudata(L, 1, LHCS_PIPE);
    lua_getiuservalue(L, 1, 1);
    lua_pushfstring(L, LHCS_PIPE " \"%s\"%s", luaL_tolstring(L, -1, NULL),
                    pipe->handle != NULL ? "" : " (closed)");
    return 1;
}

/* Pushes a new closed pipe that is called what `name` is. */
static struct pipe *new_pipe(lua_State *L, int name,
                             const struct lhcs_world *world) {
    struct pipe *pipe = lua_newuserdatauv(L, sizeof(*pipe), 1);
    *pipe = (struct pipe){.close = world->library.close_handle};
    luaL_setmetatable(L, LHCS_PIPE);
    lua_pushvalue(L, name);
    lua_setiuservalue(L, -2, 1);
    return pipe;
}

/* Files the pipe on the stack's top under its number. */
static void make_known(lua_State *L, const struct pipe *pipe) {
    pipe_push_known(L);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, watch_number(pipe_waitable(pipe)));
    lua_pop(L, 1);
}

/* Embedded hosts have pipes of their own; to Windows' own service they are the
 * system's. */
static HRESULT reach(struct lhcs_world *world, PCWSTR name, HANDLE *out,
                     struct hcs_error *error) {
    HRESULT hr;
    if (world->host == NULL)
        return pipe_reach(name, out, error);
    hr = world->own.hcshost_pipe_connect(world->host, name, out);
    if (FAILED(hr)) {
        const char *text = hresult_text(hr);
        return error_set(error, hr, NULL, "%s",
                         text != NULL ? text : "cannot connect to the pipe");
    }
    return hr;
}

/* api.pipe_connect(name): the stream, or nil, hr and a text. */
int lhcs_pipe_connect(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word name = {.arg = 1};
    struct hcs_error error;
    struct pipe *pipe;
    HANDLE handle = NULL;
    HRESULT hr;
    luaL_checkstring(L, 1);
    pipe_push_known(L);
    pipe = new_pipe(L, 1, world);
    lhcs_words(L, &name, 1);
    hr = reach(world, name.wide, &handle, &error);
    lhcs_words_free(&name, 1);
    if (SUCCEEDED(hr))
        hr = pipe_adopt(pipe, handle, &error);
    if (FAILED(hr))
        return lhcs_fail(L, hr, error.text);
    make_known(L, pipe);
    return 1;
}

/* api.network_connect(address, port): a stream of the same kind to the host of
 * the networks, as the functions of networks answer: hr, stream, record. */
int lhcs_network_connect(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    lua_Integer port = luaL_checkinteger(L, 2);
    struct lhcs_word address = {.arg = 1, .optional = true};
    struct hcs_error error;
    struct pipe *pipe;
    HANDLE handle = NULL;
    PWSTR record = NULL;
    HRESULT hr;
    luaL_argcheck(L, port > 0 && port <= UINT16_MAX, 2,
                  "not between 1 and 65535");
    lua_settop(L, 2);
    lua_pushfstring(L, "%s port %d", luaL_optstring(L, 1, "the host"),
                    (int)port);
    pipe_push_known(L);
    pipe = new_pipe(L, 3, world);
    lhcs_words(L, &address, 1);
    hr = world->own.hcshost_network_connect(world->host, address.wide,
                                            (uint16_t)port, &handle, &record);
    lhcs_words_free(&address, 1);
    if (SUCCEEDED(hr))
        hr = pipe_adopt(pipe, handle, &error);
    if (SUCCEEDED(hr))
        make_known(L, pipe);
    else
        lua_pushnil(L);
    lhcs_push_result(L, hr);
    lua_insert(L, -2);
    lhcs_push_document(L, world, record);
    return 3;
}

/* api.pipe_path(name): where other programs find it, or nil and the HRESULT. */
int lhcs_pipe_path(lua_State *L) {
    struct lhcs_world *world = lhcs_world(L);
    struct lhcs_word name = {.arg = 1};
    char path[4096];
    HRESULT hr;
    if (world->host == NULL) {
        luaL_checkstring(L, 1);
        lua_settop(L, 1);
        return 1;
    }
    lhcs_words(L, &name, 1);
    hr = world->own.hcshost_pipe_path(world->host, name.wide, path,
                                      sizeof(path));
    lhcs_words_free(&name, 1);
    if (FAILED(hr))
        return lhcs_fail(L, hr, NULL);
    lua_pushstring(L, path);
    return 1;
}

void pipe_push_known(lua_State *L) {
    static const char key; /* its address is the key */
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
}

void lhcs_pipe_register(lua_State *L) {
    static const luaL_Reg meta[] = {{"__gc", pipe_close},
                                    {"__close", pipe_close},
                                    {"__tostring", pipe_tostring},
                                    {NULL, NULL}};
    static const luaL_Reg methods[] = {{"read", pipe_read},
                                       {"write", pipe_write},
                                       {"fd", pipe_fd},
                                       {"close", pipe_close},
                                       {"is_open", pipe_is_open},
                                       {"connected", pipe_is_connected},
                                       {NULL, NULL}};
    if (luaL_newmetatable(L, LHCS_PIPE)) {
        luaL_setfuncs(L, meta, 0);
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
    }
    lua_pop(L, 1);
}
