/* SPDX-License-Identifier: MIT
 * hcs-vmwp, the worker process of a real virtual machine.
 *
 *   hcs-vmwp --serve ROOT RUNTIME-ID   serve a system (started by the library)
 *   hcs-vmwp --probe                   say whether KVM can run guests
 *   hcs-vmwp --exec PARENT PROGRAM …   run a program that dies with PARENT
 *   hcs-vmwp --version
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../backend/qemu/probe.h"
#include "../base/clock.h"
#include "worker.h"

#ifndef HCS_VERSION
#define HCS_VERSION "unknown"
#endif

/* How long a client that does not read is waited for at the end. */
#define PATIENCE (2 * CLOCK_SECOND)

/* --- the loop ------------------------------------------------------------- */

static void on_clock(uv_timer_t *timer) {
    struct worker *worker = timer->data;

    while (timers_fire_one(&worker->timers, clock_monotonic()))
        continue;
}

/* Nobody is left and nothing can come any more; or the system is over and
 * everybody has been told. Handles need no worker after that. */
static bool finished(struct worker *worker) {
    int64_t now = clock_monotonic();

    if (!worker->over)
        return !worker->vm && link_alone(&worker->clients);
    if (worker->patience == 0)
        worker->patience = now + PATIENCE;
    return now >= worker->patience ||
           (clients_flushed(worker) &&
            (!worker->vm || qemu_machine_quiet(vm_machine(worker->vm))));
}

static void on_prepare(uv_prepare_t *prepare) {
    struct worker *worker = prepare->data;
    int64_t due = timers_next(&worker->timers);
    int64_t left;

    if (finished(worker)) {
        uv_stop(&worker->loop);
        return;
    }
    if (worker->patience && worker->patience < due)
        due = worker->patience;
    if (due == INT64_MAX) {
        uv_timer_stop(&worker->clock);
        return;
    }
    left = due - clock_monotonic();
    left = left > 0 ? (left + CLOCK_MS - 1) / CLOCK_MS : 0;
    uv_update_time(&worker->loop);
    uv_timer_start(&worker->clock, on_clock, (uint64_t)left, 0);
}

static bool loop_open(struct worker *worker) {
    if (uv_loop_init(&worker->loop) != 0)
        return false;
    uv_prepare_init(&worker->loop, &worker->prepare);
    uv_timer_init(&worker->loop, &worker->clock);
    worker->prepare.data = worker;
    worker->clock.data = worker;
    uv_prepare_start(&worker->prepare, on_prepare);
    return network_open(&worker->network, &worker->loop, worker->program);
}

static void loop_close(struct worker *worker) {
    clients_drop_all(worker);
    vm_destroy(worker->vm);
    worker->vm = NULL;
    system_forget(worker);
    network_close(&worker->network);
    uv_close((uv_handle_t *)&worker->prepare, NULL);
    uv_close((uv_handle_t *)&worker->clock, NULL);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    uv_loop_close(&worker->loop);
    network_free(&worker->network);
    timers_free(&worker->timers);
}

/* --- becoming a worker ---------------------------------------------------- */

/* The starter waits for this process only; the worker is its orphan. */
static bool leave_starter(void) {
    pid_t child = fork();

    if (child > 0)
        _exit(0);
    return child == 0 && setsid() >= 0;
}

/* Nothing of the starter's surroundings is kept. */
static bool settle(void) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
        return false;
    if (null > 2)
        close(null);
    umask(077);
    signal(SIGPIPE, SIG_IGN);
    return chdir("/") == 0 && fcntl(WORKER_SOCKET, F_SETFD, FD_CLOEXEC) == 0 &&
           fcntl(WORKER_SOCKET, F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(WORKER_LOCK, F_SETFD, FD_CLOEXEC) == 0;
}

static bool own_path(char out[PATH_MAX]) {
    ssize_t length = readlink("/proc/self/exe", out, PATH_MAX - 1);

    if (length <= 0)
        return false;
    out[length] = 0;
    return true;
}

static int serve(const char *root, const char *runtime_id) {
    static struct worker worker;
    HRESULT hr;

    if (!leave_starter() || !settle() || !own_path(worker.program))
        return 1;
    link_init(&worker.clients);
    snprintf(worker.root_path, sizeof worker.root_path, "%s", root);
    snprintf(worker.runtime_id, sizeof worker.runtime_id, "%s", runtime_id);
    if (snprintf(worker.directory_path, sizeof worker.directory_path, "%s/%s",
                 root, runtime_id) >= (int)sizeof worker.directory_path)
        return 1;
    worker.lock = WORKER_LOCK;
    hr = root_open(root, &worker.root, NULL);
    if (FAILED(hr) || !loop_open(&worker))
        return 1;
    hr = clients_listen(&worker, NULL);
    if (SUCCEEDED(hr))
        hr = client_add(&worker, WORKER_SOCKET, NULL);
    if (SUCCEEDED(hr))
        uv_run(&worker.loop, UV_RUN_DEFAULT);
    loop_close(&worker);
    close(worker.root);
    return SUCCEEDED(hr) ? 0 : 1;
}

/* --- the other uses ------------------------------------------------------- */

static int probe(void) {
    struct probe_answer answer;
    struct buf text = {0};
    struct json_writer w = {&text, false};
    int code;

    probe_run(&answer);
    json_begin_object(&w);
    json_pair_string(&w, "Accelerator", answer.kvm ? "kvm" : "tcg");
    json_pair_string(&w, "Reason", answer.reason);
    json_end_object(&w);
    code = text.failed || puts(text.data) < 0 || fflush(stdout) != 0;
    buf_free(&text);
    return code;
}

static int usage(void) {
    fprintf(stderr,
            "hcs-vmwp %s: the worker of a virtual machine; it is "
            "started by libhcshost\n"
            "usage: hcs-vmwp --probe | --version\n",
            HCS_VERSION);
    return 2;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0)
        return printf("hcs-vmwp %s\n", HCS_VERSION) < 0;
    if (argc == 2 && strcmp(argv[1], "--probe") == 0)
        return probe();
    if (argc >= 4 && strcmp(argv[1], "--exec") == 0)
        return qemu_exec(atoi(argv[2]), argv + 3);
    if (argc == 4 && strcmp(argv[1], "--serve") == 0)
        return serve(argv[2], argv[3]);
    return usage();
}
