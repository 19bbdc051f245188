/* SPDX-License-Identifier: MIT
 * What clients ask of the networks, and what they are told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/hresult_hcn.h"
#include "daemon.h"
#include "ground.h"

HRESULT request_carry(void *context, const struct net_request *request,
                      struct net_reply *reply) {
    struct daemon *daemon = context;

    return net_request(daemon->net, request, reply);
}

HRESULT request_uplink(struct daemon *daemon, bool allowed,
                       struct hcs_error *error) {
    HRESULT hr;

    if (!allowed)
        return S_OK;
    hr = ground_uplink(daemon->plane, error);
    if (hr == S_OK)
        store_uplink(daemon);
    return FAILED(hr) ? hr : S_OK;
}

/* --- answers -------------------------------------------------------------- */

static void answer(struct client *client, struct hostd_message *reply, int fd,
                   HRESULT result, const struct hcs_error *error) {
    reply->kind = HOSTD_REPLY;
    reply->result = result;
    if (FAILED(result)) {
        reply->path = error->path[0] ? error->path : NULL;
        reply->text = error->text;
    }
    client_send(client, reply, fd);
}

static void answer_document(struct client *client, uint64_t tag, HRESULT result,
                            const char *document,
                            const struct hcs_error *error) {
    struct hostd_message reply = {.tag = tag, .document = document};

    answer(client, &reply, -1, result, error);
}

static HRESULT out_of_memory(struct hcs_error *error) {
    return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
}

/* --- requests ------------------------------------------------------------- */

/* What could need the machine's network; nothing is taken away for want of
 * it. */
static bool may_need_uplink(const struct net_request *request) {
    return request->verb == NET_CREATE || request->verb == NET_MODIFY ||
           request->verb == NET_ATTACH;
}

static bool may_change(const struct net_request *request) {
    return request->verb == NET_CREATE || request->verb == NET_MODIFY ||
           request->verb == NET_DELETE || request->verb == NET_ATTACH ||
           request->verb == NET_DETACH;
}

static void refuse(struct net_reply *reply, HRESULT hr,
                   const struct hcs_error *error) {
    net_reply_free(reply);
    reply->result = hr;
    reply->record = net_error_record(hr, error);
}

/* What was made and cannot be written down is taken away again. Another change
 * is in force, but would not outlast the daemon, which the caller is told. */
static void write_down(struct daemon *daemon, const struct net_request *request,
                       struct net_reply *reply) {
    struct net_request undo = {.verb = NET_DELETE, .kind = request->kind};
    struct net_reply undone;
    struct hcs_error error;
    HRESULT hr = store_sync(daemon, &error);

    if (SUCCEEDED(hr) || FAILED(reply->result))
        return;
    if (request->verb == NET_CREATE) {
        undo.id = reply->id;
        net_request(daemon->net, &undo, &undone);
        net_reply_free(&undone);
    }
    refuse(reply, hr, &error);
}

static void carry_out(struct daemon *daemon,
                      const struct hostd_message *message,
                      const struct net_request *request,
                      struct net_reply *reply) {
    bool uplink = message->allow_host_change && may_need_uplink(request);
    struct hcs_error error;
    HRESULT hr = request_uplink(daemon, uplink, &error);

    *reply = (struct net_reply){.result = S_OK};
    if (FAILED(hr)) {
        refuse(reply, hr, &error);
        return;
    }
    net_request(daemon->net, request, reply);
    if (may_change(request))
        write_down(daemon, request, reply);
}

static void send_net_reply(struct client *client, uint64_t tag,
                           const struct net_reply *reply) {
    struct hostd_message message = {.kind = HOSTD_REPLY, .tag = tag};
    struct buf body = {0};
    struct json_writer w = {.out = &body};
    struct hcs_error error;

    net_reply_write(&w, reply);
    message.body = body.data;
    if (body.failed) {
        out_of_memory(&error);
        answer_document(client, tag, E_OUTOFMEMORY, NULL, &error);
    } else {
        client_send(client, &message, -1);
    }
    buf_free(&body);
}

static bool on_request(struct client *client,
                       const struct hostd_message *message) {
    struct net_request request;
    struct net_reply reply;

    if (FAILED(net_request_read(message->read, &request, NULL)))
        return false;
    net_set_build(client->daemon->net, message->build);
    carry_out(client->daemon, message, &request, &reply);
    send_net_reply(client, message->tag, &reply);
    net_reply_free(&reply);
    return true;
}

static bool on_plan(struct client *client,
                    const struct hostd_message *message) {
    struct net_request request;
    struct hcs_error error;
    char *document = NULL;
    HRESULT hr;

    if (FAILED(net_request_read(message->read, &request, NULL)))
        return false;
    net_set_build(client->daemon->net, message->build);
    hr = plan_make(client->daemon, &request, message->allow_host_change,
                   &document, &error);
    answer_document(client, message->tag, hr, document, &error);
    free(document);
    return true;
}

