/* SPDX-License-Identifier: MIT
 * QEMU's process: how it is started, what it says on its standard error and
 * how its end is noticed. */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define LAST_WORDS 2048
#define FDS (2 + QEMU_PORTS + QEMU_NICS)

int qemu_exec(int parent, char *const argv[]) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return 125;
    /* It may have died before the line above. */
    if (getppid() != parent)
        return 126;
    execv(argv[0], argv);
    fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
    return 127;
}

/* QEMU's log of resets goes the same way as its complaints: registers, flags
 * and the triple fault's line, all of which begin unlike a complaint. */
static void diagnosis_line(struct diagnosis *diagnosis) {
    const char *line = diagnosis->line.data;

    if (strcmp(line, "Triple fault") == 0)
        diagnosis->triple_fault = true;
    if (strstr(line, "qemu") == NULL && strncmp(line, "hcs", 3) != 0)
        return;
    if (strstr(line, " has no peer")) /* as it should be */
        return;
    if (diagnosis->last.length + diagnosis->line.length > LAST_WORDS)
        buf_clear(&diagnosis->last);
    if (diagnosis->last.length)
        buf_puts(&diagnosis->last, "; ");
    buf_puts(&diagnosis->last, line);
}

static void diagnosis_bytes(struct diagnosis *diagnosis, const char *bytes,
                            size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != '\n') {
            if (diagnosis->line.length < LAST_WORDS)
                buf_putc(&diagnosis->line, bytes[i]);
            continue;
        }
        if (diagnosis->line.data)
            diagnosis_line(diagnosis);
        buf_clear(&diagnosis->line);
    }
}

/* One read; false when there is nothing more now. */
static bool diagnosis_read(struct diagnosis *diagnosis) {
    char bytes[4096];
    ssize_t got = read(diagnosis->fd, bytes, sizeof bytes);

    if (got <= 0)
        return got < 0 && errno == EINTR;
    diagnosis_bytes(diagnosis, bytes, (size_t)got);
    return true;
}

void diagnosis_drain(struct machine *machine) {
    while (machine->diagnosis.open && diagnosis_read(&machine->diagnosis))
        continue;
}

static void on_diagnosis(uv_poll_t *poll, int status, int events) {
    struct machine *machine = poll->data;

    (void)events;
    if (status < 0 || !diagnosis_read(&machine->diagnosis))
        uv_poll_stop(poll); /* at its end; the process' end is told elsewhere */
}

void diagnosis_close(struct machine *machine) {
    struct diagnosis *diagnosis = &machine->diagnosis;

    if (!diagnosis->open)
        return;
    diagnosis->open = false;
    uv_poll_stop(&diagnosis->poll);
    machine_close_handle(machine, (uv_handle_t *)&diagnosis->poll);
    close(diagnosis->fd);
}

static HRESULT diagnosis_open(struct machine *machine, int *theirs,
                              struct hcs_error *error) {
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0)
        return error_errno(error, errno, "a pipe for QEMU");
    if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0 ||
        uv_poll_init(machine->platform->loop, &machine->diagnosis.poll,
                     fds[0]) != 0) {
        close(fds[0]);
        close(fds[1]);
        return error_set(error, HR_NO_SYSTEM_RESOURCES, NULL,
                         "a pipe for QEMU");
    }
    machine->diagnosis.fd = fds[0];
    machine->diagnosis.open = true;
    machine->diagnosis.poll.data = machine;
    machine_hold(machine);
    uv_poll_start(&machine->diagnosis.poll, UV_READABLE, on_diagnosis);
    *theirs = fds[1];
    return S_OK;
}

/* How it ended, with QEMU's own words if it had any. */
static void describe_end(struct machine *machine, int64_t status, int signal,
                         struct hcs_error *error) {
    const char *last = machine->diagnosis.last.length
                           ? machine->diagnosis.last.data
                           : "it said nothing";

    if (signal)
        error_set(error, HCS_E_UNEXPECTED_EXIT, NULL,
                  "QEMU was killed by signal %d", signal);
    else
        error_set(error, HCS_E_UNEXPECTED_EXIT, NULL,
                  "QEMU ended with status %d: %.300s", (int)status, last);
}

static void on_ended(uv_process_t *process, int64_t status, int signal) {
    struct machine *machine = process->data;
    struct hcs_error error;

    machine->running = false;
    machine->platform->process(machine->platform->context, 0);
    if (!machine->destroyed) {
        /* What QEMU said before it went is older than its end. */
        ports_drain(machine);
        diagnosis_drain(machine);
        if (machine->qmp)
            qmp_drain(machine->qmp);
        describe_end(machine, status, signal, &error);
        machine_ended(machine, &error);
    }
    machine_close_handle(machine, (uv_handle_t *)process);
}

/* hcs-vmwp --exec PARENT PROGRAM ARGUMENT…: it ties QEMU to this process. */
static char **command_line(struct machine *machine,
                           const struct arguments *arguments, char parent[16]) {
    static char exec_option[] = "--exec";
    char **argv = calloc(arguments->count + 4, sizeof *argv);

    if (!argv)
        return NULL;
    snprintf(parent, 16, "%d", (int)getpid());
    argv[0] = strdup(machine->platform->program);
    if (!argv[0]) {
        free(argv);
        return NULL;
    }
    argv[1] = exec_option;
    argv[2] = parent;
    memcpy(argv + 3, arguments->items, arguments->count * sizeof *argv);
    return argv;
}

static int spawn(struct machine *machine, char **argv, int diagnosis,
                 const int *fds, size_t count) {
    uv_stdio_container_t stdio[3 + FDS];
    uv_process_options_t options;

    memset(&options, 0, sizeof options);
    memset(stdio, 0, sizeof stdio);
    stdio[0].flags = UV_IGNORE;
    stdio[1].flags = UV_IGNORE;
    stdio[2].flags = UV_INHERIT_FD;
    stdio[2].data.fd = diagnosis;
    for (size_t i = 0; i < count; i++) {
        stdio[3 + i].flags = fds[i] >= 0 ? UV_INHERIT_FD : UV_IGNORE;
        stdio[3 + i].data.fd = fds[i];
    }
    options.exit_cb = on_ended;
    options.file = argv[0];
    options.args = argv;
    options.stdio = stdio;
    options.stdio_count = (int)(3 + count);
    machine->process.data = machine;
    machine_hold(machine);
    return uv_spawn(machine->platform->loop, &machine->process, &options);
}

HRESULT process_spawn(struct machine *machine,
                      const struct arguments *arguments, const int *fds,
                      size_t count, struct hcs_error *error) {
    char parent[16];
    char **argv = command_line(machine, arguments, parent);
    int theirs = -1, result;
    HRESULT hr;

    if (!argv)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    hr = diagnosis_open(machine, &theirs, error);
    if (FAILED(hr))
        goto out;
    result = spawn(machine, argv, theirs, fds, count);
    close(theirs);
    if (result != 0) {
        hr = error_errno(error, -result, "starting %s", argv[0]);
        machine_close_handle(machine, (uv_handle_t *)&machine->process);
        goto out;
    }
    machine->running = true;
    machine->platform->process(machine->platform->context,
                               machine->process.pid);

out:
    free(argv[0]);
    free(argv);
    return hr;
}

void process_kill(struct machine *machine) {
    if (machine->running)
        uv_process_kill(&machine->process, SIGKILL);
}
