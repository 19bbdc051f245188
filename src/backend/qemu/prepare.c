/* SPDX-License-Identifier: MIT
 * What is to be found out and made before QEMU starts. Runs on any thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "firmware.h"
#include "kernel.h"
#include "launch.h"

/* A decimal key of a map, at most `last`. */
static bool key_number(const struct json_string *key, unsigned last,
                       unsigned *out) {
    unsigned value = 0;

    if (key->length == 0 || key->length > 3)
        return false;
    for (size_t i = 0; i < key->length; i++) {
        if (key->text[i] < '0' || key->text[i] > '9')
            return false;
        value = value * 10 + (unsigned)(key->text[i] - '0');
    }
    *out = value;
    return value <= last;
}

static HRESULT prepare_disk(struct launch *launch, unsigned controller,
                            const struct json_member *member, const char *where,
                            struct hcs_error *error) {
    struct qemu_disk *disks = realloc(launch->disks, (launch->disk_count + 1) *
                                                         sizeof *launch->disks);
    char path[JSON_MAX_PATH];
    struct qemu_disk *disk;
    HRESULT hr;

    if (!disks)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    launch->disks = disks;
    disk = &disks[launch->disk_count];
    memset(disk, 0, sizeof *disk);
    snprintf(path, sizeof path, "%s", where);
    json_path_member(path, &member->name);
    disk->controller = controller;
    if (!key_number(&member->name, DISK_LUN_LAST, &disk->lun))
        return error_set(error, HCS_E_INVALID_JSON, path,
                         "a controller takes attachments 0 to %d",
                         DISK_LUN_LAST);
    hr = disk_from_attachment(&member->value, path, disk, error);
    if (FAILED(hr))
        return hr;
    launch->disk_count++;
    hr = disk_probe(disk->path, &disk->driver, error);
    if (FAILED(hr) && error && !error->path[0])
        snprintf(error->path, sizeof error->path, "%s", path);
    return hr;
}

static HRESULT prepare_disks(struct launch *launch, const struct json *vm,
                             struct hcs_error *error) {
    const struct json *scsi = json_at(vm, "Devices.Scsi");
    bool there = scsi && scsi->type == JSON_OBJECT;
    size_t count = there ? scsi->as.object.count : 0;
    bool throttled = json_get(vm, "StorageQoS") != NULL;
    HRESULT hr = S_OK;

    for (size_t i = 0; i < count; i++) {
        const struct json_member *controller = &scsi->as.object.members[i];
        const struct json *map = json_get(&controller->value, "Attachments");
        char path[JSON_MAX_PATH] = "$.VirtualMachine.Devices.Scsi";
        static const struct json_string word = {"Attachments", 11};

        json_path_member(path, &controller->name);
        json_path_member(path, &word);
        if (!map || map->type != JSON_OBJECT)
            continue;
        for (size_t j = 0; SUCCEEDED(hr) && j < map->as.object.count; j++)
            hr = prepare_disk(launch, (unsigned)i, &map->as.object.members[j],
                              path, error);
        if (FAILED(hr))
            return hr;
    }
    for (size_t i = 0; i < launch->disk_count; i++)
        launch->disks[i].throttled = throttled;
    return S_OK;
}

static bool wants(const struct json *vm, const char *path) {
    const struct json *value = json_at(vm, path);

    return value && value->type == JSON_OBJECT;
}

static HRESULT check_readable(const char *file, const char *where,
                              struct hcs_error *error) {
    HRESULT hr;

    if (file[0] != '/')
        return error_set(error, HR_PATH_NOT_FOUND, where,
                         "\"%s\" is not an absolute path", file);
    if (access(file, R_OK) == 0)
        return S_OK;
    hr = error_errno(error, errno, "%s", file);
    if (error)
        snprintf(error->path, sizeof error->path, "%s", where);
    return hr;
}

static HRESULT prepare_kernel(struct launch *launch, const struct json *vm,
                              struct hcs_error *error) {
    static const char place[] =
        "$.VirtualMachine.Chipset.LinuxKernelDirect.KernelFilePath";
    static const char initrd_place[] =
        "$.VirtualMachine.Chipset.LinuxKernelDirect.InitRdPath";
    const struct json *direct = json_at(vm, "Chipset.LinuxKernelDirect");
    const char *kernel = json_text(json_get(direct, "KernelFilePath"), "");
    const char *initrd = json_text(json_get(direct, "InitRdPath"), "");
    HRESULT hr = check_readable(kernel, place, error);

    if (SUCCEEDED(hr) && initrd[0])
        hr = check_readable(initrd, initrd_place, error);
    if (FAILED(hr))
        return hr;
    hr = kernel_prepare(kernel, wants(vm, "Devices.VideoMonitor"),
                        launch->kernel, sizeof launch->kernel, error);
    if (FAILED(hr) && error)
        snprintf(error->path, sizeof error->path, "%s", place);
    return hr;
}

