/* SPDX-License-Identifier: MIT
 * Rules that let packets pass or not, alone or in tiers. */
#include <stdlib.h>
#include <string.h>

#include "policy.h"

/* What a rule without a priority has: that of the rule behind all. */
#define LAST_PRIORITY 65500

static const struct doc_name actions[] = {{"Allow", PLANE_ALLOW},
                                          {"Block", PLANE_BLOCK},
                                          {"Pass", PLANE_PASS},
                                          {NULL, 0}};
static const struct doc_name directions[] = {
    {"In", PLANE_IN}, {"Out", PLANE_OUT}, {NULL, 0}};
static const struct doc_name rule_types[] = {
    {"Host", 0}, {"Switch", 1}, {NULL, 0}};

static HRESULT priority_read(const struct doc *settings, uint16_t *out,
                             struct hcs_error *error) {
    HRESULT hr;
    *out = 0;
    hr = doc_u16(settings, "Priority", out, error);
    if (*out == 0)
        *out = LAST_PRIORITY;
    return hr;
}

HRESULT acl_read(struct compiler *compiler, const struct doc *settings,
                 struct hcs_error *error) {
    size_t *count = compiler->context->object == POLICY_NETWORK
                        ? &compiler->out->network.acl_count
                        : &compiler->out->endpoint.acl_count;
    struct plane_acl acl = {0};
    unsigned action = PLANE_ALLOW, direction = PLANE_IN, type = 0;
    HRESULT hr = doc_enum(settings, "Action", actions, HCN_E_INVALID_POLICY,
                          &action, error);

    if (SUCCEEDED(hr) && action == PLANE_PASS)
        hr = doc_fail(settings, HCN_E_INVALID_POLICY, error,
                      "the action Pass is for rules in tiers");
    if (SUCCEEDED(hr))
        hr = doc_enum(settings, "Direction", directions, HCN_E_INVALID_POLICY,
                      &direction, error);
    if (SUCCEEDED(hr))
        hr = doc_enum(settings, "RuleType", rule_types, HCN_E_INVALID_POLICY,
                      &type, error);
    if (SUCCEEDED(hr))
        hr = priority_read(settings, &acl.priority, error);
    if (SUCCEEDED(hr))
        hr = tuple_read(compiler, settings, &acl.tuple, error);
    if (FAILED(hr))
        return hr;
    acl.action = (enum plane_action)action;
    acl.direction = (enum plane_direction)direction;
    acl.on_switch = type == 1;
    compiler->acls[(*count)++] = acl;
    return S_OK;
}

/* --- tiers --------------------------------------------------------- */

static HRESULT tier_rule_read(struct compiler *compiler, const struct doc *rule,
                              struct plane_tier_rule *out,
                              struct hcs_error *error) {
    unsigned action = PLANE_ALLOW;
    HRESULT hr = doc_enum(rule, "TierAclRuleAction", actions,
                          HCN_E_INVALID_POLICY, &action, error);

    *out = (struct plane_tier_rule){.action = (enum plane_action)action};
    if (SUCCEEDED(hr))
        hr = priority_read(rule, &out->priority, error);
    if (SUCCEEDED(hr))
        hr = tuple_read(compiler, rule, &out->tuple, error);
    return hr;
}

static HRESULT tier_rules_read(struct compiler *compiler,
                               const struct doc *settings,
                               struct plane_tier *tier,
                               struct hcs_error *error) {
    struct doc array;
    struct plane_tier_rule *rules;
    size_t count;
    HRESULT hr = doc_array(settings, "TierAclRules", &array, &count, error);

    if (FAILED(hr) || count == 0)
        return hr;
    rules = arena_alloc(&compiler->out->arena, count * sizeof *rules);
    if (!rules)
        return out_of_memory(error);
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        struct doc item;
        hr = doc_item_object(&array, i, &item, error);
        if (SUCCEEDED(hr))
            hr = tier_rule_read(compiler, &item, &rules[i], error);
    }
    tier->rules = rules;
    tier->rule_count = count;
    return hr;
}

HRESULT tier_read(struct compiler *compiler, const struct doc *settings,
                  struct hcs_error *error) {
    struct plane_tier tier = {0};
    unsigned direction = PLANE_IN;
    const char *name = "";
    HRESULT hr = doc_text(settings, "Name", &name, error);

    if (SUCCEEDED(hr))
        hr = doc_enum(settings, "Direction", directions, HCN_E_INVALID_POLICY,
                      &direction, error);
    if (SUCCEEDED(hr))
        hr = doc_u16(settings, "Order", &tier.order, error);
    tier.direction = (enum plane_direction)direction;
    if (SUCCEEDED(hr))
        hr = tier_rules_read(compiler, settings, &tier, error);
    if (SUCCEEDED(hr))
        compiler->tiers[compiler->out->endpoint.tier_count++] = tier;
    return hr;
}

/* --- the order ----------------------------------------------------- */

/* Rules of the same priority keep the order in which they were given. */
struct rank {
    uint32_t priority;
    size_t place;
};

static int by_rank(const void *a, const void *b) {
    const struct rank *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static uint32_t acl_priority(const void *item) {
    return ((const struct plane_acl *)item)->priority;
}

static uint32_t tier_priority(const void *item) {
    return ((const struct plane_tier *)item)->order;
}

static uint32_t rule_priority(const void *item) {
    return ((const struct plane_tier_rule *)item)->priority;
}

/* Returns a sorted copy, NULL without memory. */
static const void *sorted(struct arena *arena, const void *items, size_t count,
                          size_t size, uint32_t (*priority)(const void *)) {
    struct rank *ranks = arena_alloc(arena, count * sizeof *ranks);
    char *out = arena_alloc(arena, count * size);
    const char *bytes = items;

    if (!ranks || !out)
        return NULL;
    for (size_t i = 0; i < count; i++)
        ranks[i] = (struct rank){priority(bytes + i * size), i};
    qsort(ranks, count, sizeof *ranks, by_rank);
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * size, bytes + ranks[i].place * size, size);
    return out;
}

static bool sort_tiers(struct compiler *compiler) {
    struct arena *arena = &compiler->out->arena;
    size_t count = compiler->out->endpoint.tier_count;

    for (size_t i = 0; i < count; i++) {
        struct plane_tier *tier = &compiler->tiers[i];
        if (tier->rule_count < 2)
            continue;
        tier->rules = sorted(arena, tier->rules, tier->rule_count,
                             sizeof *tier->rules, rule_priority);
        if (!tier->rules)
            return false;
    }
    if (count > 0)
        compiler->out->endpoint.tiers =
            sorted(arena, compiler->tiers, count, sizeof *compiler->tiers,
                   tier_priority);
    return count == 0 || compiler->out->endpoint.tiers;
}

HRESULT acls_sort(struct compiler *compiler, struct hcs_error *error) {
    struct policies *out = compiler->out;
    bool network = compiler->context->object == POLICY_NETWORK;
    size_t count = network ? out->network.acl_count : out->endpoint.acl_count;
    const struct plane_acl *acls = NULL;

    if (count > 0) {
        acls = sorted(&out->arena, compiler->acls, count,
                      sizeof *compiler->acls, acl_priority);
        if (!acls)
            return out_of_memory(error);
    }
    out->network.acls = network ? acls : NULL;
    out->endpoint.acls = network ? NULL : acls;
    return sort_tiers(compiler) ? S_OK : out_of_memory(error);
}
