/* SPDX-License-Identifier: MIT
 * A heap of timers. Timers live inside their owners and fire in the order of
 * their due time, then of being armed. Not thread-safe: the owner locks. */
#ifndef HCS_TIMERS_H
#define HCS_TIMERS_H

#include <stdbool.h>

#include "error.h"

struct timer;
typedef void (*timer_fn)(struct timer *timer, void *context);

struct timer {
    timer_fn fire;
    void *context;
    int64_t due;
    uint64_t order;
    size_t place; /* 1-based index in the heap; 0 when not armed */
};

struct timers {
    struct timer **heap;
    size_t count;
    size_t capacity;
    uint64_t orders;
};

/* Room for one more timer is taken here, so that arming cannot fail. */
HRESULT timers_add(struct timers *timers, struct timer *timer, timer_fn fire,
                   void *context, struct hcs_error *error);
/* Gives that room back; disarms. */
void timers_remove(struct timers *timers, struct timer *timer);
void timers_arm(struct timers *timers, struct timer *timer, int64_t due);
void timers_disarm(struct timers *timers, struct timer *timer);
bool timer_armed(const struct timer *timer);
/* The next due time, or INT64_MAX. */
int64_t timers_next(const struct timers *timers);
/* Fires the first timer due at or before `now`; false when there is none. */
bool timers_fire_one(struct timers *timers, int64_t now);
void timers_free(struct timers *timers);

#endif
