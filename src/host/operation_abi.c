/* SPDX-License-Identifier: MIT
 * The functions of the ABI that take an operation alone. */
#include "calls.h"
#include "pump.h"

HCS_OPERATION WINAPI HcsCreateOperation(const void *context,
                                        HCS_OPERATION_COMPLETION callback) {
    struct operation *operation = NULL;
    HCS_OPERATION handle = NULL;
    struct call call;

    if (FAILED(call_current(&call, CALL_SINCE(HcsCreateOperation))))
        return NULL;
    if (SUCCEEDED(
            operation_create(call.host, context, callback, &operation, NULL))) {
        handle = (HCS_OPERATION)operation->object.number;
        object_unref(&operation->object); /* the table keeps its own */
    }
    call_end(&call);
    return handle;
}

void WINAPI HcsCloseOperation(HCS_OPERATION handle) {
    struct object *object = handle_take(handle, HANDLE_OPERATION);
    struct operation *operation;

    if (!object)
        return;
    operation = HCS_CONTAINER(object, struct operation, object);
    if (SUCCEEDED(host_lock(operation->host))) {
        operation_close(operation);
        host_unlock(operation->host);
    }
    object_unref(object);
}

void *WINAPI HcsGetOperationContext(HCS_OPERATION handle) {
    struct call call;
    const void *context;

    if (FAILED(
            call_operation(&call, CALL_SINCE(HcsGetOperationContext), handle)))
        return NULL;
    context = call.operation->context;
    call_end(&call);
    return (void *)(uintptr_t)context;
}

HRESULT WINAPI HcsSetOperationContext(HCS_OPERATION handle,
                                      const void *context) {
    struct call call;
    HRESULT hr =
        call_operation(&call, CALL_SINCE(HcsSetOperationContext), handle);
    if (FAILED(hr))
        return hr;
    call.operation->context = context;
    call_end(&call);
    return S_OK;
}

/* The handle's event callback will hear of this completion. */
static bool is_taken(const struct operation *operation) {
    return operation->state == OPERATION_PENDING && operation->system &&
           system_tells_operations(operation->system);
}

HRESULT WINAPI HcsSetOperationCallback(HCS_OPERATION handle,
                                       const void *context,
                                       HCS_OPERATION_COMPLETION callback) {
    struct call call;
    HRESULT hr =
        call_operation(&call, CALL_SINCE(HcsSetOperationCallback), handle);
    if (FAILED(hr))
        return hr;
    if (callback && is_taken(call.operation)) {
        hr = HCS_E_OPERATION_SYSTEM_CALLBACK_ALREADY_SET;
    } else {
        call.operation->context = context;
        operation_set_callback(call.operation, callback);
    }
    call_end(&call);
    return hr;
}

HCS_SYSTEM WINAPI HcsGetComputeSystemFromOperation(HCS_OPERATION handle) {
    HCS_SYSTEM system = NULL;
    struct call call;

    if (FAILED(call_operation(
            &call, CALL_SINCE(HcsGetComputeSystemFromOperation), handle)))
        return NULL;
    if (call.operation->system && !call.operation->system->closed)
        system = (HCS_SYSTEM)call.operation->system->object.number;
    call_end(&call);
    return system;
}

HCS_OPERATION_TYPE WINAPI HcsGetOperationType(HCS_OPERATION handle) {
    HCS_OPERATION_TYPE type;
    struct call call;

    if (FAILED(call_operation(&call, CALL_SINCE(HcsGetOperationType), handle)))
        return HcsOperationTypeNone;
    type = call.operation->type;
    call_end(&call);
    return type;
}

UINT64 WINAPI HcsGetOperationId(HCS_OPERATION handle) {
    uint64_t id;
    struct call call;

    if (FAILED(call_operation(&call, CALL_SINCE(HcsGetOperationId), handle)))
        return HCS_INVALID_OPERATION_ID;
    id = call.operation->id;
    call_end(&call);
    return id;
}

HRESULT WINAPI HcsGetOperationResult(HCS_OPERATION handle, PWSTR *document) {
    struct call call;
    HRESULT hr;

    if (document)
        *document = NULL;
    hr = call_operation(&call, CALL_SINCE(HcsGetOperationResult), handle);
    if (FAILED(hr))
        return hr;
    hr = operation_result(call.operation, document);
    call_end(&call);
    return hr;
}

HRESULT WINAPI HcsWaitForOperationResult(HCS_OPERATION handle, DWORD timeout_ms,
                                         PWSTR *document) {
    struct call call;
    HRESULT hr;

    if (document)
        *document = NULL;
    hr = call_operation(&call, CALL_SINCE(HcsWaitForOperationResult), handle);
    if (FAILED(hr))
        return hr;
    hr = pump_wait(call.host, operation_is_done, call.operation, timeout_ms);
    if (SUCCEEDED(hr))
        hr = operation_result(call.operation, document);
    call_end(&call);
    return hr;
}

#define CANCEL_SINCE 22000

HRESULT WINAPI HcsCancelOperation(HCS_OPERATION handle) {
    struct call call;
    HRESULT hr = call_operation(&call, CALL_SINCE(HcsCancelOperation), handle);
    if (FAILED(hr))
        return hr;
    if (call.host->spec.build < CANCEL_SINCE)
        hr = E_NOTIMPL;
    else if (call.operation->state == OPERATION_IDLE)
        hr = HCS_E_OPERATION_NOT_STARTED;
    else
        operation_cancel(call.operation);
    call_end(&call);
    return hr;
}
