/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../../base/compiler.h"

/* The members that are honoured, `*` standing for any key of a map or any
 * index. `values` limits them to some texts ("A|B"); NULL: any value, with all
 * that is below. What is not here is refused, unless it asks for nothing. */
#define NEVER "?" /* no text of a document */

struct rule {
    const char *path;
    const char *values;
};

static const struct rule rules[] = {
    {"Chipset.LinuxKernelDirect.KernelFilePath", NULL},
    {"Chipset.LinuxKernelDirect.InitRdPath", NULL},
    {"Chipset.LinuxKernelDirect.KernelCmdLine", NULL},
    {"Chipset.Uefi.BootThis.DeviceType", "ScsiDrive"},
    {"Chipset.Uefi.BootThis.DevicePath", NULL},
    {"Chipset.Uefi.BootThis.DiskNumber", NULL},
    {"Chipset.Uefi.Console", "Default|ComPort1"},
    {"Chipset.Uefi.ApplySecureBootTemplate", "Skip|Apply"},
    {"Chipset.Uefi.SecureBootTemplateId",
     /* the templates whose certificates Debian's OVMF variables hold */
     "1734c6e8-3154-4dda-ba5f-a874cc483422|"
     "272e7447-90a4-4563-a4b9-8e4ab00526ce"},
    {"Chipset.UseUtc", NULL},
    {"Chipset.BaseBoardSerialNumber", NULL},
    {"Chipset.ChassisSerialNumber", NULL},
    {"Chipset.ChassisAssetTag", NULL},
    {"Chipset.BiosGUID", NULL},
    {"Chipset.BiosSerialNumber", NULL},
    {"Chipset.SystemInformation", NULL},
    {"ComputeTopology.Memory.SizeInMB", NULL},
    {"ComputeTopology.Memory.Backing", "Virtual"},
    {"ComputeTopology.Memory.BackingPageSize", "Small"},
    /* Memory is always given out as the guest touches it. */
    {"ComputeTopology.Memory.AllowOvercommit", NULL},
    {"ComputeTopology.Memory.EnableDeferredCommit", NULL},
    /* Hints: what a guest would gain by them, it loses nothing without. */
    {"ComputeTopology.Memory.EnableHotHint", NULL},
    {"ComputeTopology.Memory.EnableColdHint", NULL},
    {"ComputeTopology.Memory.EnableColdDiscardHint", NULL},
    {"ComputeTopology.Processor.Count", NULL},
    {"Devices.ComPorts.*.NamedPipe", NULL},
    {"Devices.ComPorts.*.ForceEnable", NULL},
    {"Devices.Scsi.*.Attachments.*.Type", "VirtualDisk|Iso"},
    {"Devices.Scsi.*.Attachments.*.Path", NULL},
    {"Devices.Scsi.*.Attachments.*.ReadOnly", NULL},
    {"Devices.Scsi.*.Attachments.*.IgnoreFlushes", NULL},
    /* Every mode writes through when the guest flushes. */
    {"Devices.Scsi.*.Attachments.*.CachingMode", NULL},
    {"Devices.Scsi.*.Attachments.*.SupportCompressedVolumes", NULL},
    {"Devices.Scsi.*.Attachments.*.SupportEncryptedFiles", NULL},
    {"Devices.Scsi.*.Attachments.*.AlwaysAllowSparseFiles", NULL},
    {"Devices.Scsi.*.ElementName", NULL},
    {"Devices.NetworkAdapters.*.EndpointId", NULL},
    {"Devices.NetworkAdapters.*.MacAddress", NULL},
    {"Devices.NetworkAdapters.*.InstanceId", NULL},
    {"Devices.NetworkAdapters.*.FriendlyName", NULL},
    {"Devices.NetworkAdapters.*.NetworkAdapterType", "Synthetic"},
    {"Devices.VideoMonitor.HorizontalResolution", NULL},
    {"Devices.VideoMonitor.VerticalResolution", NULL},
    {"Devices.Keyboard", NULL},
    {"Devices.Mouse", NULL},
    {"Devices.GuestCrashReporting", NULL},
    {"GuestState.GuestStateFilePath", NULL},
    {"GuestState.RuntimeStateFilePath", NULL},
    {"GuestState.GuestStateFileType", "FileMode"},
    {"RestoreState.SaveStateFilePath", NULL},
    {"RestoreState.RuntimeStateFilePath", NULL},
    {"RestoreState.TemplateSystemId", NULL},
    {"RestoreState.RestoreType", "Normal"},
    {"DebugOptions.BugcheckSavedStateFileName", NULL},
    {"DebugOptions.BugcheckNoCrashdumpSavedStateFileName", NULL},
    {"DebugOptions.TripleFaultSavedStateFileName", NULL},
    {"DebugOptions.ShutdownOrResetSavedStateFileName", NULL},
    /* Known, so that saying no to them is no request. */
    {"SecuritySettings.EnableTpm", NEVER},
    {"SecuritySettings.Isolation.IsolationType", "Disabled"},
    {"Services.Shutdown", NULL},
    {"StorageQoS.IopsMaximum", NULL},
    {"StorageQoS.BandwidthMaximum", NULL},
    {"StopOnReset", NULL},
    {"DisplayName", NULL},
    {"LaunchOptions.Type", "Default|None"},
};

