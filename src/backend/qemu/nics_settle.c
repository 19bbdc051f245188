/* SPDX-License-Identifier: MIT
 * Adapters of a machine that took over a saved state. The state brings each
 * adapter back as the guest knew it. One with another address, as a clone's of
 * a template, must not be heard with the old one: it is cut off before the
 * guest goes on, and plugged in anew once it runs. */
#include "sequence.h"

/* The link in a state is that of the adapter that was saved: down, if its
 * endpoint was gone by then. */
void nics_link(struct machine *machine, struct sequence *sequence) {
    for (int i = 0; i < QEMU_NICS; i++) {
        const struct nic *nic = &machine->nics.slots[i];

        if (nic->wired)
            sequence_add(sequence, "set_link", "{\"name\":\"nic%d\",\"up\":%s}",
                         i, nic->replug ? "false" : "true");
    }
}

static void next(struct machine *machine);

static void fail(struct machine *machine, HRESULT result,
                 const struct hcs_error *error) {
    answer(&machine->settling, result, error);
}

static void on_plugged(void *context, HRESULT result,
                       const struct hcs_error *error) {
    struct machine *machine = context;

    nics_handed_over(&machine->nics);
    if (FAILED(result))
        fail(machine, result, error);
    else
        next(machine);
}

static struct nic *pending(struct machine *machine) {
    for (int i = 0; i < QEMU_NICS; i++) {
        struct nic *nic = &machine->nics.slots[i];

        if (nic->late || nic->replug)
            return nic;
    }
    return NULL;
}

static void plug(struct machine *machine, struct nic *nic) {
    nic->late = false;
    nic->replug = false;
    nic_plug(machine, nic, on_plugged, machine);
}

static void on_unplugged(void *context, HRESULT result,
                         const struct hcs_error *error) {
    struct machine *machine = context;

    if (FAILED(result))
        fail(machine, result, error);
    else
        plug(machine, pending(machine));
}

static void next(struct machine *machine) {
    struct nic *nic = pending(machine);

    if (!nic)
        answer(&machine->settling, S_OK, NULL);
    else if (nic->replug)
        nic_unplug(machine, nic, on_unplugged, machine);
    else
        plug(machine, nic);
}

void nics_settle(struct machine *machine, machine_done done, void *context) {
    machine->settling = (struct waiter){done, context};
    next(machine);
}
