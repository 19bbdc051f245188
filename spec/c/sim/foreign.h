/* SPDX-License-Identifier: MIT
 * Paths of the kind of system that this is not. */
#ifndef FOREIGN_H
#define FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

struct foreign {
    const char *path, *other;
    bool is_same; /* both name the same file */
};
extern const struct foreign foreign[];
extern const size_t foreign_count;
/* One as a JSON document has it. */
extern const char foreign_state[];

#endif
