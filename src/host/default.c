/* SPDX-License-Identifier: MIT
 * The host that calls without a handle use: the one that this thread entered,
 * else the process's own, made from HCS_HOST at its first use. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

#define NO_HOST_TEXT                                                      \
    "no host: HCS_HOST is not set and there is no qemu-system-x86_64 on " \
    "PATH; install the package qemu-system-x86, or set HCS_HOST to "      \
    "\"sim:\" for the simulated host"

static hcs_mutex standard_lock = HCS_MUTEX_INIT;
static struct host *standard; /* the process's own */
static HCS_THREAD_LOCAL const void *current;

/* A forked child has hosts of its own. */
static void reset(void) {
    mutex_init(&standard_lock);
    standard = NULL;
}

static bool is_executable(const char *folder, size_t length, const char *name) {
    char path[4096];
    size_t name_length = strlen(name);
    if (length + name_length + 2 > sizeof path)
        return false;
    if (length == 0) {
        length = 1;
        folder = ".";
    }
    memcpy(path, folder, length);
    path[length] = '/';
    memcpy(path + length + 1, name, name_length + 1);
    return access(path, X_OK) == 0;
}

static bool is_on_path(const char *name) {
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t length = strcspn(path, ":");
        if (is_executable(path, length, name))
            return true;
        path += length + (path[length] == ':');
    }
    return false;
}

static HRESULT open_standard(struct host **out, struct hcs_error *error) {
    const char *spec = getenv("HCS_HOST");
    struct hcs_error why;
    HRESULT hr;

    if (spec && *spec)
        hr = host_open(spec, out, &why);
    else if (is_on_path("qemu-system-x86_64"))
        hr = host_open("qemu:", out, &why);
    else
        hr = error_set(&why, HCS_E_SERVICE_NOT_AVAILABLE, NULL, NO_HOST_TEXT);
    if (SUCCEEDED(hr))
        return hr;
    if (spec && *spec)
        error_wrap(&why, hr, "HCS_HOST=%.64s", spec);
    why.code = HCS_E_SERVICE_NOT_AVAILABLE;
    return host_open_unavailable(&why, out, error);
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
