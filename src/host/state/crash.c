/* SPDX-License-Identifier: MIT
 * What follows when the guest fails, resets or switches itself off. For a
 * crash the order is the same on every backend: the guest is held still and
 * CrashInitiated is told; the dump and the saved states are written; then
 * CrashReport, one for the log and the dump and one per saved state; then the
 * guest goes on. */
#include <stdlib.h>
#include <string.h>

#include "vm_private.h"

#define FIRST_BUILD_WITH_STATUS 20348
#define FIRST_BUILD_WITH_DETAILS 25398
#define FIRST_BUILD_WITH_SYSTEM_NAME 26100

void vm_crash_free(struct vm_crash *crash) {
    buf_free(&crash->log);
}

/* --- reports ---------------------------------------------------------- */

static void begin_report(struct json_writer *w, const struct vm *vm) {
    const char *name = vm_display_name(vm);
    json_begin_object(w);
    json_pair_string(w, "SystemId", vm->id);
    if (*name && vm->host.build >= FIRST_BUILD_WITH_SYSTEM_NAME)
        json_pair_string(w, "SystemName", name);
    json_pair_string(w, "ActivityId", vm->crash.activity);
}

static void end_report(struct json_writer *w, const struct vm *vm,
                       HRESULT status) {
    const char *owner = vm_owner(vm);
    if (FAILED(status) && vm->host.build >= FIRST_BUILD_WITH_STATUS)
        json_pair_int(w, "Status", status);
    if (*owner && vm->host.build >= FIRST_BUILD_WITH_DETAILS)
        json_pair_string(w, "Owner", owner);
    json_end_object(w);
}

/* An event is told even when there is no memory for its document. */
static void tell_report(struct vm *vm, HCS_EVENT_TYPE type, struct buf *out) {
    char *document = buf_take(out);
    vm_tell(vm, type, document);
    free(document);
}

static void tell_initiated(struct vm *vm) {
    struct buf out = {0};
    struct json_writer w = {&out, false};
    begin_report(&w, vm);
    end_report(&w, vm, S_OK);
    tell_report(vm, HcsEventSystemCrashInitiated, &out);
}

static void write_nix_info(struct json_writer *w,
                           const struct vm_crash *crash) {
    bool complete = SUCCEEDED(crash->dump_status);
    json_key(w, "NixCrashInfo");
    json_begin_object(w);
    if (complete)
        json_pair_string(w, "DumpFile", crash->dump_path);
    json_pair_string(w, "FinalPhase", complete ? "Complete" : "Writing");
    if (!complete)
        json_pair_int(w, "Status", crash->dump_status);
    json_end_object(w);
}

static void tell_log_and_dump(struct vm *vm) {
    const struct vm_crash *crash = &vm->crash;
    struct buf out = {0};
    struct json_writer w = {&out, false};
    begin_report(&w, vm);
    if (crash->dump_path && vm->host.build >= FIRST_BUILD_WITH_DETAILS)
        write_nix_info(&w, crash);
    if (crash->log.length) {
        json_key(&w, "CrashLog");
        json_put_string_n(&w, crash->log.data, crash->log.length);
    }
    end_report(&w, vm, crash->dump_status);
    tell_report(vm, HcsEventSystemCrashReport, &out);
}

static void tell_save(struct vm *vm, const struct vm_artefact *save) {
    struct buf out = {0};
    struct json_writer w = {&out, false};
    begin_report(&w, vm);
    if (vm->host.build >= FIRST_BUILD_WITH_DETAILS) {
        json_key(&w, "GuestCrashSaveInfo");
        json_begin_object(&w);
        if (SUCCEEDED(save->status))
            json_pair_string(&w, "SaveStateFile", save->path);
        if (save->reason)
            json_pair_string(&w, "Reason", save->reason);
        if (FAILED(save->status))
            json_pair_int(&w, "Status", save->status);
        json_end_object(&w);
    }
    end_report(&w, vm, save->status);
    tell_report(vm, HcsEventSystemCrashReport, &out);
}

