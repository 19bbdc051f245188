/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "json_number.h"
#include "number.h"
#include "utf.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* Before any value or name: the comma if one is due. */
static void separate(struct json_writer *w) {
    if (w->comma)
        buf_putc(w->out, ',');
    w->comma = true;
}

static void begin(struct json_writer *w, char c) {
    separate(w);
    buf_putc(w->out, c);
    w->comma = false;
}

static void end(struct json_writer *w, char c) {
    buf_putc(w->out, c);
    w->comma = true;
}

void json_begin_object(struct json_writer *w) {
    begin(w, '{');
}

void json_end_object(struct json_writer *w) {
    end(w, '}');
}

void json_begin_array(struct json_writer *w) {
    begin(w, '[');
}

void json_end_array(struct json_writer *w) {
    end(w, ']');
}

void json_put_raw(struct json_writer *w, const char *text, size_t length) {
    separate(w);
    buf_add(w->out, text, length);
}

static void put_word(struct json_writer *w, const char *word) {
    json_put_raw(w, word, strlen(word));
}

void json_put_null(struct json_writer *w) {
    put_word(w, "null");
}

void json_put_bool(struct json_writer *w, bool value) {
    put_word(w, value ? "true" : "false");
}

void json_put_int(struct json_writer *w, int64_t value) {
    separate(w);
    buf_printf(w->out, "%" PRId64, value);
}

void json_put_uint(struct json_writer *w, uint64_t value) {
    separate(w);
    buf_printf(w->out, "%" PRIu64, value);
}

void json_put_double(struct json_writer *w, double value) {
    char text[JSON_DOUBLE_SIZE];
    if (number_is_finite(value))
        json_put_raw(w, text, json_format_double(value, text));
    else
        json_put_null(w);
}

static void put_escaped(struct buf *out, unsigned char c) {
    static const char values[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    const char *value = c ? strchr(values, c) : NULL;
    if (value) {
        buf_putc(out, '\\');
        buf_putc(out, names[value - values]);
    } else {
        buf_printf(out, "\\u%04x", c);
    }
}

/* The bytes from the start of `text` that can be written as they are. */
static size_t plain_run(const char *text, size_t length) {
    size_t at = 0;
    uint32_t code;
    while (at < length) {
        unsigned char c = (unsigned char)text[at];
        size_t step = 1;
        if (c < 0x20 || c == '"' || c == '\\')
            break;
        if (c >= 0x80)
            step = utf8_step(text + at, length - at, &code);
        if (step == 0)
            break;
        at += step;
    }
    return at;
}

static void put_quoted(struct buf *out, const char *text, size_t length) {
    size_t at = 0;
    buf_putc(out, '"');
    for (;;) {
        size_t run = plain_run(text + at, length - at);
        buf_add(out, text + at, run);
        at += run;
        if (at == length)
            break;
        if ((unsigned char)text[at] < 0x80)
            put_escaped(out, (unsigned char)text[at]);
        else
            buf_puts(out, REPLACEMENT);
        at++;
    }
    buf_putc(out, '"');
}

void json_put_string_n(struct json_writer *w, const char *text, size_t length) {
    separate(w);
    put_quoted(w->out, length ? text : "", length);
}

void json_put_string(struct json_writer *w, const char *text) {
    if (text)
        json_put_string_n(w, text, strlen(text));
    else
        json_put_null(w);
}

void json_key_n(struct json_writer *w, const char *name, size_t length) {
    json_put_string_n(w, name, length);
    buf_putc(w->out, ':');
    w->comma = false;
}

void json_key(struct json_writer *w, const char *name) {
    json_key_n(w, name, strlen(name));
}

static void put_array(struct json_writer *w, const struct json *array) {
    json_begin_array(w);
    for (size_t i = 0; i < array->as.array.count; i++)
        json_put_value(w, &array->as.array.items[i]);
    json_end_array(w);
}

static void put_object(struct json_writer *w, const struct json *object) {
    json_begin_object(w);
    for (size_t i = 0; i < object->as.object.count; i++) {
        const struct json_member *member = &object->as.object.members[i];
        json_key_n(w, member->name.text, member->name.length);
        json_put_value(w, &member->value);
    }
    json_end_object(w);
}

void json_put_value(struct json_writer *w, const struct json *value) {
    const struct json_string *string = &value->as.string;
    switch (value->type) {
    case JSON_NULL:
        json_put_null(w);
        break;
    case JSON_BOOL:
        json_put_bool(w, value->as.boolean);
        break;
    case JSON_INT:
        json_put_int(w, value->as.integer);
        break;
    case JSON_UINT:
        json_put_uint(w, value->as.uinteger);
        break;
    case JSON_DOUBLE:
        json_put_double(w, value->as.number);
        break;
    case JSON_NUMBER:
        json_put_raw(w, string->text, string->length);
        break;
    case JSON_STRING:
        json_put_string_n(w, string->text, string->length);
        break;
    case JSON_ARRAY:
        put_array(w, value);
        break;
    case JSON_OBJECT:
        put_object(w, value);
        break;
    }
}

void json_pair_string(struct json_writer *w, const char *name,
                      const char *text) {
    json_key(w, name);
    json_put_string(w, text);
}

void json_pair_int(struct json_writer *w, const char *name, int64_t value) {
    json_key(w, name);
    json_put_int(w, value);
}

void json_pair_uint(struct json_writer *w, const char *name, uint64_t value) {
    json_key(w, name);
    json_put_uint(w, value);
}

void json_pair_bool(struct json_writer *w, const char *name, bool value) {
    json_key(w, name);
    json_put_bool(w, value);
}
