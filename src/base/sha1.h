/* SPDX-License-Identifier: MIT
 * SHA-1, which version 5 GUIDs are made with. Not for secrets. */
#ifndef HCS_SHA1_H
#define HCS_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_SIZE 20

struct sha1 {
    uint32_t state[5];
    uint64_t length; /* bytes so far */
    uint8_t block[64];
};

void sha1_init(struct sha1 *sha);
void sha1_add(struct sha1 *sha, const void *bytes, size_t length);
void sha1_end(struct sha1 *sha, uint8_t out[SHA1_SIZE]);

#endif
