/* SPDX-License-Identifier: MIT
 * What QEMU reports, as the machine's own events; and resets. */
#include "sequence.h"

#include <string.h>

/* SeaBIOS, entered by a reset, resets once more to get its own memory back,
 * within this time. It must not be taken for the guest's. */
#define SETTLE_TCG (2 * CLOCK_SECOND)
#define SETTLE_KVM (300 * CLOCK_MS)

#include "../../base/clock.h"

static void on_panicked(struct machine *machine) {
    struct buf log = {0};

    ports_drain(machine);
    ports_tail(machine, &log);
    machine_event_send(machine, MACHINE_PANICKED, log.data ? log.data : "",
                       log.length);
    buf_free(&log);
}

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
    bool triple_fault;

    diagnosis_drain(machine);
    triple_fault = machine->diagnosis.triple_fault;
    machine->diagnosis.triple_fault = false;
    if (machine->firmware_reset) {
        machine->firmware_reset = false;
        timers_disarm(machine->env.timers, &machine->settle);
        carry_out_reset(machine, on_firmware_reset_done, machine);
        return;
    }
    ports_drain(machine);
    machine_event_send(machine,
                       triple_fault ? MACHINE_TRIPLE_FAULT : MACHINE_RESET,
                       NULL, 0);
}

static void on_shutdown(struct machine *machine, const struct json *data) {
    const char *reason = json_text(json_get(data, "reason"), "");

    if (strcmp(reason, "guest-reset") == 0) {
        on_reset(machine);
    } else if (strcmp(reason, "guest-shutdown") == 0) {
        ports_drain(machine);
        machine_event_send(machine, MACHINE_POWERED_OFF, NULL, 0);
    }
    /* Others are of our own making, or the process' end says it. */
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
    }
    if (!machine->destroyed)
        sequences_event(machine, name, data);
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
