/* SPDX-License-Identifier: MIT
 * Addresses are counted as 128 bits, highest byte first; IPv4 is the first
 * four bytes. */
#include "ip.h"

#include <stdio.h>
#include <string.h>

unsigned ip_bits(const struct ip_address *address) {
    return address->family == IP_V4 ? 32 : address->family == IP_V6 ? 128 : 0;
}

static size_t width(const struct ip_address *address) {
    return ip_bits(address) / 8;
}

static int digit(char c, int base) {
    int value = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 99;
    return value < base ? value : -1;
}

/* A decimal number up to `most` without leading zeros; moves behind it. */
static bool decimal(const char **text, unsigned most, unsigned *out) {
    const char *c = *text;
    unsigned value = 0;

    if (digit(*c, 10) < 0 || (*c == '0' && digit(c[1], 10) >= 0))
        return false;
    for (; digit(*c, 10) >= 0; c++) {
        value = value * 10 + (unsigned)digit(*c, 10);
        if (value > most)
            return false;
    }
    *text = c;
    *out = value;
    return true;
}

static bool dotted(const char **text, uint8_t out[4]) {
    for (int i = 0; i < 4; i++) {
        unsigned value;
        if (i > 0 && *(*text)++ != '.')
            return false;
        if (!decimal(text, 255, &value))
            return false;
        out[i] = (uint8_t)value;
    }
    return true;
}

/* Up to four hexadecimal digits; moves behind them. */
static bool group(const char **text, uint8_t out[2]) {
    unsigned value = 0;
    int count = 0;

    for (; count < 4 && digit(**text, 16) >= 0; count++)
        value = value << 4 | (unsigned)digit(*(*text)++, 16);
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
    return count > 0 && digit(**text, 16) < 0;
}

/* Whether a dot comes before the next colon. */
static bool dot_ahead(const char *text) {
    return text[strcspn(text, ".:")] == '.';
}

struct v6 {
    uint8_t bytes[16];
    size_t count;
    size_t gap; /* where the "::" stands, or 17 */
};

/* The groups after any first "::" until the text's or the address's end. */
static bool groups(const char **text, struct v6 *out) {
    while (out->count < 16) {
        if (dot_ahead(*text)) {
            if (out->count > 12 || !dotted(text, out->bytes + out->count))
                return false;
            out->count += 4;
            return true;
        }
        if (!group(text, out->bytes + out->count))
            return false;
        out->count += 2;
        if (**text != ':')
            return true;
        ++*text;
        if (**text == ':') {
            if (out->gap <= 16)
                return false;
            out->gap = out->count;
            ++*text;
            if (digit(**text, 16) < 0)
                return true;
        }
    }
    return false; /* a colon after the last group */
}

static bool parse_v6(const char **text, uint8_t out[16]) {
    struct v6 read = {.gap = 17};
    size_t tail;

    if (**text == ':') {
        if ((*text)[1] != ':')
            return false;
        *text += 2;
        read.gap = 0;
    }
    if ((read.gap == 17 || digit(**text, 16) >= 0) && !groups(text, &read))
        return false;
    memset(out, 0, 16);
    if (read.gap == 17) {
        memcpy(out, read.bytes, 16);
        return read.count == 16;
    }
    tail = read.count - read.gap;
    memcpy(out, read.bytes, read.gap);
    memcpy(out + 16 - tail, read.bytes + read.gap, tail);
    return read.count <= 14;
}

/* Reads as far as it goes; the caller looks at what follows. */
static bool parse(const char **text, struct ip_address *out) {
    struct ip_address address = {0};
    bool ok;

    if (dot_ahead(*text)) {
        address.family = IP_V4;
        ok = dotted(text, address.bytes);
    } else {
        address.family = IP_V6;
        ok = parse_v6(text, address.bytes);
    }
    if (ok)
        *out = address;
    return ok;
}

bool ip_parse(const char *text, struct ip_address *out) {
    struct ip_address address;
    if (!parse(&text, &address) || *text != '\0')
        return false;
    *out = address;
    return true;
}

/* The longest run of two or more zero groups, the first of equals. */
static void longest_zeros(const uint8_t *bytes, size_t *start, size_t *count) {
    size_t here = 0;

    *start = 8;
    *count = 1;
    for (size_t i = 0; i < 8; i++) {
        here = bytes[2 * i] == 0 && bytes[2 * i + 1] == 0 ? here + 1 : 0;
        if (here > *count) {
            *count = here;
            *start = i + 1 - here;
        }
    }
    if (*start == 8)
        *count = 0;
}

static void format_v6(const uint8_t *bytes, char out[IP_TEXT_SIZE]) {
    size_t start, count;
    size_t at = 0;

    longest_zeros(bytes, &start, &count);
    for (size_t i = 0; i < 8; i++) {
        if (i == start) {
            out[at++] = ':';
            out[at++] = ':';
            i += count - 1;
            continue;
        }
        if (i > 0 && i != start + count)
            out[at++] = ':';
        at +=
            (size_t)snprintf(out + at, IP_TEXT_SIZE - at, "%x",
                             (unsigned)(bytes[2 * i] << 8 | bytes[2 * i + 1]));
    }
    out[at] = '\0';
}

