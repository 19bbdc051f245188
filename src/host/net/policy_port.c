/* SPDX-License-Identifier: MIT
 * Ports of the host that lead to endpoints. A port of a protocol is mapped once
 * on the host: for all of its addresses, or once for each. */
#include <string.h>

#include "policy_readers.h"

#define FIRST_CHOSEN 49152 /* the ports that nobody is registered for */
#define CHOSEN_COUNT (65536 - FIRST_CHOSEN)

const struct doc_name protocol_names[] = {
    {"Unknown", 0}, {"ICMPv4", 1},  {"IGMP", 2}, {"TCP", 6},
    {"UDP", 17},    {"ICMPv6", 58}, {NULL, 0}};

static void make_key(uint8_t key[3], uint8_t protocol, uint16_t port) {
    key[0] = protocol;
    key[1] = (uint8_t)(port >> 8);
    key[2] = (uint8_t)port;
}

/* Whether a mapping in `index` has that port, those of `except` aside. */
static bool is_mapped(const struct index *index, const uint8_t key[3],
                      const struct ip_address *address,
                      const struct policies *except) {
    struct entry *entry = index_find(index, key, 3);

    for (; entry; entry = index_next(entry)) {
        const struct mapped_port *port = entry->owner;
        if (except && port->of == except)
            continue;
        if (port->address.family == IP_NONE || address->family == IP_NONE ||
            ip_same(&port->address, address))
            return true;
    }
    return false;
}

/* Whether those that are to be replaced hold it, so it is ours already. */
static bool was_ours(const struct compiler *compiler, const uint8_t key[3]) {
    const struct policies *old = compiler->context->replaced;
    struct entry *entry = index_find(&compiler->context->net->mappings, key, 3);

    for (; old && entry; entry = index_next(entry))
        if (((const struct mapped_port *)entry->owner)->of == old)
            return true;
    return false;
}

static bool is_free(const struct compiler *compiler,
                    const struct plane_mapping *mapping) {
    const struct net *net = compiler->context->net;
    uint8_t key[3];

    make_key(key, mapping->protocol, mapping->external);
    return !is_mapped(&net->mappings, key, &mapping->address,
                      compiler->context->replaced) &&
           !is_mapped(&compiler->own_ports, key, &mapping->address, NULL);
}

static bool is_held(const struct compiler *compiler,
                    const struct plane_mapping *mapping) {
    const struct net_env *env = &compiler->context->net->env;
    uint8_t key[3];

    make_key(key, mapping->protocol, mapping->external);
    return !was_ours(compiler, key) &&
           env->ops->port_taken(env->plane, mapping->protocol,
                                &mapping->address, mapping->external);
}

/* The settings say which port was chosen. */
static HRESULT report(struct compiler *compiler, uint16_t port,
                      struct hcs_error *error) {
    static const char name[] = "ExternalPort";
    struct json *settings = &compiler->policy->settings;
    size_t count = settings->as.object.count, kept = 0;
    struct json_member *members =
        arena_alloc(&compiler->out->arena, (count + 1) * sizeof *members);

    if (!members)
        return out_of_memory(error);
    for (size_t i = 0; i < count; i++)
        if (!doc_same_name(settings->as.object.members[i].name.text, name))
            members[kept++] = settings->as.object.members[i];
    members[kept].name = (struct json_string){name, sizeof name - 1};
    members[kept].value = (struct json){.type = JSON_INT};
    members[kept++].value.as.integer = port;
    settings->as.object.members = members;
    settings->as.object.count = kept;
    return S_OK;
}

static HRESULT choose(struct compiler *compiler, const struct doc *settings,
                      struct plane_mapping *mapping, struct hcs_error *error) {
    struct net *net = compiler->context->net;

    for (unsigned i = 0; i < CHOSEN_COUNT; i++) {
        unsigned next = net->next_port++ % CHOSEN_COUNT;
        mapping->external = (uint16_t)(FIRST_CHOSEN + next);
        if (is_free(compiler, mapping) && !is_held(compiler, mapping))
            return report(compiler, mapping->external, error);
    }
    return doc_fail(settings, HCN_E_PORT_ALREADY_EXISTS, error,
                    "all ports from %d on are mapped", FIRST_CHOSEN);
}

/* The kind of address it leads to: IP_NONE for whichever there is. */
static enum ip_family wanted(const struct plane_mapping *mapping) {
    return mapping->flags & PLANE_NAT_IPV6
               ? IP_V6
               : (enum ip_family)mapping->address.family;
}

