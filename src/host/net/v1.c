/* SPDX-License-Identifier: MIT
 * The older form of documents, written anew in the newer one. What has the
 * wrong JSON type is passed on as it is, so that it is refused in one place. */
#include <string.h>

#include "core.h"

const char *const v1_network_members[] = {
    "Subnets",
    "MacPools",
    "NetworkAdapterName",
    "SourceMac",
    "DNSSuffix",
    "DNSServerList",
    "DNSDomain",
    "IsolateSwitch",
    "AutomaticDNS",
    "DrMacAddress",
    "InterfaceConstraint",
    "NatName",
    "Extensions",
    NULL,
};
const char *const v1_endpoint_members[] = {
    "VirtualNetwork",      "VirtualNetworkName", "IPAddress",
    "PrefixLength",        "IPv6Address",        "IPv6PrefixLength",
    "GatewayAddress",      "GatewayAddressV6",   "DNSServerList",
    "DNSSuffix",           "DNSDomain",          "EnableInternalDNS",
    "DisableICC",          "IsRemoteEndpoint",   "EnableLowMetric",
    "PortFriendlyName",    "EncapOverhead",      "Mtu",
    "InterfaceConstraint", "Namespace",          NULL,
};
const char *const v1_namespace_members[] = {
    "IsDefault",    "CompartmentId", "CompartmentGuid",
    "ResourceList", "Containers",    NULL,
};

HRESULT v1_recognise(const struct doc *doc, const struct kind *kind, bool *v1,
                     struct hcs_error *error) {
    struct doc version;
    uint32_t major = 0;
    HRESULT hr = doc_object(doc, "SchemaVersion", &version, error);

    if (SUCCEEDED(hr))
        hr = doc_u32(&version, "Major", &major, error);
    if (FAILED(hr))
        return hr;
    if (major > 2)
        return doc_fail(&version, E_INVALIDARG, error,
                        "version %u is not known; expected 1 or 2",
                        (unsigned)major);
    *v1 = major == 1;
    for (size_t i = 0; major == 0 && !*v1 && kind->v1_members[i]; i++)
        *v1 = doc_get(doc, kind->v1_members[i]).value != NULL;
    return S_OK;
}

/* --- members ------------------------------------------------------- */

/* The member under its new name, if it is there. */
static void pass(const struct doc *doc, const char *v1, const char *v2,
                 struct json_writer *w) {
    struct doc member = doc_get(doc, v1);
    if (!member.value)
        return;
    json_key(w, v2);
    json_put_value(w, member.value);
}

static bool is_true(const struct doc *doc, const char *name) {
    return json_is_true(doc_get(doc, name).value);
}

/* "a,b" -> ["a","b"] */
static void pass_list(const struct doc *doc, const char *v1, const char *v2,
                      struct json_writer *w) {
    struct doc member = doc_get(doc, v1);
    const char *text = json_text(member.value, NULL);

    if (!text) {
        pass(doc, v1, v2, w);
        return;
    }
    json_key(w, v2);
    json_begin_array(w);
    for (;;) {
        size_t length;
        text += strspn(text, ", ");
        if (*text == '\0')
            break;
        length = strcspn(text, ", ");
        json_put_string_n(w, text, length);
        text += length;
    }
    json_end_array(w);
}

static void pass_dns(const struct doc *doc, struct json_writer *w) {
    json_key(w, "Dns");
    json_begin_object(w);
    pass(doc, "DNSDomain", "Domain", w);
    pass_list(doc, "DNSSuffix", "Search", w);
    pass_list(doc, "DNSServerList", "ServerList", w);
    json_end_object(w);
}

/* Flags and the members that became flags. */
struct flag {
    const char *name;
    unsigned value;
};

