/* SPDX-License-Identifier: MIT
 * Connections from outside the simulated host to servers of its guests: streams
 * whose other end is a program's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/counter.h"
#include "../../base/os.h"
#include "sim.h"

#define MOST_ASKED (64u << 10) /* bytes of an HTTP request */
#define MOST_DIGITS 20

struct sim_visit {
    struct link link;
    struct sim *sim;
    struct machine *machine; /* NULL: its guest is gone */
    struct stream *stream;
    struct guest_path path;
    uint16_t port; /* the guest's */
    struct buf in, out;
    uint64_t wanted;     /* bytes that a receiver has yet to get */
    uint64_t took, gave; /* bytes */
    bool counting;       /* a receiver knows how many will come */
    bool ended;          /* nothing more will come */
    bool answered;       /* when `out` is through, it is over */
};

static void visit_free(struct sim_visit *visit) {
    link_remove(&visit->link);
    stream_close(visit->stream);
    buf_free(&visit->in);
    buf_free(&visit->out);
    free(visit);
}

static void visit_over(struct sim_visit *visit) {
    if (visit->machine)
        guest_path_carry(visit->sim, &visit->path, visit->took, visit->gave);
    visit_free(visit);
}

/* --- what servers do ------------------------------------------------------ */

static bool is_asked(const struct buf *in) {
    const char *end = in->data;
    size_t left = in->length;
    while (left && (end = memchr(end, '\n', left))) {
        size_t at = (size_t)(end + 1 - in->data);
        left = in->length - at;
        end++;
        if (left && *end == '\n')
            return true;
        if (left > 1 && end[0] == '\r' && end[1] == '\n')
            return true;
    }
    return false;
}

static void serve(struct sim_visit *visit, const char *text) {
    if (!is_asked(&visit->in) && !visit->ended &&
        visit->in.length <= MOST_ASKED)
        return;
    buf_printf(&visit->out,
               "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
               "Content-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
               strlen(text) + 1, text);
    visit->answered = true;
}

/* The first line says how many bytes will come. */
static bool read_count(struct sim_visit *visit) {
    const char *end = visit->in.length
                          ? memchr(visit->in.data, '\n', visit->in.length)
                          : NULL;
    size_t length = end ? (size_t)(end - visit->in.data) : 0;
    uint64_t count = 0;

    if (!end) {
        visit->answered = visit->ended || visit->in.length > MOST_DIGITS;
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(visit->in.data[i] - '0');
        visit->answered = visit->answered || digit > 9 || length >= MOST_DIGITS;
        count = count * 10 + digit;
    }
    buf_consume(&visit->in, length + 1);
    if (visit->answered)
        return false;
    visit->wanted = count;
    visit->counting = true;
    buf_printf(&visit->out, "%llu\n", (unsigned long long)count);
    return true;
}

static void receive(struct sim_visit *visit) {
    uint64_t length;
    if (!visit->counting && !read_count(visit))
        return;
    length = visit->in.length;
    visit->wanted -= length < visit->wanted ? length : visit->wanted;
    buf_clear(&visit->in);
    if (visit->wanted == 0 || visit->ended)
        visit->answered = true;
}

static void obey(struct sim_visit *visit) {
    const struct guest_server *server =
        guest_server_at(&visit->machine->guest.net, visit->port);
    if (!server || visit->in.failed)
        visit->answered = true;
    else if (server->text)
        serve(visit, server->text);
    else
        receive(visit);
}

/* --- bytes ---------------------------------------------------------------- */

/* False: the connection broke. */
static bool take_bytes(struct sim_visit *visit) {
    char bytes[16384];
    size_t got = sizeof bytes;
    while (got > 0 && !visit->ended && !visit->answered) {
        HRESULT hr =
            stream_read(visit->stream, bytes, sizeof bytes, &got, NULL);
        if (FAILED(hr))
            return false;
        visit->ended = hr == S_FALSE;
        visit->took += got;
        buf_add(&visit->in, bytes, got);
        obey(visit);
    }
    return true;
}

static bool give_bytes(struct sim_visit *visit) {
    size_t taken = 1;
    if (!visit->answered || visit->out.failed)
        return !visit->out.failed;
    while (visit->out.length > 0 && taken > 0) {
        if (FAILED(stream_write(visit->stream, visit->out.data,
                                visit->out.length, &taken, NULL)))
            return false;
        visit->gave += taken;
        buf_consume(&visit->out, taken);
    }
    return true;
}

static bool is_through(const struct sim_visit *visit) {
    return visit->answered && visit->out.length == 0 &&
           stream_flushed(visit->stream);
}

