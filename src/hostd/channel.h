/* SPDX-License-Identifier: MIT
 * One end of a connection between hcs-hostd and a client: what was received
 * and not read yet, what was sent and not taken yet, and the descriptors that
 * belong to it. Never blocks; who waits polls `fd`. */
#ifndef HCS_HOSTD_CHANNEL_H
#define HCS_HOSTD_CHANNEL_H

#include "protocol.h"

#define CHANNEL_DESCRIPTORS 16 /* that wait in either direction */

struct channel {
    int fd; /* -1: closed */
    struct buf in, out;
    int received[CHANNEL_DESCRIPTORS];
    size_t received_count;
    struct {
        size_t at; /* bytes of `out` before the frame that it belongs to */
        int fd;
    } sending[CHANNEL_DESCRIPTORS];
    size_t sending_count;
};

/* Takes the socket over. */
void channel_open(struct channel *channel, int fd);
/* Closes it and all descriptors; a closed one is fine. */
void channel_close(struct channel *channel);

/* Queues the message; with `fd` unless that is -1, which is closed once it is
 * sent, and on failure. Fails as hostd_message_write, and with
 * HR_NO_SYSTEM_RESOURCES when too many descriptors wait. */
HRESULT channel_send(struct channel *channel,
                     const struct hostd_message *message, int fd,
                     struct hcs_error *error);
/* Sends what it can: S_OK when all is sent, S_FALSE when the socket is full,
 * HCS_E_CONNECTION_CLOSED when nobody is there any more. */
HRESULT channel_flush(struct channel *channel, struct hcs_error *error);

/* Receives once: S_OK; S_FALSE when nothing is there; HCS_E_CONNECTION_CLOSED
 * at the end; HCS_E_PROTOCOL_ERROR for more descriptors than there is room for.
 */
HRESULT channel_receive(struct channel *channel, struct hcs_error *error);
/* The next message of what was received, as hostd_message_read. `*fd` is the
 * descriptor that came with it, which the caller closes, or -1. */
HRESULT channel_next(struct channel *channel, struct hostd_message *message,
                     struct json_doc *doc, int *fd, struct hcs_error *error);

#endif
