/* SPDX-License-Identifier: MIT
 * The life of a machine: made, ended, freed; and the small operations. */
#include "machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/clock.h"
#include "check.h"
#include "sequence.h"

/* How long QEMU may take to close its files before it is killed. */
/* For a QEMU that does not obey; with its script it is to be gone within two
 * seconds. */
#define QUIT_PATIENCE (1500 * CLOCK_MS)

/* How long the end of a guest waits for a network service that does not answer:
 * its endpoints go with this process at the latest. */
#define DETACH_PATIENCE (3 * CLOCK_SECOND)

void answer(struct waiter *waiter, HRESULT result,
            const struct hcs_error *error) {
    machine_done done = waiter->done;

    waiter->done = NULL;
    if (done)
        done(waiter->context, result, FAILED(result) ? error : NULL);
}

void refuse(machine_done done, void *context, HRESULT result,
            const char *text) {
    struct hcs_error error;

    error_set(&error, result, NULL, "%s", text);
    done(context, result, &error);
}

static void free_disks(struct machine *machine) {
    for (size_t i = 0; i < machine->disk_count; i++)
        disk_free(&machine->disks[i]);
    free(machine->disks);
    machine->disks = NULL;
    machine->disk_count = 0;
}

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void machine_moved(struct machine *machine) {
    machine->saved = false;
    close_fd(&machine->state);
}

void machine_hold(struct machine *machine) {
    machine->references++;
}

void machine_drop(struct machine *machine) {
    if (--machine->references > 0)
        return;
    free_disks(machine);
    nics_free(&machine->nics);
    close_fd(&machine->memory);
    close_fd(&machine->clone_lock);
    close_fd(&machine->state);
    json_doc_free(&machine->document);
    buf_free(&machine->diagnosis.line);
    buf_free(&machine->diagnosis.last);
    free(machine->id);
    free(machine->runtime_id);
    free(machine->template_id);
    free(machine);
}

static void on_handle_closed(uv_handle_t *handle) {
    machine_drop(handle->data);
}

static void on_port_handle_closed(uv_handle_t *handle) {
    struct port *port = handle->data;

    machine_drop(port->machine);
}

void machine_close_handle(struct machine *machine, uv_handle_t *handle) {
    uv_close(handle, handle->data == machine ? on_handle_closed
                                             : on_port_handle_closed);
}

void machine_event_send(struct machine *machine, enum machine_event_kind kind,
                        const char *text, size_t length) {
    struct machine_event event = {kind, text, length};

    machine->env.event(machine->env.context, &event);
}

/* --- the end -------------------------------------------------------------- */

static void close_control(struct machine *machine) {
    qmp_close(machine->qmp);
    machine->qmp = NULL;
    diagnosis_close(machine);
}

/* As before the start, so that it may be tried again. */
static void start_undone(struct machine *machine) {
    machine->phase = PHASE_CREATED;
    machine->guest_stopped = false;
    ports_close(machine, false);
    free_disks(machine);
    nics_free(&machine->nics);
    close_fd(&machine->memory);
    close_fd(&machine->clone_lock);
    buf_clear(&machine->diagnosis.last);
}

/* Why a start failed: what QEMU refused, or its last words. */
static void explain_start(struct machine *machine, struct hcs_error *why) {
    const struct hcs_error *refusal = launch_refusal(machine->launch);

    if (refusal)
        *why = *refusal;
    if (refusal && why->code == E_FAIL)
        why->code = launch_incoming(machine->launch)
                        ? HR_FILE_CORRUPT
                        : HCS_E_TERMINATED_DURING_START;
    else if (why->code == HCS_E_UNEXPECTED_EXIT &&
             strstr(why->text, "\"write\" lock"))
        why->code = HR_SHARING_VIOLATION;
    else if (why->code == HCS_E_UNEXPECTED_EXIT)
        why->code = launch_incoming(machine->launch)
                        ? HR_FILE_CORRUPT
                        : HCS_E_TERMINATED_DURING_START;
}

static void gone_while_starting(struct machine *machine,
                                const struct hcs_error *error) {
    struct waiter start = machine->start, off = machine->off;
    struct hcs_error why = *error;

    explain_start(machine, &why);
    launch_free(machine->launch);
    machine->launch = NULL;
    machine->start.done = NULL;
    machine->off.done = NULL;
    sequences_end(machine, &why);
    nics_abandon(machine, &why);
    if (off.done) {
        machine->phase = PHASE_DEAD;
        ports_close(machine, true);
        error_set(&why, HCS_E_TERMINATED, NULL, "the system was terminated");
    } else {
        start_undone(machine);
    }
    answer(&start, why.code, &why);
    answer(&off, S_OK, NULL);
}

