/* SPDX-License-Identifier: MIT
 * The life of a vm, its time, and who hears what happens to it. */
#include "vm_private.h"

#include <stdlib.h>
#include <string.h>

#include "../../base/clock.h"
#include "../../base/text.h"

/* --- time, state, events ---------------------------------------------- */

int64_t vm_now(const struct vm *vm) {
    return vm->host.now(vm->host.context);
}

int64_t vm_wall(const struct vm *vm) {
    return vm_now(vm) + vm->wall_offset;
}

int64_t vm_uptime(const struct vm *vm) {
    if (vm->state != VM_RUNNING)
        return vm->ran;
    return vm->ran + vm_now(vm) - vm->running_since;
}

static void changed(struct vm *vm) {
    if (vm->host.changed)
        vm->host.changed(vm->host.context, vm);
}

void vm_set_state(struct vm *vm, enum vm_state state) {
    if (vm->state == state)
        return;
    vm->ran = vm_uptime(vm);
    vm->running_since = vm_now(vm);
    vm->state = state;
    changed(vm);
}

/* A watcher may take itself or others off the list meanwhile. */
void vm_tell(struct vm *vm, HCS_EVENT_TYPE type, const char *document) {
    struct link round;
    link_init(&round);
    while (!link_alone(&vm->watchers)) {
        struct link *link = vm->watchers.next;
        link_remove(link);
        link_append(&round, link);
    }
    while (!link_alone(&round)) {
        struct link *link = round.next;
        link_remove(link);
        link_append(&vm->watchers, link);
        struct vm_watcher *watcher =
            HCS_CONTAINER(link, struct vm_watcher, link);
        watcher->event(watcher, type, document);
    }
}

void vm_watch(struct vm *vm, struct vm_watcher *watcher) {
    link_init(&watcher->link);
    link_append(&vm->watchers, &watcher->link);
    if (vm->state == VM_STOPPED && !vm->failed)
        watcher->event(watcher, HcsEventSystemExited, vm->exit_document);
}

void vm_unwatch(struct vm_watcher *watcher) {
    link_remove(&watcher->link);
}

/* --- calls of the machine --------------------------------------------- */

void *vm_lane_take(struct vm_lane *lane, vm_then then) {
    lane->then = then;
    return lane;
}

void vm_lane_done(void *context, HRESULT result,
                  const struct hcs_error *error) {
    struct vm_lane *lane = context;
    vm_then then = lane->then;
    struct hcs_error unnamed;
    if (!then)
        return;
    lane->then = NULL;
    if (FAILED(result) && !error) {
        const char *text = hresult_text(result);
        error_set(&unnamed, result, NULL, "%s", text ? text : "");
        error = &unnamed;
    }
    then(lane->vm, result, SUCCEEDED(result) ? NULL : error);
}

static void on_machine_event(void *context, const struct machine_event *event) {
    struct vm *vm = context;
    if (vm->state == VM_STOPPED)
        return;
    if (event->kind == MACHINE_DIED) {
        vm_exit(vm, vm->ending ? vm->ending_cause : VM_EXIT_DIED);
        return;
    }
    if (event->kind == MACHINE_PANICKED) {
        buf_clear(&vm->crash.log);
        buf_add(&vm->crash.log, event->text, event->text_length);
    }
    vm->guest_event = true;
    vm->guest_kind = event->kind;
    vm_pump(vm);
}

void vm_handle_closed(struct vm *vm, size_t left) {
    const struct json *flag =
        json_get(vm->document.root, "ShouldTerminateOnLastHandleClosed");
    if (left > 0 || !json_is_true(flag))
        return;
    if (vm->state != VM_STOPPED && !vm->ending)
        vm_end(vm, VM_EXIT_TERMINATED);
}

/* --- from creation to destruction ------------------------------------- */

void vm_runtime_id_of(const char *id, char out[37]) {
    /* a fixed name space of our own, so that every process derives the same */
    static const struct guid space = {{0x5d, 0x1c, 0x0b, 0x2e, 0x53, 0x8f, 0x4b,
                                       0x6a, 0x9d, 0x10, 0x6c, 0x75, 0x61, 0x68,
                                       0x63, 0x73}};
    struct guid guid;
    if (!guid_parse(id, &guid))
        guid_from_name(&space, id, strlen(id), &guid);
    guid_format(&guid, out);
}

static void created(struct vm *vm, HRESULT result,
                    const struct hcs_error *error) {
    if (FAILED(result)) {
        vm->failed = true;
        vm_exit(vm, VM_EXIT_NONE);
        return;
    }
    changed(vm);
    vm_finish(vm, result, error, NULL);
}

/* A creation that fails still leaves a vm behind, which only tells that. */
static void creation_over(struct vm *vm, HRESULT result,
                          const struct hcs_error *error) {
    struct vm_request *request = vm->active;
    if (SUCCEEDED(result)) {
        created(vm, result, error);
        return;
    }
    vm->active = NULL;
    created(vm, result, error);
    vm_answer(request, result, error, NULL);
}

