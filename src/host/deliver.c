/* SPDX-License-Identifier: MIT */
#include "deliver.h"

/* The callbacks that this thread is inside of, the innermost first. */
struct frame {
    struct frame *outer;
    const struct host *host;
    const struct target *target;
    bool waits;
};

static HCS_THREAD_LOCAL struct frame *frames;

void target_init(struct target *target, struct object *owner,
                 void (*tell)(struct host *, struct target *, struct item *)) {
    link_init(&target->ready);
    link_init(&target->items);
    target->running = false;
    target->owner = owner;
    target->tell = tell;
}

static void make_ready(struct host *host, struct target *target) {
    if (target->running || link_alone(&target->items) ||
        !link_alone(&target->ready))
        return;
    link_append(&host->ready, &target->ready);
    host->call_sleeper = true;
}

void target_queue(struct host *host, struct target *target, struct item *item) {
    link_append(&target->items, &item->link);
    make_ready(host, target);
}

void target_drop(struct target *target, struct item *item) {
    link_remove(&item->link);
    if (link_alone(&target->items))
        link_remove(&target->ready);
}

bool target_is_inside(const struct target *target) {
    for (const struct frame *f = frames; f; f = f->outer)
        if (f->target == target)
            return true;
    return false;
}

bool host_is_inside(const struct host *host) {
    for (const struct frame *f = frames; f; f = f->outer)
        if (f->host == host)
            return true;
    return false;
}

void target_drain(struct host *host, struct target *target) {
    if (target_is_inside(target))
        return;
    while (target->running) {
        host_settle(host);
        condition_wait(&host->changed, &host->lock, INT64_MAX);
    }
}

void delivery_begin(struct host *host) {
    host_unlock(host);
}

void delivery_end(struct host *host) {
    mutex_lock(&host->lock);
}

bool deliver_one(struct host *host) {
    struct target *target;
    struct object *owner;
    struct frame frame = {.outer = frames, .host = host};
    struct item *item;
    const void *entered;

    if (link_alone(&host->ready))
        return false;
    target = HCS_CONTAINER(host->ready.next, struct target, ready);
    item = HCS_CONTAINER(target->items.next, struct item, link);
    owner = target->owner;
    object_ref(owner);
    link_remove(&target->ready);
    link_remove(&item->link);
    target->running = true;
    host->delivering++;
    host->active++;
    frame.target = target;
    frames = &frame;
    entered = host_visit(host);
    target->tell(host, target, item);
    host_return(entered);
    frames = frame.outer;
    host->active--;
    host->delivering--;
    host->deliveries++;
    target->running = false;
    make_ready(host, target);
    condition_broadcast(&host->changed);
    object_unref(owner);
    return true;
}

bool delivery_suspend(struct host *host) {
    struct frame *frame = frames;
    while (frame && frame->host != host)
        frame = frame->outer;
    if (!frame || frame->waits)
        return false;
    frame->waits = true;
    host->active--;
    return true;
}

void delivery_continue(struct host *host, bool suspended) {
    struct frame *frame = frames;
    if (!suspended)
        return;
    while (frame->host != host)
        frame = frame->outer;
    frame->waits = false;
    host->active++;
}
