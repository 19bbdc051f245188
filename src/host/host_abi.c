/* SPDX-License-Identifier: MIT
 * The embedded host's own functions (hcshost.def). */
#include <limits.h>
#include <stdlib.h>

#include "calls.h"
#include "deliver.h"
#include "profile.h"
#include "pump.h"

uint32_t hcshost_abi_version(void) {
    return HCSHOST_ABI_VERSION;
}

HRESULT hcshost_open(const char *spec, HCSHOST *out, PWSTR *result) {
    struct host *host = NULL;
    struct hcs_error error;
    HRESULT hr;

    if (result)
        *result = NULL;
    if (!out)
        return E_POINTER;
    *out = NULL;
    if (!spec)
        return E_INVALIDARG;
    hr = host_open(spec, HOST_OWNS_PIPES, &host, &error);
    if (SUCCEEDED(hr)) {
        hr = handle_create(&host->object, &error);
        if (FAILED(hr))
            host_close(host);
    }
    if (SUCCEEDED(hr))
        *out = (HCSHOST)host->object.number;
    else if (result)
        *result = result_error(HOST_BUILD_DEFAULT, HcsOperationTypeNone, hr,
                               &error, NULL);
    if (host)
        object_unref(&host->object);
    return hr;
}

HRESULT hcshost_close(HCSHOST handle) {
    struct object *object = handle_get(handle, HANDLE_HOST);
    HRESULT hr;

    if (!object)
        return E_HANDLE;
    hr = host_close(HCS_CONTAINER(object, struct host, object));
    if (SUCCEEDED(hr))
        object_unref(handle_take(handle, HANDLE_HOST));
    object_unref(object);
    return hr;
}

HRESULT hcshost_enter(HCSHOST host, HCSHOST *previous) {
    void *before = NULL;
    HRESULT hr = host_enter(host, &before);
    if (SUCCEEDED(hr) && previous)
        *previous = (HCSHOST)before;
    return hr;
}

void *hcshost_proc(HCSHOST handle, const char *name) {
    int build = INT_MAX;
    if (!name)
        return NULL;
    if (handle) {
        struct object *object = handle_get(handle, HANDLE_HOST);
        if (!object)
            return NULL;
        build = HCS_CONTAINER(object, struct host, object)->spec.build;
        object_unref(object);
    }
    return profile_function(name, build);
}

HRESULT hcshost_now(HCSHOST host, int64_t *now) {
    struct call call;
    HRESULT hr = now ? call_host(&call, host) : E_POINTER;
    if (FAILED(hr))
        return hr;
    *now = host_now(call.host);
    call_end(&call);
    return S_OK;
}

HRESULT hcshost_step(HCSHOST host, int64_t dt, int64_t budget, int64_t *left) {
    struct call call;
    HRESULT hr;

    if (left)
        *left = dt;
    if (dt < 0 || budget < 0)
        return E_INVALIDARG;
    hr = call_host(&call, host);
    if (FAILED(hr))
        return hr;
    if (host_is_inside(call.host))
        hr = HCS_E_INVALID_STATE;
    else if (call.host->spec.driver == HcsHostDriverStep)
        hr = pump_step(call.host, dt, budget, left);
    else if (call.host->spec.clock == HcsHostClockVirtual)
        hr = pump_pass(call.host, dt, left);
    else
        hr = E_NOTIMPL;
    call_end(&call);
    return hr;
}

/* What was sent is due at once, also before its thread has run. */
static bool takes_input(struct host *host) {
    return host->spec.driver == HcsHostDriverThread &&
           host_is_simulated(host) && pump_input(host);
}

static int64_t time_left(struct host *host) {
    int64_t next, now;
    if (takes_input(host) || !link_alone(&host->ready) || host->delivering > 0)
        return 0;
    next = timers_next(&host->timers);
    if (next == INT64_MAX)
        return -1;
    now = host_now(host);
    return next > now ? next - now : 0;
}

HRESULT hcshost_timeout(HCSHOST host, int64_t *timeout) {
    struct call call;
    HRESULT hr = timeout ? call_host(&call, host) : E_POINTER;
    if (FAILED(hr))
        return hr;
    *timeout = time_left(call.host);
    call_end(&call);
    return S_OK;
}

int hcshost_pollfd(HCSHOST host) {
    struct call call;
    int fd = -1;

    if (FAILED(call_host(&call, host)))
        return -1;
    if (call.host->store) {
        struct store *store = call.host->store;
        if (SUCCEEDED(waker_cover(&call.host->waker,
                                  store->ops->waitable(store), NULL)))
            fd = waitable_number(call.host->waker.inputs);
    }
    call_end(&call);
    return fd;
}
