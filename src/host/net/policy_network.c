/* SPDX-License-Identifier: MIT
 * What the policies of networks are read to. */
#include "policy_readers.h"

static HRESULT mac_setting(const struct doc *settings, const char *name,
                           struct mac_address *out, struct hcs_error *error) {
    const char *text = "";
    HRESULT hr = doc_text(settings, name, &text, error);
    if (SUCCEEDED(hr) && !mac_parse(text, out))
        hr = doc_fail(settings, HCN_E_INVALID_POLICY, error,
                      "%s is \"%s\"; expected a MAC address", name, text);
    return hr;
}

HRESULT source_mac_read(struct compiler *compiler, const struct doc *settings,
                        struct hcs_error *error) {
    struct plane_network *network = &compiler->out->network;
    network->has_source_mac = true;
    return mac_setting(settings, "SourceMacAddress", &network->source_mac,
                       error);
}

HRESULT router_mac_read(struct compiler *compiler, const struct doc *settings,
                        struct hcs_error *error) {
    struct plane_network *network = &compiler->out->network;
    network->has_router_mac = true;
    return mac_setting(settings, "Address", &network->router_mac, error);
}

HRESULT adapter_name_read(struct compiler *compiler, const struct doc *settings,
                          struct hcs_error *error) {
    const char **name = &compiler->out->adapter.name;
    HRESULT hr = doc_text(settings, "NetworkAdapterName", name, error);
    if (SUCCEEDED(hr) && !(*name && **name))
        hr = policy_lacks(settings, "a NetworkAdapterName", error);
    return hr;
}

HRESULT constraint_read(struct compiler *compiler, const struct doc *settings,
                        struct hcs_error *error) {
    struct plane_adapter *adapter = &compiler->out->adapter;
    struct guid id;
    uint64_t luid;
    uint32_t medium;
    const char *description;
    HRESULT hr = doc_text(settings, "InterfaceAlias", &adapter->name, error);

    if (SUCCEEDED(hr))
        hr = doc_u32(settings, "InterfaceIndex", &adapter->index, error);
    if (SUCCEEDED(hr))
        hr = doc_guid(settings, "InterfaceGuid", &id, error);
    if (SUCCEEDED(hr))
        hr = doc_number(settings, "InterfaceLuid", UINT64_MAX, &luid, error);
    if (SUCCEEDED(hr)) {
        medium = 0;
        hr = doc_u32(settings, "InterfaceMediaType", &medium, error);
    }
    if (SUCCEEDED(hr))
        hr = doc_text(settings, "InterfaceDescription", &description, error);
    return hr;
}

HRESULT extension_read(struct compiler *compiler, const struct doc *settings,
                       struct hcs_error *error) {
    struct guid id = {{0}};
    bool on = false;
    HRESULT hr = doc_guid(settings, "ExtensionID", &id, error);

    (void)compiler;
    if (SUCCEEDED(hr))
        hr = doc_bool(settings, "Enable", &on, error);
    if (SUCCEEDED(hr) && guid_is_zero(&id))
        hr = policy_lacks(settings, "an ExtensionID", error);
    return hr;
}

HRESULT automatic_dns_read(struct compiler *compiler,
                           const struct doc *settings,
                           struct hcs_error *error) {
    bool on = false;
    (void)compiler;
    return doc_bool(settings, "Enable", &on, error);
}

HRESULT layer_read(struct compiler *compiler, const struct doc *settings,
                   struct hcs_error *error) {
    struct guid id = {{0}};
    HRESULT hr = doc_guid(settings, "LayerId", &id, error);

    (void)compiler;
    if (SUCCEEDED(hr) && guid_is_zero(&id))
        hr = policy_lacks(settings, "a LayerId", error);
    return hr;
}

static HRESULT overlay_only(const struct compiler *compiler,
                            const struct doc *settings,
                            struct hcs_error *error) {
    if (compiler->context->mode == PLANE_OVERLAY)
        return S_OK;
    return doc_fail(settings, HCN_E_VFP_NOT_ALLOWED, error,
                    "this policy is one of overlay networks");
}

HRESULT remote_subnet_read(struct compiler *compiler,
                           const struct doc *settings,
                           struct hcs_error *error) {
    struct plane_remote_subnet remote = {0};
    HRESULT hr = overlay_only(compiler, settings, error);

    if (SUCCEEDED(hr))
        hr = prefix_read(settings, "DestinationPrefix", &remote.prefix, error);
    if (SUCCEEDED(hr) && !ip_prefix_aligned(&remote.prefix))
        hr = policy_lacks(settings,
                          "a DestinationPrefix without bits past its length",
                          error);
    if (SUCCEEDED(hr))
        hr = doc_u32(settings, "IsolationId", &remote.isolation, error);
    if (SUCCEEDED(hr))
        hr = doc_address(settings, "ProviderAddress", HCN_E_INVALID_POLICY,
                         &remote.provider, error);
    if (SUCCEEDED(hr) && remote.provider.family == IP_NONE)
        hr = policy_lacks(settings, "a ProviderAddress", error);
    if (SUCCEEDED(hr))
        hr = mac_setting(settings, "DistributedRouterMacAddress",
                         &remote.router, error);
    if (SUCCEEDED(hr))
        compiler->remotes[compiler->out->network.remote_count++] = remote;
    return hr;
}

HRESULT vxlan_port_read(struct compiler *compiler, const struct doc *settings,
                        struct hcs_error *error) {
    uint16_t *port = &compiler->out->network.vxlan_port;
    HRESULT hr = overlay_only(compiler, settings, error);
    if (SUCCEEDED(hr))
        hr = doc_u16(settings, "Port", port, error);
    if (SUCCEEDED(hr) && *port == 0)
        hr = policy_lacks(settings, "a Port from 1 to 65535", error);
    return hr;
}

HRESULT host_route_read(struct compiler *compiler, const struct doc *settings,
                        struct hcs_error *error) {
    (void)settings;
    (void)error;
    compiler->out->network.host_route = true;
    return S_OK;
}

/* Sets of addresses come before all else that may name them. */
HRESULT set_again(struct compiler *compiler, const struct doc *settings,
                  struct hcs_error *error) {
    (void)compiler;
    (void)settings;
    (void)error;
    return S_OK;
}