static void gone_while_alive(struct machine *machine,
                             const struct hcs_error *error) {
    struct waiter off = machine->off;
    struct hcs_error why = *error;

    machine->phase = PHASE_DEAD;
    machine->off.done = NULL;
    ports_close(machine, true);
    if (off.done)
        error_set(&why, HCS_E_TERMINATED, NULL, "the system was terminated");
    sequences_end(machine, &why);
    nics_abandon(machine, &why);
    if (off.done)
        answer(&off, S_OK, NULL);
    else if (!machine->destroyed)
        machine_event_send(machine, MACHINE_DIED, why.text, strlen(why.text));
}

static void machine_gone(struct machine *machine,
                         const struct hcs_error *error) {
    machine_hold(machine);
    timers_disarm(machine->env.timers, &machine->timer);
    timers_disarm(machine->env.timers, &machine->settle);
    timers_disarm(machine->env.timers, &machine->flush);
    timers_disarm(machine->env.timers, &machine->detach);
    close_control(machine);
    if (machine->phase == PHASE_STARTING)
        gone_while_starting(machine, error);
    else if (machine->phase == PHASE_ALIVE)
        gone_while_alive(machine, error);
    machine_drop(machine);
}

/* Who hears of the end finds the endpoints free. */
void machine_end(struct machine *machine) {
    if (!machine->ending || machine->nic_jobs > 0)
        return;
    if (nics_attached(&machine->nics)) {
        nics_let_go(machine);
        return;
    }
    machine->ending = false;
    if (!machine->destroyed)
        machine_gone(machine, &machine->last);
}

/* One that was about to start has nobody that waits for more. */
static void on_undetached(struct timer *timer, void *context) {
    struct machine *machine = context;

    (void)timer;
    if (!machine->ending || machine->phase != PHASE_ALIVE)
        return;
    machine->ending = false;
    machine_gone(machine, &machine->last);
}

void machine_ended(struct machine *machine, const struct hcs_error *error) {
    machine->last = *error;
    machine->ending = true;
    timers_arm(machine->env.timers, &machine->detach,
               machine->env.now(machine->env.context) + DETACH_PATIENCE);
    machine_end(machine);
}

static void on_impatient(struct timer *timer, void *context) {
    (void)timer;
    process_kill(context);
}

static void machine_power_off(struct machine *machine, machine_done done,
                              void *context) {
    if (machine->phase == PHASE_CREATED || machine->phase == PHASE_DEAD) {
        machine->phase = PHASE_DEAD;
        done(context, S_OK, NULL);
        return;
    }
    if (machine->off.done) {
        refuse(done, context, HCS_E_INVALID_STATE, "it is being switched off");
        return;
    }
    machine->off = (struct waiter){done, context};
    if (!machine->running)
        return; /* still preparing: the end of that answers */
    machine_quit(machine);
    timers_arm(machine->env.timers, &machine->timer,
               machine->env.now(machine->env.context) + QUIT_PATIENCE);
}

static void machine_destroy(struct machine *machine) {
    struct hcs_error gone;

    if (!machine)
        return;
    machine->destroyed = true;
    machine->start.done = NULL;
    machine->off.done = NULL;
    machine->settling.done = NULL;
    error_set(&gone, HCS_E_TERMINATED, NULL, "the system is gone");
    sequences_end(machine, &gone);
    nics_abandon(machine, &gone);
    process_kill(machine);
    timers_remove(machine->env.timers, &machine->timer);
    timers_remove(machine->env.timers, &machine->settle);
    timers_remove(machine->env.timers, &machine->flush);
    for (int i = 0; i < QEMU_NICS; i++)
        timers_remove(machine->env.timers, &machine->unplug[i]);
    timers_remove(machine->env.timers, &machine->detach);
    /* While the job of the start runs, what it made is the job's. */
    launch_free(machine->launch);
    machine->launch = NULL;
    close_control(machine);
    ports_destroy(machine);
    if (machine->nic_jobs == 0) /* else the last of them does it */
        nics_detach(&machine->nics, machine->platform);
    machine->phase = PHASE_DEAD;
    machine_drop(machine);
}

/* --- the beginning -------------------------------------------------------- */

