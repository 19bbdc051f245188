/* SPDX-License-Identifier: MIT */
#include "calls.h"

#include <stdio.h>
#include <stdlib.h>

#include "../base/utf.h"

static void release(struct call *call) {
    if (call->operation)
        object_unref(&call->operation->object);
    if (call->system)
        object_unref(&call->system->object);
    if (call->network)
        object_unref(&call->network->object);
    *call = (struct call){0};
}

static struct operation *as_operation(struct object *object) {
    return object ? HCS_CONTAINER(object, struct operation, object) : NULL;
}

static struct system *as_system(struct object *object) {
    return object ? HCS_CONTAINER(object, struct system, object) : NULL;
}

/* A handle may have been closed between its look-up and the lock. */
static HRESULT lock(struct call *call, struct host *host) {
    HRESULT hr = host_lock(host);
    if (SUCCEEDED(hr) && ((call->system && call->system->closed) ||
                          (call->operation && call->operation->closed) ||
                          (call->network && call->network->closed))) {
        host_unlock(host);
        hr = E_HANDLE;
    }
    if (FAILED(hr)) {
        release(call);
        return hr;
    }
    call->host = host;
    return S_OK;
}

static HRESULT lock_since(struct call *call, struct host *host, int since) {
    HRESULT hr = lock(call, host);
    if (SUCCEEDED(hr) && host->spec.build < since) {
        host_unlock(host);
        release(call);
        hr = E_NOTIMPL;
    }
    return hr;
}

HRESULT call_operation(struct call *call, int since, HCS_OPERATION operation) {
    *call = (struct call){0};
    if (!operation)
        return E_INVALIDARG;
    call->operation = as_operation(handle_get(operation, HANDLE_OPERATION));
    if (!call->operation)
        return E_HANDLE;
    return lock_since(call, call->operation->host, since);
}

HRESULT call_system(struct call *call, int since, HCS_SYSTEM system) {
    *call = (struct call){0};
    call->system = as_system(handle_get(system, HANDLE_SYSTEM));
    if (!call->system)
        return E_HANDLE;
    return lock_since(call, call->system->host, since);
}

HRESULT call_both(struct call *call, int since, HCS_SYSTEM system,
                  HCS_OPERATION operation) {
    struct object *first, *second;
    HRESULT hr = S_OK;

    *call = (struct call){0};
    handle_get_two(system, HANDLE_SYSTEM, &first, operation, HANDLE_OPERATION,
                   &second);
    call->system = as_system(first);
    call->operation = as_operation(second);
    if (!call->system || (operation && !call->operation))
        hr = E_HANDLE;
    else if (!operation || call->system->host != call->operation->host)
        hr = E_INVALIDARG;
    if (FAILED(hr)) {
        release(call);
        return hr;
    }
    return lock_since(call, call->system->host, since);
}

HRESULT call_network(struct call *call, int since, const void *handle,
                     enum handle_kind kind) {
    struct object *object;

    *call = (struct call){0};
    if (!handle)
        return E_INVALIDARG;
    object = handle_get(handle, kind);
    if (!object)
        return E_HANDLE;
    call->network = HCS_CONTAINER(object, struct hcn_handle, object);
    return lock_since(call, call->network->host, since);
}

/* A host that no object of the call keeps alive. */
static HRESULT lock_bare(struct call *call, struct host *host, int since) {
    HRESULT hr = lock_since(call, host, since);
    if (FAILED(hr))
        object_unref(&host->object);
    return hr;
}

HRESULT call_current(struct call *call, int since) {
    struct host *host = NULL;
    HRESULT hr = host_current(&host);
    *call = (struct call){0};
    return FAILED(hr) ? hr : lock_bare(call, host, since);
}

HRESULT call_host(struct call *call, const void *handle) {
    struct object *object;
    if (!handle)
        return call_current(call, 0);
    *call = (struct call){0};
    object = handle_get(handle, HANDLE_HOST);
    if (!object)
        return E_HANDLE;
    return lock_bare(call, HCS_CONTAINER(object, struct host, object), 0);
}

void call_end(struct call *call) {
    struct host *host = call->host;
    bool bare = !call->system && !call->operation && !call->network;
    host_unlock(host);
    if (bare)
        object_unref(&host->object);
    release(call);
}

void call_refuse_inside(const struct host *host, const struct target *target,
                        const char *function) {
    if (!host->spec.strict || !target_is_inside(target))
        return;
    fprintf(stderr,
            "%s was called from inside the callback of its own handle: on "
            "Windows this never returns\n",
            function);
    abort();
}

HRESULT call_start(struct call *call, HCS_OPERATION_TYPE type,
                   struct system *system) {
    HRESULT hr = host_need_service(call->host, NULL);
    if (SUCCEEDED(hr))
        hr = operation_start(call->operation, type, system, NULL);
    return hr;
}

HRESULT call_text(PCWSTR text, char **out, struct hcs_error *error) {
    *out = NULL;
    if (!text || !text[0])
        return S_OK;
    return utf8_from_utf16(text, utf16_length(text), out, NULL, error);
}

HRESULT call_name(PCWSTR text, char **out) {
    HRESULT hr = call_text(text, out, NULL);
    if (FAILED(hr))
        return hr == E_OUTOFMEMORY ? hr : E_INVALIDARG;
    return *out ? S_OK : E_INVALIDARG;
}
