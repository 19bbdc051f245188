/* SPDX-License-Identifier: MIT
 * xoshiro256** by Blackman and Vigna, seeded by splitmix64. */
#include "random.h"

static uint64_t rotate(uint64_t value, int by) {
    return value << by | value >> (64 - by);
}

/* Spreads a seed over all bits; never gives four zeros in a row. */
static uint64_t splitmix(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

void random_seed(struct random *random, uint64_t seed) {
    for (size_t i = 0; i < HCS_COUNT(random->state); i++)
        random->state[i] = splitmix(&seed);
}

uint64_t random_next(struct random *random) {
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t kept = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= kept;
    s[3] = rotate(s[3], 45);
    return result;
}
