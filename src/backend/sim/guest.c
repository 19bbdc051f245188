/* SPDX-License-Identifier: MIT
 * The built-in guest: time that stops and goes on, a boot, ticks, a panic. It
 * speaks the protocol of the real test guest on its first serial port. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/clock.h"
#include "../../base/text.h"
#include "sim.h"

#define KERNEL_VERSION "6.1.0-sim"
#define CRASH_TAIL (16u * 1024)
#define SHUTDOWN_TIME (10 * CLOCK_MS)
#define ALARM_WORK (CLOCK_MS / 10)
#define BOOT_WORK (2 * CLOCK_MS)

/* --- time ------------------------------------------------------------- */

bool guest_runs(const struct machine *machine) {
    return machine->on && !machine->paused && !machine->held;
}

int64_t guest_uptime(const struct machine *machine) {
    const struct guest *guest = &machine->guest;
    return guest->since < 0 ? guest->ran
                            : guest->ran + sim_now(machine) - guest->since;
}

void guest_arm(struct machine *machine, enum guest_alarm alarm, int64_t delay) {
    struct guest_timer *timer = &machine->guest.timers[alarm];
    if (machine->guest.since < 0)
        timer->left = delay;
    else
        timers_arm(machine->env.timers, &timer->timer,
                   sim_now(machine) + delay);
}

void guest_disarm(struct machine *machine, enum guest_alarm alarm) {
    struct guest_timer *timer = &machine->guest.timers[alarm];
    timers_disarm(machine->env.timers, &timer->timer);
    timer->left = -1;
}

void guest_freeze(struct machine *machine) {
    struct guest *guest = &machine->guest;
    if (guest->since < 0)
        return;
    guest->ran = guest_uptime(machine);
    for (int i = 0; i < ALARM_COUNT; i++) {
        struct guest_timer *timer = &guest->timers[i];
        int64_t left = timer->timer.due - sim_now(machine);
        /* One that is due already, and has not run yet, is not lost. */
        timer->left = !timer_armed(&timer->timer) ? -1 : left > 0 ? left : 0;
        timers_disarm(machine->env.timers, &timer->timer);
    }
    guest->since = -1;
}

void guest_thaw(struct machine *machine) {
    struct guest *guest = &machine->guest;
    struct buf typed = machine->typed;
    if (guest->since >= 0 || !guest_runs(machine))
        return;
    guest->since = sim_now(machine);
    for (int i = 0; i < ALARM_COUNT; i++) {
        int64_t left = guest->timers[i].left;
        guest->timers[i].left = -1;
        if (left >= 0)
            guest_arm(machine, (enum guest_alarm)i, left);
    }
    machine->typed = (struct buf){0};
    if (typed.length)
        guest_deliver(machine, HcsHostGuestInput, typed.data, typed.length);
    buf_free(&typed);
    sim_visits_go_on(machine);
}

/* --- printing --------------------------------------------------------- */

/* Cut in large steps: a line of a flood is not to cost a move of the log. */
static void remember(struct guest *guest, const char *text, size_t length) {
    buf_add(&guest->log, text, length);
    if (guest->log.length > 2 * SIM_LOG_SIZE)
        buf_consume(&guest->log, guest->log.length - SIM_LOG_SIZE);
}

static void put(struct machine *machine, uint32_t port, const char *text,
                size_t length) {
    if (machine->ports[port].console)
        console_output(machine->ports[port].console, text, length);
}

void guest_print(struct machine *machine, uint32_t port, const char *text,
                 size_t length) {
    if (port == 0)
        remember(&machine->guest, text, length);
    put(machine, port, text, length);
}

/* A terminal needs the carriage return, a log does not. */
static void print_line(struct machine *machine, const struct buf *line) {
    if (line->failed)
        return;
    remember(&machine->guest, line->data, line->length);
    remember(&machine->guest, "\n", 1);
    put(machine, 0, line->data, line->length);
    put(machine, 0, "\r\n", 2);
}

void guest_say(struct machine *machine, const char *text, size_t length) {
    struct buf line = {0};
    buf_add(&line, text, length);
    print_line(machine, &line);
    buf_free(&line);
}

void guest_printk(struct machine *machine, const char *format, ...) {
    struct buf line = {0};
    char text[512];
    int64_t uptime = guest_uptime(machine);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    buf_printf(&line, "[%5lld.%06lld] %s", (long long)(uptime / CLOCK_SECOND),
               (long long)(uptime % CLOCK_SECOND / 1000), text);
    print_line(machine, &line);
    buf_free(&line);
}

/* --- what it tells the host ------------------------------------------- */

static void report(struct machine *machine, enum machine_event_kind kind,
                   const char *text, size_t length) {
    struct machine_event event = {kind, text, length};
    guest_freeze(machine);
    machine->held = true;
    machine->env.event(machine->env.context, &event);
}

void guest_report(struct machine *machine, enum machine_event_kind kind) {
    report(machine, kind, "", 0);
}

