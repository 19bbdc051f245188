/* SPDX-License-Identifier: MIT
 * What an endpoint has sent and received: what its port has received and sent,
 * and what the packet filter dropped. */
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "inside.h"

static void turn(const struct rtnl_link_stats64 *seen,
                 struct plane_statistics *out) {
    out->bytes_received = seen->tx_bytes;
    out->bytes_sent = seen->rx_bytes;
    out->packets_received = seen->tx_packets;
    out->packets_sent = seen->rx_packets;
    out->dropped_incoming = seen->tx_dropped;
    out->dropped_outgoing = seen->rx_dropped;
}

HRESULT count_port(struct plane *plane, const struct endpoint *endpoint,
                   struct plane_statistics *out, struct hcs_error *error) {
    const size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifinfomsg));
    struct ifinfomsg head = {.ifi_index = endpoint->port.device.index};
    struct rtnl_link_stats64 seen;
    struct message m, answer;
    const void *found = NULL;
    size_t length = 0;
    int number;

    memset(out, 0, sizeof *out);
    if (!endpoint->port.there)
        return S_OK;
    message_begin(&m, RTM_GETLINK, 0, &head, sizeof head);
    number = wire_ask(&plane->wire, &m, &answer);
    if (number == 0 && answer.length > skip)
        found = attribute_find(answer.data + skip, answer.length - skip,
                               IFLA_STATS64, &length);
    if (!found)
        return wire_fail(&plane->wire, number ? number : ENODATA, error,
                         "the numbers of %s", endpoint->port.device.name);
    memset(&seen, 0, sizeof seen);
    memcpy(&seen, found, length < sizeof seen ? length : sizeof seen);
    turn(&seen, out);
    return S_OK;
}

static HRESULT add_dropped(struct plane *plane, unsigned serial,
                           const char *family, char which, uint64_t *total,
                           struct hcs_error *error) {
    char counter[24];
    uint64_t packets = 0;
    HRESULT hr;

    snprintf(counter, sizeof counter, "e%u%c", serial, which);
    hr = filter_count(plane->filter, family, counter, &packets, error);
    *total += packets;
    return hr;
}

HRESULT statistics(struct plane *plane, const struct endpoint *endpoint,
                   struct plane_statistics *out, struct hcs_error *error) {
    const struct plane_statistics *past = &endpoint->past;
    unsigned n = endpoint->serial;
    HRESULT hr = count_port(plane, endpoint, out, error);

    if (SUCCEEDED(hr) && !endpoint->remote)
        hr = add_dropped(plane, n, "inet", 'i', &out->dropped_incoming, error);
    if (SUCCEEDED(hr) && !endpoint->remote)
        hr = add_dropped(plane, n, "inet", 'o', &out->dropped_outgoing, error);
    if (SUCCEEDED(hr) && !endpoint->remote)
        hr =
            add_dropped(plane, n, "bridge", 'g', &out->dropped_outgoing, error);
    if (FAILED(hr))
        return hr;
    out->bytes_received += past->bytes_received;
    out->bytes_sent += past->bytes_sent;
    out->packets_received += past->packets_received;
    out->packets_sent += past->packets_sent;
    out->dropped_incoming += past->dropped_incoming;
    out->dropped_outgoing += past->dropped_outgoing;
    return S_OK;
}
