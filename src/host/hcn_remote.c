/* SPDX-License-Identifier: MIT */
#include "hcn_remote.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/hresult_hcn.h"
#include "../base/spawn.h"
#include "../base/text.h"
#include "../hostd/client.h"
#include "../hostd/protocol.h"

struct hcn_remote {
    int root;
    char *path;
    struct hostd_terms terms;

    /* Held over a call; taken before the host's lock, never while holding it.
     * Guards these two. */
    hcs_mutex calls;
    struct hostd *line; /* or NULL */
    uint64_t service;   /* whose it is */

    /* By the host's lock. */
    int interrupt;        /* a second descriptor of the line, or -1 */
    struct hostd *events; /* of the present service, or NULL */
};

/* --- coming and going ----------------------------------------------------- */

static HRESULT fill(struct host *host, struct hcn_remote *remote,
                    struct hcs_error *error) {
    int root = -1;
    const char *path = store_worker_root(host->store, &root);

    remote->terms.build = host->spec.build;
    remote->terms.allow_host_change = host->spec.allow_host_change;
    remote->root = fcntl(root, F_DUPFD_CLOEXEC, 3);
    if (remote->root < 0)
        return error_errno(error, errno, "the state root");
    remote->path = text_copy(path);
    return remote->path
               ? S_OK
               : error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
}

HRESULT remote_open(struct host *host, struct hcs_error *error) {
    struct hcn_remote *remote;
    HRESULT hr;

    if (host->remote)
        return S_OK;
    remote = calloc(1, sizeof *remote);
    if (!remote)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    mutex_init(&remote->calls);
    remote->interrupt = -1;
    hr = fill(host, remote, error);
    if (SUCCEEDED(hr))
        host->remote = remote;
    else
        remote_free(remote);
    return hr;
}

void remote_free(struct hcn_remote *remote) {
    if (!remote)
        return;
    mutex_destroy(&remote->calls);
    if (remote->root >= 0)
        close(remote->root);
    free(remote->path);
    free(remote);
}

/* With `calls` held and the host's lock, too. */
static void drop_line(struct hcn_remote *remote) {
    hostd_close(remote->line);
    remote->line = NULL;
    if (remote->interrupt >= 0)
        close(remote->interrupt);
    remote->interrupt = -1;
}

void remote_deafen(struct host *host) {
    struct hcn_remote *remote = host->remote;

    if (!remote || !remote->events)
        return;
    /* Not left to the closing: a forked child may have it, too. */
    waker_forget(&host->waker, hostd_fd(remote->events));
    shutdown(hostd_fd(remote->events), SHUT_RDWR);
    hostd_close(remote->events);
    remote->events = NULL;
}

void remote_close(struct host *host) {
    struct hcn_remote *remote = host->remote;

    if (!remote)
        return;
    remote_deafen(host);
    if (remote->interrupt >= 0)
        shutdown(remote->interrupt, SHUT_RDWR);
    mutex_unlock(&host->lock);
    mutex_lock(&remote->calls);
    mutex_lock(&host->lock);
    drop_line(remote);
    mutex_unlock(&remote->calls);
}

/* --- a call --------------------------------------------------------------- */

static HRESULT refuse_closed(struct hcs_error *error) {
    return error_set(error, E_HANDLE, NULL, "the host was closed");
}

/* With `calls` held. Drops a line whose daemon is gone, and tells the host. */
static void look_after(struct host *host) {
    struct hcn_remote *remote = host->remote;

    mutex_lock(&host->lock);
    if (remote->service == host->network_service)
        hcn_disconnect(host);
    drop_line(remote);
    host_unlock(host);
}

static HRESULT connect_line(struct hcn_remote *remote, struct hostd **out,
                            struct hcs_error *error) {
    char program[PATH_MAX];
    const struct hostd_place place = {remote->root, remote->path, program};
    HRESULT hr = spawn_beside(HOSTD_PROGRAM, program, sizeof program, error);

    if (SUCCEEDED(hr))
        return hostd_connect(&place, out, error);
    if (hr == HR_FILE_NOT_FOUND) { /* this was built without networks */
        hr = HR_NOT_SUPPORTED;
        if (error)
            error->code = hr;
    }
    return hr;
}

