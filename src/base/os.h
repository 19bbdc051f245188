/* SPDX-License-Identifier: MIT
 * The few things that each operating system spells its own way; one file per
 * system behind it. */
#ifndef HCS_OS_H
#define HCS_OS_H

#include <stdbool.h>
#include <stddef.h>

/* What an errno means, in English whatever the locale, into `out`. */
void os_error_text(int number, char *out, size_t size);

/* strtod of a NUL-terminated JSON number with the decimal point ".", whatever
 * the locale. False when out of memory. */
bool os_strtod(const char *text, double *out);

#endif
