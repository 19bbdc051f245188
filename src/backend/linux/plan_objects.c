/* SPDX-License-Identifier: MIT
 * The plane that changes nothing: what it is told of endpoints and ports. Its
 * answers are the other plane's. */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/hresult_hcn.h"

struct planned_endpoint {
    struct link link;
    struct endpoint endpoint;
};

/* --- answers: the other plane's ---------------------------------------- */

static HRESULT can_network(struct plane *plane, enum plane_mode mode,
                           struct hcs_error *error) {
    return probe_network(plan_of(plane)->real, mode, error);
}

static HRESULT can_policy(struct plane *plane, enum plane_policy policy,
                          struct hcs_error *error) {
    return probe_policy(plan_of(plane)->real, policy, error);
}

static bool prefix_taken(struct plane *plane, const struct ip_prefix *prefix) {
    return linux_plane_ops()->prefix_taken(plan_of(plane)->real, prefix);
}

/* What an endpoint of the other plane has is no stranger's: the net above says
 * who may have it. */
static bool is_held(const struct plane *real, uint8_t protocol, uint16_t port) {
    for (struct link *l = real->endpoints.next; l != &real->endpoints;
         l = l->next) {
        const struct terms *terms =
            &HCS_CONTAINER(l, struct endpoint, link)->terms;
        for (size_t i = 0; i < terms->held_count; i++)
            if (terms->held[i].protocol == protocol &&
                terms->held[i].port == port)
                return true;
    }
    return false;
}

static bool port_taken(struct plane *plane, uint8_t protocol,
                       const struct ip_address *address, uint16_t port) {
    struct plane *real = plan_of(plane)->real;

    if (is_held(real, protocol, port))
        return false;
    return linux_plane_ops()->port_taken(real, protocol, address, port);
}

static HRESULT find_adapter(struct plane *plane,
                            const struct plane_adapter *wanted,
                            char out[PLANE_DEVICE_SIZE],
                            struct hcs_error *error) {
    return linux_plane_ops()->find_adapter(plan_of(plane)->real, wanted, out,
                                           error);
}

/* --- endpoints --------------------------------------------------------- */

static struct endpoint *planned_endpoint(struct plan *plan,
                                         const struct guid *id) {
    for (struct link *l = plan->endpoints.next; l != &plan->endpoints;
         l = l->next) {
        struct planned_endpoint *one =
            HCS_CONTAINER(l, struct planned_endpoint, link);
        if (memcmp(&one->endpoint.id, id, sizeof *id) == 0)
            return &one->endpoint;
    }
    return NULL;
}

static void note_terms(struct plan *plan, const struct plane_endpoint *told,
                       const struct terms *terms) {
    char text[IP_TEXT_SIZE];

    for (size_t i = 0; i < told->mapping_count; i++)
        if (told->mappings[i].flags & PLANE_NAT_RESERVED)
            plan_note(plan, LINUX_PLAN_SETTING, false,
                      "keep port %u of the plane's host from others",
                      told->mappings[i].external);
    for (size_t i = 0; i < terms->virtual_count; i++) {
        ip_format(&terms->virtual_ips[i], text);
        plan_note(plan, LINUX_PLAN_ADDRESS, false, "add %s to lo", text);
    }
}

/* Fills the endpoint's terms anew, and writes their rules down. */
static HRESULT take_terms(struct plan *plan, const struct plane_endpoint *told,
                          struct endpoint *endpoint, bool fresh,
                          struct hcs_error *error) {
    struct terms now;
    struct buf text = {0};
    HRESULT hr = endpoint_check(plan->real, told, error);

    if (FAILED(hr))
        return hr;
    hr = terms_read(told, &now, error);
    if (SUCCEEDED(hr) && !endpoint->remote)
        hr = rules_endpoint(told, endpoint, fresh ? NULL : &endpoint->terms,
                            &now, &text, error);
    if (FAILED(hr)) {
        buf_free(&text);
        terms_free(&now);
        return hr;
    }
    note_terms(plan, told, &now);
    plan_rules(plan, &text);
    terms_free(&endpoint->terms);
    endpoint->terms = now;
    return plan_done(plan, error);
}

static void endpoint_drop(struct planned_endpoint *one) {
    link_remove(&one->link);
    terms_free(&one->endpoint.terms);
    free(one->endpoint.addresses);
    free(one);
}

static HRESULT endpoint_planned(struct plane *plane,
                                const struct plane_endpoint *told,
                                struct hcs_error *error) {
    struct plan *plan = plan_of(plane);
    const struct endpoint *real = find_endpoint(plan->real, &told->id);
    size_t size = told->address_count * sizeof *told->addresses;
    struct planned_endpoint *one = calloc(1, sizeof *one);
    struct endpoint *endpoint = one ? &one->endpoint : NULL;
    HRESULT hr;

    if (!endpoint)
        return no_memory(error);
    link_init(&one->link);
    endpoint->id = told->id;
    endpoint->mac = told->mac;
    endpoint->remote = told->flags & PLANE_ENDPOINT_REMOTE;
    endpoint->network = plan_network(plan, &told->network);
    endpoint->serial = real ? real->serial : ++plan->serial;
    endpoint->addresses = malloc(size + 1);
    if (!endpoint->addresses) {
        hr = no_memory(error);
    } else if (!endpoint->network) {
        hr = error_set(error, HCN_E_NETWORK_NOT_FOUND, NULL,
                       "the plan has no such network");
    } else {
        if (size > 0)
            memcpy(endpoint->addresses, told->addresses, size);
        endpoint->address_count = told->address_count;
        hr = take_terms(plan, told, endpoint, true, error);
    }
    if (FAILED(hr)) {
        endpoint_drop(one);
        return hr;
    }
    link_append(&plan->endpoints, &one->link);
    return S_OK;
}

