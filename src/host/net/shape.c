/* SPDX-License-Identifier: MIT */
#include "../../schema/schema.h"
#include "core.h"

HRESULT shape_check(const struct json *document, const char *shape,
                    struct hcs_error *error) {
    struct hcs_error found = {.code = S_OK};
    HRESULT hr = schema_check_network(document, shape, &found);

    if (hr != HCN_E_INVALID_JSON && hr != HCN_E_GUID_CONVERSION_FAILURE)
        return S_OK;
    return error_set(error, hr, found.path, "%s", found.text);
}
