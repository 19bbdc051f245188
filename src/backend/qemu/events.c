/* SPDX-License-Identifier: MIT
 * What QEMU reports, as the machine's own events; and resets. */
#include "sequence.h"

#include <string.h>

#include "../../base/clock.h"

/* SeaBIOS, entered by a reset, resets once more to get its own memory back,
 * within this time. It must not be taken for the guest's. */
#define SETTLE_TCG (2 * CLOCK_SECOND)
#define SETTLE_KVM (300 * CLOCK_MS)

/* How a panicked guest is watched while it prints. */
#define FLUSH_ROUND (20 * CLOCK_MS)
#define FLUSH_ROUNDS_LEAST 5
#define FLUSH_ROUNDS 25

/* --- panics --------------------------------------------------------------- */

static void tell_panic(struct machine *machine) {
    struct buf log = {0};

    machine->flushing = false;
    timers_disarm(machine->env.timers, &machine->flush);
    ports_drain(machine);
    ports_tail(machine, &log);
    machine_event_send(machine, MACHINE_PANICKED, log.data ? log.data : "",
                       log.length);
    buf_free(&log);
}

static bool log_has(struct machine *machine, const char *words) {
    struct buf log = {0};
    bool found;

    ports_tail(machine, &log);
    found = log.length > 0 && strstr(log.data, words);
    buf_free(&log);
    return found;
}

static void on_held(void *context, HRESULT result,
                    const struct hcs_error *error) {
    (void)result; /* if it is gone, its end will be told */
    (void)error;
    tell_panic(context);
}

static void arm_flush(struct machine *machine) {
    machine->flush_seen = ports_printed(machine);
    timers_arm(machine->env.timers, &machine->flush,
               machine->env.now(machine->env.context) + FLUSH_ROUND);
}

/* Done when the kernel says so, has fallen silent or takes too long. */
void events_flush(struct timer *timer, void *context) {
    struct machine *machine = context;
    struct sequence *sequence;

    (void)timer;
    if (!machine->flushing || machine->phase != PHASE_ALIVE)
        return;
    ports_drain(machine);
    if (++machine->flush_rounds < FLUSH_ROUNDS &&
        (machine->flush_rounds < FLUSH_ROUNDS_LEAST ||
         ports_printed(machine) != machine->flush_seen) &&
        !log_has(machine, "end Kernel panic")) {
        arm_flush(machine);
        return;
    }
    sequence = sequence_new(machine, on_held, machine);
    sequence_add(sequence, "stop", NULL);
    sequence_run(sequence);
}

/* A guest that has not printed has no use for its ports, and will not. */
static bool may_print(const struct machine *machine) {
    return ports_printed(machine) > 0 || machine->restored;
}

/* A Linux that panics in an interrupt prints why only after it has reported
 * the panic. Without that a crash log is worth little, so such a guest may go
 * on for that moment before it is held still. */
static void on_panicked(struct machine *machine) {
    if (machine->flushing)
        return;
    machine->crashed = true;
    ports_drain(machine);
    if (!may_print(machine) || log_has(machine, "Kernel panic")) {
        tell_panic(machine);
        return;
    }
    machine->flushing = true;
    machine->flush_rounds = 0;
    arm_flush(machine);
    qmp_send(machine->qmp, "cont", NULL, -1, NULL, NULL);
}

/* What a panicked guest did in that moment comes after its crash. */
static bool put_off(struct machine *machine, enum machine_event_kind kind) {
    if (!machine->flushing)
        return false;
    machine->after_panic = true;
    machine->after_kind = kind;
    tell_panic(machine);
    return true;
}

void machine_go_on(struct machine *machine, machine_done done, void *context) {
    if (!machine->after_panic) {
        struct sequence *sequence = sequence_new(machine, done, context);

        sequence_add(sequence, "cont", NULL);
        sequence_run(sequence);
        return;
    }
    machine->after_panic = false;
    done(context, S_OK, NULL);
    machine_event_send(machine, machine->after_kind, NULL, 0);
}

