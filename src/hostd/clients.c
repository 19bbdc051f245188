/* SPDX-License-Identifier: MIT
 * Connections. Each ends with its socket or its process, whichever is first: a
 * child of the client may hold the socket on. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../vmwp/protocol.h"
#include "daemon.h"

/* Of what a client does not read: with this much it is heard no more until it
 * reads, with this much it is dropped. Replies come one by one, so only events
 * and a reply that is large itself get that far. */
#define OUTPUT_ENOUGH ((size_t)1 << 20)
#define OUTPUT_LIMIT (2 * FRAME_LIMIT)

/* With a client that is told why there is no service. */
#define PATIENCE_MS 2000

/* How long nobody is let in where there are no descriptors. */
#define PAUSE_MS 100

static void on_poll(uv_poll_t *poll, int status, int events);

/* --- the end of a connection ---------------------------------------------- */

static void on_closed(uv_handle_t *handle) {
    struct client *client = handle->data;

    if (--client->handles > 0)
        return;
    if (client->pidfd >= 0)
        close(client->pidfd);
    channel_close(&client->channel);
    free(client);
}

void client_drop(struct client *client) {
    if (client->gone)
        return;
    client->gone = true;
    client->listens = false;
    link_remove(&client->link);
    uv_close((uv_handle_t *)&client->poll, on_closed);
    if (client->pidfd >= 0)
        uv_close((uv_handle_t *)&client->peer, on_closed);
    holds_end(client);
}

void clients_drop_all(struct daemon *daemon) {
    while (!link_alone(&daemon->clients))
        client_drop(HCS_CONTAINER(daemon->clients.next, struct client, link));
}

/* --- output --------------------------------------------------------------- */

/* Whether it is not to be heard now. */
static bool is_waiting(const struct client *client) {
    return client->daemon->loader || client->channel.out.length > OUTPUT_ENOUGH;
}

static void watch(struct client *client) {
    int events = is_waiting(client) ? 0 : UV_READABLE;

    if (client->channel.out.length > 0)
        events |= UV_WRITABLE;
    uv_poll_start(&client->poll, events, on_poll);
}

static void flush(struct client *client) {
    if (client->gone)
        return;
    if (FAILED(channel_flush(&client->channel, NULL)))
        client_drop(client);
    else
        watch(client);
}

void clients_hear(struct daemon *daemon) {
    for (struct link *l = daemon->clients.next; l != &daemon->clients;
         l = l->next)
        watch(HCS_CONTAINER(l, struct client, link));
}

void client_send(struct client *client, const struct hostd_message *message,
                 int fd) {
    if (client->gone) {
        if (fd >= 0)
            close(fd);
        return;
    }
    /* The end is better than an answer that never comes. */
    if (FAILED(channel_send(&client->channel, message, fd, NULL)) ||
        client->channel.out.length > OUTPUT_LIMIT)
        client_drop(client);
    else
        flush(client);
}

void clients_tell(void *context, const struct net_event *event) {
    struct daemon *daemon = context;
    const struct hostd_message message = {
        .kind = HOSTD_EVENT,
        .type = (int)event->type,
        .status = event->status,
        .id = event->id,
        .document = event->document,
    };

    for (struct link *l = daemon->clients.next; l != &daemon->clients;
         l = l->next) {
        struct client *client = HCS_CONTAINER(l, struct client, link);

        if (client->listens &&
            (FAILED(channel_send(&client->channel, &message, -1, NULL)) ||
             client->channel.out.length > OUTPUT_LIMIT))
            client->deaf = true;
    }
    daemon->told = true;
}

/* Who has missed one must not think that he has heard them all. That a client
 * is dropped may be told to others, but drops none of them. */
void clients_flush(struct daemon *daemon) {
    struct link *next;

    while (daemon->told) {
        daemon->told = false;
        for (struct link *l = daemon->clients.next; l != &daemon->clients;
             l = next) {
            struct client *client = HCS_CONTAINER(l, struct client, link);

            next = l->next;
            if (client->deaf)
                client_drop(client);
            else if (client->channel.out.length > 0)
                flush(client);
        }
    }
}

/* --- input ---------------------------------------------------------------- */

/* One message; S_OK when there was one and all is well. */
static HRESULT handle_next(struct client *client) {
    struct hostd_message message;
    struct json_doc doc;
    int fd = -1;
    HRESULT hr = channel_next(&client->channel, &message, &doc, &fd, NULL);

    if (hr != S_OK)
        return hr;
    if (!request_handle(client, &message, fd))
        hr = HCS_E_PROTOCOL_ERROR;
    if (fd >= 0)
        close(fd);
    json_doc_free(&doc);
    return hr;
}

static void handle_input(struct client *client) {
    HRESULT hr = S_OK;

    while (hr == S_OK && !client->gone && !is_waiting(client))
        hr = handle_next(client);
    if (FAILED(hr))
        client_drop(client);
}

