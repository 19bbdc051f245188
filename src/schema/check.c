/* SPDX-License-Identifier: MIT
 * The walk over a document. */
#include <string.h>

#include "check.h"

static HRESULT check_type(const struct checker *checker,
                          const struct place *place, unsigned number,
                          const struct json *value);

static HRESULT fail_unknown(const struct checker *checker,
                            const struct place *place,
                            const struct schema_type *type) {
    struct nearest nearest;
    char out[SHOWN_SIZE];
    nearest_begin(&nearest, place->name);
    for (size_t i = 0; i < type->count; i++) {
        const struct schema_field *field =
            &checker->set->members[type->first + i];
        if (check_available(checker, field->builds, field->minor))
            nearest_offer(&nearest, set_name(checker->set, field->name));
    }
    if (nearest.best)
        return check_fail(checker, place,
                          "unknown member \"%s\"; did you mean \"%s\"?",
                          shown(place->name, out), nearest.best);
    return check_fail(checker, place, "unknown member \"%s\"",
                      shown(place->name, out));
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

static HRESULT check_slot(const struct checker *checker,
                          const struct place *place,
                          const struct schema_field *field,
                          const struct json *value) {
    return field->flags & SCHEMA_ARRAY
               ? check_array(checker, place, field->type, value)
               : check_type(checker, place, field->type, value);
}

static HRESULT check_map(const struct checker *checker,
                         const struct place *place,
                         const struct schema_field *field,
                         const struct json *value) {
    struct place below = {place, NULL, 0, place->depth + 1};
    HRESULT result = S_OK;
    if (value->type != JSON_OBJECT)
        return check_mismatch(checker, place, "an object", value);
    for (size_t i = 0; i < value->as.object.count && result == S_OK; i++) {
        const struct json_member *member = &value->as.object.members[i];
        below.name = &member->name;
        result = check_key(checker, &below, field->map);
        if (result == S_OK)
            result = check_slot(checker, &below, field, &member->value);
    }
    return result;
}

static bool null_is_absent(const struct checker *checker,
                           const struct schema_field *field) {
    const struct schema_type *type = set_referred(checker->set, field->type);
    if (field->flags & SCHEMA_NULLABLE)
        return true;
    if (field->map != SCHEMA_NO_MAP || (field->flags & SCHEMA_ARRAY))
        return false;
    return type && type->kind == SCHEMA_OBJECT;
}

static HRESULT check_member(const struct checker *checker,
                            const struct place *place,
                            const struct schema_type *type,
                            const struct json *value) {
    const struct schema_field *field =
        set_field(checker->set, type, place->name);
    if (!field)
        return fail_unknown(checker, place, type);
    if (!check_available(checker, field->builds, field->minor))
        return check_unavailable(checker, place, NULL, field->builds,
                                 field->minor);
    if (value->type == JSON_NULL && null_is_absent(checker, field))
        return S_OK;
    return field->map == SCHEMA_NO_MAP
               ? check_slot(checker, place, field, value)
               : check_map(checker, place, field, value);
}

static HRESULT check_object(const struct checker *checker,
                            const struct place *place,
                            const struct schema_type *type,
                            const struct json *value) {
    struct place below = {place, NULL, 0, place->depth + 1};
    HRESULT result = S_OK;
    if (value->type != JSON_OBJECT)
        return check_mismatch(checker, place, "an object", value);
    if (place->depth > JSON_MAX_DEPTH)
        return check_fail(checker, place, "nested more than %d deep",
                          JSON_MAX_DEPTH);
    for (size_t i = 0; i < value->as.object.count && result == S_OK; i++) {
        const struct json_member *member = &value->as.object.members[i];
        below.name = &member->name;
        result = check_member(checker, &below, type, &member->value);
    }
    return result;
}

static HRESULT check_type(const struct checker *checker,
                          const struct place *place, unsigned number,
                          const struct json *value) {
    const struct schema_type *type = set_referred(checker->set, number);
    if (!type)
        return check_scalar(checker, place, number, value);
    return type->kind == SCHEMA_ENUM
               ? check_enum(checker, place, type, value)
               : check_object(checker, place, type, value);
}

/* The highest minor version a build supports; -1 before 2.0. */
static int supported_minor(const struct schema_set *set, int build) {
    int minor = -1;
    while ((size_t)(minor + 1) < set->version_count &&
           set->versions[minor + 1] <= build)
        minor++;
    return minor;
}

void schema_version_of_build(int build, int *major, int *minor) {
    int supported = supported_minor(&schema_hcs, build);
    *major = supported < 0 ? 1 : 2;
    *minor = supported < 0 ? 0 : supported;
}

/* Whether the version is one of the build's; after the last version that is
 * known nobody can tell, so anything goes. */
static bool is_supported(const struct schema_set *set, int build,
                         uint64_t major, uint64_t minor) {
    if (major != 2)
        return false;
    if (build > set->versions[set->version_count - 1])
        return true;
    return (int64_t)minor <= supported_minor(set, build);
}

static HRESULT check_declared(const struct checker *checker,
                              const struct place *root, uint64_t major,
                              uint64_t minor) {
    static const struct json_string name = {"SchemaVersion", 13};
    struct place below = {root, &name, 0, 1};
    int last = supported_minor(checker->set, checker->build);
    bool open = checker->build >
                checker->set->versions[checker->set->version_count - 1];
    if (is_supported(checker->set, checker->build, major, minor))
        return S_OK;
    if (last < 0)
        return check_fail(checker, &below,
                          "Windows build %d has no SchemaVersion 2.x",
                          checker->build);
    return check_fail(checker, &below,
                      "SchemaVersion %llu.%llu is not supported by Windows "
                      "build %d: expected 2.0 to 2.%d%s",
                      (unsigned long long)major, (unsigned long long)minor,
                      checker->build, last, open ? " or later" : "");
}

/* The document's own SchemaVersion, if it has one that can be read; whether it
 * is well-formed is the walk's business. */
static bool read_declared(const struct schema_set *set, unsigned number,
                          const struct json *value, uint64_t *major,
                          uint64_t *minor) {
    static const struct json_string name = {"SchemaVersion", 13};
    const struct schema_type *type = set_referred(set, number);
    const struct json *version;
    if (!type || type->kind != SCHEMA_OBJECT || !set_field(set, type, &name))
        return false;
    version = json_get(value, "SchemaVersion");
    return json_to_uint64(json_get(version, "Major"), major) &&
           json_to_uint64(json_get(version, "Minor"), minor) &&
           *major <= UINT32_MAX && *minor <= UINT32_MAX;
}

static void declare(struct checker *checker, int major, int minor) {
    checker->major = major;
    checker->minor = minor;
    checker->least = major == 0 || major > 2 ? ANY_MINOR
                     : major < 2             ? 0
                                             : minor;
}

static unsigned bit_of_build(const struct schema_set *set, int build) {
    size_t i = 0;
    while (i + 1 < set->build_count && set->builds[i + 1] <= build)
        i++;
    return 1u << i;
}

static void checker_init(struct checker *checker,
                         const struct schema_profile *profile,
                         struct hcs_error *error) {
    const struct schema_set *set = &schema_hcs;
    checker->set = set;
    checker->build =
        profile ? profile->build : set->builds[set->build_count - 1];
    checker->build_bit = bit_of_build(set, checker->build);
    checker->code = HCS_E_INVALID_JSON;
    checker->error = error;
    declare(checker, profile ? profile->major : 0,
            profile ? profile->minor : 0);
}

HRESULT schema_check(const struct json *value, const char *type,
                     const struct schema_profile *profile,
                     struct hcs_error *error) {
    const struct place root = {NULL, NULL, 0, 0};
    struct checker checker;
    uint64_t major, minor;
    unsigned number;
    if (!value || !type || !set_number(&schema_hcs, type, &number))
        return error_set(error, E_INVALIDARG, NULL,
                         "there is no document type \"%s\"",
                         type ? type : "(null)");
    checker_init(&checker, profile, error);
    if (read_declared(checker.set, number, value, &major, &minor)) {
        HRESULT result = check_declared(&checker, &root, major, minor);
        if (result != S_OK)
            return result;
        if (checker.major == 0)
            declare(&checker, (int)major, (int)minor);
    }
    return check_type(&checker, &root, number, value);
}
