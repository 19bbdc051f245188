/* SPDX-License-Identifier: MIT
 * Policies become what a plane is told, and are checked on the way. */
#include <string.h>

#include "policy_readers.h"

static size_t count_read_by(const struct policies *set, policy_reader read) {
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        count += set->items[i].type->read == read;
    return count;
}

static size_t count_of(const struct policies *set, enum plane_policy plane) {
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        count += set->items[i].type->plane == plane;
    return count;
}

/* Room for all policies of a kind; false without memory. */
static bool take(struct compiler *compiler, void **out, size_t count,
                 size_t size) {
    *out = NULL;
    if (count == 0)
        return true;
    *out = arena_alloc(&compiler->out->arena, count * size);
    return *out != NULL;
}

#define TAKE(field, count)                                        \
    (take(compiler, &memory, (count), sizeof *compiler->field) && \
     ((compiler->field = memory), true))

static bool take_rooms(struct compiler *compiler) {
    struct policies *out = compiler->out;
    void *memory;
    bool ok = TAKE(mappings, count_of(out, PLANE_PORT_MAPPING)) &&
              TAKE(acls, count_read_by(out, acl_read)) &&
              TAKE(tiers, count_of(out, PLANE_TIER_ACL)) &&
              TAKE(nats, count_of(out, PLANE_OUTBOUND_NAT)) &&
              TAKE(routes, count_of(out, PLANE_SDN_ROUTE)) &&
              TAKE(proxies, count_of(out, PLANE_L4_PROXY)) &&
              TAKE(wfp_proxies, count_of(out, PLANE_WFP_PROXY)) &&
              TAKE(remotes, count_of(out, PLANE_REMOTE_SUBNET)) &&
              take(compiler, &memory, count_of(out, PLANE_PORT_MAPPING),
                   sizeof *out->ports);
    if (ok)
        out->ports = memory;
    return ok;
}

/* What was taken is now what the plane is told. */
static void hand_over(struct compiler *compiler) {
    struct policies *out = compiler->out;

    out->endpoint.mappings = compiler->mappings;
    out->endpoint.nats = compiler->nats;
    out->endpoint.sdn_routes = compiler->routes;
    out->endpoint.wfp_proxies = compiler->wfp_proxies;
    out->endpoint.proxies = compiler->proxies;
    out->network.proxies = compiler->proxies;
    out->network.remotes = compiler->remotes;
    if (!out->endpoint.port_name)
        out->endpoint.port_name = "";
    if (!out->adapter.name)
        out->adapter.name = "";
}

/* --- one policy ---------------------------------------------------- */

struct place {
    struct doc item, settings;
};

/* Where the policy stands in its document, as far as there is one. */
static void find_place(const struct policy *policy, const struct doc *array,
                       struct place *out) {
    out->settings = doc_root(&policy->settings);
    if (!array || !array->value ||
        policy->source >= array->value->as.array.count)
        return;
    out->item = doc_item(array, policy->source);
    out->settings.parent = &out->item;
    out->settings.name = "Settings";
}

static HRESULT check_single(const struct policy *policy,
                            const struct doc *settings,
                            struct hcs_error *error) {
    HRESULT code = policy->type->plane == PLANE_MTU
                       ? HCN_INTERFACEPARAMETERS_ALREADY_APPLIED
                       : HCN_E_POLICY_ALREADY_EXISTS;
    return doc_fail(settings, code, error, "expected one %s policy at most",
                    policy->type->name);
}

/* Whether the plane can carry it out, and whether it may be there at all. */
static HRESULT check_type(const struct compiler *compiler,
                          const struct policy *policy,
                          const struct doc *settings, struct hcs_error *error) {
    const struct net_env *env = &compiler->context->net->env;
    HRESULT hr;

    if (compiler->context->remote && policy->type->plane == PLANE_PORT_MAPPING)
        return doc_fail(settings, HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION,
                        error, "the endpoint is one of another host");
    hr = env->ops->can_policy(env->plane, policy->type->plane, error);
    if (FAILED(hr))
        return error_wrap(error, hr, "policy %s", policy->type->name);
    return S_OK;
}

