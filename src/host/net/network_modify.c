/* SPDX-License-Identifier: MIT
 * Changing a network. */
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"

enum resource {
    RESOURCE_DNS,
    RESOURCE_EXTENSION,
    RESOURCE_POLICY,
    RESOURCE_SUBNET,
    RESOURCE_IP_SUBNET
};

static const struct doc_name resources[] = {
    {"DNS", RESOURCE_DNS},
    {"Extension", RESOURCE_EXTENSION},
    {"Policy", RESOURCE_POLICY},
    {"Subnet", RESOURCE_SUBNET},
    {"IPSubnet", RESOURCE_IP_SUBNET},
    {NULL, 0},
};

static HRESULT show(struct net *net, const struct network *network,
                    const struct policies *policies,
                    const struct subnets *subnets, const struct dns *dns,
                    struct hcs_error *error) {
    struct plane_network plane;
    network_plane(network, policies, subnets, dns, &plane);
    return net->env.ops->network_change(net->env.plane, &plane, error);
}

/* --- endpoints whose policies name the network's sets -------------- */

struct follower {
    struct endpoint *endpoint;
    struct policies *policies; /* what they become */
};

struct followers {
    struct follower *items;
    size_t count;
};

static void followers_free(struct followers *all) {
    for (size_t i = 0; i < all->count; i++)
        policies_free(all->items[i].policies);
    free(all->items);
}

static HRESULT follow(struct net *net, struct endpoint *endpoint,
                      const struct policies *network, struct follower *out,
                      struct hcs_error *error) {
    struct policy_context context;
    HRESULT hr;

    endpoint_context(net, endpoint, network, &context);
    out->endpoint = endpoint;
    hr = policies_make(&context, endpoint->policies, CHANGE_ADD, NULL,
                       &out->policies, error);
    if (hr == HCN_E_INVALID_POLICY)
        hr = error_set(error, HCN_E_ENTITY_HAS_REFERENCES, "$.Settings",
                       "endpoints have policies that name the set");
    return hr;
}

static HRESULT followers_make(struct net *net, struct network *network,
                              const struct policies *policies,
                              struct followers *all, struct hcs_error *error) {
    const struct link *head = &network->endpoints;
    HRESULT hr = S_OK;

    all->count = 0;
    all->items = calloc(network->endpoint_count + 1, sizeof *all->items);
    if (!all->items)
        return out_of_memory(error);
    for (struct link *l = head->next; SUCCEEDED(hr) && l != head; l = l->next) {
        struct endpoint *endpoint =
            HCS_CONTAINER(l, struct endpoint, of_network);
        if (endpoint->policies->uses_sets)
            hr = follow(net, endpoint, policies, &all->items[all->count++],
                        error);
    }
    return hr;
}

/* `fresh`: what they become, else what they were. */
static HRESULT followers_show(struct net *net, const struct followers *all,
                              size_t count, bool fresh,
                              struct hcs_error *error) {
    for (size_t i = 0; i < count; i++) {
        struct endpoint *endpoint = all->items[i].endpoint;
        struct plane_endpoint plane;
        HRESULT hr;
        endpoint_plane(endpoint,
                       fresh ? all->items[i].policies : endpoint->policies,
                       &plane);
        hr = net->env.ops->endpoint_change(net->env.plane, &plane, error);
        if (FAILED(hr) && fresh) {
            followers_show(net, all, i, false, NULL);
            return hr;
        }
    }
    return S_OK;
}

static void followers_commit(struct net *net, struct followers *all) {
    for (size_t i = 0; i < all->count; i++) {
        struct endpoint *endpoint = all->items[i].endpoint;
        struct policies *old = endpoint->policies;
        policies_retire(net, old);
        endpoint->policies = all->items[i].policies;
        policies_enforce(net, endpoint->policies);
        all->items[i].policies = old;
    }
}

/* --- the resources ------------------------------------------------- */

static HRESULT put_in_force(struct net *net, struct network *network,
                            struct policies *policies,
                            struct hcs_error *error) {
    struct followers all = {0};
    HRESULT hr = followers_make(net, network, policies, &all, error);

    if (SUCCEEDED(hr))
        hr =
            show(net, network, policies, network->subnets, network->dns, error);
    if (SUCCEEDED(hr)) {
        hr = followers_show(net, &all, all.count, true, error);
        if (FAILED(hr)) /* back to what was in force a moment ago */
            show(net, network, network->policies, network->subnets,
                 network->dns, NULL);
    }
    if (SUCCEEDED(hr))
        followers_commit(net, &all);
    followers_free(&all);
    return hr;
}

static bool same_text(const struct json *a, const struct json *b) {
    return a == b || (a && b && doc_same(a, b));
}

