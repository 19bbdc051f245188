/* SPDX-License-Identifier: MIT */
#include "crew.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

static void live(void *context) {
    struct crew *crew = context;

    mutex_lock(&crew->mutex);
    for (;;) {
        HRESULT result;

        while (!crew->work && !crew->leave)
            condition_wait(&crew->changed, &crew->mutex, INT64_MAX);
        if (!crew->work)
            break;
        mutex_unlock(&crew->mutex);
        result = crew->work(crew->context, crew->error);
        mutex_lock(&crew->mutex);
        crew->result = result;
        crew->work = NULL;
        crew->done = true;
        condition_broadcast(&crew->changed);
    }
    mutex_unlock(&crew->mutex);
}

HRESULT crew_start(struct crew *crew, struct hcs_error *error) {
    sigset_t all, before;
    HRESULT hr;

    memset(crew, 0, sizeof *crew);
    mutex_init(&crew->mutex);
    condition_init(&crew->changed);
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    hr = thread_start(&crew->thread, live, crew, error);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (FAILED(hr)) {
        condition_destroy(&crew->changed);
        mutex_destroy(&crew->mutex);
    }
    return hr;
}

void crew_stop(struct crew *crew) {
    mutex_lock(&crew->mutex);
    crew->leave = true;
    condition_broadcast(&crew->changed);
    mutex_unlock(&crew->mutex);
    thread_join(crew->thread);
    condition_destroy(&crew->changed);
    mutex_destroy(&crew->mutex);
}

HRESULT crew_run(struct crew *crew, crew_work *work, void *context,
                 struct hcs_error *error) {
    HRESULT result;

    mutex_lock(&crew->mutex);
    crew->work = work;
    crew->context = context;
    crew->error = error;
    crew->done = false;
    condition_broadcast(&crew->changed);
    while (!crew->done)
        condition_wait(&crew->changed, &crew->mutex, INT64_MAX);
    result = crew->result;
    mutex_unlock(&crew->mutex);
    return result;
}

HRESULT crew_here(int *fd, struct hcs_error *error) {
    *fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (*fd < 0)
        return error_errno(error, errno, "the network namespace");
    return S_OK;
}

HRESULT crew_new_space(int *fd, struct hcs_error *error) {
    *fd = -1;
    if (unshare(CLONE_NEWNET) == 0)
        return crew_here(fd, error);
    if (errno == EINVAL || errno == ENOSYS)
        return error_set(error, HR_NOT_SUPPORTED, NULL,
                         "this kernel has no network namespaces");
    return error_errno(error, errno, "a new network namespace");
}

HRESULT crew_enter(int fd, struct hcs_error *error) {
    if (setns(fd, CLONE_NEWNET) != 0)
        return error_errno(error, errno, "into a network namespace");
    return S_OK;
}
