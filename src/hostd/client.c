/* SPDX-License-Identifier: MIT */
#include "client_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/hresult_hcn.h"
#include "../base/text.h"

/* Requests wait in line behind those of others, and some start programs. */
#define CALL_DEADLINE (60 * CLOCK_SECOND)

struct hostd *hostd_new(int fd) {
    struct hostd *hostd = calloc(1, sizeof *hostd);

    if (hostd)
        channel_open(&hostd->channel, fd);
    else
        close(fd);
    return hostd;
}

void hostd_close(struct hostd *hostd) {
    if (!hostd)
        return;
    channel_close(&hostd->channel);
    free(hostd);
}

int hostd_fd(const struct hostd *hostd) {
    return hostd->channel.fd;
}

bool hostd_ended(const struct hostd *hostd) {
    return hostd->ended;
}

int64_t hostd_process(const struct hostd *hostd) {
    return hostd->process;
}

/* --- what goes over it ---------------------------------------------------- */

static HRESULT gone(struct hcs_error *error) {
    return error_set(error, HR_RPC_SERVER_UNAVAILABLE, NULL,
                     "the network service (" HOSTD_PROGRAM ") went away");
}

/* This connection is of no use any more; the daemon is told so at once, also
 * where a forked child has the descriptor, too. */
static void give_up(struct hostd *hostd) {
    hostd->ended = true;
    shutdown(hostd->channel.fd, SHUT_RDWR);
}

static HRESULT broken(struct hostd *hostd, struct hcs_error *error) {
    give_up(hostd);
    return gone(error);
}

/* Receives what is there. S_FALSE: nothing. */
static HRESULT receive(struct hostd *hostd, struct hcs_error *error) {
    HRESULT hr;

    if (hostd->ended)
        return gone(error);
    hr = channel_receive(&hostd->channel, NULL);
    return FAILED(hr) ? broken(hostd, error) : hr;
}

bool hostd_alive(struct hostd *hostd) {
    HRESULT hr;

    do
        hr = receive(hostd, NULL);
    while (hr == S_OK);
    return SUCCEEDED(hr);
}

void hostd_answer_free(struct hostd_answer *answer) {
    json_doc_free(&answer->doc);
    if (answer->fd >= 0)
        close(answer->fd);
    answer->fd = -1;
}

/* The next message of what has come; S_FALSE when none is whole. */
static HRESULT next(struct hostd *hostd, struct hostd_answer *out,
                    struct hcs_error *error) {
    HRESULT hr =
        channel_next(&hostd->channel, &out->message, &out->doc, &out->fd, NULL);

    return FAILED(hr) ? broken(hostd, error) : hr;
}

/* Until something can be read or, if something is to be sent, written. */
static HRESULT wait_ready(const struct hostd *hostd, int64_t deadline,
                          bool writing, struct hcs_error *error) {
    struct pollfd watched = {hostd->channel.fd, POLLIN, 0};
    int64_t left = deadline - clock_monotonic();

    if (writing)
        watched.events |= POLLOUT;
    if (left <= 0)
        return error_set(error, HR_TIMEOUT, NULL,
                         "the network service (" HOSTD_PROGRAM
                         ") did not answer in time");
    if (poll(&watched, 1, (int)(left / CLOCK_MS) + 1) < 0 && errno != EINTR)
        return error_errno(error, errno, "waiting for the network service");
    return S_OK;
}

HRESULT hostd_await(struct hostd *hostd, int64_t deadline,
                    struct hostd_answer *out, struct hcs_error *error) {
    HRESULT sent, hr;

    for (;;) {
        if (hostd->ended)
            return gone(error);
        hr = next(hostd, out, error);
        if (hr != S_FALSE)
            return hr;
        sent = channel_flush(&hostd->channel, NULL);
        if (FAILED(sent))
            return broken(hostd, error);
        hr = receive(hostd, error);
        if (hr == S_FALSE)
            hr = wait_ready(hostd, deadline, sent == S_FALSE, error);
        if (FAILED(hr))
            return hr;
    }
}

/* --- calls ---------------------------------------------------------------- */

/* What the reply itself says. */
static HRESULT judge(const struct hostd_message *reply,
                     struct hcs_error *error) {
    if (SUCCEEDED(reply->result))
        return S_OK;
    return error_set(error, reply->result, reply->path, "%s",
                     reply->text ? reply->text : "");
}

