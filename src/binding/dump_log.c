/* SPDX-License-Identifier: MIT
 * The kernel's log: an iterator that makes the lines when it is asked for them,
 * out of one string that holds all that was told. */
#include "dump.h"

#include <stdio.h>
#include <string.h>

#include "../base/utf.h"

/* A record as it waits in the string, before its text. */
struct record {
    uint64_t sequence, nanoseconds;
    size_t length;
    uint8_t level, facility;
};

static BOOL collect(void *context, const HCSHOST_DUMP_LINE *told) {
    struct buf *out = context;
    struct record record;
    memset(&record, 0, sizeof(record));
    record.sequence = told->Sequence;
    record.nanoseconds = told->Nanoseconds;
    record.length = told->Length;
    record.level = told->Level;
    record.facility = told->Facility;
    buf_add(out, &record, sizeof(record));
    buf_add(out, told->Text, told->Length);
    return !out->failed;
}

static void push_record(lua_State *L, const struct record *record,
                        const char *text) {
    lua_createtable(L, 0, 5);
    lua_pushlstring(L, text, record->length);
    lua_setfield(L, -2, "text");
    lua_pushnumber(L, (lua_Number)record->nanoseconds / 1e9);
    lua_setfield(L, -2, "time");
    lua_pushinteger(L, record->level);
    lua_setfield(L, -2, "level");
    lua_pushinteger(L, record->facility);
    lua_setfield(L, -2, "facility");
    lua_pushinteger(L, (lua_Integer)record->sequence);
    lua_setfield(L, -2, "sequence");
}

/* The bytes that may be printed of what `text` begins with: one character, or
 * 0: what is no character, or one that a terminal obeys. */
static size_t plain_step(const char *text, size_t length) {
    unsigned char byte = (unsigned char)*text;
    uint32_t code;
    size_t step;
    if (byte < 0x7F)
        return byte >= ' ' || byte == '\t' || byte == '\n';
    step = utf8_step(text, length, &code);
    return step > 0 && code >= 0xA0 ? step : 0;
}

/* Without what a terminal would obey, as dmesg prints it. */
static void add_printable(luaL_Buffer *out, const char *text, size_t length) {
    size_t from = 0, at = 0;
    char escaped[8];
    while (at < length) {
        size_t step = plain_step(text + at, length - at);
        at += step;
        if (step > 0)
            continue;
        luaL_addlstring(out, text + from, at - from);
        snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned char)text[at]);
        luaL_addstring(out, escaped);
        from = ++at;
    }
    luaL_addlstring(out, text + from, length - from);
}

int lhcs_printable(lua_State *L) {
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    luaL_Buffer out;
    luaL_buffinit(L, &out);
    add_printable(&out, text, length);
    luaL_pushresult(&out);
    return 1;
}

/* Further lines of one text are below its first. */
static void push_line(lua_State *L, const struct record *record, bool further,
                      const char *text, size_t length) {
    char prefix[40];
    int width =
        snprintf(prefix, sizeof(prefix), "[%5llu.%06llu] ",
                 (unsigned long long)(record->nanoseconds / 1000000000),
                 (unsigned long long)(record->nanoseconds % 1000000000 / 1000));
    luaL_Buffer out;
    if (further)
        memset(prefix, ' ', (size_t)width);
    luaL_buffinit(L, &out);
    luaL_addlstring(&out, prefix, (size_t)width);
    add_printable(&out, text, length);
    luaL_pushresult(&out);
}

/* The iterator's values: what was told, where the next record begins there, how
 * much of its text is done, and its table. */
enum { TOLD = 1, RECORD, DONE, TABLE };

static void set_value(lua_State *L, int which, size_t value) {
    lua_pushinteger(L, (lua_Integer)value);
    lua_replace(L, lua_upvalueindex(which));
}

static int next_line(lua_State *L) {
    size_t all, at = (size_t)lua_tointeger(L, lua_upvalueindex(RECORD));
    size_t done = (size_t)lua_tointeger(L, lua_upvalueindex(DONE));
    const char *told = lua_tolstring(L, lua_upvalueindex(TOLD), &all);
    const char *text, *end;
    struct record record;
    size_t length;
    if (at >= all)
        return 0;
    memcpy(&record, told + at, sizeof(record));
    text = told + at + sizeof(record);
    if (done == 0) {
        push_record(L, &record, text);
        lua_replace(L, lua_upvalueindex(TABLE));
    }
    for (length = record.length; length > done && text[length - 1] == '\n';)
        length--;
    end = memchr(text + done, '\n', length - done);
    push_line(L, &record, done > 0, text + done,
              (end ? (size_t)(end - text) : length) - done);
    set_value(L, DONE, end ? (size_t)(end - text) + 1 : 0);
    if (!end)
        set_value(L, RECORD, at + sizeof(record) + record.length);
    lua_pushvalue(L, lua_upvalueindex(TABLE));
    return 2;
}

/* dump:log(): an iterator of lines, each with {text, time, level, facility,
 * sequence} of the record that it is from. */
int lhcs_dump_log(lua_State *L) {
    struct dump *dump = lhcs_check_dump(L);
    struct buf *told = &dump->collected;
    HRESULT hr;
    lhcs_dump_drop(dump);
    hr = dump->library->own.hcshost_dump_log(dump->handle, collect, told);
    if (FAILED(hr))
        return lhcs_dump_fail(L, dump, hr);
    if (told->failed)
        return lhcs_fail(L, E_OUTOFMEMORY, "no memory for the log");
    lua_pushlstring(L, told->data ? told->data : "", told->length);
    lhcs_dump_drop(dump);
    lua_pushinteger(L, 0);
    lua_pushinteger(L, 0);
    lua_pushnil(L);
    lua_pushcclosure(L, next_line, TABLE);
    return 1;
}
