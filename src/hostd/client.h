/* SPDX-License-Identifier: MIT
 * The other side of hcs-hostd's protocol: one connection and calls that wait
 * for their answer. The daemon is started when nobody answers.
 *
 * A connection belongs to one thread at a time. What it attached ends with it.
 * When the daemon goes, or says what is none of the protocol, the call and all
 * that follow answer HR_RPC_SERVER_UNAVAILABLE; what the daemon was doing then
 * may have been done or not. */
#ifndef HCS_HOSTD_CLIENT_H
#define HCS_HOSTD_CLIENT_H

#include "../host/net/net.h"

struct hostd;

/* Where a daemon is and what it is started from. */
struct hostd_place {
    int root;            /* the state root's directory; stays the caller's */
    const char *path;    /* its path */
    const char *program; /* path of hcs-hostd, which lies beside the library */
};

/* What a request comes with. */
struct hostd_terms {
    int build;              /* the Windows build to be */
    bool allow_host_change; /* the plane may have an uplink */
};

/* Connects, starts the daemon if there is none, and waits for its greeting,
 * 10 seconds at most (HR_TIMEOUT). What the daemon lacks on this machine is its
 * own code and sentence (E_ACCESSDENIED, HR_NOT_SUPPORTED); HR_FILE_NOT_FOUND
 * when the program is missing. */
HRESULT hostd_connect(const struct hostd_place *place, struct hostd **out,
                      struct hcs_error *error);
/* The same without starting one: HR_NOT_FOUND when none is there. */
HRESULT hostd_connect_running(const struct hostd_place *place,
                              struct hostd **out, struct hcs_error *error);
/* NULL is fine. */
void hostd_close(struct hostd *hostd);
/* To be watched for input between calls, never read or closed; good until
 * hostd_close. Input there is an event (after hostd_listen), or the end. */
int hostd_fd(const struct hostd *hostd);
/* Whether the connection holds for all that is known without waiting. What has
 * come meanwhile is kept. */
bool hostd_alive(struct hostd *hostd);
/* Whether a call has found the end. */
bool hostd_ended(const struct hostd *hostd);
/* The daemon's process, as it says. */
int64_t hostd_process(const struct hostd *hostd);

/* As net_request; of what goes wrong on the way the reply tells, too. */
HRESULT hostd_request(struct hostd *hostd, const struct hostd_terms *terms,
                      const struct net_request *request,
                      struct net_reply *reply);

/* What a machine gets. */
struct hostd_port {
    int tap; /* the caller's; -1 when `held` goes on */
    struct mac_address mac;
};

/* Makes the endpoint this machine's port. `held`: a descriptor of the tap that
 * the machine has from a daemon that is gone, to be used on, else -1; it stays
 * the caller's. Failures have the name of the document's member as path. */
HRESULT hostd_attach(struct hostd *hostd, const struct hostd_terms *terms,
                     const struct machine_adapter *adapter, int held,
                     struct hostd_port *out, struct hcs_error *error);
HRESULT hostd_detach(struct hostd *hostd, const struct guid *endpoint,
                     struct hcs_error *error);

/* A TCP socket that was made outside of the host that the plane plays and is
 * connecting to `address` (a text) there; not blocking. */
HRESULT hostd_dial(struct hostd *hostd, const char *address, uint16_t port,
                   int *fd, struct hcs_error *error);

/* What a request would change; *document is malloc'd. */
HRESULT hostd_plan(struct hostd *hostd, const struct hostd_terms *terms,
                   const struct net_request *request, char **document,
                   struct hcs_error *error);

struct hostd_inventory {
    uint64_t networks, endpoints, namespaces; /* beside the host's own */
    uint64_t interfaces, rules, processes;
};
HRESULT hostd_inventory(struct hostd *hostd, struct hostd_inventory *out,
                        struct hcs_error *error);

/* From now on events come here, and nothing else is to be asked for. */
HRESULT hostd_listen(struct hostd *hostd, struct hcs_error *error);
/* Takes the next event that has come and calls `tell` with it. S_FALSE when
 * there is none now; never waits. */
HRESULT hostd_next(struct hostd *hostd,
                   void (*tell)(void *context, const struct net_event *event),
                   void *context, struct hcs_error *error);

#endif
