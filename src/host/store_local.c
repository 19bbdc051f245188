/* SPDX-License-Identifier: MIT
 * Systems kept in this process: a simulated world. A system is listed, and its
 * id taken, from its creation until it exits; its vm stays for as long as
 * somebody has a handle to it. */
#include <stdlib.h>
#include <string.h>

#include "store_local_private.h"

struct store_line {
    struct entry *entry;
    struct vm_watcher watcher;
    struct store_sink *sink;
};

struct sim *store_local_sim(struct store *store) {
    return local_of(store)->sim;
}

/* --- entries ------------------------------------------------------------- */

static struct entry *find_runtime(struct local *local, const char *runtime_id) {
    struct link *link;
    for (link = local->entries.next; link != &local->entries;
         link = link->next) {
        struct entry *entry = entry_at(link);
        if (entry->listed && strcmp(entry->runtime_id, runtime_id) == 0)
            return entry;
    }
    return NULL;
}

/* Ids that lead to the same runtime id are the same. */
static struct entry *find_id(struct local *local, const char *id) {
    char runtime_id[37];
    vm_runtime_id_of(id, runtime_id);
    return find_runtime(local, runtime_id);
}

static void unlist(struct entry *entry) {
    if (!entry->listed)
        return;
    entry->listed = false;
    entry->local->listed--;
}

static void entry_free(struct entry *entry) {
    unlist(entry);
    link_remove(&entry->link);
    vm_destroy(entry->vm);
    free(entry);
}

/* Frees what is neither listed nor open. Not from inside a vm's own call. */
static void reap(struct local *local) {
    struct link *link, *next;
    for (link = local->entries.next; link != &local->entries; link = next) {
        struct entry *entry = entry_at(link);
        next = link->next;
        if (!entry->listed && entry->lines == 0)
            entry_free(entry);
    }
}

/* --- what a vm asks ------------------------------------------------------ */

static int64_t now(void *context) {
    struct entry *entry = context;
    return entry->local->config.now(entry->local->config.context);
}

static bool granted(void *context, const struct vm *vm, const char *path) {
    struct entry *entry = context;
    (void)vm;
    return ledger_allows(&entry->local->ledger, entry->runtime_id, path);
}

static bool file_exists(void *context, const char *path) {
    struct entry *entry = context;
    return sim_file_exists(entry->local->sim, path);
}

static HRESULT find_template(void *context, const char *runtime_id,
                             struct machine **machine,
                             struct hcs_error *error) {
    struct entry *entry = context;
    struct entry *found = find_runtime(entry->local, runtime_id);
    const char *path = "$.VirtualMachine.RestoreState.TemplateSystemId";

    if (!found || !found->vm)
        return error_set(error, HCS_E_SYSTEM_NOT_FOUND, path,
                         "there is no system with the runtime id \"%s\"",
                         runtime_id);
    if (vm_state(found->vm) != VM_SAVED_AS_TEMPLATE)
        return error_set(error, HCS_E_INVALID_STATE, path,
                         "the system \"%s\" is not saved as a template",
                         vm_id(found->vm));
    *machine = vm_machine(found->vm);
    return S_OK;
}

static bool has_clones(void *context, const struct vm *vm) {
    struct entry *entry = context;
    struct link *link;
    for (link = entry->local->entries.next; link != &entry->local->entries;
         link = link->next) {
        struct entry *other = entry_at(link);
        if (other->listed && other->vm &&
            strcmp(vm_template_id(other->vm), vm_runtime_id(vm)) == 0)
            return true;
    }
    return false;
}

static void changed(void *context, struct vm *vm) {
    if (vm_state(vm) == VM_STOPPED)
        unlist(context);
}

static void created(void *context, const struct vm_reply *reply) {
    struct entry *entry = context;
    struct store_request request = entry->create;
    if (FAILED(reply->result))
        unlist(entry);
    request.reply(request.context, reply);
}

/* --- lines --------------------------------------------------------------- */

