/* SPDX-License-Identifier: MIT
 * Whole files by names of any script: Lua's own io knows a code page's only. */
#include "lhcs.h"

#include <string.h>

#include "../base/file.h"

static const char *path_arg(lua_State *L, int arg) {
    size_t length;
    const char *path = luaL_checklstring(L, arg, &length);
    luaL_argcheck(L, strlen(path) == length, arg, "it contains a NUL");
    return path;
}

/* A file that is closed when it goes out of scope, also by an error. */
struct file_box {
    hcs_file file;
};

static int box_close(lua_State *L) {
    struct file_box *box = lua_touserdata(L, 1);
    (void)file_close(box->file, NULL);
    box->file = HCS_NO_FILE;
    return 0;
}

static struct file_box *push_box(lua_State *L) {
    struct file_box *box = lua_newuserdatauv(L, sizeof(*box), 0);
    box->file = HCS_NO_FILE;
    if (luaL_newmetatable(L, "HCS_FILE")) {
        lua_pushcfunction(L, box_close);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, "__gc");
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    return box;
}

static int fail(lua_State *L, const struct hcs_error *error) {
    return lhcs_fail(L, error->code, error->text);
}

/* core.read_file(path): all of it, or nil, hr, text. */
static int core_read_file(lua_State *L) {
    struct hcs_error error = {.code = S_OK};
    struct file_box *box;
    luaL_Buffer text;
    uint64_t offset = 0;
    size_t count = 1;
    const char *path = path_arg(L, 1);
    lua_settop(L, 1);
    box = push_box(L);
    if (FAILED(file_open(path, &box->file, &error)))
        return fail(L, &error);
    luaL_buffinit(L, &text);
    while (count > 0) {
        char *room = luaL_prepbuffsize(&text, 65536);
        if (FAILED(
                file_read_at(box->file, room, 65536, offset, &count, &error)))
            return fail(L, &error);
        luaL_addsize(&text, count);
        offset += count;
    }
    luaL_pushresult(&text);
    return 1;
}

/* core.write_file(path, text, append): true, or nil, hr, text. */
static int core_write_file(lua_State *L) {
    struct hcs_error error = {.code = S_OK};
    struct file_box *box;
    size_t length;
    hcs_file file;
    const char *path = path_arg(L, 1);
    const char *text = luaL_checklstring(L, 2, &length);
    bool append = lua_toboolean(L, 3) != 0;
    lua_settop(L, 2);
    box = push_box(L);
    if (FAILED(file_open_to_write(path, append, &box->file, &error)) ||
        FAILED(file_write_all(box->file, text, length, &error)))
        return fail(L, &error);
    file = box->file;
    box->file = HCS_NO_FILE;
    if (FAILED(file_close(file, &error)))
        return fail(L, &error);
    lua_pushboolean(L, 1);
    return 1;
}

/* core.file_size(path): in bytes, or nil, hr, text. */
static int core_file_size(lua_State *L) {
    struct hcs_error error = {.code = S_OK};
    uint64_t length;
    const char *path = path_arg(L, 1);
    struct file_box *box;
    lua_settop(L, 1);
    box = push_box(L);
    if (FAILED(file_open(path, &box->file, &error)) ||
        FAILED(file_length(box->file, &length, &error)))
        return fail(L, &error);
    lua_pushinteger(L, (lua_Integer)length);
    return 1;
}

void lhcs_push_file(lua_State *L) {
    static const luaL_Reg functions[] = {{"read_file", core_read_file},
                                         {"write_file", core_write_file},
                                         {"file_size", core_file_size},
                                         {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
}