/* What the network is bound to stays. */
static HRESULT check_binding(const struct network *network,
                             const struct policies *now,
                             struct hcs_error *error) {
    static const char *const types[][2] = {
        {"NetAdapterName", "NetworkAdapterName"},
        {"InterfaceConstraint", "InterfaceAlias"},
        {"InterfaceConstraint", "InterfaceIndex"},
    };
    if (!mode_is_external(network->mode))
        return S_OK;
    for (size_t i = 0; i < HCS_COUNT(types); i++)
        if (!same_text(
                policies_setting(network->policies, types[i][0], types[i][1]),
                policies_setting(now, types[i][0], types[i][1])))
            return error_set(error, HCN_E_SHARED_SWITCH_MODIFICATION,
                             "$.Settings",
                             "the network stays on the adapter it is bound to");
    return S_OK;
}

static HRESULT modify_policies(struct net *net, struct network *network,
                               enum change change, const struct doc *settings,
                               struct hcs_error *error) {
    const struct policy_context context = {.net = net,
                                           .object = POLICY_NETWORK,
                                           .mode = network->mode,
                                           .replaced = network->policies};
    struct policies *now;
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(settings, "Policies", &array, &count, error);

    if (SUCCEEDED(hr))
        hr = policies_make(&context, network->policies, change, &array, &now,
                           error);
    if (FAILED(hr))
        return hr;
    hr = check_binding(network, now, error);
    if (SUCCEEDED(hr))
        hr = put_in_force(net, network, now, error);
    if (FAILED(hr)) {
        policies_free(now);
        return hr;
    }
    policies_free(network->policies);
    network->policies = now;
    return S_OK;
}

static HRESULT modify_dns(struct net *net, struct network *network,
                          const struct doc *settings, struct hcs_error *error) {
    struct dns *now;
    HRESULT hr = dns_read(settings, &now, error);

    if (FAILED(hr))
        return hr;
    hr = show(net, network, network->policies, network->subnets, now, error);
    if (FAILED(hr)) {
        dns_free(now);
        return hr;
    }
    dns_free(network->dns);
    network->dns = now;
    return S_OK;
}

static HRESULT modify_extension(struct network *network,
                                const struct doc *settings,
                                struct hcs_error *error) {
    struct guid id = {{0}}, known;
    bool on = false;
    HRESULT hr = doc_guid(settings, "Id", &id, error);

    if (SUCCEEDED(hr))
        hr = doc_bool(settings, "IsEnabled", &on, error);
    if (FAILED(hr))
        return hr;
    for (size_t i = 0; i < EXTENSION_COUNT; i++)
        if (guid_parse(extension_ids[i], &known) &&
            memcmp(&id, &known, sizeof id) == 0) {
            network->extensions[i] = on;
            return S_OK;
        }
    return doc_fail(settings, HCN_E_SWITCH_EXTENSION_NOT_FOUND, error,
                    "the switch has no extension with that Id");
}

static HRESULT modify_subnets(struct net *net, struct network *network,
                              enum resource resource, enum change change,
                              const struct doc *settings,
                              struct hcs_error *error) {
    struct subnets *now;
    HRESULT hr =
        resource == RESOURCE_SUBNET
            ? subnets_change(net, network, change, settings, &now, error)
            : subnets_change_pools(net, network, change, settings, &now, error);
    if (FAILED(hr))
        return hr;
    hr = show(net, network, network->policies, now, network->dns, error);
    if (FAILED(hr)) {
        subnets_free(now);
        return hr;
    }
    subnets_free(network->subnets);
    network->subnets = now;
    return S_OK;
}

static bool is_allowed(enum resource resource, enum change change) {
    switch (resource) {
    case RESOURCE_DNS:
    case RESOURCE_EXTENSION:
        return change == CHANGE_UPDATE;
    case RESOURCE_POLICY:
        return change == CHANGE_ADD || change == CHANGE_REMOVE ||
               change == CHANGE_UPDATE;
    default:
        return change == CHANGE_ADD || change == CHANGE_REMOVE;
    }
}

HRESULT network_modify(struct net *net, struct object *object,
                       const struct doc *request, struct hcs_error *error) {
    struct network *network = network_of(object);
    struct doc settings;
    unsigned resource;
    enum change change;
    HRESULT hr =
        modify_read(request, resources, &resource, &change, &settings, error);

    if (FAILED(hr))
        return hr;
    if (!is_allowed((enum resource)resource, change))
        return modify_unsupported(request, doc_enum_name(resources, resource),
                                  change, error);
    switch ((enum resource)resource) {
    case RESOURCE_DNS:
        hr = modify_dns(net, network, &settings, error);
        break;
    case RESOURCE_EXTENSION:
        hr = modify_extension(network, &settings, error);
        break;
    case RESOURCE_POLICY:
        hr = modify_policies(net, network, change, &settings, error);
        break;
    default:
        hr = modify_subnets(net, network, (enum resource)resource, change,
                            &settings, error);
    }
    if (SUCCEEDED(hr))
        network->updated = net->env.now(net->env.context);
    return hr;
}
