/* SPDX-License-Identifier: MIT
 * Consoles keep what was printed once, for all of their clients. */
#include <stdlib.h>

#include "console_private.h"

/* --- sets ------------------------------------------------------------- */

HRESULT console_set_create(struct console_set **out, struct hcs_error *error) {
    struct console_set *set = calloc(1, sizeof *set);
    HRESULT hr;
    if (!set)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for consoles");
    link_init(&set->consoles);
    link_init(&set->dead);
    hr = stream_set_create(&set->streams, error);
    if (FAILED(hr))
        free(set);
    else
        *out = set;
    return hr;
}

void console_set_destroy(struct console_set *set) {
    if (!set)
        return;
    while (!link_alone(&set->consoles))
        console_destroy(
            HCS_CONTAINER(set->consoles.next, struct console, link));
    console_clients_bury(set);
    stream_set_destroy(set->streams);
    free(set);
}

struct stream_set *console_set_streams(const struct console_set *set) {
    return set->streams;
}

hcs_waitable console_set_waitable(const struct console_set *set) {
    return stream_set_waitable(set->streams);
}

bool console_set_pump(struct console_set *set) {
    bool did;
    set->pumping = true;
    did = stream_set_pump(set->streams);
    set->pumping = false;
    console_clients_bury(set);
    return did;
}

bool console_set_idle(const struct console_set *set) {
    for (struct link *l = set->consoles.next; l != &set->consoles; l = l->next)
        if (!link_alone(&HCS_CONTAINER(l, struct console, link)->clients))
            return false;
    return true;
}

/* --- consoles --------------------------------------------------------- */

HRESULT console_create(struct console_set *set, bool replay,
                       void (*input)(void *context, const char *bytes,
                                     size_t length),
                       void *context, struct console **out,
                       struct hcs_error *error) {
    struct console *console = calloc(1, sizeof *console);
    if (!console)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a console");
    console->set = set;
    console->replay = replay;
    console->input = input;
    console->context = context;
    link_init(&console->clients);
    link_append(&set->consoles, &console->link);
    *out = console;
    return S_OK;
}

void console_destroy(struct console *console) {
    if (!console)
        return;
    stream_listener_close(console->listener);
    console_clients_drop(console);
    link_remove(&console->link);
    history_free(&console->history);
    free(console);
}

void console_output(struct console *console, const char *bytes, size_t length) {
    if (length == 0)
        return;
    history_add(&console->history, bytes, length);
    console_clients_feed(console);
}

void console_end(struct console *console) {
    console_unlisten(console);
    console->ended = true;
    console_clients_feed(console);
}

void console_tail(const struct console *console, size_t most, struct buf *out) {
    history_tail(&console->history, most, out);
}

/* --- where clients come from ------------------------------------------ */

HRESULT console_attach(struct console *console, stream_native client,
                       struct hcs_error *error) {
    return console_client_add(console, client, error);
}

static HRESULT accept_client(void *context, stream_native client,
                             struct hcs_error *error) {
    return console_client_add(context, client, error);
}

HRESULT console_listen(struct console *console, const char *name,
                       struct hcs_error *error) {
    struct stream_listener *listener;
    HRESULT hr = stream_listen(console->set->streams, name, accept_client,
                               console, &listener, error);
    if (FAILED(hr))
        return hr;
    console_unlisten(console);
    console->listener = listener;
    return hr;
}

void console_unlisten(struct console *console) {
    struct stream_listener *listener = console->listener;
    console->listener = NULL;
    stream_listener_close(listener);
}

HRESULT console_connect(struct console *console, stream_native *out,
                        struct hcs_error *error) {
    return stream_listener_connect(console->listener, out, error);
}