static void heard(struct vm_watcher *watcher, HCS_EVENT_TYPE type,
                  const char *document) {
    struct store_line *line =
        HCS_CONTAINER(watcher, struct store_line, watcher);
    line->sink->event(line->sink, type, document);
}

static struct store_line *line_new(struct entry *entry,
                                   struct store_sink *sink) {
    struct store_line *line = calloc(1, sizeof *line);
    if (!line)
        return NULL;
    line->entry = entry;
    line->sink = sink;
    line->watcher.event = heard;
    link_init(&line->watcher.link);
    entry->lines++;
    return line;
}

static HRESULT make_vm(struct entry *entry, const char *id,
                       struct json_doc *document, struct hcs_error *error) {
    struct local *local = entry->local;
    struct vm_host host = {
        .machine = sim_machine_ops(),
        .platform = local->sim,
        .timers = local->config.timers,
        .now = now,
        .granted = local->config.access_open ? NULL : granted,
        .file_exists = file_exists,
        .find_template = find_template,
        .has_clones = has_clones,
        .changed = changed,
        .context = entry,
        .build = local->config.build,
        .strict = local->config.strict,
    };
    return vm_create(&host, id, document, created, entry, &entry->vm, error);
}

static struct entry *entry_new(struct local *local, const char *id) {
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return NULL;
    entry->local = local;
    vm_runtime_id_of(id, entry->runtime_id);
    entry->listed = true;
    local->listed++;
    link_append(&local->entries, &entry->link);
    return entry;
}

static HRESULT local_create(struct store *store, const char *id,
                            struct json_doc *document, struct store_sink *sink,
                            struct store_request request,
                            struct store_line **out, struct hcs_error *error) {
    struct local *local = local_of(store);
    struct entry *entry = NULL;
    struct store_line *line = NULL;
    HRESULT hr;

    reap(local);
    if (find_id(local, id)) {
        hr = error_set(error, HCS_E_SYSTEM_ALREADY_EXISTS, NULL,
                       "there is a system \"%s\" already", id);
        goto fail;
    }
    entry = entry_new(local, id);
    if (entry)
        line = line_new(entry, sink);
    if (!line) {
        hr =
            error_set(error, E_OUTOFMEMORY, NULL, "out of memory for a system");
        goto fail;
    }
    entry->create = request;
    *out = line;
    hr = make_vm(entry, id, document, error);
    if (FAILED(hr)) {
        *out = NULL;
        goto fail;
    }
    vm_watch(entry->vm, &line->watcher);
    return S_OK;
fail:
    json_doc_free(document);
    free(line);
    if (entry)
        entry_free(entry);
    return hr;
}

static HRESULT local_open(struct store *store, const char *id,
                          struct store_sink *sink, struct store_line **out,
                          struct hcs_error *error) {
    struct local *local = local_of(store);
    struct entry *entry = find_id(local, id);
    struct store_line *line;

    if (!entry)
        return error_set(error, HCS_E_SYSTEM_NOT_FOUND, NULL,
                         "there is no system \"%s\"", id);
    line = line_new(entry, sink);
    if (!line)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for a system's handle");
    vm_watch(entry->vm, &line->watcher);
    *out = line;
    return S_OK;
}

static void local_submit(struct store_line *line, HCS_OPERATION_TYPE verb,
                         const char *options, struct store_request request) {
    vm_submit(line->entry->vm, verb, options, request.reply, request.context);
}

static void local_close(struct store_line *line) {
    struct entry *entry = line->entry;
    struct local *local = entry->local;

    vm_unwatch(&line->watcher);
    free(line);
    entry->lines--;
    vm_handle_closed(entry->vm, entry->lines);
    reap(local);
}

static void local_abandon(struct store_line *line) {
    line->entry->lines--;
    vm_unwatch(&line->watcher);
    free(line);
}

/* --- enumeration --------------------------------------------------------- */

