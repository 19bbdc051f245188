/* SPDX-License-Identifier: MIT
 * Any text is refused with a place inside it, or read; what was read and
 * written again reads back the same, and writes the same text. */
#include <stdio.h>

#include "base/json.h"
#include "base/utf.h"
#include "fuzz.h"

static bool same_string(const struct json_string *a,
                        const struct json_string *b) {
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0 &&
           a->text[a->length] == '\0' && b->text[b->length] == '\0';
}

static bool same(const struct json *a, const struct json *b);

static bool same_array(const struct json *a, const struct json *b) {
    if (a->as.array.count != b->as.array.count)
        return false;
    for (size_t i = 0; i < a->as.array.count; i++)
        if (!same(&a->as.array.items[i], &b->as.array.items[i]))
            return false;
    return true;
}

static bool same_object(const struct json *a, const struct json *b) {
    if (a->as.object.count != b->as.object.count)
        return false;
    for (size_t i = 0; i < a->as.object.count; i++) {
        const struct json_member *left = &a->as.object.members[i];
        const struct json_member *right = &b->as.object.members[i];
        if (!same_string(&left->name, &right->name) ||
            !same(&left->value, &right->value))
            return false;
        /* Names are unique and hold no NUL, so looking up finds this one. */
        if (json_get(a, left->name.text) != &left->value)
            return false;
    }
    return true;
}

static bool same(const struct json *a, const struct json *b) {
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return a->as.boolean == b->as.boolean;
    case JSON_INT:
    case JSON_UINT:
        return a->as.uinteger == b->as.uinteger;
    case JSON_DOUBLE: /* by bits: -0 is not 0 */
        return memcmp(&a->as.number, &b->as.number, sizeof(double)) == 0;
    case JSON_NUMBER:
    case JSON_STRING:
        return same_string(&a->as.string, &b->as.string);
    case JSON_ARRAY:
        return same_array(a, b);
    case JSON_OBJECT:
        return same_object(a, b);
    }
    return false;
}

static struct buf written(const struct json *value) {
    struct buf out = {0};
    struct json_writer w = {&out, false};
    json_put_value(&w, value);
    require(!out.failed && utf8_valid(out.data, out.length));
    return out;
}

static void check_refusal(const struct hcs_error *error, size_t size) {
    size_t offset;
    require(error->code == HR_INVALID_DATA);
    require(sscanf(error->text, "byte %zu: expected ", &offset) == 1);
    require(offset <= size);
    require(error->path[0] == '$');
    require(strlen(error->path) < JSON_MAX_PATH);
    require(utf8_valid(error->path, strlen(error->path)));
    require(utf8_valid(error->text, strlen(error->text)));
}

static void check_round_trip(const struct json *root) {
    struct json_doc again;
    struct buf text = written(root);
    struct buf twice;

    require(json_parse(text.data, text.length, &again, NULL) == S_OK);
    require(same(root, again.root));
    twice = written(again.root);
    require(twice.length == text.length &&
            memcmp(twice.data, text.data, text.length) == 0);
    json_doc_free(&again);
    buf_free(&text);
    buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct json_doc doc;
    struct hcs_error error = {0};

    if (FAILED(json_parse((const char *)data, size, &doc, &error))) {
        check_refusal(&error, size);
    } else {
        require(error.code == S_OK);
        check_round_trip(doc.root);
        json_doc_free(&doc);
    }
    return 0;
}
