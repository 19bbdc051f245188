/* SPDX-License-Identifier: MIT
 * What the state root gives to the QEMU backend: pipes and templates. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "../backend/qemu/saved.h"
#include "worker.h"

#define STATUS_LIMIT ((size_t)1 << 20)
#define PIPES_LIMIT 4096

static int open_own(const struct worker *worker, const char *runtime_id,
                    const char *name, int flags) {
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", runtime_id, name);
    return openat(worker->root, path, flags | O_CLOEXEC, 0600);
}

/* --- pipes ---------------------------------------------------------------- */

static HRESULT note(int list, const char *file, struct hcs_error *error) {
    char line[PIPE_FILE_SIZE + 2];
    int length = snprintf(line, sizeof line, "%s\n", file);

    if (write(list, line, (size_t)length) != length)
        return error_errno(error, errno, "the list of pipes");
    return S_OK;
}

/* Notes the pipe where a sweep will find it, then listens: in this order, as
 * this process may be killed between the two. A socket left by a worker that
 * died is taken away, a live one is not. */
static HRESULT listen_at(int pipes, const char *file, int list, int *fd,
                         struct hcs_error *error) {
    off_t before = lseek(list, 0, SEEK_END);
    HRESULT hr;
    int other;

    if (SUCCEEDED(socket_connect(pipes, file, &other, NULL))) {
        close(other);
        return error_set(error, HR_SHARING_VIOLATION, NULL,
                         "another system has the pipe \"%s\"", file);
    }
    hr = note(list, file, error);
    if (SUCCEEDED(hr)) {
        unlinkat(pipes, file, 0);
        hr = socket_listen(pipes, file, fd, error);
    }
    if (FAILED(hr) && ftruncate(list, before) != 0)
        return error_errno(error, errno, "the list of pipes");
    return hr;
}

static HRESULT pipe_listen(void *context, const char *name, int *fd,
                           struct hcs_error *error) {
    struct worker *worker = context;
    char file[PIPE_FILE_SIZE];
    HRESULT hr = pipe_file(name, file, error);
    int lock, pipes, list;

    if (FAILED(hr))
        return hr;
    hr = root_lock(worker->root, &lock, error);
    if (FAILED(hr))
        return hr;
    /* A dead system that noted the name would take this one's pipe later. */
    root_sweep(worker->root);
    pipes = openat(worker->root, "pipes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    list = open_own(worker, worker->runtime_id, "pipes",
                    O_WRONLY | O_CREAT | O_APPEND);
    hr = pipes < 0 || list < 0 ? error_errno(error, errno, "the pipes")
                               : listen_at(pipes, file, list, fd, error);
    if (list >= 0)
        close(list);
    if (pipes >= 0)
        close(pipes);
    close(lock);
    return hr;
}

/* From now on the name may be another's; the end of this one spares it. */
static void unnote(struct worker *worker, const char *file) {
    char *text =
        system_read(worker->root, worker->runtime_id, "pipes", PIPES_LIMIT);
    char *rest = text, *name;
    struct buf kept = {0};

    while (rest && (name = strsep(&rest, "\n"))) {
        if (!name[0] || strcmp(name, file) == 0)
            continue;
        buf_puts(&kept, name);
        buf_putc(&kept, '\n');
    }
    if (!kept.failed)
        system_write_file(worker, "pipes", &kept);
    buf_free(&kept);
    free(text);
}

static void pipe_remove(void *context, const char *name) {
    struct worker *worker = context;
    char file[PIPE_FILE_SIZE], path[PATH_MAX];
    int lock;

    /* Once the directory is gone the name may be another's. */
    if (worker->removed || FAILED(pipe_file(name, file, NULL)) ||
        FAILED(root_lock(worker->root, &lock, NULL)))
        return;
    snprintf(path, sizeof path, "pipes/%s", file);
    unlinkat(worker->root, path, 0);
    unnote(worker, file);
    close(lock);
}

/* --- templates ------------------------------------------------------------ */

/* {"Process","Memory","MemoryBytes","Shape"}: the memory is reached through
 * /proc, as the descriptor of a process that holds its directory's lock. */
static HRESULT template_publish(void *context,
                                const struct qemu_template *saved,
                                struct hcs_error *error) {
    struct worker *worker = context;
    struct buf text = {0};
    struct json_writer w = {&text, false};
    HRESULT hr = S_OK;
    int fd;

    json_begin_object(&w);
    json_pair_int(&w, "Process", getpid());
    json_pair_int(&w, "Memory", saved->memory);
    json_pair_uint(&w, "MemoryBytes", saved->memory_bytes);
    json_pair_string(&w, "Shape", saved->shape);
    json_end_object(&w);
    fd = open_own(worker, worker->runtime_id, "template",
                  O_WRONLY | O_CREAT | O_TRUNC);
    if (text.failed)
        hr = error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    else if (fd < 0 ||
             write(fd, text.data, text.length) != (ssize_t)text.length)
        hr = error_errno(error, errno, "the template");
    if (fd >= 0)
        close(fd);
    buf_free(&text);
    return hr;
}

static HRESULT open_memory(const struct json *record, int *out,
                           struct hcs_error *error) {
    int64_t process = 0, memory = -1;
    char path[64];

    json_to_int64(json_get(record, "Process"), &process);
    json_to_int64(json_get(record, "Memory"), &memory);
    *out = -1;
    if (memory < 0)
        return S_OK;
    snprintf(path, sizeof path, "/proc/%lld/fd/%lld", (long long)process,
             (long long)memory);
    *out = open(path, O_RDWR | O_CLOEXEC);
    if (*out < 0)
        return error_errno(error, errno, "the template's memory");
    return S_OK;
}

