/* SPDX-License-Identifier: MIT
 * A host's networks: handles to them, and callbacks of their service. What they
 * are and do is host/net's. Everything here is called with the host's lock
 * held. */
#ifndef HCS_HOST_HCN_H
#define HCS_HOST_HCN_H

#include "../base/random.h"
#include "deliver.h"
#include "net/net.h"

/* What a simulated host has from the first use of its networks on. */
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
    uint64_t service; /* the number of the one that it is of */
    bool closed;
};

enum handle_kind hcn_handle_kind(enum net_kind kind);

/* Makes the networks, or the way to them, unless they are there.
 * HR_RPC_SERVER_UNAVAILABLE while the service is stopped. */
HRESULT hcn_need(struct host *host, struct hcs_error *error);
/* HR_RPC_SERVER_UNAVAILABLE: the service went away under a handle. */
HRESULT hcn_lost(struct hcs_error *error);
/* Makes the reply a refusal; returns `hr`. */
HRESULT hcn_refuse(struct net_reply *reply, HRESULT hr,
                   const struct hcs_error *error);

/* Sets *record to the error record, if `record` is not NULL; `error` may be. */
void hcn_record(HRESULT hr, const struct hcs_error *error, PWSTR *record);

/* A document of the caller's as UTF-8: HCN_E_INVALID_JSON for what is no text.
 */
HRESULT hcn_text(PCWSTR text, char **out, struct hcs_error *error);

/* Requests. Each fills the reply as net_request does, also with what the host
 * itself has to say against it, and gives the lock up while real networks are
 * asked: the host may be closed then (E_HANDLE), and whatever the caller holds
 * on to needs a reference. */
HRESULT hcn_request(struct host *host, const struct net_request *request,
                    struct net_reply *reply);
/* For what one has a handle to. */
HRESULT hcn_request_on(struct hcn_handle *handle, enum net_verb verb,
                       const char *text, struct net_reply *reply);
/* For a handle that is to lead to what it makes or finds, and does afterwards;
 * inside of what `parent` leads to unless that is NULL. */
HRESULT hcn_request_for(struct hcn_handle *handle,
                        const struct hcn_handle *parent,
                        const struct net_request *request,
                        struct net_reply *reply);

/* How much there is; of namespaces, beside the one that every host has. The
 * last three are of real networks. Gives the lock up likewise. */
struct hcn_counts {
    uint64_t networks, endpoints, namespaces;
    uint64_t interfaces, rules, processes;
};
HRESULT hcn_count(struct host *host, struct hcn_counts *out,
                  struct hcs_error *error);

/* A new handle; the host's list has a reference of its own, so that it may be
 * closed while another thread has just taken its number. E_OUTOFMEMORY. */
HRESULT hcn_handle_open(struct host *host, enum net_kind kind,
                        const struct guid *id, struct hcn_handle **out,
                        struct hcs_error *error);
void hcn_handle_close(struct hcn_handle *handle);

/* The plane of a simulated host that has used its networks; else NULL. */
struct plane *hcn_plane(void *host);

/* hcn_adapter.c: what the store does with adapters of virtual machines; the
 * context is the host. */
HRESULT hcn_attach(void *host, const struct machine_adapter *adapter,
                   struct hcs_error *error);
void hcn_detach(void *host, const struct guid *endpoint);

/* hcn_listener.c: callbacks of the network service. */
struct hcn_listener;
/* Gives the lock up while real networks are asked. */
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

/* The service went away: every handle is lost, every callback is told, and the
 * next service has another number. */
void hcn_disconnect(struct host *host);
/* At the host's end, in this order. */
void hcn_close_handles(struct host *host);
void hcn_close(struct host *host);

#endif
