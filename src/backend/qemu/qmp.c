/* SPDX-License-Identifier: MIT */
#include "qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/list.h"

struct command {
    struct link link;
    int64_t id;
    qmp_reply reply;
    void *context;
};

/* Bytes on their way out; a descriptor travels with the first of them. */
struct message {
    struct link link;
    struct buf text;
    size_t sent;
    int fd;
};

struct qmp {
    uv_poll_t poll;
    int fd;
    struct qmp_handler handler;
    struct link commands;
    struct link messages;
    struct buf input;
    size_t scanned; /* of input: no line end before this */
    int64_t ids;
    bool ready;
    bool closing; /* no more calls to the handler */
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void message_free(struct message *message) {
    link_remove(&message->link);
    if (message->fd >= 0)
        close(message->fd);
    buf_free(&message->text);
    free(message);
}

static void on_closed(uv_handle_t *handle) {
    struct qmp *qmp = handle->data;

    while (!link_alone(&qmp->messages))
        message_free(HCS_CONTAINER(qmp->messages.next, struct message, link));
    while (!link_alone(&qmp->commands)) {
        struct command *command =
            HCS_CONTAINER(qmp->commands.next, struct command, link);

        link_remove(&command->link);
        free(command);
    }
    buf_free(&qmp->input);
    close(qmp->fd);
    free(qmp);
}

static void qmp_stop(struct qmp *qmp) {
    if (!uv_is_closing((uv_handle_t *)&qmp->poll))
        uv_close((uv_handle_t *)&qmp->poll, on_closed);
}

void qmp_close(struct qmp *qmp) {
    if (!qmp)
        return;
    qmp->closing = true;
    qmp_stop(qmp);
}

/* Answers everything that waits, then says that the connection is over. */
static void qmp_fail(struct qmp *qmp, const struct hcs_error *error) {
    if (qmp->closing)
        return;
    uv_poll_stop(&qmp->poll);
    while (!qmp->closing && !link_alone(&qmp->commands)) {
        struct command *command =
            HCS_CONTAINER(qmp->commands.next, struct command, link);

        link_remove(&command->link);
        if (command->reply)
            command->reply(command->context, NULL, error);
        free(command);
    }
    if (!qmp->closing) {
        qmp->closing = true;
        qmp->handler.closed(qmp->handler.context, error);
    }
}

HRESULT qmp_open(uv_loop_t *loop, int fd, const struct qmp_handler *handler,
                 struct qmp **out, struct hcs_error *error) {
    struct qmp *qmp = calloc(1, sizeof *qmp);
    int result;

    if (!qmp) {
        close(fd);
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
    }
    qmp->fd = fd;
    qmp->handler = *handler;
    link_init(&qmp->commands);
    link_init(&qmp->messages);
    result = uv_poll_init(loop, &qmp->poll, fd);
    if (result != 0) {
        close(fd);
        free(qmp);
        return error_errno(error, -result, "QMP");
    }
    qmp->poll.data = qmp;
    uv_poll_start(&qmp->poll, UV_READABLE, on_poll);
    *out = qmp;
    return S_OK;
}

/* One sendmsg; false when the socket takes no more now. */
static bool message_send(struct qmp *qmp, struct message *message) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {message->text.data + message->sent,
                        message->text.length - message->sent};
    struct msghdr header;
    ssize_t sent;

    memset(&header, 0, sizeof header);
    header.msg_iov = &iov;
    header.msg_iovlen = 1;
    if (message->fd >= 0) {
        memset(&control, 0, sizeof control);
        header.msg_control = &control;
        header.msg_controllen = sizeof control;
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &message->fd, sizeof(int));
    }
    sent = sendmsg(qmp->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return errno == EINTR;
    if (message->fd >= 0) {
        close(message->fd);
        message->fd = -1;
    }
    message->sent += (size_t)sent;
    return true;
}