static HRESULT need_endpoint(struct plan *plan, const struct guid *id,
                             struct endpoint **out, struct hcs_error *error) {
    *out = planned_endpoint(plan, id);
    if (*out)
        return S_OK;
    return error_set(error, HCN_E_ENDPOINT_NOT_FOUND, NULL,
                     "the plan has no such endpoint");
}

static HRESULT endpoint_change_planned(struct plane *plane,
                                       const struct plane_endpoint *told,
                                       struct hcs_error *error) {
    struct endpoint *endpoint;
    HRESULT hr = need_endpoint(plan_of(plane), &told->id, &endpoint, error);

    return FAILED(hr)
               ? hr
               : take_terms(plan_of(plane), told, endpoint, false, error);
}

static void endpoint_down_planned(struct plane *plane, const struct guid *id) {
    struct endpoint *endpoint = planned_endpoint(plan_of(plane), id);

    if (!endpoint)
        return;
    plan_note(plan_of(plane), LINUX_PLAN_RULE, false,
              "take away the rules of %s", endpoint->terms.name);
    endpoint_drop(HCS_CONTAINER(endpoint, struct planned_endpoint, endpoint));
}

/* --- namespaces and ports ---------------------------------------------- */

static HRESULT namespace_planned(struct plane *plane,
                                 const struct plane_namespace *space,
                                 struct hcs_error *error) {
    struct plan *plan = plan_of(plane);

    if (space->type == PLANE_HOST)
        plan_note(plan, LINUX_PLAN_INTERFACE, false,
                  "make a network namespace with its loopback");
    return plan_done(plan, error);
}

static void namespace_down_planned(struct plane *plane, const struct guid *id) {
    (void)id;
    plan_note(plan_of(plane), LINUX_PLAN_INTERFACE, false,
              "let go of a namespace");
}

static void note_inner(struct plan *plan, const struct endpoint *endpoint) {
    const struct terms *terms = &endpoint->terms;
    char text[IP_PREFIX_SIZE], hop[IP_TEXT_SIZE];

    for (size_t i = 0; i < endpoint->address_count; i++) {
        ip_format(&endpoint->addresses[i].address, text);
        plan_note(plan, LINUX_PLAN_ADDRESS, false,
                  "add %s/%u to the other end of hp%u", text,
                  endpoint->addresses[i].length, endpoint->serial);
    }
    for (size_t i = 0; i < terms->route_count; i++) {
        ip_prefix_format(&terms->routes[i].destination, text);
        ip_format(&terms->routes[i].next_hop, hop);
        plan_note(plan, LINUX_PLAN_ROUTE, false, "add %s by %s there", text,
                  hop);
    }
}

static HRESULT port_planned(struct plane *plane, const struct guid *id,
                            const struct plane_port *port,
                            char device[PLANE_DEVICE_SIZE],
                            struct hcs_error *error) {
    struct plan *plan = plan_of(plane);
    bool machine = port->kind == PLANE_PORT_MACHINE;
    struct endpoint *endpoint;
    HRESULT hr = need_endpoint(plan, id, &endpoint, error);

    if (FAILED(hr))
        return hr;
    snprintf(device, PLANE_DEVICE_SIZE, machine ? "hp%u" : "eth0",
             endpoint->serial);
    plan_note(plan, LINUX_PLAN_INTERFACE, false,
              machine ? "make the tap hp%u on %s" : "make a pair, hp%u on %s",
              endpoint->serial, endpoint->network->bridge.name);
    if (endpoint->terms.limit)
        plan_note(plan, LINUX_PLAN_INTERFACE, false,
                  "make hi%u, which lets through %llu bytes per second",
                  endpoint->serial, (unsigned long long)endpoint->terms.limit);
    if (!machine)
        note_inner(plan, endpoint);
    return plan_done(plan, error);
}

static void port_down_planned(struct plane *plane, const struct guid *id) {
    struct endpoint *endpoint = planned_endpoint(plan_of(plane), id);

    if (endpoint)
        plan_note(plan_of(plane), LINUX_PLAN_INTERFACE, false, "take away hp%u",
                  endpoint->serial);
}

static HRESULT no_statistics(struct plane *plane, const struct guid *endpoint,
                             struct plane_statistics *out,
                             struct hcs_error *error) {
    (void)plane;
    (void)endpoint;
    (void)error;
    memset(out, 0, sizeof *out);
    return S_OK;
}

/* --- the vtable ----------------------------------------------------------- */

static void forget(struct plan *plan) {
    while (!link_alone(&plan->endpoints))
        endpoint_drop(
            HCS_CONTAINER(plan->endpoints.next, struct planned_endpoint, link));
    plan_forget_networks(plan);
}

static void plan_destroy(struct plane *plane) {
    struct plan *plan = plan_of(plane);

    if (!plan)
        return;
    linux_plan_clear(plane);
    forget(plan);
    free(plan->lines);
    free(plan);
}

const struct plane_ops *linux_plan_ops(void) {
    static const struct plane_ops ops = {
        .name = "linux",
        .can_network = can_network,
        .can_policy = can_policy,
        .prefix_taken = prefix_taken,
        .port_taken = port_taken,
        .find_adapter = find_adapter,
        .network_up = plan_network_up,
        .network_change = plan_network_change,
        .network_down = plan_network_down,
        .endpoint_up = endpoint_planned,
        .endpoint_change = endpoint_change_planned,
        .endpoint_down = endpoint_down_planned,
        .namespace_up = namespace_planned,
        .namespace_down = namespace_down_planned,
        .port_up = port_planned,
        .port_down = port_down_planned,
        .statistics = no_statistics,
        .destroy = plan_destroy,
    };
    return &ops;
}