static HRESULT check_family(const struct policy_context *context,
                            const struct doc *settings,
                            const struct plane_mapping *mapping,
                            struct hcs_error *error) {
    enum ip_family family = wanted(mapping);

    if (family == IP_V6 && mapping->address.family == IP_V4)
        return doc_fail(settings, HCN_E_INVALID_POLICY, error,
                        "Flags say IPv6, and VIP is an IPv4 address");
    if (context->address_count == 0 || family == IP_NONE ||
        policy_has_family(context, family))
        return S_OK;
    return doc_fail(settings, HCN_E_INVALID_POLICY, error,
                    "port %u would lead to an IPv%d address, which the "
                    "endpoint does not have",
                    mapping->external, (int)family);
}

static HRESULT check(struct compiler *compiler, const struct doc *settings,
                     struct plane_mapping *mapping, struct hcs_error *error) {
    if (mapping->protocol != 6 && mapping->protocol != 17)
        return doc_fail(settings, HCN_E_INVALID_POLICY, error,
                        "the protocol is %u; expected 6 (TCP) or 17 (UDP)",
                        mapping->protocol);
    if (mapping->internal == 0)
        return doc_fail(settings, HCN_E_INVALID_INTERNAL_PORT, error,
                        "InternalPort is 0; expected 1 to 65535");
    if (mapping->external == 0)
        return choose(compiler, settings, mapping, error);
    if (!is_free(compiler, mapping))
        return doc_fail(settings, HCN_E_PORT_ALREADY_EXISTS, error,
                        "port %u of protocol %u leads to an endpoint",
                        mapping->external, mapping->protocol);
    if (is_held(compiler, mapping))
        return doc_fail(settings, HR_SHARING_VIOLATION, error,
                        "port %u of protocol %u is in use on this host",
                        mapping->external, mapping->protocol);
    return S_OK;
}

static void keep(struct compiler *compiler,
                 const struct plane_mapping *mapping) {
    struct policies *out = compiler->out;
    struct mapped_port *port = &out->ports[out->port_count++];

    *port = (struct mapped_port){.address = mapping->address, .of = out};
    make_key(port->key, mapping->protocol, mapping->external);
    index_put(&compiler->own_ports, &port->entry, port->key, sizeof port->key,
              port);
    compiler->mappings[out->endpoint.mapping_count++] = *mapping;
}

static bool translates(enum plane_mode mode) {
    return mode == PLANE_NAT || mode == PLANE_ICS ||
           mode == PLANE_CONSTRAINED_ICS || mode == PLANE_OVERLAY;
}

HRESULT mapping_read(struct compiler *compiler, const struct doc *settings,
                     struct hcs_error *error) {
    struct plane_mapping mapping = {0};
    unsigned protocol = 0;
    HRESULT hr;

    if (!translates(compiler->context->mode))
        return doc_fail(settings, HCN_E_MAPPING_NOT_SUPPORTED, error,
                        "a network of this type translates no addresses");
    hr = doc_enum(settings, "Protocol", protocol_names, HCN_E_INVALID_POLICY,
                  &protocol, error);
    mapping.protocol = (uint8_t)protocol;
    if (SUCCEEDED(hr))
        hr = doc_u16(settings, "InternalPort", &mapping.internal, error);
    if (SUCCEEDED(hr))
        hr = doc_u16(settings, "ExternalPort", &mapping.external, error);
    if (SUCCEEDED(hr))
        hr = doc_u32(settings, "Flags", &mapping.flags, error);
    if (SUCCEEDED(hr))
        hr = doc_address(settings, "VIP", HCN_E_INVALID_POLICY,
                         &mapping.address, error);
    if (SUCCEEDED(hr))
        hr = check_family(compiler->context, settings, &mapping, error);
    if (SUCCEEDED(hr))
        hr = check(compiler, settings, &mapping, error);
    if (SUCCEEDED(hr))
        keep(compiler, &mapping);
    return hr;
}

void policies_enforce(struct net *net, struct policies *policies) {
    for (size_t i = 0; i < policies->port_count; i++) {
        struct mapped_port *port = &policies->ports[i];
        index_put(&net->mappings, &port->entry, port->key, sizeof port->key,
                  port);
    }
}

void policies_retire(struct net *net, struct policies *policies) {
    for (size_t i = 0; i < policies->port_count; i++)
        index_take(&net->mappings, &policies->ports[i].entry);
}