/* Sends what it can. A broken socket shows itself when it is read. */
static void qmp_flush(struct qmp *qmp) {
    while (!link_alone(&qmp->messages)) {
        struct message *message =
            HCS_CONTAINER(qmp->messages.next, struct message, link);

        if (!message_send(qmp, message))
            break;
        if (message->sent == message->text.length)
            message_free(message);
    }
    uv_poll_start(&qmp->poll,
                  link_alone(&qmp->messages) ? UV_READABLE
                                             : UV_READABLE | UV_WRITABLE,
                  on_poll);
}

static bool message_write(struct message *message, const char *command,
                          const char *arguments, int64_t id) {
    struct json_writer w = {&message->text, false};

    json_begin_object(&w);
    json_pair_string(&w, "execute", command);
    if (arguments) {
        json_key(&w, "arguments");
        json_put_raw(&w, arguments, strlen(arguments));
    }
    json_pair_int(&w, "id", id);
    json_end_object(&w);
    buf_puts(&message->text, "\n");
    return !message->text.failed;
}

static HRESULT enqueue(struct qmp *qmp, const char *command,
                       const char *arguments, int fd, qmp_reply reply,
                       void *context, struct hcs_error *error) {
    struct message *message = calloc(1, sizeof *message);
    struct command *waiting = calloc(1, sizeof *waiting);

    if (message) {
        link_init(&message->link);
        message->fd = -1;
    }
    if (!message || !waiting)
        goto fail;
    message->fd = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
    if (fd >= 0 && message->fd < 0)
        goto fail;
    if (!message_write(message, command, arguments, ++qmp->ids))
        goto fail;
    waiting->id = qmp->ids;
    waiting->reply = reply;
    waiting->context = context;
    link_append(&qmp->messages, &message->link);
    link_append(&qmp->commands, &waiting->link);
    return S_OK;

fail:
    if (message)
        message_free(message);
    free(waiting);
    return error_set(error, E_OUTOFMEMORY, NULL, "out of memory for %s",
                     command);
}

void qmp_send(struct qmp *qmp, const char *command, const char *arguments,
              int fd, qmp_reply reply, void *context) {
    struct hcs_error error;
    HRESULT hr;

    if (qmp->closing)
        hr = error_set(&error, HCS_E_UNEXPECTED_EXIT, NULL, "QEMU is gone");
    else
        hr = enqueue(qmp, command, arguments, fd, reply, context, &error);
    if (FAILED(hr)) {
        if (reply)
            reply(context, NULL, &error);
        return;
    }
    qmp_flush(qmp);
}

static void on_negotiated(void *context, const struct json *value,
                          const struct hcs_error *error) {
    struct qmp *qmp = context;

    (void)value;
    if (error) {
        qmp_fail(qmp, error);
        return;
    }
    qmp->ready = true;
    qmp->handler.ready(qmp->handler.context);
}

static struct command *find_command(struct qmp *qmp, const struct json *id) {
    int64_t number;

    if (!json_to_int64(id, &number))
        return NULL;
    for (struct link *l = qmp->commands.next; l != &qmp->commands;
         l = l->next) {
        struct command *command = HCS_CONTAINER(l, struct command, link);

        if (command->id == number)
            return command;
    }
    return NULL;
}

/* QEMU has few classes; the one other cause worth telling apart is a disk that
 * another process writes to. */
static HRESULT code_of(const struct json *failure, const char *text) {
    const char *class = json_text(json_get(failure, "class"), "");

    if (strcmp(class, "DeviceNotFound") == 0)
        return HR_NOT_FOUND;
    return strstr(text, "\"write\" lock") ? HR_SHARING_VIOLATION : E_FAIL;
}

