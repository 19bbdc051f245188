/* SPDX-License-Identifier: MIT
 * What the fuzzers share: a claim that must hold, and bytes as choices. */
#ifndef HCS_FUZZ_H
#define HCS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool truth) {
    if (!truth)
        abort();
}

/* The input as a sequence of choices; zeros once it is used up. */
struct input {
    const uint8_t *next;
    size_t left;
};

static inline unsigned take(struct input *input) {
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->next++;
}

/* One of 0 … count - 1. */
static inline unsigned choose(struct input *input, size_t count) {
    return take(input) % (unsigned)count;
}

/* The bytes up to the next `end`, which is dropped, or up to the last. */
static inline const char *take_until(struct input *input, char end,
                                     size_t *length) {
    const char *start = (const char *)input->next;
    const char *found = input->left ? memchr(start, end, input->left) : NULL;

    *length = found ? (size_t)(found - start) : input->left;
    input->next += *length + (found != NULL);
    input->left -= *length + (found != NULL);
    return start;
}

#endif