/* A line of a service that begins now. */
static HRESULT new_line(struct host *host, struct hcs_error *error) {
    struct hcn_remote *remote = host->remote;
    struct hostd *line;
    HRESULT hr = connect_line(remote, &line, error);

    if (FAILED(hr))
        return hr;
    mutex_lock(&host->lock);
    remote->line = line;
    remote->service = host->network_service;
    remote->interrupt = fcntl(hostd_fd(line), F_DUPFD_CLOEXEC, 3);
    if (host->closed) {
        drop_line(remote);
        hr = refuse_closed(error);
    }
    mutex_unlock(&host->lock);
    return hr;
}

/* With `calls` held and no lock: the line that a call goes over. */
static HRESULT ready(struct host *host, uint64_t service,
                     struct hcs_error *error) {
    struct hcn_remote *remote = host->remote;
    uint64_t present;
    bool closed;

    if (remote->line && !hostd_alive(remote->line))
        look_after(host);
    mutex_lock(&host->lock);
    present = host->network_service;
    closed = host->closed;
    if (remote->line && remote->service != present)
        drop_line(remote);
    mutex_unlock(&host->lock);
    if (closed)
        return refuse_closed(error);
    if (service && service != present)
        return hcn_lost(error);
    return remote->line ? S_OK : new_line(host, error);
}

/* Gives the host's lock up for `calls`. */
static HRESULT begin(struct host *host, uint64_t service,
                     struct hcs_error *error) {
    struct hcn_remote *remote = host->remote;

    host_unlock(host);
    mutex_lock(&remote->calls);
    return ready(host, service, error);
}

/* The reverse, with what the call returned. */
static HRESULT end(struct host *host, HRESULT hr, struct hcs_error *error) {
    struct hcn_remote *remote = host->remote;

    if (remote->line && hostd_ended(remote->line))
        look_after(host);
    mutex_lock(&host->lock);
    mutex_unlock(&remote->calls);
    return host->closed ? refuse_closed(error) : hr;
}

static HRESULT request_once(struct host *host, uint64_t service,
                            const struct net_request *request,
                            struct net_reply *reply, uint64_t *carried) {
    struct hcn_remote *remote = host->remote;
    struct hcs_error error;
    HRESULT hr = begin(host, service, &error);

    *carried = remote->service;
    if (SUCCEEDED(hr))
        hostd_request(remote->line, &remote->terms, request, reply);
    else
        hcn_refuse(reply, hr, &error);
    hr = end(host, S_OK, &error);
    if (FAILED(hr)) {
        net_reply_free(reply);
        hcn_refuse(reply, hr, &error);
    }
    return reply->result;
}

/* What only looks may be asked of the next service when the first one goes in
 * the middle of it. */
HRESULT remote_request(struct host *host, uint64_t service,
                       const struct net_request *request,
                       struct net_reply *reply, uint64_t *carried) {
    bool looks = request->verb == NET_OPEN || request->verb == NET_ENUMERATE;
    HRESULT hr = request_once(host, service, request, reply, carried);

    if (hr != HR_RPC_SERVER_UNAVAILABLE || service || !looks)
        return hr;
    net_reply_free(reply);
    return request_once(host, service, request, reply, carried);
}

HRESULT remote_dial(struct host *host, const char *address, uint16_t port,
                    int *fd, struct hcs_error *error) {
    struct hcn_remote *remote = host->remote;
    HRESULT hr = begin(host, 0, error);

    *fd = -1;
    if (SUCCEEDED(hr))
        hr = hostd_dial(remote->line, address, port, fd, error);
    hr = end(host, hr, error);
    if (FAILED(hr) && *fd >= 0)
        close(*fd);
    return hr;
}

HRESULT remote_plan(struct host *host, const struct net_request *request,
                    char **document, struct hcs_error *error) {
    struct hcn_remote *remote = host->remote;
    HRESULT hr = begin(host, 0, error);

    *document = NULL;
    if (SUCCEEDED(hr))
        hr = hostd_plan(remote->line, &remote->terms, request, document, error);
    hr = end(host, hr, error);
    if (FAILED(hr)) {
        free(*document);
        *document = NULL;
    }
    return hr;
}

