/* SPDX-License-Identifier: MIT
 * The shapes of HCS documents, from the generated tables, and the check of a
 * document against them. */
#ifndef HCS_SCHEMA_H
#define HCS_SCHEMA_H

#include "../base/json.h"

struct schema_profile {
    int build; /* the Windows build to be: later members are unknown to it */
    int major; /* the document's declared SchemaVersion; 0: not declared */
    int minor;
};

/* Checks `value` against the type `type` ("ComputeSystem") as strictly as
 * Windows: an unknown member, a wrong JSON type, an unknown enum name, a
 * number out of range or a member newer than the build or the declared
 * version is HCS_E_INVALID_JSON with the path and what was expected (and the
 * nearest known name). E_INVALIDARG for a type the tables do not have. */
HRESULT schema_check(const struct json *value, const char *type,
                     const struct schema_profile *profile,
                     struct hcs_error *error);

/* The SchemaVersion a build supports at most ("2.7" -> 2, 7). */
void schema_version_of_build(int build, int *major, int *minor);

#endif
