/* SPDX-License-Identifier: MIT
 * Networks: making them and taking them away. */
#include "network.h"

#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "space.h"

static const struct doc_name modes[] = {
    {"NAT", PLANE_NAT},
    {"ICS", PLANE_ICS},
    {"Transparent", PLANE_TRANSPARENT},
    {"L2Bridge", PLANE_L2BRIDGE},
    {"L2Tunnel", PLANE_L2TUNNEL},
    {"Overlay", PLANE_OVERLAY},
    {"Private", PLANE_PRIVATE},
    {"Internal", PLANE_INTERNAL},
    {"Mirrored", PLANE_MIRRORED},
    {"Infiniband", PLANE_INFINIBAND},
    {"ConstrainedICS", PLANE_CONSTRAINED_ICS},
    {NULL, 0},
};

const char *mode_name(enum plane_mode mode) {
    return doc_enum_name(modes, mode);
}

bool mode_is_external(enum plane_mode mode) {
    return mode == PLANE_TRANSPARENT || mode == PLANE_L2BRIDGE ||
           mode == PLANE_L2TUNNEL || mode == PLANE_OVERLAY;
}

struct network *network_of(struct object *object) {
    return HCS_CONTAINER(object, struct network, object);
}

static void network_free(struct network *network) {
    subnets_free(network->subnets);
    policies_free(network->policies);
    dns_free(network->dns);
    index_free(&network->macs);
    index_free(&network->addresses);
    arena_free(&network->arena);
    free(network);
}

/* --- reading ------------------------------------------------------- */

static HRESULT keep_text(struct arena *arena, const struct doc *doc,
                         const char *name, const char **out,
                         struct hcs_error *error) {
    const char *text = "";
    HRESULT hr = doc_text(doc, name, &text, error);

    if (FAILED(hr))
        return hr;
    *out = arena_text(arena, text, strlen(text));
    return *out ? S_OK : out_of_memory(error);
}

static HRESULT read_mode(const struct net *net, const struct doc *doc,
                         struct network *network, struct hcs_error *error) {
    const struct net_env *env = &net->env;
    struct doc place = doc_get(doc, "Type");
    unsigned mode = PLANE_NAT;
    HRESULT hr =
        doc_enum(doc, "Type", modes, HCN_E_INVALID_NETWORK_TYPE, &mode, error);

    network->mode = (enum plane_mode)mode;
    if (FAILED(hr))
        return hr;
    hr = env->ops->can_network(env->plane, network->mode, error);
    if (FAILED(hr) && place.value)
        return error_wrap(error, hr, "$.Type");
    return hr;
}

