/* SPDX-License-Identifier: MIT
 * The queue itself; what callbacks put into it is in callbacks.c. */
#include "queue_parts.h"

#include <stdatomic.h>
#include <stdlib.h>

/* A number is a place in this table and a serial: the serial is unique in the
 * process, so a place can be used again. */
#define PLACES 4096u
#define SERIAL_BITS 52

/* Spare items that are kept though nobody has reserved them, so that handles
 * which come and go need no memory each time. */
#define SPARE_KEPT 64u

static hcs_mutex registry_lock = HCS_MUTEX_INIT;
static struct queue *registry[PLACES];
static atomic_uint_fast64_t serials;

void queue_lock_all(void) {
    mutex_lock(&registry_lock);
    for (unsigned i = 0; i < PLACES; i++)
        if (registry[i] != NULL)
            mutex_lock(&registry[i]->lock);
}

void queue_unlock_all(void) {
    for (unsigned i = 0; i < PLACES; i++)
        if (registry[i] != NULL)
            mutex_unlock(&registry[i]->lock);
    mutex_unlock(&registry_lock);
}

static void destroy(struct queue *queue) {
    while (!link_alone(&queue->items)) {
        struct item *item = HCS_CONTAINER(queue->items.next, struct item, link);
        link_remove(&item->link);
        free(item->text);
        free(item);
    }
    while (!link_alone(&queue->spare)) {
        struct item *item = HCS_CONTAINER(queue->spare.next, struct item, link);
        link_remove(&item->link);
        free(item);
    }
    mutex_destroy(&queue->lock);
    wake_close(&queue->wake);
    free(queue);
}

static HRESULT enter_registry(struct queue *queue, struct hcs_error *error) {
    HRESULT hr = error_set(error, HR_NO_SYSTEM_RESOURCES, NULL,
                           "more than %u hosts are open", PLACES);
    mutex_lock(&registry_lock);
    for (unsigned i = 0; i < PLACES; i++) {
        if (registry[i] == NULL) {
            registry[i] = queue;
            queue->place = i;
            hr = S_OK;
            break;
        }
    }
    mutex_unlock(&registry_lock);
    return hr;
}

HRESULT queue_open(struct queue **out, struct hcs_error *error) {
    struct queue *queue = calloc(1, sizeof(*queue));
    HRESULT hr;
    if (queue == NULL)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    mutex_init(&queue->lock);
    link_init(&queue->items);
    link_init(&queue->spare);
    queue->epoch = fork_epoch();
    hr = wake_open(&queue->wake, error);
    if (SUCCEEDED(hr))
        hr = enter_registry(queue, error);
    if (FAILED(hr)) {
        destroy(queue);
        return hr;
    }
    *out = queue;
    return S_OK;
}

bool queue_foreign(const struct queue *queue) {
    return queue->epoch != fork_epoch();
}

void queue_close(struct queue *queue) {
    if (queue == NULL)
        return;
    mutex_lock(&registry_lock);
    registry[queue->place] = NULL;
    mutex_unlock(&registry_lock);
    destroy(queue);
}

struct queue *queue_enter(uint64_t number) {
    struct queue *queue;
    mutex_lock(&registry_lock);
    queue = registry[(number >> SERIAL_BITS) % PLACES];
    if (queue == NULL)
        mutex_unlock(&registry_lock);
    return queue;
}

void queue_leave(void) {
    mutex_unlock(&registry_lock);
}

void queue_set_lookup(struct queue *queue,
                      void *(WINAPI *context_of)(HCS_OPERATION)) {
    queue->context_of = context_of;
}

uint64_t queue_number(struct queue *queue) {
    uint64_t serial = atomic_fetch_add(&serials, 1) + 1;
    return ((uint64_t)queue->place << SERIAL_BITS) |
           (serial & ((UINT64_C(1) << SERIAL_BITS) - 1));
}

