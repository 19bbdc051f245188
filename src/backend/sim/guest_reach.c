/* SPDX-License-Identifier: MIT
 * Who is at an address. Connections are known here, not in the plane: what
 * answers a packet that got through gets through, too. */
#include <string.h>

#include "plane.h"
#include "sim.h"

#define LINK_RATE UINT64_C(1250000000) /* 10 Gbit/s */
#define SEGMENT 1448                   /* bytes that a TCP packet carries */
#define HEADERS 66

struct plane *sim_plane(const struct sim *sim) {
    return sim->env.plane ? sim->env.plane(sim->env.context) : NULL;
}

static size_t family_of(const struct ip_address *address) {
    return address->family == IP_V6;
}

static bool has_address(const struct machine *machine,
                        const struct ip_address *address) {
    for (struct link *l = machine->devices.next; l != &machine->devices;
         l = l->next) {
        const struct sim_device *nic =
            HCS_CONTAINER(l, struct sim_device, link);
        if (nic->is_nic &&
            ip_same(&nic->addresses[family_of(address)].at.address, address))
            return true;
    }
    return false;
}

/* By which adapter: the one on the link, else the first with a gateway. */
static const struct sim_device *way_to(const struct machine *machine,
                                       const struct ip_address *to) {
    const struct sim_device *found = NULL;
    for (struct link *l = machine->devices.next; l != &machine->devices;
         l = l->next) {
        const struct sim_device *nic =
            HCS_CONTAINER(l, struct sim_device, link);
        const struct guest_address *own = &nic->addresses[family_of(to)];
        if (!nic->is_nic || own->at.address.family == IP_NONE)
            continue;
        if (ip_prefix_contains(&own->at, to))
            return nic;
        if (!found && own->gateway.family != IP_NONE)
            found = nic;
    }
    return found;
}

static bool answers(const struct machine *machine,
                    const struct ip_address *address) {
    return guest_runs(machine) && machine->guest.up && !machine->guest.dead &&
           has_address(machine, address);
}

static struct machine *machine_of(const struct sim *sim,
                                  const struct guid *endpoint) {
    for (struct link *l = sim->machines.next; l != &sim->machines;
         l = l->next) {
        struct machine *machine = HCS_CONTAINER(l, struct machine, link);
        for (struct link *d = machine->devices.next; d != &machine->devices;
             d = d->next) {
            const struct sim_device *nic =
                HCS_CONTAINER(d, struct sim_device, link);
            if (nic->attached &&
                memcmp(&nic->endpoint, endpoint, sizeof *endpoint) == 0)
                return machine;
        }
    }
    return NULL;
}

/* Who has the packet: the host, a guest, or a namespace with the kernel's own
 * stack. */
static void find_peer(struct sim *sim, struct guest_path *path) {
    const struct sim_verdict *verdict = &path->verdict;
    path->reach = REACH_LOST;
    if (!verdict->passed || verdict->to_outside)
        return;
    if (guid_is_zero(&verdict->to)) {
        path->reach = REACH_STACK;
        return;
    }
    path->peer = machine_of(sim, &verdict->to);
    if (path->peer && answers(path->peer, &verdict->destination))
        path->reach = REACH_GUEST;
    else if (sim_endpoint_find(sim_plane(sim), &verdict->to)->port.kind ==
             PLANE_PORT_NAMESPACE)
        path->reach = REACH_STACK;
}

static uint64_t rate_of(const struct plane *plane, const struct guid *from) {
    const struct sim_endpoint *endpoint = sim_endpoint_find(plane, from);
    uint64_t limit = endpoint ? endpoint->told.egress_limit : 0;
    return limit > 0 && limit < LINK_RATE ? limit : LINK_RATE;
}

void guest_reach(struct machine *machine, const struct ip_address *to,
                 uint8_t protocol, uint16_t port, uint64_t count,
                 uint64_t bytes, struct guest_path *path) {
    struct plane *plane = sim_plane(machine->sim);
    const struct sim_device *nic = way_to(machine, to);

    *path = (struct guest_path){.reach = REACH_NOWHERE, .rate = LINK_RATE};
    if (has_address(machine, to)) {
        path->reach = REACH_GUEST;
        path->peer = machine;
        path->verdict.destination_port = port;
        path->self = true;
        return;
    }
    if (!nic)
        return;
    path->reach = REACH_LOST;
    if (!nic->attached || !plane)
        return;
    path->packet = (struct sim_packet){
        .from = nic->endpoint,
        .source = nic->addresses[family_of(to)].at.address,
        .destination = *to,
        .protocol = protocol,
        .source_port = protocol == PROTOCOL_TCP ? 49152 : 0,
        .destination_port = port,
    };
    path->rate = rate_of(plane, &nic->endpoint);
    sim_plane_send(plane, &path->packet, count, bytes, &path->verdict);
    find_peer(machine->sim, path);
}

void outside_reach(struct sim *sim, const struct ip_address *to, uint16_t port,
                   struct guest_path *path) {
    struct plane *plane = sim_plane(sim);

    *path = (struct guest_path){.reach = REACH_LOST, .rate = LINK_RATE};
    if (!plane)
        return;
    path->packet = (struct sim_packet){.from_outside = true,
                                       .destination = *to,
                                       .protocol = PROTOCOL_TCP,
                                       .source_port = 49152,
                                       .destination_port = port};
    sim_plane_send(plane, &path->packet, 0, 0, &path->verdict);
    find_peer(sim, path);
}

void guest_path_send(struct sim *sim, const struct guest_path *path,
                     uint64_t count, uint64_t bytes) {
    struct plane *plane = sim_plane(sim);
    struct sim_verdict verdict;
    if (plane && !path->self && count > 0)
        sim_plane_send(plane, &path->packet, count, bytes, &verdict);
}

void guest_path_answer(struct sim *sim, const struct guest_path *path,
                       uint64_t count, uint64_t bytes) {
    struct plane *plane = sim_plane(sim);
    if (plane && !path->self && path->verdict.passed)
        sim_plane_answer(plane, &path->packet, &path->verdict, count, bytes);
}

typedef void (*path_count)(struct sim *sim, const struct guest_path *path,
                           uint64_t count, uint64_t bytes);

/* One way of a connection: full packets, a last one, and for what comes the
 * other way an empty one for every two. */
static void carry(struct sim *sim, const struct guest_path *path,
                  path_count count, uint64_t bytes, uint64_t other) {
    uint64_t full = bytes / SEGMENT, rest = bytes % SEGMENT;
    count(sim, path, full, SEGMENT + HEADERS);
    count(sim, path, rest > 0, rest + HEADERS);
    count(sim, path, 2 + other / SEGMENT / 2, HEADERS);
}

void guest_path_carry(struct sim *sim, const struct guest_path *path,
                      uint64_t there, uint64_t back) {
    carry(sim, path, guest_path_send, there, back);
    carry(sim, path, guest_path_answer, back, there);
}

const struct guest_server *guest_path_server(const struct guest_path *path) {
    if (path->reach != REACH_GUEST)
        return NULL;
    return guest_server_at(&path->peer->guest.net,
                           path->verdict.destination_port);
}
