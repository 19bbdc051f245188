/* SPDX-License-Identifier: MIT
 * Ctrl-C while api.pump waits. On POSIX systems a signal ends any wait; on
 * Windows, where handlers run on a thread of their own, it raises an event of
 * each open world. */
#ifndef LHCS_INTERRUPT_H
#define LHCS_INTERRUPT_H

#include <stdbool.h>

#include "../base/error.h"
#include "../base/list.h"
#include "../base/os.h"

struct interrupt {
    struct link link;    /* among those who want to know */
    hcs_waitable object; /* HCS_NOT_WAITABLE: not open, or not needed */
};

HRESULT interrupt_open(struct interrupt *interrupt, struct hcs_error *error);
/* With the last one the handler is gone. */
void interrupt_close(struct interrupt *interrupt);
/* Whether a Ctrl-C came since it was asked last, which the program's other
 * handlers have been told by then. */
bool interrupt_came(struct interrupt *interrupt);

#endif
