/* SPDX-License-Identifier: MIT
 * Whether an endpoint's rules let a packet pass: the tiers first, then the
 * network's rules, then its own. */
#include "plane.h"

bool sim_addresses_match(const struct plane_addresses *list,
                         const struct ip_address *address) {
    if (list->count == 0)
        return true;
    for (size_t i = 0; i < list->count; i++)
        if (ip_prefix_contains(&list->items[i], address))
            return true;
    return false;
}

static bool ports_match(const struct plane_ports *list, uint16_t port) {
    if (list->count == 0)
        return true;
    for (size_t i = 0; i < list->count; i++)
        if (port >= list->items[i].first && port <= list->items[i].last)
            return true;
    return false;
}

static bool protocols_match(const struct plane_protocols *list,
                            uint8_t protocol) {
    if (list->count == 0)
        return true;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] == protocol)
            return true;
    return false;
}

bool sim_tuple_matches(const struct plane_tuple *tuple,
                       const struct sim_flow *flow) {
    return !tuple->never &&
           protocols_match(&tuple->protocols, flow->protocol) &&
           sim_addresses_match(&tuple->local, &flow->local) &&
           sim_addresses_match(&tuple->remote, &flow->remote) &&
           ports_match(&tuple->local_ports, flow->local_port) &&
           ports_match(&tuple->remote_ports, flow->remote_port);
}

enum decision { ALLOWED, BLOCKED, UNDECIDED };

static enum decision tier_decides(const struct plane_tier *tier,
                                  const struct sim_flow *flow) {
    if (tier->direction != flow->direction)
        return UNDECIDED;
    for (size_t i = 0; i < tier->rule_count; i++)
        if (sim_tuple_matches(&tier->rules[i].tuple, flow))
            return tier->rules[i].action == PLANE_ALLOW   ? ALLOWED
                   : tier->rules[i].action == PLANE_BLOCK ? BLOCKED
                                                          : UNDECIDED;
    return UNDECIDED;
}

static enum decision acls_decide(const struct plane_acl *acls, size_t count,
                                 const struct sim_flow *flow) {
    bool on_switch = false;

    for (size_t i = 0; i < count; i++) {
        if (acls[i].direction != flow->direction)
            continue;
        on_switch = on_switch || acls[i].on_switch;
        if (sim_tuple_matches(&acls[i].tuple, flow))
            return acls[i].action == PLANE_ALLOW ? ALLOWED : BLOCKED;
    }
    return on_switch ? BLOCKED : UNDECIDED;
}

bool sim_rules_pass(const struct sim_endpoint *endpoint,
                    const struct sim_flow *flow, const char **reason) {
    const struct plane_endpoint *told = &endpoint->told;
    const struct plane_network *network = &endpoint->network->told;
    enum decision decision = UNDECIDED;

    *reason = "a rule of a tier decided";
    for (size_t i = 0; decision == UNDECIDED && i < told->tier_count; i++)
        decision = tier_decides(&told->tiers[i], flow);
    if (decision == UNDECIDED) {
        *reason = "a rule of the network decided";
        decision = acls_decide(network->acls, network->acl_count, flow);
    }
    /* What the network lets in, the endpoint may yet refuse. */
    if (decision != BLOCKED && told->acl_count > 0) {
        *reason = "a rule of the endpoint decided";
        decision = acls_decide(told->acls, told->acl_count, flow);
    }
    return decision != BLOCKED;
}