static void print_trace(struct machine *machine, const char *reason) {
    guest_printk(machine, "CPU: 0 PID: 1 Comm: init Not tainted %s #1",
                 KERNEL_VERSION);
    guest_printk(machine, "Hardware name: simulated machine");
    guest_printk(machine, "Call Trace:");
    guest_printk(machine, " <TASK>");
    guest_printk(machine, " dump_stack_lvl+0x44/0x5c");
    guest_printk(machine, " panic+0x118/0x2ed");
    guest_printk(machine, " </TASK>");
    guest_printk(machine, "Kernel Offset: 0x%llx from 0xffffffff81000000",
                 (unsigned long long)machine->guest.kernel_offset);
    guest_printk(machine, "---[ end Kernel panic - not syncing: %s ]---",
                 reason);
}

/* The end of the log, from the start of a line. */
static const char *log_tail(const struct guest *guest, size_t *length) {
    const struct buf *log = &guest->log;
    size_t start = log->length > CRASH_TAIL ? log->length - CRASH_TAIL : 0;
    const char *line =
        start ? memchr(log->data + start, '\n', log->length - start) : NULL;
    if (line)
        start = (size_t)(line + 1 - log->data);
    *length = log->length - start;
    return log->data ? log->data + start : "";
}

/* After a panic only panic= is left to go on; the time it counts begins when
 * the host lets the guest go on. */
static void die(struct machine *machine) {
    struct guest *guest = &machine->guest;
    guest->dead = true;
    for (int i = 0; i < ALARM_COUNT; i++)
        guest_disarm(machine, (enum guest_alarm)i);
    if (guest->panic_timeout > 0)
        guest_arm(machine, ALARM_RESET, guest->panic_timeout * CLOCK_SECOND);
    else if (guest->panic_timeout < 0)
        guest_arm(machine, ALARM_RESET, 0);
}

static void panic_with(struct machine *machine, const char *reason) {
    size_t length;
    guest_printk(machine, "Kernel panic - not syncing: %s", reason);
    print_trace(machine, reason);
    die(machine);
    const char *tail = log_tail(&machine->guest, &length);
    report(machine, MACHINE_PANICKED, tail, length);
}

void guest_panic(struct machine *machine, const char *log) {
    if (!log) {
        panic_with(machine, "NMI: Not continuing");
    } else if (!*log) {
        panic_with(machine, "sysrq triggered crash");
    } else { /* a program's own words are the whole log */
        guest_say(machine, log, strlen(log));
        die(machine);
        report(machine, MACHINE_PANICKED, log, strlen(log));
    }
}

/* --- booting ---------------------------------------------------------- */

static const int64_t boot_times[] = {0, 2, 4, 7, 11, 15, 20}; /* ms */

static void print_boot_line(struct machine *machine, unsigned step) {
    const struct guest *guest = &machine->guest;
    switch (step) {
    case 0:
        guest_printk(machine, "Linux version %s (simulated) #1 SMP",
                     KERNEL_VERSION);
        break;
    case 1:
        guest_printk(machine, "Command line: %s", guest->command_line);
        break;
    case 2:
        guest_printk(machine, "Memory: %lluK available",
                     (unsigned long long)machine->memory_mb * 1024);
        break;
    case 3:
        guest_printk(machine, "smp: Brought up 1 node, %llu CPUs",
                     (unsigned long long)machine->processors);
        break;
    case 4:
        guest_printk(machine, "Serial: 8250/16550 driver, 4 ports");
        break;
    case 5:
        guest_printk(machine, "Run /init as init process");
        break;
    default:
        guest_say(machine, "hcs-guest: up", 13);
        break;
    }
}

static void boot_on(struct machine *machine) {
    struct guest *guest = &machine->guest;
    unsigned step = guest->boot_step++;
    guest->work += BOOT_WORK;
    print_boot_line(machine, step);
    if (guest->boot_step < HCS_COUNT(boot_times)) {
        guest_arm(machine, ALARM_BOOT,
                  (boot_times[step + 1] - boot_times[step]) * CLOCK_MS);
        return;
    }
    guest->up = true;
    if (guest->tick > 0)
        guest_arm(machine, ALARM_TICK, guest->tick);
    guest_type(machine, "", 0); /* what was typed ahead */
}

static void tick(struct machine *machine) {
    struct guest *guest = &machine->guest;
    struct buf line = {0};
    buf_printf(&line, "hcs-guest: tick %llu",
               (unsigned long long)++guest->ticks);
    if (guest->tick > 0) /* a restored alarm may belong to no option */
        guest_arm(machine, ALARM_TICK, guest->tick);
    print_line(machine, &line);
    buf_free(&line);
}

