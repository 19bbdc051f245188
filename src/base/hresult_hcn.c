/* SPDX-License-Identifier: MIT
 * The names and the meaning of the results of networks. */
#include "hresult_hcn.h"

#include "compiler.h"

struct entry {
    HRESULT code;
    const char *symbol;
    const char *text;
};

#define SAME(name, text) \
    { name, #name, text }

static const struct entry entries[] = {
    {HR_DUP_NAME, "ERROR_DUP_NAME", "That is taken on this host already."},
    {HR_ALREADY_EXISTS, "ERROR_ALREADY_EXISTS", "It exists already."},
    {HR_OBJECT_ALREADY_EXISTS, "ERROR_OBJECT_ALREADY_EXISTS",
     "Another object has it already."},
    {HR_RPC_SERVER_UNAVAILABLE, "RPC_S_SERVER_UNAVAILABLE",
     "The service is not available."},
    SAME(HCN_E_NETWORK_NOT_FOUND, "There is no such network."),
    SAME(HCN_E_ENDPOINT_NOT_FOUND, "There is no such endpoint."),
    SAME(HCN_E_LAYER_NOT_FOUND, "There is no such network layer."),
    SAME(HCN_E_SWITCH_NOT_FOUND, "There is no such switch."),
    SAME(HCN_E_SUBNET_NOT_FOUND, "There is no such subnet."),
    SAME(HCN_E_ADAPTER_NOT_FOUND, "There is no such network adapter."),
    SAME(HCN_E_PORT_NOT_FOUND, "There is no such switch port."),
    SAME(HCN_E_POLICY_NOT_FOUND, "There is no such policy."),
    SAME(HCN_E_VFP_PORTSETTING_NOT_FOUND,
         "The switch port lacks a setting that filtering needs."),
    SAME(HCN_E_INVALID_NETWORK, "The network's description is not valid."),
    SAME(HCN_E_INVALID_NETWORK_TYPE, "The type of network is not valid."),
    SAME(HCN_E_INVALID_ENDPOINT, "The endpoint's description is not valid."),
    SAME(HCN_E_INVALID_POLICY, "The policy is not valid."),
    SAME(HCN_E_INVALID_POLICY_TYPE, "The type of policy is not valid."),
    SAME(HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION,
         "This cannot be done to an endpoint of another host."),
    SAME(HCN_E_NETWORK_ALREADY_EXISTS,
         "There is a network of that id or name already."),
    SAME(HCN_E_LAYER_ALREADY_EXISTS,
         "There is a network layer of that kind already."),
    SAME(HCN_E_POLICY_ALREADY_EXISTS, "There is such a policy already."),
    SAME(HCN_E_PORT_ALREADY_EXISTS, "The port is in use already."),
    SAME(HCN_E_ENDPOINT_ALREADY_ATTACHED, "The endpoint is attached already."),
    SAME(HCN_E_REQUEST_UNSUPPORTED, "The request is not supported."),
    SAME(HCN_E_MAPPING_NOT_SUPPORTED,
         "Ports cannot be mapped on a network of this type."),
    SAME(HCN_E_DEGRADED_OPERATION,
         "It was done, but not all of it is in working order."),
    SAME(HCN_E_SHARED_SWITCH_MODIFICATION,
         "A switch that others use cannot be changed."),
    SAME(HCN_E_GUID_CONVERSION_FAILURE, "An id is not a GUID."),
    SAME(HCN_E_REGKEY_FAILURE,
         "The host's settings could not be read or written."),
    SAME(HCN_E_INVALID_JSON, "The document is not valid JSON."),
    SAME(HCN_E_INVALID_JSON_REFERENCE,
         "The document refers to something that is not there."),
    SAME(HCN_E_ENDPOINT_SHARING_DISABLED, "The endpoint cannot be shared."),
    SAME(HCN_E_INVALID_IP, "The address is not one of the network."),
    SAME(HCN_E_SWITCH_EXTENSION_NOT_FOUND, "There is no such extension."),
    SAME(HCN_E_MANAGER_STOPPED, "The network service is stopping."),
    SAME(HCN_E_ICS_DISABLED, "Connection sharing is switched off."),
    SAME(HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS,
         "The endpoint is in a namespace already."),
    SAME(HCN_E_ENTITY_HAS_REFERENCES, "Something still refers to it."),
    SAME(HCN_E_INVALID_INTERNAL_PORT, "The internal port is not valid."),
    SAME(HCN_E_NAMESPACE_ATTACH_FAILED,
         "The endpoint could not be attached to the namespace."),
    SAME(HCN_E_ADDR_INVALID_OR_RESERVED,
         "The address is not valid or is reserved."),
    SAME(HCN_E_INVALID_PREFIX, "The prefix is not valid."),
    SAME(HCN_E_OBJECT_USED_AFTER_UNLOAD, "The object has gone."),
    SAME(HCN_E_INVALID_SUBNET, "The subnet is not valid."),
    SAME(HCN_E_INVALID_IP_SUBNET, "The subnet of addresses is not valid."),
    SAME(HCN_E_ENDPOINT_NOT_ATTACHED, "The endpoint is not attached."),
    SAME(HCN_E_ENDPOINT_NOT_LOCAL, "The endpoint is not one of this host."),
    SAME(HCN_INTERFACEPARAMETERS_ALREADY_APPLIED,
         "The interface has such parameters already."),
    SAME(HCN_E_VFP_NOT_ALLOWED,
         "The switch's filter cannot be used on a network of this type."),
};

static const struct entry *find(HRESULT code) {
    for (size_t i = 0; i < HCS_COUNT(entries); i++)
        if (entries[i].code == code)
            return &entries[i];
    return NULL;
}

const char *hresult_hcn_symbol(HRESULT code) {
    const struct entry *entry = find(code);
    return entry ? entry->symbol : NULL;
}

const char *hresult_hcn_text(HRESULT code) {
    const struct entry *entry = find(code);
    return entry ? entry->text : NULL;
}
