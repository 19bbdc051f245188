/* SPDX-License-Identifier: MIT
 * Named pipes of guests' serial ports, and what else a host offers of its
 * simulation. */
#include <stdlib.h>

#include "calls.h"
#include "guest.h"

HRESULT hcshost_pipe_connect(HCSHOST host, PCWSTR name, HANDLE *pipe) {
    char *text = NULL;
    struct hcs_error error;
    struct store *store;
    struct call call;
    HRESULT hr;
    stream_native native = STREAM_NO_NATIVE;

    if (!pipe)
        return E_POINTER;
    *pipe = NULL;
    hr = call_name(name, &text);
    if (SUCCEEDED(hr))
        hr = call_host(&call, host);
    if (SUCCEEDED(hr)) {
        store = host_store(call.host, &error);
        hr = store ? store->ops->pipe_connect(store, text, &native, NULL)
                   : error.code;
        call_end(&call);
    }
    if (SUCCEEDED(hr))
        *pipe = stream_to_handle(native);
    free(text);
    return hr;
}

HRESULT hcshost_pipe_path(HCSHOST host, PCWSTR name, char *path, size_t size) {
    char *text = NULL;
    struct hcs_error error;
    struct store *store;
    struct call call;
    HRESULT hr;

    if (!path)
        return E_POINTER;
    hr = call_name(name, &text);
    if (SUCCEEDED(hr))
        hr = call_host(&call, host);
    if (SUCCEEDED(hr)) {
        store = host_store(call.host, &error);
        hr = store ? store->ops->pipe_path(store, text, path, size, NULL)
                   : error.code;
        call_end(&call);
    }
    free(text);
    return hr;
}

/* A call about simulated guests. E_NOTIMPL, and nothing to be ended, where
 * guests are real. */
static HRESULT call_sim(struct call *call, HCSHOST host, struct sim **sim) {
    HRESULT hr = call_host(call, host);
    if (FAILED(hr))
        return hr;
    if (call->host->spec.kind == HOST_SIM && call->host->store) {
        *sim = store_local_sim(call->host->store);
        return S_OK;
    }
    call_end(call);
    return E_NOTIMPL;
}

HRESULT hcshost_sim_guest(HCSHOST host, PCWSTR id,
                          HCSHOST_GUEST_CALLBACK callback, void *context) {
    char *name = NULL;
    struct sim *sim;
    struct call call;
    HRESULT hr = id ? call_name(id, &name) : S_OK;

    if (SUCCEEDED(hr))
        hr = call_sim(&call, host, &sim);
    if (SUCCEEDED(hr)) {
        hr = guest_program(call.host, name, callback, context, NULL);
        call_end(&call);
    }
    free(name);
    return hr;
}

HRESULT hcshost_sim_service(HCSHOST host, BOOL running) {
    struct sim *sim;
    struct call call;
    HRESULT hr = call_sim(&call, host, &sim);
    if (FAILED(hr))
        return hr;
    hr = host_set_service(call.host, running != 0);
    call_end(&call);
    return hr;
}

HRESULT hcshost_guest_print(HCSHOST host, uint64_t guest, uint32_t port,
                            const char *text, size_t length) {
    struct sim *sim;
    struct call call;
    HRESULT hr =
        text || length == 0 ? call_sim(&call, host, &sim) : E_INVALIDARG;
    if (FAILED(hr))
        return hr;
    hr = sim_guest_print(sim, guest, port, text, length);
    call_end(&call);
    return hr;
}

HRESULT hcshost_guest_wake(HCSHOST host, uint64_t guest, int64_t delay) {
    struct sim *sim;
    struct call call;
    HRESULT hr = delay >= 0 ? call_sim(&call, host, &sim) : E_INVALIDARG;
    if (FAILED(hr))
        return hr;
    hr = sim_guest_wake(sim, guest, delay);
    call_end(&call);
    return hr;
}

HRESULT hcshost_guest_act(HCSHOST host, uint64_t guest,
                          HCSHOST_GUEST_ACTION action, const char *text) {
    struct sim *sim;
    struct call call;
    HRESULT hr = call_sim(&call, host, &sim);
    if (FAILED(hr))
        return hr;
    hr = sim_guest_act(sim, guest, action, text);
    call_end(&call);
    return hr;
}
