/* SPDX-License-Identifier: MIT
 * The descriptors and handles of the process that a test is. */
#ifndef NATIVE_H
#define NATIVE_H

#include <stdbool.h>

#include "base/os.h"
#include "base/stream.h"

/* Whether it is ready, or becomes so within `milliseconds`. */
bool native_wait(hcs_waitable waitable, int milliseconds);
void native_close(stream_native native);
/* How many descriptors or handles are open, and that it becomes (again) at
 * most so many. */
long native_count(void);
bool native_settles(long most);

#endif
