/* SPDX-License-Identifier: MIT
 * The host that calls without a handle use: the one that this thread entered,
 * else the process's own, made from HCS_HOST at its first use. */
#include <stdlib.h>

#include "host.h"
#include "surroundings.h"

static hcs_mutex standard_lock = HCS_MUTEX_INIT;
static struct host *standard; /* the process's own */
static HCS_THREAD_LOCAL const void *current;

/* A forked child has hosts of its own. */
static void reset(void) {
    mutex_init(&standard_lock);
    standard = NULL;
}

static HRESULT open_standard(struct host **out, struct hcs_error *error) {
    struct hcs_error why;
    bool named = false;
    char *spec = NULL;
    HRESULT hr = surroundings_spec(&spec, &named, &why);

    if (SUCCEEDED(hr))
        hr = host_open(spec, HOST_SHARES_PIPES, out, &why);
    if (FAILED(hr)) {
        if (named)
            error_wrap(&why, hr, "HCS_HOST=%.64s", spec);
        why.code = HCS_E_SERVICE_NOT_AVAILABLE;
        hr = host_open_unavailable(&why, out, error);
    }
    free(spec);
    return hr;
}

HRESULT host_current(struct host **out) {
    HRESULT hr = S_OK;
    struct object *object;

    if (current) {
        object = handle_get(current, HANDLE_HOST);
        if (!object)
            return E_HANDLE;
        *out = HCS_CONTAINER(object, struct host, object);
        return S_OK;
    }
    mutex_lock(&standard_lock);
    handle_on_fork(reset);
    if (!standard)
        hr = open_standard(&standard, NULL);
    if (SUCCEEDED(hr)) {
        *out = standard;
        object_ref(&standard->object);
    }
    mutex_unlock(&standard_lock);
    return hr;
}

const void *host_visit(const struct host *host) {
    const void *before = current;
    current = (const void *)host->object.number;
    return before;
}

void host_return(const void *before) {
    current = before;
}

HRESULT host_enter(const void *handle, void **previous) {
    struct object *object = NULL;
    if (handle) {
        object = handle_get(handle, HANDLE_HOST);
        if (!object)
            return E_HANDLE;
    }
    if (previous)
        *previous = (void *)(uintptr_t)current;
    current = handle;
    object_unref(object);
    return S_OK;
}
