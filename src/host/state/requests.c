/* SPDX-License-Identifier: MIT
 * Requests wait in line and are carried out one at a time, so that each sees
 * the state that the one before it left. What the guest does (a crash, a reset)
 * comes before what clients ask; Terminate and queries wait for nothing. Each
 * request is answered once, however the system ends. */
#include <stdlib.h>

#include "vm_private.h"

struct vm_request *vm_request_new(HCS_OPERATION_TYPE verb, vm_reply_fn reply,
                                  void *context) {
    struct vm_request *request = calloc(1, sizeof *request);
    if (!request)
        return NULL;
    link_init(&request->link);
    request->verb = verb;
    request->reply = reply;
    request->context = context;
    return request;
}

void vm_request_free(struct vm_request *request) {
    if (!request)
        return;
    link_remove(&request->link);
    json_doc_free(&request->options);
    free(request);
}

static void reply_now(vm_reply_fn reply, void *context, HRESULT result,
                      const struct hcs_error *error, const char *document) {
    struct vm_reply answer = {result, FAILED(result) ? error : NULL, document};
    if (reply)
        reply(context, &answer);
}

void vm_answer(struct vm_request *request, HRESULT result,
               const struct hcs_error *error, const char *document) {
    vm_reply_fn reply = request->reply;
    void *context = request->context;
    request->reply = NULL;
    reply_now(reply, context, result, error, document);
    vm_request_free(request);
}

void vm_finish(struct vm *vm, HRESULT result, const struct hcs_error *error,
               const char *document) {
    struct vm_request *request = vm->active;
    vm->active = NULL;
    vm->busy = false;
    if (request)
        vm_answer(request, result, error, document);
    vm_pump(vm);
}

void vm_idle(struct vm *vm) {
    vm->busy = false;
    vm_pump(vm);
}

/* A kindness of ours: a guest that stands still can be looked at, too. */
static bool is_capture_of_paused(const struct vm *vm,
                                 const struct vm_request *request) {
    const char *path = NULL;
    return request->verb == HcsOperationTypeCrash && !vm->host.strict &&
           vm->state == VM_PAUSED &&
           SUCCEEDED(vm_crash_options(request->options.root, &path, NULL)) &&
           path;
}

static void perform_next(struct vm *vm) {
    struct link *link = vm->queue.next;
    struct vm_request *request = HCS_CONTAINER(link, struct vm_request, link);
    struct hcs_error error;
    link_remove(link);
    vm->active = request;
    HRESULT hr = is_capture_of_paused(vm, request)
                     ? S_OK
                     : vm_rule(request->verb, vm->state, &error);
    if (FAILED(hr))
        vm_finish(vm, hr, &error, NULL);
    else
        vm_perform(vm, request);
}

void vm_pump(struct vm *vm) {
    if (vm->pumping)
        return;
    vm->pumping = true;
    while (!vm->busy && !vm->ending && vm->state != VM_STOPPED) {
        if (vm->guest_event) {
            vm->busy = true;
            vm->guest_event = false;
            vm_handle_guest_event(vm);
        } else if (!link_alone(&vm->queue)) {
            vm->busy = true;
            perform_next(vm);
        } else {
            break;
        }
    }
    vm->pumping = false;
}

static void get_properties(struct vm *vm, const struct json *query,
                           vm_reply_fn reply, void *context) {
    struct hcs_error error;
    struct buf out = {0};
    HRESULT hr = vm_write_properties(vm, query, &out, &error);
    if (SUCCEEDED(hr) && out.failed)
        hr = error_set(&error, E_OUTOFMEMORY, NULL,
                       "no memory for the properties");
    reply_now(reply, context, hr, &error, SUCCEEDED(hr) ? out.data : NULL);
    buf_free(&out);
}

static void terminate(struct vm *vm, struct vm_request *request) {
    struct hcs_error error;
    HRESULT hr = vm_terminate_check(vm, &error);
    if (FAILED(hr)) {
        vm_answer(request, hr, &error, NULL);
        return;
    }
    vm->terminator = request;
    vm_end(vm, VM_EXIT_TERMINATED);
}

/* Whether a verb can be refused before its turn comes. */
static HRESULT refuse_early(const struct vm *vm, HCS_OPERATION_TYPE verb,
                            struct hcs_error *error) {
    enum vm_state state = vm->ending ? VM_STOPPED : vm->state;
    if (state != VM_STOPPED)
        return S_OK;
    return vm_rule(verb, state, error);
}

void vm_submit(struct vm *vm, HCS_OPERATION_TYPE verb, const char *options,
               vm_reply_fn reply, void *context) {
    struct hcs_error error;
    struct json_doc parsed = {0};
    struct vm_request *request = NULL;

    HRESULT hr = vm_options_parse(vm, verb, options, &parsed, &error);
    if (SUCCEEDED(hr))
        hr = refuse_early(vm, verb, &error);
    if (FAILED(hr))
        goto out;
    if (verb == HcsOperationTypeGetProperties) {
        get_properties(vm, parsed.root, reply, context);
        json_doc_free(&parsed);
        return;
    }
    request = vm_request_new(verb, reply, context);
    if (!request) {
        hr = error_set(&error, E_OUTOFMEMORY, NULL, "no memory for a request");
        goto out;
    }
    request->options = parsed;
    if (verb == HcsOperationTypeTerminate) {
        terminate(vm, request);
        return;
    }
    link_append(&vm->queue, &request->link);
    vm_pump(vm);
    return;
out:
    json_doc_free(&parsed);
    reply_now(reply, context, hr, &error, NULL);
}

static void forget(struct vm_request *request, const void *context) {
    if (request && request->context == context)
        request->reply = NULL;
}

void vm_forget(struct vm *vm, void *context) {
    forget(vm->active, context);
    forget(vm->terminator, context);
    for (struct link *l = vm->queue.next; l != &vm->queue; l = l->next)
        forget(HCS_CONTAINER(l, struct vm_request, link), context);
}

void vm_abandon_requests(struct vm *vm) {
    struct hcs_error error;
    error_set(&error, HCS_E_UNEXPECTED_EXIT, NULL,
              "the system went away before this was done");
    if (vm->active)
        vm_answer(vm->active, error.code, &error, NULL);
    if (vm->terminator)
        vm_answer(vm->terminator, error.code, &error, NULL);
    while (!link_alone(&vm->queue)) {
        struct link *link = vm->queue.next;
        vm_answer(HCS_CONTAINER(link, struct vm_request, link), error.code,
                  &error, NULL);
    }
    vm->active = NULL;
    vm->terminator = NULL;
}