/* Older builds have no member for a saved state, so that a report of one that
 * went well would say nothing. */
static void tell_saves(struct vm *vm) {
    for (size_t i = 0; i < vm->crash.save_count; i++) {
        const struct vm_artefact *save = &vm->crash.saves[i];
        if (FAILED(save->status) || vm->host.build >= FIRST_BUILD_WITH_DETAILS)
            tell_save(vm, save);
    }
}

/* --- saved states ----------------------------------------------------- */

static void add_save(struct vm *vm, const char *member, const char *reason) {
    struct vm_crash *crash = &vm->crash;
    const struct json *options = json_get(vm->virtual_machine, "DebugOptions");
    const char *path = json_text(json_get(options, member), "");
    if (*path && crash->save_count < HCS_COUNT(crash->saves))
        crash->saves[crash->save_count++] =
            (struct vm_artefact){path, reason, S_OK};
}

static void save_next(struct vm *vm);

static void one_saved(struct vm *vm, HRESULT result,
                      const struct hcs_error *error) {
    (void)error;
    vm->crash.saves[vm->crash.save_next++].status = result;
    save_next(vm);
}

static void save_next(struct vm *vm) {
    struct vm_crash *crash = &vm->crash;
    if (crash->save_next == crash->save_count) {
        crash->after(vm, S_OK, NULL);
        return;
    }
    vm->host.machine->save(vm->machine, MACHINE_SAVE_FILE,
                           crash->saves[crash->save_next].path,
                           VM_CALL(vm, one_saved));
}

/* --- the flow --------------------------------------------------------- */

/* A name for what belongs to this one crash, the same on every run that is
 * the same. */
static void new_activity(struct vm *vm) {
    struct guid space, activity;
    int64_t name[2] = {(int64_t)++vm->crash_count, vm_now(vm)};
    if (!guid_parse(vm->runtime_id, &space))
        return;
    guid_from_name(&space, (const char *)name, sizeof name, &activity);
    guid_format(&activity, vm->crash.activity);
}

static void begin_flow(struct vm *vm, vm_then after) {
    struct vm_crash *crash = &vm->crash;
    new_activity(vm);
    crash->dump_path = NULL;
    crash->dump_status = S_OK;
    crash->save_count = 0;
    crash->save_next = 0;
    crash->after = after;
}

static void gone_on(struct vm *vm, HRESULT result,
                    const struct hcs_error *error) {
    (void)error;
    if (FAILED(result))
        vm_end(vm, VM_EXIT_DIED);
    else
        vm_idle(vm);
}

static void crash_written(struct vm *vm, HRESULT result,
                          const struct hcs_error *error) {
    (void)result;
    (void)error;
    tell_log_and_dump(vm);
    tell_saves(vm);
    buf_clear(&vm->crash.log);
    if (vm->state == VM_PAUSED) /* it goes on when a client resumes it */
        vm_idle(vm);
    else
        vm->host.machine->resume(vm->machine, VM_CALL(vm, gone_on));
}

static void dumped(struct vm *vm, HRESULT result,
                   const struct hcs_error *error) {
    (void)error;
    vm->crash.dump_status = result;
    add_save(vm, "BugcheckSavedStateFileName", "GuestCrash");
    if (!vm->crash.dump_path || FAILED(result))
        add_save(vm, "BugcheckNoCrashdumpSavedStateFileName",
                 "GuestCrashNoCrashdump");
    save_next(vm);
}

static void dump(struct vm *vm) {
    const struct json *settings = json_at(
        vm->virtual_machine, "Devices.GuestCrashReporting.NixCrashSettings");
    const char *type = json_text(json_get(settings, "DumpType"), "Disabled");
    int64_t limit = 0;
    if (strcmp(type, "Disabled") == 0) {
        dumped(vm, S_OK, NULL);
        return;
    }
    json_to_int64(json_get(settings, "MaxDumpSize"), &limit);
    vm->crash.dump_path = json_text(json_get(settings, "DumpFileName"), "");
    vm_dump(vm, vm->crash.dump_path,
            strcmp(type, "KDump") == 0 ? MACHINE_DUMP_KDUMP_ZLIB
                                       : MACHINE_DUMP_ELF,
            limit > 0 ? (uint64_t)limit : 0, "Crash", dumped);
}

