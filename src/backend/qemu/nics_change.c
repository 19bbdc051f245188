/* SPDX-License-Identifier: MIT
 * Requests for adapters of a machine that runs. What is removed has no network
 * from that moment on, whether or not the guest lets go of it. */
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "support.h"

/* An adapter on its way in or out. */
struct change {
    struct job job;
    struct machine *machine;
    struct waiter waiter;
    struct nic *nic;
    struct hcs_error error; /* what it came to, while it is undone */
};

static void change_end(struct change *change, HRESULT result,
                       const struct hcs_error *error) {
    struct waiter waiter = change->waiter;
    struct machine *machine = change->machine;
    bool destroyed = machine->destroyed;

    free(change);
    if (!destroyed)
        answer(&waiter, result, error);
}

static struct change *change_new(struct machine *machine, struct nic *nic,
                                 machine_done done, void *context) {
    struct change *change = calloc(1, sizeof *change);

    if (!change) {
        refuse(done, context, E_OUTOFMEMORY, "out of memory");
        return NULL;
    }
    change->machine = machine;
    change->waiter = (struct waiter){done, context};
    change->nic = nic;
    return change;
}

static void answer_error(machine_done done, void *context,
                         const struct hcs_error *error) {
    done(context, error->code, error);
}

/* --- endpoints, off the loop ---------------------------------------------- */

void nic_job_over(struct machine *machine) {
    machine->nic_jobs--;
    if (machine->destroyed && machine->nic_jobs == 0)
        nics_detach(&machine->nics, machine->platform);
    machine_end(machine);
}

static void work(struct change *change,
                 HRESULT (*run)(struct job *job, struct hcs_error *error),
                 void (*after)(struct job *job)) {
    change->job.run = run;
    change->job.after = after;
    change->machine->nic_jobs++;
    job_start(&change->job, change->machine);
}

static HRESULT run_attach(struct job *job, struct hcs_error *error) {
    struct change *change = HCS_CONTAINER(job, struct change, job);
    struct machine *machine = change->machine;

    return nic_attach(change->nic, machine->platform, machine->id,
                      machine->runtime_id, error);
}

static HRESULT run_detach(struct job *job, struct hcs_error *error) {
    struct change *change = HCS_CONTAINER(job, struct change, job);

    (void)error;
    nic_detach(change->nic, change->machine->platform);
    return S_OK;
}

static HRESULT run_detach_all(struct job *job, struct hcs_error *error) {
    (void)error;
    nics_detach(&job->machine->nics, job->machine->platform);
    return S_OK;
}

static void let_go(struct job *job) {
    struct machine *machine = job->machine;

    free(HCS_CONTAINER(job, struct change, job));
    nic_job_over(machine);
}

void nics_let_go(struct machine *machine) {
    struct change *change = calloc(1, sizeof *change);

    if (!change) { /* then the loop has to wait */
        nics_detach(&machine->nics, machine->platform);
        machine_end(machine);
        return;
    }
    change->machine = machine;
    work(change, run_detach_all, let_go);
}

/* --- coming --------------------------------------------------------------- */

static void undone(struct job *job) {
    struct change *change = HCS_CONTAINER(job, struct change, job);
    struct machine *machine = change->machine;
    struct hcs_error error = change->error;

    nic_free(change->nic);
    change_end(change, error.code, &error);
    nic_job_over(machine);
}

static void on_plugged(void *context, HRESULT result,
                       const struct hcs_error *error) {
    struct change *change = context;

    nics_handed_over(&change->machine->nics);
    if (SUCCEEDED(result)) {
        change_end(change, S_OK, NULL);
        return;
    }
    change->error = *error;
    nic_cut(change->machine, change->nic);
    work(change, run_detach, undone);
}

/* The path is a member of the adapter's; the document is the Settings. */
static void blame_settings(struct hcs_error *error) {
    char path[JSON_MAX_PATH] = "$.Settings";
    struct json_string member = {error->path, strlen(error->path)};

    if (member.length == 0)
        return;
    json_path_member(path, &member);
    memcpy(error->path, path, sizeof path);
}

