/* SPDX-License-Identifier: MIT
 * Text, numbers and results between Lua and the ABI. */
#include "lhcs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/utf.h"

/* Most documents are ASCII, for which loops this plain run many times faster.
 * The text that Lua gave is NUL-terminated. */
static HRESULT widen(const char *text, size_t length, PWSTR *out,
                     struct hcs_error *error) {
    unsigned char any = 0;
    for (size_t i = 0; i < length; i++)
        any |= (unsigned char)text[i];
    if (any >= 0x80)
        return utf16_from_utf8(text, length, out, NULL, error);
    *out = malloc((length + 1) * sizeof(**out));
    if (*out == NULL)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    for (size_t i = 0; i <= length; i++)
        (*out)[i] = (WCHAR)(unsigned char)text[i];
    return S_OK;
}

static HRESULT narrow(PCWSTR wide, char **out, size_t *length) {
    size_t count = utf16_length(wide);
    unsigned any = 0;
    for (size_t i = 0; i < count; i++)
        any |= wide[i];
    if (any >= 0x80)
        return utf8_from_utf16(wide, count, out, length, NULL);
    *out = malloc(count + 1);
    if (*out == NULL)
        return E_OUTOFMEMORY;
    for (size_t i = 0; i < count; i++)
        (*out)[i] = (char)wide[i];
    (*out)[count] = '\0';
    *length = count;
    return S_OK;
}

/* Every argument is known to be text before the first is converted: nothing
 * that may jump or collect garbage stands between the conversions. */
void lhcs_words(lua_State *L, struct lhcs_word *words, int count) {
    int done = 0;
    struct hcs_error error = {.code = S_OK};
    for (int i = 0; i < count; i++)
        if (!words[i].optional || !lua_isnoneornil(L, words[i].arg))
            luaL_checkstring(L, words[i].arg);
    for (; done < count && SUCCEEDED(error.code); done++) {
        size_t length;
        const char *text = lua_tolstring(L, words[done].arg, &length);
        words[done].wide = NULL;
        if (text == NULL)
            continue;
        if (memchr(text, '\0', length) != NULL)
            error_set(&error, E_INVALIDARG, NULL, "it contains a NUL");
        else
            (void)widen(text, length, &words[done].wide, &error);
    }
    if (FAILED(error.code)) {
        lhcs_words_free(words, done);
        luaL_argerror(L, words[done - 1].arg, error.text);
    }
}

void lhcs_words_free(struct lhcs_word *words, int count) {
    for (int i = 0; i < count; i++) {
        free(words[i].wide);
        words[i].wide = NULL;
    }
}

HRESULT lhcs_narrow(PCWSTR wide, struct buf *out) {
    char *text = NULL;
    size_t length = 0;
    HRESULT hr = narrow(wide, &text, &length);
    if (SUCCEEDED(hr))
        buf_add(out, text, length);
    free(text);
    if (hr == E_OUTOFMEMORY || out->failed)
        return E_OUTOFMEMORY;
    return S_OK;
}

void lhcs_push_result(lua_State *L, HRESULT hr) {
    lua_pushinteger(L, (lua_Integer)(uint32_t)hr);
}

/* The copy belongs to the world while Lua makes its string, which may jump. */
void lhcs_push_document(lua_State *L, struct lhcs_world *world, PWSTR wide) {
    size_t length = 0;
    HRESULT hr;
    if (wide == NULL || wide[0] == 0) {
        if (wide != NULL)
            (void)world->library.local_free(wide);
        lua_pushnil(L);
        return;
    }
    free(world->text);
    world->text = NULL;
    hr = narrow(wide, &world->text, &length);
    (void)world->library.local_free(wide);
    if (FAILED(hr)) {
        world->text = NULL;
        if (hr == E_OUTOFMEMORY)
            luaL_error(L, "not enough memory");
        luaL_error(L, "the host's document is not UTF-16");
    }
    lua_pushlstring(L, world->text, length);
    free(world->text);
    world->text = NULL;
}

int lhcs_fail(lua_State *L, HRESULT hr, const char *text) {
    lua_pushnil(L);
    lhcs_push_result(L, hr);
    if (text == NULL)
        text = hresult_text(hr);
    lua_pushstring(L, text);
    return 3;
}

DWORD lhcs_check_dword(lua_State *L, int arg) {
    lua_Integer value = luaL_checkinteger(L, arg);
    luaL_argcheck(L, value >= 0 && value <= UINT32_MAX, arg,
                  "not between 0 and 0xFFFFFFFF");
    return (DWORD)value;
}

int64_t lhcs_check_time(lua_State *L, int arg, int64_t otherwise) {
    lua_Number seconds;
    if (lua_isnoneornil(L, arg))
        return otherwise;
    seconds = luaL_checknumber(L, arg);
    if (seconds <= 0)
        return 0;
    luaL_argcheck(L, seconds > 0, arg, "not a time"); /* NaN */
    if (seconds >= 9.2e9)
        return INT64_MAX;
    return (int64_t)llround(seconds * (double)CLOCK_SECOND);
}
