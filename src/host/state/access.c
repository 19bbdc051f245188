/* SPDX-License-Identifier: MIT
 * The files that a document names. As on Windows they are looked at when the
 * system starts: a missing one and one that was not granted are told apart,
 * and both are named together with their place in the document. */
#include <string.h>

#include "vm_private.h"

HRESULT vm_access_file(const struct vm *vm, const char *document_path,
                       const char *file, struct hcs_error *error) {
    if (!*file)
        return S_OK;
    if (vm->host.file_exists && !vm->host.file_exists(vm->host.context, file))
        return error_set(error, HR_FILE_NOT_FOUND, document_path,
                         "there is no file \"%s\"", file);
    if (vm->host.granted && !vm->host.granted(vm->host.context, vm, file))
        return error_set(error, E_ACCESSDENIED, document_path,
                         "the system \"%s\" may not open \"%s\": grant it with "
                         "HcsGrantVmAccess",
                         vm->id, file);
    return S_OK;
}

static HRESULT check_member(const struct vm *vm, const char *path,
                            struct hcs_error *error) {
    char full[JSON_MAX_PATH] = "$.VirtualMachine.";
    strncat(full, path, sizeof full - strlen(full) - 1);
    return vm_access_file(
        vm, full, json_text(json_at(vm->virtual_machine, path), ""), error);
}

static bool names_a_file(const struct json *attachment) {
    const char *type = json_text(json_get(attachment, "Type"), "");
    return strcmp(type, "None") != 0 && strcmp(type, "PassThru") != 0;
}

static void extend(char *out, const char *path,
                   const struct json_string *name) {
    memcpy(out, path, strlen(path) + 1);
    json_path_member(out, name);
}

/* The member `leaf` of each member of `devices`. */
static HRESULT check_each(const struct vm *vm, const struct json *devices,
                          const char *path, const char *leaf,
                          struct hcs_error *error) {
    struct json_string leaf_name = {leaf, strlen(leaf)};
    if (!devices || devices->type != JSON_OBJECT)
        return S_OK;
    for (size_t i = 0; i < devices->as.object.count; i++) {
        const struct json_member *member = &devices->as.object.members[i];
        char place[JSON_MAX_PATH], full[JSON_MAX_PATH];
        if (!names_a_file(&member->value))
            continue;
        extend(place, path, &member->name);
        extend(full, place, &leaf_name);
        HRESULT hr = vm_access_file(
            vm, full, json_text(json_get(&member->value, leaf), ""), error);
        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

static HRESULT check_controller(const struct vm *vm,
                                const struct json *controller, const char *path,
                                struct hcs_error *error) {
    static const struct json_string attachments = {"Attachments", 11};
    char place[JSON_MAX_PATH];
    extend(place, path, &attachments);
    return check_each(vm, json_get(controller, "Attachments"), place, "Path",
                      error);
}

static HRESULT check_scsi(const struct vm *vm, struct hcs_error *error) {
    const struct json *scsi = json_at(vm->virtual_machine, "Devices.Scsi");
    if (!scsi || scsi->type != JSON_OBJECT)
        return S_OK;
    for (size_t i = 0; i < scsi->as.object.count; i++) {
        const struct json_member *member = &scsi->as.object.members[i];
        char path[JSON_MAX_PATH];
        extend(path, "$.VirtualMachine.Devices.Scsi", &member->name);
        HRESULT hr = check_controller(vm, &member->value, path, error);
        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

static HRESULT check_ide(const struct vm *vm, struct hcs_error *error) {
    const struct json *ide = json_at(vm->virtual_machine, "Devices.Ide");
    if (!ide || ide->type != JSON_ARRAY)
        return S_OK;
    for (size_t i = 0; i < ide->as.array.count; i++) {
        char path[JSON_MAX_PATH] = "$.VirtualMachine.Devices.Ide";
        json_path_index(path, i);
        HRESULT hr = check_controller(vm, &ide->as.array.items[i], path, error);
        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

HRESULT vm_access_check(const struct vm *vm, struct hcs_error *error) {
    static const char *const members[] = {
        "Chipset.LinuxKernelDirect.KernelFilePath",
        "Chipset.LinuxKernelDirect.InitRdPath",
        "Chipset.FirmwareFile.File",
        "GuestState.GuestStateFilePath",
        "RestoreState.SaveStateFilePath",
        "RestoreState.RuntimeStateFilePath",
    };
    HRESULT hr = S_OK;
    for (size_t i = 0; i < HCS_COUNT(members) && SUCCEEDED(hr); i++)
        hr = check_member(vm, members[i], error);
    if (SUCCEEDED(hr))
        hr = check_scsi(vm, error);
    if (SUCCEEDED(hr))
        hr = check_ide(vm, error);
    if (SUCCEEDED(hr))
        hr = check_each(
            vm, json_at(vm->virtual_machine, "Devices.VirtualPMem.Devices"),
            "$.VirtualMachine.Devices.VirtualPMem.Devices", "HostPath", error);
    return hr;
}
