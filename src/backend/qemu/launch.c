/* SPDX-License-Identifier: MIT
 * From a document to a running guest: files are looked at off the loop, then
 * QEMU is spawned, takes over a saved state if there is one, and goes. */
#include "launch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sequence.h"

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
    nics_free(&launch->nics);
    free(launch);
}

bool launch_incoming(const struct launch *launch) {
    return launch && launch->incoming >= 0;
}

const struct hcs_error *launch_refusal(const struct launch *launch) {
    return launch && FAILED(launch->refusal.code) ? &launch->refusal : NULL;
}

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
static void on_settled(void *context, HRESULT result,
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

static void on_running(void *context, HRESULT result,
                       const struct hcs_error *error) {
    struct machine *machine = context;

    if (FAILED(result) || machine->phase != PHASE_STARTING ||
        !machine->launch || machine->launch->held)
        on_settled(machine, result, error);
    else
        nics_settle(machine, on_settled, machine);
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
    if (launch->incoming >= 0)
        nics_link(machine, sequence);
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

/* Descriptors 3 and up in QEMU: control, memory, serial ports, taps. */
#define FIRST_PORT 2
#define FIRST_TAP (FIRST_PORT + QEMU_PORTS)
#define FDS (FIRST_TAP + QEMU_NICS)

static HRESULT run_qemu(struct machine *machine, struct qemu_inputs *inputs,
                        const int *fds, struct hcs_error *error) {
    struct arguments arguments;
    HRESULT hr = qemu_arguments(inputs, &arguments, error);

    if (FAILED(hr))
        return hr;
    hr = process_spawn(machine, &arguments, fds, FDS, error);
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

/* Their ends that are QEMU's are the caller's to close. */
static HRESULT open_fds(struct machine *machine, int fds[FDS],
                        struct hcs_error *error) {
    HRESULT hr = open_control(machine, &fds[0], error);

    if (SUCCEEDED(hr))
        hr = ports_open(machine, fds + FIRST_PORT, error);
    for (int i = 0; i < QEMU_NICS; i++) {
        struct nic *nic = &machine->nics.slots[i];

        if (nic->late || nic->tap < 0)
            continue;
        fds[FIRST_TAP + i] = nic->tap;
        nic->tap = -1;
        nic->wired = true;
    }
    return hr;
}

static void fill_inputs(const struct machine *machine,
                        const struct launch *launch, const int fds[FDS],
                        struct qemu_inputs *out) {
    struct qemu_inputs inputs;

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
        inputs.ports[i] = fds[FIRST_PORT + i] >= 0 ? 3 + FIRST_PORT + i : -1;
    inputs.incoming = launch->incoming >= 0;
    inputs.disks = launch->disks;
    inputs.disk_count = launch->disk_count;
    inputs.nics = &machine->nics;
    for (int i = 0; i < QEMU_NICS; i++)
        inputs.taps[i] = fds[FIRST_TAP + i] >= 0 ? 3 + FIRST_TAP + i : -1;
    *out = inputs;
}

static HRESULT spawn(struct machine *machine, struct launch *launch,
                     struct hcs_error *error) {
    struct qemu_inputs inputs;
    int fds[FDS];
    HRESULT hr;

    for (size_t i = 0; i < FDS; i++)
        fds[i] = -1;
    fds[1] = launch->memory;
    hr = open_fds(machine, fds, error);
    if (SUCCEEDED(hr)) {
        fill_inputs(machine, launch, fds, &inputs);
        hr = run_qemu(machine, &inputs, fds, error);
    }
    for (size_t i = 0; i < FDS; i++)
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
    machine->restored = launch->incoming >= 0;
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

    machine->nics = launch->nics;
    nics_init(&launch->nics);
    nic_job_over(machine);
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
    machine_ended(machine, &error);
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
    nics_init(&launch->nics);
    launch->job.run = launch_prepare;
    launch->job.after = prepared;
    machine->start = (struct waiter){done, context};
    machine->phase = PHASE_STARTING;
    machine->nic_jobs++;
    job_start(&launch->job, machine);
}

void machine_quit(struct machine *machine) {
    if (machine->qmp)
        qmp_send(machine->qmp, "quit", NULL, -1, NULL, NULL);
}