/* Jobs read the document, and may outlive what it was lent from. */
static HRESULT copy_document(struct machine *machine, const struct json *vm,
                             struct hcs_error *error) {
    struct buf text = {0};
    struct json_writer w = {&text, false};
    HRESULT hr;

    json_put_value(&w, vm);
    hr = text.failed
             ? error_set(error, E_OUTOFMEMORY, NULL, "out of memory")
             : json_parse(text.data, text.length, &machine->document, error);
    buf_free(&text);
    machine->vm = machine->document.root;
    return hr;
}

static HRESULT add_timers(struct machine *machine, struct hcs_error *error) {
    struct timers *timers = machine->env.timers;
    const struct {
        struct timer *timer;
        void (*fire)(struct timer *timer, void *context);
    } all[] = {{&machine->timer, on_impatient},
               {&machine->settle, events_settled},
               {&machine->flush, events_flush},
               {&machine->detach, on_undetached}};
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < HCS_COUNT(all); i++)
        hr = timers_add(timers, all[i].timer, all[i].fire, machine, error);
    for (int i = 0; SUCCEEDED(hr) && i < QEMU_NICS; i++)
        hr = timers_add(timers, &machine->unplug[i], nics_impatient, machine,
                        error);
    return hr;
}

static HRESULT fill(struct machine *machine, const struct machine_env *env,
                    const struct machine_config *config,
                    struct hcs_error *error) {
    HRESULT hr;

    machine->env = *env;
    machine->platform = env->platform;
    machine->references = 1;
    machine->memory = -1;
    machine->clone_lock = -1;
    machine->state = -1;
    link_init(&machine->sequences);
    nics_init(&machine->nics);
    machine->id = strdup(config->id);
    machine->runtime_id = strdup(config->runtime_id);
    if (config->template_id && config->template_id[0])
        machine->template_id = strdup(config->template_id);
    if (!machine->id || !machine->runtime_id ||
        (config->template_id && config->template_id[0] &&
         !machine->template_id))
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    hr = copy_document(machine, config->virtual_machine, error);
    if (FAILED(hr))
        return hr;
    hr = add_timers(machine, error);
    if (FAILED(hr))
        return hr;
    return ports_create(machine, error);
}

static HRESULT machine_create(const struct machine_env *env,
                              const struct machine_config *config,
                              machine_done done, void *context,
                              struct machine **out, struct hcs_error *error) {
    struct machine *machine;
    uint64_t memory = 0;
    HRESULT hr = document_check(config->virtual_machine, &memory, error);

    if (FAILED(hr))
        return hr;
    machine = calloc(1, sizeof *machine);
    if (!machine)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    machine->memory_bytes = memory;
    hr = fill(machine, env, config, error);
    if (FAILED(hr)) {
        machine_destroy(machine);
        return hr;
    }
    *out = machine;
    done(context, S_OK, NULL);
    return S_OK;
}

/* --- the small operations ------------------------------------------------- */

/* One command, or HCS_E_INVALID_STATE when there is no guest. */
static void simple(struct machine *machine, const char *command,
                   machine_done done, void *context) {
    struct sequence *sequence;

    if (machine->phase != PHASE_ALIVE) {
        refuse(done, context, HCS_E_INVALID_STATE, "the guest does not run");
        return;
    }
    sequence = sequence_new(machine, done, context);
    sequence_add(sequence, command, NULL);
    sequence_run(sequence);
}

static void machine_pause(struct machine *machine, machine_done done,
                          void *context) {
    simple(machine, "stop", done, context);
}

static void machine_resume(struct machine *machine, machine_done done,
                           void *context) {
    machine_moved(machine);
    if (machine->phase == PHASE_ALIVE)
        machine_go_on(machine, done, context);
    else
        simple(machine, "cont", done, context);
}

static void machine_press_power(struct machine *machine, machine_done done,
                                void *context) {
    simple(machine, "system_powerdown", done, context);
}

static void machine_inject_nmi(struct machine *machine, machine_done done,
                               void *context) {
    simple(machine, "inject-nmi", done, context);
}

static const struct machine_ops ops = {
    "qemu",
    machine_create,
    machine_start,
    machine_pause,
    machine_resume,
    machine_save,
    machine_dump,
    machine_press_power,
    machine_inject_nmi,
    machine_reset,
    machine_modify,
    machine_power_off,
    machine_statistics_read,
    machine_destroy,
};

const struct machine_ops *qemu_machine_ops(void) {
    return &ops;
}
