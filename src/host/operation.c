/* SPDX-License-Identifier: MIT */
#include "operation.h"

#include <stdlib.h>

#include "memory.h"
#include "system.h"

static void forget_document(struct operation *operation) {
    memory_release(operation->document);
    operation->document = NULL;
    operation->document_length = 0;
}

static void forget_system(struct operation *operation) {
    struct system *system = operation->system;
    operation->system = NULL;
    if (system)
        object_unref(&system->object);
}

static void destroy(struct object *object) {
    struct operation *operation =
        HCS_CONTAINER(object, struct operation, object);
    forget_document(operation);
    forget_system(operation);
    free(operation->request);
    object_unref(&operation->host->object);
    free(operation);
}

/* --- telling ----------------------------------------------------------- */

static void tell(struct host *host, struct target *target, struct item *item) {
    struct operation *operation =
        HCS_CONTAINER(target, struct operation, target);
    HCS_OPERATION_COMPLETION callback = operation->callback;
    void *context = (void *)(uintptr_t)operation->context;
    HCS_OPERATION handle = (HCS_OPERATION)operation->object.number;

    (void)item;
    operation->queued_at = NULL;
    delivery_begin(host);
    callback(handle, context);
    delivery_end(host);
    operation_told(operation);
}

/* Where this operation's completions are told; NULL: nowhere yet. */
static struct target *listener(struct operation *operation) {
    struct system *system = operation->system;
    if (operation->callback)
        return &operation->target;
    if (system && system_tells_operations(system))
        return &system->target;
    return NULL;
}

/* False when there is nobody to tell it to yet. */
static bool queue(struct operation *operation) {
    struct target *target = listener(operation);
    struct system *system = operation->system;

    if (operation->queued_at) {
        operation->owed++;
        return true;
    }
    link_remove(&operation->item.link);
    operation->queued_at = target;
    if (target)
        target_queue(operation->host, target, &operation->item);
    else if (system && !system->closed)
        link_append(&system->unheard, &operation->item.link);
    return target != NULL;
}

void operation_announce(struct operation *operation) {
    if (operation->state == OPERATION_DONE && !operation->told &&
        !operation->closed)
        operation->told = queue(operation);
}

void operation_unqueue(struct operation *operation) {
    if (operation->queued_at)
        target_drop(operation->queued_at, &operation->item);
    else
        link_remove(&operation->item.link);
    operation->queued_at = NULL;
    operation->owed = 0;
    operation->told = false;
}

void operation_told(struct operation *operation) {
    if (operation->owed == 0 || operation->closed)
        return;
    /* one of an earlier use, whatever has become of this one meanwhile */
    operation->owed--;
    queue(operation);
}

void operation_recount(struct operation *operation) {
    bool awaited = operation->state == OPERATION_PENDING &&
                   !operation->closed && listener(operation);
    if (awaited == operation->awaited)
        return;
    operation->awaited = awaited;
    if (awaited)
        operation->host->awaited++;
    else
        operation->host->awaited--;
}

/* --- one use ----------------------------------------------------------- */

static HRESULT need_request(struct operation *operation,
                            struct hcs_error *error) {
    if (!operation->request)
        operation->request = malloc(sizeof *operation->request);
    if (!operation->request)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for an operation");
    return S_OK;
}

HRESULT operation_create(struct host *host, const void *context,
                         HCS_OPERATION_COMPLETION callback,
                         struct operation **out, struct hcs_error *error) {
    struct operation *operation = calloc(1, sizeof *operation);
    HRESULT hr;

    if (!operation)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for an operation");
    object_init(&operation->object, HANDLE_OPERATION, destroy);
    operation->host = host;
    object_ref(&host->object);
    link_init(&operation->link);
    link_init(&operation->item.link);
    operation->item.kind = ITEM_OPERATION;
    target_init(&operation->target, &operation->object, tell);
    operation->type = HcsOperationTypeNone;
    operation->id = HCS_INVALID_OPERATION_ID;
    operation->context = context;
    operation->callback = callback;
    hr = need_request(operation, error);
    if (SUCCEEDED(hr))
        hr = handle_create(&operation->object, error);
    if (FAILED(hr)) {
        object_unref(&operation->object);
        return hr;
    }
    link_append(&host->operations, &operation->link);
    object_ref(&operation->object); /* the list keeps its own */
    host->operation_count++;
    *out = operation;
    return S_OK;
}

static void hook_request(struct operation *operation) {
    struct request *request = operation->request;
    struct host *host = operation->host;

    request->operation = operation;
    object_ref(&operation->object);
    link_init(&request->system_link);
    link_append(&host->requests, &request->link);
    if (operation->system)
        link_append(&operation->system->requests, &request->system_link);
}