/* The answer is to be freed after success. */
static HRESULT answer_to(struct hostd *hostd, struct hostd_answer *out,
                         struct hcs_error *error) {
    HRESULT hr =
        hostd_await(hostd, clock_monotonic() + CALL_DEADLINE, out, error);

    if (FAILED(hr)) {
        /* An answer that comes late would be taken for that to another. */
        give_up(hostd);
        return hr;
    }
    if (out->message.kind != HOSTD_REPLY || out->message.tag != hostd->tag)
        hr = broken(hostd, error);
    else
        hr = judge(&out->message, error);
    if (FAILED(hr))
        hostd_answer_free(out);
    return hr;
}

/* Asks, with a copy of `fd` unless that is -1. */
static HRESULT call(struct hostd *hostd, struct hostd_message *question, int fd,
                    struct hostd_answer *out, struct hcs_error *error) {
    int copy = -1;
    HRESULT hr;

    if (!hostd_alive(hostd))
        return gone(error);
    if (fd >= 0 && (copy = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0)
        return error_errno(error, errno, "a descriptor");
    question->tag = ++hostd->tag;
    hr = channel_send(&hostd->channel, question, copy, error);
    return SUCCEEDED(hr) ? answer_to(hostd, out, error) : hr;
}

static HRESULT call_only(struct hostd *hostd, struct hostd_message *question,
                         struct hcs_error *error) {
    struct hostd_answer answer;
    HRESULT hr = call(hostd, question, -1, &answer, error);

    if (SUCCEEDED(hr))
        hostd_answer_free(&answer);
    return hr;
}

/* One that carries a request's JSON. */
static HRESULT call_with(struct hostd *hostd, enum hostd_kind kind,
                         const struct hostd_terms *terms,
                         const struct net_request *request,
                         struct hostd_answer *out, struct hcs_error *error) {
    struct buf body = {0};
    struct json_writer w = {&body, false};
    struct hostd_message question = {.kind = kind};
    HRESULT hr;

    question.build = terms->build;
    question.allow_host_change = terms->allow_host_change;
    net_request_write(&w, request);
    question.body = body.data;
    if (body.failed)
        hr = error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    else
        hr = call(hostd, &question, -1, out, error);
    buf_free(&body);
    return hr;
}

static HRESULT refuse(struct net_reply *reply, HRESULT hr,
                      const struct hcs_error *error) {
    *reply = (struct net_reply){.result = hr};
    reply->record = net_error_record(hr, error);
    return hr;
}

HRESULT hostd_request(struct hostd *hostd, const struct hostd_terms *terms,
                      const struct net_request *request,
                      struct net_reply *reply) {
    struct hostd_answer answer;
    struct hcs_error error;
    HRESULT hr =
        call_with(hostd, HOSTD_REQUEST, terms, request, &answer, &error);

    if (hr == HCS_E_INVALID_JSON) /* it is too long */
        hr = HCN_E_INVALID_JSON;
    if (FAILED(hr))
        return refuse(reply, hr, &error);
    hr = net_reply_read(answer.message.read, reply, &error);
    hostd_answer_free(&answer);
    if (hr == E_OUTOFMEMORY)
        return refuse(reply, hr, &error);
    if (FAILED(hr))
        return refuse(reply, broken(hostd, &error), &error);
    return reply->result;
}

HRESULT hostd_attach(struct hostd *hostd, const struct hostd_terms *terms,
                     const struct machine_adapter *adapter, int held,
                     struct hostd_port *out, struct hcs_error *error) {
    struct hostd_message question = {.kind = HOSTD_ATTACH};
    struct hostd_answer answer;
    char mac[MAC_TEXT_SIZE];
    HRESULT hr;

    question.build = terms->build;
    question.allow_host_change = terms->allow_host_change;
    question.id = adapter->endpoint;
    question.machine = adapter->machine_id;
    if (!guid_parse(adapter->runtime_id, &question.runtime_id))
        return error_set(error, E_INVALIDARG, NULL, "\"%s\" is not a GUID",
                         adapter->runtime_id);
    if (adapter->mac) {
        mac_format(adapter->mac, mac);
        question.mac = mac;
    }
    hr = call(hostd, &question, held, &answer, error);
    if (FAILED(hr))
        return hr;
    if (!mac_parse(answer.message.mac ? answer.message.mac : "", &out->mac) ||
        (answer.fd < 0 && held < 0)) {
        hr = broken(hostd, error);
    } else {
        out->tap = answer.fd;
        answer.fd = -1;
    }
    hostd_answer_free(&answer);
    return hr;
}

HRESULT hostd_detach(struct hostd *hostd, const struct guid *endpoint,
                     struct hcs_error *error) {
    struct hostd_message question = {.kind = HOSTD_DETACH, .id = *endpoint};

    return call_only(hostd, &question, error);
}

HRESULT hostd_dial(struct hostd *hostd, const char *address, uint16_t port,
                   int *fd, struct hcs_error *error) {
    struct hostd_message question = {
        .kind = HOSTD_CONNECT, .address = address, .port = port};
    struct hostd_answer answer;
    HRESULT hr = call(hostd, &question, -1, &answer, error);

    if (FAILED(hr))
        return hr;
    if (answer.fd < 0)
        hr = broken(hostd, error);
    *fd = answer.fd;
    answer.fd = -1;
    hostd_answer_free(&answer);
    return hr;
}

/* The document of an answer, malloc'd; frees the answer. */
static HRESULT take_document(struct hostd *hostd, struct hostd_answer *answer,
                             char **out, struct hcs_error *error) {
    HRESULT hr = S_OK;

    if (!answer->message.document) {
        hr = broken(hostd, error);
    } else {
        *out = text_copy(answer->message.document);
        if (!*out)
            hr = error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    }
    hostd_answer_free(answer);
    return hr;
}

HRESULT hostd_plan(struct hostd *hostd, const struct hostd_terms *terms,
                   const struct net_request *request, char **document,
                   struct hcs_error *error) {
    struct hostd_answer answer;
    HRESULT hr = call_with(hostd, HOSTD_PLAN, terms, request, &answer, error);

    return SUCCEEDED(hr) ? take_document(hostd, &answer, document, error) : hr;
}

static bool get_count(const struct json *object, const char *name,
                      uint64_t *out) {
    return json_to_uint64(json_get(object, name), out);
}

static bool read_counts(const char *text, struct hostd_inventory *out) {
    struct json_doc doc = {0};
    const struct json *root;
    bool good;

    if (FAILED(json_parse(text, strlen(text), &doc, NULL)))
        return false;
    root = doc.root;
    good = get_count(root, "Networks", &out->networks) &&
           get_count(root, "Endpoints", &out->endpoints) &&
           get_count(root, "Namespaces", &out->namespaces) &&
           get_count(root, "Interfaces", &out->interfaces) &&
           get_count(root, "Rules", &out->rules) &&
           get_count(root, "Processes", &out->processes);
    json_doc_free(&doc);
    return good;
}

HRESULT hostd_inventory(struct hostd *hostd, struct hostd_inventory *out,
                        struct hcs_error *error) {
    struct hostd_message question = {.kind = HOSTD_INVENTORY};
    struct hostd_answer answer;
    char *text = NULL;
    HRESULT hr = call(hostd, &question, -1, &answer, error);

    if (SUCCEEDED(hr))
        hr = take_document(hostd, &answer, &text, error);
    if (SUCCEEDED(hr) && !read_counts(text, out))
        hr = broken(hostd, error);
    free(text);
    return hr;
}

/* --- events --------------------------------------------------------------- */

/* When this returns the daemon knows of us: nothing it does from now on goes
 * unheard. */
HRESULT hostd_listen(struct hostd *hostd, struct hcs_error *error) {
    struct hostd_message question = {.kind = HOSTD_LISTEN};

    return call_only(hostd, &question, error);
}

HRESULT hostd_next(struct hostd *hostd,
                   void (*tell)(void *context, const struct net_event *event),
                   void *context, struct hcs_error *error) {
    struct hostd_answer answer;
    const struct hostd_message *m = &answer.message;
    struct net_event event;
    HRESULT hr = next(hostd, &answer, error);

    if (hr == S_FALSE) {
        hr = receive(hostd, error);
        if (hr == S_OK)
            hr = next(hostd, &answer, error);
    }
    if (hr != S_OK)
        return hr;
    event.type = (enum net_event_type)m->type;
    event.status = m->status;
    event.id = m->id;
    event.document = m->document;
    if (m->kind == HOSTD_EVENT)
        tell(context, &event);
    else
        hr = broken(hostd, error);
    hostd_answer_free(&answer);
    return hr;
}