static HRESULT read_name(struct net *net, const struct doc *doc,
                         struct network *network, struct hcs_error *error) {
    struct doc place = doc_get(doc, "Name");
    HRESULT hr = keep_text(&network->arena, doc, "Name", &network->name, error);

    if (FAILED(hr))
        return hr;
    network->folded =
        arena_text(&network->arena, network->name, strlen(network->name));
    if (!network->folded)
        return out_of_memory(error);
    for (char *c = network->folded; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    if (*network->name &&
        index_find(&net->names, network->folded, strlen(network->folded)))
        return doc_fail(&place, HCN_E_NETWORK_ALREADY_EXISTS, error,
                        "a network is called \"%s\"", network->name);
    return S_OK;
}

static HRESULT read_policies(struct net *net, const struct doc *doc,
                             struct network *network, struct hcs_error *error) {
    const struct policy_context context = {
        .net = net, .object = POLICY_NETWORK, .mode = network->mode};
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(doc, "Policies", &array, &count, error);

    if (SUCCEEDED(hr))
        hr = policies_make(&context, NULL, CHANGE_ADD, &array,
                           &network->policies, error);
    return hr;
}

/* The adapter that an external network is bound to, and the policy that says
 * so where the document did not. */
static HRESULT bind_adapter(struct net *net, struct network *network,
                            struct hcs_error *error) {
    const struct policy_context context = {
        .net = net, .object = POLICY_NETWORK, .mode = network->mode};
    const struct net_env *env = &net->env;
    struct json_member members[2] = {{{"Type", 4}, {0}},
                                     {{"Settings", 8}, {0}}};
    struct json_member name = {{"NetworkAdapterName", 18}, {0}};
    struct json policy = {.type = JSON_OBJECT,
                          .as.object = {members, HCS_COUNT(members)}};
    struct json array = {.type = JSON_ARRAY, .as.array = {&policy, 1}};
    struct doc root = doc_root(&array);
    struct policies *with;
    HRESULT hr;

    if (!mode_is_external(network->mode))
        return S_OK;
    hr = env->ops->find_adapter(env->plane, &network->policies->adapter,
                                network->adapter, error);
    if (FAILED(hr) || policies_setting(network->policies, "NetAdapterName",
                                       "NetworkAdapterName"))
        return hr;
    members[0].value.type = JSON_STRING;
    members[0].value.as.string = (struct json_string){"NetAdapterName", 14};
    members[1].value.type = JSON_OBJECT;
    members[1].value.as.object.members = &name;
    members[1].value.as.object.count = 1;
    name.value.type = JSON_STRING;
    name.value.as.string =
        (struct json_string){network->adapter, strlen(network->adapter)};
    hr = policies_make(&context, network->policies, CHANGE_ADD, &root, &with,
                       error);
    if (FAILED(hr))
        return hr;
    policies_free(network->policies);
    network->policies = with;
    return S_OK;
}

static HRESULT read_all(struct net *net, const struct doc *doc,
                        struct network *network, struct hcs_error *error) {
    struct doc dns;
    HRESULT hr = read_mode(net, doc, network, error);

    if (SUCCEEDED(hr))
        hr = read_name(net, doc, network, error);
    if (SUCCEEDED(hr))
        hr = keep_text(&network->arena, doc, "Owner", &network->owner, error);
    if (SUCCEEDED(hr))
        hr = doc_u32(doc, "Flags", &network->flags, error);
    if (SUCCEEDED(hr))
        hr = mac_ranges_read(net, doc, network, error);
    if (SUCCEEDED(hr))
        hr = doc_object(doc, "Dns", &dns, error);
    if (SUCCEEDED(hr))
        hr = dns_read(&dns, &network->dns, error);
    if (SUCCEEDED(hr))
        hr = subnets_read(net, network->mode, doc, &network->subnets, error);
    if (SUCCEEDED(hr))
        hr = read_policies(net, doc, network, error);
    if (SUCCEEDED(hr))
        hr = bind_adapter(net, network, error);
    return hr;
}

/* --- making -------------------------------------------------------- */

void network_plane(const struct network *network,
                   const struct policies *policies,
                   const struct subnets *subnets, const struct dns *dns,
                   struct plane_network *out) {
    *out = policies->network;
    out->id = network->object.id;
    out->name = network->name;
    out->mode = network->mode;
    out->flags = network->flags;
    out->adapter = network->adapter;
    out->subnets = subnets->plane;
    out->subnet_count = subnets->count;
    out->dns = dns->plane;
}

static HRESULT bring_up(struct net *net, struct network *network,
                        struct hcs_error *error) {
    struct plane_network plane;

    network_plane(network, network->policies, network->subnets, network->dns,
                  &plane);
    return net->env.ops->network_up(net->env.plane, &plane, error);
}

static void begin(struct net *net, struct network *network) {
    link_init(&network->endpoints);
    network->extensions[EXTENSION_COUNT - 1] = true;
    network->updated = net->env.now(net->env.context);
    object_new_id(net, &network->layer);
    object_new_id(net, &network->switch_id);
}

static HRESULT network_create(struct net *net, const struct making *making,
                              struct object **out, struct hcs_error *error) {
    struct network *network = calloc(1, sizeof *network);
    const struct guid *id = &making->id;
    HRESULT hr;

    if (!network)
        return out_of_memory(error);
    network->object.id = *id;
    begin(net, network);
    hr = read_all(net, making->doc, network, error);
    if (FAILED(hr)) {
        network_free(network);
        return hr;
    }
    tell(net, NET_EVENT_NETWORK_PRE_CREATE, S_OK, NET_NETWORK, id,
         network->flags, NULL);
    hr = bring_up(net, network, error);
    if (SUCCEEDED(hr)) {
        object_put(net, NET_NETWORK, &network->object, id);
        if (*network->name)
            index_put(&net->names, &network->by_name, network->folded,
                      strlen(network->folded), network);
    }
    tell(net, NET_EVENT_NETWORK_CREATE, hr, NET_NETWORK, id, network->flags,
         NULL);
    *out = &network->object;
    if (FAILED(hr))
        network_free(network);
    return hr;
}

/* --- taking away --------------------------------------------------- */

static void network_drop(struct net *net, struct object *object) {
    struct network *network = network_of(object);

    while (!link_alone(&network->endpoints)) {
        struct link *last = network->endpoints.previous;
        kind_endpoint.drop(
            net, &HCS_CONTAINER(last, struct endpoint, of_network)->object);
    }
    net->env.ops->network_down(net->env.plane, &object->id);
    object_take(net, NET_NETWORK, object);
    index_take(&net->names, &network->by_name);
    network_free(network);
}

static HRESULT network_remove(struct net *net, struct object *object,
                              struct hcs_error *error) {
    struct guid id = object->id;
    uint32_t flags = network_of(object)->flags;

    (void)error;
    tell(net, NET_EVENT_NETWORK_PRE_DELETE, S_OK, NET_NETWORK, &id, flags,
         NULL);
    network_drop(net, object);
    tell(net, NET_EVENT_NETWORK_DELETE, S_OK, NET_NETWORK, &id, flags, NULL);
    return S_OK;
}

const struct kind kind_network = {
    .noun = "network",
    .missing = HCN_E_NETWORK_NOT_FOUND,
    .exists = HCN_E_NETWORK_ALREADY_EXISTS,
    .upper = true,
    .shape = "HostComputeNetwork",
    .v1_shape = "HNSNetwork",
    .modify_shape = "ModifyNetworkSettingRequest",
    .v1_members = v1_network_members,
    .from_v1 = v1_network,
    .create = network_create,
    .modify = network_modify,
    .remove = network_remove,
    .drop = network_drop,
    .write = network_write,
    .keep = network_keep,
    .restore = network_restore,
};
