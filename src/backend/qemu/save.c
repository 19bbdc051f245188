/* SPDX-License-Identifier: MIT
 * Saved states and templates. The guest stands still: memory of a running
 * guest is never copied, since under TCG such copies can be torn. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../base/output.h"
#include "flatten.h"
#include "job.h"
#include "sequence.h"

struct save {
    struct job job;
    struct machine *machine;
    struct waiter waiter;
    enum machine_save_kind kind;
    struct output output;
    struct saved_header header;
};

static void save_end(struct save *save, HRESULT result,
                     const struct hcs_error *error) {
    struct waiter waiter = save->waiter;
    struct machine *machine = save->machine;
    bool destroyed = machine->destroyed;

    if (SUCCEEDED(result) && !destroyed) {
        /* The state is kept at hand: QEMU gives it out only once. */
        if (machine->state >= 0)
            close(machine->state);
        output_close(&save->output, &machine->state);
        machine->saved = true;
    } else {
        output_close(&save->output, NULL);
    }
    free(save);
    if (!destroyed)
        answer(&waiter, result, error);
}

static HRESULT commit(struct job *job, struct hcs_error *error) {
    struct save *save = HCS_CONTAINER(job, struct save, job);
    struct stat st;
    HRESULT hr;

    if (fstat(save->output.file, &st) != 0)
        return error_errno(error, errno, "%s", save->output.path);
    save->header.stream_bytes = (uint64_t)st.st_size - SAVED_HEADER_SIZE;
    hr = saved_write_header(save->output.file, &save->header, error);
    return SUCCEEDED(hr) ? output_commit(&save->output, error) : hr;
}

static HRESULT publish(struct save *save, struct hcs_error *error) {
    struct machine *machine = save->machine;
    struct qemu_template saved = {-1, save->output.file, machine->memory_bytes,
                                  "", -1};

    if (!machine->memory_private)
        saved.memory = machine->memory;
    memcpy(saved.shape, save->header.shape, sizeof saved.shape);
    return machine->platform->template_publish(machine->platform->context,
                                               &saved, error);
}

static void committed(struct job *job) {
    struct save *save = HCS_CONTAINER(job, struct save, job);
    struct hcs_error error = job->error;
    HRESULT hr = job->result;

    if (SUCCEEDED(hr) && save->kind == MACHINE_SAVE_TEMPLATE &&
        !save->machine->destroyed)
        hr = publish(save, &error);
    save_end(save, hr, &error);
}

static void on_written(void *context, HRESULT result,
                       const struct hcs_error *error) {
    struct save *save = context;

    if (FAILED(result)) {
        save_end(save, result, error);
        return;
    }
    job_start(&save->job, save->machine);
}

/* Sends QEMU's state into the file. A template's RAM stays where it is. */
static void write_stream(struct save *save, bool without_memory) {
    struct machine *machine = save->machine;
    struct sequence *sequence = sequence_new(machine, on_written, save);

    sequence_internal(sequence);
    sequence_add(sequence, "migrate-set-capabilities",
                 "{\"capabilities\":[{\"capability\":\"x-ignore-shared\","
                 "\"state\":%s},{\"capability\":\"events\",\"state\":true}]}",
                 without_memory ? "true" : "false");
    sequence_add(sequence, "migrate-set-parameters",
                 "{\"max-bandwidth\":1099511627776}");
    sequence_add_fd(sequence, save->output.file, "getfd",
                    "{\"fdname\":\"state\"}");
    sequence_add(sequence, "migrate", "{\"uri\":\"fd:state\"}");
    sequence_await(sequence, "MIGRATION", NULL);
    sequence_run(sequence);
}

/* The same state once more: a copy of what was written first. */
static HRESULT copy_state(struct job *job, struct hcs_error *error) {
    struct save *save = HCS_CONTAINER(job, struct save, job);
    struct stat st;
    off_t offset = 0;

    if (fstat(save->machine->state, &st) != 0 ||
        lseek(save->output.file, 0, SEEK_SET) != 0)
        return error_errno(error, errno, "the saved state");
    while (offset < st.st_size) {
        ssize_t sent = sendfile(save->output.file, save->machine->state,
                                &offset, (size_t)(st.st_size - offset));

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return error_errno(error, sent < 0 ? errno : EIO, "%s",
                               save->output.path);
    }
    return commit(job, error);
}

static HRESULT save_open(struct save *save, const char *path,
                         struct hcs_error *error) {
    struct machine *machine = save->machine;
    HRESULT hr;

    if (!nics_save(&machine->nics, &save->header))
        return error_set(error, HCS_E_INVALID_STATE, NULL,
                         "the guest has not let go of an adapter yet that it "
                         "is to");
    hr = output_open(&save->output, path, error);
    if (FAILED(hr))
        return hr;
    if (save->kind == MACHINE_SAVE_FILE) {
        hr = space_check(save->output.file, machine->memory_bytes, OUTPUT_FLOOR,
                         error);
        if (FAILED(hr))
            return hr;
    }
    if (lseek(save->output.file, SAVED_HEADER_SIZE, SEEK_SET) < 0)
        return error_errno(error, errno, "%s", path);
    qemu_shape(machine->vm, machine->platform->accelerator, machine->disks,
               machine->disk_count, save->header.shape);
    save->header.memory_bytes = machine->memory_bytes;
    save->header.held = machine->guest_stopped;
    return S_OK;
}

static void save_run(struct save *save) {
    struct machine *machine = save->machine;
    bool template = save->kind == MACHINE_SAVE_TEMPLATE;

    save->job.run = commit;
    save->job.after = committed;
    if (!machine->saved) {
        write_stream(save, template && !machine->memory_private);
        return;
    }
    if (template) {
        struct hcs_error error;

        error_set(&error, HCS_E_INVALID_STATE, NULL,
                  "the state was saved already; resume and pause first");
        save_end(save, error.code, &error);
        return;
    }
    save->job.run = copy_state;
    job_start(&save->job, machine);
}

/* QEMU's drivers of these formats refuse it. */
static bool has_image_disk(const struct machine *machine) {
    for (size_t i = 0; i < machine->disk_count; i++)
        if (strcmp(machine->disks[i].driver, "raw") != 0)
            return true;
    return false;
}

void machine_save(struct machine *machine, enum machine_save_kind kind,
                  const char *path, machine_done done, void *context) {
    char own[PATH_MAX];
    struct save *save;
    struct hcs_error error;

    if (machine->phase != PHASE_ALIVE) {
        refuse(done, context, HCS_E_INVALID_STATE, "the guest does not run");
        return;
    }
    if (has_image_disk(machine)) {
        refuse(done, context, HR_NOT_SUPPORTED,
               "QEMU cannot save a machine with a VHD or VHDX disk; detach it "
               "first");
        return;
    }
    save = calloc(1, sizeof *save);
    if (!save) {
        refuse(done, context, E_OUTOFMEMORY, "out of memory");
        return;
    }
    save->machine = machine;
    save->waiter = (struct waiter){done, context};
    save->kind = kind;
    save->output.file = -1;
    if (kind == MACHINE_SAVE_TEMPLATE) {
        snprintf(own, sizeof own, "%s/template.state",
                 machine->platform->directory);
        path = own;
    }
    if (FAILED(save_open(save, path ? path : "", &error)))
        save_end(save, error.code, &error);
    else
        save_run(save);
}