void ip_format(const struct ip_address *address, char out[IP_TEXT_SIZE]) {
    const uint8_t *b = address->bytes;
    if (address->family == IP_V4)
        snprintf(out, IP_TEXT_SIZE, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
    else if (address->family == IP_V6)
        format_v6(b, out);
    else
        out[0] = '\0';
}

bool ip_same(const struct ip_address *a, const struct ip_address *b) {
    return a->family == b->family && memcmp(a->bytes, b->bytes, 16) == 0;
}

/* --- prefixes ------------------------------------------------------------- */

bool ip_prefix_parse(const char *text, struct ip_prefix *out) {
    struct ip_prefix prefix = {0};
    unsigned length;

    if (!parse(&text, &prefix.address) || *text++ != '/' ||
        !decimal(&text, ip_bits(&prefix.address), &length) || *text != '\0')
        return false;
    prefix.length = (uint8_t)length;
    *out = prefix;
    return true;
}

void ip_prefix_format(const struct ip_prefix *prefix,
                      char out[IP_PREFIX_SIZE]) {
    char text[IP_TEXT_SIZE];
    ip_format(&prefix->address, text);
    snprintf(out, IP_PREFIX_SIZE, "%s/%u", text, prefix->length);
}

/* The bits of byte `i` that belong to the prefix. */
static uint8_t mask(const struct ip_prefix *prefix, size_t i) {
    size_t whole = prefix->length / 8u;
    if (i != whole)
        return i < whole ? 0xff : 0;
    return (uint8_t)(0xff00u >> (prefix->length % 8u));
}

void ip_prefix_align(struct ip_prefix *prefix) {
    for (size_t i = 0; i < width(&prefix->address); i++)
        prefix->address.bytes[i] &= mask(prefix, i);
}

bool ip_prefix_aligned(const struct ip_prefix *prefix) {
    struct ip_prefix aligned = *prefix;
    ip_prefix_align(&aligned);
    return ip_same(&aligned.address, &prefix->address);
}

bool ip_prefix_contains(const struct ip_prefix *prefix,
                        const struct ip_address *address) {
    if (address->family != prefix->address.family)
        return false;
    for (size_t i = 0; i < width(address); i++)
        if (((address->bytes[i] ^ prefix->address.bytes[i]) &
             mask(prefix, i)) != 0)
            return false;
    return true;
}

bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b) {
    return a->length <= b->length ? ip_prefix_contains(a, &b->address)
                                  : ip_prefix_contains(b, &a->address);
}

bool ip_prefix_is_special(const struct ip_prefix *prefix) {
    static const struct ip_prefix special[] = {
        {{IP_V4, {0}}, 8}, {{IP_V4, {127}}, 8},  {{IP_V4, {224}}, 3},
        {{IP_V6, {0}}, 8}, {{IP_V6, {0xff}}, 8},
    };

    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (ip_prefix_overlaps(&special[i], prefix))
            return true;
    return false;
}

void ip_prefix_last(const struct ip_prefix *prefix, struct ip_address *out) {
    *out = prefix->address;
    for (size_t i = 0; i < width(out); i++)
        out->bytes[i] |= (uint8_t)~mask(prefix, i);
}

uint64_t ip_prefix_size(const struct ip_prefix *prefix) {
    unsigned free = ip_bits(&prefix->address) - prefix->length;
    return free < 64 ? UINT64_C(1) << free : UINT64_MAX;
}

void ip_prefix_at(const struct ip_prefix *prefix, uint64_t offset,
                  struct ip_address *out) {
    struct ip_prefix base = *prefix;

    ip_prefix_align(&base);
    *out = base.address;
    for (size_t i = width(out); i-- > 0 && offset > 0;) {
        uint64_t sum = out->bytes[i] + (offset & 0xff);
        out->bytes[i] = (uint8_t)sum;
        offset = (offset >> 8) + (sum >> 8);
    }
}

uint64_t ip_prefix_offset(const struct ip_prefix *prefix,
                          const struct ip_address *address) {
    uint64_t offset = 0;
    for (size_t i = 0; i < width(address); i++) {
        if (offset >> 56 != 0)
            return UINT64_MAX;
        offset = offset << 8 | (address->bytes[i] & (uint8_t)~mask(prefix, i));
    }
    return offset;
}

/* --- MAC addresses -------------------------------------------------------- */

bool mac_parse(const char *text, struct mac_address *out) {
    struct mac_address mac;
    char between = text[0] && text[1] ? text[2] : '\0';

    if (between != '-' && between != ':')
        between = '\0';
    for (size_t i = 0; i < sizeof mac.bytes; i++) {
        int high, low;
        if (i > 0 && between && *text++ != between)
            return false;
        high = digit(text[0], 16);
        low = high < 0 ? -1 : digit(text[1], 16);
        if (low < 0)
            return false;
        mac.bytes[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    if (*text != '\0')
        return false;
    *out = mac;
    return true;
}

void mac_format(const struct mac_address *mac, char out[MAC_TEXT_SIZE]) {
    const uint8_t *b = mac->bytes;
    snprintf(out, MAC_TEXT_SIZE, "%02X-%02X-%02X-%02X-%02X-%02X", b[0], b[1],
             b[2], b[3], b[4], b[5]);
}

bool mac_is_adapter(const struct mac_address *mac) {
    return mac_number(mac) != 0 && (mac->bytes[0] & 1) == 0;
}

uint64_t mac_number(const struct mac_address *mac) {
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof mac->bytes; i++)
        number = number << 8 | mac->bytes[i];
    return number;
}

void mac_from_number(uint64_t number, struct mac_address *out) {
    for (size_t i = sizeof out->bytes; i-- > 0; number >>= 8)
        out->bytes[i] = (uint8_t)number;
}
