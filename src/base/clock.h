/* SPDX-License-Identifier: MIT
 * Time: nanoseconds of the monotonic clock, and the wall clock as HCS has it.
 */
#ifndef HCS_CLOCK_H
#define HCS_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_MS INT64_C(1000000)

int64_t clock_monotonic(void);
/* Nanoseconds since 1970 UTC. */
int64_t clock_wall(void);
/* "2026-01-02T03:04:05.1234567Z": ISO 8601 with seven fractional digits. */
#define CLOCK_ISO_SIZE 32
void clock_format_iso(int64_t wall, char out[CLOCK_ISO_SIZE]);

#endif
