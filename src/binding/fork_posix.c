/* SPDX-License-Identifier: MIT
 * Forks as the queues see them. */
#include "queue_parts.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned epoch;

static void in_child(void) {
    epoch++;
    queue_unlock_all();
}

/* A child gets queues that no thread is within, so that it can free them. */
static void watch_forks(void) {
    (void)pthread_atfork(queue_lock_all, queue_unlock_all, in_child);
}

unsigned fork_epoch(void) {
    (void)pthread_once(&once, watch_forks);
    return epoch;
}
