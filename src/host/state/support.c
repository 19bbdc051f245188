/* SPDX-License-Identifier: MIT
 * What a ComputeSystem must be beyond its schema, and what of it no machine
 * here can do. Nothing that a document asks for is passed over in silence. */
#include <string.h>

#include "vm_private.h"

static const struct json *present(const struct json *root, const char *path) {
    const struct json *value = json_at(root, path);
    return value && value->type != JSON_NULL ? value : NULL;
}

static HRESULT invalid(struct hcs_error *error, const char *path,
                       const char *text) {
    return error_set(error, HCS_E_INVALID_JSON, path, "%s", text);
}

static HRESULT check_kind(const struct json *root, struct hcs_error *error) {
    static const char *const others[] = {"Container", "HostedSystem",
                                         "HostingSystemId"};
    for (size_t i = 0; i < HCS_COUNT(others); i++) {
        char path[JSON_MAX_PATH] = "$";
        struct json_string name = {others[i], strlen(others[i])};
        if (!present(root, others[i]))
            continue;
        json_path_member(path, &name);
        return error_set(error, HR_NOT_SUPPORTED, path,
                         "this host runs virtual machines only");
    }
    if (!present(root, "VirtualMachine"))
        return invalid(error, "$", "the document describes no VirtualMachine");
    return S_OK;
}

static HRESULT check_topology(const struct json *root,
                              struct hcs_error *error) {
    static const char *const memory_path =
        "VirtualMachine.ComputeTopology.Memory.SizeInMB";
    static const char *const count_path =
        "VirtualMachine.ComputeTopology.Processor.Count";
    uint64_t memory = 0, count = 1;
    json_to_uint64(json_at(root, memory_path), &memory);
    if (memory == 0)
        return invalid(error,
                       "$.VirtualMachine.ComputeTopology.Memory.SizeInMB",
                       "a virtual machine needs at least 1 MB of memory");
    json_to_uint64(json_at(root, count_path), &count);
    if (count == 0)
        return invalid(error,
                       "$.VirtualMachine.ComputeTopology.Processor.Count",
                       "a virtual machine needs at least one processor");
    return S_OK;
}

struct unsupported {
    const char *path;   /* below the root */
    const char *unless; /* a text value that asks for nothing, or NULL */
    const char *text;
};

static const struct unsupported unsupported[] = {
    {"VirtualMachine.GuestConnection", NULL,
     "this host has no connection to services inside the guest"},
    {"VirtualMachine.MigrationOptions", NULL,
     "this host does not take part in migrations"},
    {"VirtualMachine.RestoreState.RestoreType", "Normal",
     "this host restores at normal speed only"},
    {"VirtualMachine.DebugOptions.FirmwareDumpFileName", "",
     "this host cannot dump the firmware"},
    {"VirtualMachine.DebugOptions.WorkerProcessDumpOnGuestCrash.Type", "None",
     "this host does not dump its worker process"},
    {"VirtualMachine.DebugOptions.LiveDumpOnGuestCrash.DumpFileName", "",
     "this host cannot write a dump of itself"},
};

static HRESULT check_supported(const struct json *root,
                               struct hcs_error *error) {
    for (size_t i = 0; i < HCS_COUNT(unsupported); i++) {
        const struct unsupported *u = &unsupported[i];
        const struct json *value = present(root, u->path);
        char path[JSON_MAX_PATH];
        if (!value)
            continue;
        if (u->unless && strcmp(json_text(value, ""), u->unless) == 0)
            continue;
        strcpy(path, "$.");
        strncat(path, u->path, sizeof path - 3);
        return error_set(error, HR_NOT_SUPPORTED, path, "%s", u->text);
    }
    return S_OK;
}

static HRESULT check_dump(const struct json *root, struct hcs_error *error) {
    const struct json *settings = json_at(
        root, "VirtualMachine.Devices.GuestCrashReporting.NixCrashSettings");
    const char *type = json_text(json_get(settings, "DumpType"), "Disabled");
    int64_t limit = 0;
    json_to_int64(json_get(settings, "MaxDumpSize"), &limit);
    if (limit < 0)
        return invalid(error,
                       "$.VirtualMachine.Devices.GuestCrashReporting"
                       ".NixCrashSettings.MaxDumpSize",
                       "a dump cannot be smaller than nothing");
    if (strcmp(type, "Disabled") == 0)
        return S_OK;
    if (!*json_text(json_get(settings, "DumpFileName"), ""))
        return invalid(error,
                       "$.VirtualMachine.Devices.GuestCrashReporting"
                       ".NixCrashSettings.DumpFileName",
                       "a dump needs a file to be written to");
    return S_OK;
}

static HRESULT check_restore(const struct json *root, struct hcs_error *error) {
    static const char *const members[] = {
        "SaveStateFilePath", "RuntimeStateFilePath", "TemplateSystemId"};
    const struct json *state = json_at(root, "VirtualMachine.RestoreState");
    int sources = 0;
    for (size_t i = 0; i < HCS_COUNT(members); i++)
        sources += *json_text(json_get(state, members[i]), "") != '\0';
    if (sources > 1)
        return invalid(error, "$.VirtualMachine.RestoreState",
                       "a system is restored from one source only");
    return S_OK;
}

HRESULT vm_document_check(const struct json *document,
                          struct hcs_error *error) {
    static HRESULT (*const checks[])(const struct json *,
                                     struct hcs_error *) = {
        check_kind, check_topology, check_supported, check_dump, check_restore};
    for (size_t i = 0; i < HCS_COUNT(checks); i++) {
        HRESULT hr = checks[i](document, error);
        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}
