/* SPDX-License-Identifier: MIT
 * A worker and clients that are not ours: whatever they send, in whatever
 * order they come and go, the worker lives, and everything is freed with it.
 * The machine is a simulated one.
 *
 * Each line of the input is a step; its first two letters say what and which
 * of the clients: "o0" connects, "c0" goes, "r0" reads, "m0…" sends a message,
 * "b0…" sends bytes as they are, "t0" lets time pass. */
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "vmwp/worker.h"

#define CLIENTS 4
#define STEPS 40

static struct sim *sim;
static struct machine_ops machine;

/* --- the machine --------------------------------------------------------- */

static HRESULT create(const struct machine_env *env,
                      const struct machine_config *config, machine_done done,
                      void *context, struct machine **out,
                      struct hcs_error *error) {
    struct machine_env own = *env;

    own.platform = sim;
    return sim_machine_ops()->create(&own, config, done, context, out, error);
}

/* The input may name any file, so none is written. */
static void save(struct machine *vm, enum machine_save_kind kind,
                 const char *path, machine_done done, void *context) {
    struct hcs_error error;

    if (kind == MACHINE_SAVE_TEMPLATE) {
        sim_machine_ops()->save(vm, kind, path, done, context);
        return;
    }
    error_set(&error, E_ACCESSDENIED, NULL, "no file is written here");
    done(context, error.code, &error);
}

static void dump(struct machine *vm, const char *path,
                 const struct machine_dump_options *options, uint64_t *written,
                 machine_done done, void *context) {
    (void)options;
    (void)written;
    save(vm, MACHINE_SAVE_FILE, path, done, context);
}

const struct machine_ops *qemu_machine_ops(void) {
    machine = *sim_machine_ops();
    machine.create = create;
    machine.save = save;
    machine.dump = dump;
    return &machine;
}

void platform_fill(struct worker *worker, const struct message *message) {
    (void)worker;
    (void)message;
}

bool platform_has_clones(struct worker *worker) {
    (void)worker;
    return false;
}

HRESULT platform_find_template(struct worker *worker, const char *runtime_id,
                               struct hcs_error *error) {
    (void)worker;
    return error_set(error, HCS_E_SYSTEM_NOT_FOUND, NULL, "no %s", runtime_id);
}

/* --- the worker ---------------------------------------------------------- */

static int64_t hours; /* of virtual time that steps let pass */

static int64_t now(void *context) {
    (void)context;
    return hours * INT64_C(3600000000000);
}

static void open_worker(struct worker *worker) {
    struct sim_options options = {.seed = 1};
    struct sim_env env = {.timers = &worker->timers, .now = now};

    memset(worker, 0, sizeof *worker);
    hours = 1;
    link_init(&worker->clients);
    worker->root = -1;
    worker->lock = -1;
    worker->removed = true; /* there is no directory */
    vm_runtime_id_of("a", worker->runtime_id);
    require(uv_loop_init(&worker->loop) == 0);
    require(sim_open(&options, &env, &sim, NULL) == S_OK);
}

static void run(struct worker *worker) {
    for (int i = 0; i < 50; i++) {
        uv_run(&worker->loop, UV_RUN_NOWAIT);
        sim_pump(sim);
        if (!timers_fire_one(&worker->timers, now(NULL)))
            break;
    }
}

static void close_worker(struct worker *worker) {
    clients_drop_all(worker);
    require(clients_handles(worker) == 0 && clients_flushed(worker));
    vm_destroy(worker->vm);
    worker->vm = NULL;
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    require(uv_loop_close(&worker->loop) == 0);
    sim_close(sim);
    timers_free(&worker->timers);
}

/* --- the clients --------------------------------------------------------- */

struct client_end {
    int fd; /* -1: not connected */
    struct buf in;
};

static void connect_one(struct worker *worker, struct client_end *client) {
    int fds[2];

    if (client->fd >= 0)
        return;
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                       fds) == 0);
    client->fd = fds[0];
    require(client_add(worker, fds[1], NULL) == S_OK);
}

static void disconnect(struct client_end *client) {
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    buf_free(&client->in);
}

/* What a worker sends is whole messages, and of its kinds. */
static void read_all(struct client_end *client) {
    char bytes[4096];
    struct message message;
    struct json_doc doc;
    ssize_t got;
    HRESULT hr;

    while (client->fd >= 0 &&
           (got = recv(client->fd, bytes, sizeof bytes, 0)) > 0)
        buf_add(&client->in, bytes, (size_t)got);
    while ((hr = message_read(&client->in, &message, &doc, NULL)) == S_OK) {
        require(message.kind == MESSAGE_HELLO ||
                message.kind == MESSAGE_REPLY || message.kind == MESSAGE_EVENT);
        json_doc_free(&doc);
    }
    require(hr == S_FALSE);
}

static void send_bytes(struct client_end *client, const char *bytes,
                       size_t length) {
    if (client->fd >= 0)
        (void)!send(client->fd, bytes, length, MSG_NOSIGNAL);
}

static void send_message(struct client_end *client, const char *text,
                         size_t length) {
    char head[4];

    for (int i = 0; i < 4; i++)
        head[i] = (char)(unsigned char)(length >> (8 * i));
    send_bytes(client, head, sizeof head);
    send_bytes(client, text, length);
}

static void do_step(struct worker *worker, struct client_end *clients,
                    struct input *input) {
    size_t length;
    const char *line = take_until(input, '\n', &length);
    struct client_end *client;

    if (length < 2)
        return;
    client = &clients[(unsigned char)line[1] % CLIENTS];
    switch (line[0]) {
    case 'o':
        connect_one(worker, client);
        break;
    case 'c':
        disconnect(client);
        break;
    case 'r':
        read_all(client);
        break;
    case 'm':
        send_message(client, line + 2, length - 2);
        return; /* several may arrive at once */
    case 'b':
        send_bytes(client, line + 2, length - 2);
        return;
    case 't':
        hours++;
        break;
    default:
        break;
    }
    run(worker);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct worker worker;
    struct client_end clients[CLIENTS];
    struct input input = {data, size};

    open_worker(&worker);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = (struct client_end){.fd = -1};
    connect_one(&worker, &clients[0]);
    for (int i = 0; i < STEPS && input.left > 0; i++)
        do_step(&worker, clients, &input);
    run(&worker);
    if (size % 2 == 0)
        for (int i = 0; i < CLIENTS; i++)
            disconnect(&clients[i]);
    run(&worker);
    close_worker(&worker);
    for (int i = 0; i < CLIENTS; i++) {
        read_all(&clients[i]);
        disconnect(&clients[i]);
    }
    return 0;
}
