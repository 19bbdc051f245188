/* SPDX-License-Identifier: MIT
 * Where real guests cannot be. */
#include "store.h"

HRESULT store_worker_open(const struct store_config *config, struct store **out,
                          struct hcs_error *error) {
    (void)config;
    *out = NULL;
    return error_set(error, HR_NOT_SUPPORTED, NULL,
                     "\"qemu:\" is not part of this library: real guests need "
                     "Linux; \"sim:\" is the simulated host");
}
