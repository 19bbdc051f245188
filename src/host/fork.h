/* SPDX-License-Identifier: MIT
 * Whether this process is a copy of another one. Where processes cannot be
 * copied it never is. */
#ifndef HCS_HOST_FORK_H
#define HCS_HOST_FORK_H

#include "../base/error.h"

/* How often this process was forked since the first `fork_watch`. */
unsigned fork_epoch(void);

/* From now on `handle_forked` runs in every forked child, which has one thread
 * and must not touch a lock. Cheap after the first time. */
HRESULT fork_watch(struct hcs_error *error);

/* The handles' own, in handle.c. */
void handle_forked(void);

#endif
