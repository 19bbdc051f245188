/* SPDX-License-Identifier: MIT
 * Something to wake a thread that polls. */
#ifndef LHCS_WAKE_H
#define LHCS_WAKE_H

#include "../base/error.h"

struct wake {
    int fd; /* readable while raised; -1 when closed */
};

HRESULT wake_open(struct wake *wake, struct hcs_error *error);
void wake_close(struct wake *wake);
void wake_raise(struct wake *wake);
void wake_lower(struct wake *wake);
int wake_pollfd(const struct wake *wake);

#endif
