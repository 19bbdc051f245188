/* SPDX-License-Identifier: MIT
 * hcshost_network_connect: a connection from outside to the host of the
 * networks. */
#include <stdlib.h>

#include "../base/stream.h"
#include "calls.h"
#include "hcn_remote.h"
#include "result.h"

/* To whatever address of its own the host is reached by. */
#define ANY_OF_ITS_OWN "127.0.0.1"

static HRESULT connect_simulated(struct host *host, const char *address,
                                 uint16_t port, HANDLE *out,
                                 struct hcs_error *error) {
    stream_native native = STREAM_NO_NATIVE;
    struct ip_address to;
    HRESULT hr;

    if (!ip_parse(address, &to))
        return error_set(error, E_INVALIDARG, NULL,
                         "\"%.64s\" is no IP address", address);
    hr = sim_connect(store_local_sim(host->store), &to, port, &native, error);
    if (SUCCEEDED(hr))
        *out = stream_to_handle(native);
    return hr;
}

/* Descriptors are what streams are where there are real networks. */
static HRESULT connect_real(struct host *host, const char *address,
                            uint16_t port, HANDLE *out,
                            struct hcs_error *error) {
    int fd;
    HRESULT hr = remote_dial(host, address, port, &fd, error);

    if (SUCCEEDED(hr))
        *out = (HANDLE)((intptr_t)fd + 1);
    return hr;
}

static HRESULT connect_locked(struct host *host, const char *address,
                              uint16_t port, HANDLE *out,
                              struct hcs_error *error) {
    HRESULT hr = hcn_need(host, error);

    if (FAILED(hr))
        return hr;
    return host->remote ? connect_real(host, address, port, out, error)
                        : connect_simulated(host, address, port, out, error);
}

HRESULT hcshost_network_connect(HCSHOST host, PCWSTR address, uint16_t port,
                                HANDLE *stream, PWSTR *record) {
    struct hcs_error error;
    struct call call;
    char *text = NULL;
    HRESULT hr;

    if (record)
        *record = NULL;
    if (!stream)
        return E_POINTER;
    *stream = NULL;
    hr = port == 0 ? error_set(&error, E_INVALIDARG, NULL, "there is no port 0")
                   : call_text(address, &text, &error);
    if (SUCCEEDED(hr)) {
        hr = call_host(&call, host);
        if (FAILED(hr))
            error_set(&error, hr, NULL, "there is no such host");
    }
    if (SUCCEEDED(hr)) {
        hr = connect_locked(call.host, text ? text : ANY_OF_ITS_OWN, port,
                            stream, &error);
        call_end(&call);
    }
    if (FAILED(hr))
        hcn_record(hr, &error, record);
    free(text);
    return hr;
}
