/* SPDX-License-Identifier: MIT */
#include "spawn.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_FREE 16 /* above what a child's descriptors are put on */
#define MOST 4

extern char **environ;

HRESULT spawn_beside(const char *name, char *path, size_t size,
                     struct hcs_error *error) {
    static const int here;
    Dl_info info;
    char *file = NULL, *slash;
    HRESULT hr = S_OK;

    if (dladdr(&here, &info) != 0 && info.dli_fname)
        file = realpath(info.dli_fname, NULL);
    slash = file ? strrchr(file, '/') : NULL;
    if (!slash ||
        snprintf(path, size, "%.*s/%s", (int)(slash - file), file, name) >=
            (int)size ||
        access(path, X_OK) != 0)
        hr = error_set(error, HR_FILE_NOT_FOUND, NULL,
                       "the program %s is not beside %s", name,
                       file ? file : "the library");
    free(file);
    return hr;
}

static int add_descriptors(posix_spawn_file_actions_t *actions, const int *from,
                           int first, int count) {
    int result = 0;

    for (int i = 0; result == 0 && i < count; i++)
        result = posix_spawn_file_actions_adddup2(actions, from[i], first + i);
    if (result == 0)
        result =
            posix_spawn_file_actions_addclosefrom_np(actions, first + count);
    return result;
}

/* Descriptors are out of each other's way already. */
static int spawn(const char *path, char *const argv[], const int *from,
                 int first, int count, pid_t *pid) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int result;

    sigemptyset(&none);
    sigfillset(&all);
    result = posix_spawn_file_actions_init(&actions);
    if (result != 0)
        return result;
    result = posix_spawnattr_init(&attributes);
    if (result != 0)
        goto out;
    result = add_descriptors(&actions, from, first, count);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (result == 0)
        result = posix_spawn(pid, path, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);

out:
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

HRESULT spawn_program(const char *path, char *const argv[], const int *from,
                      int first, int count, pid_t *pid,
                      struct hcs_error *error) {
    int moved[MOST] = {0}, made = 0, result = 0;

    while (made < count && result == 0) {
        moved[made] = fcntl(from[made], F_DUPFD_CLOEXEC, FIRST_FREE);
        if (moved[made] < 0) /* EINVAL: there are never as many */
            result = errno == EINVAL ? EMFILE : errno;
        else
            made++;
    }
    if (result == 0)
        result = spawn(path, argv, moved, first, count, pid);
    while (made > 0)
        close(moved[--made]);
    return result == 0 ? S_OK : error_errno(error, result, "starting %s", path);
}

void spawn_reap(pid_t pid) {
    if (pid > 0)
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            continue;
}
