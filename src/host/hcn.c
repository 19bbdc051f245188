/* SPDX-License-Identifier: MIT
 * A host's networks: where they come from and what leads to them. */
#include "hcn.h"

#include <stdlib.h>

#include "../base/clock.h"
#include "../base/hresult_hcn.h"
#include "calls.h"
#include "hcn_remote.h"
#include "result.h"

/* What a simulated clock's zero is in the wall clock's time: the beginning of
 * 2026, so that two runs write the same documents. */
#define SIMULATED_EPOCH (INT64_C(1767225600) * CLOCK_SECOND)

/* Keeps the ids of networks apart from those of systems of the same seed. */
#define SEED_OF_NETWORKS UINT64_C(0x6E6574776F726B73)

static int64_t wall_now(void *context) {
    struct host *host = context;
    return host_is_simulated(host) ? SIMULATED_EPOCH + host_now(host)
                                   : clock_wall();
}

static uint64_t next_random(void *context) {
    const struct host *host = context;
    return random_next(&host->hcn->random);
}

static void hcn_free(struct hcn *hcn) {
    if (!hcn)
        return;
    net_close(hcn->net);
    if (hcn->plane)
        hcn->ops->destroy(hcn->plane);
    free(hcn);
}

static HRESULT open_net(struct host *host, struct hcn *hcn,
                        struct hcs_error *error) {
    struct net_env env = {
        .ops = hcn->ops,
        .plane = hcn->plane,
        .now = wall_now,
        .random = next_random,
        .event = hcn_event,
        .context = host,
        .build = host->spec.build,
    };
    HRESULT hr;
    host->hcn = hcn; /* for its random numbers */
    hr = net_open(&env, &hcn->net, error);
    if (FAILED(hr))
        host->hcn = NULL;
    return hr;
}

static HRESULT open_simulated(struct host *host, struct hcs_error *error) {
    struct hcn *hcn = calloc(1, sizeof *hcn);
    HRESULT hr;

    if (!hcn)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for the host's networks");
    random_seed(&hcn->random, host->spec.seed ^ SEED_OF_NETWORKS);
    hcn->ops = sim_plane_ops();
    hr = sim_plane_open(&hcn->plane, error);
    if (SUCCEEDED(hr))
        hr = open_net(host, hcn, error);
    if (FAILED(hr))
        hcn_free(hcn);
    return hr;
}

HRESULT hcn_need(struct host *host, struct hcs_error *error) {
    if (host->service_down)
        return error_set(error, HR_RPC_SERVER_UNAVAILABLE, NULL,
                         "the network service is not running");
    if (!host_store(host, error))
        return host->unavailable.code;
    if (host->spec.kind == HOST_QEMU)
        return remote_open(host, error);
    return host->hcn ? S_OK : open_simulated(host, error);
}

HRESULT hcn_lost(struct hcs_error *error) {
    return error_set(error, HR_RPC_SERVER_UNAVAILABLE, NULL,
                     "the network service went away under this handle");
}

HRESULT hcn_refuse(struct net_reply *reply, HRESULT hr,
                   const struct hcs_error *error) {
    *reply = (struct net_reply){.result = hr};
    reply->record = net_error_record(hr, error);
    return hr;
}

void hcn_record(HRESULT hr, const struct hcs_error *error, PWSTR *record) {
    char *text;

    if (!record)
        return;
    text = net_error_record(hr, error);
    *record = result_text(text, NULL);
    free(text);
}

HRESULT hcn_text(PCWSTR text, char **out, struct hcs_error *error) {
    HRESULT hr = call_text(text, out, error);
    if (FAILED(hr) && hr != E_OUTOFMEMORY) {
        hr = HCN_E_INVALID_JSON;
        error->code = hr;
    }
    return hr;
}

/* For handles of the service number `service`, 0 for any; *carried is that of
 * the one that answered. */
static HRESULT carry(struct host *host, uint64_t service,
                     const struct net_request *request, struct net_reply *reply,
                     uint64_t *carried) {
    struct hcs_error error;
    HRESULT hr = hcn_need(host, &error);

    *carried = host->network_service;
    if (SUCCEEDED(hr) && service && service != host->network_service)
        hr = hcn_lost(&error);
    if (FAILED(hr))
        return hcn_refuse(reply, hr, &error);
    if (host->remote)
        return remote_request(host, service, request, reply, carried);
    return net_request(host->hcn->net, request, reply);
}

