/* SPDX-License-Identifier: MIT
 * Ports: an endpoint's place on its network's bridge. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../base/hresult_hcn.h"
#include "inside.h"

static HRESULT dress(struct plane *plane, const struct endpoint *endpoint,
                     const struct terms *terms, struct hcs_error *error) {
    int index = endpoint->port.device.index;
    HRESULT hr = device_alias(&plane->wire, index, terms->alias, error);

    if (SUCCEEDED(hr))
        hr = device_port(&plane->wire, index, terms->isolated, terms->hairpin,
                         error);
    if (SUCCEEDED(hr))
        hr = shape_port(plane, endpoint, terms->limit, error);
    return hr;
}

/* Called by what has made the port's interface. */
HRESULT port_join(struct plane *plane, struct endpoint *endpoint,
                  struct hcs_error *error) {
    char id[GUID_TEXT_SIZE], other[64];
    int index = endpoint->port.device.index;
    HRESULT hr;

    guid_format(&endpoint->id, id);
    snprintf(other, sizeof other, "hcn-ep-%s", id);
    hr = device_altname(&plane->wire, index, other, error);
    if (SUCCEEDED(hr))
        hr = device_master(&plane->wire, index, endpoint->network->bridge.index,
                           error);
    if (SUCCEEDED(hr))
        hr = dress(plane, endpoint, &endpoint->terms, error);
    return hr;
}

static HRESULT make(struct plane *plane, struct endpoint *endpoint,
                    const struct plane_port *told,
                    char device[PLANE_DEVICE_SIZE], struct hcs_error *error) {
    struct port *port = &endpoint->port;

    snprintf(port->device.name, sizeof port->device.name, "hp%u",
             endpoint->serial);
    if (told->kind == PLANE_PORT_MACHINE) {
        snprintf(device, PLANE_DEVICE_SIZE, "%s", port->device.name);
        return endpoint->offer >= 0 ? tap_take(plane, endpoint, error)
                                    : tap_make(plane, endpoint, error);
    }
    port->space = find_space(plane, &told->owner);
    if (!port->space)
        return error_set(error, HR_NOT_FOUND, NULL,
                         "the plane has no such namespace");
    return veth_make(plane, endpoint, device, error);
}

/* A limit's device goes with the port, whoever takes that away. */
static void take_away(struct plane *plane, struct endpoint *endpoint) {
    struct port *port = &endpoint->port;
    int gone[2] = {shape_take(plane, endpoint), port->device.index};

    if (port->rule_table)
        for (size_t i = 0; i < endpoint->address_count; i++)
            (void)device_rule(&plane->wire, &endpoint->addresses[i].address,
                              port->rule_table, false, NULL);
    if (port->tap >= 0) {
        tap_leave(plane, endpoint);
        gone[1] = 0;
    }
    sweep(plane, gone, 2, -1);
    memset(port, 0, sizeof *port);
    port->tap = -1;
}

HRESULT port_up(struct plane *plane, struct endpoint *endpoint,
                const struct plane_port *told, char device[PLANE_DEVICE_SIZE],
                struct hcs_error *error) {
    HRESULT hr;

    device[0] = '\0';
    if (endpoint->remote)
        return error_set(error, HCN_E_ENDPOINT_NOT_LOCAL, NULL,
                         "an endpoint of another host has no port here");
    if (endpoint->port.there)
        return error_set(error, HCN_E_ENDPOINT_ALREADY_ATTACHED, NULL,
                         "the endpoint has a port already");
    endpoint->port.kind = told->kind;
    hr = make(plane, endpoint, told, device, error);
    if (FAILED(hr)) {
        take_away(plane, endpoint);
        device[0] = '\0';
        return hr;
    }
    endpoint->port.there = true;
    return S_OK;
}

void port_down(struct plane *plane, struct endpoint *endpoint) {
    struct plane_statistics *past = &endpoint->past, last;

    if (!endpoint->port.there)
        return;
    if (SUCCEEDED(count_port(plane, endpoint, &last, NULL))) {
        past->bytes_received += last.bytes_received;
        past->bytes_sent += last.bytes_sent;
        past->packets_received += last.packets_received;
        past->packets_sent += last.packets_sent;
        past->dropped_incoming += last.dropped_incoming;
        past->dropped_outgoing += last.dropped_outgoing;
    }
    take_away(plane, endpoint);
}

/* The other end of a pair has the MTU too. */
static HRESULT change_mtu(struct plane *plane, const struct endpoint *endpoint,
                          uint32_t mtu, struct hcs_error *error) {
    const struct port *port = &endpoint->port;
    struct wire there = {.fd = -1};
    int peer = 0;
    HRESULT hr = device_mtu(&plane->wire, port->device.index, mtu, error);

    if (FAILED(hr) || !port->space)
        return hr;
    hr = device_peer(&plane->wire, &port->device, &peer, error);
    if (FAILED(hr))
        return hr;
    hr = crew_enter(port->space->fd, error);
    if (FAILED(hr))
        return hr;
    hr = wire_open(&there, error);
    if (SUCCEEDED(hr))
        hr = device_mtu(&there, peer, mtu, error);
    wire_close(&there);
    if (FAILED(crew_enter(plane->home, SUCCEEDED(hr) ? error : NULL)))
        return SUCCEEDED(hr) ? E_UNEXPECTED : hr;
    return hr;
}

HRESULT port_change(struct plane *plane, const struct endpoint *endpoint,
                    const struct terms *now, const struct terms *before,
                    struct hcs_error *error) {
    HRESULT hr = S_OK;

    if (!endpoint->port.there)
        return S_OK;
    if (now->mtu != before->mtu)
        hr = change_mtu(plane, endpoint, now->mtu, error);
    if (SUCCEEDED(hr))
        hr = dress(plane, endpoint, now, error);
    if (SUCCEEDED(hr))
        return S_OK;
    if (now->mtu != before->mtu)
        (void)change_mtu(plane, endpoint, before->mtu, NULL);
    (void)dress(plane, endpoint, before, NULL);
    return hr;
}

HRESULT port_rejoin(struct plane *plane, const struct endpoint *endpoint,
                    struct hcs_error *error) {
    HRESULT hr = device_master(&plane->wire, endpoint->port.device.index,
                               endpoint->network->bridge.index, error);

    return SUCCEEDED(hr) ? dress(plane, endpoint, &endpoint->terms, error) : hr;
}

HRESULT port_mend(struct plane *plane, struct endpoint *endpoint,
                  struct hcs_error *error) {
    struct plane_port told = {.kind = endpoint->port.kind, .adapter = ""};
    char device[PLANE_DEVICE_SIZE];
    HRESULT hr;

    if (endpoint->port.space)
        told.owner = endpoint->port.space->id;
    take_away(plane, endpoint);
    if (told.kind == PLANE_PORT_NAMESPACE)
        hr = port_up(plane, endpoint, &told, device, error);
    else
        hr = error_set(error, HCS_E_CONNECTION_CLOSED, NULL,
                       "somebody took away the tap of a virtual machine");
    return FAILED(hr)
               ? error_wrap(error, hr, "the endpoint %s", endpoint->terms.name)
               : hr;
}
