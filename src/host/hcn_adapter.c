/* SPDX-License-Identifier: MIT
 * Adapters of virtual machines: the ports of endpoints. */
#include <string.h>

#include "hcn.h"

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
                         const struct mac_address *wanted,
                         struct hcs_error *error) {
    struct json_doc document = {0};
    struct mac_address mac;
    char text[MAC_TEXT_SIZE];
    HRESULT hr = json_parse(properties, strlen(properties), &document, error);

    if (SUCCEEDED(hr) &&
        (!mac_parse(json_text(json_get(document.root, "MacAddress"), ""),
                    &mac) ||
         memcmp(&mac, wanted, sizeof mac) != 0)) {
        mac_format(wanted, text);
        hr = error_set(error, E_INVALIDARG, "MacAddress",
                       "%s is not the address of the endpoint, which is %s",
                       text,
                       json_text(json_get(document.root, "MacAddress"), "?"));
    }
    json_doc_free(&document);
    return hr;
}

/* Before anything is changed. */
static HRESULT check(struct host *host, const struct sim_adapter *adapter,
                     struct hcs_error *error) {
    const struct net_request query = {
        .verb = NET_QUERY,
        .kind = NET_ENDPOINT,
        .id = adapter->endpoint,
        .text = "{\"SchemaVersion\":{\"Major\":2,\"Minor\":0}}",
    };
    struct net_reply reply;
    HRESULT hr = hcn_request(host, &query, &reply);

    if (FAILED(hr))
        hr = blame(&reply, "EndpointId", error);
    else if (adapter->mac)
        hr = check_mac(reply.document, adapter->mac, error);
    net_reply_free(&reply);
    return hr;
}

static void write_port(const struct sim_adapter *adapter, struct buf *out) {
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

HRESULT hcn_attach(void *context, const struct sim_adapter *adapter,
                   struct hcs_error *error) {
    struct net_request request = {
        .verb = NET_ATTACH, .kind = NET_ENDPOINT, .id = adapter->endpoint};
    struct host *host = context;
    struct net_reply reply = {0};
    struct buf port = {0};
    HRESULT hr = check(host, adapter, error);

    if (FAILED(hr))
        return hr;
    write_port(adapter, &port);
    request.text = port.data;
    if (port.failed)
        hr = error_set(error, E_OUTOFMEMORY, NULL, "no memory for an adapter");
    else if (FAILED(hcn_request(host, &request, &reply)))
        hr = blame(&reply, "EndpointId", error);
    net_reply_free(&reply);
    buf_free(&port);
    return hr;
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