/* --- resets and power ----------------------------------------------------- */

static void carry_out_reset(struct machine *machine, machine_done done,
                            void *context) {
    struct sequence *sequence = sequence_new(machine, done, context);

    /* `reboot` decides about resets by command, too. */
    sequence_add(sequence, "set-action", "{\"reboot\":\"reset\"}");
    sequence_add(sequence, "system_reset", NULL);
    sequence_await(sequence, "RESET", NULL);
    sequence_add(sequence, "set-action", "{\"reboot\":\"shutdown\"}");
    sequence_add(sequence, "cont", NULL);
    sequence_run(sequence);
}

static void on_firmware_reset_done(void *context, HRESULT result,
                                   const struct hcs_error *error) {
    struct machine *machine = context;

    if (FAILED(result) && machine->phase == PHASE_ALIVE) {
        machine_event_send(machine, MACHINE_DIED, error->text,
                           strlen(error->text));
        process_kill(machine);
    }
}

static void on_reset(struct machine *machine) {
    enum machine_event_kind kind = MACHINE_RESET;

    diagnosis_drain(machine);
    /* A kernel that panicked tries one way to reset after another, and this is
     * the last of them. */
    if (machine->diagnosis.triple_fault && !machine->crashed)
        kind = MACHINE_TRIPLE_FAULT;
    machine->diagnosis.triple_fault = false;
    machine->crashed = false;
    if (machine->firmware_reset) {
        machine->firmware_reset = false;
        timers_disarm(machine->env.timers, &machine->settle);
        carry_out_reset(machine, on_firmware_reset_done, machine);
        return;
    }
    ports_drain(machine);
    if (!put_off(machine, kind))
        machine_event_send(machine, kind, NULL, 0);
}

static void on_shutdown(struct machine *machine, const struct json *data) {
    const char *reason = json_text(json_get(data, "reason"), "");
    bool reset = strcmp(reason, "guest-reset") == 0;

    if (!reset && strcmp(reason, "guest-shutdown") != 0)
        return; /* of our own making, or the process' end says it */
    if (machine->guest_stopped)
        return; /* a firmware that resets tries more than one way */
    machine->guest_stopped = true;
    if (reset) {
        on_reset(machine);
    } else {
        ports_drain(machine);
        if (!put_off(machine, MACHINE_POWERED_OFF))
            machine_event_send(machine, MACHINE_POWERED_OFF, NULL, 0);
    }
}

static void on_reset_done(struct machine *machine) {
    machine->guest_stopped = false;
    ports_rebooted(machine);
}

void events_handle(void *context, const char *name, const struct json *data) {
    struct machine *machine = context;

    if (machine->destroyed)
        return;
    if (machine->phase == PHASE_ALIVE || machine->phase == PHASE_STARTING) {
        if (strcmp(name, "GUEST_PANICKED") == 0)
            on_panicked(machine);
        else if (strcmp(name, "SHUTDOWN") == 0)
            on_shutdown(machine, data);
        else if (strcmp(name, "RESET") == 0)
            on_reset_done(machine);
    }
    if (!machine->destroyed && strcmp(name, "DEVICE_DELETED") == 0)
        nics_deleted(machine, data);
    if (!machine->destroyed)
        sequences_event(machine, name, data);
}

void events_settled(struct timer *timer, void *context) {
    struct machine *machine = context;

    (void)timer;
    machine->firmware_reset = false;
}

void machine_reset(struct machine *machine, machine_done done, void *context) {
    bool kvm = strcmp(machine->platform->accelerator, "kvm") == 0;
    const struct json *uefi = json_at(machine->vm, "Chipset.Uefi");

    machine_moved(machine);
    if (!uefi || uefi->type != JSON_OBJECT) {
        machine->firmware_reset = true;
        timers_arm(machine->env.timers, &machine->settle,
                   machine->env.now(machine->env.context) +
                       (kvm ? SETTLE_KVM : SETTLE_TCG));
    }
    carry_out_reset(machine, done, context);
}