static HRESULT find_template(struct vm *vm, struct machine_config *config,
                             struct hcs_error *error) {
    const char *id = json_text(
        json_at(vm->virtual_machine, "RestoreState.TemplateSystemId"), "");
    if (!*id)
        return S_OK;
    vm_runtime_id_of(id, vm->template_id);
    config->template_id = vm->template_id;
    if (!vm->host.find_template)
        return error_set(error, HCS_E_SYSTEM_NOT_FOUND,
                         "$.VirtualMachine.RestoreState.TemplateSystemId",
                         "there is no template \"%s\"", id);
    return vm->host.find_template(vm->host.context, vm->template_id,
                                  &config->template_machine, error);
}

/* The clock of the machine, whose context is the vm. */
static int64_t machine_now(void *context) {
    return vm_now(context);
}

static void read_document(struct vm *vm) {
    const struct json *root = vm->document.root;
    uint64_t major = 0, minor = 0;
    vm->virtual_machine = json_get(root, "VirtualMachine");
    json_to_uint64(json_at(root, "SchemaVersion.Major"), &major);
    json_to_uint64(json_at(root, "SchemaVersion.Minor"), &minor);
    vm->profile =
        (struct schema_profile){vm->host.build, (int)major, (int)minor};
    json_to_uint64(
        json_at(vm->virtual_machine, "ComputeTopology.Memory.SizeInMB"),
        &vm->memory_mb);
    vm->env = (struct machine_env){.timers = vm->host.timers,
                                   .now = machine_now,
                                   .event = on_machine_event,
                                   .context = vm,
                                   .platform = vm->host.platform};
}

static struct vm *vm_new(const struct vm_host *host, const char *id) {
    struct vm *vm = calloc(1, sizeof *vm);
    if (!vm)
        return NULL;
    vm->host = *host;
    vm->work.vm = vm;
    vm->power.vm = vm;
    link_init(&vm->queue);
    link_init(&vm->watchers);
    vm->id = text_copy(id);
    if (!vm->id) {
        free(vm);
        return NULL;
    }
    vm_runtime_id_of(id, vm->runtime_id);
    vm->wall_offset = clock_wall() - vm_now(vm);
    return vm;
}

static HRESULT start_creation(struct vm *vm, struct hcs_error *error) {
    struct machine_config config = {.id = vm->id,
                                    .runtime_id = vm->runtime_id,
                                    .virtual_machine = vm->virtual_machine,
                                    .build = vm->host.build};
    HRESULT hr =
        timers_add(vm->host.timers, &vm->nmi_timer, vm_nmi_expired, vm, error);
    if (FAILED(hr))
        return hr;
    vm->nmi_timer_ready = true;
    hr = find_template(vm, &config, error);
    if (FAILED(hr))
        return hr;
    vm->busy = true;
    return vm->host.machine->create(
        &vm->env, &config, VM_CALL(vm, creation_over), &vm->machine, error);
}

HRESULT vm_create(const struct vm_host *host, const char *id,
                  struct json_doc *document, vm_reply_fn reply, void *context,
                  struct vm **out, struct hcs_error *error) {
    struct vm *vm = vm_new(host, id);
    HRESULT hr;
    if (!vm) {
        json_doc_free(document);
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a system");
    }
    vm->document = *document;
    *document = (struct json_doc){0};
    hr = vm_document_check(vm->document.root, error);
    if (FAILED(hr))
        goto fail;
    read_document(vm);
    vm->active = vm_request_new(HcsOperationTypeCreate, reply, context);
    if (!vm->active) {
        hr = error_set(error, E_OUTOFMEMORY, NULL, "no memory for a system");
        goto fail;
    }
    *out = vm;
    hr = start_creation(vm, error);
    if (SUCCEEDED(hr))
        return S_OK;
    *out = NULL;
fail:
    if (vm->active)
        vm->active->reply = NULL;
    vm->failed = true;
    vm_destroy(vm);
    return hr;
}

void vm_destroy(struct vm *vm) {
    if (!vm)
        return;
    vm->state = VM_STOPPED;
    vm->work.then = NULL;
    vm->power.then = NULL;
    vm->host.machine->destroy(vm->machine);
    vm->machine = NULL;
    if (vm->nmi_timer_ready)
        timers_remove(vm->host.timers, &vm->nmi_timer);
    vm_abandon_requests(vm);
    while (!link_alone(&vm->watchers))
        link_remove(vm->watchers.next);
    vm_crash_free(&vm->crash);
    free(vm->dumps.about);
    json_doc_free(&vm->document);
    free(vm->id);
    free(vm);
}

/* --- what it tells ---------------------------------------------------- */

const char *vm_id(const struct vm *vm) {
    return vm->id;
}
const char *vm_runtime_id(const struct vm *vm) {
    return vm->runtime_id;
}
enum vm_state vm_state(const struct vm *vm) {
    return vm->state;
}
struct machine *vm_machine(const struct vm *vm) {
    return vm->machine;
}
const char *vm_template_id(const struct vm *vm) {
    return vm->template_id;
}

const char *vm_owner(const struct vm *vm) {
    return json_text(json_get(vm->document.root, "Owner"), "");
}