static void pass_flags(const struct doc *doc, const struct flag *flags,
                       size_t count, struct json_writer *w) {
    struct doc given = doc_get(doc, "Flags");
    uint64_t value = 0;

    if (given.value && !json_to_uint64(given.value, &value)) {
        pass(doc, "Flags", "Flags", w);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (is_true(doc, flags[i].name))
            value |= flags[i].value;
    json_pair_uint(w, "Flags", value);
}

static void pass_base(const struct doc *doc, struct json_writer *w) {
    pass(doc, "ID", "ID", w);
    pass(doc, "Owner", "Owner", w);
    pass(doc, "Name", "Name", w);
    put_schema_version(w);
}

/* A policy of one setting, made of the member `name` of the document. */
static void pass_policy(const struct doc *doc, const char *name,
                        const char *type, const char *setting,
                        struct json_writer *w) {
    struct doc member = doc_get(doc, name);
    const char *text = json_text(member.value, NULL);

    if (!member.value || (text && *text == '\0'))
        return;
    json_begin_object(w);
    json_pair_string(w, "Type", type);
    json_key(w, "Settings");
    if (setting) {
        json_begin_object(w);
        json_key(w, setting);
    }
    json_put_value(w, member.value);
    if (setting)
        json_end_object(w);
    json_end_object(w);
}

/* The document's own; their older form is read where policies are. False when
 * they are no array, which is then written as it is. */
static bool begin_policies(const struct doc *doc, struct json_writer *w) {
    struct doc array = doc_get(doc, "Policies");

    json_key(w, "Policies");
    if (array.value && array.value->type != JSON_ARRAY) {
        json_put_value(w, array.value);
        return false;
    }
    json_begin_array(w);
    for (size_t i = 0; array.value && i < array.value->as.array.count; i++)
        json_put_value(w, &array.value->as.array.items[i]);
    return true;
}

/* --- networks ------------------------------------------------------ */

/* The old numbers of the types. */
static const char *const old_modes[] = {
    "NAT", "Transparent", "L2Bridge", "L2Tunnel", "ICS", "Private",
};

static void pass_mode(const struct doc *doc, struct json_writer *w) {
    struct doc type = doc_get(doc, "Type");
    uint64_t number;

    if (json_to_uint64(type.value, &number) && number < HCS_COUNT(old_modes))
        json_pair_string(w, "Type", old_modes[number]);
    else
        pass(doc, "Type", "Type", w);
}

static void pass_subnet(const struct doc *subnet, struct json_writer *w) {
    struct doc gateway = doc_get(subnet, "GatewayAddress");
    const char *text = json_text(gateway.value, "");

    json_begin_object(w);
    pass(subnet, "ID", "ID", w);
    pass(subnet, "AddressPrefix", "IpAddressPrefix", w);
    pass(subnet, "Flags", "Flags", w);
    pass(subnet, "Policies", "Policies", w);
    pass(subnet, "IpSubnets", "IpSubnets", w);
    if (gateway.value && *text != '\0') {
        json_key(w, "Routes");
        json_begin_array(w);
        json_begin_object(w);
        json_pair_string(w, "NextHop", text);
        json_pair_string(w, "DestinationPrefix",
                         strchr(text, ':') ? "::/0" : "0.0.0.0/0");
        json_end_object(w);
        json_end_array(w);
    }
    json_end_object(w);
}

static void pass_subnets(const struct doc *doc, struct json_writer *w) {
    struct doc array = doc_get(doc, "Subnets");

    if (!array.value)
        return;
    json_key(w, "Ipams");
    json_begin_array(w);
    json_begin_object(w);
    json_key(w, "Subnets");
    if (array.value->type == JSON_ARRAY) {
        json_begin_array(w);
        for (size_t i = 0; i < array.value->as.array.count; i++) {
            struct doc item = doc_item(&array, i);
            if (item.value->type == JSON_OBJECT)
                pass_subnet(&item, w);
            else
                json_put_value(w, item.value);
        }
        json_end_array(w);
    } else {
        json_put_value(w, array.value);
    }
    json_end_object(w);
    json_end_array(w);
}

static void pass_pools(const struct doc *doc, struct json_writer *w) {
    if (!doc_get(doc, "MacPools").value)
        return;
    json_key(w, "MacPool");
    json_begin_object(w);
    pass(doc, "MacPools", "Ranges", w);
    json_end_object(w);
}

/* What every NAT network says of itself in this form is no policy of ours. */
static bool is_nat_vlan(const struct doc *item) {
    struct doc type = doc_get(item, "Type");
    return doc_same_name(json_text(type.value, ""), "VLAN");
}

static void pass_network_policies(const struct doc *doc,
                                  struct json_writer *w) {
    struct doc array = doc_get(doc, "Policies");

    json_key(w, "Policies");
    if (array.value && array.value->type != JSON_ARRAY) {
        json_put_value(w, array.value);
        return;
    }
    json_begin_array(w);
    for (size_t i = 0; array.value && i < array.value->as.array.count; i++) {
        struct doc item = doc_item(&array, i);
        if (!is_nat_vlan(&item))
            json_put_value(w, item.value);
    }
    pass_policy(doc, "NetworkAdapterName", "NetAdapterName",
                "NetworkAdapterName", w);
    pass_policy(doc, "SourceMac", "SourceMacAddress", "SourceMacAddress", w);
    pass_policy(doc, "DrMacAddress", "DrMacAddress", "Address", w);
    pass_policy(doc, "AutomaticDNS", "AutomaticDNS", "Enable", w);
    pass_policy(doc, "InterfaceConstraint", "InterfaceConstraint", NULL, w);
    json_end_array(w);
}

void v1_network(const struct doc *doc, struct json_writer *w) {
    static const struct flag flags[] = {
        {"IsolateSwitch", PLANE_NETWORK_ISOLATE}};

    json_begin_object(w);
    pass_base(doc, w);
    pass_mode(doc, w);
    pass_flags(doc, flags, HCS_COUNT(flags), w);
    pass_pools(doc, w);
    pass_subnets(doc, w);
    pass_dns(doc, w);
    pass_network_policies(doc, w);
    json_end_object(w);
}

/* --- endpoints ----------------------------------------------------- */

static void pass_address(const struct doc *doc, const char *name,
                         const char *length, struct json_writer *w) {
    struct doc address = doc_get(doc, name);
    const char *text = json_text(address.value, NULL);

    if (!address.value || (text && *text == '\0'))
        return;
    json_begin_object(w);
    pass(doc, name, "IpAddress", w);
    pass(doc, length, "PrefixLength", w);
    json_end_object(w);
}

static void pass_gateway(const struct doc *doc, const char *name,
                         const char *prefix, struct json_writer *w) {
    struct doc gateway = doc_get(doc, name);
    const char *text = json_text(gateway.value, NULL);

    if (!gateway.value || (text && *text == '\0'))
        return;
    json_begin_object(w);
    pass(doc, name, "NextHop", w);
    json_pair_string(w, "DestinationPrefix", prefix);
    json_end_object(w);
}

static void pass_lists(const struct doc *doc, struct json_writer *w) {
    json_key(w, "IpConfigurations");
    json_begin_array(w);
    pass_address(doc, "IPAddress", "PrefixLength", w);
    pass_address(doc, "IPv6Address", "IPv6PrefixLength", w);
    json_end_array(w);
    json_key(w, "Routes");
    json_begin_array(w);
    pass_gateway(doc, "GatewayAddress", "0.0.0.0/0", w);
    pass_gateway(doc, "GatewayAddressV6", "::/0", w);
    json_end_array(w);
}

/* A number of 0 stands for nothing. */
static bool is_zero(const struct doc *doc, const char *name) {
    uint64_t number = 1;
    return json_to_uint64(doc_get(doc, name).value, &number) && number == 0;
}

static bool has_policy(const struct doc *doc, const char *type) {
    struct doc array = doc_get(doc, "Policies");

    if (!array.value || array.value->type != JSON_ARRAY)
        return false;
    for (size_t i = 0; i < array.value->as.array.count; i++) {
        struct doc item = doc_item(&array, i);
        struct doc there = doc_get(&item, "Type");
        if (doc_same_name(json_text(there.value, ""), type))
            return true;
    }
    return false;
}

/* A member, unless the policies say it themselves. */
static void pass_unless_there(const struct doc *doc, const char *name,
                              const char *type, const char *setting,
                              struct json_writer *w) {
    if (!is_zero(doc, name) && !has_policy(doc, type))
        pass_policy(doc, name, type, setting, w);
}

void v1_endpoint(const struct doc *doc, struct json_writer *w) {
    static const struct flag flags[] = {
        {"IsRemoteEndpoint", PLANE_ENDPOINT_REMOTE},
        {"DisableICC", PLANE_ENDPOINT_ISOLATED},
        {"EnableLowMetric", PLANE_ENDPOINT_LOW_METRIC},
    };

    json_begin_object(w);
    pass_base(doc, w);
    pass(doc, "VirtualNetwork", "HostComputeNetwork", w);
    pass(doc, "MacAddress", "MacAddress", w);
    pass_flags(doc, flags, HCS_COUNT(flags), w);
    pass_lists(doc, w);
    pass_dns(doc, w);
    if (begin_policies(doc, w)) {
        pass_unless_there(doc, "EncapOverhead", "EncapOverhead", "Overhead", w);
        pass_unless_there(doc, "Mtu", "InterfaceParameters", "Mtu", w);
        pass_unless_there(doc, "PortFriendlyName", "PortName", "Name", w);
        pass_unless_there(doc, "InterfaceConstraint", "InterfaceConstraint",
                          NULL, w);
        json_end_array(w);
    }
    json_end_object(w);
}

/* --- namespaces ---------------------------------------------------- */

void v1_namespace(const struct doc *doc, struct json_writer *w) {
    json_begin_object(w);
    pass_base(doc, w);
    if (is_true(doc, "IsDefault"))
        json_pair_string(w, "Type", "HostDefault");
    pass(doc, "CompartmentId", "NamespaceId", w);
    pass(doc, "CreateWithCompartment", "CreateWithCompartment", w);
    json_end_object(w);
}
