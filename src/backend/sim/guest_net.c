/* SPDX-License-Identifier: MIT
 * What the built-in guest has of networks: the addresses of its adapters and
 * its servers, also as a part of a saved state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/text.h"
#include "plane.h"
#include "sim.h"

/* The n-th of the machine's adapters in the order of its devices, or NULL. */
static struct sim_device *next_nic(const struct machine *machine,
                                   const struct sim_device *before) {
    const struct link *l = before ? &before->link : &machine->devices;
    while ((l = l->next) != &machine->devices) {
        struct sim_device *device =
            HCS_CONTAINER((struct link *)l, struct sim_device, link);
        if (device->is_nic)
            return device;
    }
    return NULL;
}

static struct sim_device *numbered(const struct machine *machine,
                                   unsigned number) {
    struct sim_device *nic = next_nic(machine, NULL);
    while (nic && nic->number != number)
        nic = next_nic(machine, nic);
    return nic;
}

unsigned guest_adapter_number(const struct machine *machine) {
    unsigned number = 0;
    while (numbered(machine, number))
        number++;
    return number;
}

struct sim_device *guest_adapter(struct machine *machine, const char *name) {
    struct sim_device *first = NULL;
    for (struct sim_device *nic = next_nic(machine, NULL); nic;
         nic = next_nic(machine, nic)) {
        char own[16];
        snprintf(own, sizeof own, "eth%u", nic->number);
        if (name && strcmp(own, name) == 0)
            return nic;
        if (!first || nic->number < first->number)
            first = nic;
    }
    return name ? NULL : first;
}

/* --- servers ------------------------------------------------------------ */

const struct guest_server *guest_server_at(const struct guest_net *net,
                                           uint16_t port) {
    for (size_t i = 0; i < net->server_count; i++)
        if (net->servers[i].port == port)
            return &net->servers[i];
    return NULL;
}

bool guest_server_add(struct guest_net *net, uint16_t port, const char *text) {
    char *copy = text ? text_copy(text) : NULL;
    if ((text && !copy) || port == 0 || net->server_count == SIM_SERVERS ||
        guest_server_at(net, port)) {
        free(copy);
        return false;
    }
    net->servers[net->server_count++] = (struct guest_server){port, copy};
    return true;
}

void guest_net_reset(struct machine *machine) {
    struct guest_net *net = &machine->guest.net;
    unsigned number = 0;

    for (size_t i = 0; i < net->server_count; i++)
        free(net->servers[i].text);
    free(net->job.line);
    *net = (struct guest_net){0};
    for (struct sim_device *nic = next_nic(machine, NULL); nic;
         nic = next_nic(machine, nic)) {
        nic->number = number++;
        memset(nic->addresses, 0, sizeof nic->addresses);
    }
}

/* --- DHCP ----------------------------------------------------------------- */

static bool has_dhcp(const struct plane_network *network) {
    return (network->mode == PLANE_ICS ||
            (network->flags & PLANE_NETWORK_DHCP)) &&
           !(network->flags & PLANE_NETWORK_NO_HOST_PORT);
}

static struct ip_address gateway_of(const struct plane_network *network,
                                    const struct ip_address *address) {
    for (size_t i = 0; i < network->subnet_count; i++)
        if (ip_prefix_contains(&network->subnets[i].prefix, address))
            return network->subnets[i].gateway;
    return (struct ip_address){0};
}

bool guest_lease(const struct machine *machine, const struct sim_device *nic,
                 struct guest_address *out) {
    const struct plane *plane = sim_plane(machine->sim);
    const struct sim_endpoint *endpoint =
        plane && nic->attached ? sim_endpoint_find(plane, &nic->endpoint)
                               : NULL;

    if (!endpoint || !has_dhcp(&endpoint->network->told))
        return false;
    for (size_t i = 0; i < endpoint->told.address_count; i++) {
        const struct plane_ip *ip = &endpoint->told.addresses[i];
        if (ip->address.family != IP_V4)
            continue;
        out->at.address = ip->address;
        out->at.length = ip->length;
        out->gateway = gateway_of(&endpoint->network->told, &ip->address);
        return true;
    }
    return false;
}

