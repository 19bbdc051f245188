/* SPDX-License-Identifier: MIT
 * Which policies there are, and what each is read to. */
#include <string.h>

#include "policy.h"

#define MOST_VLAN 4094
#define MOST_VSID 0xFFFFFF
#define LEAST_MTU 576

static HRESULT missing(const struct doc *settings, const char *name,
                       struct hcs_error *error) {
    return doc_fail(settings, HCN_E_INVALID_POLICY, error, "expected %s", name);
}

/* --- of endpoints
 * ----------------------------------------------------------------- */

static HRESULT qos_read(struct compiler *compiler, const struct doc *settings,
                        struct hcs_error *error) {
    uint64_t *limit = &compiler->out->endpoint.egress_limit;
    HRESULT hr = doc_number(settings, "MaximumOutgoingBandwidthInBytes",
                            UINT64_MAX, limit, error);
    if (SUCCEEDED(hr) && *limit == 0)
        hr =
            missing(settings, "MaximumOutgoingBandwidthInBytes above 0", error);
    return hr;
}

static HRESULT outbound_nat_read(struct compiler *compiler,
                                 const struct doc *settings,
                                 struct hcs_error *error) {
    struct plane_outbound_nat nat = {0};
    HRESULT hr = doc_address(settings, "VirtualIP", HCN_E_INVALID_POLICY,
                             &nat.address, error);
    if (SUCCEEDED(hr))
        hr = address_items_read(compiler, settings, "Exceptions",
                                &nat.exceptions, error);
    if (SUCCEEDED(hr))
        hr = address_items_read(compiler, settings, "Destinations",
                                &nat.destinations, error);
    if (SUCCEEDED(hr))
        hr = doc_u32(settings, "Flags", &nat.flags, error);
    if (SUCCEEDED(hr))
        compiler->nats[compiler->out->endpoint.nat_count++] = nat;
    return hr;
}

static HRESULT sdn_route_read(struct compiler *compiler,
                              const struct doc *settings,
                              struct hcs_error *error) {
    struct plane_route route = {0};
    HRESULT hr =
        prefix_read(settings, "DestinationPrefix", &route.destination, error);

    if (SUCCEEDED(hr))
        hr = doc_address(settings, "NextHop", HCN_E_INVALID_POLICY,
                         &route.next_hop, error);
    if (SUCCEEDED(hr))
        hr = doc_bool(settings, "NeedEncap", &route.encapsulate, error);
    if (FAILED(hr))
        return hr;
    ip_prefix_align(&route.destination); /* real clients leave bits set */
    compiler->routes[compiler->out->endpoint.sdn_route_count++] = route;
    return S_OK;
}

static HRESULT proxy_lists_read(struct compiler *compiler,
                                const struct doc *settings,
                                struct plane_proxy *proxy,
                                struct hcs_error *error) {
    struct doc other = doc_get(settings, "ExceptionList");
    HRESULT hr = addresses_read(compiler, settings, "Destination", false,
                                &proxy->destinations, NULL, error);
    if (FAILED(hr))
        return hr;
    return address_items_read(compiler, settings,
                              other.value ? "ExceptionList" : "Exceptions",
                              &proxy->exceptions, error);
}

static HRESULT proxy_read(struct compiler *compiler, const struct doc *settings,
                          struct hcs_error *error) {
    size_t *count = compiler->context->object == POLICY_NETWORK
                        ? &compiler->out->network.proxy_count
                        : &compiler->out->endpoint.proxy_count;
    struct plane_proxy proxy = {.protocol = 6};
    unsigned protocol = 6;
    HRESULT hr = doc_enum(settings, "Protocol", protocol_names,
                          HCN_E_INVALID_POLICY, &protocol, error);

    proxy.protocol = (uint8_t)protocol;
    if (SUCCEEDED(hr))
        hr = doc_address(settings, "IP", HCN_E_INVALID_POLICY, &proxy.address,
                         error);
    if (SUCCEEDED(hr))
        hr = port_text_read(settings, "Port", &proxy.port, error);
    if (SUCCEEDED(hr) && proxy.port == 0)
        hr = missing(settings, "a Port", error);
    if (SUCCEEDED(hr))
        hr = doc_bool(settings, "OutboundNat", &proxy.outbound_nat, error);
    if (SUCCEEDED(hr))
        hr = proxy_lists_read(compiler, settings, &proxy, error);
    if (SUCCEEDED(hr))
        compiler->proxies[(*count)++] = proxy;
    return hr;
}

