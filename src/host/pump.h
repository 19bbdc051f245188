/* SPDX-License-Identifier: MIT
 * What moves a host: due timers, input, callbacks and, on simulated clocks,
 * time itself. Everything here is called with the host's lock held. */
#ifndef HCS_HOST_PUMP_H
#define HCS_HOST_PUMP_H

#include "host.h"

/* Fires one due timer; false when none is due. */
bool pump_timer(struct host *host);
/* Handles input of the store; false when there was none. */
bool pump_input(struct host *host);
/* Lets a virtual clock jump to what is due next, if nobody is busy, somebody
 * waits and nobody's wait is over. False when there was nothing to do. */
bool pump_time(struct host *host);
/* Sleeps until something may be due, at most until `deadline`. One thread at a
 * time; the others wait for host->changed. */
void pump_sleep(struct host *host, int64_t deadline);

/* Waits until `ready`; pumps as the driver asks. S_OK, HCS_E_OPERATION_TIMEOUT
 * after `timeout_ms` of the host's time (INFINITE: none), or E_HANDLE when the
 * host is closed meanwhile. */
HRESULT pump_wait(struct host *host, bool (*ready)(const void *context),
                  const void *context, DWORD timeout_ms);

/* hcshost_step. */
HRESULT pump_step(struct host *host, int64_t dt, int64_t budget, int64_t *left);

/* hcshost_step where a thread pumps and the clock is virtual: waits until `dt`
 * of host time has passed or a callback has run. From now on time passes for
 * those alone who wait in a call. */
HRESULT pump_pass(struct host *host, int64_t dt, int64_t *left);

/* The body of the service thread; takes the lock itself. */
void pump_serve(void *host);

#endif
