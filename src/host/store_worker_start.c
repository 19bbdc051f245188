/* SPDX-License-Identifier: MIT
 * The programs that real systems need, and starting them. This process'
 * signals and children are left alone: the worker is nobody's child. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/spawn.h"
#include "store_worker_private.h"

#define PROBE_DEADLINE (1500 * CLOCK_MS)

/* --- the programs --------------------------------------------------------- */

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
    HRESULT hr =
        spawn_beside("hcs-vmwp", store->program, sizeof store->program, error);

    return SUCCEEDED(hr) ? find_qemu(store, error) : hr;
}

/* --- starting ------------------------------------------------------------- */

HRESULT worker_start(struct worker_store *store, const char *runtime_id,
                     int socket, int lock, pid_t *starter,
                     struct hcs_error *error) {
    static char option[] = "--serve";
    char id[40];
    char *argv[] = {store->program, option, store->root_path, id, NULL};
    int from[2] = {socket, lock};

    snprintf(id, sizeof id, "%s", runtime_id);
    return spawn_program(store->program, argv, from, WORKER_SOCKET, 2, starter,
                         error);
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
    int fds[2];
    pid_t child = 0;
    HRESULT hr;

    decide(store, "tcg", "the probe of /dev/kvm failed");
    if (pipe2(fds, O_CLOEXEC) != 0)
        return;
    hr = spawn_program(store->program, argv, &fds[1], 1, 1, &child, NULL);
    close(fds[1]);
    if (SUCCEEDED(hr)) {
        if (read_answer(fds[0], text, sizeof text))
            take_answer(store, text);
        else
            decide(store, "tcg", "the probe of /dev/kvm did not end");
        kill(child, SIGKILL);
        spawn_reap(child);
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