static HRESULT exceptions_read(struct compiler *compiler,
                               const struct doc *settings, const char *name,
                               struct plane_addresses *addresses,
                               struct plane_ports *ports,
                               struct hcs_error *error) {
    struct doc exceptions;
    HRESULT hr = doc_object(settings, name, &exceptions, error);

    if (SUCCEEDED(hr))
        hr = address_items_read(compiler, &exceptions, "IpAddressExceptions",
                                addresses, error);
    if (SUCCEEDED(hr))
        hr = port_items_read(compiler, &exceptions, "PortExceptions", ports,
                             error);
    return hr;
}

static HRESULT wfp_lists_read(struct compiler *compiler,
                              const struct doc *settings,
                              struct plane_wfp_proxy *proxy,
                              struct hcs_error *error) {
    struct doc filter;
    HRESULT hr = doc_object(settings, "FilterTuple", &filter, error);

    if (SUCCEEDED(hr))
        hr = tuple_read(compiler, &filter, &proxy->filter, error);
    if (SUCCEEDED(hr))
        hr = exceptions_read(compiler, settings, "InboundExceptions",
                             &proxy->inbound_exceptions, &proxy->inbound_ports,
                             error);
    if (SUCCEEDED(hr))
        hr = exceptions_read(compiler, settings, "OutboundExceptions",
                             &proxy->outbound_exceptions,
                             &proxy->outbound_ports, error);
    return hr;
}

static HRESULT wfp_proxy_read(struct compiler *compiler,
                              const struct doc *settings,
                              struct hcs_error *error) {
    struct plane_wfp_proxy proxy = {.user = ""};
    HRESULT hr = port_text_read(settings, "InboundProxyPort",
                                &proxy.inbound_port, error);

    if (SUCCEEDED(hr))
        hr = port_text_read(settings, "OutboundProxyPort", &proxy.outbound_port,
                            error);
    if (SUCCEEDED(hr) && !proxy.inbound_port && !proxy.outbound_port)
        hr = missing(settings, "InboundProxyPort or OutboundProxyPort", error);
    if (SUCCEEDED(hr))
        hr = doc_text(settings, "UserSID", &proxy.user, error);
    if (SUCCEEDED(hr))
        hr = wfp_lists_read(compiler, settings, &proxy, error);
    if (SUCCEEDED(hr))
        compiler->wfp_proxies[compiler->out->endpoint.wfp_proxy_count++] =
            proxy;
    return hr;
}

static HRESULT provider_read(struct compiler *compiler,
                             const struct doc *settings,
                             struct hcs_error *error) {
    struct ip_address *provider = compiler->context->object == POLICY_NETWORK
                                      ? &compiler->out->network.provider
                                      : &compiler->out->endpoint.provider;
    HRESULT hr = doc_address(settings, "ProviderAddress", HCN_E_INVALID_POLICY,
                             provider, error);
    if (SUCCEEDED(hr) && provider->family == IP_NONE)
        hr = missing(settings, "a ProviderAddress", error);
    return hr;
}

static HRESULT port_name_read(struct compiler *compiler,
                              const struct doc *settings,
                              struct hcs_error *error) {
    return doc_text(settings, "Name", &compiler->out->endpoint.port_name,
                    error);
}

static HRESULT overhead_read(struct compiler *compiler,
                             const struct doc *settings,
                             struct hcs_error *error) {
    uint16_t *overhead = &compiler->out->endpoint.overhead;
    HRESULT hr = doc_u16(settings, "Overhead", overhead, error);
    if (SUCCEEDED(hr) && *overhead == 0)
        hr = missing(settings, "an Overhead above 0", error);
    return hr;
}

