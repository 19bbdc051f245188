/* SPDX-License-Identifier: MIT
 * What the policies of endpoints are read to, and those that others share. */
#include "policy_readers.h"

#define MOST_VLAN 4094
#define MOST_VSID 0xFFFFFF

HRESULT policy_lacks(const struct doc *settings, const char *name,
                     struct hcs_error *error) {
    return doc_fail(settings, HCN_E_INVALID_POLICY, error, "expected %s", name);
}

bool policy_has_family(const struct policy_context *context,
                       enum ip_family family) {
    for (size_t i = 0; i < context->address_count; i++)
        if (context->addresses[i].address.family == family)
            return true;
    return false;
}

HRESULT qos_read(struct compiler *compiler, const struct doc *settings,
                 struct hcs_error *error) {
    uint64_t *limit = &compiler->out->endpoint.egress_limit;
    HRESULT hr = doc_number(settings, "MaximumOutgoingBandwidthInBytes",
                            UINT64_MAX, limit, error);
    if (SUCCEEDED(hr) && *limit == 0)
        hr = policy_lacks(settings, "MaximumOutgoingBandwidthInBytes above 0",
                          error);
    return hr;
}

HRESULT outbound_nat_read(struct compiler *compiler, const struct doc *settings,
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

HRESULT sdn_route_read(struct compiler *compiler, const struct doc *settings,
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

HRESULT proxy_read(struct compiler *compiler, const struct doc *settings,
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
        hr = policy_lacks(settings, "a Port", error);
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

HRESULT wfp_proxy_read(struct compiler *compiler, const struct doc *settings,
                       struct hcs_error *error) {
    struct plane_wfp_proxy proxy = {.user = ""};
    HRESULT hr = port_text_read(settings, "InboundProxyPort",
                                &proxy.inbound_port, error);

    if (SUCCEEDED(hr))
        hr = port_text_read(settings, "OutboundProxyPort", &proxy.outbound_port,
                            error);
    if (SUCCEEDED(hr) && !proxy.inbound_port && !proxy.outbound_port)
        hr = policy_lacks(settings, "InboundProxyPort or OutboundProxyPort",
                          error);
    if (SUCCEEDED(hr))
        hr = doc_text(settings, "UserSID", &proxy.user, error);
    if (SUCCEEDED(hr))
        hr = wfp_lists_read(compiler, settings, &proxy, error);
    if (SUCCEEDED(hr))
        compiler->wfp_proxies[compiler->out->endpoint.wfp_proxy_count++] =
            proxy;
    return hr;
}

HRESULT provider_read(struct compiler *compiler, const struct doc *settings,
                      struct hcs_error *error) {
    struct ip_address *provider = compiler->context->object == POLICY_NETWORK
                                      ? &compiler->out->network.provider
                                      : &compiler->out->endpoint.provider;
    HRESULT hr = doc_address(settings, "ProviderAddress", HCN_E_INVALID_POLICY,
                             provider, error);
    if (SUCCEEDED(hr) && provider->family == IP_NONE)
        hr = policy_lacks(settings, "a ProviderAddress", error);
    return hr;
}

HRESULT port_name_read(struct compiler *compiler, const struct doc *settings,
                       struct hcs_error *error) {
    return doc_text(settings, "Name", &compiler->out->endpoint.port_name,
                    error);
}

HRESULT overhead_read(struct compiler *compiler, const struct doc *settings,
                      struct hcs_error *error) {
    uint16_t *overhead = &compiler->out->endpoint.overhead;
    HRESULT hr = doc_u16(settings, "Overhead", overhead, error);
    if (SUCCEEDED(hr) && *overhead == 0)
        hr = policy_lacks(settings, "an Overhead above 0", error);
    return hr;
}

HRESULT mtu_read(struct compiler *compiler, const struct doc *settings,
                 struct hcs_error *error) {
    uint16_t *mtu = &compiler->out->endpoint.mtu;
    HRESULT hr = doc_u16(settings, "Mtu", mtu, error);
    if (SUCCEEDED(hr) && *mtu < POLICY_LEAST_MTU)
        hr =
            doc_fail(settings, HCN_E_INVALID_POLICY, error,
                     "Mtu is %u; expected %d to 65535", *mtu, POLICY_LEAST_MTU);
    return hr;
}

HRESULT vlan_read(struct compiler *compiler, const struct doc *settings,
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

HRESULT vsid_read(struct compiler *compiler, const struct doc *settings,
                  struct hcs_error *error) {
    uint32_t *vsid = &compiler->out->isolation;
    HRESULT hr = doc_u32(settings, "IsolationId", vsid, error);
    if (SUCCEEDED(hr) && (*vsid == 0 || *vsid > MOST_VSID))
        hr = doc_fail(settings, HCN_E_INVALID_POLICY, error,
                      "IsolationId is %u; expected 1 to %d", (unsigned)*vsid,
                      MOST_VSID);
    return hr;
}
