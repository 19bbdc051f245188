/* SPDX-License-Identifier: MIT
 * From a document to a running guest: files are looked at off the loop, then
 * QEMU is spawned, takes over a saved state if there is one, and goes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "firmware.h"
#include "job.h"
#include "kernel.h"
#include "sequence.h"

/* What the preparations found out. */
struct launch {
    struct job job;
    char kernel[PATH_MAX];
    const char *code;
    char variables[PATH_MAX];
    bool secure;
    struct qemu_disk *disks;
    size_t disk_count;
    int memory;
    bool memory_private;
    int incoming; /* the stream, at its start; -1: a cold boot */
    bool held;    /* the saved guest cannot run */
    bool shared_memory; /* RAM is not in the stream */
    int clone_lock;
    struct hcs_error refusal; /* what QEMU would not do; code 0: nothing */
};

void launch_free(struct launch *launch) {
    if (!launch)
        return;
    for (size_t i = 0; i < launch->disk_count; i++)
        disk_free(&launch->disks[i]);
    free(launch->disks);
    if (launch->memory >= 0)
        close(launch->memory);
    if (launch->incoming >= 0)
        close(launch->incoming);
    if (launch->clone_lock >= 0)
        close(launch->clone_lock);
    free(launch);
}

bool launch_incoming(const struct launch *launch) {
    return launch && launch->incoming >= 0;
}

const struct hcs_error *launch_refusal(const struct launch *launch) {
    return launch && FAILED(launch->refusal.code) ? &launch->refusal : NULL;
}

/* --- preparations, on any thread ------------------------------------------ */

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
    struct qemu_disk *disks = realloc(
        launch->disks, (launch->disk_count + 1) * sizeof *launch->disks);
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
    size_t count = scsi && scsi->type == JSON_OBJECT ? scsi->as.object.count : 0;
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
                         "Skip"), "Apply") == 0;
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
    struct saved_header header;
    HRESULT hr;

    launch->incoming = open(path, O_RDONLY | O_CLOEXEC);
    if (launch->incoming < 0)
        return error_errno(error, errno, "%s", path);
    hr = saved_read_header(launch->incoming, path, &header, error);
    if (SUCCEEDED(hr))
        hr = saved_check(&header, shape, machine->memory_bytes, path, error);
    if (SUCCEEDED(hr))
        launch->held = header.held;
    if (SUCCEEDED(hr) &&
        lseek(launch->incoming, SAVED_HEADER_SIZE, SEEK_SET) < 0)
        hr = error_errno(error, errno, "%s", path);
    return SUCCEEDED(hr) ? make_memory(launch, machine->memory_bytes, error)
                         : hr;
}

