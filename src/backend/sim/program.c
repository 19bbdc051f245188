/* SPDX-License-Identifier: MIT
 * Guests whose behaviour is a program outside: it is told what happens to its
 * machine and acts through the functions here. */
#include <stdlib.h>
#include <string.h>

#include "../../base/text.h"
#include "sim.h"

static bool is_for(const struct sim_program_entry *entry, const char *id) {
    if (!entry->id || !id)
        return entry->id == id;
    return strcmp(entry->id, id) == 0;
}

static struct sim_program_entry *find(const struct sim *sim, const char *id) {
    for (struct link *l = sim->programs.next; l != &sim->programs;
         l = l->next) {
        struct sim_program_entry *entry =
            HCS_CONTAINER(l, struct sim_program_entry, link);
        if (is_for(entry, id))
            return entry;
    }
    return NULL;
}

bool sim_has_program(const struct sim *sim, const char *id) {
    return find(sim, id) || find(sim, NULL);
}

static void entry_free(struct sim_program_entry *entry) {
    link_remove(&entry->link);
    free(entry->id);
    free(entry);
}

void sim_programs_free(struct sim *sim) {
    while (!link_alone(&sim->programs))
        entry_free(
            HCS_CONTAINER(sim->programs.next, struct sim_program_entry, link));
}

HRESULT sim_program(struct sim *sim, const char *id, bool on,
                    struct hcs_error *error) {
    struct sim_program_entry *entry = find(sim, id);
    if (!on && entry)
        entry_free(entry);
    if (!on || entry)
        return S_OK;
    entry = calloc(1, sizeof *entry);
    if (entry && id)
        entry->id = text_copy(id);
    if (!entry || (id && !entry->id)) {
        free(entry);
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a program");
    }
    link_init(&entry->link);
    link_append(&sim->programs, &entry->link);
    return S_OK;
}

void guest_deliver(struct machine *machine, HCSHOST_GUEST_EVENT event,
                   const char *text, size_t length) {
    struct sim *sim = machine->sim;
    if (machine->guest.dead && event != HcsHostGuestOff)
        return;
    if (!sim->env.guest || !sim_has_program(sim, machine->id)) {
        guest_default(machine, event, text, length);
        return;
    }
    machine->last_event = event;
    buf_clear(&machine->last_text);
    buf_add(&machine->last_text, text, length);
    sim->env.guest(sim->env.context, machine->number, event, text, length);
}

static struct machine *find_guest(const struct sim *sim, uint64_t guest) {
    for (struct link *l = sim->machines.next; l != &sim->machines;
         l = l->next) {
        struct machine *machine = HCS_CONTAINER(l, struct machine, link);
        if (machine->on && machine->number == guest)
            return machine;
    }
    return NULL;
}

const char *sim_guest_id(struct sim *sim, uint64_t guest) {
    struct machine *machine = find_guest(sim, guest);
    return machine ? machine->id : NULL;
}

HRESULT sim_guest_print(struct sim *sim, uint64_t guest, uint32_t port,
                        const char *text, size_t length) {
    struct machine *machine = find_guest(sim, guest);
    if (!machine)
        return HR_NOT_FOUND;
    if (port >= SIM_PORTS)
        return E_INVALIDARG;
    guest_print(machine, port, text, length);
    return S_OK;
}

HRESULT sim_guest_wake(struct sim *sim, uint64_t guest, int64_t delay) {
    struct machine *machine = find_guest(sim, guest);
    if (!machine)
        return HR_NOT_FOUND;
    if (delay < 0)
        return E_INVALIDARG;
    if (delay > INT64_MAX / 4) /* never, without an overflow */
        delay = INT64_MAX / 4;
    guest_arm(machine, ALARM_WAKE, delay);
    return S_OK;
}

static void do_default(struct machine *machine) {
    HCSHOST_GUEST_EVENT event = machine->last_event;
    struct buf text = machine->last_text; /* what follows may replace it */
    machine->last_text = (struct buf){0};
    guest_default(machine, event, text.data ? text.data : "", text.length);
    buf_free(&text);
}

HRESULT sim_guest_act(struct sim *sim, uint64_t guest,
                      HCSHOST_GUEST_ACTION action, const char *text) {
    struct machine *machine = find_guest(sim, guest);
    if (!machine)
        return HR_NOT_FOUND;
    if (machine->held) /* it has acted already; the host is at it */
        return HCS_E_INVALID_STATE;
    switch (action) {
    case HcsHostGuestPowerOff:
        guest_report(machine, MACHINE_POWERED_OFF);
        return S_OK;
    case HcsHostGuestReboot:
        guest_report(machine, MACHINE_RESET);
        return S_OK;
    case HcsHostGuestPanic:
        guest_panic(machine, text ? text : "");
        return S_OK;
    case HcsHostGuestTripleFault:
        guest_report(machine, MACHINE_TRIPLE_FAULT);
        return S_OK;
    case HcsHostGuestHang:
        machine->guest.dead = true;
        guest_disarm(machine, ALARM_WAKE);
        return S_OK;
    case HcsHostGuestDefault:
        do_default(machine);
        return S_OK;
    }
    return E_INVALIDARG;
}