/* --- what there is -------------------------------------------------------- */

/* Of a daemon that runs for others, if there is one. */
static HRESULT count_there(const struct hcn_remote *remote,
                           struct hostd_inventory *out,
                           struct hcs_error *error) {
    const struct hostd_place place = {remote->root, remote->path, NULL};
    struct hostd *line = NULL;
    HRESULT hr = hostd_connect_running(&place, &line, error);

    if (hr == HR_NOT_FOUND)
        return S_OK;
    if (SUCCEEDED(hr))
        hr = hostd_inventory(line, out, error);
    hostd_close(line);
    return hr;
}

HRESULT remote_count(struct host *host, struct hcn_counts *out,
                     struct hcs_error *error) {
    struct hcn_remote *remote = host->remote;
    struct hostd_inventory found = {0};
    HRESULT hr;

    host_unlock(host);
    mutex_lock(&remote->calls);
    if (remote->line && !hostd_alive(remote->line))
        look_after(host);
    hr = remote->line ? hostd_inventory(remote->line, &found, error)
                      : count_there(remote, &found, error);
    hr = end(host, hr, error);
    out->networks = found.networks;
    out->endpoints = found.endpoints;
    out->namespaces = found.namespaces;
    out->interfaces = found.interfaces;
    out->rules = found.rules;
    out->processes = found.processes;
    return hr;
}

/* --- events --------------------------------------------------------------- */

/* A line for events, from the daemon that the other one leads to. */
static HRESULT new_events(struct hcn_remote *remote, struct hostd **out,
                          struct hcs_error *error) {
    HRESULT hr = connect_line(remote, out, error);

    if (SUCCEEDED(hr) && hostd_process(*out) != hostd_process(remote->line))
        hr = error_set(error, HR_RPC_SERVER_UNAVAILABLE, NULL,
                       "the network service went away and came back");
    if (SUCCEEDED(hr))
        hr = hostd_listen(*out, error);
    return hr;
}

/* With `calls` held. Leaves the host's lock held where `out` has come to be
 * the host's. */
static HRESULT adopt_events(struct host *host, struct hostd *events,
                            struct hcs_error *error) {
    struct hcn_remote *remote = host->remote;
    HRESULT hr = S_OK;

    mutex_lock(&host->lock);
    if (host->closed)
        hr = refuse_closed(error);
    else if (remote->service != host->network_service)
        hr = hcn_lost(error);
    else
        hr = waker_watch(&host->waker, hostd_fd(events), error);
    if (SUCCEEDED(hr))
        remote->events = events;
    mutex_unlock(&host->lock);
    return hr;
}

static HRESULT ready_events(struct host *host, struct hcs_error *error) {
    struct hcn_remote *remote = host->remote;
    struct hostd *events = NULL;
    bool there;
    HRESULT hr;

    mutex_lock(&host->lock);
    there = remote->events != NULL;
    mutex_unlock(&host->lock);
    if (there)
        return S_OK;
    hr = new_events(remote, &events, error);
    if (SUCCEEDED(hr))
        hr = adopt_events(host, events, error);
    if (FAILED(hr))
        hostd_close(events);
    return hr;
}

HRESULT remote_listen(struct host *host, struct hcs_error *error) {
    HRESULT hr = begin(host, 0, error);

    if (SUCCEEDED(hr))
        hr = ready_events(host, error);
    hr = end(host, hr, error);
    if (SUCCEEDED(hr) && !host->remote->events) /* gone again already */
        hr = hcn_lost(error);
    return hr;
}

bool remote_pump(struct host *host) {
    struct hcn_remote *remote = host->remote;
    bool any = false;
    HRESULT hr = S_OK;

    if (!remote || !remote->events)
        return false;
    while (hr == S_OK) {
        hr = hostd_next(remote->events, hcn_event, host, NULL);
        any = any || hr != S_FALSE;
    }
    if (FAILED(hr))
        hcn_disconnect(host);
    return any;
}
