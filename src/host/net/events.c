/* SPDX-License-Identifier: MIT
 * Telling what happened. The document is made in place: no event is lost for
 * want of memory. */
#include <stdio.h>

#include "core.h"

void tell(const struct net *net, enum net_event_type type, HRESULT status,
          enum net_kind kind, const struct guid *id, uint32_t flags,
          const struct guid *endpoint) {
    struct net_event event = {.type = type, .status = status, .id = *id};
    char subject[GUID_TEXT_SIZE], other[GUID_TEXT_SIZE];
    char document[192];

    if (!net->env.event || net->restoring)
        return;
    object_id_text(kind, id, subject);
    if (endpoint) {
        object_id_text(NET_ENDPOINT, endpoint, other);
        snprintf(
            document, sizeof document,
            "{\"ID\":\"%s\",\"Flags\":%u,\"Data\":{\"EndpointId\":\"%s\"}}",
            subject, (unsigned)flags, other);
    } else {
        snprintf(document, sizeof document, "{\"ID\":\"%s\",\"Flags\":%u}",
                 subject, (unsigned)flags);
    }
    event.document = document;
    net->env.event(net->env.context, &event);
}
