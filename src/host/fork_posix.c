/* SPDX-License-Identifier: MIT */
#include "fork.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_uint epoch;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int failure;

static void child(void) {
    atomic_fetch_add_explicit(&epoch, 1, memory_order_relaxed);
    handle_forked();
}

static void watch(void) {
    failure = pthread_atfork(NULL, NULL, child);
}

unsigned fork_epoch(void) {
    return atomic_load_explicit(&epoch, memory_order_relaxed);
}

HRESULT fork_watch(struct hcs_error *error) {
    pthread_once(&once, watch);
    return failure ? error_errno(error, failure, "watch for forks") : S_OK;
}
