/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../base/os.h"

/* --- building ---------------------------------------------------------- */

static void grow(struct message *m, const void *data, size_t size) {
    size_t room = NLMSG_ALIGN(size);

    if (m->full || room > sizeof m->data - m->length) {
        m->full = true;
        return;
    }
    memset(m->data + m->length, 0, room);
    if (size > 0)
        memcpy(m->data + m->length, data, size);
    m->length += room;
}

void message_begin(struct message *m, uint16_t type, uint16_t flags,
                   const void *header, size_t size) {
    struct nlmsghdr head = {.nlmsg_type = type,
                            .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags)};

    m->length = 0;
    m->full = false;
    grow(m, &head, sizeof head);
    grow(m, header, size);
}

void message_raw(struct message *m, const void *data, size_t size) {
    grow(m, data, size);
}

void message_put(struct message *m, uint16_t type, const void *data,
                 size_t size) {
    struct nlattr head = {.nla_len = (uint16_t)(sizeof head + size),
                          .nla_type = type};

    if (size > MESSAGE_SIZE) {
        m->full = true;
        return;
    }
    grow(m, &head, sizeof head);
    grow(m, data, size);
}

void message_text(struct message *m, uint16_t type, const char *text) {
    message_put(m, type, text, strlen(text) + 1);
}

void message_u8(struct message *m, uint16_t type, uint8_t value) {
    message_put(m, type, &value, sizeof value);
}

void message_u16(struct message *m, uint16_t type, uint16_t value) {
    message_put(m, type, &value, sizeof value);
}

void message_u32(struct message *m, uint16_t type, uint32_t value) {
    message_put(m, type, &value, sizeof value);
}

size_t message_open(struct message *m, uint16_t type) {
    size_t at = m->length;

    message_put(m, type, NULL, 0);
    return at;
}

void message_close(struct message *m, size_t opened) {
    struct nlattr head;

    if (m->full)
        return;
    memcpy(&head, m->data + opened, sizeof head);
    head.nla_len = (uint16_t)(m->length - opened);
    memcpy(m->data + opened, &head, sizeof head);
}

const void *attribute_find(const void *data, size_t size, uint16_t type,
                           size_t *length) {
    const unsigned char *at = data;

    while (size >= sizeof(struct nlattr)) {
        struct nlattr head;
        size_t step;

        memcpy(&head, at, sizeof head);
        if (head.nla_len < sizeof head || head.nla_len > size)
            return NULL;
        if ((head.nla_type & NLA_TYPE_MASK) == type) {
            *length = head.nla_len - sizeof head;
            return at + sizeof head;
        }
        step = NLA_ALIGN(head.nla_len);
        if (step > size)
            return NULL;
        at += step;
        size -= step;
    }
    return NULL;
}

/* --- sending ----------------------------------------------------------- */

HRESULT wire_open(struct wire *wire, struct hcs_error *error) {
    return wire_open_to(wire, NETLINK_ROUTE, error);
}