static HRESULT read_one(struct compiler *compiler, size_t index,
                        const struct doc *array, struct hcs_error *error) {
    struct policy *policy = &compiler->out->items[index];
    struct place place;
    HRESULT hr;

    find_place(policy, array, &place);
    hr = check_type(compiler, policy, &place.settings, error);
    compiler->policy = policy;
    if (SUCCEEDED(hr) && policy->type->read)
        hr = policy->type->read(compiler, &place.settings, error);
    return hr;
}

/* --- all of them --------------------------------------------------- */

static HRESULT read_sets(struct compiler *compiler, const struct doc *array,
                         bool nested, struct hcs_error *error) {
    const struct policy_type *type =
        policy_type_of(POLICY_NETWORK, "SetPolicy");
    struct policies *out = compiler->out;
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < out->count; i++) {
        struct place place;
        if (out->items[i].type != type)
            continue;
        find_place(&out->items[i], array, &place);
        hr = set_read(compiler, &place.settings, nested, error);
    }
    return hr;
}

/* Types of which there is one at most are few. */
static HRESULT check_singles(const struct compiler *compiler,
                             const struct doc *array, struct hcs_error *error) {
    const struct policies *out = compiler->out;
    const struct policy_type *seen[32];
    size_t count = 0;

    for (size_t i = 0; i < out->count; i++) {
        const struct policy *policy = &out->items[i];
        struct place place;
        if (policy->type->identity != IDENTITY_TYPE)
            continue;
        find_place(policy, array, &place);
        for (size_t k = 0; k < count; k++)
            if (seen[k] == policy->type)
                return check_single(policy, &place.settings, error);
        seen[count++] = policy->type;
    }
    return S_OK;
}

#define USUAL_MTU 1500

/* What the policies leave of a packet. */
static HRESULT check_mtu(const struct compiler *compiler,
                         const struct doc *array, struct hcs_error *error) {
    const struct plane_endpoint *told = &compiler->out->endpoint;
    struct doc nowhere = doc_root(NULL);
    int least = policy_has_family(compiler->context, IP_V6)
                    ? POLICY_LEAST_MTU_V6
                    : POLICY_LEAST_MTU;
    int left = (told->mtu ? told->mtu : USUAL_MTU) - told->overhead;

    if ((told->mtu == 0 && told->overhead == 0) || left >= least)
        return S_OK;
    return doc_fail(array ? array : &nowhere, HCN_E_INVALID_POLICY, error,
                    "an MTU of %d is what Mtu and Overhead leave; expected at "
                    "least %d",
                    left > 0 ? left : 0, least);
}

static bool uses_sets(const struct compiler *compiler) {
    const struct policies *network = compiler->context->network;
    return network && network->sets.count > 0 &&
           (compiler->out->endpoint.acl_count > 0 ||
            compiler->out->endpoint.tier_count > 0 ||
            compiler->out->endpoint.wfp_proxy_count > 0);
}

HRESULT policies_compile(struct compiler *compiler, const struct doc *array,
                         struct hcs_error *error) {
    HRESULT hr = take_rooms(compiler) ? S_OK : out_of_memory(error);

    if (SUCCEEDED(hr))
        hr = check_singles(compiler, array, error);
    if (SUCCEEDED(hr))
        hr = read_sets(compiler, array, false, error);
    if (SUCCEEDED(hr))
        hr = read_sets(compiler, array, true, error);
    for (size_t i = 0; SUCCEEDED(hr) && i < compiler->out->count; i++)
        hr = read_one(compiler, i, array, error);
    if (SUCCEEDED(hr) && compiler->context->object == POLICY_ENDPOINT)
        hr = check_mtu(compiler, array, error);
    if (SUCCEEDED(hr))
        hr = acls_sort(compiler, error);
    if (FAILED(hr))
        return hr;
    hand_over(compiler);
    compiler->out->uses_sets = uses_sets(compiler);
    return S_OK;
}