static void client_read(struct client *client) {
    HRESULT hr = channel_receive(&client->channel, NULL);

    if (FAILED(hr))
        client_drop(client);
    else if (hr == S_OK)
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
    if (!(events & UV_WRITABLE) || client->gone)
        return;
    flush(client);
    if (!client->gone && !is_waiting(client))
        handle_input(client); /* what waited for room */
}

/* What it sent before its end is still to be done. */
static void peer_ended(struct client *client) {
    while (!client->gone && !is_waiting(client)) {
        char byte;

        if (recv(client->channel.fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) <= 0)
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

    if (getsockopt(client->channel.fd, SOL_SOCKET, SO_PEERCRED, &peer,
                   &length) != 0 ||
        peer.pid <= 0 || peer.pid == getpid())
        return true;
    client->pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
    if (client->pidfd < 0)
        return errno != ESRCH;
    if (uv_poll_init(&client->daemon->loop, &client->peer, client->pidfd) !=
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

static void say_hello(struct client *client) {
    const struct hostd_message message = {
        .kind = HOSTD_HELLO, .version = HOSTD_VERSION, .process = getpid()};

    client_send(client, &message, -1);
}

void client_refuse(int fd, const struct hcs_error *error) {
    const struct hostd_message hello = {.kind = HOSTD_HELLO,
                                        .version = HOSTD_VERSION,
                                        .process = getpid(),
                                        .result = error->code,
                                        .text = error->text};
    struct channel channel;

    channel_open(&channel, fd);
    if (SUCCEEDED(channel_send(&channel, &hello, -1, NULL)))
        while (channel_flush(&channel, NULL) == S_FALSE) {
            struct pollfd room = {channel.fd, POLLOUT, 0};

            if (poll(&room, 1, PATIENCE_MS) <= 0)
                break;
        }
    channel_close(&channel);
}

HRESULT client_add(struct daemon *daemon, int fd, struct hcs_error *error) {
    struct client *client = calloc(1, sizeof *client);
    bool there;

    if (!client || uv_poll_init(&daemon->loop, &client->poll, fd) != 0) {
        free(client);
        close(fd);
        return error_set(error, E_OUTOFMEMORY, NULL, "a connection");
    }
    client->daemon = daemon;
    client->pidfd = -1;
    client->handles = 1;
    client->poll.data = client;
    channel_open(&client->channel, fd);
    link_init(&client->link);
    link_init(&client->holds);
    link_append(&daemon->clients, &client->link);
    there = watch_peer(client);
    watch(client);
    say_hello(client);
    if (!there)
        peer_ended(client);
    return S_OK;
}

static void on_connection(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer) {
    struct daemon *daemon = timer->data;

    if (daemon->listening)
        uv_poll_start(&daemon->listener, UV_READABLE, on_connection);
}

/* They wait until others have left. */
static void rest(struct daemon *daemon) {
    uv_poll_stop(&daemon->listener);
    uv_timer_start(&daemon->pause, on_pause_over, PAUSE_MS, 0);
}

static void on_connection(uv_poll_t *poll, int status, int events) {
    struct daemon *daemon = poll->data;
    struct ucred peer;
    socklen_t length = sizeof peer;
    int fd;

    (void)events;
    if (status < 0)
        return;
    fd = accept4(daemon->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
            errno == ENOMEM)
            rest(daemon);
        return;
    }
    /* The directory keeps others out; this is the second lock. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
        (peer.uid != geteuid() && peer.uid != 0)) {
        close(fd);
        return;
    }
    client_add(daemon, fd, NULL);
}

/* The one of a process that died lies there. */
HRESULT clients_listen(struct daemon *daemon, struct hcs_error *error) {
    HRESULT hr;

    unlinkat(daemon->directory, HOSTD_SOCKET, 0);
    hr = socket_listen(daemon->directory, HOSTD_SOCKET, &daemon->listen_fd,
                       error);
    if (FAILED(hr))
        return hr;
    if (uv_poll_init(&daemon->loop, &daemon->listener, daemon->listen_fd) !=
        0) {
        close(daemon->listen_fd);
        return error_set(error, HR_NO_SYSTEM_RESOURCES, NULL, "the socket");
    }
    daemon->listener.data = daemon;
    daemon->listening = true;
    uv_poll_start(&daemon->listener, UV_READABLE, on_connection);
    return S_OK;
}

/* What cannot be now is tried with the next that is removed. */
void clients_listen_again(struct daemon *daemon) {
    int fd = -1;

    if (!daemon->listening ||
        FAILED(socket_listen(daemon->directory, HOSTD_SOCKET, &fd, NULL)))
        return;
    uv_poll_stop(&daemon->listener);
    if (dup3(fd, daemon->listen_fd, O_CLOEXEC) < 0)
        unlinkat(daemon->directory, HOSTD_SOCKET, 0);
    close(fd);
    uv_poll_start(&daemon->listener, UV_READABLE, on_connection);
}

void clients_stop_listening(struct daemon *daemon) {
    if (!daemon->listening)
        return;
    daemon->listening = false;
    unlinkat(daemon->directory, HOSTD_SOCKET, 0);
    uv_close((uv_handle_t *)&daemon->listener, NULL);
    close(daemon->listen_fd);
}
