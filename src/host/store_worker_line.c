/* SPDX-License-Identifier: MIT
 * A handle's connection to its system's worker. When the connection ends, the
 * worker is gone: nothing is left waiting for it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/spawn.h"
#include "store_worker_private.h"

#define FIRST_BUILD_WITH_EXIT_TYPE 18362
#define FIRST_BUILD_WITH_ATTRIBUTION 20348

struct pending {
    struct link link;
    uint64_t tag;
    struct store_request request;
};

static void watch(struct store_line *line, int operation, bool writing) {
    struct epoll_event event;

    memset(&event, 0, sizeof event);
    event.events = EPOLLIN | (writing ? EPOLLOUT : 0);
    event.data.ptr = line;
    line->writing = writing;
    epoll_ctl(line->store->epoll, operation, line->fd, &event);
}

HRESULT line_new(struct worker_store *store, const char *id, int fd,
                 struct store_sink *sink, struct store_line **out,
                 struct hcs_error *error) {
    struct store_line *line = calloc(1, sizeof *line);

    if (line)
        line->id = strdup(id);
    if (!line || !line->id) {
        free(line);
        close(fd);
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    }
    line->store = store;
    line->fd = fd;
    line->sink = sink;
    link_init(&line->requests);
    link_init(&line->link);
    link_append(&store->lines, &line->link);
    watch(line, EPOLL_CTL_ADD, false);
    *out = line;
    return S_OK;
}

/* The starter has long ended when the worker speaks; waiting is no waiting. */
static void reap(struct store_line *line) {
    spawn_reap(line->starter);
    line->starter = 0;
}

/* Not left to the closing: a forked child may hold the descriptor, too. */
static void disconnect(struct store_line *line) {
    if (line->fd < 0)
        return;
    epoll_ctl(line->store->epoll, EPOLL_CTL_DEL, line->fd, NULL);
    close(line->fd);
    line->fd = -1;
}

static void line_release(struct store_line *line) {
    link_remove(&line->link);
    while (!link_alone(&line->requests)) {
        struct pending *pending =
            HCS_CONTAINER(line->requests.next, struct pending, link);

        link_remove(&pending->link);
        free(pending);
    }
    buf_free(&line->in);
    buf_free(&line->out);
    free(line->id);
    free(line);
}

static void line_free(struct store_line *line) {
    disconnect(line);
    line_release(line);
}

void line_end(struct store_line *line) {
    reap(line);
    line_free(line);
}

void line_abandon(struct store_line *line) {
    /* The epoll set and the child process are the parent's. */
    if (line->fd >= 0)
        close(line->fd);
    line_release(line);
}

/* --- the end of the worker ------------------------------------------------ */

static char *exit_document(int build) {
    struct buf text = {0};
    struct json_writer w = {&text, false};

    json_begin_object(&w);
    json_pair_int(&w, "Status", (int32_t)UINT32_C(0xC0370106));
    if (build >= FIRST_BUILD_WITH_EXIT_TYPE)
        json_pair_string(&w, "ExitType", "UnexpectedExit");
    if (build >= FIRST_BUILD_WITH_ATTRIBUTION) {
        static const char records[] =
            "[{\"SystemExit\":{\"Detail\":\"UnexpectedExit\","
            "\"Initiator\":\"Internal\"}},{\"WorkerExit\":{\"ExitCode\":255,"
            "\"Detail\":\"ProcessUnexpectedExit\"}}]";

        json_key(&w, "Attribution");
        json_put_raw(&w, records, sizeof records - 1);
    }
    json_end_object(&w);
    return buf_take(&text);
}

static void tell_exit(struct store_line *line) {
    char *document;

    if (line->exited || !line->sink)
        return;
    line->exited = true;
    document = exit_document(line->store->config.build);
    line->sink->event(line->sink, HcsEventSystemExited, document);
    free(document);
}

static void answer_failure(struct store_request request, HRESULT result,
                           const char *text) {
    struct hcs_error error;
    struct vm_reply reply = {result, &error, NULL};

    error_set(&error, result, NULL, "%s", text);
    request.reply(request.context, &reply);
}

/* A reply may close other handles, or this one; its memory stays until the
 * last request is answered. */
static void fail_requests(struct store_line *line) {
    while (!link_alone(&line->requests)) {
        struct pending *pending =
            HCS_CONTAINER(line->requests.next, struct pending, link);
        struct store_request request = pending->request;

        link_remove(&pending->link);
        free(pending);
        answer_failure(request, HCS_E_UNEXPECTED_EXIT,
                       "the system's worker process ended unexpectedly");
    }
}

static void line_broken(struct store_line *line) {
    disconnect(line);
    buf_clear(&line->out);
    reap(line);
    line->busy = true;
    fail_requests(line);
    tell_exit(line);
    line->busy = false;
    if (line->closed)
        line_free(line);
}

/* --- output --------------------------------------------------------------- */

/* A connection that breaks here shows it when it is read. */
static void line_flush(struct store_line *line) {
    while (line->fd >= 0 && line->out.length > 0) {
        ssize_t sent = send(line->fd, line->out.data, line->out.length,
                            MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN)
            buf_clear(&line->out);
        if (sent < 0)
            break;
        buf_consume(&line->out, (size_t)sent);
    }
    if (line->fd >= 0 && line->writing != (line->out.length > 0))
        watch(line, EPOLL_CTL_MOD, line->out.length > 0);
}

