/* SPDX-License-Identifier: MIT
 * Callbacks: what is to be told is queued at its target, under the lock, and
 * delivered without it. Callbacks of one target never overlap; a target is a
 * handle (or a simulated guest's program). */
#ifndef HCS_HOST_DELIVER_H
#define HCS_HOST_DELIVER_H

#include "host.h"

enum item_kind { ITEM_OPERATION, ITEM_EVENT, ITEM_GUEST };

/* One thing to tell; lives inside what is told. */
struct item {
    struct link link;
    enum item_kind kind;
};

struct target {
    struct link ready; /* in host->ready while there is something to tell */
    struct link items;
    bool running;
    struct object *owner; /* kept alive while the callback runs */
    /* Tells: called with the lock held, which it gives up around the callback
     * itself by delivery_begin and delivery_end. */
    void (*tell)(struct host *host, struct target *target, struct item *item);
};

void target_init(struct target *target, struct object *owner,
                 void (*tell)(struct host *, struct target *, struct item *));
void target_queue(struct host *host, struct target *target, struct item *item);
/* Takes an item off the queue that it is in, if it is in one. */
void target_drop(struct target *target, struct item *item);
/* Waits until the target's callback has returned, unless this thread is inside
 * it. */
void target_drain(struct host *host, struct target *target);
/* Whether this thread is inside the target's callback. */
bool target_is_inside(const struct target *target);
/* Whether this thread is inside any callback of the host. */
bool host_is_inside(const struct host *host);

/* Tells one thing; false when there is nothing to tell. */
bool deliver_one(struct host *host);

/* Around a call to the outside. */
void delivery_begin(struct host *host);
void delivery_end(struct host *host);

/* Around a wait: a callback that waits does not hold up the clock. */
bool delivery_suspend(struct host *host);
void delivery_continue(struct host *host, bool suspended);

#endif
