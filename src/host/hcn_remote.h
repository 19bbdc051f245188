/* SPDX-License-Identifier: MIT
 * The networks of real systems, which are hcs-hostd's: a connection for calls,
 * and one for events while somebody listens.
 *
 * What waits for the daemon is called with the host's lock held, gives it up
 * meanwhile, and has it again when it returns, with E_HANDLE when the host was
 * closed by then. When the daemon goes the service is over for this host
 * (hcn_disconnect); the next call that needs no older handle starts it again.
 */
#ifndef HCS_HOST_HCN_REMOTE_H
#define HCS_HOST_HCN_REMOTE_H

#include "hcn.h"

struct hcn_remote;

/* Makes host->remote, unless it is there: no daemon yet. Calls that need one
 * answer HR_NOT_SUPPORTED when its program is missing. */
HRESULT remote_open(struct host *host, struct hcs_error *error);
/* At the host's end: calls under way end; gives the lock up meanwhile. */
void remote_close(struct host *host);
/* With the host's memory; NULL is fine. */
void remote_free(struct hcn_remote *remote);

/* hcn_request for a handle of the service number `service` (0: of any).
 * *carried: the number of the service that answered. */
HRESULT remote_request(struct host *host, uint64_t service,
                       const struct net_request *request,
                       struct net_reply *reply, uint64_t *carried);
/* Events come from now on, as long as host->listeners are not told that it is
 * over. */
HRESULT remote_listen(struct host *host, struct hcs_error *error);
/* Nobody listens any more. Does not wait. */
void remote_deafen(struct host *host);
/* A socket that is connecting to the host of the networks; see hostd_dial. */
HRESULT remote_dial(struct host *host, const char *address, uint16_t port,
                    int *fd, struct hcs_error *error);
HRESULT remote_plan(struct host *host, const struct net_request *request,
                    char **document, struct hcs_error *error);
/* What there is; nothing, and no daemon is started, where none runs. */
HRESULT remote_count(struct host *host, struct hcn_counts *out,
                     struct hcs_error *error);

/* Hands on the events that have come; never waits. Whether there were any. */
bool remote_pump(struct host *host);

#endif
