/* SPDX-License-Identifier: MIT
 * How a system ends and what its SystemExitStatus says. */
#include <stdio.h>
#include <string.h>

#include "vm_private.h"

/* Inside documents HCS writes its failures in the NTSTATUS form. */
#define STATUS_UNEXPECTED_EXIT ((int32_t)UINT32_C(0xC0370106))

#define FIRST_BUILD_WITH_EXIT_TYPE 18362
#define FIRST_BUILD_WITH_ATTRIBUTION 20348

struct exit_facts {
    const char *type; /* NotificationType; NULL: None, which is left out */
    int32_t status;
    HRESULT pending; /* what requests get that it overtook */
    /* SystemExit; detail NULL: no such record */
    const char *system_detail;
    const char *system_initiator;
    /* WorkerExit; NULL members are left out */
    bool worker;
    uint32_t worker_code;
    const char *worker_type;
    const char *worker_detail;
    const char *worker_initiator;
};

static const struct exit_facts facts[] = {
    [VM_EXIT_NONE] = {.pending = HCS_E_UNEXPECTED_EXIT},
    [VM_EXIT_POWERED_OFF] = {.type = "GracefulExit",
                             .pending = HCS_E_UNEXPECTED_EXIT,
                             .system_detail = "Shutdown",
                             .system_initiator = "GuestOS",
                             .worker = true,
                             .worker_type = "Stopped",
                             .worker_detail = "PowerOff",
                             .worker_initiator = "GuestOS"},
    [VM_EXIT_STOPPED_ON_RESET] = {.type = "GracefulExit",
                                  .pending = HCS_E_UNEXPECTED_EXIT,
                                  .worker = true,
                                  .worker_type = "StoppedOnReset",
                                  .worker_detail = "Reset"},
    [VM_EXIT_TERMINATED] = {.type = "ForcedExit",
                            .pending = HCS_E_TERMINATED,
                            .system_detail = "Terminate",
                            .system_initiator = "Client"},
    [VM_EXIT_TRIPLE_FAULT] = {.type = "UnexpectedExit",
                              .status = STATUS_UNEXPECTED_EXIT,
                              .pending = HCS_E_UNEXPECTED_EXIT,
                              .worker = true,
                              .worker_type = "UnexpectedStop",
                              .worker_detail = "TripleFault",
                              .worker_initiator = "GuestOS"},
    [VM_EXIT_DIED] = {.type = "UnexpectedExit",
                      .status = STATUS_UNEXPECTED_EXIT,
                      .pending = HCS_E_UNEXPECTED_EXIT,
                      .system_detail = "UnexpectedExit",
                      .system_initiator = "Internal",
                      .worker = true,
                      .worker_code = 255,
                      .worker_detail = "ProcessUnexpectedExit"},
};

const char *vm_exit_type_name(enum vm_exit_cause cause) {
    return facts[cause].type;
}

static void pair_if(struct json_writer *w, const char *name, const char *text) {
    if (text)
        json_pair_string(w, name, text);
}

static void begin_record(struct json_writer *w, const char *name) {
    json_begin_object(w);
    json_key(w, name);
    json_begin_object(w);
}

static void end_record(struct json_writer *w) {
    json_end_object(w);
    json_end_object(w);
}

static void write_worker_exit(struct json_writer *w,
                              const struct exit_facts *f) {
    begin_record(w, "WorkerExit");
    if (f->worker_code)
        json_pair_uint(w, "ExitCode", f->worker_code);
    pair_if(w, "Type", f->worker_type);
    pair_if(w, "Detail", f->worker_detail);
    pair_if(w, "Initiator", f->worker_initiator);
    end_record(w);
}

/* A record without members says that it happened; its numbers (the guest's
 * crash parameters, the kind of fault) are not known here. */
static void write_bare_record(struct json_writer *w, const char *name) {
    begin_record(w, name);
    end_record(w);
}

