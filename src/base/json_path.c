/* SPDX-License-Identifier: MIT
 * Paths as error messages show them: "$.Devices.Scsi['disk 0'][3]". */
#include <stdio.h>
#include <string.h>

#include "json.h"

#define ELLIPSIS "\xE2\x80\xA6"
#define ELLIPSIS_SIZE (sizeof ELLIPSIS - 1)

/* No whole component ends like that, so it means: cut already. */
static bool is_cut(const char *path) {
    size_t length = strlen(path);
    return length >= ELLIPSIS_SIZE &&
           memcmp(path + length - ELLIPSIS_SIZE, ELLIPSIS, ELLIPSIS_SIZE) == 0;
}

/* Appends a piece whole, or ends the path and says false. */
static bool append(char *path, const char *piece, size_t size) {
    size_t length = strlen(path);
    bool fits = size + length + ELLIPSIS_SIZE < JSON_MAX_PATH;
    if (!fits) {
        piece = ELLIPSIS;
        size = ELLIPSIS_SIZE;
    }
    memcpy(path + length, piece, size);
    path[length + size] = '\0';
    return fits;
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_plain(const struct json_string *name) {
    if (name->length == 0 || !is_word(name->text[0]))
        return false;
    for (size_t i = 1; i < name->length; i++)
        if (!is_word(name->text[i]) &&
            !(name->text[i] >= '0' && name->text[i] <= '9'))
            return false;
    return true;
}

static bool append_escaped(char *path, unsigned char c) {
    char piece[8];
    int size;
    if (c == '\'' || c == '\\')
        size = snprintf(piece, sizeof piece, "\\%c", c);
    else
        size = snprintf(piece, sizeof piece, "\\u%04x", c);
    return append(path, piece, (size_t)size);
}

/* The bytes of the character at `text`, whatever is there. */
static size_t character_size(const char *text, size_t length) {
    size_t size = 1;
    while (size < length && size < 4 &&
           ((unsigned char)text[size] & 0xC0) == 0x80)
        size++;
    return size;
}

static bool append_character(char *path, const char *text, size_t size) {
    unsigned char c = (unsigned char)text[0];
    if (c < 0x20 || c == '\'' || c == '\\')
        return append_escaped(path, c);
    return append(path, text, size);
}

static void append_quoted(char *path, const struct json_string *name) {
    bool whole = append(path, "['", 2);
    for (size_t at = 0; whole && at < name->length;) {
        const char *text = name->text + at;
        size_t size = character_size(text, name->length - at);
        whole = append_character(path, text, size);
        at += size;
    }
    if (whole)
        append(path, "']", 2);
}

static void append_plain(char *path, const struct json_string *name) {
    bool whole = append(path, ".", 1);
    for (size_t at = 0; whole && at < name->length; at++)
        whole = append(path, name->text + at, 1);
}

void json_path_member(char *path, const struct json_string *name) {
    if (is_cut(path))
        return;
    if (is_plain(name))
        append_plain(path, name);
    else
        append_quoted(path, name);
}

void json_path_index(char *path, size_t index) {
    char piece[32];
    int size = snprintf(piece, sizeof piece, "[%zu]", index);
    if (!is_cut(path))
        append(path, piece, (size_t)size);
}
