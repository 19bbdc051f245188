/* SPDX-License-Identifier: MIT
 * The shapes of documents, from the generated tables, and the check of a
 * document against them.
 *
 * HCS is strict. What the check decides where nothing is published:
 *
 * - null counts as "absent" for a member whose type is an object or `any`, or
 *   that the data calls nullable. Anywhere else it is a wrong type.
 * - Names and enum texts are compared exactly, case and all.
 * - Whole numbers are written without fraction and exponent. Keys of maps with
 *   numbers for keys are decimal, without sign or leading zeros.
 * - GUIDs have no braces; dates are ISO 8601 with a time zone; bytes are
 *   base64 with its padding. No text holds a NUL.
 * - A build between two known ones is like the older of them. A member that
 *   only internal sources name and that the oldest of them has already is
 *   taken to be in every build.
 * - A member needs the SchemaVersion that Microsoft gives for it, else the
 *   lowest that came with its first build. Nothing is published above 2.7: a
 *   document of the last known version or a later one may use all that the
 *   build has. A build newer than the last known version takes any 2.x. */
#ifndef HCS_SCHEMA_H
#define HCS_SCHEMA_H

#include "../base/json.h"

struct schema_profile {
    int build; /* the Windows build to be: later members are unknown to it */
    int major; /* the document's declared SchemaVersion; 0: not declared */
    int minor;
};

/* Checks `value` against the type `type` ("ComputeSystem"; also an enum's or a
 * scalar's name, "uint64") as strictly as Windows: an unknown member, a wrong
 * JSON type, an unknown enum name, a number out of range or a member newer than
 * the build or the declared version is HCS_E_INVALID_JSON with the path and
 * what was expected (and the nearest known name). E_INVALIDARG for a type the
 * tables do not have.
 *
 * A value that has a SchemaVersion of its own (ComputeSystem, LayerData) must
 * declare one that the build supports, and it counts where the profile names
 * none. A NULL profile means the newest build. Time is linear in the value;
 * nothing is allocated. */
HRESULT schema_check(const struct json *value, const char *type,
                     const struct schema_profile *profile,
                     struct hcs_error *error);

/* Checks `value` against a type of HCN's ("HostComputeNetwork",
 * "ModifyEndpointSettingRequest", "HNSNetwork"; also an enum's or a scalar's
 * name) as leniently as HCN reads:
 *
 * - Names of members and texts of enums are compared without case; members
 *   that the type does not have are passed over, those of any version taken.
 * - Null and an empty object count as absent, empty text for a GUID or an enum
 *   too. GUIDs may have braces.
 * - Enums are texts or numbers, flags are numbers. A bit without a name passes.
 * - Settings are of the type that the member beside them says (a policy's Type,
 *   a request's ResourceType); where it says nothing they may be anything.
 *
 * What is wrong has its path and what was expected, and its code by cause:
 * HCN_E_INVALID_JSON (a value of the wrong JSON type, a number out of range),
 * HCN_E_GUID_CONVERSION_FAILURE, and for an enum's value that is not known
 * HCN_E_INVALID_NETWORK_TYPE, HCN_E_INVALID_POLICY_TYPE or E_INVALIDARG by the
 * enum. E_INVALIDARG for a type the tables do not have. Time is linear in the
 * value; nothing is allocated. */
HRESULT schema_check_network(const struct json *value, const char *type,
                             struct hcs_error *error);

/* The SchemaVersion a build supports at most ("2.7" -> 2, 7). */
void schema_version_of_build(int build, int *major, int *minor);

/* The type of ModifySettingRequest.Settings for a ResourcePath
 * ("VirtualMachine/Devices/Scsi/0/Attachments/1" -> "Attachment"), which may
 * be a scalar ("uint64"); NULL for a path that is not known. */
const char *schema_settings_type(const char *resource_path);

/* The tables themselves. NULL for a name they do not have. */
struct schema_type;
const struct schema_type *schema_find(const char *name);
/* How many members an object type has; 0 for an enum. */
size_t schema_member_count(const struct schema_type *type);

struct schema_member {
    const char *name;
    const char *type; /* a scalar's name ("uint64") or a type's */
    const char *map;  /* the keys' type where it is a map, else NULL */
    bool array;
    bool nullable;
    bool always; /* written even where it has its default */
    int first_build;
    int minor; /* needs SchemaVersion 2.minor */
};

/* The member that is written as the `index`-th (from 0). */
void schema_member_at(const struct schema_type *type, size_t index,
                      struct schema_member *out);

#endif
