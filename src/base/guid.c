/* SPDX-License-Identifier: MIT */
#include "guid.h"

#include <string.h>

#include "sha1.h"

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* A hyphen stands before the bytes 4, 6, 8 and 10. */
static bool hyphen_before(size_t byte) {
    return byte >= 4 && byte <= 10 && byte % 2 == 0;
}

/* Reads the 36 characters; NULL when they are none, else what follows. */
static const char *parse_plain(const char *at, struct guid *out) {
    for (size_t i = 0; i < sizeof out->bytes; i++) {
        int high, low;
        if (hyphen_before(i) && *at++ != '-')
            return NULL;
        high = hex_value(at[0]);
        low = high < 0 ? -1 : hex_value(at[1]);
        if (low < 0)
            return NULL;
        out->bytes[i] = (uint8_t)(high * 16 + low);
        at += 2;
    }
    return at;
}

bool guid_parse(const char *text, struct guid *out) {
    bool braces = text[0] == '{';
    struct guid guid;
    const char *end = parse_plain(text + braces, &guid);

    if (!end || (braces && *end++ != '}') || *end != '\0')
        return false;
    *out = guid;
    return true;
}

void guid_format(const struct guid *guid, char out[GUID_TEXT_SIZE]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof guid->bytes; i++) {
        if (hyphen_before(i))
            *out++ = '-';
        *out++ = digits[guid->bytes[i] >> 4];
        *out++ = digits[guid->bytes[i] & 15];
    }
    *out = '\0';
}

/* Sets the two fields that RFC 4122 reserves. */
static void stamp(struct guid *guid, int version) {
    guid->bytes[6] = (uint8_t)((guid->bytes[6] & 0x0F) | (version << 4));
    guid->bytes[8] = (uint8_t)((guid->bytes[8] & 0x3F) | 0x80);
}

void guid_from_name(const struct guid *space, const char *name, size_t length,
                    struct guid *out) {
    uint8_t digest[SHA1_SIZE];
    struct sha1 sha;

    sha1_init(&sha);
    sha1_add(&sha, space->bytes, sizeof space->bytes);
    sha1_add(&sha, name, length);
    sha1_end(&sha, digest);
    memcpy(out->bytes, digest, sizeof out->bytes);
    stamp(out, 5);
}

void guid_from_bytes(const uint8_t random[16], struct guid *out) {
    memcpy(out->bytes, random, sizeof out->bytes);
    stamp(out, 4);
}

bool guid_is_zero(const struct guid *guid) {
    static const struct guid zero;
    return memcmp(guid, &zero, sizeof zero) == 0;
}
