/* SPDX-License-Identifier: MIT
 * Events of a system on their way to the callback of one handle. */
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "memory.h"
#include "system.h"

static int kept_of(HCS_EVENT_TYPE type) {
    switch (type) {
    case HcsEventSystemExited:
        return KEPT_EXIT;
    case HcsEventSystemCrashInitiated:
        return KEPT_CRASH;
    case HcsEventSystemCrashReport:
        return KEPT_REPORT;
    case HcsEventServiceDisconnect:
        return KEPT_DISCONNECT;
    default:
        return -1;
    }
}

/* The exit has a place of its own always, others when memory runs out. */
static struct event *event_take(struct system *system, HCS_EVENT_TYPE type) {
    int kept = kept_of(type);
    struct event *event = NULL;

    if (kept != KEPT_EXIT)
        event = malloc(sizeof *event);
    if (event) {
        event->embedded = false;
        return event;
    }
    if (kept < 0 || system->kept[kept].busy)
        return NULL;
    event = &system->kept[kept];
    event->embedded = true;
    event->busy = true;
    return event;
}

static void event_free(struct event *event) {
    memory_release(event->document);
    event->document = NULL;
    event->busy = false;
    if (!event->embedded)
        free(event);
}

void system_queue_event(struct system *system, HCS_EVENT_TYPE type,
                        const char *document) {
    struct event *event;

    if (!system->callback || system->closed)
        return;
    event = event_take(system, type);
    if (!event)
        return;
    link_init(&event->item.link);
    event->item.kind = ITEM_EVENT;
    event->type = type;
    event->document = result_text(document, NULL);
    target_queue(system->host, &system->target, &event->item);
}

void system_event(struct store_sink *sink, HCS_EVENT_TYPE type,
                  const char *document) {
    struct system *system = HCS_CONTAINER(sink, struct system, sink);

    if (system->closed || system->exited)
        return;
    if (type != HcsEventSystemExited) {
        system_queue_event(system, type, document);
        return;
    }
    system->exited = true;
    system->exit_document = document ? text_copy(document) : NULL;
    link_append(&system->host->exits, &system->exit_link);
}

static void call(struct host *host, struct system *system, HCS_EVENT *event) {
    HCS_EVENT_CALLBACK callback = system->callback;
    void *context = (void *)(uintptr_t)system->context;
    delivery_begin(host);
    callback(event, context);
    delivery_end(host);
}

static void tell_event(struct host *host, struct system *system,
                       struct event *event) {
    HCS_EVENT told = {.Type = event->type, .EventData = event->document};
    call(host, system, &told);
    event_free(event);
}

static void tell_operation(struct host *host, struct system *system,
                           struct operation *operation) {
    HCS_EVENT told = {
        .Type = HcsEventOperationCallback,
        .Operation = (HCS_OPERATION)operation->object.number,
    };
    object_ref(&operation->object);
    operation->queued_at = NULL;
    call(host, system, &told);
    operation_told(operation);
    object_unref(&operation->object);
}

void system_tell(struct host *host, struct target *target, struct item *item) {
    struct system *system = HCS_CONTAINER(target, struct system, target);
    if (item->kind == ITEM_OPERATION)
        tell_operation(host, system,
                       HCS_CONTAINER(item, struct operation, item));
    else
        tell_event(host, system, HCS_CONTAINER(item, struct event, item));
}

/* Completions go back among those that nobody has heard of. */
void system_drop_events(struct system *system) {
    while (!link_alone(&system->target.items)) {
        struct item *item =
            HCS_CONTAINER(system->target.items.next, struct item, link);
        if (item->kind == ITEM_OPERATION) {
            struct operation *operation =
                HCS_CONTAINER(item, struct operation, item);
            operation_unqueue(operation);
            operation_announce(operation);
        } else {
            target_drop(&system->target, item);
            event_free(HCS_CONTAINER(item, struct event, item));
        }
    }
}
