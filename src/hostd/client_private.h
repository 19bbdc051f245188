/* SPDX-License-Identifier: MIT
 * The inside of a connection to the daemon, for the client's files only. */
#ifndef HCS_HOSTD_CLIENT_PRIVATE_H
#define HCS_HOSTD_CLIENT_PRIVATE_H

#include "channel.h"
#include "client.h"

struct hostd {
    struct channel channel;
    bool ended; /* nothing more comes or goes */
    int64_t process;
    uint64_t tag; /* of the last call */
};

/* What the daemon said. */
struct hostd_answer {
    struct hostd_message message;
    struct json_doc doc; /* which the message points into */
    int fd;              /* -1: none came */
};
void hostd_answer_free(struct hostd_answer *answer);

/* Takes the socket over; NULL and closed without memory. */
struct hostd *hostd_new(int fd);
/* The next message, waiting until `deadline` (clock_monotonic). S_OK, to be
 * freed; HR_TIMEOUT; HR_RPC_SERVER_UNAVAILABLE for whatever ends the
 * connection. */
HRESULT hostd_await(struct hostd *hostd, int64_t deadline,
                    struct hostd_answer *out, struct hcs_error *error);

#endif