static HRESULT open_parts(struct worker *worker, const char *runtime_id,
                          const struct json *record, struct qemu_template *out,
                          struct hcs_error *error) {
    HRESULT hr;

    out->lock = open_own(worker, runtime_id, "clones", O_RDWR | O_CREAT);
    if (out->lock < 0 || flock(out->lock, LOCK_SH | LOCK_NB) != 0)
        return error_errno(error, errno, "the template's lock");
    out->state = open_own(worker, runtime_id, "template.state", O_RDONLY);
    if (out->state < 0 || lseek(out->state, SAVED_HEADER_SIZE, SEEK_SET) < 0)
        return error_errno(error, errno, "the template's state");
    hr = open_memory(record, &out->memory, error);
    if (FAILED(hr))
        return hr;
    json_to_uint64(json_get(record, "MemoryBytes"), &out->memory_bytes);
    snprintf(out->shape, sizeof out->shape, "%s",
             json_text(json_get(record, "Shape"), ""));
    /* Only now is the process surely the one that was written down. */
    if (!system_alive(worker->root, runtime_id))
        return error_set(error, HCS_E_SYSTEM_NOT_FOUND, NULL,
                         "the template is gone");
    return S_OK;
}

static void close_parts(struct qemu_template *saved) {
    if (saved->memory >= 0)
        close(saved->memory);
    if (saved->state >= 0)
        close(saved->state);
    if (saved->lock >= 0)
        close(saved->lock);
}

static HRESULT template_open(void *context, const char *runtime_id,
                             struct qemu_template *out,
                             struct hcs_error *error) {
    struct worker *worker = context;
    char *text = system_read(worker->root, runtime_id, "template", 4096);
    struct json_doc doc;
    HRESULT hr;

    memset(out, 0, sizeof *out);
    out->memory = out->state = out->lock = -1;
    if (!text)
        return error_set(error, HCS_E_SYSTEM_NOT_FOUND,
                         "$.VirtualMachine.RestoreState.TemplateSystemId",
                         "the template is gone");
    hr = json_parse(text, strlen(text), &doc, error);
    free(text);
    if (FAILED(hr))
        return hr;
    hr = open_parts(worker, runtime_id, doc.root, out, error);
    json_doc_free(&doc);
    if (FAILED(hr))
        close_parts(out);
    return hr;
}

HRESULT platform_find_template(struct worker *worker, const char *runtime_id,
                               struct hcs_error *error) {
    static const char place[] =
        "$.VirtualMachine.RestoreState.TemplateSystemId";
    char *status;
    struct json_doc doc;
    bool saved = false;

    if (!system_alive(worker->root, runtime_id))
        return error_set(error, HCS_E_SYSTEM_NOT_FOUND, place,
                         "there is no such template");
    status = system_read(worker->root, runtime_id, "status", STATUS_LIMIT);
    if (status && SUCCEEDED(json_parse(status, strlen(status), &doc, NULL))) {
        saved = strcmp(json_text(json_at(doc.root, "Summary.State"), ""),
                       "SavedAsTemplate") == 0;
        json_doc_free(&doc);
    }
    free(status);
    if (!saved)
        return error_set(error, HCS_E_INVALID_STATE, place,
                         "that system is not saved as a template");
    return S_OK;
}

bool platform_has_clones(struct worker *worker) {
    int fd = open_own(worker, worker->runtime_id, "clones", O_RDWR);
    bool held;

    if (fd < 0)
        return false;
    held = flock(fd, LOCK_EX | LOCK_NB) != 0;
    close(fd);
    return held;
}

/* --- adapters ------------------------------------------------------------- */

static HRESULT attach(void *context, const struct machine_adapter *adapter,
                      int *tap, struct mac_address *mac,
                      struct hcs_error *error) {
    struct worker *worker = context;

    return network_attach(&worker->network, adapter, tap, mac, error);
}

static void detach(void *context, const struct guid *endpoint) {
    struct worker *worker = context;

    network_detach(&worker->network, endpoint);
}

static void lost(void *context, const struct guid *endpoint, int tap) {
    struct worker *worker = context;

    if (worker->vm)
        qemu_machine_reconnect(vm_machine(worker->vm), endpoint, tap);
    else if (tap >= 0)
        close(tap);
}

static void on_process(void *context, int pid) {
    struct worker *worker = context;

    worker->machine = pid;
    system_write_status(worker, worker->vm);
}

void platform_fill(struct worker *worker, const struct message *message) {
    struct qemu_platform *platform = &worker->platform;
    struct network *network = &worker->network;

    network->place.root = worker->root;
    network->place.path = worker->root_path;
    network->terms.build = (int)message->build;
    network->terms.allow_host_change = message->allow_host_change;
    network->lost = lost;
    network->context = worker;

    platform->loop = &worker->loop;
    platform->directory = worker->directory_path;
    platform->program = worker->program;
    platform->qemu = worker->qemu;
    platform->accelerator = worker->accelerator;
    platform->replay = message->replay;
    platform->context = worker;
    platform->pipe_listen = pipe_listen;
    platform->pipe_remove = pipe_remove;
    platform->template_publish = template_publish;
    platform->template_open = template_open;
    platform->process = on_process;
    platform->attach = attach;
    platform->detach = detach;
}
