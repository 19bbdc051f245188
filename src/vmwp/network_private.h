/* SPDX-License-Identifier: MIT
 * What the two files of the worker's network share. */
#ifndef HCS_VMWP_NETWORK_PRIVATE_H
#define HCS_VMWP_NETWORK_PRIVATE_H

#include "network.h"

/* What is attached. */
struct adapter {
    struct link link;
    struct machine_adapter terms;
    struct mac_address mac; /* terms.mac, if that is not NULL */
    char *machine_id;
    char runtime_id[GUID_TEXT_SIZE];
    int tap;     /* the worker's own descriptor of it */
    int another; /* that it was given in its place, until that is told, or -1 */
    bool lost;   /* a daemon does not want it any more */
    int down;    /* looks that found it so, one after the other */
    unsigned line; /* by which it is attached */
};

void adapter_free(struct adapter *adapter); /* NULL is fine */

/* With `list` held: there is news for the loop. */
void network_wake(struct network *network);
/* With `calls` held: a line, made if there is none that holds. */
HRESULT network_line(struct network *network, struct hcs_error *error);
/* With `calls` held: by the line what was attached by another. Fails when the
 * line ends; what a daemon refuses is lost. */
HRESULT network_attach_all(struct network *network);

#endif
