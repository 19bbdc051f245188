/* SPDX-License-Identifier: MIT
 * FIPS 180-4. */
#include "sha1.h"

#include <string.h>

static uint32_t rotate(uint32_t value, int by) {
    return value << by | value >> (32 - by);
}

/* The function and the constant of round `i`. */
static uint32_t mix(int i, uint32_t b, uint32_t c, uint32_t d) {
    if (i < 20)
        return ((b & c) | (~b & d)) + UINT32_C(0x5A827999);
    if (i < 40)
        return (b ^ c ^ d) + UINT32_C(0x6ED9EBA1);
    if (i < 60)
        return ((b & c) | (b & d) | (c & d)) + UINT32_C(0x8F1BBCDC);
    return (b ^ c ^ d) + UINT32_C(0xCA62C1D6);
}

static void expand(const uint8_t block[64], uint32_t w[80]) {
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
               (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < 80; i++)
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
}

static void digest_block(struct sha1 *sha) {
    uint32_t w[80];
    uint32_t s[5];

    expand(sha->block, w);
    memcpy(s, sha->state, sizeof s);
    for (int i = 0; i < 80; i++) {
        uint32_t next =
            rotate(s[0], 5) + mix(i, s[1], s[2], s[3]) + s[4] + w[i];
        s[4] = s[3];
        s[3] = s[2];
        s[2] = rotate(s[1], 30);
        s[1] = s[0];
        s[0] = next;
    }
    for (int i = 0; i < 5; i++)
        sha->state[i] += s[i];
}

void sha1_init(struct sha1 *sha) {
    *sha = (struct sha1){
        .state = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}};
}

void sha1_add(struct sha1 *sha, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    while (length-- > 0) {
        sha->block[sha->length++ % 64] = *at++;
        if (sha->length % 64 == 0)
            digest_block(sha);
    }
}

void sha1_end(struct sha1 *sha, uint8_t out[SHA1_SIZE]) {
    uint64_t bits = sha->length * 8;
    uint8_t tail[8];

    sha1_add(sha, "\x80", 1);
    while (sha->length % 64 != 56)
        sha1_add(sha, "", 1);
    for (int i = 0; i < 8; i++)
        tail[i] = (uint8_t)(bits >> (56 - 8 * i));
    sha1_add(sha, tail, sizeof tail);
    for (int i = 0; i < SHA1_SIZE; i++)
        out[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}
