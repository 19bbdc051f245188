/* SPDX-License-Identifier: MIT
 * UTF-8 <-> UTF-16, strict both ways: lone surrogates, overlong forms and
 * values past U+10FFFF are refused, never replaced. */
#ifndef HCS_UTF_H
#define HCS_UTF_H

#include <stdbool.h>

#include "error.h"

/* Units before the terminating zero. */
size_t utf16_length(PCWSTR text);

/* malloc'd and NUL-terminated; *length, which may be NULL, is in units or
 * bytes without the terminator. HR_INVALID_DATA names the offset. */
HRESULT utf16_from_utf8(const char *text, size_t length, PWSTR *out,
                        size_t *out_length, struct hcs_error *error);
HRESULT utf8_from_utf16(PCWSTR text, size_t length, char **out,
                        size_t *out_length, struct hcs_error *error);

/* The same into memory from `allocate`, which returns NULL or room for as many
 * bytes as it is asked for. */
HRESULT utf16_into(const char *text, size_t length, void *(*allocate)(size_t),
                   PWSTR *out, size_t *out_length, struct hcs_error *error);

/* Whether `length` bytes are well-formed UTF-8. */
bool utf8_valid(const char *text, size_t length);

/* The number of bytes of the character that `text` begins with, its code in
 * *code; 0 when the bytes are not well-formed or `length` is 0. */
size_t utf8_step(const char *text, size_t length, uint32_t *code);
/* Writes `code` (at most U+10FFFF, no surrogate); returns the bytes, 1 to 4. */
size_t utf8_put(uint32_t code, char out[4]);

#endif
