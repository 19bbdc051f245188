/* SPDX-License-Identifier: MIT */
#include "thread.h"

#include <process.h>
#include <stdlib.h>

#include "clock.h"

struct start {
    void (*run)(void *);
    void *context;
};

void mutex_init(hcs_mutex *mutex) {
    InitializeSRWLock(mutex);
}

void mutex_destroy(hcs_mutex *mutex) {
    (void)mutex; /* a slim lock owns nothing */
}

void mutex_lock(hcs_mutex *mutex) {
    AcquireSRWLockExclusive(mutex);
}

void mutex_unlock(hcs_mutex *mutex) {
    ReleaseSRWLockExclusive(mutex);
}

void condition_init(hcs_condition *condition) {
    InitializeConditionVariable(condition);
}

void condition_destroy(hcs_condition *condition) {
    (void)condition; /* owns nothing either */
}

void condition_broadcast(hcs_condition *condition) {
    WakeAllConditionVariable(condition);
}

/* Milliseconds until `deadline`, rounded up, so that none ends early. */
static DWORD milliseconds_until(int64_t deadline) {
    int64_t now = clock_monotonic();
    int64_t left;
    if (deadline == INT64_MAX)
        return INFINITE;
    if (deadline <= now)
        return 0;
    left = (deadline - now - 1) / CLOCK_MS + 1;
    return left < INFINITE - 1 ? (DWORD)left : INFINITE - 1;
}

bool condition_wait(hcs_condition *condition, hcs_mutex *mutex,
                    int64_t deadline) {
    DWORD wait = milliseconds_until(deadline);
    if (SleepConditionVariableSRW(condition, mutex, wait, 0))
        return true;
    return clock_monotonic() < deadline;
}

static unsigned __stdcall trampoline(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    start.run(start.context);
    return 0;
}

HRESULT thread_start(hcs_thread *thread, void (*run)(void *), void *context,
                     struct hcs_error *error) {
    struct start *start = malloc(sizeof *start);
    uintptr_t handle;

    if (!start)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for a thread");
    *start = (struct start){run, context};
    handle = _beginthreadex(NULL, 0, trampoline, start, 0, NULL);
    if (!handle) {
        free(start);
        return error_set(error, HR_NO_SYSTEM_RESOURCES, NULL,
                         "start a thread: refused");
    }
    *thread = (HANDLE)handle;
    return S_OK;
}

void thread_join(hcs_thread thread) {
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

bool thread_is_current(hcs_thread thread) {
    return GetThreadId(thread) == GetCurrentThreadId();
}
