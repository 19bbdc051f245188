/* SPDX-License-Identifier: MIT
 * The host's networks, endpoints and namespaces: the semantics of HCN, behind
 * one entry, for every plane. It has no threads, locks or clock of its own, so
 * it runs in the client's process as in a daemon; the owner serialises.
 *
 * A request is plain values, and has a JSON form for lines between processes
 * (net_request_write, net_request_read; likewise the reply). */
#ifndef HCS_NET_H
#define HCS_NET_H

#include "../../abi/hcn_types.h"
#include "../../backend/adapter.h"
#include "../../backend/plane.h"
#include "../../base/json.h"

struct net;

enum net_kind { NET_NETWORK, NET_ENDPOINT, NET_NAMESPACE, NET_KIND_COUNT };

enum net_verb {
    NET_CREATE,
    NET_OPEN, /* only whether it is there */
    NET_MODIFY,
    NET_QUERY,     /* its properties */
    NET_ENUMERATE, /* the ids; `id` and `parent` do not count */
    NET_DELETE,
    NET_STATISTICS, /* of an endpoint */
    NET_ATTACH,     /* an endpoint's port to a virtual machine's adapter:
                       VmEndpointRequest; the reply is its properties */
    NET_DETACH,     /* the reverse; no document */
    NET_VERB_COUNT
};

struct net_request {
    enum net_verb verb;
    enum net_kind kind;
    struct guid id;     /* NET_CREATE: zero for the document's or a new one */
    struct guid parent; /* NET_CREATE of an endpoint: its network, or zero for
                           the document's HostComputeNetwork */
    const char *text;   /* UTF-8 of the document or query; NULL for none */
};

struct net_reply {
    HRESULT result;
    struct guid id; /* of the object; NET_CREATE: the one it got */
    char *document; /* malloc'd, or NULL when there is none */
    char *record;   /* malloc'd error record; NULL on success, or when there
                       was no memory for it */
};

/* What happened, by the numbers of HCN_NOTIFICATIONS. */
enum net_event_type {
    NET_EVENT_NETWORK_PRE_CREATE = 1,
    NET_EVENT_NETWORK_CREATE = 2,
    NET_EVENT_NETWORK_PRE_DELETE = 3,
    NET_EVENT_NETWORK_DELETE = 4,
    NET_EVENT_NAMESPACE_CREATE = 5,
    NET_EVENT_NAMESPACE_DELETE = 6,
    NET_EVENT_ENDPOINT_ATTACHED = 9,   /* the next two: only for callbacks */
    NET_EVENT_ENDPOINT_DETACHED = 0x10 /* that are a network's own */
};

struct net_event {
    enum net_event_type type;
    HRESULT status;
    struct guid id;       /* the network or namespace that it is about */
    const char *document; /* NotificationBase; valid during the call */
};

/* What the surroundings give. Pointers outlive the net. */
/* It would take such members for macros. */
/* clang-format off */
struct net_env {
    const struct plane_ops *ops;
    struct plane *plane;              /* stays the owner's */
    int64_t (*now)(void *context);    /* wall clock, ns since 1970 */
    uint64_t (*random)(void *context);
    /* May only note it down: in it the net must not be called. When the events
     * of a request come its changes can be seen; PRE_ ones come just before
     * theirs. NULL: nobody listens. */
    void (*event)(void *context, const struct net_event *event);
    /* An object is no more; but at net_close. As event. May be NULL. */
    void (*gone)(void *context, enum net_kind kind, const struct guid *id);
    void *context;
    int build;                        /* the Windows build to be */
    /* The id of the namespace that every host has; zero: a new one. */
    struct guid host_namespace;
};
/* clang-format on */

/* With the namespace that every host has (HostDefault, compartment 1). */
HRESULT net_open(const struct net_env *env, struct net **out,
                 struct hcs_error *error);
/* NULL is fine. Takes everything down without events. */
void net_close(struct net *net);

/* Carries the request out and fills the reply; returns its result. What fails
 * has changed nothing. */
