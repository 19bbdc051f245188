/* SPDX-License-Identifier: MIT
 * The releases that Windows clients use. All blocks come from malloc, so that
 * it does not matter which of them a client takes. */
#include <stdlib.h>
#include <unistd.h>

#include "../abi/computecore.h"

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
