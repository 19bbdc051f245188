/* SPDX-License-Identifier: MIT
 * Callbacks of the network service, and what they are told. */
#include <stdlib.h>

#include "hcn_remote.h"
#include "memory.h"
#include "result.h"

/* A notification on its way to one callback. */
struct notice {
    struct item item;
    DWORD type;
    HRESULT status;
    PWSTR data;    /* or NULL */
    bool embedded; /* its listener's own */
};

struct hcn_listener {
    struct object object;
    struct host *host; /* with a reference */
    struct link link;  /* in host->listeners, with a reference */
    HCN_NOTIFICATION_CALLBACK callback;
    void *context;
    struct target target;
    struct notice disconnect; /* which must not be lost; there is only one */
    bool closed;
    bool lost; /* the service went away: nothing more comes */
};

static void destroy(struct object *object) {
    struct hcn_listener *listener =
        HCS_CONTAINER(object, struct hcn_listener, object);
    object_unref(&listener->host->object);
    free(listener);
}

static void notice_free(struct notice *notice) {
    memory_release(notice->data);
    notice->data = NULL;
    if (!notice->embedded)
        free(notice);
}

static void tell(struct host *host, struct target *target, struct item *item) {
    struct hcn_listener *listener =
        HCS_CONTAINER(target, struct hcn_listener, target);
    struct notice *notice = HCS_CONTAINER(item, struct notice, item);
    HCN_NOTIFICATION_CALLBACK callback = listener->callback;
    void *context = listener->context;

    delivery_begin(host);
    callback(notice->type, context, notice->status, notice->data);
    delivery_end(host);
    notice_free(notice);
}

HRESULT hcn_listen(struct host *host, HCN_NOTIFICATION_CALLBACK callback,
                   void *context, HCN_CALLBACK *out) {
    struct hcn_listener *listener;
    HRESULT hr = hcn_need(host, NULL);

    if (SUCCEEDED(hr) && host->remote)
        hr = remote_listen(host, NULL);
    if (SUCCEEDED(hr))
        hr = host_need_service(host, NULL);
    if (FAILED(hr))
        return hr;
    listener = calloc(1, sizeof *listener);
    if (!listener)
        return E_OUTOFMEMORY;
    object_init(&listener->object, HANDLE_CALLBACK, destroy);
    listener->host = host;
    object_ref(&host->object);
    link_init(&listener->link);
    listener->callback = callback;
    listener->context = context;
    target_init(&listener->target, &listener->object, tell);
    hr = handle_create(&listener->object, NULL);
    if (FAILED(hr)) {
        object_unref(&listener->object);
        return hr;
    }
    link_append(&host->listeners, &listener->link);
    host->network_count++;
    *out = (HCN_CALLBACK)listener->object.number;
    return S_OK;
}

static void drop_notices(struct hcn_listener *listener) {
    while (!link_alone(&listener->target.items)) {
        struct item *item =
            HCS_CONTAINER(listener->target.items.next, struct item, link);
        target_drop(&listener->target, item);
        notice_free(HCS_CONTAINER(item, struct notice, item));
    }
}

void hcn_listener_close(struct hcn_listener *listener) {
    struct host *host = listener->host;

    if (listener->closed)
        return;
    listener->closed = true;
    link_remove(&listener->link);
    host->network_count--;
    if (link_alone(&host->listeners))
        remote_deafen(host);
    drop_notices(listener);
    target_drain(host, &listener->target);
    object_unref(&listener->object);
}

struct hcn_listener *hcn_listener_of(struct object *object) {
    return HCS_CONTAINER(object, struct hcn_listener, object);
}

struct host *hcn_listener_host(const struct hcn_listener *listener) {
    return listener->host;
}

const struct target *hcn_listener_target(const struct hcn_listener *listener) {
    return &listener->target;
}

/* Takes the notice over. */
static void queue(struct hcn_listener *listener, struct notice *notice) {
    link_init(&notice->item.link);
    notice->item.kind = ITEM_EVENT;
    target_queue(listener->host, &listener->target, &notice->item);
}

/* What there is no memory for goes unheard, as at an HCS callback. */
static void notify(struct hcn_listener *listener,
                   const struct net_event *event) {
    struct notice *notice = calloc(1, sizeof *notice);
    if (!notice)
        return;
    notice->type = (DWORD)event->type;
    notice->status = event->status;
    notice->data = result_text(event->document, NULL);
    queue(listener, notice);
}

/* Those of endpoints are for callbacks that a single network has. */
void hcn_event(void *context, const struct net_event *event) {
    struct host *host = context;
    struct link *link;

    if (event->type < NET_EVENT_NETWORK_PRE_CREATE ||
        event->type > NET_EVENT_NAMESPACE_DELETE)
        return;
    for (link = host->listeners.next; link != &host->listeners;
         link = link->next) {
        struct hcn_listener *listener =
            HCS_CONTAINER(link, struct hcn_listener, link);
        if (!listener->lost)
            notify(listener, event);
    }
}

void hcn_listeners_disconnect(struct host *host) {
    struct link *link;
    for (link = host->listeners.next; link != &host->listeners;
         link = link->next) {
        struct hcn_listener *listener =
            HCS_CONTAINER(link, struct hcn_listener, link);
        if (listener->lost)
            continue;
        listener->lost = true;
        listener->disconnect.type = HcnNotificationServiceDisconnect;
        listener->disconnect.embedded = true;
        queue(listener, &listener->disconnect);
    }
}

void hcn_listeners_close(struct host *host) {
    while (!link_alone(&host->listeners)) {
        struct hcn_listener *listener =
            HCS_CONTAINER(host->listeners.next, struct hcn_listener, link);
        struct object *taken =
            handle_take((const void *)listener->object.number, HANDLE_CALLBACK);
        hcn_listener_close(listener);
        object_unref(taken);
    }
}
