/* SPDX-License-Identifier: MIT
 * Messages to the kernel's rtnetlink, one at a time, each answered before the
 * next is sent. A socket stays with the network namespace that it was made
 * in. */
#ifndef HCS_LINUX_WIRE_H
#define HCS_LINUX_WIRE_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../base/error.h"

#define MESSAGE_SIZE 8192

struct message {
    _Alignas(8) unsigned char data[MESSAGE_SIZE];
    size_t length;
    bool full; /* something did not fit; sending it fails */
};

/* `header` is what the type wants first: ifinfomsg, ifaddrmsg, rtmsg … */
void message_begin(struct message *m, uint16_t type, uint16_t flags,
                   const void *header, size_t size);
/* Bytes without an attribute's header, padded. */
void message_raw(struct message *m, const void *data, size_t size);
void message_put(struct message *m, uint16_t type, const void *data,
                 size_t size);
void message_text(struct message *m, uint16_t type, const char *text);
void message_u8(struct message *m, uint16_t type, uint8_t value);
void message_u16(struct message *m, uint16_t type, uint16_t value);
void message_u32(struct message *m, uint16_t type, uint32_t value);
/* Attributes in an attribute: returns what message_close takes. */
size_t message_open(struct message *m, uint16_t type);
void message_close(struct message *m, size_t opened);

/* The first attribute of that type in `data`, or NULL; its payload. */
const void *attribute_find(const void *data, size_t size, uint16_t type,
                           size_t *length);

struct wire {
    int fd;
    uint32_t sequence;
    char why[128]; /* the kernel's own words about the last failure, or "" */
};

/* In the namespace of the calling thread. */
HRESULT wire_open(struct wire *wire, struct hcs_error *error);
/* To another part of the kernel: NETLINK_NETFILTER … */
HRESULT wire_open_to(struct wire *wire, int part, struct hcs_error *error);
void wire_close(struct wire *wire); /* twice is fine */

/* Sends and waits: 0, or the kernel's errno. `answer` (may be NULL) gets the
 * first message of an answer; its length is 0 without one. */
int wire_ask(struct wire *wire, struct message *m, struct message *answer);
/* Calls `each` for every message of an answer in parts; stops and returns
 * errno when it could not be read, or what `each` returned if not 0. */
int wire_dump(struct wire *wire, struct message *m,
              int (*each)(void *context, const struct nlmsghdr *header),
              void *context);
/* wire_ask as an HRESULT; the error says what could not be done. */
HRESULT wire_do(struct wire *wire, struct message *m, struct hcs_error *error,
                const char *format, ...) HCS_PRINTF(4, 5);
/* For an errno that wire_ask returned. */
HRESULT wire_fail(const struct wire *wire, int number, struct hcs_error *error,
                  const char *format, ...) HCS_PRINTF(4, 5);

#endif
