/* SPDX-License-Identifier: MIT
 * Which policies there are. */
#include "policy_readers.h"

#define ROW(object, name, value, plane, identity, read) \
    { POLICY_##object, name, value, PLANE_##plane, IDENTITY_##identity, read }
#define ENDPOINT(name, value, plane, identity, read) \
    ROW(ENDPOINT, name, value, plane, identity, read)
#define NETWORK(name, value, plane, identity, read) \
    ROW(NETWORK, name, value, plane, identity, read)
#define SUBNET(name, value, plane, identity, read) \
    ROW(SUBNET, name, value, plane, identity, read)

/* clang-format off */
static const struct policy_type types[] = {
    ENDPOINT("PortMapping", 0, PORT_MAPPING, WHOLE, mapping_read),
    ENDPOINT("ACL", 1, ACL, WHOLE, acl_read),
    ENDPOINT("QOS", 2, QOS, TYPE, qos_read),
    ENDPOINT("L2Driver", 3, RECORD, TYPE, NULL),
    ENDPOINT("OutBoundNAT", 4, OUTBOUND_NAT, WHOLE, outbound_nat_read),
    ENDPOINT("SDNRoute", 5, SDN_ROUTE, WHOLE, sdn_route_read),
    ENDPOINT("L4Proxy", 6, L4_PROXY, WHOLE, proxy_read),
    ENDPOINT("L4WFPPROXY", 7, WFP_PROXY, WHOLE, wfp_proxy_read),
    ENDPOINT("ProviderAddress", 8, PROVIDER_ADDRESS, TYPE, provider_read),
    ENDPOINT("PortName", 9, RECORD, TYPE, port_name_read),
    ENDPOINT("EncapOverhead", 10, ENCAP_OVERHEAD, TYPE, overhead_read),
    ENDPOINT("InterfaceConstraint", 11, ADAPTER, TYPE, constraint_read),
    ENDPOINT("Encryption", 12, RECORD, WHOLE, NULL),
    ENDPOINT("VLAN", 13, VLAN, TYPE, vlan_read),
    ENDPOINT("InterfaceParameters", 14, MTU, TYPE, mtu_read),
    ENDPOINT("Iov", 15, RECORD, TYPE, NULL),
    ENDPOINT("TierAcl", 16, TIER_ACL, WHOLE, tier_read),
    ENDPOINT("Firewall", 18, RECORD, TYPE, NULL),

    NETWORK("SourceMacAddress", 0, SOURCE_MAC, TYPE, source_mac_read),
    NETWORK("NetAdapterName", 1, ADAPTER, TYPE, adapter_name_read),
    NETWORK("InterfaceConstraint", 2, ADAPTER, TYPE, constraint_read),
    NETWORK("VSwitchExtension", 3, RECORD, WHOLE, extension_read),
    NETWORK("ProviderAddress", 4, PROVIDER_ADDRESS, TYPE, provider_read),
    NETWORK("DrMacAddress", 5, ROUTER_MAC, TYPE, router_mac_read),
    NETWORK("AutomaticDNS", 6, RECORD, TYPE, automatic_dns_read),
    NETWORK("RemoteSubnetRoute", 7, REMOTE_SUBNET, REMOTE, remote_subnet_read),
    NETWORK("VxlanPort", 8, VXLAN_PORT, TYPE, vxlan_port_read),
    NETWORK("HostRoute", 9, HOST_ROUTE, TYPE, host_route_read),
    NETWORK("SetPolicy", 10, ACL, ID, set_again),
    NETWORK("L4Proxy", 11, L4_PROXY, WHOLE, proxy_read),
    NETWORK("LayerConstraint", 12, RECORD, TYPE, layer_read),
    NETWORK("NetworkACL", 13, ACL, WHOLE, acl_read),

    SUBNET("VLAN", 0, VLAN, TYPE, vlan_read),
    SUBNET("VSID", 1, VSID, TYPE, vsid_read),
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
