/* SPDX-License-Identifier: MIT
 * Windows: a connected pair of sockets on 127.0.0.1, one of which is readable
 * while the other has been raised. Winsock is loaded when the first is made. */
#ifndef LHCS_LOOPBACK_H
#define LHCS_LOOPBACK_H

#include <stdint.h>

#include "../base/error.h"

struct loopback;

/* Fails with Winsock's error where there is no TCP. */
HRESULT loopback_open(struct loopback **out, struct hcs_error *error);
void loopback_close(struct loopback *loopback); /* NULL is fine */
void loopback_raise(struct loopback *loopback);
void loopback_lower(struct loopback *loopback);
/* The SOCKET to poll. It is not to be read, nor closed. */
intptr_t loopback_socket(const struct loopback *loopback);

#endif