/* --- saved states --------------------------------------------------------- */

static void write_address(struct json_writer *w, const struct sim_device *nic,
                          const struct guest_address *own) {
    char text[IP_PREFIX_SIZE];
    if (own->at.address.family == IP_NONE)
        return;
    json_begin_object(w);
    json_pair_uint(w, "Adapter", nic->number);
    ip_prefix_format(&own->at, text);
    json_pair_string(w, "Address", text);
    if (own->gateway.family != IP_NONE) {
        ip_format(&own->gateway, text);
        json_pair_string(w, "Gateway", text);
    }
    json_end_object(w);
}

void guest_net_write(const struct machine *machine, struct json_writer *w) {
    const struct guest_net *net = &machine->guest.net;

    json_key(w, "Addresses");
    json_begin_array(w);
    for (struct sim_device *nic = next_nic(machine, NULL); nic;
         nic = next_nic(machine, nic))
        for (size_t i = 0; i < HCS_COUNT(nic->addresses); i++)
            write_address(w, nic, &nic->addresses[i]);
    json_end_array(w);
    json_key(w, "Servers");
    json_begin_array(w);
    for (size_t i = 0; i < net->server_count; i++) {
        json_begin_object(w);
        json_pair_uint(w, "Port", net->servers[i].port);
        if (net->servers[i].text)
            json_pair_string(w, "Text", net->servers[i].text);
        json_end_object(w);
    }
    json_end_array(w);
    if (!net->job.line)
        return;
    json_key(w, "Job");
    json_begin_object(w);
    json_pair_string(w, "Line", net->job.line);
    json_pair_uint(w, "Step", net->job.step);
    json_pair_uint(w, "Count", net->job.count);
    json_pair_int(w, "Time", net->job.time);
    json_end_object(w);
}

/* What was an adapter's that this machine has not is forgotten. */
static bool read_address(struct machine *machine, const struct json *value) {
    const struct json *gateway = json_get(value, "Gateway");
    struct guest_address own = {0};
    struct sim_device *nic;
    uint64_t number;

    if (!json_to_uint64(json_get(value, "Adapter"), &number) ||
        number > UINT16_MAX ||
        !ip_prefix_parse(json_text(json_get(value, "Address"), ""), &own.at) ||
        (gateway && !ip_parse(json_text(gateway, ""), &own.gateway)))
        return false;
    nic = numbered(machine, (unsigned)number);
    if (nic)
        nic->addresses[own.at.address.family == IP_V6] = own;
    return true;
}

static bool read_server(struct machine *machine, const struct json *value) {
    uint64_t port;
    return json_to_uint64(json_get(value, "Port"), &port) &&
           port <= UINT16_MAX &&
           guest_server_add(&machine->guest.net, (uint16_t)port,
                            json_text(json_get(value, "Text"), NULL));
}

static bool read_job(struct machine *machine, const struct json *value) {
    struct guest_job *job = &machine->guest.net.job;
    const char *line = json_text(json_get(value, "Line"), NULL);

    if (!value)
        return true;
    if (!line || strlen(line) >= SIM_LINE_SIZE ||
        !json_to_uint64(json_get(value, "Step"), &job->step) ||
        !json_to_uint64(json_get(value, "Count"), &job->count) ||
        !json_to_int64(json_get(value, "Time"), &job->time) || job->time < 0 ||
        job->time > INT64_MAX / 4)
        return false;
    job->line = text_copy(line);
    return job->line != NULL;
}

static bool read_each(struct machine *machine, const struct json *list,
                      bool (*read)(struct machine *machine,
                                   const struct json *value)) {
    if (!list)
        return true;
    if (list->type != JSON_ARRAY)
        return false;
    for (size_t i = 0; i < list->as.array.count; i++)
        if (!read(machine, &list->as.array.items[i]))
            return false;
    return true;
}

bool guest_net_read(struct machine *machine, const struct json *state) {
    return read_each(machine, json_get(state, "Addresses"), read_address) &&
           read_each(machine, json_get(state, "Servers"), read_server) &&
           read_job(machine, json_get(state, "Job"));
}
