/* SPDX-License-Identifier: MIT
 * The functions of the ABI that take a compute system. */
#include <stdlib.h>

#include "calls.h"
#include "pump.h"

#define LIFECYCLE_EVENTS_SINCE 26100

static HRESULT submit(int since, HCS_SYSTEM system, HCS_OPERATION operation,
                      HCS_OPERATION_TYPE verb, PCWSTR options) {
    struct hcs_error error;
    char *text = NULL;
    struct call call;
    HRESULT hr = call_both(&call, since, system, operation);

    if (FAILED(hr))
        return hr;
    hr = call_start(&call, verb, call.system);
    if (SUCCEEDED(hr)) {
        HRESULT result = system_check_connected(call.system, &error);
        if (SUCCEEDED(result))
            result = call_text(options, &text, &error);
        if (SUCCEEDED(result))
            system_submit(call.system, verb, text, call.operation);
        else
            operation_fail(call.operation, result, &error);
        free(text);
    }
    call_end(&call);
    return hr;
}

HRESULT WINAPI HcsStartComputeSystem(HCS_SYSTEM system, HCS_OPERATION operation,
                                     PCWSTR options) {
    return submit(CALL_SINCE(HcsStartComputeSystem), system, operation,
                  HcsOperationTypeStart, options);
}

HRESULT WINAPI HcsShutDownComputeSystem(HCS_SYSTEM system,
                                        HCS_OPERATION operation,
                                        PCWSTR options) {
    return submit(CALL_SINCE(HcsShutDownComputeSystem), system, operation,
                  HcsOperationTypeShutdown, options);
}

HRESULT WINAPI HcsTerminateComputeSystem(HCS_SYSTEM system,
                                         HCS_OPERATION operation,
                                         PCWSTR options) {
    return submit(CALL_SINCE(HcsTerminateComputeSystem), system, operation,
                  HcsOperationTypeTerminate, options);
}

HRESULT WINAPI HcsCrashComputeSystem(HCS_SYSTEM system, HCS_OPERATION operation,
                                     PCWSTR options) {
    return submit(CALL_SINCE(HcsCrashComputeSystem), system, operation,
                  HcsOperationTypeCrash, options);
}

HRESULT WINAPI HcsPauseComputeSystem(HCS_SYSTEM system, HCS_OPERATION operation,
                                     PCWSTR options) {
    return submit(CALL_SINCE(HcsPauseComputeSystem), system, operation,
                  HcsOperationTypePause, options);
}

HRESULT WINAPI HcsResumeComputeSystem(HCS_SYSTEM system,
                                      HCS_OPERATION operation, PCWSTR options) {
    return submit(CALL_SINCE(HcsResumeComputeSystem), system, operation,
                  HcsOperationTypeResume, options);
}

HRESULT WINAPI HcsSaveComputeSystem(HCS_SYSTEM system, HCS_OPERATION operation,
                                    PCWSTR options) {
    return submit(CALL_SINCE(HcsSaveComputeSystem), system, operation,
                  HcsOperationTypeSave, options);
}

HRESULT WINAPI HcsGetComputeSystemProperties(HCS_SYSTEM system,
                                             HCS_OPERATION operation,
                                             PCWSTR query) {
    return submit(CALL_SINCE(HcsGetComputeSystemProperties), system, operation,
                  HcsOperationTypeGetProperties, query);
}

/* Opening a host's resources as somebody else is nothing this host can do. */
HRESULT WINAPI HcsModifyComputeSystem(HCS_SYSTEM system,
                                      HCS_OPERATION operation,
                                      PCWSTR configuration, HANDLE identity) {
    if (!configuration)
        return E_INVALIDARG;
    if (identity)
        return HR_NOT_SUPPORTED;
    return submit(CALL_SINCE(HcsModifyComputeSystem), system, operation,
                  HcsOperationTypeModify, configuration);
}

/* --- handles ------------------------------------------------------------- */

void WINAPI HcsCloseComputeSystem(HCS_SYSTEM handle) {
    struct object *object = handle_take(handle, HANDLE_SYSTEM);
    struct system *system;

    if (!object)
        return;
    system = HCS_CONTAINER(object, struct system, object);
    call_refuse_inside(system->host, &system->target, "HcsCloseComputeSystem");
    if (SUCCEEDED(host_lock(system->host))) {
        system_close(system);
        host_unlock(system->host);
    }
    object_unref(object);
}

static bool knows_options(const struct host *host, unsigned options) {
    unsigned known = HcsEventOptionEnableOperationCallbacks;
    if (host->spec.build >= LIFECYCLE_EVENTS_SINCE)
        known |= HcsEventOptionEnableVmLifecycle |
                 HcsEventOptionEnableLiveMigrationEvents;
    return (options & ~known) == 0;
}

HRESULT WINAPI HcsSetComputeSystemCallback(HCS_SYSTEM handle,
                                           HCS_EVENT_OPTIONS options,
                                           const void *context,
                                           HCS_EVENT_CALLBACK callback) {
    struct call call;
    HRESULT hr =
        call_system(&call, CALL_SINCE(HcsSetComputeSystemCallback), handle);

    if (FAILED(hr))
        return hr;
    if (!knows_options(call.host, (unsigned)options) ||
        (!callback && options != HcsEventOptionNone))
        hr = E_INVALIDARG;
    else if (callback && call.system->lost)
        hr = HCS_E_SERVICE_DISCONNECT;
    else
        hr = system_set_callback(call.system, options, context, callback, NULL);
    call_end(&call);
    return hr;
}

HRESULT WINAPI HcsWaitForComputeSystemExit(HCS_SYSTEM handle, DWORD timeout_ms,
                                           PWSTR *result) {
    struct call call;
    HRESULT hr;

    if (result)
        *result = NULL;
    hr = call_system(&call, CALL_SINCE(HcsWaitForComputeSystemExit), handle);
    if (FAILED(hr))
        return hr;
    hr = pump_wait(call.host, system_exit_known, call.system, timeout_ms);
    if (SUCCEEDED(hr) && call.system->closed)
        hr = E_HANDLE;
    else if (SUCCEEDED(hr) && !call.system->exit_known)
        hr = call.system->lost ? HCS_E_SERVICE_DISCONNECT
                               : HCS_E_SYSTEM_NOT_FOUND;
    else if (SUCCEEDED(hr) && result && call.system->exit_document) {
        *result = result_text(call.system->exit_document, NULL);
        if (!*result)
            hr = HCS_E_OPERATION_RESULT_ALLOCATION_FAILED;
    }
    call_end(&call);
    return hr;
}
