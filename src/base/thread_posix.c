/* SPDX-License-Identifier: MIT */
#include "thread.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"

struct start {
    void (*run)(void *);
    void *context;
};

void mutex_init(hcs_mutex *mutex) {
    pthread_mutex_init(mutex, NULL);
}

void mutex_destroy(hcs_mutex *mutex) {
    pthread_mutex_destroy(mutex);
}

void mutex_lock(hcs_mutex *mutex) {
    pthread_mutex_lock(mutex);
}

void mutex_unlock(hcs_mutex *mutex) {
    pthread_mutex_unlock(mutex);
}

void condition_init(hcs_condition *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void condition_destroy(hcs_condition *condition) {
    pthread_cond_destroy(condition);
}

void condition_broadcast(hcs_condition *condition) {
    pthread_cond_broadcast(condition);
}

bool condition_wait(hcs_condition *condition, hcs_mutex *mutex,
                    int64_t deadline) {
    struct timespec until;
    if (deadline == INT64_MAX) {
        pthread_cond_wait(condition, mutex);
        return true;
    }
    if (deadline < 0)
        deadline = 0;
    until.tv_sec = (time_t)(deadline / CLOCK_SECOND);
    until.tv_nsec = (long)(deadline % CLOCK_SECOND);
    return pthread_cond_timedwait(condition, mutex, &until) != ETIMEDOUT;
}

static void *trampoline(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    start.run(start.context);
    return NULL;
}

/* The signals that a program handles belong to its own threads; those that
 * the fault of a thread raises stay with the thread. */
static void signals_of_others(sigset_t *set) {
    static const int own[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
                              SIGTRAP, SIGABRT, SIGPROF};
    sigfillset(set);
    for (size_t i = 0; i < HCS_COUNT(own); i++)
        sigdelset(set, own[i]);
}

HRESULT thread_start(hcs_thread *thread, void (*run)(void *), void *context,
                     struct hcs_error *error) {
    struct start *start = malloc(sizeof *start);
    sigset_t blocked, before;
    int failure;

    if (!start)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for a thread");
    *start = (struct start){run, context};
    signals_of_others(&blocked);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    failure = pthread_create(thread, NULL, trampoline, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure) {
        free(start);
        return error_errno(error, failure, "start a thread");
    }
    return S_OK;
}

void thread_join(hcs_thread thread) {
    pthread_join(thread, NULL);
}

bool thread_is_current(hcs_thread thread) {
    return pthread_equal(thread, pthread_self()) != 0;
}
