/* SPDX-License-Identifier: MIT
 * A host's networks: handles to them, and callbacks of their service. What they
 * are and do is host/net's. Everything here is called with the host's lock
 * held. */
#ifndef HCS_HOST_HCN_H
#define HCS_HOST_HCN_H

#include "../base/random.h"
#include "deliver.h"
#include "net/net.h"

/* What a host has from the first use of its networks on. */
struct hcn {
    struct net *net;
    const struct plane_ops *ops;
    struct plane *plane;
    struct random random;
};

/* A handle to a network, an endpoint or a namespace. It leads to an id: what
 * becomes of the object is told by the next call. */
struct hcn_handle {
    struct object object;
    struct host *host; /* with a reference */
    struct link link;  /* in host->networks */
    enum net_kind kind;
    struct guid id;
    bool closed;
    bool lost; /* the service went away under it */
};

enum handle_kind hcn_handle_kind(enum net_kind kind);

/* Makes the networks, unless they are there. HR_RPC_SERVER_UNAVAILABLE while
 * the service is stopped; HR_NOT_SUPPORTED where a host has none. */
HRESULT hcn_need(struct host *host, struct hcs_error *error);
/* Carries the request out; fills the reply as net_request does, also with what
 * the host itself has to say against it. */
HRESULT hcn_request(struct host *host, const struct net_request *request,
                    struct net_reply *reply);
/* The same for what one has a handle to. */
HRESULT hcn_request_on(struct hcn_handle *handle, enum net_verb verb,
                       const char *text, struct net_reply *reply);
/* How many there are; of namespaces, beside the one that every host has. */
size_t hcn_count(const struct host *host, enum net_kind kind);

/* A new handle; the host's list has a reference of its own, so that it may be
 * closed while another thread has just taken its number. E_OUTOFMEMORY. */
HRESULT hcn_handle_open(struct host *host, enum net_kind kind,
                        const struct guid *id, struct hcn_handle **out,
                        struct hcs_error *error);
void hcn_handle_close(struct hcn_handle *handle);

/* hcn_adapter.c: what the store does with adapters of virtual machines; the
 * context is the host. */
HRESULT hcn_attach(void *host, const struct machine_adapter *adapter,
                   struct hcs_error *error);
void hcn_detach(void *host, const struct guid *endpoint);

/* hcn_listener.c: callbacks of the network service. */
struct hcn_listener;
HRESULT hcn_listen(struct host *host, HCN_NOTIFICATION_CALLBACK callback,
                   void *context, HCN_CALLBACK *out);
/* Waits for the callback that runs unless called from inside it. */
void hcn_listener_close(struct hcn_listener *listener);
struct hcn_listener *hcn_listener_of(struct object *object);
struct host *hcn_listener_host(const struct hcn_listener *listener);
const struct target *hcn_listener_target(const struct hcn_listener *listener);
void hcn_event(void *host, const struct net_event *event);
void hcn_listeners_disconnect(struct host *host);
void hcn_listeners_close(struct host *host);

/* The service went away: every handle is lost, every callback is told. */
void hcn_disconnect(struct host *host);
/* At the host's end, in this order. */
void hcn_close_handles(struct host *host);
void hcn_close(struct host *host);

#endif
