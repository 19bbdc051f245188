/* SPDX-License-Identifier: MIT
 * Programs of simulated guests: what the simulation tells a guest is queued
 * and told to the program's callback without the host's lock. */
#ifndef HCS_HOST_GUEST_H
#define HCS_HOST_GUEST_H

#include "host.h"

/* The store's sink for what guests are told; `host` is a struct host. */
void guest_told(void *host, uint64_t guest, HCSHOST_GUEST_EVENT event,
                const char *text, size_t length);
/* Sets the program of `id` (NULL: of all others), or takes it away; see
 * hcshost_sim_guest. Called with the lock held. */
HRESULT guest_program(struct host *host, const char *id,
                      HCSHOST_GUEST_CALLBACK callback, void *context,
                      struct hcs_error *error);
/* Forgets all programs, when the host is closed. */
void guest_forget_all(struct host *host);

#endif
