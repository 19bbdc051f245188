/* SPDX-License-Identifier: MIT
 * The plane that changes nothing: networks. */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/hresult_hcn.h"

struct planned_network {
    struct link link;
    struct network network;
};

/* --- networks ---------------------------------------------------------- */

struct network *plan_network(struct plan *plan, const struct guid *id) {
    for (struct link *l = plan->networks.next; l != &plan->networks;
         l = l->next) {
        struct planned_network *one =
            HCS_CONTAINER(l, struct planned_network, link);
        if (memcmp(&one->network.id, id, sizeof *id) == 0)
            return &one->network;
    }
    return NULL;
}

static void note_subnets(struct plan *plan, const struct network *network,
                         const struct plane_network *told) {
    for (size_t i = 0; i < told->subnet_count; i++) {
        const struct plane_subnet *subnet = &told->subnets[i];
        char text[IP_TEXT_SIZE];

        if (!network->host || !subnet_has_gateway(subnet))
            continue;
        ip_format(&subnet->gateway, text);
        plan_note(plan, LINUX_PLAN_ADDRESS, false, "add %s/%u to %s", text,
                  subnet->prefix.length, network->bridge.name);
    }
}

static void note_service(struct plan *plan, const struct network *network) {
    const char *directory = plan->real->directory;
    char id[GUID_TEXT_SIZE];

    if (!directory || !plan->real->dnsmasq)
        return;
    guid_format(&network->id, id);
    plan_note(plan, LINUX_PLAN_FILE, false, "write %s/%s.dhcp", directory, id);
    plan_note(plan, LINUX_PLAN_FILE, false, "write %s/%s.dns", directory, id);
    plan_note(plan, LINUX_PLAN_FILE, false, "write %s/%s.mtu", directory, id);
    plan_note(
        plan, LINUX_PLAN_PROCESS, false,
        "run %s for DHCP and DNS on %s, with no rights but on the plane's "
        "network",
        plan->real->dnsmasq, network->bridge.name);
}

HRESULT plan_network_up(struct plane *plane, const struct plane_network *told,
                        struct hcs_error *error) {
    struct plan *plan = plan_of(plane);
    const struct network *real = find_network(plan->real, &told->id);
    struct planned_network *one;
    struct buf text = {0};
    HRESULT hr = probe_network(plan->real, told->mode, error);

    if (SUCCEEDED(hr))
        hr = service_check(plan->real, told, error);
    if (FAILED(hr))
        return hr;
    one = calloc(1, sizeof *one);
    if (!one)
        return no_memory(error);
    network_begin(&one->network, told, real ? real->serial : ++plan->serial);
    link_init(&one->link);
    link_append(&plan->networks, &one->link);
    plan_note(plan, LINUX_PLAN_INTERFACE, false, "make the bridge %s for %s",
              one->network.bridge.name, told->name);
    note_subnets(plan, &one->network, told);
    rules_network(told, &one->network, true, &text);
    plan_rules(plan, &text);
    if (service_wanted(told))
        note_service(plan, &one->network);
    return plan_done(plan, error);
}

HRESULT plan_network_change(struct plane *plane,
                            const struct plane_network *told,
                            struct hcs_error *error) {
    struct plan *plan = plan_of(plane);
    const struct network *network = plan_network(plan, &told->id);
    struct buf text = {0};

    if (!network)
        return error_set(error, HCN_E_NETWORK_NOT_FOUND, NULL,
                         "the plan has no such network");
    plan_note(plan, LINUX_PLAN_INTERFACE, false, "change the bridge %s for %s",
              network->bridge.name, told->name);
    note_subnets(plan, network, told);
    rules_network(told, network, false, &text);
    plan_rules(plan, &text);
    return plan_done(plan, error);
}

void plan_network_down(struct plane *plane, const struct guid *id) {
    struct plan *plan = plan_of(plane);
    struct network *network = plan_network(plan, id);
    struct planned_network *one;

    if (!network)
        return;
    plan_note(plan, LINUX_PLAN_INTERFACE, false,
              "take away the bridge %s and its rules", network->bridge.name);
    one = HCS_CONTAINER(network, struct planned_network, network);
    link_remove(&one->link);
    free(one);
}

void plan_forget_networks(struct plan *plan) {
    while (!link_alone(&plan->networks)) {
        struct planned_network *one =
            HCS_CONTAINER(plan->networks.next, struct planned_network, link);
        link_remove(&one->link);
        free(one);
    }
}