/* Takes "NAME." or "*." off a rule's path if it fits `name`. */
static const char *after(const char *rule, const char *name, size_t length) {
    size_t part = strcspn(rule, ".");

    if (!(part == 1 && rule[0] == '*') &&
        (part != length || memcmp(rule, name, length) != 0))
        return NULL;
    return rule[part] ? rule + part + 1 : rule + part;
}

/* A member's chain of names, innermost first. */
struct chain {
    const struct chain *above;
    const char *name;
    size_t length;
};

static const char *strip(const char *rule, const struct chain *chain) {
    const char *rest = rule;

    if (chain->above)
        rest = strip(rule, chain->above);
    if (!rest || rest[0] == 0)
        return NULL;
    return after(rest, chain->name, chain->length);
}

enum verdict { REFUSED, HONOURED, BELOW };

static bool among(const char *values, const char *text) {
    size_t length = strlen(text);

    while (*values) {
        size_t part = strcspn(values, "|");

        if (part == length && strncasecmp(values, text, length) == 0)
            return true;
        values += part;
        values += *values == '|';
    }
    return false;
}

static enum verdict judge(const struct chain *chain, const struct json *value) {
    enum verdict verdict = REFUSED;

    for (size_t i = 0; i < HCS_COUNT(rules); i++) {
        const char *rest = strip(rules[i].path, chain);

        if (rest && rest[0] == 0 &&
            (!rules[i].values || among(rules[i].values, json_text(value, ""))))
            return HONOURED;
        if (rest && rest[0] != 0)
            verdict = BELOW;
    }
    return verdict;
}

/* Absent, in effect. An empty object is not: it asks for a device. */
static bool asks_nothing(const struct json *value) {
    switch (value->type) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return !value->as.boolean;
    case JSON_INT:
        return value->as.integer == 0;
    case JSON_STRING:
        return value->as.string.length == 0;
    case JSON_ARRAY:
        return value->as.array.count == 0;
    default:
        return false;
    }
}

static HRESULT refuse(const struct chain *chain, const struct json *value,
                      const char *path, struct hcs_error *error) {
    const char *text = json_text(value, NULL);

    if (text)
        return error_set(error, HR_NOT_SUPPORTED, path,
                         "QEMU machines do not support %.*s \"%.80s\"",
                         (int)chain->length, chain->name, text);
    return error_set(error, HR_NOT_SUPPORTED, path,
                     "QEMU machines do not support %.*s", (int)chain->length,
                     chain->name);
}

static HRESULT check_members(const struct json *object,
                             const struct chain *above, const char *path,
                             struct hcs_error *error);

static HRESULT check_value(const struct json *value, const struct chain *chain,
                           const char *path, struct hcs_error *error) {
    enum verdict verdict = judge(chain, value);

    if (verdict == HONOURED || asks_nothing(value))
        return S_OK;
    if (verdict == BELOW && value->type == JSON_OBJECT)
        return check_members(value, chain, path, error);
    return refuse(chain, value, path, error);
}

static HRESULT check_members(const struct json *object,
                             const struct chain *above, const char *path,
                             struct hcs_error *error) {
    for (size_t i = 0; i < object->as.object.count; i++) {
        const struct json_member *member = &object->as.object.members[i];
        struct chain chain = {above, member->name.text, member->name.length};
        char here[JSON_MAX_PATH];
        HRESULT hr;

        snprintf(here, sizeof here, "%s", path);
        json_path_member(here, &member->name);
        hr = check_value(&member->value, &chain, here, error);
        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

static bool is_object(const struct json *value) {
    return value && value->type == JSON_OBJECT;
}

HRESULT support_check(const struct json *virtual_machine,
                      struct hcs_error *error) {
    const struct json *chipset = json_get(virtual_machine, "Chipset");
    bool direct = is_object(json_get(chipset, "LinuxKernelDirect"));
    bool uefi = is_object(json_get(chipset, "Uefi"));
    HRESULT hr;

    if (!is_object(virtual_machine))
        return error_set(error, E_INVALIDARG, NULL, "no VirtualMachine");
    hr = check_members(virtual_machine, NULL, "$.VirtualMachine", error);
    if (FAILED(hr))
        return hr;
    if (direct == uefi)
        return error_set(error, HR_NOT_SUPPORTED, "$.VirtualMachine.Chipset",
                         "QEMU machines boot either by LinuxKernelDirect or "
                         "by Uefi");
    return S_OK;
}

static HRESULT check_settings(const struct json *settings,
                              const struct chain *chain, const char *where,
                              const char *what, struct hcs_error *error) {
    if (!is_object(settings))
        return error_set(error, HCS_E_INVALID_JSON, where,
                         "Settings must hold %s", what);
    return check_members(settings, chain, where, error);
}

HRESULT support_check_attachment(const struct json *attachment,
                                 const char *where, struct hcs_error *error) {
    static const struct chain devices = {NULL, "Devices", 7};
    static const struct chain scsi = {&devices, "Scsi", 4};
    static const struct chain controller = {&scsi, "*", 1};
    static const struct chain attachments = {&controller, "Attachments", 11};
    static const struct chain lun = {&attachments, "*", 1};

    return check_settings(attachment, &lun, where, "an Attachment", error);
}

HRESULT support_check_adapter(const struct json *adapter, const char *where,
                              struct hcs_error *error) {
    static const struct chain devices = {NULL, "Devices", 7};
    static const struct chain adapters = {&devices, "NetworkAdapters", 15};
    static const struct chain name = {&adapters, "*", 1};

    return check_settings(adapter, &name, where, "a NetworkAdapter", error);
}
