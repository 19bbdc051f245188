/* SPDX-License-Identifier: MIT
 * Windows does not fork. */
#include "queue_parts.h"

unsigned fork_epoch(void) {
    return 0;
}
