/* SPDX-License-Identifier: MIT
 * The way from the threads of a host to the thread of Lua.
 *
 * A callback copies what it was told and files it under a number; the Lua
 * thread takes it from here when it likes. Callbacks get a number for their
 * context, never a pointer: one that comes late finds nothing and does no
 * harm. No Lua in here. */
#ifndef LHCS_QUEUE_H
#define LHCS_QUEUE_H

#include <stdbool.h>

#include "../abi/hcshost.h"
#include "../base/error.h"
#include "../base/list.h"
#include "../base/os.h"

/* Bounds of what may be lost (see struct queue_counts). */
#define QUEUE_CHATTER_ITEMS 4096u
#define QUEUE_INPUT_BYTES (4u * 1024 * 1024)

enum item_kind { ITEM_OPERATION, ITEM_EVENT, ITEM_GUEST, ITEM_NETWORK };

struct item {
    struct link link;
    enum item_kind kind;
    bool vital;         /* is never dropped */
    int32_t type;       /* HCS_EVENT_TYPE, HCSHOST_GUEST_EVENT … */
    HRESULT status;     /* of ITEM_NETWORK */
    uint64_t number;    /* of the operation, system, guest or callback */
    uint64_t operation; /* with HcsEventOperationCallback, else 0 */
    char *text;         /* UTF-8, malloc'd, or NULL for none */
    size_t length;
};

struct queue_counts {
    uint64_t waiting;   /* items in the queue */
    uint64_t coalesced; /* chatter that went into an item already there */
    uint64_t dropped;   /* chatter refused because the queue was full */
};

struct queue;

/* HR_NO_SYSTEM_RESOURCES when 4096 queues are open in this process. */
HRESULT queue_open(struct queue **out, struct hcs_error *error);
/* No callback finds the queue afterwards. NULL is fine. */
void queue_close(struct queue *queue);
/* Whether the queue belongs to the process that this one was forked from:
 * nothing will come here. */
bool queue_foreign(const struct queue *queue);

/* How to learn the number of an operation that an event names. */
void queue_set_lookup(struct queue *queue,
                      void *(WINAPI *context_of)(HCS_OPERATION));

/* A number nothing else in this process has. As a context it leads a callback
 * to this queue. */
uint64_t queue_number(struct queue *queue);
#define QUEUE_CONTEXT(number) ((void *)(uintptr_t)(number))

/* Room for `count` more items that must not be lost, taken when a callback is
 * registered and given back when it is gone. E_OUTOFMEMORY. */
HRESULT queue_reserve(struct queue *queue, unsigned count);
void queue_unreserve(struct queue *queue, unsigned count);
#define QUEUE_OPERATION_ITEMS 1u /* its completion */
#define QUEUE_SYSTEM_ITEMS 4u    /* exit, crash and its report, disconnect */
#define QUEUE_NETWORK_ITEMS 1u   /* disconnect */

/* Takes the first item into *out (its text is the caller's to free). False
 * when the queue is empty. */
bool queue_take(struct queue *queue, struct item *out);
/* Whether nothing is there. If so, and `wait`, the object that queue_waitable
 * gives becomes ready when something comes; undone by queue_awake. */
bool queue_empty(struct queue *queue, bool wait);
void queue_awake(struct queue *queue);
/* Ready while something waits (`always`: from now on, not only between
 * queue_empty and queue_awake). */
hcs_waitable queue_waitable(struct queue *queue, bool always);
/* The same as a socket, which follows from now on; see wake_socket. */
HRESULT queue_socket(struct queue *queue, intptr_t *out,
                     struct hcs_error *error);
/* Whether the object is ready also while nothing waits in the queue. */
void queue_nudge(struct queue *queue, bool ready);
void queue_count(struct queue *queue, struct queue_counts *out);

/* The callbacks for each kind. */
void CALLBACK queue_on_operation(HCS_OPERATION operation, void *context);
void CALLBACK queue_on_event(HCS_EVENT *event, void *context);
void CALLBACK queue_on_notification(DWORD type, void *context, HRESULT status,
                                    PCWSTR data);
void queue_on_guest(void *context, uint64_t guest, HCSHOST_GUEST_EVENT event,
                    const char *text, size_t length);

#endif