static HRESULT mtu_read(struct compiler *compiler, const struct doc *settings,
                        struct hcs_error *error) {
    uint16_t *mtu = &compiler->out->endpoint.mtu;
    HRESULT hr = doc_u16(settings, "Mtu", mtu, error);
    if (SUCCEEDED(hr) && *mtu < LEAST_MTU)
        hr = doc_fail(settings, HCN_E_INVALID_POLICY, error,
                      "Mtu is %u; expected %d to 65535", *mtu, LEAST_MTU);
    return hr;
}

static HRESULT vlan_read(struct compiler *compiler, const struct doc *settings,
                         struct hcs_error *error) {
    uint32_t *vlan = compiler->context->object == POLICY_SUBNET
                         ? &compiler->out->vlan
                         : &compiler->out->endpoint.vlan;
    HRESULT hr = doc_u32(settings, "IsolationId", vlan, error);
    if (SUCCEEDED(hr) && (*vlan == 0 || *vlan > MOST_VLAN))
        hr = doc_fail(settings, HCN_E_INVALID_POLICY, error,
                      "IsolationId is %u; expected 1 to %d", (unsigned)*vlan,
                      MOST_VLAN);
    return hr;
}

static HRESULT vsid_read(struct compiler *compiler, const struct doc *settings,
                         struct hcs_error *error) {
    uint32_t *vsid = &compiler->out->isolation;
    HRESULT hr = doc_u32(settings, "IsolationId", vsid, error);
    if (SUCCEEDED(hr) && (*vsid == 0 || *vsid > MOST_VSID))
        hr = doc_fail(settings, HCN_E_INVALID_POLICY, error,
                      "IsolationId is %u; expected 1 to %d", (unsigned)*vsid,
                      MOST_VSID);
    return hr;
}

/* --- of networks
 * --------------------------------------------------------------------- */

static HRESULT mac_setting(const struct doc *settings, const char *name,
                           struct mac_address *out, struct hcs_error *error) {
    const char *text = "";
    HRESULT hr = doc_text(settings, name, &text, error);
    if (SUCCEEDED(hr) && !mac_parse(text, out))
        hr = doc_fail(settings, HCN_E_INVALID_POLICY, error,
                      "%s is \"%s\"; expected a MAC address", name, text);
    return hr;
}

static HRESULT source_mac_read(struct compiler *compiler,
                               const struct doc *settings,
                               struct hcs_error *error) {
    struct plane_network *network = &compiler->out->network;
    network->has_source_mac = true;
    return mac_setting(settings, "SourceMacAddress", &network->source_mac,
                       error);
}

static HRESULT router_mac_read(struct compiler *compiler,
                               const struct doc *settings,
                               struct hcs_error *error) {
    struct plane_network *network = &compiler->out->network;
    network->has_router_mac = true;
    return mac_setting(settings, "Address", &network->router_mac, error);
}

static HRESULT adapter_name_read(struct compiler *compiler,
                                 const struct doc *settings,
                                 struct hcs_error *error) {
    const char **name = &compiler->out->adapter.name;
    HRESULT hr = doc_text(settings, "NetworkAdapterName", name, error);
    if (SUCCEEDED(hr) && !(*name && **name))
        hr = missing(settings, "a NetworkAdapterName", error);
    return hr;
}

