/* SPDX-License-Identifier: MIT
 * Ports that go with the connection that asked for them: those of virtual
 * machines, whose processes may die. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/hresult_hcn.h"
#include "daemon.h"
#include "ground.h"

static struct hold *find(const struct link *head, const struct guid *endpoint) {
    for (struct link *l = head->next; l != head; l = l->next) {
        struct hold *hold = HCS_CONTAINER(l, struct hold, of_client);

        if (memcmp(&hold->endpoint, endpoint, sizeof *endpoint) == 0)
            return hold;
    }
    return NULL;
}

/* Whether it still is what it was: the port may have been taken away from it,
 * and another made. */
static bool is_current(const struct daemon *daemon, const struct hold *hold) {
    struct guid port;

    return net_machine_port(daemon->net, &hold->endpoint, &port) &&
           memcmp(&port, &hold->port, sizeof port) == 0;
}

bool hold_is_there(const struct daemon *daemon, const struct guid *endpoint) {
    const struct link *head = &daemon->holds;

    for (struct link *l = head->next; l != head; l = l->next) {
        const struct hold *hold = HCS_CONTAINER(l, struct hold, link);

        if (memcmp(&hold->endpoint, endpoint, sizeof *endpoint) == 0 &&
            is_current(daemon, hold))
            return true;
    }
    return false;
}

static void hold_end(struct hold *hold) {
    link_remove(&hold->of_client);
    link_remove(&hold->link);
    free(hold);
}

static HRESULT detach(struct daemon *daemon, const struct guid *endpoint) {
    const struct net_request request = {
        .verb = NET_DETACH, .kind = NET_ENDPOINT, .id = *endpoint};
    struct net_reply reply;
    HRESULT hr = net_request(daemon->net, &request, &reply);

    net_reply_free(&reply);
    return hr;
}

/* --- attaching ------------------------------------------------------------ */

/* The port, and a descriptor of the tap unless the machine has one. */
static HRESULT make_port(struct daemon *daemon,
                         const struct machine_adapter *adapter, int offered,
                         struct mac_address *mac, int *tap,
                         struct hcs_error *error) {
    HRESULT hr = S_OK;

    if (offered >= 0)
        hr = ground_offer(daemon->plane, &adapter->endpoint, offered, error);
    if (SUCCEEDED(hr))
        hr = net_adapter_attach(request_carry, daemon, adapter, mac, error);
    if (FAILED(hr)) {
        if (offered >= 0)
            ground_offer(daemon->plane, &adapter->endpoint, -1, NULL);
        return hr;
    }
    if (offered < 0)
        hr = ground_tap(daemon->plane, &adapter->endpoint, tap, error);
    if (FAILED(hr))
        detach(daemon, &adapter->endpoint);
    return hr;
}

static HRESULT read_mac(const struct hostd_message *message,
                        struct mac_address *mac, struct hcs_error *error) {
    if (!message->mac || mac_parse(message->mac, mac))
        return S_OK;
    return error_set(error, E_INVALIDARG, "MacAddress",
                     "\"%s\" is not a MAC address", message->mac);
}

static HRESULT keep(struct client *client, struct hold *hold,
                    struct hcs_error *error) {
    struct daemon *daemon = client->daemon;
    HRESULT hr;

    link_append(&client->holds, &hold->of_client);
    link_append(&daemon->holds, &hold->link);
    net_machine_port(daemon->net, &hold->endpoint, &hold->port);
    hr = store_sync(daemon, error);
    if (SUCCEEDED(hr))
        return hr;
    detach(daemon, &hold->endpoint);
    link_remove(&hold->of_client);
    link_remove(&hold->link);
    return hr;
}

HRESULT hold_attach(struct client *client, const struct hostd_message *message,
                    int offered, struct mac_address *mac, int *tap,
                    struct hcs_error *error) {
    struct daemon *daemon = client->daemon;
    struct hold *hold = calloc(1, sizeof *hold);
    char runtime_id[GUID_TEXT_SIZE];
    struct machine_adapter adapter = {.endpoint = message->id,
                                      .machine_id = message->machine,
                                      .runtime_id = runtime_id};
    struct mac_address asked;
    HRESULT hr;

    *tap = -1;
    if (!hold)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    hold->endpoint = message->id;
    guid_format(&message->runtime_id, runtime_id);
    adapter.mac = message->mac ? &asked : NULL;
    hr = read_mac(message, &asked, error);
    if (SUCCEEDED(hr))
        hr = request_uplink(daemon, message->allow_host_change, error);
    if (SUCCEEDED(hr))
        hr = make_port(daemon, &adapter, offered, mac, tap, error);
    if (SUCCEEDED(hr))
        hr = keep(client, hold, error);
    if (SUCCEEDED(hr))
        return hr;
    if (*tap >= 0)
        close(*tap);
    *tap = -1;
    free(hold);
    return hr;
}

/* --- detaching ------------------------------------------------------------ */

HRESULT hold_detach(struct client *client, const struct guid *endpoint,
                    struct hcs_error *error) {
    struct hold *hold = find(&client->holds, endpoint);
    bool there = hold && is_current(client->daemon, hold);

    if (hold)
        hold_end(hold);
    if (!there)
        return error_set(error, HCN_E_ENDPOINT_NOT_ATTACHED, NULL,
                         "the endpoint has no port of this connection");
    detach(client->daemon, endpoint);
    return store_sync(client->daemon, error);
}

void holds_end(struct client *client) {
    struct daemon *daemon = client->daemon;

    while (!link_alone(&client->holds)) {
        struct hold *hold =
            HCS_CONTAINER(client->holds.next, struct hold, of_client);

        if (is_current(daemon, hold))
            detach(daemon, &hold->endpoint);
        hold_end(hold);
    }
    store_sync(daemon, NULL); /* what cannot be is tried again later */
}
