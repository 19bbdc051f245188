/* SPDX-License-Identifier: MIT
 * What the check says, and where. */
#include <stdio.h>
#include <string.h>

#include "check.h"

static void write_path(const struct place *place, char *path) {
    const struct place *chain[JSON_MAX_DEPTH + 2];
    size_t count = 0;
    for (; place->parent && count < HCS_COUNT(chain); place = place->parent)
        chain[count++] = place;
    memcpy(path, "$", 2);
    while (count-- > 0) {
        if (chain[count]->name)
            json_path_member(path, chain[count]->name);
        else
            json_path_index(path, chain[count]->index);
    }
}

HRESULT check_fail(const struct checker *checker, const struct place *place,
                   const char *format, ...) {
    char path[JSON_MAX_PATH];
    char text[2 * sizeof checker->error->text]; /* error_set cuts it */
    va_list args;
    if (!checker->error)
        return checker->code;
    write_path(place, path);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(checker->error, checker->code, path, "%s", text);
}

static const char *found(const struct json *value, char out[SHOWN_SIZE]) {
    switch (value->type) {
    case JSON_INT:
        snprintf(out, SHOWN_SIZE, "%lld", (long long)value->as.integer);
        return out;
    case JSON_UINT:
        snprintf(out, SHOWN_SIZE, "%llu",
                 (unsigned long long)value->as.uinteger);
        return out;
    case JSON_NUMBER:
        return shown(&value->as.string, out);
    case JSON_DOUBLE:
        return "a number with a fraction or an exponent";
    case JSON_NULL:
        return "null";
    case JSON_BOOL:
        return value->as.boolean ? "true" : "false";
    case JSON_STRING:
        return "a string";
    case JSON_ARRAY:
        return "an array";
    default:
        return "an object";
    }
}

HRESULT check_mismatch(const struct checker *checker, const struct place *place,
                       const char *wanted, const struct json *value) {
    char out[SHOWN_SIZE];
    bool number = value->type == JSON_INT || value->type == JSON_UINT ||
                  value->type == JSON_DOUBLE || value->type == JSON_NUMBER;
    /* The number itself says something only where a number was wanted. */
    if (number && strncmp(wanted, "a whole", 7) != 0)
        return check_fail(checker, place, "expected %s, found a number",
                          wanted);
    return check_fail(checker, place, "expected %s, found %s", wanted,
                      found(value, out));
}

/* The most bytes of `text` that fit into `size` and end with a character. */
static size_t cut(const struct json_string *text, size_t size) {
    size_t length = text->length;
    if (length <= size)
        return length;
    length = size;
    while (length > 0 && ((unsigned char)text->text[length] & 0xC0) == 0x80)
        length--;
    return length;
}

const char *shown(const struct json_string *text, char out[SHOWN_SIZE]) {
    size_t length = cut(text, SHOWN_SIZE - 8);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text->text[i];
        out[i] = c < 0x20 || c == 0x7F ? '?' : text->text[i];
    }
    strcpy(out + length, length < text->length ? "\xE2\x80\xA6" : "");
    return out;
}

bool check_available(const struct checker *checker, unsigned builds,
                     unsigned minor) {
    return (builds & checker->build_bit) && (int)minor <= checker->least;
}

HRESULT check_unavailable(const struct checker *checker,
                          const struct place *place, const char *what,
                          unsigned builds, unsigned minor) {
    int first = first_build(checker->set, builds);
    char path[JSON_MAX_PATH];
    if (!what) {
        write_path(place, path);
        what = path[1] == '.' ? path + 2 : path + 1;
    }
    if (!(builds & checker->build_bit) && checker->build < first)
        return check_fail(checker, place,
                          "%s needs Windows build %d (this is %d)", what, first,
                          checker->build);
    if (!(builds & checker->build_bit))
        return check_fail(checker, place,
                          "%s does not exist in Windows build %d", what,
                          checker->build);
    return check_fail(checker, place,
                      "%s needs SchemaVersion >= 2.%u (document says %d.%d)",
                      what, minor, checker->major, checker->minor);
}
