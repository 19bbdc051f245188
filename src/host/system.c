/* SPDX-License-Identifier: MIT */
#include "system.h"

#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

#define OPERATION_CALLBACKS HcsEventOptionEnableOperationCallbacks

static void destroy(struct object *object) {
    struct system *system = HCS_CONTAINER(object, struct system, object);
    free(system->id);
    free(system->owner);
    free(system->name);
    free(system->exit_document);
    object_unref(&system->host->object);
    free(system);
}

static void close_line(struct system *system) {
    struct store_line *line = system->line;
    system->line = NULL;
    if (line && system->host->store)
        system->host->store->ops->close(line);
}

HRESULT system_create(struct host *host, const char *id, struct system **out,
                      struct hcs_error *error) {
    struct system *system = calloc(1, sizeof *system);

    if (system)
        system->id = text_copy(id);
    if (!system || !system->id) {
        free(system);
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for a system's handle");
    }
    object_init(&system->object, HANDLE_SYSTEM, destroy);
    system->host = host;
    object_ref(&host->object);
    system->sink.event = system_event;
    link_init(&system->link);
    link_init(&system->requests);
    link_init(&system->exit_link);
    link_init(&system->unheard);
    target_init(&system->target, &system->object, system_tell);
    *out = system;
    return S_OK;
}

HRESULT system_publish(struct system *system, struct hcs_error *error) {
    HRESULT hr = handle_create(&system->object, error);
    if (FAILED(hr))
        return hr;
    link_append(&system->host->systems, &system->link);
    object_ref(&system->object); /* the list keeps its own */
    system->host->system_count++;
    return S_OK;
}

void system_submit(struct system *system, HCS_OPERATION_TYPE verb,
                   const char *options, struct operation *operation) {
    struct store *store = system->host->store;
    if (system->exited || system->failed || !system->line)
        system_answer_after_exit(system, verb, options, operation);
    else
        store->ops->submit(system->line, verb, options,
                           operation_request(operation));
}

bool system_tells_operations(const struct system *system) {
    return system->callback && (system->options & OPERATION_CALLBACKS) &&
           !system->closed;
}

bool system_exit_known(const void *context) {
    const struct system *system = context;
    return system->exit_known || system->closed || system->failed ||
           system->lost;
}

/* Who hears of the requests under way has changed. */
static void recount(struct system *system) {
    struct link *link;
    for (link = system->requests.next; link != &system->requests;
         link = link->next)
        operation_recount(
            HCS_CONTAINER(link, struct request, system_link)->operation);
}

static HRESULT unregister(struct system *system) {
    system->callback = NULL;
    system->options = HcsEventOptionNone;
    recount(system);
    system_drop_events(system);
    target_drain(system->host, &system->target);
    return S_OK;
}

HRESULT system_set_callback(struct system *system, HCS_EVENT_OPTIONS options,
                            const void *context, HCS_EVENT_CALLBACK callback,
                            struct hcs_error *error) {
    struct link *link, *next;

    if (!callback)
        return unregister(system);
    if (system->callback)
        return error_set(error, HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET,
                         NULL,
                         "an event callback has already been registered on "
                         "this handle");
    system->options = options;
    system->context = context;
    system->callback = callback;
    if (!system_tells_operations(system))
        return S_OK;
    recount(system);
    system->host->call_sleeper = true; /* time may pass for them now */
    for (link = system->unheard.next; link != &system->unheard; link = next) {
        next = link->next;
        operation_announce(HCS_CONTAINER(link, struct operation, item.link));
    }
    return S_OK;
}

static void forget_unheard(struct system *system) {
    while (!link_alone(&system->unheard))
        link_remove(system->unheard.next);
}

void system_close(struct system *system) {
    if (system->closed)
        return;
    systems_settle(system->host);
    system->closed = true;
    system->callback = NULL;
    system->options = HcsEventOptionNone;
    recount(system);
    system_drop_events(system);
    forget_unheard(system);
    link_remove(&system->link);
    system->host->system_count--;
    host_changed(system->host);
    target_drain(system->host, &system->target);
    close_line(system);
    object_unref(&system->object);
}
