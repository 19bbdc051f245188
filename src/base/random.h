/* SPDX-License-Identifier: MIT
 * A small seeded generator for the simulated host, and the system's own. */
#ifndef HCS_RANDOM_H
#define HCS_RANDOM_H

#include "error.h"

struct random {
    uint64_t state[4];
};

void random_seed(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
/* Fills from the operating system. */
HRESULT random_system(void *bytes, size_t length, struct hcs_error *error);

#endif