static void write_attribution(struct json_writer *w, const struct vm *vm,
                              enum vm_exit_cause cause) {
    const struct exit_facts *f = &facts[cause];
    const char *initiator = f->system_initiator;
    if (cause == VM_EXIT_POWERED_OFF && vm->shutdown_pending)
        initiator = "Client";
    json_key(w, "Attribution");
    json_begin_array(w);
    if (vm->crashed && cause == VM_EXIT_STOPPED_ON_RESET)
        write_bare_record(w, "GuestCrash");
    if (cause == VM_EXIT_TRIPLE_FAULT)
        write_bare_record(w, "TripleFault");
    if (f->system_detail) {
        begin_record(w, "SystemExit");
        json_pair_string(w, "Detail", f->system_detail);
        json_pair_string(w, "Initiator", initiator);
        end_record(w);
    }
    if (f->worker)
        write_worker_exit(w, f);
    json_end_array(w);
}

static void write_document(struct vm *vm, enum vm_exit_cause cause,
                           bool attribution) {
    struct buf out = {0};
    struct json_writer w = {&out, false};
    json_begin_object(&w);
    json_pair_int(&w, "Status", facts[cause].status);
    if (vm->host.build >= FIRST_BUILD_WITH_EXIT_TYPE)
        pair_if(&w, "ExitType", facts[cause].type);
    if (attribution)
        write_attribution(&w, vm, cause);
    json_end_object(&w);
    if (!out.failed && out.length < sizeof vm->exit_document)
        memcpy(vm->exit_document, out.data, out.length + 1);
    buf_free(&out);
}

/* Without memory the exit is told in fewer words. */
static void make_document(struct vm *vm, enum vm_exit_cause cause) {
    const struct exit_facts *f = &facts[cause];
    if (vm->host.build >= FIRST_BUILD_WITH_EXIT_TYPE && f->type)
        snprintf(vm->exit_document, sizeof vm->exit_document,
                 "{\"Status\":%d,\"ExitType\":\"%s\"}", (int)f->status,
                 f->type);
    else
        snprintf(vm->exit_document, sizeof vm->exit_document, "{\"Status\":%d}",
                 (int)f->status);
    write_document(vm, cause, vm->host.build >= FIRST_BUILD_WITH_ATTRIBUTION);
}

static void refuse_all(struct vm *vm, HRESULT code) {
    struct hcs_error error;
    error_set(&error, code, NULL, "%s",
              code == HCS_E_TERMINATED
                  ? "the system was terminated before this was done"
                  : "the system exited before this was done");
    struct vm_request *active = vm->active;
    vm->active = NULL;
    if (active && active->verb == HcsOperationTypeStart &&
        code != HCS_E_TERMINATED)
        error_set(&error, HCS_E_TERMINATED_DURING_START, NULL,
                  "the system exited while it was starting");
    if (active)
        vm_answer(active, error.code, &error, NULL);
    error_set(&error, code, NULL, "the system exited before this was done");
    while (!link_alone(&vm->queue)) {
        struct link *link = vm->queue.next;
        vm_answer(HCS_CONTAINER(link, struct vm_request, link), code, &error,
                  NULL);
    }
}

void vm_exit(struct vm *vm, enum vm_exit_cause cause) {
    struct vm_request *terminator = vm->terminator;
    if (vm->state == VM_STOPPED)
        return;
    vm->work.then = NULL;
    vm->power.then = NULL;
    vm->terminator = NULL;
    vm->ending = false;
    vm->busy = false;
    vm->guest_event = false;
    if (vm->nmi_timer_ready)
        timers_disarm(vm->host.timers, &vm->nmi_timer);
    vm->exit_cause = cause;
    if (!vm->failed)
        make_document(vm, cause);
    vm_set_state(vm, VM_STOPPED);
    refuse_all(vm, facts[cause].pending);
    if (terminator)
        vm_answer(terminator, S_OK, NULL, NULL);
    if (!vm->failed)
        vm_tell(vm, HcsEventSystemExited, vm->exit_document);
}

/* A power cut that fails leaves nothing to be done but to let go. */
static void power_is_cut(struct vm *vm, HRESULT result,
                         const struct hcs_error *error) {
    (void)result;
    (void)error;
    vm_exit(vm, vm->ending_cause);
}

void vm_end(struct vm *vm, enum vm_exit_cause cause) {
    if (vm->ending || vm->state == VM_STOPPED)
        return;
    vm->ending = true;
    vm->ending_cause = cause;
    vm->work.then = NULL;
    if (!vm->machine) {
        vm_exit(vm, cause);
        return;
    }
    vm->host.machine->power_off(vm->machine, vm_lane_done,
                                vm_lane_take(&vm->power, power_is_cut));
}
