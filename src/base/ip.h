/* SPDX-License-Identifier: MIT
 * Internet addresses, prefixes and MAC addresses as numbers, and their texts.
 * Nothing here asks the system: no names, no zones, no services. */
#ifndef HCS_IP_H
#define HCS_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP_TEXT_SIZE 46   /* of an address, with the terminator */
#define IP_PREFIX_SIZE 50 /* of a prefix */
#define MAC_TEXT_SIZE 18

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

/* Bytes past the family's are zero, so that two compare as memory. */
struct ip_address {
    uint8_t family; /* enum ip_family; IP_NONE: no address */
    uint8_t bytes[16];
};

struct ip_prefix {
    struct ip_address address;
    uint8_t length; /* in bits, at most the family's */
};

struct mac_address {
    uint8_t bytes[6];
};

/* Bits of an address of the family: 32, 128, or 0 for none. */
unsigned ip_bits(const struct ip_address *address);

/* Four decimal numbers without leading zeros, or IPv6 as in RFC 4291 (either
 * case, "::", a dotted tail), without zone or port. */
bool ip_parse(const char *text, struct ip_address *out);
/* IPv6 as RFC 5952 wants it. */
void ip_format(const struct ip_address *address, char out[IP_TEXT_SIZE]);
bool ip_same(const struct ip_address *a, const struct ip_address *b);

/* "10.0.0.0/8"; the address may have bits past the length. */
bool ip_prefix_parse(const char *text, struct ip_prefix *out);
void ip_prefix_format(const struct ip_prefix *prefix, char out[IP_PREFIX_SIZE]);
/* Whether no bit is set past the length. */
bool ip_prefix_aligned(const struct ip_prefix *prefix);
/* The same with those bits cleared. */
void ip_prefix_align(struct ip_prefix *prefix);
bool ip_prefix_contains(const struct ip_prefix *prefix,
                        const struct ip_address *address);
bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b);
/* Whether it has addresses that no host can have on a network: those of this
 * host and its loopback, of groups, of no use yet (240.0.0.0/4), and IPv4's
 * within IPv6. */
bool ip_prefix_is_special(const struct ip_prefix *prefix);
/* The highest address of it: IPv4's broadcast. */
void ip_prefix_last(const struct ip_prefix *prefix, struct ip_address *out);
/* How many addresses it has, or UINT64_MAX if that is too many to count. */
uint64_t ip_prefix_size(const struct ip_prefix *prefix);
/* The address `offset` above its lowest; the caller stays below its size. */
void ip_prefix_at(const struct ip_prefix *prefix, uint64_t offset,
                  struct ip_address *out);
/* The reverse; UINT64_MAX for an address too far away to count. The prefix
 * contains the address. */
uint64_t ip_prefix_offset(const struct ip_prefix *prefix,
                          const struct ip_address *address);

/* Six pairs of hexadecimal digits, all joined by "-", all by ":" or by
 * nothing; written with "-" in upper case. */
bool mac_parse(const char *text, struct mac_address *out);
void mac_format(const struct mac_address *mac, char out[MAC_TEXT_SIZE]);
/* Whether one adapter can have it: not zero, and no group's. */
bool mac_is_adapter(const struct mac_address *mac);
uint64_t mac_number(const struct mac_address *mac);
void mac_from_number(uint64_t number, struct mac_address *out);

#endif
