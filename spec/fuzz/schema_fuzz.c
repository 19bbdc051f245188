/* SPDX-License-Identifier: MIT
 * Any document is taken, or refused with a path and a sentence, for every type
 * and build; what one build takes for a declared version, it takes again. The
 * first two bytes choose the type and the build. */
#include "base/utf.h"
#include "schema/schema.h"
#include "fuzz.h"

static const char *const types[] = {"ComputeSystem",
                                    "ModifySettingRequest",
                                    "SystemQuery",
                                    "System_PropertyQuery",
                                    "ShutdownOptions",
                                    "SaveOptions",
                                    "StartOptions",
                                    "ProcessParameters",
                                    "CrashReport",
                                    "Properties",
                                    "ModificationRequest",
                                    "LayerData",
                                    "ResultError",
                                    "ObjectDirectory",
                                    "VirtualMachine_Processor",
                                    "Plan9Share"};
static const char *const networks[] = {"HostComputeNetwork",
                                       "HostComputeEndpoint",
                                       "HostComputeNamespace",
                                       "ModifyNetworkSettingRequest",
                                       "ModifyEndpointSettingRequest",
                                       "ModifyNamespaceSettingRequest",
                                       "HostComputeQuery",
                                       "HNSNetwork"};
static const int builds[] = {0,     17763, 19041, 20348,
                             22000, 22621, 26100, 28000};

static void check_refusal(const struct hcs_error *error) {
    require(error->path[0] == '$' && error->text[0] != '\0');
    require(strlen(error->path) < JSON_MAX_PATH);
    require(utf8_valid(error->path, strlen(error->path)));
    require(utf8_valid(error->text, strlen(error->text)));
}

static void check(const struct json *root, const char *type,
                  const struct schema_profile *profile) {
    struct hcs_error error = {0};
    HRESULT result = schema_check(root, type, profile, &error);
    if (result == S_OK)
        require(error.code == S_OK && error.text[0] == '\0');
    else
        check_refusal(&error);
    require(result == S_OK || error.code == HCS_E_INVALID_JSON);
    require(schema_check(root, type, profile, NULL) == result);
}

static void check_network(const struct json *root, const char *type) {
    struct hcs_error error = {0};
    HRESULT result = schema_check_network(root, type, &error);
    if (result != S_OK)
        check_refusal(&error);
    require(error.code == result);
    require(schema_check_network(root, type, NULL) == result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct schema_profile profile = {0, 0, 0};
    struct json_doc doc;
    const char *type;
    if (size < 2)
        return 0;
    type = types[data[0] % HCS_COUNT(types)];
    profile.build = builds[data[1] % HCS_COUNT(builds)];
    if (FAILED(json_parse((const char *)data + 2, size - 2, &doc, NULL)))
        return 0;
    check_network(doc.root, networks[data[0] % HCS_COUNT(networks)]);
    check(doc.root, type, &profile);
    profile.major = 2;
    profile.minor = data[1] / HCS_COUNT(builds) % 10;
    check(doc.root, type, &profile);
    schema_settings_type(json_text(json_get(doc.root, "ResourcePath"), NULL));
    json_doc_free(&doc);
    return 0;
}
