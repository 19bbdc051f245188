/* SPDX-License-Identifier: MIT
 * The line to the daemon and what is attached by it; on any thread. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/hresult_hcn.h"
#include "../base/text.h"
#include "network_private.h"

#define TRIES 3

void adapter_free(struct adapter *adapter) {
    if (!adapter)
        return;
    link_remove(&adapter->link);
    if (adapter->tap >= 0)
        close(adapter->tap);
    if (adapter->another >= 0)
        close(adapter->another);
    free(adapter->machine_id);
    free(adapter);
}

static struct adapter *adapter_new(const struct machine_adapter *terms) {
    struct adapter *adapter = calloc(1, sizeof *adapter);

    if (!adapter)
        return NULL;
    link_init(&adapter->link);
    adapter->tap = -1;
    adapter->another = -1;
    adapter->terms = *terms;
    adapter->machine_id = text_copy(terms->machine_id);
    snprintf(adapter->runtime_id, sizeof adapter->runtime_id, "%s",
             terms->runtime_id);
    adapter->terms.machine_id = adapter->machine_id;
    adapter->terms.runtime_id = adapter->runtime_id;
    if (terms->mac) {
        adapter->mac = *terms->mac;
        adapter->terms.mac = &adapter->mac;
    }
    if (!adapter->machine_id) {
        adapter_free(adapter);
        return NULL;
    }
    return adapter;
}

static struct adapter *find(struct network *network,
                            const struct guid *endpoint) {
    for (struct link *l = network->adapters.next; l != &network->adapters;
         l = l->next) {
        struct adapter *adapter = HCS_CONTAINER(l, struct adapter, link);

        if (memcmp(&adapter->terms.endpoint, endpoint, sizeof *endpoint) == 0)
            return adapter;
    }
    return NULL;
}

void network_wake(struct network *network) {
    if (!network->closed)
        uv_async_send(&network->changed);
}

/* --- the line; with `calls` held, on any thread --------------------------- */

/* The loop is to watch what `line` is now. */
static void tell_line(struct network *network) {
    int fd =
        network->line ? fcntl(hostd_fd(network->line), F_DUPFD_CLOEXEC, 3) : -1;

    mutex_lock(&network->list);
    if (network->fresh_fd >= 0)
        close(network->fresh_fd);
    network->fresh_fd = fd;
    network->fresh = true;
    network_wake(network);
    mutex_unlock(&network->list);
}

HRESULT network_line(struct network *network, struct hcs_error *error) {
    HRESULT hr;

    if (network->line && hostd_alive(network->line))
        return S_OK;
    hostd_close(network->line);
    network->line = NULL;
    hr = hostd_connect(&network->place, &network->line, error);
    if (FAILED(hr))
        return hr;
    network->lines++;
    tell_line(network);
    return hr;
}

/* Gives *tap and a duplicate, which the adapter keeps. */
static HRESULT attach(struct network *network, struct adapter *adapter,
                      struct hostd_port *port, struct hcs_error *error) {
    HRESULT hr = hostd_attach(network->line, &network->terms, &adapter->terms,
                              -1, port, error);

    if (FAILED(hr))
        return hr;
    adapter->tap = fcntl(port->tap, F_DUPFD_CLOEXEC, 3);
    if (adapter->tap >= 0)
        return hr;
    hr = error_errno(error, errno, "a tap");
    close(port->tap);
    hostd_detach(network->line, &adapter->terms.endpoint, NULL);
    return hr;
}

/* What a daemon was asked that dies meanwhile, the next is asked again. */
static HRESULT attach_new(struct network *network, struct adapter *adapter,
                          struct hostd_port *port, struct hcs_error *error) {
    HRESULT hr = HR_RPC_SERVER_UNAVAILABLE;

    for (int i = 0; hr == HR_RPC_SERVER_UNAVAILABLE && i < TRIES; i++) {
        hr = network_line(network, error);
        if (SUCCEEDED(hr))
            hr = attach(network, adapter, port, error);
    }
    return hr;
}

HRESULT network_attach(void *context, const struct machine_adapter *terms,
                       int *tap, struct mac_address *mac,
                       struct hcs_error *error) {
    struct network *network = context;
    struct adapter *adapter = adapter_new(terms);
    struct hostd_port port;
    HRESULT hr;

    if (!adapter)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    mutex_lock(&network->calls);
    hr = attach_new(network, adapter, &port, error);
    if (SUCCEEDED(hr)) {
        *tap = port.tap;
        *mac = port.mac;
        adapter->line = network->lines;
        mutex_lock(&network->list);
        link_append(&network->adapters, &adapter->link);
        network_wake(network);
        mutex_unlock(&network->list);
    }
    mutex_unlock(&network->calls);
    if (FAILED(hr))
        adapter_free(adapter);
    return hr;
}

/* Of a daemon that is gone nothing is to be detached, and one that comes takes
 * ports whose machines do not. */
void network_detach(void *context, const struct guid *endpoint) {
    struct network *network = context;
    struct adapter *adapter;

    mutex_lock(&network->calls);
    mutex_lock(&network->list);
    adapter = find(network, endpoint);
    if (adapter)
        link_remove(&adapter->link);
    mutex_unlock(&network->list);
    if (adapter && network->line)
        hostd_detach(network->line, endpoint, NULL);
    mutex_unlock(&network->calls);
    if (adapter)
        adapter_free(adapter);
}

/* --- after a daemon's death ----------------------------------------------- */

/* With its tap or, where a daemon cannot have that, with another. What ends
 * the line is no refusal. */
static HRESULT attach_again(struct network *network, struct adapter *adapter) {
    struct hostd_port port = {.tap = -1};
    HRESULT hr = hostd_attach(network->line, &network->terms, &adapter->terms,
                              adapter->tap, &port, NULL);

    if (SUCCEEDED(hr) || !hostd_alive(network->line))
        return hr;
    hr = hostd_attach(network->line, &network->terms, &adapter->terms, -1,
                      &port, NULL);
    adapter->lost = FAILED(hr);
    if (SUCCEEDED(hr))
        adapter->another = port.tap;
    return hostd_alive(network->line) ? S_OK : hr;
}

/* The adapters are this thread's as long as `calls` is held: others only look
 * at their taps. */
HRESULT network_attach_all(struct network *network) {
    HRESULT hr = S_OK;

    for (struct link *l = network->adapters.next;
         SUCCEEDED(hr) && l != &network->adapters; l = l->next) {
        struct adapter *adapter = HCS_CONTAINER(l, struct adapter, link);

        if (adapter->line == network->lines)
            continue;
        hr = attach_again(network, adapter);
        if (SUCCEEDED(hr))
            adapter->line = network->lines;
        adapter->down = 0;
    }
    return hr;
}
