/* SPDX-License-Identifier: MIT */
#include "doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../../base/text.h"

static bool too_deep(const struct json *value, int depth) {
    if (depth > DOC_MAX_DEPTH)
        return true;
    if (value->type == JSON_ARRAY)
        for (size_t i = 0; i < value->as.array.count; i++)
            if (too_deep(&value->as.array.items[i], depth + 1))
                return true;
    if (value->type == JSON_OBJECT)
        for (size_t i = 0; i < value->as.object.count; i++)
            if (too_deep(&value->as.object.members[i].value, depth + 1))
                return true;
    return false;
}

HRESULT doc_parse(const char *text, struct json_doc *out,
                  struct hcs_error *error) {
    HRESULT hr;

    *out = (struct json_doc){0};
    if (!text)
        return error_set(error, E_INVALIDARG, NULL, "no document was given");
    hr = json_parse(text, strlen(text), out, error);
    if (hr == HR_INVALID_DATA) {
        if (error)
            error->code = HCN_E_INVALID_JSON;
        return HCN_E_INVALID_JSON;
    }
    if (FAILED(hr))
        return hr;
    if (out->root->type != JSON_OBJECT)
        hr = error_set(error, HCN_E_INVALID_JSON, "$",
                       "expected an object, found %s",
                       json_type_name(out->root->type));
    else if (too_deep(out->root, 0))
        hr = error_set(error, HCN_E_INVALID_JSON, "$",
                       "values are nested more than %d levels deep",
                       DOC_MAX_DEPTH);
    if (FAILED(hr))
        json_doc_free(out);
    return hr;
}

/* --- places -------------------------------------------------------- */

struct doc doc_root(const struct json *value) {
    return (struct doc){.value = value};
}

bool doc_same_name(const char *a, const char *b) {
    return text_same_folded(a, b);
}

static bool is_absent(const struct json *value) {
    return value->type == JSON_NULL ||
           (value->type == JSON_OBJECT && value->as.object.count == 0);
}

const struct json *doc_find(const struct json *object, const char *name) {
    const struct json *found = json_get(object, name);
    if (found || !object || object->type != JSON_OBJECT)
        return found;
    for (size_t i = 0; i < object->as.object.count; i++) {
        const struct json_member *member = &object->as.object.members[i];
        if (doc_same_name(member->name.text, name))
            return &member->value;
    }
    return NULL;
}

struct doc doc_get(const struct doc *object, const char *name) {
    struct doc place = {doc_find(object->value, name), object, name, 0};
    if (place.value && is_absent(place.value))
        place.value = NULL;
    return place;
}

struct doc doc_item(const struct doc *array, size_t index) {
    return (struct doc){&array->value->as.array.items[index], array, NULL,
                        index};
}

static void write_path(const struct doc *place, char *path) {
    struct json_string name;

    if (!place->parent) {
        memcpy(path, "$", 2);
        return;
    }
    write_path(place->parent, path);
    if (place->name) {
        name = (struct json_string){place->name, strlen(place->name)};
        json_path_member(path, &name);
    } else {
        json_path_index(path, place->index);
    }
}

HRESULT doc_fail(const struct doc *place, HRESULT code, struct hcs_error *error,
                 const char *format, ...) {
    char path[JSON_MAX_PATH];
    char text[sizeof error->text];
    va_list args;

    if (!error)
        return code;
    write_path(place, path);
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(error, code, path, "%s", text);
}

static HRESULT wrong_type(const struct doc *place, const char *wanted,
                          struct hcs_error *error) {
    return doc_fail(place, HCN_E_INVALID_JSON, error, "expected %s, found %s",
                    wanted, json_type_name(place->value->type));
}

/* --- values -------------------------------------------------------- */

static HRESULT read_text(const struct doc *place, const char **out,
                         struct hcs_error *error) {
    const char *text;

    if (!place->value)
        return S_OK;
    if (place->value->type != JSON_STRING)
        return wrong_type(place, "a string", error);
    text = json_text(place->value, NULL);
    if (!text)
        return doc_fail(place, HCN_E_INVALID_JSON, error,
                        "expected text without a NUL");
    *out = text;
    return S_OK;
}

HRESULT doc_text(const struct doc *object, const char *name, const char **out,
                 struct hcs_error *error) {
    struct doc place = doc_get(object, name);
    return read_text(&place, out, error);
}

HRESULT doc_item_text(const struct doc *array, size_t index, const char **out,
                      struct hcs_error *error) {
    struct doc place = doc_item(array, index);
    return read_text(&place, out, error);
}

