/* SPDX-License-Identifier: MIT
 * The few things that each operating system spells its own way; one file per
 * system behind it. */
#ifndef HCS_OS_H
#define HCS_OS_H

#include <stdbool.h>
#include <stddef.h>

#include "../abi/hcs_types.h"

/* What a thread can wait for: a descriptor to poll, or a handle of an event. */
#ifdef _WIN32
typedef HANDLE hcs_waitable;
#define HCS_NOT_WAITABLE ((hcs_waitable)NULL)
#else
typedef int hcs_waitable;
#define HCS_NOT_WAITABLE (-1)
#endif

/* The number that the system knows this process by. */
uint32_t os_process_id(void);

/* As the public functions that return an int give it away: the descriptor, or
 * the 32 bits of the handle that mean something. -1: nothing to wait for. */
int waitable_number(hcs_waitable waitable);

/* What an errno means, in English whatever the locale, into `out`. */
void os_error_text(int number, char *out, size_t size);

/* strtod of a NUL-terminated JSON number with the decimal point ".", whatever
 * the locale. False when out of memory. */
bool os_strtod(const char *text, double *out);

#endif