void line_request(struct store_line *line, struct message *message,
                  struct store_request request) {
    struct pending *pending;
    struct hcs_error error;
    struct vm_reply reply = {E_OUTOFMEMORY, &error, NULL};

    if (line->fd < 0) {
        answer_failure(request, HCS_E_SYSTEM_ALREADY_STOPPED,
                       "the system has exited");
        return;
    }
    pending = calloc(1, sizeof *pending);
    if (!pending) {
        answer_failure(request, E_OUTOFMEMORY, "out of memory");
        return;
    }
    pending->tag = ++line->tags;
    pending->request = request;
    message->tag = pending->tag;
    reply.result = message_write(&line->out, message, &error);
    if (FAILED(reply.result)) {
        free(pending);
        request.reply(request.context, &reply);
        return;
    }
    link_init(&pending->link);
    link_append(&line->requests, &pending->link);
    line_flush(line);
}

void line_submit(struct store_line *line, HCS_OPERATION_TYPE verb,
                 const char *options, struct store_request request) {
    struct message message;

    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_SUBMIT;
    message.verb = verb;
    message.document = options;
    line_request(line, &message, request);
}

static void remember(struct store_line *line) {
    struct worker_store *store = line->store;
    struct recent *recent = &store->recent[store->recent_next++ % RECENT_COUNT];

    vm_runtime_id_of(line->id, recent->runtime_id);
    recent->until = clock_monotonic() + RECENT_TIME;
}

/* With nothing under way the end of the connection says it all. */
void line_close(struct store_line *line) {
    struct message message;

    line->sink = NULL;
    line->closed = true;
    if (!line->exited && line->fd >= 0)
        remember(line);
    if (line->busy)
        return; /* who uses it looks at `closed` */
    if (line->fd < 0 || (link_alone(&line->requests) && !line->out.length)) {
        reap(line);
        line_free(line);
        return;
    }
    memset(&message, 0, sizeof message);
    message.kind = MESSAGE_CLOSE;
    message_write(&line->out, &message, NULL);
    line->out.failed = false; /* the connection's end will do as well */
    line_flush(line);
}

/* --- input ---------------------------------------------------------------- */

static struct pending *find_pending(struct store_line *line, uint64_t tag) {
    for (struct link *l = line->requests.next; l != &line->requests;
         l = l->next) {
        struct pending *pending = HCS_CONTAINER(l, struct pending, link);

        if (pending->tag == tag)
            return pending;
    }
    return NULL;
}

static bool on_reply(struct store_line *line, const struct message *message) {
    struct pending *pending = find_pending(line, message->tag);
    struct hcs_error error;
    struct vm_reply reply = {message->result, NULL, message->document};
    struct store_request request;

    if (!pending)
        return false;
    if (FAILED(message->result)) {
        error_set(&error, message->result, message->path, "%s",
                  message->text ? message->text : "");
        reply.error = &error;
    }
    request = pending->request;
    link_remove(&pending->link);
    free(pending);
    request.reply(request.context, &reply);
    return true;
}

/* False for what is no event of a system: clients know the others as news of
 * their own operations and of the service. */
static bool on_event(struct store_line *line, const struct message *message) {
    if (message->type <= HcsEventInvalid ||
        message->type > HcsEventSystemGuestConnectionClosed)
        return false;
    if (message->type == HcsEventSystemExited)
        line->exited = true;
    if (line->sink)
        line->sink->event(line->sink, (HCS_EVENT_TYPE)message->type,
                          message->document);
    return true;
}

/* False for what a worker does not send. */
static bool on_message(struct store_line *line, const struct message *message) {
    switch (message->kind) {
    case MESSAGE_HELLO:
        reap(line);
        return message->type == PROTOCOL_VERSION;
    case MESSAGE_REPLY:
        return on_reply(line, message);
    case MESSAGE_EVENT:
        return on_event(line, message);
    case MESSAGE_CREATE:
    case MESSAGE_SUBMIT:
    case MESSAGE_CLOSE:
        break;
    }
    return false;
}

/* False when the other side is no worker. */
static bool take_messages(struct store_line *line) {
    for (;;) {
        struct message message;
        struct json_doc doc;
        HRESULT hr = message_read(&line->in, &message, &doc, NULL);
        bool good;

        if (hr == S_FALSE)
            return true;
        if (FAILED(hr))
            return false;
        good = on_message(line, &message);
        json_doc_free(&doc);
        if (!good)
            return false;
    }
}

/* False at the connection's end. */
static bool line_read(struct store_line *line) {
    char bytes[65536];
    ssize_t got = recv(line->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (got <= 0)
        return false;
    buf_add(&line->in, bytes, (size_t)got);
    return !line->in.failed && take_messages(line);
}

void line_handle(struct store_line *line, uint32_t events) {
    bool whole = true;

    line->busy = true; /* a callback may close the handle: not free it */
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        whole = line_read(line);
    if (whole && (events & EPOLLOUT))
        line_flush(line);
    line->busy = false;
    if (!whole)
        line_broken(line);
    else if (line->closed && link_alone(&line->requests) && !line->out.length)
        line_free(line);
}