HRESULT hcn_request(struct host *host, const struct net_request *request,
                    struct net_reply *reply) {
    uint64_t carried;
    return carry(host, 0, request, reply, &carried);
}

HRESULT hcn_request_on(struct hcn_handle *handle, enum net_verb verb,
                       const char *text, struct net_reply *reply) {
    struct net_request request = {
        .verb = verb, .kind = handle->kind, .id = handle->id, .text = text};
    uint64_t carried;

    return carry(handle->host, handle->service, &request, reply, &carried);
}

HRESULT hcn_request_for(struct hcn_handle *handle,
                        const struct hcn_handle *parent,
                        const struct net_request *request,
                        struct net_reply *reply) {
    uint64_t carried;
    HRESULT hr = carry(handle->host, parent ? parent->service : 0, request,
                       reply, &carried);

    if (SUCCEEDED(hr)) {
        handle->id = reply->id;
        handle->service = carried;
    }
    return hr;
}

static HRESULT count_own(const struct hcn *hcn, struct hcn_counts *out) {
    size_t namespaces;

    if (!hcn)
        return S_OK;
    namespaces = net_count(hcn->net, NET_NAMESPACE);
    out->networks = net_count(hcn->net, NET_NETWORK);
    out->endpoints = net_count(hcn->net, NET_ENDPOINT);
    out->namespaces = namespaces > 0 ? namespaces - 1 : 0;
    return S_OK;
}

HRESULT hcn_count(struct host *host, struct hcn_counts *out,
                  struct hcs_error *error) {
    HRESULT hr = S_OK;

    *out = (struct hcn_counts){0};
    if (host->spec.kind != HOST_QEMU)
        return count_own(host->hcn, out);
    if (!host->remote)
        hr = hcn_need(host, error);
    return SUCCEEDED(hr) ? remote_count(host, out, error) : hr;
}

struct plane *hcn_plane(void *context) {
    const struct host *host = context;
    return host->hcn ? host->hcn->plane : NULL;
}

/* --- handles ------------------------------------------------------------- */

enum handle_kind hcn_handle_kind(enum net_kind kind) {
    static const enum handle_kind kinds[] = {
        [NET_NETWORK] = HANDLE_NETWORK,
        [NET_ENDPOINT] = HANDLE_ENDPOINT,
        [NET_NAMESPACE] = HANDLE_NAMESPACE,
    };
    return kinds[kind];
}

static void destroy(struct object *object) {
    struct hcn_handle *handle =
        HCS_CONTAINER(object, struct hcn_handle, object);
    object_unref(&handle->host->object);
    free(handle);
}

HRESULT hcn_handle_open(struct host *host, enum net_kind kind,
                        const struct guid *id, struct hcn_handle **out,
                        struct hcs_error *error) {
    struct hcn_handle *handle = calloc(1, sizeof *handle);
    HRESULT hr;

    if (!handle)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for a network handle");
    object_init(&handle->object, hcn_handle_kind(kind), destroy);
    handle->host = host;
    object_ref(&host->object);
    handle->kind = kind;
    handle->id = *id;
    handle->service = host->network_service;
    link_init(&handle->link);
    hr = handle_create(&handle->object, error);
    if (FAILED(hr)) {
        object_unref(&handle->object);
        return hr;
    }
    link_append(&host->networks, &handle->link); /* with our reference */
    host->network_count++;
    *out = handle;
    return S_OK;
}

void hcn_handle_close(struct hcn_handle *handle) {
    if (handle->closed)
        return;
    handle->closed = true;
    link_remove(&handle->link);
    handle->host->network_count--;
    object_unref(&handle->object);
}

/* --- the end ------------------------------------------------------------- */

void hcn_disconnect(struct host *host) {
    host->network_service++;
    hcn_listeners_disconnect(host);
    remote_deafen(host);
    host_changed(host);
}

void hcn_close_handles(struct host *host) {
    while (!link_alone(&host->networks)) {
        struct hcn_handle *handle =
            HCS_CONTAINER(host->networks.next, struct hcn_handle, link);
        struct object *taken = handle_take((const void *)handle->object.number,
                                           handle->object.kind);
        hcn_handle_close(handle);
        object_unref(taken);
    }
    hcn_listeners_close(host);
}

void hcn_close(struct host *host) {
    remote_close(host);
    hcn_free(host->hcn);
    host->hcn = NULL;
}