static HRESULT on_reply(struct qmp *qmp, const struct json *message,
                        const struct json *failure, struct hcs_error *error) {
    struct command *command = find_command(qmp, json_get(message, "id"));
    struct hcs_error said;

    if (!command)
        return error_set(error, HCS_E_PROTOCOL_ERROR, NULL,
                         "QEMU answered what was not asked");
    link_remove(&command->link);
    if (failure) {
        const char *text = json_text(json_get(failure, "desc"), "failed");

        error_set(&said, code_of(failure, text), NULL, "%s", text);
    }
    if (command->reply)
        command->reply(command->context,
                       failure ? NULL : json_get(message, "return"),
                       failure ? &said : NULL);
    free(command);
    return S_OK;
}

static HRESULT on_message(struct qmp *qmp, const struct json *message,
                          struct hcs_error *error) {
    const struct json *failure = json_get(message, "error");
    const char *event = json_text(json_get(message, "event"), NULL);

    if (event) {
        if (qmp->ready)
            qmp->handler.event(qmp->handler.context, event,
                               json_get(message, "data"));
        return S_OK;
    }
    if (failure || json_get(message, "return"))
        return on_reply(qmp, message, failure, error);
    if (json_get(message, "QMP") && !qmp->ready && qmp->ids == 0) {
        qmp_send(qmp, "qmp_capabilities", NULL, -1, on_negotiated, qmp);
        return S_OK;
    }
    return error_set(error, HCS_E_PROTOCOL_ERROR, NULL,
                     "QEMU sent something that is no QMP message");
}

static HRESULT on_line(struct qmp *qmp, const char *line, size_t length,
                       struct hcs_error *error) {
    struct json_doc doc;
    HRESULT hr;

    while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == ' '))
        length--;
    if (length == 0)
        return S_OK;
    hr = json_parse(line, length, &doc, error);
    if (FAILED(hr))
        return error_wrap(error, hr, "QMP");
    hr = on_message(qmp, doc.root, error);
    json_doc_free(&doc);
    return hr;
}

HRESULT qmp_receive(struct qmp *qmp, const char *bytes, size_t length,
                    struct hcs_error *error) {
    HRESULT hr = S_OK;

    buf_add(&qmp->input, bytes, length);
    if (qmp->input.failed)
        return error_set(error, E_OUTOFMEMORY, NULL, "out of memory for QMP");
    while (!qmp->closing && qmp->scanned < qmp->input.length) {
        char *start = qmp->input.data;
        char *end = memchr(start + qmp->scanned, '\n',
                           qmp->input.length - qmp->scanned);

        if (!end) {
            qmp->scanned = qmp->input.length;
            break;
        }
        hr = on_line(qmp, start, (size_t)(end - start), error);
        if (FAILED(hr))
            return hr;
        buf_consume(&qmp->input, (size_t)(end - start) + 1);
        qmp->scanned = 0;
    }
    if (qmp->input.length > QMP_LINE_LIMIT)
        return error_set(error, HCS_E_PROTOCOL_ERROR, NULL,
                         "QEMU sent a line of more than %zu MiB",
                         QMP_LINE_LIMIT >> 20);
    return hr;
}

/* One read; false at the end or when there is nothing (more) to read. */
static bool qmp_read(struct qmp *qmp) {
    char bytes[16384];
    struct hcs_error error;
    ssize_t got = recv(qmp->fd, bytes, sizeof bytes, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return errno == EINTR;
    if (got <= 0) {
        error_set(&error, HCS_E_UNEXPECTED_EXIT, NULL, "QEMU is gone");
        qmp_fail(qmp, &error);
        return false;
    }
    if (FAILED(qmp_receive(qmp, bytes, (size_t)got, &error))) {
        qmp_fail(qmp, &error);
        return false;
    }
    return true;
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    struct qmp *qmp = poll->data;

    if (status < 0 || (events & UV_READABLE))
        qmp_read(qmp);
    if (!qmp->closing && (events & UV_WRITABLE))
        qmp_flush(qmp);
}

void qmp_drain(struct qmp *qmp) {
    while (!qmp->closing && qmp_read(qmp))
        continue;
}
