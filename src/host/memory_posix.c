/* SPDX-License-Identifier: MIT
 * The releases that Windows clients use. All blocks come from malloc, so that
 * it does not matter which of them a client takes. */
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../abi/computecore.h"
#include "../base/compiler.h"

void *memory_take(size_t size) {
    return malloc(size);
}

void memory_release(void *block) {
    free(block);
}

HLOCAL LocalFree(HLOCAL block) {
    free(block);
    return NULL;
}

void CoTaskMemFree(void *block) {
    free(block);
}

/* A HANDLE is a descriptor plus one. */
BOOL CloseHandle(HANDLE handle) {
    uintptr_t number = (uintptr_t)handle;
    if (number == 0 || number > INT32_MAX)
        return 0;
    return close((int)(number - 1)) == 0;
}

void *memory_function(const char *name) {
    typedef void (*any_function)(void);
    static const struct {
        const char *name;
        any_function function;
    } releases[] = {
        {"LocalFree", (any_function)LocalFree},
        {"CoTaskMemFree", (any_function)CoTaskMemFree},
        {"CloseHandle", (any_function)CloseHandle},
    };
    void *address = NULL;
    /* C has no conversion from a function to an object pointer. */
    for (size_t i = 0; i < HCS_COUNT(releases); i++)
        if (strcmp(releases[i].name, name) == 0)
            memcpy(&address, &releases[i].function, sizeof address);
    return address;
}
