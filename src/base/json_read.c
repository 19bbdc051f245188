/* SPDX-License-Identifier: MIT
 * The reader's structure. It keeps its own stack of open arrays and objects,
 * so nesting costs no C stack, and a second one of finished values, which are
 * moved to the arena when the array or object that holds them is complete. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_reader.h"
#include "utf.h"

static void reader_path(const struct reader *reader, char *path) {
    path[0] = '$';
    path[1] = '\0';
    for (size_t i = 0; i < reader->depth; i++) {
        const struct frame *frame = &reader->frames[i];
        size_t end = i + 1 < reader->depth ? frame[1].first : reader->count;
        if (!frame->inside)
            break;
        if (frame->is_object)
            json_path_member(path, &frame->name);
        else
            json_path_index(path, end - frame->first);
    }
}

static HRESULT fail(struct reader *reader, size_t offset, const char *text) {
    char path[JSON_MAX_PATH];
    reader_path(reader, path);
    return error_set(reader->error, HR_INVALID_DATA, path, "byte %zu: %s",
                     offset, text);
}

HRESULT reader_fail(struct reader *reader, size_t offset, const char *format,
                    ...) {
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return fail(reader, offset, text);
}

/* What stands at the current offset, for a person. */
static void describe(const struct reader *reader, char *out, size_t size) {
    const char *text = reader->text + reader->at;
    size_t left = reader->length - reader->at;
    uint32_t code = 0;
    size_t step = left > 0 ? utf8_step(text, left, &code) : 0;

    if (left == 0)
        snprintf(out, size, "the end of the text");
    else if (code == 0xFEFF)
        snprintf(out, size, "a byte order mark");
    else if (step == 0 || code < 0x20 || code == 0x7F)
        snprintf(out, size, "the byte 0x%02X", (unsigned char)text[0]);
    else
        snprintf(out, size, "'%.*s'", (int)step, text);
}

HRESULT reader_expected(struct reader *reader, const char *what) {
    char found[32];
    describe(reader, found, sizeof found);
    return reader_fail(reader, reader->at, "expected %s, found %s", what,
                       found);
}

HRESULT reader_out_of_memory(struct reader *reader) {
    return error_set(reader->error, E_OUTOFMEMORY, NULL,
                     "out of memory for a JSON text");
}

static struct frame *top(struct reader *reader) {
    return &reader->frames[reader->depth - 1];
}

static void skip_space(struct reader *reader) {
    while (reader->at < reader->length) {
        char c = reader->text[reader->at];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            break;
        reader->at++;
    }
}

/* Takes the next character if it is `c`. */
static bool take(struct reader *reader, char c) {
    skip_space(reader);
    if (reader->at == reader->length || reader->text[reader->at] != c)
        return false;
    reader->at++;
    return true;
}

static HRESULT make_room(struct reader *reader) {
    size_t capacity = reader->capacity ? reader->capacity * 2 : 32;
    struct pending *pending;
    if (reader->count < reader->capacity)
        return S_OK;
    if (capacity > SIZE_MAX / 2 / sizeof *pending)
        return reader_out_of_memory(reader);
    pending = realloc(reader->pending, capacity * sizeof *pending);
    if (!pending)
        return reader_out_of_memory(reader);
    reader->pending = pending;
    reader->capacity = capacity;
    return S_OK;
}

/* Puts a finished value into the array or object that is open. */
static HRESULT deliver(struct reader *reader, const struct json *value) {
    HRESULT hr = make_room(reader);
    struct frame *frame;
    if (FAILED(hr))
        return hr;
    frame = top(reader);
    reader->pending[reader->count++] = (struct pending){
        .member = {.name = frame->name, .value = *value},
        .offset = frame->name_offset,
    };
    frame->inside = false;
    return S_OK;
}

static HRESULT read_name(struct reader *reader) {
    struct frame *frame = top(reader);
    HRESULT hr;

    skip_space(reader);
    if (reader->at == reader->length || reader->text[reader->at] != '"')
        return reader_expected(reader, "a member's name");
    frame->name_offset = reader->at;
    hr = reader_string(reader, &frame->name);
    if (FAILED(hr))
        return hr;
    if (strlen(frame->name.text) != frame->name.length)
        return reader_fail(reader, frame->name_offset,
                           "expected a name without NUL");
    frame->inside = true;
    if (!take(reader, ':'))
        return reader_expected(reader, "':'");
    return S_OK;
}

static HRESULT refuse_twice(struct reader *reader,
                            const struct pending *member) {
    struct frame *frame = top(reader);
    frame->name = member->member.name;
    frame->inside = true;
    return reader_fail(reader, member->offset,
                       "expected another name, found one that is "
                       "there already");
}

