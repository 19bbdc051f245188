/* SPDX-License-Identifier: MIT
 * The process's handles. A handle is a number made of a slot, the slot's
 * generation, a kind and the fork epoch of the process that made it. It is
 * looked up and never followed, so a stale, foreign or inherited one is told
 * from a live one; one from before a fork even without taking a lock. */
#ifndef HCS_HOST_HANDLE_H
#define HCS_HOST_HANDLE_H

#include <stdbool.h>

#include "../base/counter.h"
#include "../base/error.h"

enum handle_kind {
    HANDLE_HOST = 1,
    HANDLE_OPERATION,
    HANDLE_SYSTEM,
    HANDLE_NETWORK,
    HANDLE_ENDPOINT,
    HANDLE_NAMESPACE,
    HANDLE_CALLBACK,
    HANDLE_DUMP
};

/* What a handle leads to; first member of the object. */
struct object {
    hcs_counter references;
    enum handle_kind kind;
    uintptr_t number; /* 0 while the table does not know it */
    void (*destroy)(struct object *object);
};

/* One reference, the caller's; no handle yet. */
void object_init(struct object *object, enum handle_kind kind,
                 void (*destroy)(struct object *object));
void object_ref(struct object *object);
/* Destroys the object with its last reference. NULL is fine. */
void object_unref(struct object *object);

/* Gives the object a number; the table takes a reference of its own.
 * E_OUTOFMEMORY when there is no room for one more. */
HRESULT handle_create(struct object *object, struct hcs_error *error);
/* The object with a reference for the caller, or NULL when the handle is not
 * a live one of that kind in this process. */
struct object *handle_get(const void *handle, enum handle_kind kind);
/* Two look-ups at the price of one: each may come out NULL. */
void handle_get_two(const void *first, enum handle_kind first_kind,
                    struct object **first_out, const void *second,
                    enum handle_kind second_kind, struct object **second_out);
/* Ends the handle: the object with the table's reference, or NULL as above.
 * From now on the number means nothing. */
struct object *handle_take(const void *handle, enum handle_kind kind);

/* `reset` runs in every forked child, which has one thread and must not touch
 * a lock. To be called before the first handle is made. */
void handle_on_fork(void (*reset)(void));

#endif