HRESULT doc_bool(const struct doc *object, const char *name, bool *out,
                 struct hcs_error *error) {
    struct doc place = doc_get(object, name);

    if (!place.value)
        return S_OK;
    if (place.value->type != JSON_BOOL)
        return wrong_type(&place, "true or false", error);
    *out = place.value->as.boolean;
    return S_OK;
}

HRESULT doc_number(const struct doc *object, const char *name, uint64_t most,
                   uint64_t *out, struct hcs_error *error) {
    struct doc place = doc_get(object, name);
    uint64_t value;

    if (!place.value)
        return S_OK;
    if (place.value->type == JSON_STRING || place.value->type == JSON_BOOL ||
        place.value->type == JSON_ARRAY || place.value->type == JSON_OBJECT)
        return wrong_type(&place, "a number", error);
    if (!json_to_uint64(place.value, &value) || value > most)
        return doc_fail(&place, HCN_E_INVALID_JSON, error,
                        "expected a whole number from 0 to %llu",
                        (unsigned long long)most);
    *out = value;
    return S_OK;
}

HRESULT doc_u32(const struct doc *object, const char *name, uint32_t *out,
                struct hcs_error *error) {
    uint64_t value = *out;
    HRESULT hr = doc_number(object, name, UINT32_MAX, &value, error);
    if (SUCCEEDED(hr))
        *out = (uint32_t)value;
    return hr;
}

HRESULT doc_u16(const struct doc *object, const char *name, uint16_t *out,
                struct hcs_error *error) {
    uint64_t value = *out;
    HRESULT hr = doc_number(object, name, UINT16_MAX, &value, error);
    if (SUCCEEDED(hr))
        *out = (uint16_t)value;
    return hr;
}

HRESULT doc_guid(const struct doc *object, const char *name, struct guid *out,
                 struct hcs_error *error) {
    struct doc place = doc_get(object, name);
    const char *text = "";
    HRESULT hr = read_text(&place, &text, error);

    if (FAILED(hr) || *text == '\0')
        return hr;
    if (!guid_parse(text, out))
        return doc_fail(&place, HCN_E_GUID_CONVERSION_FAILURE, error,
                        "\"%s\" is not a GUID", text);
    return S_OK;
}

HRESULT doc_enum(const struct doc *object, const char *name,
                 const struct doc_name *names, HRESULT unknown, unsigned *out,
                 struct hcs_error *error) {
    struct doc place = doc_get(object, name);
    const char *text = NULL;
    uint64_t number = 0;
    HRESULT hr;

    if (!place.value)
        return S_OK;
    hr = place.value->type == JSON_STRING
             ? read_text(&place, &text, error)
             : doc_number(object, name, UINT32_MAX, &number, error);
    if (FAILED(hr) || (text && *text == '\0'))
        return hr;
    for (const struct doc_name *n = names; n->name; n++)
        if (text ? doc_same_name(n->name, text) : n->value == number) {
            *out = n->value;
            return S_OK;
        }
    if (text)
        return doc_fail(&place, unknown, error, "\"%s\" is not known", text);
    return doc_fail(&place, unknown, error, "%llu is not known",
                    (unsigned long long)number);
}

HRESULT doc_object(const struct doc *object, const char *name, struct doc *out,
                   struct hcs_error *error) {
    *out = doc_get(object, name);
    if (out->value && out->value->type != JSON_OBJECT)
        return wrong_type(out, "an object", error);
    return S_OK;
}

HRESULT doc_array(const struct doc *object, const char *name, struct doc *out,
                  size_t *count, struct hcs_error *error) {
    *out = doc_get(object, name);
    *count = 0;
    if (!out->value)
        return S_OK;
    if (out->value->type != JSON_ARRAY)
        return wrong_type(out, "an array", error);
    *count = out->value->as.array.count;
    return S_OK;
}

HRESULT doc_item_object(const struct doc *array, size_t index, struct doc *out,
                        struct hcs_error *error) {
    *out = doc_item(array, index);
    if (out->value->type == JSON_NULL)
        out->value = NULL;
    else if (out->value->type != JSON_OBJECT)
        return wrong_type(out, "an object", error);
    return S_OK;
}

HRESULT doc_address(const struct doc *object, const char *name, HRESULT bad,
                    struct ip_address *out, struct hcs_error *error) {
    struct doc place = doc_get(object, name);
    const char *text = "";
    HRESULT hr = read_text(&place, &text, error);

    if (FAILED(hr) || *text == '\0')
        return hr;
    if (!ip_parse(text, out))
        return doc_fail(&place, bad, error, "\"%s\" is not an address", text);
    return S_OK;
}

const char *doc_enum_name(const struct doc_name *names, unsigned value) {
    for (; names->name; names++)
        if (names->value == value)
            return names->name;
    return NULL;
}