static HRESULT prepare_boot(struct launch *launch, struct machine *machine,
                            struct hcs_error *error) {
    const struct json *vm = machine->vm;
    const char *state =
        json_text(json_at(vm, "GuestState.GuestStateFilePath"), NULL);
    HRESULT hr;

    if (!wants(vm, "Chipset.Uefi"))
        return prepare_kernel(launch, vm, error);
    launch->secure =
        strcmp(json_text(json_at(vm, "Chipset.Uefi.ApplySecureBootTemplate"),
                         "Skip"),
               "Apply") == 0;
    hr = firmware_code(launch->secure, &launch->code, error);
    if (FAILED(hr))
        return hr;
    return firmware_variables(launch->secure, state && state[0] ? state : NULL,
                              machine->platform->directory, launch->variables,
                              sizeof launch->variables, error);
}

static HRESULT make_memory(struct launch *launch, uint64_t size,
                           struct hcs_error *error) {
    launch->memory = memfd_create("guest", MFD_CLOEXEC);
    if (launch->memory < 0 || ftruncate(launch->memory, (off_t)size) != 0)
        return error_errno(error, errno, "the guest's memory");
    return S_OK;
}

static HRESULT prepare_file(struct launch *launch, struct machine *machine,
                            const char *path, const char *shape,
                            struct hcs_error *error) {
    struct saved_header *header = &launch->saved;
    HRESULT hr;

    launch->incoming = open(path, O_RDONLY | O_CLOEXEC);
    if (launch->incoming < 0)
        return error_errno(error, errno, "%s", path);
    hr = saved_read_header(launch->incoming, path, header, error);
    if (SUCCEEDED(hr))
        hr = saved_check(header, shape, machine->memory_bytes, path, error);
    if (SUCCEEDED(hr))
        launch->held = header->held;
    if (SUCCEEDED(hr) &&
        lseek(launch->incoming, SAVED_HEADER_SIZE, SEEK_SET) < 0)
        hr = error_errno(error, errno, "%s", path);
    return SUCCEEDED(hr) ? make_memory(launch, machine->memory_bytes, error)
                         : hr;
}

static HRESULT prepare_clone(struct launch *launch, struct machine *machine,
                             const char *shape, struct hcs_error *error) {
    static const char name[] = "the template";
    struct qemu_template saved;
    HRESULT hr = machine->platform->template_open(
        machine->platform->context, machine->template_id, &saved, error);

    if (FAILED(hr))
        return hr;
    launch->incoming = saved.state;
    launch->clone_lock = saved.lock;
    launch->memory = saved.memory;
    hr = saved_read_header(saved.state, name, &launch->saved, error);
    if (SUCCEEDED(hr))
        hr = saved_check(&launch->saved, shape, machine->memory_bytes, name,
                         error);
    if (FAILED(hr))
        return hr;
    launch->shared_memory = launch->memory >= 0;
    launch->memory_private = launch->shared_memory;
    return launch->shared_memory
               ? S_OK
               : make_memory(launch, machine->memory_bytes, error);
}

static HRESULT prepare_state(struct launch *launch, struct machine *machine,
                             struct hcs_error *error) {
    const struct json *restore = json_get(machine->vm, "RestoreState");
    const char *path = json_text(json_get(restore, "SaveStateFilePath"), "");
    char shape[37];

    if (!path[0])
        path = json_text(json_get(restore, "RuntimeStateFilePath"), "");
    qemu_shape(machine->vm, machine->platform->accelerator, launch->disks,
               launch->disk_count, shape);
    if (machine->template_id)
        return prepare_clone(launch, machine, shape, error);
    if (path[0])
        return prepare_file(launch, machine, path, shape, error);
    return make_memory(launch, machine->memory_bytes, error);
}

/* Last, since it is the one thing that others see. */
static HRESULT prepare_nics(struct launch *launch, struct machine *machine,
                            struct hcs_error *error) {
    struct nics *nics = &launch->nics;
    bool restored = launch->incoming >= 0;
    HRESULT hr = nics_read(nics, machine->runtime_id, machine->vm, error);

    if (SUCCEEDED(hr) && restored)
        hr = nics_arrange(nics, &launch->saved, "the state", error);
    if (SUCCEEDED(hr))
        hr = nics_attach(nics, machine->platform, machine->id,
                         machine->runtime_id, error);
    if (SUCCEEDED(hr) && restored)
        nics_compare(nics, &launch->saved);
    return hr;
}

HRESULT launch_prepare(struct job *job, struct hcs_error *error) {
    struct launch *launch = HCS_CONTAINER(job, struct launch, job);
    HRESULT hr = prepare_disks(launch, job->machine->vm, error);

    if (SUCCEEDED(hr))
        hr = prepare_boot(launch, job->machine, error);
    if (SUCCEEDED(hr))
        hr = prepare_state(launch, job->machine, error);
    if (SUCCEEDED(hr))
        hr = prepare_nics(launch, job->machine, error);
    return hr;
}
