/* SPDX-License-Identifier: MIT
 * The functions of the ABI that are about files: who may open them, and the
 * empty ones that a system keeps its state in. */
#include <stdlib.h>

#include "calls.h"

static HRESULT create_file(int since, enum store_file_kind kind, PCWSTR path) {
    char *name = NULL;
    struct call call;
    struct store *store;
    struct hcs_error error;
    HRESULT hr = call_name(path, &name);

    if (SUCCEEDED(hr))
        hr = call_current(&call, since);
    if (SUCCEEDED(hr)) {
        store = host_store(call.host, &error);
        hr = store ? store->ops->create_file(store, kind, name, NULL)
                   : error.code;
        call_end(&call);
    }
    free(name);
    return hr;
}

HRESULT WINAPI HcsCreateEmptyGuestStateFile(PCWSTR path) {
    return create_file(CALL_SINCE(HcsCreateEmptyGuestStateFile),
                       STORE_GUEST_STATE, path);
}

HRESULT WINAPI HcsCreateEmptyRuntimeStateFile(PCWSTR path) {
    return create_file(CALL_SINCE(HcsCreateEmptyRuntimeStateFile),
                       STORE_RUNTIME_STATE, path);
}

/* `group`: access of all systems, and `id` means nothing. */
static HRESULT change_access(int since, bool revoke, bool group, PCWSTR id,
                             PCWSTR path) {
    char *system = NULL, *file = NULL;
    struct call call;
    struct store *store;
    struct hcs_error error;
    HRESULT hr = group ? S_OK : call_name(id, &system);

    if (SUCCEEDED(hr))
        hr = call_name(path, &file);
    if (SUCCEEDED(hr))
        hr = call_current(&call, since);
    if (SUCCEEDED(hr)) {
        store = host_store(call.host, &error);
        if (!store)
            hr = error.code;
        else if (revoke)
            hr = store->ops->revoke(store, system, file, NULL);
        else
            hr = store->ops->grant(store, system, file, NULL);
        call_end(&call);
    }
    free(system);
    free(file);
    return hr;
}

HRESULT WINAPI HcsGrantVmAccess(PCWSTR id, PCWSTR path) {
    return change_access(CALL_SINCE(HcsGrantVmAccess), false, false, id, path);
}

HRESULT WINAPI HcsRevokeVmAccess(PCWSTR id, PCWSTR path) {
    return change_access(CALL_SINCE(HcsRevokeVmAccess), true, false, id, path);
}

HRESULT WINAPI HcsGrantVmGroupAccess(PCWSTR path) {
    return change_access(CALL_SINCE(HcsGrantVmGroupAccess), false, true, NULL,
                         path);
}

HRESULT WINAPI HcsRevokeVmGroupAccess(PCWSTR path) {
    return change_access(CALL_SINCE(HcsRevokeVmGroupAccess), true, true, NULL,
                         path);
}
