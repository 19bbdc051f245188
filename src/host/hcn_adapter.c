/* SPDX-License-Identifier: MIT
 * Adapters of virtual machines in this process. */
#include "hcn.h"

static HRESULT carry(void *context, const struct net_request *request,
                     struct net_reply *reply) {
    return hcn_request(context, request, reply);
}

HRESULT hcn_attach(void *context, const struct machine_adapter *adapter,
                   struct hcs_error *error) {
    return net_adapter_attach(carry, context, adapter, NULL, error);
}

/* Also while the service is down. The endpoint may be gone, or have been taken
 * off the machine before: there is nothing more to do then. */
void hcn_detach(void *context, const struct guid *endpoint) {
    const struct net_request request = {
        .verb = NET_DETACH, .kind = NET_ENDPOINT, .id = *endpoint};
    struct host *host = context;
    struct net_reply reply;

    if (!host->hcn)
        return;
    net_request(host->hcn->net, &request, &reply);
    net_reply_free(&reply);
}