HRESULT net_request(struct net *net, const struct net_request *request,
                    struct net_reply *reply);
void net_reply_free(struct net_reply *reply);

/* How a request is carried out: net_request, or a way to one that is
 * elsewhere. */
typedef HRESULT (*net_carrier)(void *context, const struct net_request *request,
                               struct net_reply *reply);

/* Makes the adapter the port of its endpoint, as a service of virtual machines
 * asks for it: the endpoint must be there and have no port, and the adapter's
 * MAC address, if it has one, must be the endpoint's (E_INVALIDARG). On failure
 * nothing is changed and the error's path is the adapter's member that is to
 * blame, EndpointId or MacAddress. `mac` (may be NULL) gets the endpoint's. */
HRESULT net_adapter_attach(net_carrier carry, void *context,
                           const struct machine_adapter *adapter,
                           struct mac_address *mac, struct hcs_error *error);

/* How many there are. */
size_t net_count(const struct net *net, enum net_kind kind);

/* From now on the host is of this Windows build. */
void net_set_build(struct net *net, int build);

/* The id of the namespace that every host has. */
void net_host_namespace(const struct net *net, struct guid *id);

/* --- keeping them ---------------------------------------------------------
 * What outlasts a process: one JSON object for each object, from which a new
 * net makes it as it was for all that a client can see. */

/* Takes the next object that was made or changed since it was taken last;
 * false: there is none. */
bool net_next_changed(struct net *net, enum net_kind *kind, struct guid *id);
/* As if it had changed, if it is there. */
void net_touch(struct net *net, enum net_kind kind, const struct guid *id);

#define NET_SAVE_HELD 1u      /* its port goes with the process that has it */
#define NET_SAVE_TRANSIENT 2u /* also what does not last */

/* Appends its text. S_FALSE, and nothing appended, for what does not last
 * (EnableNonPersistent) and for the host's own namespace with nothing in it.
 * E_OUTOFMEMORY; the kind's code when it is not there. */
HRESULT net_save(const struct net *net, enum net_kind kind,
                 const struct guid *id, unsigned flags, struct buf *out,
                 struct hcs_error *error);
/* Where it stands among those of its kind: they are to be restored in this
 * order, networks first, then endpoints, then namespaces. */
uint64_t net_saved_order(const struct json *saved);
/* Makes it, without events. Members of a namespace that are not there are
 * passed over; a port that was held comes back with the machine that it was
 * for. HR_INVALID_DATA for what net_save did not write, and as net_request. */
HRESULT net_restore(struct net *net, enum net_kind kind,
                    const struct json *saved, struct hcs_error *error);
/* Takes away, without events, what does not outlast its service. */
void net_drop_transient(struct net *net);

/* Makes all that `from` has in `to`, which is new and on another plane: what
 * would come of a request can be tried there. */
HRESULT net_copy(const struct net *from, struct net *to,
                 struct hcs_error *error);

/* The id of an endpoint's port to a virtual machine; false: it has none. */
bool net_machine_port(const struct net *net, const struct guid *endpoint,
                      struct guid *port);

/* {"Success":false,"Error":"…","ErrorCode":n}, malloc'd; NULL without memory.
 * For refusals that do not come from net_request, too. */
char *net_error_record(HRESULT result, const struct hcs_error *error);

/* What the record of a refusal says, as an error; returns its code. */
HRESULT net_record_error(const struct net_reply *reply,
                         struct hcs_error *error);

/* The JSON forms. A request that was read points into `value`. What is not a
 * request or a reply is HR_INVALID_DATA, with the path. */
void net_request_write(struct json_writer *w,
                       const struct net_request *request);
HRESULT net_request_read(const struct json *value, struct net_request *out,
                         struct hcs_error *error);
void net_reply_write(struct json_writer *w, const struct net_reply *reply);
/* On failure the reply is empty. */
HRESULT net_reply_read(const struct json *value, struct net_reply *out,
                       struct hcs_error *error);

#endif
