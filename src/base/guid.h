/* SPDX-License-Identifier: MIT
 * GUIDs as HCS writes them: lower case, no braces. */
#ifndef HCS_GUID_H
#define HCS_GUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUID_TEXT_SIZE 37 /* with the terminator */

struct guid {
    uint8_t bytes[16]; /* in the order of the text */
};

/* Accepts either case, with or without braces. */
bool guid_parse(const char *text, struct guid *out);
void guid_format(const struct guid *guid, char out[GUID_TEXT_SIZE]);
/* RFC 4122 version 5 (SHA-1) of `name` under `space`. */
void guid_from_name(const struct guid *space, const char *name, size_t length,
                    struct guid *out);
/* Version 4 from 16 random bytes. */
void guid_from_bytes(const uint8_t random[16], struct guid *out);
bool guid_is_zero(const struct guid *guid);

#endif
