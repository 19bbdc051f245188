/* SPDX-License-Identifier: MIT
 * Enums: names, numbers and sums of flags. */
#include <stdio.h>
#include <string.h>

#include "check.h"

static bool is_available(const struct checker *checker,
                         const struct schema_value *value) {
    return check_available(checker, value->builds, value->minor);
}

/* "a" or "an" before a type's name. */
static const char *article(const char *name) {
    return strchr("AEIOUaeiou", name[0]) ? "an" : "a";
}

static size_t count_available(const struct checker *checker,
                              const struct schema_type *type) {
    size_t count = 0;
    for (size_t i = 0; i < type->count; i++)
        count += is_available(checker, &checker->set->values[type->first + i]);
    return count;
}

static void add_text(char *out, size_t size, const char *text) {
    size_t length = strlen(out);
    size_t more = strlen(text);
    if (length + more < size)
        memcpy(out + length, text, more + 1);
}

static void add_value(const struct checker *checker,
                      const struct schema_type *type,
                      const struct schema_value *value, char *out,
                      size_t size) {
    char number[16];
    add_text(out, size, set_name(checker->set, value->name));
    if (!(type->flags & SCHEMA_NUMBER))
        return;
    snprintf(number, sizeof number, " %d", (int)value->value);
    add_text(out, size, number);
}

/* "Iso, PassThru or VirtualDisk"; past LIST_VALUES " …". */
static const char *list_values(const struct checker *checker,
                               const struct schema_type *type, char *out,
                               size_t size) {
    size_t count = count_available(checker, type);
    size_t done = 0;
    out[0] = '\0';
    for (size_t i = 0; i < type->count && done < LIST_VALUES; i++) {
        const struct schema_value *value =
            &checker->set->values[type->first + i];
        if (!is_available(checker, value))
            continue;
        if (done > 0)
            add_text(out, size, done + 1 == count ? " or " : ", ");
        add_value(checker, type, value, out, size);
        done++;
    }
    if (count > LIST_VALUES)
        add_text(out, size, " \xE2\x80\xA6");
    return out;
}

static const char *nearest_value(const struct checker *checker,
                                 const struct schema_type *type,
                                 const struct json_string *text) {
    struct nearest nearest;
    nearest_begin(&nearest, text);
    for (size_t i = 0; i < type->count; i++) {
        const struct schema_value *value =
            &checker->set->values[type->first + i];
        if (is_available(checker, value))
            nearest_offer(&nearest, set_name(checker->set, value->name));
    }
    return nearest.best;
}

HRESULT check_enum_unknown(const struct checker *checker,
                           const struct place *place,
                           const struct schema_type *type,
                           const struct json_string *text) {
    const char *name = set_name(checker->set, type->name);
    const char *closest = nearest_value(checker, type, text);
    char out[SHOWN_SIZE], list[LIST_SIZE];
    if (closest)
        return check_fail(checker, place,
                          "\"%s\" is not %s %s: did you mean \"%s\"?",
                          shown(text, out), article(name), name, closest);
    return check_fail(checker, place, "\"%s\" is not %s %s: expected %s",
                      shown(text, out), article(name), name,
                      list_values(checker, type, list, sizeof list));
}

static HRESULT check_name(const struct checker *checker,
                          const struct place *place,
                          const struct schema_type *type,
                          const struct json_string *text) {
    const struct schema_value *value = set_value(checker->set, type, text);
    char what[192];
    if (text->length == 0 && (type->flags & SCHEMA_EMPTY))
        return S_OK;
    if (!value)
        return check_enum_unknown(checker, place, type, text);
    if (is_available(checker, value))
        return S_OK;
    snprintf(what, sizeof what, "\"%s\" as %s %s",
             set_name(checker->set, value->name),
             article(set_name(checker->set, type->name)),
             set_name(checker->set, type->name));
    return check_unavailable(checker, place, what, value->builds, value->minor);
}

static bool is_known_number(const struct checker *checker,
                            const struct schema_type *type, int64_t number) {
    int64_t all = 0;
    for (size_t i = 0; i < type->count; i++) {
        const struct schema_value *value =
            &checker->set->values[type->first + i];
        if (!value->has_value || !is_available(checker, value))
            continue;
        if (value->value == number)
            return true;
        all |= value->value;
    }
    return (type->flags & SCHEMA_FLAGS) && !(number & ~all);
}

HRESULT check_enum_number(const struct checker *checker,
                          const struct place *place,
                          const struct schema_type *type,
                          const struct json *value) {
    const char *name = set_name(checker->set, type->name);
    char list[LIST_SIZE];
    if (is_known_number(checker, type, value->as.integer))
        return S_OK;
    return check_fail(checker, place, "%lld is not %s %s: expected %s%s",
                      (long long)value->as.integer, article(name), name,
                      type->flags & SCHEMA_FLAGS ? "a sum of " : "",
                      list_values(checker, type, list, sizeof list));
}

HRESULT check_enum(const struct checker *checker, const struct place *place,
                   const struct schema_type *type, const struct json *value) {
    bool number = (type->flags & SCHEMA_NUMBER) != 0;
    char wanted[128];
    if (value->type == JSON_STRING && !number)
        return check_name(checker, place, type, &value->as.string);
    if (value->type == JSON_INT && (number || (type->flags & SCHEMA_LENIENT)))
        return check_enum_number(checker, place, type, value);
    snprintf(wanted, sizeof wanted, "a %s (%s)", number ? "number" : "string",
             set_name(checker->set, type->name));
    return check_mismatch(checker, place, wanted, value);
}
