/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A control message with one descriptor, aligned. */
union control {
    struct cmsghdr head;
    char room[CMSG_SPACE(CHANNEL_DESCRIPTORS * sizeof(int))];
};

void channel_open(struct channel *channel, int fd) {
    memset(channel, 0, sizeof *channel);
    channel->fd = fd;
}

void channel_close(struct channel *channel) {
    for (size_t i = 0; i < channel->received_count; i++)
        close(channel->received[i]);
    for (size_t i = 0; i < channel->sending_count; i++)
        close(channel->sending[i].fd);
    if (channel->fd >= 0)
        close(channel->fd);
    buf_free(&channel->in);
    buf_free(&channel->out);
    channel_open(channel, -1);
}

/* --- sending -------------------------------------------------------------- */

static HRESULT queue(struct channel *channel,
                     const struct hostd_message *message, int fd,
                     struct hcs_error *error) {
    struct hostd_message copy = *message;
    size_t at = channel->out.length;
    HRESULT hr;

    copy.descriptor = fd >= 0;
    if (fd >= 0 && channel->sending_count == CHANNEL_DESCRIPTORS)
        return error_set(error, HR_NO_SYSTEM_RESOURCES, NULL,
                         "the other side takes no descriptors");
    hr = hostd_message_write(&channel->out, &copy, error);
    if (FAILED(hr) || fd < 0)
        return hr;
    channel->sending[channel->sending_count].at = at;
    channel->sending[channel->sending_count++].fd = fd;
    return S_OK;
}

HRESULT channel_send(struct channel *channel,
                     const struct hostd_message *message, int fd,
                     struct hcs_error *error) {
    HRESULT hr = queue(channel, message, fd, error);

    if (FAILED(hr) && fd >= 0)
        close(fd);
    return hr;
}

static void put_descriptor(struct msghdr *head, union control *control,
                           int fd) {
    struct cmsghdr *message;

    head->msg_control = control->room;
    head->msg_controllen = CMSG_SPACE(sizeof fd);
    message = CMSG_FIRSTHDR(head);
    message->cmsg_level = SOL_SOCKET;
    message->cmsg_type = SCM_RIGHTS;
    message->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(message), &fd, sizeof fd);
}

/* The descriptor is the other side's, too, from now on. */
static void first_is_sent(struct channel *channel) {
    close(channel->sending[0].fd);
    channel->sending_count--;
    memmove(channel->sending, channel->sending + 1,
            channel->sending_count * sizeof channel->sending[0]);
}

/* What lies before `done` is sent. A descriptor goes with the first byte of
 * its frame, and nothing before that in the same call. */
static ssize_t send_some(struct channel *channel, size_t done) {
    bool waiting = channel->sending_count > 0;
    size_t next = waiting ? channel->sending[0].at : channel->out.length;
    bool with = waiting && next == done;
    struct iovec part = {channel->out.data + done,
                         (with ? channel->out.length : next) - done};
    struct msghdr head = {.msg_iov = &part, .msg_iovlen = 1};
    union control control = {{0}};
    ssize_t sent;

    if (with && channel->sending_count > 1)
        part.iov_len = channel->sending[1].at - done;
    if (with)
        put_descriptor(&head, &control, channel->sending[0].fd);
    do
        sent = sendmsg(channel->fd, &head, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent > 0 && with)
        first_is_sent(channel);
    return sent;
}

static void drop_sent(struct channel *channel, size_t length) {
    buf_consume(&channel->out, length);
    for (size_t i = 0; i < channel->sending_count; i++)
        channel->sending[i].at -= length;
}

HRESULT channel_flush(struct channel *channel, struct hcs_error *error) {
    size_t done = 0;
    ssize_t sent = 0;

    while (sent >= 0 && done < channel->out.length) {
        sent = send_some(channel, done);
        if (sent > 0)
            done += (size_t)sent;
    }
    if (sent < 0 && errno != EAGAIN)
        return error_set(error, HCS_E_CONNECTION_CLOSED, NULL,
                         "the other side is gone: %s", strerrordesc_np(errno));
    drop_sent(channel, done);
    return channel->out.length ? S_FALSE : S_OK;
}

/* --- receiving ------------------------------------------------------------ */

/* Keeps what there is room for and closes the rest. */
static bool keep_descriptors(struct channel *channel,
                             const struct cmsghdr *message) {
    size_t count = (message->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    bool room = true;

    for (size_t i = 0; i < count; i++) {
        int fd;

        memcpy(&fd, CMSG_DATA(message) + i * sizeof fd, sizeof fd);
        if (channel->received_count < CHANNEL_DESCRIPTORS) {
            channel->received[channel->received_count++] = fd;
        } else {
            close(fd);
            room = false;
        }
    }
    return room;
}

static bool take_control(struct channel *channel, struct msghdr *head) {
    bool good = !(head->msg_flags & MSG_CTRUNC);

    for (struct cmsghdr *one = CMSG_FIRSTHDR(head); one;
         one = CMSG_NXTHDR(head, one))
        if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SCM_RIGHTS)
            good = keep_descriptors(channel, one) && good;
    return good;
}

HRESULT channel_receive(struct channel *channel, struct hcs_error *error) {
    char bytes[65536];
    struct iovec part = {bytes, sizeof bytes};
    union control control;
    struct msghdr head = {.msg_iov = &part,
                          .msg_iovlen = 1,
                          .msg_control = control.room,
                          .msg_controllen = sizeof control.room};
    ssize_t got = recvmsg(channel->fd, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return S_FALSE;
    if (got <= 0)
        return error_set(error, HCS_E_CONNECTION_CLOSED, NULL,
                         "the other side is gone");
    if (!take_control(channel, &head))
        return frame_bad(error, "too many descriptors");
    buf_add(&channel->in, bytes, (size_t)got);
    return channel->in.failed
               ? error_set(error, E_OUTOFMEMORY, NULL, "out of memory")
               : S_OK;
}

static int take_descriptor(struct channel *channel) {
    int fd = channel->received[0];

    channel->received_count--;
    memmove(channel->received, channel->received + 1,
            channel->received_count * sizeof fd);
    return fd;
}

HRESULT channel_next(struct channel *channel, struct hostd_message *message,
                     struct json_doc *doc, int *fd, struct hcs_error *error) {
    HRESULT hr = hostd_message_read(&channel->in, message, doc, error);

    *fd = -1;
    if (hr != S_OK || !message->descriptor)
        return hr;
    if (channel->received_count == 0) {
        json_doc_free(doc);
        return frame_bad(error, "no descriptor where it promised one");
    }
    *fd = take_descriptor(channel);
    return S_OK;
}