static HRESULT prepare_clone(struct launch *launch, struct machine *machine,
                             const char *shape, struct hcs_error *error) {
    struct qemu_template saved;
    struct saved_header header;
    HRESULT hr = machine->platform->template_open(
        machine->platform->context, machine->template_id, &saved, error);

    if (FAILED(hr))
        return hr;
    launch->incoming = saved.state;
    launch->clone_lock = saved.lock;
    launch->memory = saved.memory;
    memcpy(header.shape, saved.shape, sizeof header.shape);
    header.memory_bytes = saved.memory_bytes;
    hr = saved_check(&header, shape, machine->memory_bytes, "the template",
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

static HRESULT prepare(struct job *job, struct hcs_error *error) {
    struct launch *launch = HCS_CONTAINER(job, struct launch, job);
    HRESULT hr = prepare_disks(launch, job->machine->vm, error);

    if (SUCCEEDED(hr))
        hr = prepare_boot(launch, job->machine, error);
    if (SUCCEEDED(hr))
        hr = prepare_state(launch, job->machine, error);
    return hr;
}

/* --- QEMU ----------------------------------------------------------------- */

static void start_answer(struct machine *machine, HRESULT result,
                         const struct hcs_error *error) {
    launch_free(machine->launch);
    machine->launch = NULL;
    if (SUCCEEDED(result)) {
        machine->phase = PHASE_ALIVE;
        machine_statistics_ask(machine);
    }
    answer(&machine->start, result, error);
}

/* QEMU is there but will not do: it goes, and its end answers the start. */
static void on_running(void *context, HRESULT result,
                       const struct hcs_error *error) {
    struct machine *machine = context;

    if (machine->phase != PHASE_STARTING || !machine->launch)
        return;
    if (SUCCEEDED(result)) {
        start_answer(machine, S_OK, NULL);
        return;
    }
    /* When QEMU is gone, its end has better words. */
    if (result != HCS_E_UNEXPECTED_EXIT)
        machine->launch->refusal = *error;
    process_kill(machine);
}

static void on_ready(void *context) {
    struct machine *machine = context;
    struct launch *launch = machine->launch;
    struct sequence *sequence;

    if (machine->phase != PHASE_STARTING || !launch)
        return;
    sequence = sequence_new(machine, on_running, machine);
    if (launch->incoming >= 0) {
        sequence_add(sequence, "migrate-set-capabilities",
                     "{\"capabilities\":[{\"capability\":\"x-ignore-shared\","
                     "\"state\":%s},{\"capability\":\"events\","
                     "\"state\":true}]}",
                     launch->shared_memory ? "true" : "false");
        sequence_add_fd(sequence, launch->incoming, "getfd",
                        "{\"fdname\":\"state\"}");
        sequence_add(sequence, "migrate-incoming", "{\"uri\":\"fd:state\"}");
        sequence_await(sequence, "MIGRATION", NULL);
    }
    if (!launch->held)
        sequence_add(sequence, "cont", NULL);
    sequence_run(sequence);
}

static void on_qmp_closed(void *context, const struct hcs_error *error) {
    struct machine *machine = context;

    (void)error;
    /* Without its control QEMU is of no use; its end tells the rest. */
    process_kill(machine);
}

static HRESULT run_qemu(struct machine *machine, struct qemu_inputs *inputs,
                        const int *fds, struct hcs_error *error) {
    struct arguments arguments;
    HRESULT hr = qemu_arguments(inputs, &arguments, error);

    if (FAILED(hr))
        return hr;
    hr = process_spawn(machine, &arguments, fds, 2 + QEMU_PORTS, error);
    arguments_free(&arguments);
    return hr;
}

static HRESULT open_control(struct machine *machine, int *theirs,
                            struct hcs_error *error) {
    struct qmp_handler handler = {on_ready, events_handle, on_qmp_closed,
                                  machine};
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return error_errno(error, errno, "a socket for QEMU");
    *theirs = fds[1];
    return qmp_open(machine->platform->loop, fds[0], &handler, &machine->qmp,
                    error);
}

/* Descriptors 3 and up in QEMU: control, memory, serial ports. */
static HRESULT spawn(struct machine *machine, struct launch *launch,
                     struct hcs_error *error) {
    int fds[2 + QEMU_PORTS] = {-1, launch->memory, -1, -1};
    struct qemu_inputs inputs;
    HRESULT hr = open_control(machine, &fds[0], error);

    if (SUCCEEDED(hr))
        hr = ports_open(machine, fds + 2, error);
    if (FAILED(hr))
        goto out;
    memset(&inputs, 0, sizeof inputs);
    inputs.virtual_machine = machine->vm;
    inputs.id = machine->id;
    inputs.runtime_id = machine->runtime_id;
    inputs.qemu = machine->platform->qemu;
    inputs.accelerator = machine->platform->accelerator;
    inputs.kernel = launch->kernel;
    inputs.firmware_code = launch->code;
    inputs.firmware_variables = launch->variables;
    inputs.secure_boot = launch->secure;
    inputs.monitor = 3;
    inputs.memory = 4;
    inputs.memory_private = launch->memory_private;
    for (int i = 0; i < QEMU_PORTS; i++)
        inputs.ports[i] = fds[2 + i] >= 0 ? 5 + i : -1;
    inputs.incoming = launch->incoming >= 0;
    inputs.disks = launch->disks;
    inputs.disk_count = launch->disk_count;
    hr = run_qemu(machine, &inputs, fds, error);

out:
    for (size_t i = 0; i < HCS_COUNT(fds); i++)
        if (i != 1 && fds[i] >= 0)
            close(fds[i]);
    return hr;
}

/* What the machine keeps of the preparations. */
static void take_over(struct machine *machine, struct launch *launch) {
    machine->memory = launch->memory;
    machine->memory_private = launch->memory_private;
    machine->clone_lock = launch->clone_lock;
    machine->disks = launch->disks;
    machine->disk_count = launch->disk_count;
    launch->memory = -1;
    launch->clone_lock = -1;
    launch->disks = NULL;
    launch->disk_count = 0;
}

static void prepared(struct job *job) {
    struct launch *launch = HCS_CONTAINER(job, struct launch, job);
    struct machine *machine = job->machine;
    struct hcs_error error = job->error;
    HRESULT hr = job->result;

    if (machine->destroyed) {
        launch_free(launch);
        return;
    }
    machine->launch = launch;
    if (machine->off.done)
        hr = error_set(&error, HCS_E_TERMINATED, NULL,
                       "the system was terminated while it started");
    if (SUCCEEDED(hr))
        hr = spawn(machine, launch, &error);
    if (SUCCEEDED(hr)) {
        take_over(machine, launch);
        return;
    }
    machine_gone(machine, &error);
}

void machine_start(struct machine *machine, machine_done done, void *context) {
    struct launch *launch;

    if (machine->phase != PHASE_CREATED) {
        refuse(done, context, HCS_E_INVALID_STATE, "the machine was started");
        return;
    }
    launch = calloc(1, sizeof *launch);
    if (!launch) {
        refuse(done, context, E_OUTOFMEMORY, "out of memory");
        return;
    }
    launch->memory = -1;
    launch->incoming = -1;
    launch->clone_lock = -1;
    launch->job.run = prepare;
    launch->job.after = prepared;
    machine->start = (struct waiter){done, context};
    machine->phase = PHASE_STARTING;
    job_start(&launch->job, machine);
}

void machine_quit(struct machine *machine) {
    if (machine->qmp)
        qmp_send(machine->qmp, "quit", NULL, -1, NULL, NULL);
}