/* Whether the list allows the value; a list that is not there allows all. */
static bool allows(const struct json *list, const char *value) {
    if (!list || list->type != JSON_ARRAY)
        return true;
    for (size_t i = 0; i < list->as.array.count; i++)
        if (strcmp(json_text(&list->as.array.items[i], ""), value) == 0)
            return true;
    return false;
}

static bool allows_id(const struct json *list, const struct entry *entry) {
    char runtime_id[37];
    if (!list || list->type != JSON_ARRAY)
        return true;
    for (size_t i = 0; i < list->as.array.count; i++) {
        vm_runtime_id_of(json_text(&list->as.array.items[i], ""), runtime_id);
        if (strcmp(runtime_id, entry->runtime_id) == 0)
            return true;
    }
    return false;
}

/* Systems made through this interface have no name besides their id. */
static bool matches(const struct entry *entry, const struct json *query) {
    return allows_id(json_get(query, "Ids"), entry) &&
           allows(json_get(query, "Names"), "") &&
           allows(json_get(query, "Types"), "VirtualMachine") &&
           allows(json_get(query, "Owners"), vm_owner(entry->vm));
}

static HRESULT local_enumerate(struct store *store, const struct json *query,
                               struct buf *out, struct hcs_error *error) {
    struct local *local = local_of(store);
    struct json_writer writer = {.out = out};
    struct link *link;

    (void)error;
    json_begin_array(&writer);
    for (link = local->entries.next; link != &local->entries;
         link = link->next) {
        const struct entry *entry = entry_at(link);
        if (entry->listed && entry->vm && matches(entry, query))
            vm_write_summary(entry->vm, &writer);
    }
    json_end_array(&writer);
    return S_OK;
}

/* --- the whole ----------------------------------------------------------- */

static void local_inventory(struct store *store, struct store_inventory *out) {
    *out = (struct store_inventory){.systems = local_of(store)->listed};
}

static void local_describe(struct store *store, struct json_writer *w) {
    (void)store;
    (void)w; /* no root, no accelerator */
}

static hcs_waitable local_waitable(struct store *store) {
    return sim_waitable(local_of(store)->sim);
}

static bool local_pump(struct store *store) {
    struct local *local = local_of(store);
    reap(local);
    return sim_pump(local->sim);
}

static void local_destroy(struct store *store) {
    struct local *local = local_of(store);
    while (!link_alone(&local->entries))
        entry_free(entry_at(local->entries.next));
    sim_close(local->sim);
    ledger_free(&local->ledger);
    free(local);
}

static const struct store_ops ops = {
    .create = local_create,
    .open = local_open,
    .submit = local_submit,
    .close = local_close,
    .abandon = local_abandon,
    .enumerate = local_enumerate,
    .grant = local_grant,
    .revoke = local_revoke,
    .create_file = local_create_file,
    .pipe_connect = local_pipe_connect,
    .pipe_path = local_pipe_path,
    .inventory = local_inventory,
    .describe = local_describe,
    .waitable = local_waitable,
    .pump = local_pump,
    .destroy = local_destroy,
};

HRESULT store_local_open(const struct store_config *config, struct store **out,
                         struct hcs_error *error) {
    struct sim_options options = {.seed = config->seed,
                                  .latency = config->latency,
                                  .no_replay = config->strict,
                                  .own_pipes = config->own_pipes};
    struct sim_env env = {.timers = config->timers,
                          .now = config->now,
                          .guest = config->guest,
                          .attach = config->attach,
                          .detach = config->detach,
                          .plane = config->plane,
                          .context = config->context};
    struct local *local = calloc(1, sizeof *local);
    HRESULT hr;

    if (!local)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for a host");
    local->store.ops = &ops;
    local->config = *config;
    ledger_init(&local->ledger);
    link_init(&local->entries);
    hr = sim_open(&options, &env, &local->sim, error);
    if (FAILED(hr)) {
        free(local);
        return hr;
    }
    *out = &local->store;
    return S_OK;
}
