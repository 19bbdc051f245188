/* SPDX-License-Identifier: MIT
 * Fixed blocks of LocalAlloc lie on the heap that CoTaskMemFree frees to. */
#include "memory.h"

#include "../abi/hcs_types.h"

void *memory_take(size_t size) {
    return LocalAlloc(LMEM_FIXED, size);
}

void memory_release(void *block) {
    LocalFree(block);
}

/* The system has its own releases, and they are the ones to use. */
void *memory_function(const char *name) {
    (void)name;
    return NULL;
}