HRESULT operation_start(struct operation *operation, HCS_OPERATION_TYPE type,
                        struct system *system, struct hcs_error *error) {
    HRESULT hr;

    if (operation->state == OPERATION_PENDING)
        return error_set(error, HCS_E_OPERATION_ALREADY_STARTED, NULL,
                         "the operation is under way already");
    if (operation->callback && system && system_tells_operations(system))
        return error_set(error, HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET,
                         NULL,
                         "an event callback has already been registered on "
                         "this handle");
    hr = need_request(operation, error);
    if (FAILED(hr))
        return hr;
    if (!operation->queued_at)
        link_remove(&operation->item.link);
    operation->told = false;
    forget_document(operation);
    if (system)
        object_ref(&system->object);
    forget_system(operation);
    operation->system = system;
    operation->type = type;
    operation->id = ++operation->host->operation_ids;
    operation->state = OPERATION_PENDING;
    hook_request(operation);
    operation_recount(operation);
    return S_OK;
}

struct operation *request_abandon(struct request *request) {
    struct operation *operation = request->operation;
    link_remove(&request->system_link);
    request->operation = NULL;
    operation->request = NULL;
    return operation;
}

void request_forget(struct request *request) {
    struct operation *operation = request->operation;
    link_remove(&request->link);
    link_remove(&request->system_link);
    if (!operation) {
        free(request);
        return;
    }
    request->operation = NULL;
    object_unref(&operation->object);
}

/* The result and its document; a failure keeps its code when there is no
 * memory for words about it. */
static void set_result(struct operation *operation,
                       const struct vm_reply *reply) {
    operation->result = reply->result;
    if (FAILED(reply->result)) {
        operation->document = result_error(
            operation->host->spec.build, operation->type, reply->result,
            reply->error, &operation->document_length);
        return;
    }
    if (!reply->document || !reply->document[0])
        return;
    operation->document =
        result_text(reply->document, &operation->document_length);
    if (!operation->document)
        operation->result = HCS_E_OPERATION_RESULT_ALLOCATION_FAILED;
}

void operation_finish(struct operation *operation,
                      const struct vm_reply *reply) {
    struct system *system = operation->system;

    if (operation->type == HcsOperationTypeCreate && system &&
        FAILED(reply->result) && reply->result != HR_CANCELLED)
        system->failed = true;
    if (operation->type == HcsOperationTypeTerminate && system &&
        SUCCEEDED(reply->result))
        system->terminated = true;
    operation->state = OPERATION_DONE;
    if (!operation->closed)
        set_result(operation, reply);
    operation_recount(operation);
    operation_announce(operation);
    host_changed(operation->host);
    object_unref(&operation->object);
}

/* What the store calls when a request is answered. */
static void answer(void *context, const struct vm_reply *reply) {
    struct request *request = context;
    struct operation *operation = request->operation;

    link_remove(&request->link);
    link_remove(&request->system_link);
    if (!operation) {
        free(request);
        return;
    }
    request->operation = NULL; /* kept for the operation's next use */
    operation_finish(operation, reply);
}

struct store_request operation_request(struct operation *operation) {
    return (struct store_request){answer, operation->request};
}

void operation_succeed(struct operation *operation, const char *document) {
    struct vm_reply reply = {.result = S_OK, .document = document};
    answer(operation->request, &reply);
}

void operation_fail(struct operation *operation, HRESULT result,
                    const struct hcs_error *error) {
    struct vm_reply reply = {.result = result, .error = error};
    answer(operation->request, &reply);
}

void operation_cancel(struct operation *operation) {
    struct hcs_error error;
    struct vm_reply reply = {.result = HR_CANCELLED, .error = &error};

    if (operation->state != OPERATION_PENDING)
        return;
    error_set(&error, HR_CANCELLED, NULL, "the operation was cancelled");
    operation_finish(request_abandon(operation->request), &reply);
}

void operation_set_callback(struct operation *operation,
                            HCS_OPERATION_COMPLETION callback) {
    bool own_queue = operation->queued_at == &operation->target;
    operation->callback = callback;
    if (own_queue && !callback)
        operation_unqueue(operation);
    operation_recount(operation);
    operation_announce(operation);
}

void operation_close(struct operation *operation) {
    if (operation->closed)
        return;
    operation->closed = true;
    link_remove(&operation->link);
    operation->host->operation_count--;
    operation_unqueue(operation);
    operation_recount(operation);
    host_changed(operation->host);
    target_drain(operation->host, &operation->target);
    object_unref(&operation->object);
}

bool operation_is_done(const void *context) {
    const struct operation *operation = context;
    return operation->state != OPERATION_PENDING || operation->closed;
}

HRESULT operation_result(struct operation *operation, PWSTR *document) {
    if (operation->closed)
        return E_HANDLE;
    if (operation->state == OPERATION_IDLE)
        return HCS_E_OPERATION_NOT_STARTED;
    if (operation->state == OPERATION_PENDING)
        return HCS_E_OPERATION_PENDING;
    if (document && operation->document) {
        *document =
            result_copy(operation->document, operation->document_length);
        if (!*document)
            return HCS_E_OPERATION_RESULT_ALLOCATION_FAILED;
    }
    return operation->result;
}
