/* SPDX-License-Identifier: MIT
 * What an event loop of somebody else's polls for a world: an object that is
 * ready when api.pump has something to do at once, be it in the queue or of a
 * host without a thread. */
#ifndef LHCS_POLLABLE_H
#define LHCS_POLLABLE_H

#include "queue.h"

struct pollable {
    hcs_waitable own;   /* a descriptor of both, elsewhere none */
    hcs_waitable host;  /* what is watched of the host, or none */
    void *watch;        /* the pool's wait for it */
    volatile long seen; /* whether it was ready since that began */
    struct queue *queue;
};

void pollable_init(struct pollable *pollable);
/* `host`: what waits for the host's input, or HCS_NOT_WAITABLE. */
HRESULT pollable_get(struct pollable *pollable, struct queue *queue,
                     hcs_waitable host, hcs_waitable *out,
                     struct hcs_error *error);
HRESULT pollable_get_socket(struct pollable *pollable, struct queue *queue,
                            hcs_waitable host, intptr_t *out,
                            struct hcs_error *error);
/* To be called after the host was pumped. */
void pollable_update(struct pollable *pollable, struct queue *queue);
/* Before the queue is closed. */
void pollable_close(struct pollable *pollable);

#endif
