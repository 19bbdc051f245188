/* SPDX-License-Identifier: MIT
 * A console's clients. Each is but a place in the history, so that clients cost
 * the same however slow they are: one that falls behind what is kept is told
 * how much it missed and goes on from there. */
#include <stdlib.h>

#include "console_private.h"

#define INPUT_CHUNK 4096

struct client {
    struct link link;
    struct console *console; /* NULL: dead */
    struct stream *stream;
    uint64_t place;    /* in the guest's output, of the next byte to send */
    struct buf notice; /* to be sent before that */
    bool deaf;         /* it sends nothing any more */
    bool waiting;      /* for its stream to take more */
};

/* --- their lives ------------------------------------------------------ */

void console_clients_bury(struct console_set *set) {
    while (!link_alone(&set->dead)) {
        struct client *client =
            HCS_CONTAINER(set->dead.next, struct client, link);
        link_remove(&client->link);
        buf_free(&client->notice);
        free(client);
    }
}

static void drop(struct client *client) {
    struct console_set *set = client->console->set;
    stream_close(client->stream);
    client->stream = NULL;
    client->console = NULL;
    link_remove(&client->link);
    link_append(&set->dead, &client->link);
    if (!set->pumping)
        console_clients_bury(set);
}

void console_clients_drop(struct console *console) {
    while (!link_alone(&console->clients))
        drop(HCS_CONTAINER(console->clients.next, struct client, link));
}

static HRESULT watch(struct client *client, struct hcs_error *error) {
    return stream_watch(client->stream,
                        (client->deaf ? 0u : (unsigned)STREAM_READABLE) |
                            (client->waiting ? (unsigned)STREAM_WRITABLE : 0u),
                        error);
}

/* --- what they are sent ----------------------------------------------- */

/* A client that has fallen behind gets a notice and the oldest that is kept. */
static void skip_gap(struct client *client) {
    uint64_t next = history_next(&client->console->history, client->place);
    if (next == client->place)
        return;
    buf_clear(&client->notice);
    buf_printf(&client->notice,
               "\n[\xe2\x80\xa6 %llu bytes not kept \xe2\x80\xa6]\n",
               (unsigned long long)(next - client->place));
    if (client->notice.failed)
        buf_free(&client->notice);
    client->place = next;
}

/* *sent is 0 when there is no room now. */
static HRESULT send_some(struct client *client, size_t *sent) {
    const char *bytes = client->notice.data;
    size_t length = client->notice.length;
    bool notice = length > 0;
    HRESULT hr;
    if (!notice)
        bytes =
            history_piece(&client->console->history, client->place, &length);
    hr = stream_write(client->stream, bytes, length, sent, NULL);
    if (notice)
        buf_consume(&client->notice, *sent);
    else
        client->place += *sent;
    return hr;
}

static bool has_more(const struct client *client) {
    return client->notice.length > 0 ||
           client->place < client->console->history.total;
}

/* Sends what the client's stream takes. After the console's end it is dropped
 * when it has had all. */
static void feed(struct client *client) {
    bool ended = client->console->ended;
    size_t sent = 1;
    HRESULT hr = S_OK;
    bool waiting;
    while (sent > 0 && has_more(client)) {
        if (client->notice.length == 0)
            skip_gap(client);
        hr = send_some(client, &sent);
    }
    waiting = has_more(client) || (ended && !stream_flushed(client->stream));
    if (SUCCEEDED(hr) && waiting != client->waiting) {
        client->waiting = waiting;
        hr = watch(client, NULL);
    }
    if (FAILED(hr) || (ended && !waiting))
        drop(client);
}

void console_clients_feed(struct console *console) {
    struct link *next;
    for (struct link *l = console->clients.next; l != &console->clients;
         l = next) {
        struct client *client = HCS_CONTAINER(l, struct client, link);
        next = l->next;
        if (!client->waiting)
            feed(client);
    }
}

/* --- what they send --------------------------------------------------- */

/* Reads what the client typed. At its end only output is left to do. */
static void listen_to(struct client *client) {
    char bytes[INPUT_CHUNK];
    size_t count;
    struct console *console = client->console;
    HRESULT hr = stream_read(client->stream, bytes, sizeof bytes, &count, NULL);
    if (hr == S_FALSE) {
        client->deaf = true;
        hr = watch(client, NULL);
    } else if (count > 0 && console->input && !console->ended) {
        console->input(console->context, bytes, count);
    }
    if (FAILED(hr))
        drop(client);
}

static void ready(void *context, unsigned events) {
    struct client *client = context;
    if (events & STREAM_READABLE)
        listen_to(client);
    else if (events & STREAM_GONE)
        drop(client);
    if (client->console && (events & STREAM_WRITABLE))
        feed(client);
}

HRESULT console_client_add(struct console *console, stream_native native,
                           struct hcs_error *error) {
    struct client *client = calloc(1, sizeof *client);
    struct stream *stream;
    HRESULT hr = stream_open(console->set->streams, native, ready, client,
                             &stream, error);
    if (FAILED(hr) || !client) {
        if (SUCCEEDED(hr)) {
            stream_close(stream);
            hr = error_set(error, E_OUTOFMEMORY, NULL,
                           "no memory for a console's client");
        }
        free(client);
        return hr;
    }
    client->console = console;
    client->stream = stream;
    client->place = console->replay ? 0 : console->history.total;
    link_init(&client->link);
    link_append(&console->clients, &client->link);
    hr = watch(client, error);
    if (FAILED(hr))
        drop(client);
    else
        feed(client);
    return hr;
}
