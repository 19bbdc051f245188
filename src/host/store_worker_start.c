/* SPDX-License-Identifier: MIT
 * The programs that real systems need, and starting them. This process'
 * signals and children are left alone: the worker is nobody's child. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/clock.h"
#include "store_worker_private.h"

#define PROBE_DEADLINE (1500 * CLOCK_MS)
#define FIRST_FREE 16 /* above what a child's descriptors are put on */

extern char **environ;

/* --- the programs --------------------------------------------------------- */

/* The worker lies beside the file that this code is in. */
static HRESULT find_worker(struct worker_store *store,
                           struct hcs_error *error) {
    static const int here;
    Dl_info info;
    char *file = NULL, *slash;
    HRESULT hr = S_OK;

    if (dladdr(&here, &info) != 0 && info.dli_fname)
        file = realpath(info.dli_fname, NULL);
    slash = file ? strrchr(file, '/') : NULL;
    if (!slash ||
        snprintf(store->program, sizeof store->program, "%.*s/hcs-vmwp",
                 (int)(slash - file), file) >= (int)sizeof store->program ||
        access(store->program, X_OK) != 0)
        hr = error_set(error, HR_FILE_NOT_FOUND, NULL,
                       "the worker program hcs-vmwp is not beside %s",
                       file ? file : "the library");
    free(file);
    return hr;
}

static HRESULT find_qemu(struct worker_store *store, struct hcs_error *error) {
    const char *next = getenv("PATH");

    while (next && *next) {
        int length = (int)strcspn(next, ":");

        if (next[0] == '/' &&
            snprintf(store->qemu, sizeof store->qemu, "%.*s/qemu-system-x86_64",
                     length, next) < (int)sizeof store->qemu &&
            access(store->qemu, X_OK) == 0)
            return S_OK;
        next += length;
        next += *next == ':';
    }
    return error_set(error, HR_FILE_NOT_FOUND, NULL,
                     "qemu-system-x86_64 is not installed: install the "
                     "package qemu-system-x86, or use \"sim:\"");
}

HRESULT programs_find(struct worker_store *store, struct hcs_error *error) {
    HRESULT hr = find_worker(store, error);

    return SUCCEEDED(hr) ? find_qemu(store, error) : hr;
}

/* --- starting ------------------------------------------------------------- */

/* Descriptors `from[i]` become `first + i`, the rest are closed. */
static int spawn(const char *program, char *const argv[], const int *from,
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
    for (int i = 0; result == 0 && i < count; i++)
        result = posix_spawn_file_actions_adddup2(&actions, from[i], first + i);
    if (result == 0)
        result =
            posix_spawn_file_actions_addclosefrom_np(&actions, first + count);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (result == 0)
        result =
            posix_spawn(pid, program, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);

out:
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

HRESULT worker_start(struct worker_store *store, const char *runtime_id,
                     int socket, int lock, pid_t *starter,
                     struct hcs_error *error) {
    static char option[] = "--serve";
    char id[40];
    char *argv[] = {store->program, option, store->root_path, id, NULL};
    int from[2] = {fcntl(socket, F_DUPFD_CLOEXEC, FIRST_FREE),
                   fcntl(lock, F_DUPFD_CLOEXEC, FIRST_FREE)};
    int result = EMFILE;

    snprintf(id, sizeof id, "%s", runtime_id);
    if (from[0] >= 0 && from[1] >= 0)
        result = spawn(store->program, argv, from, WORKER_SOCKET, 2, starter);
    for (int i = 0; i < 2; i++)
        if (from[i] >= 0)
            close(from[i]);
    if (result != 0)
        return error_errno(error, result, "starting %s", store->program);
    return S_OK;
}

/* --- the accelerator ------------------------------------------------------ */

static void decide(struct worker_store *store, const char *accelerator,
                   const char *reason) {
    snprintf(store->accelerator, sizeof store->accelerator, "%s", accelerator);
    snprintf(store->reason, sizeof store->reason, "%s", reason);
}

/* What the child writes until its end or the deadline; false: the latter. */
static bool read_answer(int fd, char *text, size_t size) {
    int64_t deadline = clock_monotonic() + PROBE_DEADLINE;
    size_t length = 0;

    for (;;) {
        int64_t left = deadline - clock_monotonic();
        struct pollfd input = {fd, POLLIN, 0};
        ssize_t got;

        if (left <= 0 || length + 1 >= size)
            return false;
        if (poll(&input, 1, (int)(left / CLOCK_MS) + 1) <= 0)
            continue;
        got = read(fd, text + length, size - 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    text[length] = 0;
    return true;
}

static void take_answer(struct worker_store *store, const char *text) {
    struct json_doc doc;
    const char *accelerator, *reason;

    if (FAILED(json_parse(text, strlen(text), &doc, NULL)))
        return;
    accelerator = json_text(json_get(doc.root, "Accelerator"), "");
    reason = json_text(json_get(doc.root, "Reason"), "");
    if (strcmp(accelerator, "kvm") == 0 || strcmp(accelerator, "tcg") == 0)
        decide(store, accelerator, reason);
    json_doc_free(&doc);
}

static void probe(struct worker_store *store) {
    static char option[] = "--probe";
    char *argv[] = {store->program, option, NULL};
    char text[512];
    int fds[2], from[1], result;
    pid_t child = 0;

    decide(store, "tcg", "the probe of /dev/kvm failed");
    if (pipe2(fds, O_CLOEXEC) != 0)
        return;
    from[0] = fcntl(fds[1], F_DUPFD_CLOEXEC, FIRST_FREE);
    close(fds[1]);
    result =
        from[0] < 0 ? EMFILE : spawn(store->program, argv, from, 1, 1, &child);
    if (from[0] >= 0)
        close(from[0]);
    if (result == 0) {
        if (read_answer(fds[0], text, sizeof text))
            take_answer(store, text);
        else
            decide(store, "tcg", "the probe of /dev/kvm did not end");
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    close(fds[0]);
}

void accelerator_find(struct worker_store *store) {
    const char *asked = store->config.accelerator;

    if (store->probed)
        return;
    store->probed = true;
    if (asked && (strcmp(asked, "kvm") == 0 || strcmp(asked, "tcg") == 0))
        decide(store, asked, "the host's options say so");
    else
        probe(store);
}