static HRESULT finish_object(struct reader *reader, const struct pending *from,
                             size_t count, struct json *out) {
    const struct pending *twice;
    struct json_member *members;

    if (!names_find_twice(from, count, &twice))
        return reader_out_of_memory(reader);
    if (twice)
        return refuse_twice(reader, twice);
    members = arena_alloc(reader->arena, count * sizeof *members);
    if (!members)
        return reader_out_of_memory(reader);
    for (size_t i = 0; i < count; i++)
        members[i] = from[i].member;
    out->type = JSON_OBJECT;
    out->as.object.members = members;
    out->as.object.count = count;
    return S_OK;
}

static HRESULT finish_array(struct reader *reader, const struct pending *from,
                            size_t count, struct json *out) {
    struct json *items = arena_alloc(reader->arena, count * sizeof *items);
    if (!items)
        return reader_out_of_memory(reader);
    for (size_t i = 0; i < count; i++)
        items[i] = from[i].member.value;
    out->type = JSON_ARRAY;
    out->as.array.items = items;
    out->as.array.count = count;
    return S_OK;
}

/* The innermost array or object is complete: it becomes a value. */
static HRESULT finish(struct reader *reader, struct json *out) {
    struct frame *frame = top(reader);
    size_t count = reader->count - frame->first;
    const struct pending *from = count ? reader->pending + frame->first : NULL;
    HRESULT hr = frame->is_object ? finish_object(reader, from, count, out)
                                  : finish_array(reader, from, count, out);
    if (FAILED(hr))
        return hr;
    reader->count = frame->first;
    reader->depth--;
    return S_OK;
}

static HRESULT open_frame(struct reader *reader, bool is_object) {
    if (reader->depth == JSON_MAX_DEPTH)
        return reader_fail(reader, reader->at,
                           "expected at most %d levels of nesting",
                           JSON_MAX_DEPTH);
    reader->at++;
    reader->frames[reader->depth++] = (struct frame){
        .is_object = is_object,
        .inside = !is_object,
        .first = reader->count,
    };
    return S_OK;
}

static HRESULT read_scalar(struct reader *reader, struct json *out) {
    char c = reader->text[reader->at];
    if (c == '"') {
        out->type = JSON_STRING;
        return reader_string(reader, &out->as.string);
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return reader_number(reader, out);
    return reader_word(reader, out);
}

/* Reads down to the next finished value: a scalar or an empty container. */
static HRESULT read_down(struct reader *reader, struct json *out) {
    for (;;) {
        bool is_object;
        HRESULT hr;
        skip_space(reader);
        if (reader->at == reader->length)
            return reader_expected(reader, "a value");
        is_object = reader->text[reader->at] == '{';
        if (!is_object && reader->text[reader->at] != '[')
            return read_scalar(reader, out);
        hr = open_frame(reader, is_object);
        if (FAILED(hr))
            return hr;
        if (take(reader, is_object ? '}' : ']'))
            return finish(reader, out);
        if (is_object && FAILED(hr = read_name(reader)))
            return hr;
    }
}

/* Behind a comma. */
static HRESULT read_next(struct reader *reader) {
    struct frame *frame = top(reader);
    if (frame->is_object)
        return read_name(reader);
    frame->inside = true;
    return S_OK;
}

/* Hands the value up until a container goes on or the whole is complete. */
static HRESULT read_up(struct reader *reader, struct json *value) {
    while (reader->depth > 0) {
        bool is_object = top(reader)->is_object;
        HRESULT hr = deliver(reader, value);
        if (FAILED(hr))
            return hr;
        if (take(reader, ','))
            return read_next(reader);
        if (!take(reader, is_object ? '}' : ']'))
            return reader_expected(reader,
                                   is_object ? "',' or '}'" : "',' or ']'");
        hr = finish(reader, value);
        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

static HRESULT read_text(struct reader *reader, struct json *root) {
    HRESULT hr;
    do {
        hr = read_down(reader, root);
        if (SUCCEEDED(hr))
            hr = read_up(reader, root);
    } while (SUCCEEDED(hr) && reader->depth > 0);
    if (FAILED(hr))
        return hr;
    skip_space(reader);
    if (reader->at < reader->length)
        return reader_expected(reader, "the end of the text");
    return S_OK;
}

static HRESULT read_into(struct reader *reader, struct json_doc *doc) {
    struct json *root = arena_alloc(reader->arena, sizeof *root);
    HRESULT hr;
    if (!root)
        return reader_out_of_memory(reader);
    hr = read_text(reader, root);
    buf_free(&reader->scratch);
    free(reader->pending);
    if (SUCCEEDED(hr))
        doc->root = root;
    return hr;
}

HRESULT json_parse(const char *text, size_t length, struct json_doc *doc,
                   struct hcs_error *error) {
    struct reader reader;
    HRESULT hr;

    memset(&reader, 0, offsetof(struct reader, frames));
    reader.text = text ? text : "";
    reader.length = length;
    reader.depth = 0;
    reader.error = error;
    *doc = (struct json_doc){0};
    reader.arena = calloc(1, sizeof *reader.arena);
    if (!reader.arena)
        return reader_out_of_memory(&reader);
    doc->arena = reader.arena;
    hr = read_into(&reader, doc);
    if (FAILED(hr))
        json_doc_free(doc);
    return hr;
}
