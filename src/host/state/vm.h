/* SPDX-License-Identifier: MIT
 * The truth about one compute system: its state, what may be done in it, what
 * it reports. The host keeps it in process for simulated systems; for real
 * ones it lives in the worker. Not thread-safe: the owner locks.
 *
 * vm_submit answers each request exactly once, perhaps before it returns. */
#ifndef HCS_VM_H
#define HCS_VM_H

#include "../../backend/backend.h"
#include "../../base/list.h"

struct vm;

enum vm_state {
    VM_CREATED,
    VM_RUNNING,
    VM_PAUSED,
    VM_STOPPED,
    VM_SAVED_AS_TEMPLATE
};

struct vm_reply {
    HRESULT result;
    const struct hcs_error *error; /* NULL on success */
    const char *document;          /* JSON text, or NULL for none */
};
typedef void (*vm_reply_fn)(void *context, const struct vm_reply *reply);

/* Somebody who hears events. `document` may be NULL. */
struct vm_watcher {
    struct link link;
    void (*event)(struct vm_watcher *watcher, HCS_EVENT_TYPE type,
                  const char *document);
};

/* What the surroundings give a vm. */
/* It would take such members for macros. */
/* clang-format off */
struct vm_host {
    const struct machine_ops *machine;
    void *platform; /* machine_env.platform */
    struct timers *timers;
    int64_t (*now)(void *context);
    /* Whether the vm may open the file; NULL: every file is open to it. */
    bool (*granted)(void *context, const struct vm *vm, const char *path);
    /* Whether a file exists (simulated worlds have files of their own). */
    bool (*file_exists)(void *context, const char *path);
    /* Another system's machine by runtime id where it is in this process;
     * *machine stays NULL where it is not. HCS_E_SYSTEM_NOT_FOUND, or
     * HCS_E_INVALID_STATE when it is not saved as a template. */
    HRESULT (*find_template)(void *context, const char *runtime_id,
                             struct machine **machine, struct hcs_error *error);
    /* Whether clones of this template are alive. */
    bool (*has_clones)(void *context, const struct vm *vm);
    /* The state has changed (also: created, exited). */
    void (*changed)(void *context, struct vm *vm);
    void *context;
    int build;
    bool strict; /* refuses our kindnesses */
};
/* clang-format on */

/* `document` is a ComputeSystem, parsed and checked by the schema; the vm
 * takes it over, also on failure. Answers `reply` when created; on failure
 * (a result or a reply) the vm, if there is one, is still to be destroyed. */
HRESULT vm_create(const struct vm_host *host, const char *id,
                  struct json_doc *document, vm_reply_fn reply, void *context,
                  struct vm **out, struct hcs_error *error);
/* NULL is fine. Not from inside a call-back of this vm. Requests not yet
 * answered are answered HCS_E_UNEXPECTED_EXIT unless vm_forget was called. */
void vm_destroy(struct vm *vm);

/* `options` is JSON text or NULL. Checks the text, then the state, then what
 * the system can do. Requests are carried out one after the other, each in the
 * state that the one before it left; Terminate and GetProperties wait for
 * none. */
void vm_submit(struct vm *vm, HCS_OPERATION_TYPE verb, const char *options,
               vm_reply_fn reply, void *context);
/* Forgets who is to be answered: pending requests of `context` get no reply. */
void vm_forget(struct vm *vm, void *context);

/* A watcher that comes after the exit hears it at once through `event`. */
void vm_watch(struct vm *vm, struct vm_watcher *watcher);
void vm_unwatch(struct vm_watcher *watcher);

/* A handle was closed and `left` remain: ends the system if its document says
 * so. */
void vm_handle_closed(struct vm *vm, size_t left);

const char *vm_id(const struct vm *vm);
const char *vm_runtime_id(const struct vm *vm);
const char *vm_owner(const struct vm *vm); /* "" when none */
enum vm_state vm_state(const struct vm *vm);
struct machine *vm_machine(const struct vm *vm);
/* The RestoreState.TemplateSystemId's runtime id, or "". */
const char *vm_template_id(const struct vm *vm);
/* The entry of HcsEnumerateComputeSystems (Properties without details). */
void vm_write_summary(const struct vm *vm, struct json_writer *w);

/* The runtime id for an id: itself if it is a GUID, else derived from it. */
void vm_runtime_id_of(const char *id, char out[37]);

#endif