static void panicked(struct vm *vm) {
    timers_disarm(vm->host.timers, &vm->nmi_timer);
    vm->crashed = true;
    begin_flow(vm, crash_written);
    tell_initiated(vm);
    dump(vm);
}

/* --- resets, faults, power -------------------------------------------- */

static void has_reset(struct vm *vm, HRESULT result,
                      const struct hcs_error *error) {
    vm->crashed = false;
    vm->shutdown_pending = false;
    gone_on(vm, result, error);
}

/* No crash: a report is due only where saving failed. */
static void tell_failed_saves(struct vm *vm) {
    for (size_t i = 0; i < vm->crash.save_count; i++)
        if (FAILED(vm->crash.saves[i].status))
            tell_save(vm, &vm->crash.saves[i]);
}

static void do_reset(struct vm *vm, HRESULT result,
                     const struct hcs_error *error) {
    (void)result;
    (void)error;
    tell_failed_saves(vm);
    if (json_is_true(json_get(vm->virtual_machine, "StopOnReset")))
        vm_end(vm, VM_EXIT_STOPPED_ON_RESET);
    else
        vm->host.machine->reset(vm->machine, VM_CALL(vm, has_reset));
}

static void do_power_off(struct vm *vm, HRESULT result,
                         const struct hcs_error *error) {
    (void)result;
    (void)error;
    tell_failed_saves(vm);
    vm_end(vm, VM_EXIT_POWERED_OFF);
}

static void do_triple_fault(struct vm *vm, HRESULT result,
                            const struct hcs_error *error) {
    (void)result;
    (void)error;
    tell_saves(vm);
    vm_end(vm, VM_EXIT_TRIPLE_FAULT);
}

static void save_and(struct vm *vm, const char *member, const char *reason,
                     vm_then after) {
    begin_flow(vm, after);
    add_save(vm, member, reason);
    save_next(vm);
}

void vm_handle_guest_event(struct vm *vm) {
    switch (vm->guest_kind) {
    case MACHINE_PANICKED:
        panicked(vm);
        return;
    case MACHINE_RESET:
        save_and(vm, "ShutdownOrResetSavedStateFileName", NULL, do_reset);
        return;
    case MACHINE_POWERED_OFF:
        save_and(vm, "ShutdownOrResetSavedStateFileName", NULL, do_power_off);
        return;
    case MACHINE_TRIPLE_FAULT:
        save_and(vm, "TripleFaultSavedStateFileName", "TripleFault",
                 do_triple_fault);
        return;
    case MACHINE_DIED:
        break;
    }
    vm_idle(vm);
}

/* --- an interrupt that no crash answers -------------------------------- */

void vm_nmi_injected(struct vm *vm) {
    timers_arm(vm->host.timers, &vm->nmi_timer, vm_now(vm) + VM_NMI_PATIENCE);
}

/* Windows would say nothing. A guest that does not crash when told to would
 * leave its caller waiting, so this host reports it: our own doing. */
void vm_nmi_expired(struct timer *timer, void *context) {
    struct vm *vm = context;
    (void)timer;
    if (vm->state != VM_RUNNING) { /* a paused guest cannot answer */
        vm_nmi_injected(vm);
        return;
    }
    if (vm->guest_event && vm->guest_kind == MACHINE_PANICKED)
        return; /* it did: its turn is just to come */
    struct buf out = {0};
    struct json_writer w = {&out, false};
    new_activity(vm);
    begin_report(&w, vm);
    json_pair_string(&w, "CrashLog",
                     "The guest reported no crash within 5 seconds of the "
                     "interrupt. A Linux guest needs unknown_nmi_panic on its "
                     "command line and a pvpanic driver.");
    end_report(&w, vm, HR_TIMEOUT);
    tell_report(vm, HcsEventSystemCrashReport, &out);
}
