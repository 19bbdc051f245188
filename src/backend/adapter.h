/* SPDX-License-Identifier: MIT
 * A virtual machine's network adapter that is to be the port of an endpoint:
 * what a machine asks of a host's networks. */
#ifndef HCS_ADAPTER_H
#define HCS_ADAPTER_H

#include "../base/guid.h"
#include "../base/ip.h"

struct machine_adapter {
    struct guid endpoint;
    const struct mac_address *mac; /* the document's; NULL: the endpoint's */
    const char *machine_id;        /* the system's id */
    const char *runtime_id;        /* a GUID's text */
};

#endif
