/* SPDX-License-Identifier: MIT
 * Connections. Each is one handle and ends with its socket or its process,
 * whichever is first: a child of the client may hold the socket on. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client.h"

/* Replies that a client does not read; it is dropped beyond. */
#define OUTPUT_LIMIT ((size_t)64 << 20)

static void on_poll(uv_poll_t *poll, int status, int events);

/* --- the end of a connection ---------------------------------------------- */

static void on_closed(uv_handle_t *handle) {
    struct client *client = handle->data;

    if (--client->handles > 0)
        return;
    if (client->pidfd >= 0)
        close(client->pidfd);
    close(client->fd);
    buf_free(&client->in);
    buf_free(&client->out);
    free(client);
}

size_t clients_handles(const struct worker *worker) {
    size_t count = 0;

    for (struct link *l = worker->clients.next; l != &worker->clients;
         l = l->next)
        count += !HCS_CONTAINER(l, struct client, link)->handle_closed;
    return count;
}

bool clients_flushed(const struct worker *worker) {
    for (struct link *l = worker->clients.next; l != &worker->clients;
         l = l->next)
        if (HCS_CONTAINER(l, struct client, link)->out.length > 0)
            return false;
    return true;
}

/* The handle is no more; the connection may stay for answers. */
static void close_handle(struct client *client) {
    struct worker *worker = client->worker;

    if (client->handle_closed)
        return;
    client->handle_closed = true;
    if (client->watching)
        vm_unwatch(&client->watcher);
    client->watching = false;
    if (worker->vm)
        vm_handle_closed(worker->vm, clients_handles(worker));
}

void client_drop(struct client *client) {
    if (client->gone)
        return;
    client->gone = true;
    link_remove(&client->link);
    requests_forget(client);
    close_handle(client);
    uv_close((uv_handle_t *)&client->poll, on_closed);
    if (client->pidfd >= 0)
        uv_close((uv_handle_t *)&client->peer, on_closed);
}

void clients_drop_all(struct worker *worker) {
    while (!link_alone(&worker->clients))
        client_drop(HCS_CONTAINER(worker->clients.next, struct client, link));
}

/* --- output --------------------------------------------------------------- */

static void client_flush(struct client *client) {
    while (client->out.length > 0) {
        ssize_t sent = send(client->fd, client->out.data, client->out.length,
                            MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN) {
            client_drop(client);
            return;
        }
        if (sent < 0)
            break;
        buf_consume(&client->out, (size_t)sent);
    }
    if (client->out.length == 0 && client->handle_closed &&
        link_alone(&client->requests)) {
        client_drop(client);
        return;
    }
    uv_poll_start(&client->poll,
                  client->out.length ? UV_READABLE | UV_WRITABLE : UV_READABLE,
                  on_poll);
}

void client_send(struct client *client, const struct message *message) {
    if (client->gone)
        return;
    if (FAILED(message_write(&client->out, message, NULL)) ||
        client->out.length > OUTPUT_LIMIT) {
        client_drop(client); /* better than an answer that never comes */
        return;
    }
    client_flush(client);
}

static void say_hello(struct client *client) {
    struct message message;

    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_HELLO;
    message.type = PROTOCOL_VERSION;
    message.process = getpid();
    message.id = client->worker->vm ? vm_id(client->worker->vm) : NULL;
    client_send(client, &message);
}

/* --- input ---------------------------------------------------------------- */

static void on_message(struct client *client, const struct message *message) {
    switch (message->kind) {
    case MESSAGE_CREATE:
        request_create(client, message);
        return;
    case MESSAGE_SUBMIT:
        request_submit(client, message);
        return;
    case MESSAGE_CLOSE:
        close_handle(client);
        if (!client->gone)
            client_flush(client);
        return;
    case MESSAGE_HELLO:
    case MESSAGE_REPLY:
    case MESSAGE_EVENT:
        client_drop(client);
        return;
    }
}

static void handle_input(struct client *client) {
    while (!client->gone && !client->handle_closed) {
        struct message message;
        struct json_doc doc;
        HRESULT hr = message_read(&client->in, &message, &doc, NULL);

        if (hr == S_FALSE)
            return;
        if (FAILED(hr)) {
            client_drop(client);
            return;
        }
        on_message(client, &message);
        json_doc_free(&doc);
    }
}

