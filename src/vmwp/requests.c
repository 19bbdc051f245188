/* SPDX-License-Identifier: MIT
 * What clients ask of the system, and what they are told. */
#include <stdlib.h>
#include <string.h>

#include "client.h"

/* One request that the vm works on. */
struct request {
    struct link link;
    struct client *client;
    uint64_t tag;
};

void requests_forget(struct client *client) {
    while (!link_alone(&client->requests)) {
        struct request *request =
            HCS_CONTAINER(client->requests.next, struct request, link);

        if (client->worker->vm)
            vm_forget(client->worker->vm, request);
        link_remove(&request->link);
        free(request);
    }
}

static void send_reply(struct client *client, uint64_t tag,
                       const struct vm_reply *reply) {
    struct message message;

    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_REPLY;
    message.tag = tag;
    message.result = reply->result;
    message.document = reply->document;
    if (reply->error) {
        message.path = reply->error->path;
        message.text = reply->error->text;
    }
    client_send(client, &message);
}

static void on_event(struct vm_watcher *watcher, HCS_EVENT_TYPE type,
                     const char *document) {
    struct client *client = HCS_CONTAINER(watcher, struct client, watcher);
    struct message message;

    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_EVENT;
    message.type = type;
    message.document = document;
    client_send(client, &message);
}

static void on_reply(void *context, const struct vm_reply *reply) {
    struct request *request = context;
    struct client *client = request->client;
    uint64_t tag = request->tag;

    link_remove(&request->link);
    free(request);
    send_reply(client, tag, reply);
}

void client_watch(struct client *client) {
    if (!client->worker->vm || client->watching || client->handle_closed ||
        client->gone)
        return;
    client->watcher.event = on_event;
    client->watching = true;
    vm_watch(client->worker->vm, &client->watcher);
}

static void fail_now(struct client *client, uint64_t tag, HRESULT result,
                     const char *text) {
    struct hcs_error error;
    struct vm_reply reply = {result, &error, NULL};

    error_set(&error, result, NULL, "%s", text);
    send_reply(client, tag, &reply);
}

static struct request *request_new(struct client *client, uint64_t tag) {
    struct request *request = calloc(1, sizeof *request);

    if (!request) {
        fail_now(client, tag, E_OUTOFMEMORY, "out of memory");
        return NULL;
    }
    request->client = client;
    request->tag = tag;
    link_append(&client->requests, &request->link);
    return request;
}

void request_create(struct client *client, const struct message *message) {
    struct worker *worker = client->worker;
    struct request *request;

    if (worker->vm || worker->over) {
        client_drop(client);
        return;
    }
    request = request_new(client, message->tag);
    if (request)
        system_create(worker, message, on_reply, request);
    client_watch(client);
}

void request_submit(struct client *client, const struct message *message) {
    struct worker *worker = client->worker;
    struct request *request;

    if (!worker->vm) {
        fail_now(client, message->tag, HCS_E_SYSTEM_ALREADY_STOPPED,
                 "the system could not be created");
        return;
    }
    request = request_new(client, message->tag);
    if (request)
        vm_submit(worker->vm, (HCS_OPERATION_TYPE)message->verb,
                  message->document, on_reply, request);
}
