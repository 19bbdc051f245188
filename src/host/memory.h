/* SPDX-License-Identifier: MIT
 * The memory of what clients are handed. They free it with LocalFree or with
 * CoTaskMemFree, and mix the two. */
#ifndef HCS_HOST_MEMORY_H
#define HCS_HOST_MEMORY_H

#include <stddef.h>

/* NULL when out of memory. */
void *memory_take(size_t size);
/* NULL is fine. */
void memory_release(void *block);

/* What the library exports besides the ABI itself: the releases that Windows
 * clients use, where the system has none of its own. NULL: not exported. */
void *memory_function(const char *name);

#endif
