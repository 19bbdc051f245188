/* SPDX-License-Identifier: MIT
 * Functions that others call have their work done by the crew: what they hand
 * to it. */
#ifndef HCS_LINUX_CALL_H
#define HCS_LINUX_CALL_H

#include "inside.h"

struct call {
    struct plane *plane;
    const void *told;
    const struct guid *id;
    void *out;
};

HRESULT call_crew(crew_work *work, struct plane *plane, const void *told,
                  const struct guid *id, void *out, struct hcs_error *error);
/* The endpoint that the call is about, or HCN_E_ENDPOINT_NOT_FOUND. */
HRESULT call_endpoint(const struct call *call, struct endpoint **out,
                      struct hcs_error *error);

#endif
