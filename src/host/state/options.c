/* SPDX-License-Identifier: MIT
 * The documents that come with requests: read, checked by the schema, and
 * refused where they ask for what no machine of ours does. */
#include <string.h>

#include "vm_private.h"

struct option_type {
    HCS_OPERATION_TYPE verb;
    const char *type; /* NULL: the call has no options */
    bool required;
};

static const struct option_type types[] = {
    {HcsOperationTypeStart, "StartOptions", false},
    {HcsOperationTypeShutdown, "ShutdownOptions", false},
    {HcsOperationTypePause, "PauseOptions", false},
    {HcsOperationTypeResume, NULL, false},
    {HcsOperationTypeSave, "SaveOptions", false},
    {HcsOperationTypeTerminate, NULL, false},
    {HcsOperationTypeModify, "ModifySettingRequest", true},
    {HcsOperationTypeGetProperties, "System_PropertyQuery", false},
    {HcsOperationTypeCrash, "CrashOptions", false},
};

static const struct option_type *find(HCS_OPERATION_TYPE verb) {
    for (size_t i = 0; i < HCS_COUNT(types); i++)
        if (types[i].verb == verb)
            return &types[i];
    return NULL;
}

static HRESULT check_none(const struct json *value, struct hcs_error *error) {
    if (value->type == JSON_OBJECT && value->as.object.count == 0)
        return S_OK;
    return error_set(error, HCS_E_INVALID_JSON, "$",
                     "this call takes no options");
}

HRESULT vm_options_parse(const struct vm *vm, HCS_OPERATION_TYPE verb,
                         const char *text, struct json_doc *out,
                         struct hcs_error *error) {
    const struct option_type *type = find(verb);
    /* Options have no SchemaVersion of their own: only the build counts. */
    struct schema_profile profile = {vm->host.build, 0, 0};
    if (!type)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "operation %d is not one of a virtual machine",
                         (int)verb);
    if (!text || !*text) {
        if (type->required)
            return error_set(error, HCS_E_INVALID_JSON, "$", "a %s is required",
                             type->type);
        return S_OK;
    }
    HRESULT hr = json_parse(text, strlen(text), out, error);
    if (FAILED(hr))
        return hr;
    if (out->root->type == JSON_NULL) {
        json_doc_free(out);
        *out = (struct json_doc){0};
        return vm_options_parse(vm, verb, NULL, out, error);
    }
    if (!type->type)
        return check_none(out->root, error);
    return schema_check(out->root, type->type, &profile, error);
}

static bool given(const struct json *value) {
    return value && value->type != JSON_NULL;
}

static bool is(const struct json *value, const char *name) {
    return strcmp(json_text(value, ""), name) == 0;
}

HRESULT vm_start_check(const struct json *options, struct hcs_error *error) {
    static const char *const members[] = {"RestoreOptions",
                                          "DestinationMigrationOptions"};
    for (size_t i = 0; i < HCS_COUNT(members); i++) {
        char path[JSON_MAX_PATH] = "$";
        struct json_string name = {members[i], strlen(members[i])};
        if (!given(json_get(options, members[i])))
            continue;
        json_path_member(path, &name);
        return error_set(error, HR_NOT_SUPPORTED, path,
                         "%s is not supported by this host", members[i]);
    }
    return S_OK;
}

HRESULT vm_pause_check(const struct json *options, struct hcs_error *error) {
    const char *level = json_text(json_get(options, "SuspensionLevel"), "");
    if (!*level || strcmp(level, "Suspend") == 0)
        return S_OK;
    return error_set(error, HR_NOT_SUPPORTED, "$.SuspensionLevel",
                     "%s is for containers; a virtual machine can only be "
                     "suspended",
                     level);
}

/* Reboot and hibernation need a service in the guest that a power button
 * cannot replace. */
HRESULT vm_shutdown_check(const struct vm *vm, const struct json *options,
                          struct hcs_error *error) {
    const char *type = json_text(json_get(options, "Type"), "");
    if (is(json_get(options, "Mechanism"), "GuestConnection"))
        return error_set(error, HR_NOT_SUPPORTED, "$.Mechanism",
                         "the system has no guest connection");
    if (!given(json_at(vm->virtual_machine, "Services.Shutdown")))
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "the system has no way to ask its guest: its document "
                         "lacks VirtualMachine.Services.Shutdown");
    if (*type && strcmp(type, "Shutdown") != 0)
        return error_set(error, HR_NOT_SUPPORTED, "$.Type",
                         "a power button cannot ask for %s", type);
    return S_OK;
}

static HRESULT save_path(const struct vm *vm, const struct json *options,
                         const char **path, struct hcs_error *error) {
    const char *file = json_text(json_get(options, "SaveStateFilePath"), "");
    const char *runtime =
        json_text(json_get(options, "RuntimeStateFilePath"), "");
    if (*file && *runtime)
        return error_set(error, HCS_E_INVALID_JSON, "$.RuntimeStateFilePath",
                         "SaveStateFilePath is given already");
    if (!*file)
        file = runtime;
    if (!*file)
        file = json_text(
            json_at(vm->virtual_machine, "GuestState.RuntimeStateFilePath"),
            "");
    if (!*file)
        return error_set(error, HCS_E_INVALID_JSON, "$.SaveStateFilePath",
                         "the file to save to is missing");
    *path = file;
    return S_OK;
}

HRESULT vm_save_options(const struct vm *vm, const struct json *options,
                        enum machine_save_kind *kind, const char **path,
                        struct hcs_error *error) {
    *path = NULL;
    if (given(json_get(options, "VmPhuOptions")))
        return error_set(error, HR_NOT_SUPPORTED, "$.VmPhuOptions",
                         "fast saving is not supported by this host");
    if (is(json_get(options, "SaveType"), "AsTemplate")) {
        *kind = MACHINE_SAVE_TEMPLATE;
        return S_OK;
    }
    *kind = MACHINE_SAVE_FILE;
    return save_path(vm, options, path, error);
}

HRESULT vm_crash_options(const struct json *options, const char **path,
                         struct hcs_error *error) {
    const char *file = json_text(json_get(options, "GuestDebugStateFile"), "");
    *path = NULL;
    if (!is(json_get(options, "Type"), "CaptureGuestDebugState"))
        return S_OK;
    if (!*file)
        return error_set(error, HCS_E_INVALID_JSON, "$.GuestDebugStateFile",
                         "the file to capture to is missing");
    *path = file;
    return S_OK;
}
