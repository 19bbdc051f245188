/* SPDX-License-Identifier: MIT
 * One connection: clients.c reads and writes it, requests.c does what it asks
 * for. */
#ifndef HCS_VMWP_CLIENT_H
#define HCS_VMWP_CLIENT_H

#include "worker.h"

struct client {
    struct link link; /* in worker->clients */
    struct worker *worker;
    uv_poll_t poll;
    uv_poll_t peer; /* the process */
    int fd;
    int pidfd;
    int handles; /* libuv handles that are not closed yet */
    bool gone;
    bool handle_closed;
    struct buf in;
    struct buf out;
    struct link requests;
    struct vm_watcher watcher;
    bool watching;
};

/* --- clients.c ------------------------------------------------------------ */
/* Ends the connection; the client is freed once libuv has let go of it. */
void client_drop(struct client *client);
/* May drop the client. */
void client_send(struct client *client, const struct message *message);

/* --- requests.c ----------------------------------------------------------- */
void request_create(struct client *client, const struct message *message);
void request_submit(struct client *client, const struct message *message);
/* Nobody wants the answers any more. */
void requests_forget(struct client *client);
/* Has it told of events, if there is something to tell of. */
void client_watch(struct client *client);

#endif