static void on_alarm(struct timer *timer, void *context) {
    struct guest_timer *alarm = context;
    struct machine *machine = alarm->machine;
    struct guest *guest = &machine->guest;
    (void)timer;
    guest->work += ALARM_WORK;
    switch ((enum guest_alarm)(alarm - guest->timers)) {
    case ALARM_BOOT:
        boot_on(machine);
        break;
    case ALARM_TICK:
        tick(machine);
        break;
    case ALARM_FLOOD:
        guest_flood(machine);
        break;
    case ALARM_OFF:
        guest_printk(machine, "reboot: Power down");
        guest_report(machine, MACHINE_POWERED_OFF);
        break;
    case ALARM_RESET:
        guest_report(machine, MACHINE_RESET);
        break;
    case ALARM_WAKE:
        guest_deliver(machine, HcsHostGuestWake, "", 0);
        break;
    case ALARM_WORD:
        guest_word_on(machine);
        break;
    case ALARM_COUNT:
        break;
    }
}

static void on_nmi(struct machine *machine) {
    if (machine->guest.nmi_panics) {
        guest_panic(machine, NULL);
        return;
    }
    guest_printk(machine,
                 "Uhhuh. NMI received for unknown reason 30 on CPU 0.");
    guest_printk(machine, "Dazed and confused, but trying to continue");
}

void guest_default(struct machine *machine, HCSHOST_GUEST_EVENT event,
                   const char *text, size_t length) {
    struct guest *guest = &machine->guest;
    if (guest->dead)
        return;
    switch (event) {
    case HcsHostGuestBoot:
        guest->boot_step = 0;
        guest_arm(machine, ALARM_BOOT, 0);
        break;
    case HcsHostGuestInput:
        guest_type(machine, text, length);
        break;
    case HcsHostGuestPower:
        if (guest->up && !guest->hung)
            guest_arm(machine, ALARM_OFF, SHUTDOWN_TIME);
        break;
    case HcsHostGuestNmi:
        on_nmi(machine);
        break;
    case HcsHostGuestWake:
    case HcsHostGuestOff:
        break;
    }
}

/* --- state ------------------------------------------------------------ */

/* The value of `name` on the command line: after "name=" or, for a flag, "";
 * NULL when it is not there. The last one counts. */
static const char *option(const char *line, const char *name) {
    const char *found = NULL;
    size_t length = strlen(name);
    while (*line) {
        size_t word = strcspn(line, " \t");
        if (word >= length && memcmp(line, name, length) == 0) {
            if (word == length)
                found = "";
            else if (line[length] == '=')
                found = line + length + 1;
        }
        line += word;
        line += strspn(line, " \t");
    }
    return found;
}

static int64_t option_number(const char *line, const char *name, int64_t most) {
    const char *text = option(line, name);
    long long value = text ? strtoll(text, NULL, 10) : 0;
    return value > most ? most : value < -1 ? -1 : value;
}

void guest_read_command_line(struct guest *guest) {
    const char *line = guest->command_line;
    int64_t tick_ms = option_number(line, "hcs.tick", INT32_MAX);
    guest->tick = tick_ms > 0 ? tick_ms * CLOCK_MS : 0;
    guest->panic_timeout = option_number(line, "panic", INT32_MAX);
    guest->nmi_panics = option(line, "unknown_nmi_panic") != NULL;
}

HRESULT guest_reset(struct machine *machine, struct hcs_error *error) {
    struct guest *guest = &machine->guest;
    char *line = text_copy(json_text(
        json_at(machine->config, "Chipset.LinuxKernelDirect.KernelCmdLine"),
        ""));
    if (!line)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a guest");
    for (int i = 0; i < ALARM_COUNT; i++)
        guest_disarm(machine, (enum guest_alarm)i);
    free(guest->command_line);
    guest->command_line = line;
    guest_read_command_line(guest);
    guest->boot_step = 0;
    guest->up = guest->hung = guest->dead = false;
    guest->ticks = 0;
    guest->ran = 0;
    guest->since = -1;
    guest->kernel_offset = (random_next(&machine->sim->random) % 496 + 16)
                           << 21;
    guest_net_reset(machine);
    buf_clear(&guest->line);
    buf_clear(&guest->log);
    buf_clear(&machine->typed);
    return S_OK;
}

HRESULT guest_init(struct machine *machine, struct hcs_error *error) {
    HRESULT hr = S_OK;
    machine->guest.since = -1;
    for (int i = 0; i < ALARM_COUNT && SUCCEEDED(hr); i++) {
        struct guest_timer *timer = &machine->guest.timers[i];
        timer->machine = machine;
        timer->left = -1;
        hr = timers_add(machine->env.timers, &timer->timer, on_alarm, timer,
                        error);
        timer->ready = SUCCEEDED(hr);
    }
    return hr;
}

void guest_free(struct machine *machine) {
    struct guest *guest = &machine->guest;
    for (int i = 0; i < ALARM_COUNT; i++)
        if (guest->timers[i].ready)
            timers_remove(machine->env.timers, &guest->timers[i].timer);
    guest_net_reset(machine);
    free(guest->command_line);
    buf_free(&guest->line);
    buf_free(&guest->log);
}
