/* SPDX-License-Identifier: MIT
 * The calls that hcs-provider makes. */
#ifndef HCS_PROVIDER_CALLS_H
#define HCS_PROVIDER_CALLS_H

#include "protocol.h"

struct provider {
    HMODULE module;
    HRESULT missing; /* why there is no module */
    VM_SAVED_STATE_DUMP_HANDLE dump;
};

/* Makes the call. `bytes` are those of the request, with a few zeros behind
 * them; *out, malloc'd or NULL, has the answer's. */
void provider_call(struct provider *provider,
                   const struct provider_request *request, void *bytes,
                   struct provider_answer *answer, void **out);

#endif
