/* SPDX-License-Identifier: MIT
 * What tests ask of the process that they are. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>

#include "base/os.h"
#include "base/stream.h"

/* Whether it is ready, or becomes so within `milliseconds`. */
bool process_wait(hcs_waitable waitable, int milliseconds);
void process_pause(int milliseconds);
void process_close(stream_native native);
/* How many descriptors or handles are open, and that it becomes (again) at
 * most so many. */
long process_handles(void);
void process_settles(long most);

#endif
