/* SPDX-License-Identifier: MIT
 * The inside of consoles, for console*.c only. */
#ifndef HCS_CONSOLE_PRIVATE_H
#define HCS_CONSOLE_PRIVATE_H

#include "../../base/list.h"
#include "console.h"
#include "history.h"

struct console_set {
    struct stream_set *streams;
    bool pumping;
    struct link consoles;
    struct link dead; /* clients that a pump under way may still name */
};

struct console {
    struct link link;
    struct console_set *set;
    void (*input)(void *context, const char *bytes, size_t length);
    void *context;
    bool replay;
    bool ended;
    struct link clients;
    struct history history;
    struct stream_listener *listener; /* NULL: nobody can connect by name */
};

/* Clients (console_client.c). Takes `native` over. */
HRESULT console_client_add(struct console *console, stream_native native,
                           struct hcs_error *error);
/* Sends each client what it takes, and drops those that have had all. */
void console_clients_feed(struct console *console);
void console_clients_drop(struct console *console);
void console_clients_bury(struct console_set *set);

#endif
