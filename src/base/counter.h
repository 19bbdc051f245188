/* SPDX-License-Identifier: MIT
 * A number that many threads count with and none has a lock for. Microsoft's
 * compiler has C's own atomics only as an experiment. */
#ifndef HCS_COUNTER_H
#define HCS_COUNTER_H

#ifdef _WIN32

#include "../abi/hcs_types.h"

typedef volatile LONG hcs_counter;

static inline void counter_set(hcs_counter *counter, unsigned value) {
    InterlockedExchange(counter, (LONG)value);
}

static inline unsigned counter_get(hcs_counter *counter) {
    return (unsigned)*counter;
}

/* What it is afterwards. Nothing is ordered by it. */
static inline unsigned counter_up(hcs_counter *counter) {
    return (unsigned)InterlockedIncrement(counter);
}

/* What it is afterwards. Who sees a lower number sees what was done before. */
static inline unsigned counter_down(hcs_counter *counter) {
    return (unsigned)InterlockedDecrement(counter);
}

#else

#include <stdatomic.h>

typedef atomic_uint hcs_counter;

static inline void counter_set(hcs_counter *counter, unsigned value) {
    atomic_store_explicit(counter, value, memory_order_relaxed);
}

static inline unsigned counter_get(hcs_counter *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static inline unsigned counter_up(hcs_counter *counter) {
    return atomic_fetch_add_explicit(counter, 1, memory_order_relaxed) + 1;
}

static inline unsigned counter_down(hcs_counter *counter) {
    return atomic_fetch_sub_explicit(counter, 1, memory_order_acq_rel) - 1;
}

#endif
#endif