static HRESULT constraint_read(struct compiler *compiler,
                               const struct doc *settings,
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

static HRESULT extension_read(struct compiler *compiler,
                              const struct doc *settings,
                              struct hcs_error *error) {
    struct guid id = {{0}};
    bool on = false;
    HRESULT hr = doc_guid(settings, "ExtensionID", &id, error);

    (void)compiler;
    if (SUCCEEDED(hr))
        hr = doc_bool(settings, "Enable", &on, error);
    if (SUCCEEDED(hr) && guid_is_zero(&id))
        hr = missing(settings, "an ExtensionID", error);
    return hr;
}

static HRESULT automatic_dns_read(struct compiler *compiler,
                                  const struct doc *settings,
                                  struct hcs_error *error) {
    bool on = false;
    (void)compiler;
    return doc_bool(settings, "Enable", &on, error);
}

static HRESULT layer_read(struct compiler *compiler, const struct doc *settings,
                          struct hcs_error *error) {
    struct guid id = {{0}};
    HRESULT hr = doc_guid(settings, "LayerId", &id, error);

    (void)compiler;
    if (SUCCEEDED(hr) && guid_is_zero(&id))
        hr = missing(settings, "a LayerId", error);
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

static HRESULT remote_subnet_read(struct compiler *compiler,
                                  const struct doc *settings,
                                  struct hcs_error *error) {
    struct plane_remote_subnet remote = {0};
    HRESULT hr = overlay_only(compiler, settings, error);

    if (SUCCEEDED(hr))
        hr = prefix_read(settings, "DestinationPrefix", &remote.prefix, error);
    if (SUCCEEDED(hr) && !ip_prefix_aligned(&remote.prefix))
        hr = missing(settings,
                     "a DestinationPrefix without bits past its length", error);
    if (SUCCEEDED(hr))
        hr = doc_u32(settings, "IsolationId", &remote.isolation, error);
    if (SUCCEEDED(hr))
        hr = doc_address(settings, "ProviderAddress", HCN_E_INVALID_POLICY,
                         &remote.provider, error);
    if (SUCCEEDED(hr) && remote.provider.family == IP_NONE)
        hr = missing(settings, "a ProviderAddress", error);
    if (SUCCEEDED(hr))
        hr = mac_setting(settings, "DistributedRouterMacAddress",
                         &remote.router, error);
    if (SUCCEEDED(hr))
        compiler->remotes[compiler->out->network.remote_count++] = remote;
    return hr;
}

static HRESULT vxlan_port_read(struct compiler *compiler,
                               const struct doc *settings,
                               struct hcs_error *error) {
    uint16_t *port = &compiler->out->network.vxlan_port;
    HRESULT hr = overlay_only(compiler, settings, error);
    if (SUCCEEDED(hr))
        hr = doc_u16(settings, "Port", port, error);
    if (SUCCEEDED(hr) && *port == 0)
        hr = missing(settings, "a Port from 1 to 65535", error);
    return hr;
}

static HRESULT host_route_read(struct compiler *compiler,
                               const struct doc *settings,
                               struct hcs_error *error) {
    (void)settings;
    (void)error;
    compiler->out->network.host_route = true;
    return S_OK;
}

/* Sets of addresses come before all else that may name them. */
static HRESULT set_again(struct compiler *compiler, const struct doc *settings,
                         struct hcs_error *error) {
    (void)compiler;
    (void)settings;
    (void)error;
    return S_OK;
}

/* --- the table
 * ---------------------------------------------------------------------------
 */

/* clang-format off */
static const struct policy_type types[] = {
    {POLICY_ENDPOINT, "PortMapping", 0, PLANE_PORT_MAPPING, IDENTITY_WHOLE, mapping_read},
    {POLICY_ENDPOINT, "ACL", 1, PLANE_ACL, IDENTITY_WHOLE, acl_read},
    {POLICY_ENDPOINT, "QOS", 2, PLANE_QOS, IDENTITY_TYPE, qos_read},
    {POLICY_ENDPOINT, "L2Driver", 3, PLANE_RECORD, IDENTITY_TYPE, NULL},
    {POLICY_ENDPOINT, "OutBoundNAT", 4, PLANE_OUTBOUND_NAT, IDENTITY_WHOLE, outbound_nat_read},
    {POLICY_ENDPOINT, "SDNRoute", 5, PLANE_SDN_ROUTE, IDENTITY_WHOLE, sdn_route_read},
    {POLICY_ENDPOINT, "L4Proxy", 6, PLANE_L4_PROXY, IDENTITY_WHOLE, proxy_read},
    {POLICY_ENDPOINT, "L4WFPPROXY", 7, PLANE_WFP_PROXY, IDENTITY_WHOLE, wfp_proxy_read},
    {POLICY_ENDPOINT, "ProviderAddress", 8, PLANE_PROVIDER_ADDRESS, IDENTITY_TYPE, provider_read},
    {POLICY_ENDPOINT, "PortName", 9, PLANE_RECORD, IDENTITY_TYPE, port_name_read},
    {POLICY_ENDPOINT, "EncapOverhead", 10, PLANE_ENCAP_OVERHEAD, IDENTITY_TYPE, overhead_read},
    {POLICY_ENDPOINT, "InterfaceConstraint", 11, PLANE_ADAPTER, IDENTITY_TYPE, constraint_read},
    {POLICY_ENDPOINT, "Encryption", 12, PLANE_RECORD, IDENTITY_WHOLE, NULL},
    {POLICY_ENDPOINT, "VLAN", 13, PLANE_VLAN, IDENTITY_TYPE, vlan_read},
    {POLICY_ENDPOINT, "InterfaceParameters", 14, PLANE_MTU, IDENTITY_TYPE, mtu_read},
    {POLICY_ENDPOINT, "Iov", 15, PLANE_RECORD, IDENTITY_TYPE, NULL},
    {POLICY_ENDPOINT, "TierAcl", 16, PLANE_TIER_ACL, IDENTITY_WHOLE, tier_read},
    {POLICY_ENDPOINT, "Firewall", 18, PLANE_RECORD, IDENTITY_TYPE, NULL},

    {POLICY_NETWORK, "SourceMacAddress", 0, PLANE_SOURCE_MAC, IDENTITY_TYPE, source_mac_read},
    {POLICY_NETWORK, "NetAdapterName", 1, PLANE_ADAPTER, IDENTITY_TYPE, adapter_name_read},
    {POLICY_NETWORK, "InterfaceConstraint", 2, PLANE_ADAPTER, IDENTITY_TYPE, constraint_read},
    {POLICY_NETWORK, "VSwitchExtension", 3, PLANE_RECORD, IDENTITY_WHOLE, extension_read},
    {POLICY_NETWORK, "ProviderAddress", 4, PLANE_PROVIDER_ADDRESS, IDENTITY_TYPE, provider_read},
    {POLICY_NETWORK, "DrMacAddress", 5, PLANE_ROUTER_MAC, IDENTITY_TYPE, router_mac_read},
    {POLICY_NETWORK, "AutomaticDNS", 6, PLANE_RECORD, IDENTITY_TYPE, automatic_dns_read},
    {POLICY_NETWORK, "RemoteSubnetRoute", 7, PLANE_REMOTE_SUBNET, IDENTITY_REMOTE, remote_subnet_read},
    {POLICY_NETWORK, "VxlanPort", 8, PLANE_VXLAN_PORT, IDENTITY_TYPE, vxlan_port_read},
    {POLICY_NETWORK, "HostRoute", 9, PLANE_HOST_ROUTE, IDENTITY_TYPE, host_route_read},
    {POLICY_NETWORK, "SetPolicy", 10, PLANE_ACL, IDENTITY_ID, set_again},
    {POLICY_NETWORK, "L4Proxy", 11, PLANE_L4_PROXY, IDENTITY_WHOLE, proxy_read},
    {POLICY_NETWORK, "LayerConstraint", 12, PLANE_RECORD, IDENTITY_TYPE, layer_read},
    {POLICY_NETWORK, "NetworkACL", 13, PLANE_ACL, IDENTITY_WHOLE, acl_read},

    {POLICY_SUBNET, "VLAN", 0, PLANE_VLAN, IDENTITY_TYPE, vlan_read},
    {POLICY_SUBNET, "VSID", 1, PLANE_VSID, IDENTITY_TYPE, vsid_read},
};
/* clang-format on */

const struct policy_type *policy_type_find(enum policy_object object,
                                           const char *name, uint64_t number) {
    for (size_t i = 0; i < HCS_COUNT(types); i++)
        if (types[i].object == object &&
            (name ? doc_same_name(types[i].name, name)
                  : types[i].value == number))
            return &types[i];
    return NULL;
}

const struct policy_type *policy_type_of(enum policy_object object,
                                         const char *name) {
    return policy_type_find(object, name, 0);
}
