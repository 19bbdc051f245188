/* SPDX-License-Identifier: MIT
 * Adapters of virtual machines: the ports of endpoints. */
#include <string.h>

#include "core.h"

/* What a reply says against the member of the adapter's document. */
static HRESULT blame(const struct net_reply *reply, const char *member,
                     struct hcs_error *error) {
    struct json_doc record = {0};
    const char *text = "";

    if (reply->record &&
        SUCCEEDED(
            json_parse(reply->record, strlen(reply->record), &record, NULL)))
        text = json_text(json_get(record.root, "Error"), "");
    error_set(error, reply->result, member, "%s", text);
    json_doc_free(&record);
    return reply->result;
}

static HRESULT check_mac(const char *properties,
                         const struct machine_adapter *adapter,
                         struct mac_address *mac, struct hcs_error *error) {
    struct json_doc document = {0};
    char asked[MAC_TEXT_SIZE];
    const char *has;
    HRESULT hr = json_parse(properties, strlen(properties), &document, error);

    if (FAILED(hr))
        return hr;
    has = json_text(json_get(document.root, "MacAddress"), "");
    if (!mac_parse(has, mac)) {
        hr = error_set(error, HR_INVALID_DATA, "EndpointId",
                       "the endpoint has no MAC address");
    } else if (adapter->mac && memcmp(mac, adapter->mac, sizeof *mac) != 0) {
        mac_format(adapter->mac, asked);
        hr = error_set(error, E_INVALIDARG, "MacAddress",
                       "%s is not the address of the endpoint, which is %s",
                       asked, has);
    }
    json_doc_free(&document);
    return hr;
}

/* Before anything is changed. */
static HRESULT check(net_carrier carry, void *context,
                     const struct machine_adapter *adapter,
                     struct mac_address *mac, struct hcs_error *error) {
    const struct net_request query = {
        .verb = NET_QUERY,
        .kind = NET_ENDPOINT,
        .id = adapter->endpoint,
        .text = "{\"SchemaVersion\":{\"Major\":2,\"Minor\":0}}",
    };
    struct net_reply reply;
    HRESULT hr = carry(context, &query, &reply);

    hr = FAILED(hr) ? blame(&reply, "EndpointId", error)
                    : check_mac(reply.document, adapter, mac, error);
    net_reply_free(&reply);
    return hr;
}

static void write_port(const struct machine_adapter *adapter, struct buf *out) {
    struct json_writer w = {.out = out};
    char endpoint[GUID_TEXT_SIZE];
    struct buf name = {0};

    guid_format(&adapter->endpoint, endpoint);
    buf_printf(&name, "%s--%s", adapter->machine_id, endpoint);
    json_begin_object(&w);
    json_pair_string(&w, "VirtualMachineId", adapter->runtime_id);
    json_pair_string(&w, "VirtualNicName", name.failed ? "" : name.data);
    json_end_object(&w);
    out->failed = out->failed || name.failed;
    buf_free(&name);
}

HRESULT net_adapter_attach(net_carrier carry, void *context,
                           const struct machine_adapter *adapter,
                           struct mac_address *mac, struct hcs_error *error) {
    struct net_request request = {
        .verb = NET_ATTACH, .kind = NET_ENDPOINT, .id = adapter->endpoint};
    struct net_reply reply = {0};
    struct mac_address has;
    struct buf port = {0};
    HRESULT hr = check(carry, context, adapter, &has, error);

    if (FAILED(hr))
        return hr;
    write_port(adapter, &port);
    request.text = port.data;
    if (port.failed)
        hr = error_set(error, E_OUTOFMEMORY, NULL, "no memory for an adapter");
    else if (FAILED(hr = carry(context, &request, &reply)))
        blame(&reply, "EndpointId", error);
    else if (mac)
        *mac = has;
    net_reply_free(&reply);
    buf_free(&port);
    return hr;
}