/* --- ports ---------------------------------------------------------------- */

/* The endpoint's properties; NULL without memory. */
static char *properties(struct daemon *daemon, const struct guid *endpoint) {
    const struct net_request query = {
        .verb = NET_QUERY,
        .kind = NET_ENDPOINT,
        .id = *endpoint,
        .text = "{\"SchemaVersion\":{\"Major\":2,\"Minor\":0}}",
    };
    struct net_reply reply;
    char *document;

    net_request(daemon->net, &query, &reply);
    document = reply.document;
    reply.document = NULL;
    net_reply_free(&reply);
    return document;
}

static bool on_attach(struct client *client,
                      const struct hostd_message *message, int fd) {
    struct hostd_message reply = {.tag = message->tag};
    char text[MAC_TEXT_SIZE], *document = NULL;
    struct mac_address mac;
    struct hcs_error error;
    int tap = -1;
    HRESULT hr;

    if (!message->machine || guid_is_zero(&message->runtime_id))
        return false;
    net_set_build(client->daemon->net, message->build);
    hr = hold_attach(client, message, fd, &mac, &tap, &error);
    if (SUCCEEDED(hr)) {
        mac_format(&mac, text);
        document = properties(client->daemon, &message->id);
        reply.mac = text;
        reply.document = document;
    }
    answer(client, &reply, tap, hr, &error);
    free(document);
    return true;
}

static bool on_detach(struct client *client,
                      const struct hostd_message *message) {
    struct hcs_error error;
    HRESULT hr = hold_detach(client, &message->id, &error);

    answer_document(client, message->tag, hr, NULL, &error);
    return true;
}

/* --- the rest ------------------------------------------------------------- */

static bool on_connect(struct client *client,
                       const struct hostd_message *message) {
    struct hostd_message reply = {.tag = message->tag};
    struct ip_address address = {.family = IP_NONE};
    const char *text = message->address ? message->address : "";
    struct hcs_error error;
    int fd = -1;
    HRESULT hr;

    if (*text && !ip_parse(text, &address))
        hr = error_set(&error, E_INVALIDARG, NULL,
                       "\"%s\" is not an IP address", text);
    else if (message->port == 0)
        hr = error_set(&error, E_INVALIDARG, NULL,
                       "the port is 0; expected 1 to 65535");
    else
        hr = ground_connect(client->daemon->plane, &address, message->port, &fd,
                            &error);
    answer(client, &reply, fd, hr, &error);
    return true;
}

/* As many as there are beside the host's own namespace and the rules that a
 * plane has without networks: what the daemon itself is. */
static void write_counts(const struct daemon *daemon,
                         const struct ground_counts *counts,
                         struct json_writer *w) {
    json_begin_object(w);
    json_pair_uint(w, "Networks", net_count(daemon->net, NET_NETWORK));
    json_pair_uint(w, "Endpoints", net_count(daemon->net, NET_ENDPOINT));
    json_pair_uint(w, "Namespaces", net_count(daemon->net, NET_NAMESPACE) - 1);
    json_pair_uint(w, "Interfaces", counts->interfaces);
    json_pair_uint(w, "Rules",
                   counts->rules - (counts->rules < daemon->own_rules
                                        ? counts->rules
                                        : daemon->own_rules));
    json_pair_uint(w, "Processes", counts->processes);
    json_end_object(w);
}

static bool on_inventory(struct client *client,
                         const struct hostd_message *message) {
    struct ground_counts counts;
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    struct hcs_error error;
    HRESULT hr = ground_count(client->daemon->plane, &counts, &error);

    if (SUCCEEDED(hr))
        write_counts(client->daemon, &counts, &w);
    if (text.failed)
        hr = out_of_memory(&error);
    answer_document(client, message->tag, hr, SUCCEEDED(hr) ? text.data : NULL,
                    &error);
    buf_free(&text);
    return true;
}

static bool on_listen(struct client *client,
                      const struct hostd_message *message) {
    client->listens = true;
    answer_document(client, message->tag, S_OK, NULL, NULL);
    return true;
}

bool request_handle(struct client *client, const struct hostd_message *message,
                    int fd) {
    if (fd >= 0 && message->kind != HOSTD_ATTACH)
        return false;
    switch (message->kind) {
    case HOSTD_REQUEST:
        return on_request(client, message);
    case HOSTD_LISTEN:
        return on_listen(client, message);
    case HOSTD_ATTACH:
        return on_attach(client, message, fd);
    case HOSTD_DETACH:
        return on_detach(client, message);
    case HOSTD_CONNECT:
        return on_connect(client, message);
    case HOSTD_PLAN:
        return on_plan(client, message);
    case HOSTD_INVENTORY:
        return on_inventory(client, message);
    case HOSTD_HELLO:
    case HOSTD_REPLY:
    case HOSTD_EVENT:
        break;
    }
    return false;
}
