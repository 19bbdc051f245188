/* SPDX-License-Identifier: MIT
 * The worker's system: the vm's surroundings and its entry in the root. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "worker.h"

static int64_t now(void *context) {
    (void)context;
    return clock_monotonic();
}

static bool granted(void *context, const struct vm *vm, const char *path) {
    struct worker *worker = context;

    return grant_holds(worker->root, vm_runtime_id(vm), path);
}

static bool file_exists(void *context, const char *path) {
    (void)context;
    return access(path, F_OK) == 0;
}

static HRESULT find_template(void *context, const char *runtime_id,
                             struct machine **machine,
                             struct hcs_error *error) {
    *machine = NULL; /* it lives in its own worker */
    return platform_find_template(context, runtime_id, error);
}

static bool has_clones(void *context, const struct vm *vm) {
    (void)vm;
    return platform_has_clones(context);
}

void system_write_file(struct worker *worker, const char *name,
                       const struct buf *text) {
    char path[PATH_MAX], temporary[PATH_MAX];
    int fd;

    snprintf(path, sizeof path, "%s/%s", worker->runtime_id, name);
    snprintf(temporary, sizeof temporary, "%s/%s.new", worker->runtime_id,
             name);
    fd = openat(worker->root, temporary,
                O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (write(fd, text->data, text->length) == (ssize_t)text->length)
        renameat(worker->root, temporary, worker->root, path);
    else
        unlinkat(worker->root, temporary, 0);
    close(fd);
}

void system_write_status(struct worker *worker, const struct vm *vm) {
    struct buf text = {0};
    struct json_writer w = {&text, false};

    if (worker->removed || !vm)
        return;
    json_begin_object(&w);
    json_pair_int(&w, "Process", getpid());
    json_pair_int(&w, "Machine", worker->machine);
    json_pair_bool(&w, "Temporary", worker->temporary);
    json_key(&w, "Summary");
    vm_write_summary(vm, &w);
    json_end_object(&w);
    if (!text.failed)
        system_write_file(worker, "status", &text);
    buf_free(&text);
}

void system_forget(struct worker *worker) {
    int lock = -1;

    if (worker->removed)
        return;
    worker->removed = true;
    clients_stop_listening(worker);
    root_lock(worker->root, &lock, NULL);
    system_remove(worker->root, worker->runtime_id);
    if (lock >= 0)
        close(lock);
}

static void changed(void *context, struct vm *vm) {
    struct worker *worker = context;

    if (vm_state(vm) != VM_STOPPED) {
        system_write_status(worker, vm);
        return;
    }
    worker->over = true;
    system_forget(worker);
}

static void fill_host(struct worker *worker, const struct message *message,
                      struct vm_host *host) {
    memset(host, 0, sizeof *host);
    host->machine = qemu_machine_ops();
    host->platform = &worker->platform;
    host->timers = &worker->timers;
    host->now = now;
    host->granted = message->open ? NULL : granted;
    host->file_exists = file_exists;
    host->find_template = find_template;
    host->has_clones = has_clones;
    host->changed = changed;
    host->context = worker;
    host->build = (int)message->build;
    host->strict = !message->replay;
}

static HRESULT create(struct worker *worker, const struct message *message,
                      vm_reply_fn reply, void *context,
                      struct hcs_error *error) {
    const char *document = message->document ? message->document : "";
    char runtime_id[37];
    struct vm_host host;
    struct json_doc doc;
    HRESULT hr;

    if (!message->id || !message->qemu || !message->accelerator)
        return error_set(error, HCS_E_PROTOCOL_ERROR, NULL,
                         "the request to create is not complete");
    vm_runtime_id_of(message->id, runtime_id);
    if (strcmp(runtime_id, worker->runtime_id) != 0)
        return error_set(error, HCS_E_PROTOCOL_ERROR, NULL,
                         "this worker is for another system");
    snprintf(worker->qemu, sizeof worker->qemu, "%s", message->qemu);
    snprintf(worker->accelerator, sizeof worker->accelerator, "%s",
             message->accelerator);
    platform_fill(worker, message);
    fill_host(worker, message, &host);
    hr = json_parse(document, strlen(document), &doc, error);
    if (FAILED(hr))
        return hr;
    worker->temporary =
        json_is_true(json_get(doc.root, "ShouldTerminateOnLastHandleClosed"));
    return vm_create(&host, message->id, &doc, reply, context, &worker->vm,
                     error);
}

void system_create(struct worker *worker, const struct message *message,
                   vm_reply_fn reply, void *context) {
    struct hcs_error error;
    HRESULT hr = create(worker, message, reply, context, &error);
    struct vm_reply answer = {hr, &error, NULL};

    if (SUCCEEDED(hr))
        return;
    worker->over = true;
    system_forget(worker);
    reply(context, &answer);
}