static void on_attached(struct job *job) {
    struct change *change = HCS_CONTAINER(job, struct change, job);
    struct machine *machine = change->machine;
    struct hcs_error error = job->error;

    if (SUCCEEDED(job->result) && !machine->ending && !machine->destroyed) {
        nic_plug(machine, change->nic, on_plugged, change);
    } else if (SUCCEEDED(job->result)) {
        /* The end detaches it, with the others. */
        error_set(&error, HCS_E_TERMINATED, NULL, "the guest has ended");
        change_end(change, error.code, &error);
    } else {
        blame_settings(&error);
        nic_free(change->nic);
        change_end(change, job->result, &error);
    }
    nic_job_over(machine);
}

static HRESULT read_new(struct machine *machine, const char *name,
                        const struct json *settings, struct nic **out,
                        struct hcs_error *error) {
    HRESULT hr = support_check_adapter(settings, "$.Settings", error);

    if (FAILED(hr))
        return hr;
    if (nics_find(&machine->nics, name))
        return error_set(error, HR_FILE_EXISTS, "$.ResourcePath",
                         "there is an adapter \"%s\" already", name);
    *out = nics_vacant(&machine->nics);
    if (!*out)
        return error_set(error, HR_NO_SYSTEM_RESOURCES, "$.ResourcePath",
                         "a machine has %d network adapters at most",
                         QEMU_NICS);
    hr = nic_read(*out, name, machine->runtime_id, settings, error);
    if (FAILED(hr)) {
        blame_settings(error);
        nic_free(*out);
    }
    return hr;
}

static void add(struct machine *machine, const char *name,
                const struct json *request, machine_done done, void *context) {
    struct hcs_error error = {0};
    struct change *change;
    struct nic *nic;

    if (FAILED(read_new(machine, name, json_get(request, "Settings"), &nic,
                        &error))) {
        answer_error(done, context, &error);
        return;
    }
    change = change_new(machine, nic, done, context);
    if (!change)
        nic_free(nic);
    else
        work(change, run_attach, on_attached);
}

/* --- going ---------------------------------------------------------------- */

/* One that the guest holds on to is of no use to it any more, and its slot
 * comes free when it lets go: for whoever removed it, it is gone. */
static void on_unplugged(void *context, HRESULT result,
                         const struct hcs_error *error) {
    if (result == HR_TIMEOUT)
        result = S_OK;
    change_end(context, result, error);
}

static void on_detached(struct job *job) {
    struct change *change = HCS_CONTAINER(job, struct change, job);
    struct machine *machine = change->machine;

    if (machine->ending || machine->destroyed)
        change_end(change, S_OK, NULL);
    else
        nic_unplug(machine, change->nic, on_unplugged, change);
    nic_job_over(machine);
}

static void take_out(struct machine *machine, const char *name,
                     machine_done done, void *context) {
    struct nic *nic = nics_find(&machine->nics, name);
    struct hcs_error error;
    struct change *change;

    if (!nic) {
        error_set(&error, HR_NOT_FOUND, "$.ResourcePath",
                  "the system has no adapter \"%s\"", name);
        answer_error(done, context, &error);
        return;
    }
    change = change_new(machine, nic, done, context);
    if (!change)
        return;
    nic->leaving = true;
    nic_cut(machine, nic);
    work(change, run_detach, on_detached);
}

void nic_modify(struct machine *machine, const char *path,
                const struct json *request, machine_done done, void *context) {
    const char *type = json_text(json_get(request, "RequestType"), "Add");
    const char *name = path + strlen(NICS_PATH);
    struct hcs_error error;

    if (strcmp(type, "Add") == 0) {
        add(machine, name, request, done, context);
    } else if (strcmp(type, "Remove") == 0) {
        take_out(machine, name, done, context);
    } else {
        error_set(&error, HR_NOT_SUPPORTED, "$.RequestType",
                  "an adapter can be added and removed but not updated");
        answer_error(done, context, &error);
    }
}
