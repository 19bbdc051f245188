/* SPDX-License-Identifier: MIT
 * Something to wake a thread that polls. Whoever raises and lowers it holds a
 * lock of his own. */
#ifndef LHCS_WAKE_H
#define LHCS_WAKE_H

#include <stdbool.h>

#include "../base/error.h"
#include "../base/os.h"

struct loopback; /* a pair of sockets, on Windows */

struct wake {
    hcs_waitable object;     /* ready while raised; HCS_NOT_WAITABLE: closed */
    struct loopback *socket; /* what wake_socket made, or NULL */
};

HRESULT wake_open(struct wake *wake, struct hcs_error *error);
void wake_close(struct wake *wake);
void wake_raise(struct wake *wake);
void wake_lower(struct wake *wake);
hcs_waitable wake_waitable(const struct wake *wake);
/* A socket, the wake's own, that is readable while it is raised: for loops
 * that poll nothing else. `raised` says how it stands now. The same one each
 * time. */
HRESULT wake_socket(struct wake *wake, bool raised, intptr_t *out,
                    struct hcs_error *error);

#endif
