/* SPDX-License-Identifier: MIT
 * Real systems, each in a worker process that any process of the user can
 * reach through the state root. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store_worker_private.h"

/* Events handled by one pump, so that it comes to an end. */
#define PUMP_MOST 64

/* --- systems -------------------------------------------------------------- */

/* The socket's own end, and a worker on the other. */
static HRESULT start_on(struct worker_store *store, const char *runtime_id,
                        int lock, int *socket, pid_t *starter,
                        struct hcs_error *error) {
    int fds[2];
    HRESULT hr;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        return error_errno(error, errno, "a socket");
    hr = worker_start(store, runtime_id, fds[1], lock, starter, error);
    close(fds[1]);
    if (FAILED(hr))
        close(fds[0]);
    else
        *socket = fds[0];
    return hr;
}

/* With the root's lock held: sweeps, takes the id, starts the worker. */
static HRESULT start_locked(struct worker_store *store, const char *id,
                            int *socket, pid_t *starter,
                            struct hcs_error *error) {
    char runtime_id[37];
    HRESULT hr;
    int lock;

    root_sweep(store->root);
    if (!store->swept)
        grants_sweep(store->root);
    store->swept = true;
    vm_runtime_id_of(id, runtime_id);
    hr = system_make(store->root, runtime_id, &lock, error);
    if (hr == HCS_E_SYSTEM_ALREADY_EXISTS)
        return error_set(error, hr, NULL, "there is a system \"%s\" already",
                         id);
    if (FAILED(hr))
        return hr;
    hr = start_on(store, runtime_id, lock, socket, starter, error);
    close(lock); /* the worker has it */
    if (FAILED(hr))
        system_remove(store->root, runtime_id);
    return hr;
}

static HRESULT start(struct worker_store *store, const char *id, int *socket,
                     pid_t *starter, struct hcs_error *error) {
    char runtime_id[37];
    HRESULT hr;
    int lock;

    vm_runtime_id_of(id, runtime_id);
    files_await_end(store, runtime_id);
    hr = root_lock(store->root, &lock, error);
    if (FAILED(hr))
        return hr;
    hr = start_locked(store, id, socket, starter, error);
    close(lock);
    return hr;
}

static void ask_to_create(struct store_line *line, const char *document,
                          struct store_request request) {
    struct worker_store *store = line->store;
    struct message message;

    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_CREATE;
    message.id = line->id;
    message.document = document;
    message.build = store->config.build;
    message.open = store->config.access_open;
    message.replay = !store->config.strict;
    message.allow_host_change = store->config.allow_host_change;
    message.accelerator = store->accelerator;
    message.qemu = store->qemu;
    line_request(line, &message, request);
}

static HRESULT worker_create(struct store *base, const char *id,
                             struct json_doc *document, struct store_sink *sink,
                             struct store_request request,
                             struct store_line **out, struct hcs_error *error) {
    struct worker_store *store = worker_store_of(base);
    struct buf text = {0};
    struct json_writer w = {&text, false};
    pid_t starter = 0;
    int socket = -1;
    HRESULT hr;

    json_put_value(&w, document->root);
    json_doc_free(document);
    if (text.failed) {
        hr = error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
        goto out;
    }
    accelerator_find(store);
    hr = start(store, id, &socket, &starter, error);
    if (FAILED(hr))
        goto out;
    hr = line_new(store, id, socket, sink, out, error);
    if (FAILED(hr))
        goto out; /* the worker ends with its connection */
    (*out)->starter = starter;
    ask_to_create(*out, text.data, request);

out:
    buf_free(&text);
    return hr;
}

static HRESULT not_found(const char *id, struct hcs_error *error) {
    return error_set(error, HCS_E_SYSTEM_NOT_FOUND, NULL,
                     "there is no system \"%s\"", id);
}

static HRESULT worker_open(struct store *base, const char *id,
                           struct store_sink *sink, struct store_line **out,
                           struct hcs_error *error) {
    struct worker_store *store = worker_store_of(base);
    char runtime_id[37];
    int directory, socket;
    HRESULT hr;

    vm_runtime_id_of(id, runtime_id);
    if (!system_alive(store->root, runtime_id))
        return not_found(id, error);
    directory =
        openat(store->root, runtime_id, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return not_found(id, error);
    hr = socket_connect(directory, "socket", &socket, error);
    close(directory);
    if (hr == HR_FILE_NOT_FOUND)
        return not_found(id, error);
    return SUCCEEDED(hr) ? line_new(store, id, socket, sink, out, error) : hr;
}

/* --- the whole ------------------------------------------------------------ */

static void worker_describe(struct store *base, struct json_writer *w) {
    struct worker_store *store = worker_store_of(base);

    accelerator_find(store);
    json_pair_string(w, "Root", store->root_path);
    json_pair_string(w, "Accelerator", store->accelerator);
    json_pair_string(w, "AcceleratorReason", store->reason);
}

static hcs_waitable worker_waitable(struct store *base) {
    return worker_store_of(base)->epoll;
}

/* One event at a time: handling one may free the line of another. */
static bool worker_pump(struct store *base) {
    struct worker_store *store = worker_store_of(base);
    struct epoll_event event;
    int count = 0;

    while (count < PUMP_MOST && epoll_wait(store->epoll, &event, 1, 0) == 1) {
        line_handle(event.data.ptr, event.events);
        count++;
    }
    return count > 0;
}

static void worker_destroy(struct store *base) {
    struct worker_store *store = worker_store_of(base);

    while (!link_alone(&store->lines))
        line_end(HCS_CONTAINER(store->lines.next, struct store_line, link));
    if (store->epoll >= 0)
        close(store->epoll);
    if (store->root >= 0)
        close(store->root);
    free(store);
}

const char *store_worker_root(const struct store *base, int *root) {
    const struct worker_store *store =
        HCS_CONTAINER(base, const struct worker_store, store);

    *root = store->root;
    return store->root_path;
}

static const struct store_ops ops = {
    .create = worker_create,
    .open = worker_open,
    .submit = line_submit,
    .close = line_close,
    .abandon = line_abandon,
    .enumerate = files_enumerate,
    .grant = files_grant,
    .revoke = files_revoke,
    .create_file = files_create,
    .pipe_connect = files_pipe_connect,
    .pipe_path = files_pipe_path,
    .inventory = files_inventory,
    .describe = worker_describe,
    .waitable = worker_waitable,
    .pump = worker_pump,
    .destroy = worker_destroy,
};

static HRESULT open_parts(struct worker_store *store, struct hcs_error *error) {
    HRESULT hr = programs_find(store, error);

    if (SUCCEEDED(hr))
        hr = root_choose(store->config.root, store->root_path, error);
    if (SUCCEEDED(hr))
        hr = root_open(store->root_path, &store->root, error);
    if (FAILED(hr))
        return hr;
    store->epoll = epoll_create1(EPOLL_CLOEXEC);
    return store->epoll < 0 ? error_errno(error, errno, "epoll") : S_OK;
}

HRESULT store_worker_open(const struct store_config *config, struct store **out,
                          struct hcs_error *error) {
    struct worker_store *store = calloc(1, sizeof *store);
    HRESULT hr;

    if (!store)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    store->store.ops = &ops;
    store->config = *config;
    store->root = -1;
    store->epoll = -1;
    link_init(&store->lines);
    hr = open_parts(store, error);
    if (FAILED(hr)) {
        worker_destroy(&store->store);
        return hr;
    }
    *out = &store->store;
    return S_OK;
}
