/* SPDX-License-Identifier: MIT
 * Adapters as QEMU and its guest have them: given to them, asked back, cut
 * off, and exchanged for others. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../base/clock.h"
#include "sequence.h"

/* How long a guest may take to let go of an adapter: Linux takes a tenth of a
 * second, one that is busy or has no driver for it longer or for ever. */
#define PATIENCE (3 * CLOCK_SECOND)

void nic_plug(struct machine *machine, struct nic *nic, machine_done done,
              void *context) {
    struct sequence *sequence = sequence_new(machine, done, context);
    int slot = nic_slot(&machine->nics, nic);
    char mac[MAC_TEXT_SIZE], netdev[32] = "";

    if (!sequence)
        return;
    sequence_internal(sequence);
    if (nic->tap >= 0) {
        sequence_add_fd(sequence, nic->tap, "getfd", "{\"fdname\":\"tap%d\"}",
                        slot);
        sequence_add(sequence, "netdev_add",
                     "{\"type\":\"tap\",\"id\":\"net%d\",\"fd\":\"tap%d\"}",
                     slot, slot);
        nic->wired = true;
    }
    if (nic->wired)
        snprintf(netdev, sizeof netdev, "\"netdev\":\"net%d\",", slot);
    nic_mac(nic, mac);
    sequence_add(sequence, "device_add",
                 "{\"driver\":\"virtio-net-pci\",\"id\":\"nic%d\","
                 "\"bus\":\"rp%d\",%s\"romfile\":\"\",\"mac\":\"%s\"}",
                 slot, slot, netdev, mac);
    sequence_run(sequence);
}

void nic_cut(struct machine *machine, struct nic *nic) {
    char arguments[32];

    if (!nic->wired)
        return;
    nic->wired = false;
    snprintf(arguments, sizeof arguments, "{\"id\":\"net%d\"}",
             nic_slot(&machine->nics, nic));
    if (machine->qmp)
        qmp_send(machine->qmp, "netdev_del", arguments, -1, NULL, NULL);
}

/* Ends a wait for the guest. */
static void stop_waiting(struct machine *machine, int slot, HRESULT result,
                         const struct hcs_error *error) {
    timers_disarm(machine->env.timers, &machine->unplug[slot]);
    answer(&machine->gone[slot], result, error);
}

void nic_unplug(struct machine *machine, struct nic *nic, machine_done done,
                void *context) {
    int slot = nic_slot(&machine->nics, nic);
    char arguments[32];

    machine->gone[slot] = (struct waiter){done, context};
    timers_arm(machine->env.timers, &machine->unplug[slot],
               machine->env.now(machine->env.context) + PATIENCE);
    snprintf(arguments, sizeof arguments, "{\"id\":\"nic%d\"}", slot);
    /* It is refused while the guest was asked before, and that is waited for
     * all the same. */
    qmp_send(machine->qmp, "device_del", arguments, -1, NULL, NULL);
}

void nics_impatient(struct timer *timer, void *context) {
    struct machine *machine = context;
    struct hcs_error error;

    error_set(&error, HR_TIMEOUT, NULL,
              "the guest does not let go of a network adapter");
    stop_waiting(machine, (int)(timer - machine->unplug), error.code, &error);
}

void nics_abandon(struct machine *machine, const struct hcs_error *error) {
    for (int i = 0; i < QEMU_NICS; i++)
        stop_waiting(machine, i, error->code, error);
}

/* --- another tap ---------------------------------------------------------- */

static void on_renewed(void *context, HRESULT result,
                       const struct hcs_error *error) {
    struct machine *machine = context;

    (void)result; /* it is as without a network, and nobody asked */
    (void)error;
    nics_handed_over(&machine->nics);
}

/* The guest asks for its address anew only with an adapter that is new. */
static void renew(struct machine *machine, struct nic *nic, int tap) {
    char arguments[32];

    if (nic->tap >= 0)
        close(nic->tap);
    nic->tap = tap;
    if (nic->renewed)
        return;
    nic->renewed = true;
    snprintf(arguments, sizeof arguments, "{\"id\":\"nic%d\"}",
             nic_slot(&machine->nics, nic));
    if (machine->qmp)
        qmp_send(machine->qmp, "device_del", arguments, -1, NULL, NULL);
}

void qemu_machine_reconnect(struct machine *machine,
                            const struct guid *endpoint, int tap) {
    for (int i = 0; i < QEMU_NICS; i++) {
        struct nic *nic = &machine->nics.slots[i];

        if (!nic->attached || nic->leaving ||
            memcmp(&nic->endpoint, endpoint, sizeof *endpoint) != 0)
            continue;
        nic_cut(machine, nic);
        if (tap >= 0)
            renew(machine, nic, tap);
        else
            nic->attached = false;
        return;
    }
    if (tap >= 0)
        close(tap);
}

void nics_deleted(struct machine *machine, const struct json *data) {
    const char *device = json_text(json_get(data, "device"), "");
    char name[16];

    for (int i = 0; i < QEMU_NICS; i++) {
        struct nic *nic = &machine->nics.slots[i];

        snprintf(name, sizeof name, "nic%d", i);
        if (!nic->name || strcmp(device, name) != 0)
            continue;
        if (nic->leaving) {
            nic_free(nic);
        } else if (nic->renewed) {
            nic->renewed = false;
            nic_plug(machine, nic, on_renewed, machine);
        }
        stop_waiting(machine, i, S_OK, NULL);
        return;
    }
}