HRESULT wire_open_to(struct wire *wire, int part, struct hcs_error *error) {
    int on = 1;

    wire->sequence = 0;
    wire->why[0] = '\0';
    wire->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, part);
    if (wire->fd < 0)
        return error_errno(error, errno, "a socket to the kernel's networks");
    /* Words for failures; a kernel without them gives numbers only. */
    (void)setsockopt(wire->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    (void)setsockopt(wire->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    return S_OK;
}

void wire_close(struct wire *wire) {
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
}

static int send_message(struct wire *wire, struct message *m) {
    struct nlmsghdr head;
    ssize_t sent;

    wire->why[0] = '\0';
    if (m->full)
        return EMSGSIZE;
    memcpy(&head, m->data, sizeof head);
    head.nlmsg_len = (uint32_t)m->length;
    head.nlmsg_flags |= NLM_F_ACK;
    head.nlmsg_seq = ++wire->sequence;
    memcpy(m->data, &head, sizeof head);
    do
        sent = send(wire->fd, m->data, m->length, 0);
    while (sent < 0 && errno == EINTR);
    return sent < 0 ? errno : 0;
}

/* The errno of an NLMSG_ERROR, and the words that may come with it. */
static int read_result(struct wire *wire, const struct nlmsghdr *head) {
    struct nlmsgerr result;
    const char *text;
    size_t length, skip = NLMSG_HDRLEN + sizeof result;

    if (head->nlmsg_len < skip)
        return EBADMSG;
    memcpy(&result, (const char *)head + NLMSG_HDRLEN, sizeof result);
    if (result.error != 0 && (head->nlmsg_flags & NLM_F_ACK_TLVS)) {
        if (!(head->nlmsg_flags & NLM_F_CAPPED))
            skip += result.msg.nlmsg_len - sizeof result.msg;
        skip = NLMSG_ALIGN(skip);
        text = skip < head->nlmsg_len
                   ? attribute_find((const char *)head + skip,
                                    head->nlmsg_len - skip, NLMSGERR_ATTR_MSG,
                                    &length)
                   : NULL;
        if (text)
            snprintf(wire->why, sizeof wire->why, "%.*s", (int)length, text);
    }
    return -result.error;
}

/* One datagram: true when the last message of the answer was in it. */
static bool read_part(struct wire *wire, const unsigned char *data, size_t size,
                      int (*each)(void *, const struct nlmsghdr *),
                      void *context, int *result) {
    while (size >= sizeof(struct nlmsghdr)) {
        struct nlmsghdr head;
        size_t step;

        memcpy(&head, data, sizeof head);
        step = NLMSG_ALIGN(head.nlmsg_len);
        if (head.nlmsg_len < sizeof head || head.nlmsg_len > size)
            return (void)(*result = EBADMSG), true;
        if (head.nlmsg_seq == wire->sequence) {
            if (head.nlmsg_type == NLMSG_ERROR) {
                int number = read_result(
                    wire, (const struct nlmsghdr *)(const void *)data);
                if (number != 0)
                    *result = number;
                return true;
            }
            if (head.nlmsg_type == NLMSG_DONE)
                return true;
            if (*result == 0)
                *result =
                    each(context, (const struct nlmsghdr *)(const void *)data);
        }
        if (step >= size)
            break;
        data += step;
        size -= step;
    }
    return false;
}

static int read_answer(struct wire *wire,
                       int (*each)(void *, const struct nlmsghdr *),
                       void *context) {
    _Alignas(8) unsigned char data[32768];
    int result = 0;

    for (;;) {
        ssize_t got = recv(wire->fd, data, sizeof data, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (read_part(wire, data, (size_t)got, each, context, &result))
            return result;
    }
}

static int keep_first(void *context, const struct nlmsghdr *head) {
    struct message *answer = context;

    if (!answer || answer->length > 0)
        return 0;
    if (head->nlmsg_len > sizeof answer->data)
        return EMSGSIZE;
    memcpy(answer->data, head, head->nlmsg_len);
    answer->length = head->nlmsg_len;
    return 0;
}

int wire_ask(struct wire *wire, struct message *m, struct message *answer) {
    int result;

    if (answer)
        answer->length = 0;
    result = send_message(wire, m);
    return result ? result : read_answer(wire, keep_first, answer);
}

int wire_dump(struct wire *wire, struct message *m,
              int (*each)(void *context, const struct nlmsghdr *header),
              void *context) {
    int result = send_message(wire, m);

    return result ? result : read_answer(wire, each, context);
}

/* --- failing ----------------------------------------------------------- */

static HRESULT fail(const struct wire *wire, int number,
                    struct hcs_error *error, const char *format, va_list args) {
    char why[160];

    if (wire->why[0])
        snprintf(why, sizeof why, "%s", wire->why);
    else
        os_error_text(number, why, sizeof why);
    return error_because(error, hresult_from_errno(number), why, format, args);
}

HRESULT wire_fail(const struct wire *wire, int number, struct hcs_error *error,
                  const char *format, ...) {
    va_list args;
    HRESULT hr;

    va_start(args, format);
    hr = fail(wire, number, error, format, args);
    va_end(args);
    return hr;
}

HRESULT wire_do(struct wire *wire, struct message *m, struct hcs_error *error,
                const char *format, ...) {
    int number = wire_ask(wire, m, NULL);
    va_list args;
    HRESULT hr;

    if (number == 0)
        return S_OK;
    va_start(args, format);
    hr = fail(wire, number, error, format, args);
    va_end(args);
    return hr;
}