static void client_read(struct client *client) {
    char bytes[65536];
    ssize_t got = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        client_drop(client);
        return;
    }
    buf_add(&client->in, bytes, (size_t)got);
    if (client->in.failed)
        client_drop(client);
    else
        handle_input(client);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    struct client *client = poll->data;

    if (status < 0) {
        client_drop(client);
        return;
    }
    if (events & UV_READABLE)
        client_read(client);
    if ((events & UV_WRITABLE) && !client->gone)
        client_flush(client);
}

/* What it sent before its end is still to be done. */
static void peer_ended(struct client *client) {
    while (!client->gone) {
        char byte;

        if (recv(client->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) <= 0)
            break;
        client_read(client);
    }
    client_drop(client);
}

static void on_peer(uv_poll_t *poll, int status, int events) {
    (void)status;
    (void)events;
    peer_ended(poll->data);
}

/* --- the beginning of a connection ---------------------------------------- */

/* The peer's process, as a descriptor that becomes readable when it ends.
 * False when it has ended already. */
static bool watch_peer(struct client *client) {
    struct ucred peer;
    socklen_t length = sizeof peer;

    client->pidfd = -1;
    if (getsockopt(client->fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
        peer.pid <= 0 || peer.pid == getpid())
        return true;
    client->pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
    if (client->pidfd < 0)
        return errno != ESRCH;
    if (uv_poll_init(&client->worker->loop, &client->peer, client->pidfd) !=
        0) {
        close(client->pidfd);
        client->pidfd = -1;
        return true;
    }
    client->peer.data = client;
    client->handles++;
    uv_poll_start(&client->peer, UV_READABLE, on_peer);
    return true;
}

HRESULT client_add(struct worker *worker, int fd, struct hcs_error *error) {
    struct client *client = calloc(1, sizeof *client);
    bool there;

    if (!client || uv_poll_init(&worker->loop, &client->poll, fd) != 0) {
        free(client);
        close(fd);
        return error_set(error, E_OUTOFMEMORY, NULL, "a connection");
    }
    client->worker = worker;
    client->fd = fd;
    client->poll.data = client;
    client->handles = 1;
    link_init(&client->requests);
    link_init(&client->watcher.link);
    link_append(&worker->clients, &client->link);
    there = watch_peer(client);
    uv_poll_start(&client->poll, UV_READABLE, on_poll);
    say_hello(client);
    if (!client->gone)
        client_watch(client);
    if (!there)
        peer_ended(client);
    return S_OK;
}

static void on_connection(uv_poll_t *poll, int status, int events) {
    struct worker *worker = poll->data;
    struct ucred peer;
    socklen_t length = sizeof peer;
    int fd;

    (void)events;
    if (status < 0)
        return;
    fd = accept4(worker->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    /* The directory keeps others out; this is the second lock. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
        (peer.uid != geteuid() && peer.uid != 0)) {
        close(fd);
        return;
    }
    client_add(worker, fd, NULL);
}

HRESULT clients_listen(struct worker *worker, struct hcs_error *error) {
    HRESULT hr;
    int directory = openat(worker->root, worker->runtime_id,
                           O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (directory < 0)
        return error_errno(error, errno, "the system's directory");
    hr = socket_listen(directory, "socket", &worker->listen_fd, error);
    close(directory);
    if (FAILED(hr))
        return hr;
    if (uv_poll_init(&worker->loop, &worker->listener, worker->listen_fd) !=
        0) {
        close(worker->listen_fd);
        return error_set(error, HR_NO_SYSTEM_RESOURCES, NULL, "the socket");
    }
    worker->listener.data = worker;
    worker->listening = true;
    uv_poll_start(&worker->listener, UV_READABLE, on_connection);
    return S_OK;
}

void clients_stop_listening(struct worker *worker) {
    if (!worker->listening)
        return;
    worker->listening = false;
    uv_close((uv_handle_t *)&worker->listener, NULL);
    close(worker->listen_fd);
}
