/* SPDX-License-Identifier: MIT
 * What hcs-hostd and its clients have in common: the messages between them and
 * where it is found below the state root (docs/architecture.md).
 *
 * A message is a frame (base/frame.h) with an object that has a "Kind"; some
 * carry a descriptor (SCM_RIGHTS, with the frame's first byte). Both sides
 * treat the other as foreign: what is no message ends the connection.
 *
 *   daemon  Hello{Version, Process}       first on every connection. With a
 *           failed Result, Text: it cannot serve, and ends
 *   client  Request{Tag, Build, AllowHostChange, Request}
 *                                         Reply{Tag, Reply}; both in the forms
 *                                         of net_request_write, net_reply_write
 *   client  Listen{Tag}                   Reply{…}, then
 *                                         Event{Type, Status, Id, Document}…
 *   client  Attach{Tag, Build, Id, Machine, RuntimeId, MacAddress} and perhaps
 *           the descriptor of the tap that the machine has already
 *                                         Reply{…} with the tap's descriptor,
 *                                         MacAddress: the endpoint's, Document:
 *                                         its properties
 *   client  Detach{Tag, Id}               Reply{…}
 *   client  Connect{Tag, Address, Port}   Reply{…} with the descriptor of a TCP
 *                                         socket that is connecting
 *   client  Plan{Tag, Build, AllowHostChange, Request}
 *                                         Reply{…}, Document: what would change
 *   client  Inventory{Tag}                Reply{…}, Document: {Networks,
 *                                         Endpoints, Namespaces, Interfaces,
 *                                         Rules, Processes}: numbers
 *
 * A Reply{…} is Reply{Tag, Result, Path, Text, Document, MacAddress}. Replies
 * come in the order of what they answer. What was attached by a connection is
 * detached when that ends. */
#ifndef HCS_HOSTD_PROTOCOL_H
#define HCS_HOSTD_PROTOCOL_H

#include "../base/frame.h"
#include "../base/guid.h"

#define HOSTD_VERSION 1

/* The program, beside hcs-vmwp: hcs-hostd --serve ROOT. */
#define HOSTD_PROGRAM "hcs-hostd"
/* Descriptors that it is started with. */
#define HOSTD_FIRST_SOCKET 3 /* its first connection */
#define HOSTD_HELD_LOCK 4    /* HOSTD_LOCK, held */

/* Below ROOT/net. */
#define HOSTD_DIRECTORY "net"
#define HOSTD_LOCK "lock"     /* held (flock) by the daemon for life */
#define HOSTD_START "start"   /* held by who connects or starts one */
#define HOSTD_SOCKET "socket" /* where it is connected to */

enum hostd_kind {
    HOSTD_HELLO,
    HOSTD_REQUEST,
    HOSTD_LISTEN,
    HOSTD_ATTACH,
    HOSTD_DETACH,
    HOSTD_CONNECT,
    HOSTD_PLAN,
    HOSTD_INVENTORY,
    HOSTD_REPLY,
    HOSTD_EVENT
};

/* Texts are NULL when absent, numbers 0, ids zero. */
struct hostd_message {
    enum hostd_kind kind;
    uint64_t tag;
    int64_t version, process; /* HELLO */
    int build;
    bool allow_host_change;
    bool descriptor;        /* one comes with it; channel_send sees to it */
    HRESULT result;         /* HELLO, REPLY */
    int type;               /* EVENT: enum net_event_type */
    HRESULT status;         /* EVENT */
    struct guid id;         /* of the endpoint; EVENT: of what it is about */
    struct guid runtime_id; /* ATTACH: the virtual machine's */
    uint16_t port;          /* CONNECT */
    const char *machine;    /* ATTACH: the system's id */
    const char *mac;        /* ATTACH: asked for; REPLY: the endpoint's */
    const char *address;    /* CONNECT */
    const char *document;   /* EVENT, REPLY */
    const char *path;       /* of an error */
    const char *text;       /* of an error */
    /* The member Request of REQUEST and PLAN, Reply of REPLY. */
    const char *body;        /* to be written: its JSON */
    const struct json *read; /* as it was read; NULL: absent */
};

/* Appends the message's frame, or on failure nothing. HCS_E_INVALID_JSON when
 * it is longer than a frame may be, E_OUTOFMEMORY. */
HRESULT hostd_message_write(struct buf *out,
                            const struct hostd_message *message,
                            struct hcs_error *error);

/* Takes the next message from the front of `in`: S_OK, S_FALSE when it is not
 * complete yet, HCS_E_PROTOCOL_ERROR for anything else, E_OUTOFMEMORY. What
 * `message` points to lives in `doc`, which the caller frees after S_OK. */
HRESULT hostd_message_read(struct buf *in, struct hostd_message *message,
                           struct json_doc *doc, struct hcs_error *error);

/* Opens ROOT/net, made if it is missing, again if a daemon that leaves takes it
 * away at that moment. */
HRESULT hostd_directory(int root, int *directory, struct hcs_error *error);

#endif
