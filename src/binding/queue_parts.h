/* SPDX-License-Identifier: MIT
 * What queue.c and callbacks.c share. */
#ifndef LHCS_QUEUE_PARTS_H
#define LHCS_QUEUE_PARTS_H

#include "../base/thread.h"
#include "queue.h"
#include "wake.h"

struct queue {
    hcs_mutex lock; /* guards all but the first group */

    unsigned place; /* in the registry */
    unsigned epoch; /* of forks */
    struct wake wake;
    void *(WINAPI *context_of)(HCS_OPERATION);

    struct link items;
    struct link spare; /* empty items for what must not be lost */
    size_t held;       /* vital items: spare ones and those in the queue */
    size_t reserved;   /* how many there must be at least */
    size_t chatter;    /* items that are not vital */
    size_t input;      /* bytes of guests' input in them */
    bool exposed;      /* somebody else polls the object */
    bool waiter;       /* the Lua thread is about to poll */
    bool nudged;       /* it is to be ready whatever is in here */
    bool raised;       /* it is ready */
    struct queue_counts counts;
};

/* The queue a context leads to, or NULL. It stays until queue_leave, and all
 * callbacks of this process wait meanwhile: be brief, and call nobody. */
struct queue *queue_enter(uint64_t number);
void queue_leave(void);
/* Keep all callbacks of this process, and whoever opens or closes a queue, out
 * of all queues; and let them in again. */
void queue_lock_all(void);
void queue_unlock_all(void);
/* How many forks lie between this process and the first that had a queue. */
unsigned fork_epoch(void);
/* Adds an item that is accounted for. The lock is held. */
void queue_append(struct queue *queue, struct item *item);

#endif
