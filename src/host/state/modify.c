/* SPDX-License-Identifier: MIT
 * ModifySettingRequest: what of it can be judged without the machine. */
#include <stdio.h>
#include <string.h>

#include "vm_private.h"

#define MEMORY_PATH "VirtualMachine/ComputeTopology/Memory/SizeInMB"

static bool given(const struct json *value) {
    return value && value->type != JSON_NULL;
}

/* Members below Settings have their path from the request's root. */
static HRESULT check_settings(const struct vm *vm, const struct json *settings,
                              const char *type, struct hcs_error *error) {
    char below[sizeof error->path];
    HRESULT hr = schema_check(settings, type, &vm->profile, error);
    if (SUCCEEDED(hr) || !error || error->path[0] != '$')
        return hr;
    memcpy(below, error->path + 1, strlen(error->path));
    snprintf(error->path, sizeof error->path, "$.Settings%.*s",
             (int)(sizeof error->path - sizeof "$.Settings"), below);
    return hr;
}

static HRESULT check_memory(const struct json *settings,
                            struct hcs_error *error) {
    uint64_t value = 0;
    json_to_uint64(settings, &value);
    if (value == 0 || value % 2 != 0)
        return error_set(error, E_INVALIDARG, "$.Settings",
                         "memory is changed in steps of 2 MB");
    return S_OK;
}

/* A disk that is plugged in now is opened now. */
static HRESULT check_file(const struct vm *vm, const struct json *settings,
                          const char *type, struct hcs_error *error) {
    if (strcmp(type, "Attachment") != 0)
        return S_OK;
    return vm_access_file(vm, "$.Settings.Path",
                          json_text(json_get(settings, "Path"), ""), error);
}

static HRESULT check_by_type(const struct vm *vm, const struct json *settings,
                             const char *type, struct hcs_error *error) {
    if (strcmp(type, "any") == 0)
        return S_OK;
    HRESULT hr = check_settings(vm, settings, type, error);
    return SUCCEEDED(hr) ? check_file(vm, settings, type, error) : hr;
}

HRESULT vm_modify_check(const struct vm *vm, const struct json *request,
                        struct hcs_error *error) {
    const char *path = json_text(json_get(request, "ResourcePath"), "");
    const char *type = schema_settings_type(path);
    const struct json *settings = json_get(request, "Settings");
    const char *kind = json_text(json_get(request, "RequestType"), "Add");
    if (strcmp(path, VM_DUMPS_PATH) == 0)
        return vm_dumps_check(request, error);
    if (given(json_get(request, "GuestRequest")))
        return error_set(error, HR_NOT_SUPPORTED, "$.GuestRequest",
                         "the system has no connection to its guest");
    if (!type || strncmp(path, "VirtualMachine/", 15) != 0)
        return error_set(error, HCS_E_INVALID_JSON, "$.ResourcePath",
                         "\"%s\" is not a resource of a virtual machine", path);
    if (!given(settings)) {
        if (strcmp(kind, "Remove") == 0 || strcmp(type, "any") == 0)
            return S_OK;
        return error_set(error, HCS_E_INVALID_JSON, "$.Settings",
                         "the %s to %s is missing", type, kind);
    }
    if (strcmp(kind, "Remove") == 0)
        return S_OK;
    HRESULT hr = check_by_type(vm, settings, type, error);
    if (SUCCEEDED(hr) && strcmp(path, MEMORY_PATH) == 0)
        hr = check_memory(settings, error);
    return hr;
}

void vm_modified(struct vm *vm, const struct json *request) {
    const char *path = json_text(json_get(request, "ResourcePath"), "");
    if (strcmp(path, MEMORY_PATH) == 0)
        json_to_uint64(json_get(request, "Settings"), &vm->memory_mb);
}
