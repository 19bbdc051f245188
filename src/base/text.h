/* SPDX-License-Identifier: MIT
 * Small things done with NUL-terminated text, the same everywhere. */
#ifndef HCS_TEXT_H
#define HCS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A malloc'd copy, NULL when out of memory. */
char *text_copy(const char *text);
/* The same of the first `length` bytes, of which none is NUL. */
char *text_copy_n(const char *text, size_t length);

/* Whether both are the same but for the case of ASCII letters. */
bool text_same_folded(const char *a, const char *b);

#endif
