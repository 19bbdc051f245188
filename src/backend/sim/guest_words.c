/* SPDX-License-Identifier: MIT
 * The built-in guest's words about its network, docs/guest.md. A word goes on
 * in steps, each of which says how long it is until the next. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/text.h"
#include "sim.h"

#define WORDS 4
#define DONE (-1) /* no further step */

#define LOOK (50 * CLOCK_MS) /* for an adapter */
#define LOOKS 100
#define ROUND_TRIP (400 * CLOCK_MS / 1000)
#define SHORT_TRIP (40 * CLOCK_MS / 1000) /* inside the guest */
#define PATIENCE (5 * CLOCK_SECOND)
#define PING_BYTES 98
#define PING_PAUSE (300 * CLOCK_MS)
#define PING_LAST CLOCK_SECOND
#define LONGEST_SEND (600 * CLOCK_SECOND)
#define REQUEST_BYTES 40
#define ANSWER_BYTES 96 /* beside the text */

struct words {
    char *item[WORDS]; /* the word itself first; "" where there is none */
    const char *rest;  /* after the second, as it was typed */
};

static void say(struct machine *machine, const char *format, ...)
    HCS_PRINTF(2, 3);

static void say(struct machine *machine, const char *format, ...) {
    char text[SIM_LINE_SIZE + 128];
    va_list arguments;
    int length = snprintf(text, sizeof text, "hcs-guest: ");
    va_start(arguments, format);
    vsnprintf(text + length, sizeof text - (size_t)length, format, arguments);
    va_end(arguments);
    guest_say(machine, text, strlen(text));
}