HRESULT queue_reserve(struct queue *queue, unsigned count) {
    HRESULT hr = S_OK;
    mutex_lock(&queue->lock);
    queue->reserved += count;
    while (queue->held < queue->reserved) {
        struct item *item = calloc(1, sizeof(*item));
        if (item == NULL) {
            queue->reserved -= count;
            hr = E_OUTOFMEMORY;
            break;
        }
        link_append(&queue->spare, &item->link);
        queue->held++;
    }
    mutex_unlock(&queue->lock);
    return hr;
}

/* Frees spare items beyond what may be kept. The lock is held. */
static void trim(struct queue *queue) {
    while (queue->held > queue->reserved + SPARE_KEPT &&
           !link_alone(&queue->spare)) {
        struct item *item = HCS_CONTAINER(queue->spare.next, struct item, link);
        link_remove(&item->link);
        free(item);
        queue->held--;
    }
}

void queue_unreserve(struct queue *queue, unsigned count) {
    mutex_lock(&queue->lock);
    queue->reserved -= count;
    trim(queue);
    mutex_unlock(&queue->lock);
}

/* Makes the object follow the queue. The lock is held. */
static void update(struct queue *queue) {
    bool raised = (queue->exposed || queue->waiter) &&
                  (queue->nudged || !link_alone(&queue->items));
    if (raised == queue->raised)
        return;
    queue->raised = raised;
    if (raised)
        wake_raise(&queue->wake);
    else
        wake_lower(&queue->wake);
}

void queue_append(struct queue *queue, struct item *item) {
    link_append(&queue->items, &item->link);
    queue->counts.waiting++;
    update(queue);
}

bool queue_take(struct queue *queue, struct item *out) {
    struct item *item = NULL;
    mutex_lock(&queue->lock);
    if (!link_alone(&queue->items)) {
        item = HCS_CONTAINER(queue->items.next, struct item, link);
        link_remove(&item->link);
        queue->counts.waiting--;
        *out = *item;
        link_init(&out->link);
        if (!item->vital) {
            queue->chatter--;
            if (item->kind == ITEM_GUEST)
                queue->input -= item->length;
        }
        item->text = NULL;
        if (item->vital && queue->held <= queue->reserved + SPARE_KEPT) {
            link_append(&queue->spare, &item->link);
        } else {
            queue->held -= item->vital;
            free(item);
        }
    }
    update(queue);
    mutex_unlock(&queue->lock);
    return item != NULL;
}

bool queue_empty(struct queue *queue, bool wait) {
    bool empty;
    mutex_lock(&queue->lock);
    empty = link_alone(&queue->items);
    if (empty && wait) {
        queue->waiter = true;
        update(queue);
    }
    mutex_unlock(&queue->lock);
    return empty;
}

void queue_awake(struct queue *queue) {
    mutex_lock(&queue->lock);
    queue->waiter = false;
    update(queue);
    mutex_unlock(&queue->lock);
}

hcs_waitable queue_waitable(struct queue *queue, bool always) {
    if (always) {
        mutex_lock(&queue->lock);
        queue->exposed = true;
        update(queue);
        mutex_unlock(&queue->lock);
    }
    return wake_waitable(&queue->wake);
}

HRESULT queue_socket(struct queue *queue, intptr_t *out,
                     struct hcs_error *error) {
    HRESULT hr;
    mutex_lock(&queue->lock);
    queue->exposed = true;
    update(queue);
    hr = wake_socket(&queue->wake, queue->raised, out, error);
    mutex_unlock(&queue->lock);
    return hr;
}

void queue_nudge(struct queue *queue, bool ready) {
    mutex_lock(&queue->lock);
    queue->nudged = ready;
    update(queue);
    mutex_unlock(&queue->lock);
}

void queue_count(struct queue *queue, struct queue_counts *out) {
    mutex_lock(&queue->lock);
    *out = queue->counts;
    mutex_unlock(&queue->lock);
}
