/* SPDX-License-Identifier: MIT
 * A host: one world of compute systems, and what all its rooms share. */
#ifndef HCS_HOST_H
#define HCS_HOST_H

#include "../base/list.h"
#include "../base/thread.h"
#include "../base/timers.h"
#include "handle.h"
#include "spec.h"
#include "store.h"
#include "waker.h"

struct host {
    struct object object;
    struct host_spec spec;
    char *uri;

    hcs_mutex lock; /* guards all that follows */
    hcs_condition changed;
    bool closed;
    struct timers timers;
    int64_t time;        /* of the virtual and the manual clock */
    struct store *store; /* NULL: see `unavailable` */
    struct hcs_error unavailable;
    bool service_down; /* see outage.c */

    struct link systems;    /* open handles */
    struct link operations; /* likewise */
    size_t system_count, operation_count;
    uint64_t operation_ids;
    struct link requests; /* in flight */
    struct link exits;    /* systems whose exit is to be made known */

    /* Networks (hcn.h). */
    struct hcn *hcn;           /* sim: NULL before their first use */
    struct hcn_remote *remote; /* qemu: likewise */
    uint64_t network_service;  /* counts the services that have been */
    struct link networks;  /* open handles to networks, endpoints, namespaces */
    struct link listeners; /* to the network service */
    size_t network_count;  /* both */

    /* Callbacks (deliver.h). */
    struct link ready;   /* targets with something to deliver */
    unsigned delivering; /* callbacks that run */
    unsigned active;     /* those of them that do not wait in turn */
    uint64_t deliveries; /* callbacks that have run */
    struct link programs;

    /* Who waits (pump.h). */
    struct link waiters;
    unsigned awaited; /* operations whose end a callback waits for */
    bool steered;     /* by hcshost_step, while a thread pumps */

    /* The sleeping thread, of which there is one at most. */
    struct waker waker;
    bool sleeping;
    int64_t sleep_until; /* host time */
    bool call_sleeper;
    bool service_started, service_stop;
    hcs_thread service;
};

/* Whether the pipes of guests are the host's own or have the names that are
 * the same for all who run on this machine. */
enum host_pipes { HOST_OWNS_PIPES, HOST_SHARES_PIPES };

/* Opens a host; the caller gets a reference to an object without a handle.
 * A store that cannot be opened is an error too. */
HRESULT host_open(const char *spec, enum host_pipes pipes, struct host **out,
                  struct hcs_error *error);
/* A host that exists only to say why there is none: what needs its store
 * fails with `why`. */
HRESULT host_open_unavailable(const struct hcs_error *why, struct host **out,
                              struct hcs_error *error);
/* Ends everything in it. HCS_E_INVALID_STATE from inside one of its
 * callbacks. */
HRESULT host_close(struct host *host);

/* The host that calls without a handle use on this thread, with a reference;
 * see default.c. */
HRESULT host_current(struct host **out);
HRESULT host_enter(const void *handle, void **previous);
/* Around a callback: it runs in the world that it hears from. */
const void *host_visit(const struct host *host);
void host_return(const void *before);

/* E_HANDLE, and no lock, when the host is closed. */
HRESULT host_lock(struct host *host);
/* Also lets everybody know what the call has changed. */
void host_unlock(struct host *host);
/* The same halfway: before the lock is given up by waiting. */
void host_settle(struct host *host);

/* The host's clock. Safe without the lock for the real clock only. */
int64_t host_now(void *host);
bool host_is_simulated(const struct host *host); /* its clock */
/* Something that a waiter may wait for has changed. */
void host_changed(struct host *host);
/* The store, or NULL and why not. */
struct store *host_store(struct host *host, struct hcs_error *error);
/* The store, or NULL and why not: also while the compute service is down, which
 * those who keep no handle find out here. */
struct store *host_serving_store(struct host *host, struct hcs_error *error);
/* Stops or starts the compute service (outage.c). S_FALSE: it was so. */
HRESULT host_set_service(struct host *host, bool running);
/* Starts the service thread where the driver wants one. */
HRESULT host_need_service(struct host *host, struct hcs_error *error);

#endif
