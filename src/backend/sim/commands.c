/* SPDX-License-Identifier: MIT
 * What the built-in guest does with the lines typed on its serial port. */
#include <string.h>

#include "../../base/clock.h"
#include "sim.h"

#define FLOOD_PAUSE CLOCK_MS
#define FLOOD_LINES 32

static void power_off(struct machine *machine, const char *rest) {
    (void)rest;
    guest_printk(machine, "reboot: Power down");
    guest_report(machine, MACHINE_POWERED_OFF);
}

static void reboot_guest(struct machine *machine, const char *rest) {
    (void)rest;
    guest_printk(machine, "reboot: Restarting system");
    guest_report(machine, MACHINE_RESET);
}

static void panic(struct machine *machine, const char *rest) {
    (void)rest;
    guest_printk(machine, "sysrq: Trigger a crash");
    guest_panic(machine, "");
}

static void triple_fault(struct machine *machine, const char *rest) {
    (void)rest;
    guest_report(machine, MACHINE_TRIPLE_FAULT);
}

static void hang(struct machine *machine, const char *rest) {
    (void)rest;
    machine->guest.hung = true;
    guest_disarm(machine, ALARM_TICK);
    guest_disarm(machine, ALARM_FLOOD);
}

static void flood(struct machine *machine, const char *rest) {
    (void)rest;
    guest_arm(machine, ALARM_FLOOD, 0);
}

static void echo(struct machine *machine, const char *rest) {
    guest_say(machine, rest, strlen(rest));
}

void guest_flood(struct machine *machine) {
    static const char line[] =
        "flood: 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST";
    for (int i = 0; i < FLOOD_LINES; i++)
        guest_say(machine, line, sizeof line - 1);
    guest_arm(machine, ALARM_FLOOD, FLOOD_PAUSE);
}

static const struct {
    const char *name;
    void (*run)(struct machine *machine, const char *rest);
} commands[] = {
    {"poweroff", power_off}, {"reboot", reboot_guest},
    {"panic", panic},        {"triplefault", triple_fault},
    {"hang", hang},          {"flood", flood},
    {"echo", echo},
};

static void run_line(struct machine *machine, const char *line) {
    size_t word = strcspn(line, " ");
    const char *rest = line + word + (line[word] == ' ');
    struct buf answer = {0};
    if (word == 0)
        return;
    for (size_t i = 0; i < HCS_COUNT(commands); i++) {
        if (strlen(commands[i].name) == word &&
            memcmp(commands[i].name, line, word) == 0) {
            commands[i].run(machine, rest);
            return;
        }
    }
    if (guest_word(machine, line))
        return;
    buf_printf(&answer, "hcs-guest: unknown command \"%.*s\"", (int)word, line);
    if (!answer.failed)
        guest_say(machine, answer.data, answer.length);
    buf_free(&answer);
}

/* Takes the first line out of what was typed; false when there is none. */
static bool take_line(struct buf *typed, char *out) {
    size_t length = 0;
    while (length < typed->length && typed->data[length] != '\n' &&
           typed->data[length] != '\r')
        length++;
    if (length == typed->length)
        return false;
    memcpy(out, typed->data, length);
    out[length] = '\0';
    buf_consume(typed, length + 1);
    return true;
}

static void run_lines(struct machine *machine) {
    struct guest *guest = &machine->guest;
    char line[SIM_LINE_SIZE];
    while (guest->up && !guest->hung && guest_runs(machine) &&
           !guest->net.job.line && take_line(&guest->line, line))
        run_line(machine, line);
}

/* A line that is too long is cut, as a terminal does; its end always fits. */
void guest_type(struct machine *machine, const char *text, size_t length) {
    struct buf *typed = &machine->guest.line;
    for (size_t i = 0; i < length; i++) {
        bool end = text[i] == '\n' || text[i] == '\r';
        if (typed->length + (end ? 1 : 2) < SIM_LINE_SIZE)
            buf_putc(typed, text[i]);
        if (end)
            run_lines(machine);
    }
    run_lines(machine);
}