/* Whether its guest reads what comes. */
static bool is_served(const struct sim_visit *visit) {
    const struct machine *machine = visit->machine;
    return machine && guest_runs(machine) && !machine->guest.hung &&
           !machine->guest.dead;
}

static void go_on(struct sim_visit *visit) {
    unsigned events = 0;
    bool good = true;
    if (is_served(visit)) {
        good = take_bytes(visit) && give_bytes(visit);
        events = visit->answered ? STREAM_WRITABLE : STREAM_READABLE;
    }
    if (!good || is_through(visit) ||
        FAILED(stream_watch(visit->stream, events, NULL)))
        visit_over(visit);
}

static void on_ready(void *context, unsigned events) {
    struct sim_visit *visit = context;
    if ((events & STREAM_GONE) && !(events & STREAM_READABLE))
        visit_over(visit);
    else
        go_on(visit);
}

/* --- coming and going ----------------------------------------------------- */

static HRESULT accept_visitor(void *context, stream_native client,
                              struct hcs_error *error) {
    struct sim *sim = context;
    struct sim_visit *visit = sim->visitor;
    struct stream_set *set = console_set_streams(sim->consoles);
    struct stream *uninvited;
    HRESULT hr;
    if (visit && !visit->stream)
        return stream_open(set, client, on_ready, visit, &visit->stream, error);
    hr = stream_open(set, client, NULL, NULL, &uninvited, error);
    if (SUCCEEDED(hr))
        stream_close(uninvited);
    return E_ACCESSDENIED;
}

static HRESULT open_door(struct sim *sim, struct hcs_error *error) {
    static hcs_counter doors;
    char name[64];
    if (sim->door)
        return S_OK;
    snprintf(name, sizeof name, "\\\\.\\pipe\\hcs-tcp-%u-%u",
             (unsigned)os_process_id(), counter_up(&doors));
    return stream_listen(console_set_streams(sim->consoles), name,
                         accept_visitor, sim, &sim->door, error);
}

static HRESULT let_in(struct sim *sim, const struct guest_path *path,
                      stream_native *out, struct hcs_error *error) {
    struct sim_visit *visit = calloc(1, sizeof *visit);
    HRESULT hr = E_OUTOFMEMORY;
    if (!visit)
        return error_set(error, hr, NULL, "no memory for a connection");
    *visit = (struct sim_visit){.sim = sim,
                                .machine = path->peer,
                                .path = *path,
                                .port = path->verdict.destination_port};
    link_init(&visit->link);
    link_append(&sim->visits, &visit->link);
    hr = open_door(sim, error);
    sim->visitor = visit;
    if (SUCCEEDED(hr))
        hr = stream_listener_connect(sim->door, out, error);
    sim->visitor = NULL;
    if (FAILED(hr))
        visit_free(visit);
    else
        go_on(visit);
    return hr;
}

HRESULT sim_connect(struct sim *sim, const struct ip_address *address,
                    uint16_t port, stream_native *out,
                    struct hcs_error *error) {
    struct ip_address to = *address;
    struct guest_path path;

    if (!sim_plane(sim))
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "there are no networks");
    if (to.family == IP_NONE)
        ip_parse("127.0.0.1", &to);
    outside_reach(sim, &to, port, &path);
    if (path.reach == REACH_LOST)
        return error_set(error, HR_TIMEOUT, NULL,
                         "nobody answers at port %u: %s", port,
                         path.verdict.passed ? "its guest is not there"
                                             : path.verdict.reason);
    if (!guest_path_server(&path))
        return error_set(error, HR_CONNECTION_REFUSED, NULL,
                         "nobody listens on port %u", port);
    return let_in(sim, &path, out, error);
}

typedef void (*visit_fn)(struct sim_visit *visit);

static void each_of(struct machine *machine, visit_fn fn) {
    struct link *all = &machine->sim->visits, *next;
    for (struct link *l = all->next; l != all; l = next) {
        struct sim_visit *visit = HCS_CONTAINER(l, struct sim_visit, link);
        next = l->next;
        if (visit->machine == machine)
            fn(visit);
    }
}

void sim_visits_go_on(struct machine *machine) {
    each_of(machine, go_on);
}

void sim_visits_end(struct machine *machine) {
    each_of(machine, visit_over);
}

void sim_visits_close(struct sim *sim) {
    while (!link_alone(&sim->visits))
        visit_free(HCS_CONTAINER(sim->visits.next, struct sim_visit, link));
    stream_listener_close(sim->door);
}
