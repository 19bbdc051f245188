/* SPDX-License-Identifier: MIT
 * The walk over a document of HCN. */
#include <string.h>

#include "../base/hresult_hcn.h"
#include "check.h"

#define ALL_BUILDS 0xffffu

static HRESULT check_type(const struct checker *checker,
                          const struct place *place, unsigned number,
                          const struct json *value);

static unsigned char lower(char c) {
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_name(const struct json_string *text, const char *name) {
    for (size_t i = 0; i < text->length; i++)
        if (name[i] == '\0' || lower(text->text[i]) != lower(name[i]))
            return false;
    return name[text->length] == '\0';
}

static const struct schema_field *find_field(const struct schema_set *set,
                                             const struct schema_type *type,
                                             const struct json_string *name) {
    const struct schema_field *field = set_field(set, type, name);
    for (size_t i = 0; !field && i < type->count; i++)
        if (is_name(name, set_name(set, set->members[type->first + i].name)))
            field = &set->members[type->first + i];
    return field;
}

static const struct schema_value *find_value(const struct schema_set *set,
                                             const struct schema_type *type,
                                             const struct json *value) {
    for (size_t i = 0; i < type->count; i++) {
        const struct schema_value *known = &set->values[type->first + i];
        if (value->type == JSON_STRING
                ? is_name(&value->as.string, set_name(set, known->name))
                : value->type == JSON_INT && known->has_value &&
                      known->value == value->as.integer)
            return known;
    }
    return NULL;
}

/* --- scalars and enums --------------------------------------------------- */

static struct checker with_code(const struct checker *checker, HRESULT code) {
    struct checker other = *checker;
    other.code = code;
    return other;
}

/* "{…}" -> "…" */
static struct json_string without_braces(const struct json_string *text) {
    struct json_string inner = *text;
    if (text->length >= 2 && text->text[0] == '{' &&
        text->text[text->length - 1] == '}') {
        inner.text++;
        inner.length -= 2;
    }
    return inner;
}

static HRESULT check_guid(const struct checker *checker,
                          const struct place *place, const struct json *value) {
    struct json bare = *value;
    const struct checker guids =
        with_code(checker, HCN_E_GUID_CONVERSION_FAILURE);
    if (value->type != JSON_STRING)
        return check_scalar(checker, place, SCALAR_GUID, value);
    if (value->as.string.length == 0)
        return S_OK;
    bare.as.string = without_braces(&value->as.string);
    return check_scalar(&guids, place, SCALAR_GUID, &bare);
}

static HRESULT unknown_code(const char *type) {
    static const struct {
        const char *type;
        HRESULT code;
    } codes[] = {{"NetworkMode", HCN_E_INVALID_NETWORK_TYPE},
                 {"EndpointPolicyType", HCN_E_INVALID_POLICY_TYPE},
                 {"NetworkPolicyType", HCN_E_INVALID_POLICY_TYPE},
                 {"SubnetPolicyType", HCN_E_INVALID_POLICY_TYPE}};
    for (size_t i = 0; i < HCS_COUNT(codes); i++)
        if (strcmp(codes[i].type, type) == 0)
            return codes[i].code;
    return E_INVALIDARG;
}

static HRESULT fail_unknown(const struct checker *checker,
                            const struct place *place,
                            const struct schema_type *type,
                            const struct json *value) {
    const struct checker unknown =
        with_code(checker, unknown_code(set_name(checker->set, type->name)));
    return value->type == JSON_STRING
               ? check_enum_unknown(&unknown, place, type, &value->as.string)
               : check_enum_number(&unknown, place, type, value);
}

static HRESULT check_choice(const struct checker *checker,
                            const struct place *place,
                            const struct schema_type *type,
                            const struct json *value) {
    bool text = value->type == JSON_STRING;
    if (type->flags & SCHEMA_FLAGS)
        return check_scalar(checker, place, SCALAR_UINT32, value);
    if (!text && value->type != JSON_INT)
        return check_mismatch(checker, place, "a whole number or a string",
                              value);
    if ((text && value->as.string.length == 0) ||
        find_value(checker->set, type, value))
        return S_OK;
    if (!text && (type->flags & SCHEMA_OPEN))
        return check_scalar(checker, place, SCALAR_UINT32, value);
    return fail_unknown(checker, place, type, value);
}

/* --- objects ------------------------------------------------------------- */

static bool is_absent(const struct json *value) {
    return value->type == JSON_NULL ||
           (value->type == JSON_OBJECT && value->as.object.count == 0);
}

static const struct json *find_member(const struct schema_set *set,
                                      const struct json *object,
                                      unsigned name) {
    const char *wanted = set_name(set, name);
    const struct json *value = json_get(object, wanted);
    for (size_t i = 0; !value && i < object->as.object.count; i++)
        if (is_name(&object->as.object.members[i].name, wanted))
            value = &object->as.object.members[i].value;
    return value;
}

/* The type of `field` in this object, by what the member beside it says. A
 * name lies in the set's text once, so equal names have equal offsets. */
static unsigned chosen_type(const struct schema_set *set,
                            const struct schema_type *type,
                            const struct schema_field *field,
                            const struct json *object) {
    const struct schema_choice *choice;
    const struct schema_value *value = NULL;
    const struct json *by;
    if (field->choice == 0)
        return field->type;
    choice = &set->choices[field->choice - 1];
    by = find_member(set, object, choice->by);
    for (size_t i = 0; by && !value && i < type->count; i++) {
        const struct schema_field *other = &set->members[type->first + i];
        if (other->name == choice->by)
            value = find_value(set, set_referred(set, other->type), by);
    }
    for (size_t i = 0; value && i < choice->count; i++)
        if (set->cases[choice->first + i].name == value->name)
            return set->cases[choice->first + i].type;
    return SCALAR_ANY;
}

static HRESULT check_array(const struct checker *checker,
                           const struct place *place, unsigned number,
                           const struct json *value) {
    struct place below = {place, NULL, 0, place->depth + 1};
    HRESULT result = S_OK;
    if (value->type != JSON_ARRAY)
        return check_mismatch(checker, place, "an array", value);
    for (size_t i = 0; i < value->as.array.count && result == S_OK; i++) {
        below.index = i;
        result = check_type(checker, &below, number, &value->as.array.items[i]);
    }
    return result;
}

static HRESULT check_object(const struct checker *checker,
                            const struct place *place,
                            const struct schema_type *type,
                            const struct json *value) {
    struct place below = {place, NULL, 0, place->depth + 1};
    HRESULT result = S_OK;
    if (value->type != JSON_OBJECT)
        return check_mismatch(checker, place, "an object", value);
    for (size_t i = 0; i < value->as.object.count && result == S_OK; i++) {
        const struct json_member *member = &value->as.object.members[i];
        const struct schema_field *field =
            find_field(checker->set, type, &member->name);
        unsigned number;
        if (!field || is_absent(&member->value))
            continue;
        below.name = &member->name;
        number = chosen_type(checker->set, type, field, value);
        result = field->flags & SCHEMA_ARRAY
                     ? check_array(checker, &below, number, &member->value)
                     : check_type(checker, &below, number, &member->value);
    }
    return result;
}

static HRESULT check_type(const struct checker *checker,
                          const struct place *place, unsigned number,
                          const struct json *value) {
    const struct schema_type *type = set_referred(checker->set, number);
    if (type && type->kind == SCHEMA_OBJECT && value->type == JSON_NULL)
        return S_OK;
    if (type)
        return type->kind == SCHEMA_ENUM
                   ? check_choice(checker, place, type, value)
                   : check_object(checker, place, type, value);
    return number == SCALAR_GUID ? check_guid(checker, place, value)
                                 : check_scalar(checker, place, number, value);
}

HRESULT schema_check_network(const struct json *value, const char *type,
                             struct hcs_error *error) {
    const struct place root = {NULL, NULL, 0, 0};
    const struct checker checker = {.set = &schema_hcn,
                                    .build_bit = ALL_BUILDS,
                                    .least = ANY_MINOR,
                                    .code = HCN_E_INVALID_JSON,
                                    .error = error};
    unsigned number;
    if (!value || !type || !set_number(&schema_hcn, type, &number))
        return error_set(error, E_INVALIDARG, NULL,
                         "there is no document type \"%s\"",
                         type ? type : "(null)");
    return check_type(&checker, &root, number, value);
}
