/* SPDX-License-Identifier: MIT
 * An event, and for those who poll sockets only a socket beside it. */
#include "loopback.h"
#include "wake.h"

HRESULT wake_open(struct wake *wake, struct hcs_error *error) {
    wake->socket = NULL;
    wake->object = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (wake->object == NULL)
        return error_set(error, HRESULT_FROM_WIN32(GetLastError()), NULL,
                         "cannot make an event (Windows error %lu)",
                         GetLastError());
    return S_OK;
}

void wake_close(struct wake *wake) {
    loopback_close(wake->socket);
    wake->socket = NULL;
    if (wake->object != NULL)
        CloseHandle(wake->object);
    wake->object = HCS_NOT_WAITABLE;
}

void wake_raise(struct wake *wake) {
    SetEvent(wake->object);
    if (wake->socket != NULL)
        loopback_raise(wake->socket);
}

void wake_lower(struct wake *wake) {
    ResetEvent(wake->object);
    if (wake->socket != NULL)
        loopback_lower(wake->socket);
}

hcs_waitable wake_waitable(const struct wake *wake) {
    return wake->object;
}

HRESULT wake_socket(struct wake *wake, bool raised, intptr_t *out,
                    struct hcs_error *error) {
    HRESULT hr = S_OK;
    if (wake->socket == NULL) {
        hr = loopback_open(&wake->socket, error);
        if (SUCCEEDED(hr) && raised)
            loopback_raise(wake->socket);
    }
    if (SUCCEEDED(hr))
        *out = loopback_socket(wake->socket);
    return hr;
}
