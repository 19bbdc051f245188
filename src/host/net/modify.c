/* SPDX-License-Identifier: MIT
 * What the modify requests of all kinds have in common. */
#include "core.h"

static const struct doc_name changes[] = {
    {"Add", CHANGE_ADD},       {"Remove", CHANGE_REMOVE},
    {"Update", CHANGE_UPDATE}, {"Refresh", CHANGE_REFRESH},
    {"Reset", CHANGE_RESET},   {NULL, 0},
};

HRESULT modify_read(const struct doc *request, const struct doc_name *resources,
                    unsigned *resource, enum change *change,
                    struct doc *settings, struct hcs_error *error) {
    unsigned type = CHANGE_ADD; /* the writers leave out a zero */
    HRESULT hr;

    *resource = resources[0].value;
    hr = doc_enum(request, "ResourceType", resources, HCN_E_REQUEST_UNSUPPORTED,
                  resource, error);
    if (SUCCEEDED(hr))
        hr = doc_enum(request, "RequestType", changes,
                      HCN_E_REQUEST_UNSUPPORTED, &type, error);
    *change = (enum change)type;
    if (SUCCEEDED(hr))
        hr = doc_object(request, "Settings", settings, error);
    return hr;
}

HRESULT modify_unsupported(const struct doc *request, const char *resource,
                           enum change change, struct hcs_error *error) {
    struct doc place = doc_get(request, "RequestType");
    return doc_fail(&place, HCN_E_REQUEST_UNSUPPORTED, error,
                    "%s cannot be asked for with the resource %s",
                    doc_enum_name(changes, change), resource);
}
