/* SPDX-License-Identifier: MIT
 * A handle to a compute system. All functions but system_create: with the
 * host's lock held. */
#ifndef HCS_HOST_SYSTEM_H
#define HCS_HOST_SYSTEM_H

#include "operation.h"

/* An event on its way to the callback. */
struct event {
    struct item item;
    HCS_EVENT_TYPE type;
    PWSTR document; /* or NULL */
    bool embedded;  /* one of a system's own */
    bool busy;      /* embedded: queued or being told */
};

/* Kinds of event that must not get lost when memory runs out. */
enum { KEPT_EXIT, KEPT_CRASH, KEPT_REPORT, KEPT_DISCONNECT, KEPT_COUNT };

struct system {
    struct object object;
    struct host *host; /* with a reference */
    struct link link;  /* in host->systems */
    struct store_sink sink;
    struct store_line *line; /* NULL: nothing behind it */
    char *id;
    char *owner; /* or NULL */
    char *name;  /* or NULL */
    bool closed;
    bool failed;     /* its creation has failed */
    bool lost;       /* the service went away under it: nothing can be asked */
    bool terminated; /* by this handle: a further Terminate comes too late */

    struct link requests;

    bool exited;
    struct link exit_link; /* in host->exits */
    char *exit_document;   /* SystemExitStatus, or NULL */
    bool exit_known;       /* waiters may know */

    HCS_EVENT_OPTIONS options;
    const void *context;
    HCS_EVENT_CALLBACK callback;
    struct target target;
    struct link unheard; /* items of operations whose end nobody heard of */
    struct event kept[KEPT_COUNT];
};

HRESULT system_create(struct host *host, const char *id, struct system **out,
                      struct hcs_error *error);
/* Gives it a number and its place among the host's systems. */
HRESULT system_publish(struct system *system, struct hcs_error *error);

void system_submit(struct system *system, HCS_OPERATION_TYPE verb,
                   const char *options, struct operation *operation);
HRESULT system_set_callback(struct system *system, HCS_EVENT_OPTIONS options,
                            const void *context, HCS_EVENT_CALLBACK callback,
                            struct hcs_error *error);
/* Whether operations on this handle are told through its event callback. */
bool system_tells_operations(const struct system *system);
bool system_exit_known(const void *system);
/* HCS_E_SERVICE_DISCONNECT once the service has gone away (outage.c). */
HRESULT system_check_connected(const struct system *system,
                               struct hcs_error *error);
/* Takes the handle's part of the work down; waits for the running callback
 * unless called from inside it. */
void system_close(struct system *system);
/* Makes known the exits that have come in since the last time. */
void systems_settle(struct host *host);

/* after_exit.c: what an exited system's handle answers by itself. */
void system_answer_after_exit(struct system *system, HCS_OPERATION_TYPE verb,
                              const char *options, struct operation *operation);

/* event.c */
void system_event(struct store_sink *sink, HCS_EVENT_TYPE type,
                  const char *document);
void system_tell(struct host *host, struct target *target, struct item *item);
void system_queue_event(struct system *system, HCS_EVENT_TYPE type,
                        const char *document);
void system_drop_events(struct system *system);

#endif
