/* SPDX-License-Identifier: MIT
 * Endpoints: making them and taking them away. */
#include "endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "space.h"

struct endpoint *endpoint_of(struct object *object) {
    return HCS_CONTAINER(object, struct endpoint, object);
}

bool endpoint_is_remote(const struct endpoint *endpoint) {
    return (endpoint->flags & PLANE_ENDPOINT_REMOTE) != 0;
}

void endpoint_plane(const struct endpoint *endpoint,
                    const struct policies *policies,
                    struct plane_endpoint *out) {
    *out = policies->endpoint;
    out->id = endpoint->object.id;
    out->network = endpoint->network->object.id;
    out->name = endpoint->name;
    out->flags = endpoint->flags;
    out->mac = endpoint->mac;
    out->addresses = endpoint->ips;
    out->address_count = endpoint->address_count;
    out->routes = endpoint->routes;
    out->route_count = endpoint->route_count;
    out->dns = dns_is_empty(endpoint->dns) ? endpoint->network->dns->plane
                                           : endpoint->dns->plane;
}

void endpoint_context(struct net *net, const struct endpoint *endpoint,
                      const struct policies *network,
                      struct policy_context *out) {
    *out = (struct policy_context){.net = net,
                                   .object = POLICY_ENDPOINT,
                                   .mode = endpoint->network->mode,
                                   .remote = endpoint_is_remote(endpoint),
                                   .addresses = endpoint->ips,
                                   .address_count = endpoint->address_count,
                                   .network = network,
                                   .replaced = endpoint->policies};
}

static void endpoint_free(struct endpoint *endpoint) {
    policies_free(endpoint->policies);
    dns_free(endpoint->dns);
    arena_free(&endpoint->arena);
    free(endpoint->adapter);
    free(endpoint);
}

/* --- making -------------------------------------------------------- */

static HRESULT find_network(const struct net *net, const struct making *making,
                            struct network **out, struct hcs_error *error) {
    struct guid id = making->parent;
    struct object *object;
    HRESULT hr = S_OK;

    if (guid_is_zero(&id))
        hr = doc_guid(making->doc, "HostComputeNetwork", &id, error);
    if (SUCCEEDED(hr) && guid_is_zero(&id))
        hr = doc_fail(making->doc, HCN_E_INVALID_JSON_REFERENCE, error,
                      "expected the id of a network in HostComputeNetwork");
    if (SUCCEEDED(hr))
        hr = object_need(net, NET_NETWORK, &id, &object, error);
    if (SUCCEEDED(hr))
        *out = network_of(object);
    return hr;
}

/* What a network of its type adds to an endpoint that does not say it. */
static const char *added_policy(const struct endpoint *endpoint) {
    if (endpoint->network->mode == PLANE_OVERLAY &&
        endpoint->policies->endpoint.overhead == 0)
        return "[{\"Type\":\"EncapOverhead\",\"Settings\":{\"Overhead\":50}}]";
    if (endpoint->network->mode == PLANE_L2BRIDGE &&
        endpoint_is_remote(endpoint))
        return "[{\"Type\":\"L2Driver\"}]";
    return NULL;
}

static HRESULT add_policy(const struct policy_context *context,
                          struct endpoint *endpoint, const char *text,
                          struct hcs_error *error) {
    struct policies *with;
    struct json_doc doc;
    struct doc root;
    HRESULT hr = json_parse(text, strlen(text), &doc, error);

    if (FAILED(hr))
        return hr;
    root = doc_root(doc.root);
    hr = policies_make(context, endpoint->policies, CHANGE_ADD, &root, &with,
                       error);
    json_doc_free(&doc);
    if (hr == HCN_E_POLICY_ALREADY_EXISTS)
        return S_OK; /* the document has said it */
    if (FAILED(hr))
        return hr;
    policies_free(endpoint->policies);
    endpoint->policies = with;
    return S_OK;
}

static HRESULT read_policies(struct net *net, const struct doc *doc,
                             struct endpoint *endpoint,
                             struct hcs_error *error) {
    struct policy_context context;
    const char *added;
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(doc, "Policies", &array, &count, error);

    if (FAILED(hr))
        return hr;
    endpoint_context(net, endpoint, endpoint->network->policies, &context);
    hr = policies_make(&context, NULL, CHANGE_ADD, &array, &endpoint->policies,
                       error);
    if (FAILED(hr))
        return hr;
    added = net->restoring ? NULL : added_policy(endpoint);
    return added ? add_policy(&context, endpoint, added, error) : S_OK;
}

