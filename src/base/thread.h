/* SPDX-License-Identifier: MIT
 * Threads, locks and conditions, as thin as the platforms allow. */
#ifndef HCS_THREAD_H
#define HCS_THREAD_H

#include <stdbool.h>

#include "error.h"

#if defined(_MSC_VER) && !defined(__clang__)
#define HCS_THREAD_LOCAL __declspec(thread)
#else
#define HCS_THREAD_LOCAL _Thread_local
#endif

#ifdef _WIN32
typedef SRWLOCK hcs_mutex;
typedef CONDITION_VARIABLE hcs_condition;
typedef HANDLE hcs_thread;
#define HCS_MUTEX_INIT SRWLOCK_INIT
#else
#include <pthread.h>
typedef pthread_mutex_t hcs_mutex;
typedef pthread_cond_t hcs_condition;
typedef pthread_t hcs_thread;
#define HCS_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#endif

void mutex_init(hcs_mutex *mutex);
void mutex_destroy(hcs_mutex *mutex);
void mutex_lock(hcs_mutex *mutex);
void mutex_unlock(hcs_mutex *mutex);
void condition_init(hcs_condition *condition);
void condition_destroy(hcs_condition *condition);
void condition_broadcast(hcs_condition *condition);
/* Waits until woken or until `deadline` of clock_monotonic (INT64_MAX: none).
 * False when the deadline has passed. */
bool condition_wait(hcs_condition *condition, hcs_mutex *mutex,
                    int64_t deadline);
HRESULT thread_start(hcs_thread *thread, void (*run)(void *), void *context,
                     struct hcs_error *error);
void thread_join(hcs_thread thread);
bool thread_is_current(hcs_thread thread);

#endif