/* Decimal digits and nothing else, at most `most`. */
static bool number_of(const char *text, uint64_t most, uint64_t *out) {
    uint64_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        unsigned digit = (unsigned)(*text - '0');
        if (digit > 9 || value > (most - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

static int64_t trip(const struct guest_path *path) {
    return path->self ? SHORT_TRIP : ROUND_TRIP;
}

/* --- addresses ---------------------------------------------------------- */

static int64_t no_address(struct machine *machine) {
    say(machine, "no address");
    return DONE;
}

static int64_t show_address(struct machine *machine,
                            const struct guest_address *own) {
    char address[IP_PREFIX_SIZE], gateway[IP_TEXT_SIZE] = "";
    ip_prefix_format(&own->at, address);
    if (own->gateway.family != IP_NONE)
        ip_format(&own->gateway, gateway);
    say(machine, "address %s%s%s", address, *gateway ? " gateway " : "",
        gateway);
    return DONE;
}

/* One may be about to be plugged in. */
static int64_t look_again(struct machine *machine, struct guest_job *job) {
    return ++job->step < LOOKS ? LOOK : no_address(machine);
}

static int64_t dhcp(struct machine *machine, struct guest_job *job,
                    const struct words *words) {
    const char *name = words->item[1];
    struct sim_device *nic = guest_adapter(machine, *name ? name : NULL);
    struct guest_address lease = {0};

    if (!nic)
        return job->step < LOOKS ? look_again(machine, job)
                                 : no_address(machine);
    if (job->step < LOOKS) {
        job->step = LOOKS;
        return guest_lease(machine, nic, &lease) ? 5 * ROUND_TRIP : PATIENCE;
    }
    if (!guest_lease(machine, nic, &lease))
        return no_address(machine);
    nic->addresses[0] = lease;
    return show_address(machine, &lease);
}

static bool read_address(const struct words *words, struct guest_address *out) {
    const char *gateway = words->item[2];
    *out = (struct guest_address){0};
    return ip_prefix_parse(words->item[1], &out->at) &&
           (!*gateway || (ip_parse(gateway, &out->gateway) &&
                          ip_prefix_contains(&out->at, &out->gateway)));
}

static int64_t net(struct machine *machine, struct guest_job *job,
                   const struct words *words) {
    const char *name = words->item[3];
    struct sim_device *nic = guest_adapter(machine, *name ? name : NULL);
    struct guest_address own;

    if (!strchr(words->item[1], '/'))
        return no_address(machine);
    if (!nic)
        return look_again(machine, job);
    if (!read_address(words, &own))
        return no_address(machine);
    nic->addresses[own.at.address.family == IP_V6] = own;
    return show_address(machine, &own);
}

/* --- ping --------------------------------------------------------------- */

static int64_t ping_ends(struct machine *machine, const struct guest_job *job,
                         const struct words *words) {
    char times[32] = "";
    if (job->count > 0)
        snprintf(times, sizeof times, ", %.3f ms",
                 (double)job->time / CLOCK_MS / (double)job->count);
    say(machine, "ping %s: %llu sent, %llu received%s", words->item[1],
        (unsigned long long)job->step, (unsigned long long)job->count, times);
    return DONE;
}

/* Each step is one that is sent. */
static int64_t ping(struct machine *machine, struct guest_job *job,
                    const struct words *words) {
    struct guest_path path;
    struct ip_address to;
    uint64_t wanted = 3;

    if (!ip_parse(words->item[1], &to) ||
        (*words->item[2] && !number_of(words->item[2], UINT32_MAX, &wanted)) ||
        job->step >= wanted)
        return ping_ends(machine, job, words);
    guest_reach(machine, &to,
                to.family == IP_V6 ? PROTOCOL_ICMP6 : PROTOCOL_ICMP, 0, 1,
                PING_BYTES, &path);
    if (path.reach == REACH_NOWHERE)
        return ping_ends(machine, job, words);
    job->step++;
    if (path.reach == REACH_LOST)
        return job->step < wanted ? PING_PAUSE : PING_LAST;
    guest_path_answer(machine->sim, &path, 1, PING_BYTES);
    job->count++;
    job->time += trip(&path);
    return trip(&path);
}

/* --- servers and their clients ------------------------------------------ */

static int64_t listen(struct machine *machine, const struct words *words,
                      const char *text) {
    uint64_t port = 0;
    bool good = number_of(words->item[1], UINT16_MAX, &port) &&
                guest_server_add(&machine->guest.net, (uint16_t)port, text);
    say(machine, "%s%s %llu", good ? "" : "cannot ", words->item[0],
        (unsigned long long)port);
    return DONE;
}

static int64_t serve(struct machine *machine, struct guest_job *job,
                     const struct words *words) {
    (void)job;
    return listen(machine, words, words->rest);
}

static int64_t receive(struct machine *machine, struct guest_job *job,
                       const struct words *words) {
    (void)job;
    return listen(machine, words, NULL);
}

/* Where "A PORT" leads; false if that is no place. */
static bool find_server(struct machine *machine, const struct words *words,
                        struct guest_path *path,
                        const struct guest_server **server) {
    struct ip_address to;
    uint64_t port;
    *server = NULL;
    *path = (struct guest_path){.reach = REACH_NOWHERE};
    if (!ip_parse(words->item[1], &to) ||
        !number_of(words->item[2], UINT16_MAX, &port))
        return false;
    guest_reach(machine, &to, PROTOCOL_TCP, (uint16_t)port, 0, 0, path);
    /* Its kernel takes the connection, nobody ever reads from it. */
    if (path->reach == REACH_GUEST && path->peer->guest.hung)
        path->reach = REACH_LOST;
    *server = guest_path_server(path);
    return path->reach != REACH_NOWHERE;
}

/* How long it takes to find out that there is none. */
static int64_t until_refused(const struct guest_path *path) {
    return path->reach == REACH_LOST ? PATIENCE : trip(path);
}

static int64_t get(struct machine *machine, struct guest_job *job,
                   const struct words *words) {
    const struct guest_server *server;
    struct guest_path path;
    bool somewhere = find_server(machine, words, &path, &server);

    if (somewhere && job->step++ == 0)
        return server ? 3 * trip(&path) : until_refused(&path);
    if (!somewhere || !server || !server->text) {
        say(machine, "get failed");
        return DONE;
    }
    guest_path_carry(machine->sim, &path, REQUEST_BYTES,
                     ANSWER_BYTES + strlen(server->text));
    say(machine, "get 200 %s", server->text);
    return DONE;
}

static int64_t send_failed(struct machine *machine) {
    say(machine, "send failed");
    return DONE;
}

static int64_t sending_time(const struct guest_path *path, uint64_t bytes) {
    double seconds = (double)bytes / (double)path->rate;
    if (seconds * CLOCK_SECOND > (double)LONGEST_SEND)
        return LONGEST_SEND;
    return 2 * trip(path) + (int64_t)(seconds * CLOCK_SECOND);
}

/* It takes its time, and must be possible at the end as at the beginning. */
static int64_t send_bytes(struct machine *machine, struct guest_job *job,
                          const struct words *words) {
    const struct guest_server *server;
    struct guest_path path;
    uint64_t bytes;

    if (!number_of(words->item[3], INT64_MAX, &bytes) ||
        !find_server(machine, words, &path, &server))
        return send_failed(machine);
    if (job->step++ == 0) {
        job->time = server ? sending_time(&path, bytes) : until_refused(&path);
        return job->time;
    }
    if (!server || server->text || job->time >= LONGEST_SEND)
        return send_failed(machine);
    guest_path_carry(machine->sim, &path, bytes, strlen(words->item[3]) + 1);
    say(machine, "sent %s bytes in %.6f s", words->item[3],
        (double)job->time / CLOCK_SECOND);
    return DONE;
}

/* --- one after the other ------------------------------------------------ */

typedef int64_t (*word_step)(struct machine *machine, struct guest_job *job,
                             const struct words *words);

static word_step find_word(const char *name) {
    static const struct {
        const char *name;
        word_step step;
    } known[] = {
        {"dhcp", dhcp},       {"net", net}, {"ping", ping},
        {"serve", serve},     {"get", get}, {"receive", receive},
        {"send", send_bytes},
    };
    for (size_t i = 0; i < HCS_COUNT(known); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].step;
    return NULL;
}

/* `copy` is the line, which is cut up; `line` itself keeps what is the rest. */
static void take_apart(char *copy, const char *line, struct words *out) {
    char *at = copy;
    for (size_t i = 0; i < WORDS; i++) {
        at += strspn(at, " ");
        out->item[i] = at;
        at += strcspn(at, " ");
        if (i == 1)
            out->rest = line + (at - copy) + (*at == ' ');
        if (*at)
            *at++ = '\0';
    }
}

static int64_t take_step(struct machine *machine, const char *line) {
    struct guest_job *job = &machine->guest.net.job;
    char copy[SIM_LINE_SIZE];
    struct words words;
    word_step step;

    snprintf(copy, sizeof copy, "%s", line);
    take_apart(copy, line, &words);
    step = find_word(words.item[0]);
    return step ? step(machine, job, &words) : DONE;
}

static void forget(struct guest_job *job) {
    free(job->line);
    *job = (struct guest_job){0};
}

bool guest_word(struct machine *machine, const char *line) {
    struct guest_job *job = &machine->guest.net.job;
    char name[16];
    int64_t delay;

    snprintf(name, sizeof name, "%.*s", (int)strcspn(line, " "), line);
    if (!find_word(name))
        return false;
    job->line = text_copy(line);
    if (!job->line) {
        guest_printk(machine, "Out of memory: Killed process (%s)", name);
        return true;
    }
    delay = take_step(machine, job->line);
    if (delay < 0)
        forget(job);
    else
        guest_arm(machine, ALARM_WORD, delay);
    return true;
}

void guest_word_on(struct machine *machine) {
    struct guest_job *job = &machine->guest.net.job;
    int64_t delay = job->line ? take_step(machine, job->line) : DONE;
    if (delay >= 0) {
        guest_arm(machine, ALARM_WORD, delay);
        return;
    }
    forget(job);
    guest_type(machine, "", 0); /* what was typed meanwhile */
}
