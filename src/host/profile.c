/* SPDX-License-Identifier: MIT */
#include "profile.h"

#include <limits.h>
#include <string.h>

#include "../abi/hcshost.h"
#include "../base/compiler.h"
#include "memory.h"

typedef void (*any_function)(void);

static const struct export {
    const char *name;
    int since; /* build */
    any_function function;
}
exports[] = {
#define HCS_FUNCTION(dll, build, kind, ret, name, params) \
    {#name, build, (any_function)name},
#include "../abi/functions.def"
#undef HCS_FUNCTION
#define HCSHOST_FUNCTION(ret, name, params) {#name, 0, (any_function)name},
#include "../abi/hcshost.def"
#undef HCSHOST_FUNCTION
};

void *profile_function(const char *name, int build) {
    for (size_t i = 0; i < HCS_COUNT(exports); i++)
        if (strcmp(exports[i].name, name) == 0) {
            void *address;
            if (exports[i].since > build)
                return NULL;
            /* C has no conversion from a function to an object pointer. */
            memcpy(&address, &exports[i].function, sizeof address);
            return address;
        }
    return memory_function(name);
}
