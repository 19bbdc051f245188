/* SPDX-License-Identifier: MIT
 * An operation: the client's view of one request at a time. */
#ifndef HCS_HOST_OPERATION_H
#define HCS_HOST_OPERATION_H

#include "deliver.h"
#include "result.h"

struct system;

enum operation_state { OPERATION_IDLE, OPERATION_PENDING, OPERATION_DONE };

/* One use of an operation that is under way. It outlives a cancelled or closed
 * operation until the answer has come. */
struct request {
    struct link link;            /* in host->requests */
    struct link system_link;     /* in system->requests */
    struct operation *operation; /* with a reference; NULL: nobody cares */
    struct host *host;
};

struct operation {
    struct object object;
    struct host *host; /* with a reference */
    struct link link;  /* in host->operations */
    bool closed;

    enum operation_state state;
    HCS_OPERATION_TYPE type;
    uint64_t id;
    struct system *system;   /* with a reference; NULL: none */
    struct request *request; /* kept for the next use while it is not pending */
    HRESULT result;
    PWSTR document; /* or NULL */
    size_t document_length;

    const void *context;
    HCS_OPERATION_COMPLETION callback;
    bool awaited; /* counted in host->awaited */

    struct target target; /* of the callback */
    struct item item; /* in the target's queue, in that of the system's events,
                         or in the list of those that nobody has heard of */
    struct target *queued_at; /* NULL: in no queue */
    bool told;                /* this completion is queued, or was delivered */
    unsigned owed;            /* completions that wait behind the queued item */
};

HRESULT operation_create(struct host *host, const void *context,
                         HCS_OPERATION_COMPLETION callback,
                         struct operation **out, struct hcs_error *error);
/* All of the following: with the host's lock held. */

/* Begins a use: HCS_E_OPERATION_ALREADY_STARTED, or
 * HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET. `system` may be NULL. */
HRESULT operation_start(struct operation *operation, HCS_OPERATION_TYPE type,
                        struct system *system, struct hcs_error *error);
/* Whom the store answers. */
struct store_request operation_request(struct operation *operation);
/* Ends the use that operation_start began. */
void operation_succeed(struct operation *operation, const char *document);
void operation_fail(struct operation *operation, HRESULT result,
                    const struct hcs_error *error);
/* The operation no longer waits for this request's answer, which may still
 * come. The reference is the caller's from now on. */
struct operation *request_abandon(struct request *request);
/* Frees a request for which no answer will come. */
void request_forget(struct request *request);
/* Ends a use whose request was abandoned; drops the reference. */
void operation_finish(struct operation *operation,
                      const struct vm_reply *reply);

/* Completes with HR_CANCELLED; the work itself may go on. */
void operation_cancel(struct operation *operation);
void operation_set_callback(struct operation *operation,
                            HCS_OPERATION_COMPLETION callback);
/* Ends the handle; waits for the callback unless called from inside it. */
void operation_close(struct operation *operation);
bool operation_is_done(const void *operation);
/* The result, with a copy of its document. */
HRESULT operation_result(struct operation *operation, PWSTR *document);

/* Queues the completion where it is to be told, if it is done and was not told
 * yet: called when it is done and whenever who listens has changed. */
void operation_announce(struct operation *operation);
/* Takes it out of the queue or list it is in, as not yet told. */
void operation_unqueue(struct operation *operation);
/* Counts it among those whose end a callback waits for, or no longer. */
void operation_recount(struct operation *operation);
/* After it was told: queues what is still owed. */
void operation_told(struct operation *operation);

#endif