static HRESULT bring_up(struct net *net, struct endpoint *endpoint,
                        struct hcs_error *error) {
    struct plane_endpoint plane;

    endpoint_plane(endpoint, endpoint->policies, &plane);
    return net->env.ops->endpoint_up(net->env.plane, &plane, error);
}

/* Nothing in here can fail. */
static void put(struct net *net, struct endpoint *endpoint) {
    struct network *network = endpoint->network;
    struct guid id = endpoint->object.id;

    object_put(net, NET_ENDPOINT, &endpoint->object, &id);
    link_append(&network->endpoints, &endpoint->of_network);
    network->endpoint_count++;
    network->endpoints_ever += !net->restoring;
    object_changed(net, &network->object);
    index_put(&network->macs, &endpoint->by_mac, endpoint->mac.bytes,
              sizeof endpoint->mac.bytes, endpoint);
    for (size_t i = 0; i < endpoint->address_count; i++) {
        struct address *address = &endpoint->addresses[i];
        index_put(&network->addresses, &address->entry, &address->plane.address,
                  sizeof address->plane.address, endpoint);
    }
    policies_enforce(net, endpoint->policies);
}

static HRESULT endpoint_create(struct net *net, const struct making *making,
                               struct object **out, struct hcs_error *error) {
    struct endpoint *endpoint = calloc(1, sizeof *endpoint);
    HRESULT hr;

    if (!endpoint)
        return out_of_memory(error);
    endpoint->object.id = making->id;
    endpoint->state = ENDPOINT_CREATED;
    link_init(&endpoint->of_network);
    link_init(&endpoint->of_space);
    hr = find_network(net, making, &endpoint->network, error);
    if (SUCCEEDED(hr))
        hr = endpoint_read(making->doc, !net->restoring, endpoint, error);
    if (SUCCEEDED(hr))
        hr = read_policies(net, making->doc, endpoint, error);
    if (SUCCEEDED(hr))
        hr = bring_up(net, endpoint, error);
    if (FAILED(hr)) {
        endpoint_free(endpoint);
        return hr;
    }
    put(net, endpoint);
    *out = &endpoint->object;
    return S_OK;
}

/* --- taking away --------------------------------------------------- */

static void give_back_address(struct network *network,
                              struct address *address) {
    const struct ip_address *ip = &address->plane.address;
    const struct subnet *subnet = subnets_find(network->subnets, ip);
    struct pool *pool = subnet ? subnet_pool(subnet, ip) : NULL;

    index_take(&network->addresses, &address->entry);
    if (pool) {
        uint64_t offset = ip_prefix_offset(&pool->prefix, ip);
        if (offset < pool->hint)
            pool->hint = offset;
    }
}

static void take_away(struct net *net, struct endpoint *endpoint,
                      bool quietly) {
    struct network *network = endpoint->network;

    space_leave(net, endpoint, quietly);
    endpoint_port_down(net, endpoint, quietly);
    net->env.ops->endpoint_down(net->env.plane, &endpoint->object.id);
    policies_retire(net, endpoint->policies);
    object_take(net, NET_ENDPOINT, &endpoint->object);
    link_remove(&endpoint->of_network);
    network->endpoint_count--;
    index_take(&network->macs, &endpoint->by_mac);
    mac_give_back(network, &endpoint->mac);
    for (size_t i = 0; i < endpoint->address_count; i++)
        give_back_address(network, &endpoint->addresses[i]);
    endpoint_free(endpoint);
}

static HRESULT endpoint_remove(struct net *net, struct object *object,
                               struct hcs_error *error) {
    (void)error;
    take_away(net, endpoint_of(object), false);
    return S_OK;
}

static void endpoint_drop(struct net *net, struct object *object) {
    take_away(net, endpoint_of(object), true);
}

const struct kind kind_endpoint = {
    .noun = "endpoint",
    .missing = HCN_E_ENDPOINT_NOT_FOUND,
    .exists = HR_ALREADY_EXISTS,
    .shape = "HostComputeEndpoint",
    .v1_shape = "HNSEndpoint",
    .modify_shape = "ModifyEndpointSettingRequest",
    .v1_members = v1_endpoint_members,
    .from_v1 = v1_endpoint,
    .create = endpoint_create,
    .modify = endpoint_modify,
    .remove = endpoint_remove,
    .drop = endpoint_drop,
    .write = endpoint_write,
    .keep = endpoint_keep,
    .restore = endpoint_restore,
};
