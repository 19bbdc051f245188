/* SPDX-License-Identifier: MIT */
#include "lab.h"

#include <stdio.h>

static struct ip_address ip(const char *text) {
    struct ip_address address;
    assert_true(ip_parse(text, &address));
    return address;
}

static struct guid guid(const char *text) {
    struct guid id;
    assert_true(guid_parse(text, &id));
    return id;
}

static struct plane_network lab_network(const struct lab_options *options,
                                        const struct plane_subnet *subnet) {
    return (struct plane_network){
        .name = "lab",
        .mode = PLANE_NAT,
        .flags = options->dhcp ? PLANE_NETWORK_DHCP : 0,
        .adapter = "",
        .subnets = subnet,
        .subnet_count = 1,
        .dns = {.domain = ""},
    };
}

static void add_endpoint(struct lab *lab, const char *id, const char *address,
                         uint64_t limit, size_t mappings) {
    const struct plane_mapping ports[] = {
        {.protocol = 6, .external = 8080, .internal = 80},
        {.protocol = 6, .external = 8081, .internal = 5001}};
    const struct plane_ip own = {ip(address), 24};
    const struct plane_endpoint told = {.id = guid(id),
                                        .name = id,
                                        .addresses = &own,
                                        .address_count = 1,
                                        .dns = {.domain = ""},
                                        .mappings = ports,
                                        .mapping_count = mappings,
                                        .egress_limit = limit,
                                        .port_name = ""};
    assert_int_equal(
        sim_plane_ops()->endpoint_up(lab->world.plane, &told, NULL), S_OK);
}

void lab_open(struct lab *lab, const struct lab_options *options) {
    struct plane_subnet subnet = {.gateway = ip("10.0.0.1")};
    struct plane_network network = lab_network(options, &subnet);

    *lab = (struct lab){0};
    assert_true(ip_prefix_parse("10.0.0.0/24", &subnet.prefix));
    world_open(&lab->world, 0);
    assert_int_equal(sim_plane_open(&lab->world.plane, NULL), S_OK);
    assert_int_equal(
        sim_plane_ops()->network_up(lab->world.plane, &network, NULL), S_OK);
    add_endpoint(lab, ENDPOINT_A, "10.0.0.10", 0, 2);
    add_endpoint(lab, ENDPOINT_B, "10.0.0.11", options->limit, 0);
}

void lab_close(struct lab *lab) {
    struct plane *plane = lab->world.plane;
    if (lab->a.vm)
        system_close(&lab->a);
    if (lab->b.vm)
        system_close(&lab->b);
    world_close(&lab->world);
    sim_plane_ops()->destroy(plane);
}

void lab_start(struct lab *lab, struct system *system, const char *name,
               const char *endpoint) {
    struct buf members = {0};
    buf_printf(&members,
               MACHINE("", "") ",\"Devices\":{\"ComPorts\":{\"0\":{"
                               "\"NamedPipe\":\"\\\\\\\\.\\\\pipe\\\\%s\"}},"
                               "\"NetworkAdapters\":{\"n\":{"
                               "\"EndpointId\":\"%s\"}}}",
               name, endpoint);
    system_create(&lab->world, system, name, members.data);
    buf_free(&members);
    assert_int_equal(system_do(system, HcsOperationTypeStart, NULL), S_OK);
    system_connect(system, name);
    world_wait(&lab->world, 30 * CLOCK_MS);
    system_expect(system, "hcs-guest: up\r\n");
    buf_clear(&system->console);
}

void lab_start_both(struct lab *lab) {
    lab_start(lab, &lab->a, "a", ENDPOINT_A);
    lab_start(lab, &lab->b, "b", ENDPOINT_B);
    lab_say(&lab->a, "net 10.0.0.10/24 10.0.0.1", 0,
            "hcs-guest: address 10.0.0.10/24 gateway 10.0.0.1\r\n");
    lab_say(&lab->b, "net 10.0.0.11/24 10.0.0.1", 0,
            "hcs-guest: address 10.0.0.11/24 gateway 10.0.0.1\r\n");
}

void lab_say(struct system *system, const char *line, int64_t ns,
             const char *answer) {
    system_type(system, line);
    system_type(system, "\n");
    world_wait(system->world, ns);
    if (*answer)
        system_expect(system, answer);
    else
        system_read(system);
    buf_putc(&system->console, '\0');
    assert_string_equal(system->console.data, answer);
    buf_clear(&system->console);
}

struct plane_statistics lab_counted(struct lab *lab, const char *endpoint) {
    const struct guid id = guid(endpoint);
    struct plane_statistics out;
    assert_int_equal(
        sim_plane_ops()->statistics(lab->world.plane, &id, &out, NULL), S_OK);
    return out;
}
