/* SPDX-License-Identifier: MIT
 * Policies: of each, a packet that passes and one that does not. */
#include "bench.h"

#include <string.h>

#define TCP 6
#define UDP 17

/* --- ports ------------------------------------------------------------- */

static void map_port(struct bench *bench, struct plane_mapping *mapping) {
    struct end_told told;

    told_endpoint(&told, 1, 0);
    told.endpoint.mappings = mapping;
    told.endpoint.mapping_count = 1;
    change(bench, &told);
}

static void test_mapping(void **state) {
    struct bench *bench = *state;
    struct plane_mapping mapping = {
        .protocol = TCP, .external = 8088, .internal = 80};
    struct end_told none;

    up_network(bench, 2, PLANE_NAT);
    up_endpoint(bench, 2, 0);
    map_port(bench, &mapping);
    /* From the host by its loopback and its own address; from a neighbour, from
     * itself, and from another network, by the host's address. */
    assert_soon(tcp(bench, HOST, "127.0.0.1", 8088, AT(1, 0), 80));
    assert_soon(tcp(bench, HOST, "10.1.0.1", 8088, AT(1, 0), 80));
    assert_soon(tcp(bench, AT(1, 1), "10.1.0.1", 8088, AT(1, 0), 80));
    assert_soon(tcp(bench, AT(1, 0), "10.1.0.1", 8088, AT(1, 0), 80));
    assert_soon(tcp(bench, AT(2, 0), "10.2.0.1", 8088, AT(1, 0), 80));
    assert_soon(tcp(bench, AT(2, 0), "10.1.0.1", 8088, AT(1, 0), 80));
    /* Another port, another protocol, and straight to it from elsewhere. */
    assert_false(tcp(bench, HOST, "127.0.0.1", 8089, AT(1, 0), 80));
    assert_false(udp(bench, HOST, "127.0.0.1", 8088, AT(1, 0), 80, NULL));
    assert_false(tcp(bench, AT(2, 0), "10.1.0.10", 80, AT(1, 0), 80));
    told_endpoint(&none, 1, 0);
    change(bench, &none);
    assert_false(tcp(bench, HOST, "127.0.0.1", 8088, AT(1, 0), 80));
}

static void test_mapping_udp(void **state) {
    struct bench *bench = *state;
    struct plane_mapping mapping = {
        .protocol = UDP, .external = 53, .internal = 5353};

    map_port(bench, &mapping);
    assert_soon(udp(bench, HOST, "127.0.0.1", 53, AT(1, 0), 5353, NULL));
    assert_soon(udp(bench, AT(1, 1), "10.1.0.1", 53, AT(1, 0), 5353, NULL));
    assert_false(udp(bench, HOST, "127.0.0.1", 54, AT(1, 0), 5353, NULL));
}

static void test_mapping_address(void **state) {
    struct bench *bench = *state;
    struct plane_mapping mapping = {.protocol = TCP,
                                    .external = 8088,
                                    .internal = 80,
                                    .flags = PLANE_NAT_LOCAL_VIP};

    mapping.address = address("10.99.0.1");
    map_port(bench, &mapping);
    assert_soon(tcp(bench, HOST, "10.99.0.1", 8088, AT(1, 0), 80));
    assert_soon(tcp(bench, AT(1, 1), "10.99.0.1", 8088, AT(1, 0), 80));
    assert_false(tcp(bench, HOST, "10.1.0.1", 8088, AT(1, 0), 80));
}

static void test_mapping_reserved(void **state) {
    struct bench *bench = *state;
    struct plane_mapping mapping = {.protocol = TCP,
                                    .external = 8088,
                                    .internal = 80,
                                    .flags = PLANE_NAT_RESERVED};
    struct ip_address any = {0};
    struct end_told other;

    assert_false(bench->ops->port_taken(bench->plane, TCP, &any, 8088));
    map_port(bench, &mapping);
    assert_true(bench->ops->port_taken(bench->plane, TCP, &any, 8088));
    assert_false(bench->ops->port_taken(bench->plane, UDP, &any, 8088));
    /* Its own does not stand in its way. */
    map_port(bench, &mapping);
    assert_soon(tcp(bench, HOST, "10.1.0.1", 8088, AT(1, 0), 80));
    told_endpoint(&other, 1, 1);
    other.endpoint.mappings = &mapping;
    other.endpoint.mapping_count = 1;
    assert_int_equal(bench->ops->endpoint_change(bench->plane, &other.endpoint,
                                                 &bench->error),
                     HR_SHARING_VIOLATION);
    told_endpoint(&other, 1, 0);
    change(bench, &other);
    assert_false(bench->ops->port_taken(bench->plane, TCP, &any, 8088));
}

/* Two of one port: the second is refused as a whole. */
static void test_mapping_twice(void **state) {
    struct bench *bench = *state;
    struct plane_mapping mapping[2] = {
        {.protocol = TCP, .external = 9000, .internal = 90},
        {.protocol = TCP, .external = 8088, .internal = 80}};
    struct end_told other;

    map_port(bench, &mapping[1]);
    told_endpoint(&other, 1, 1);
    other.endpoint.mappings = mapping;
    other.endpoint.mapping_count = 2;
    assert_true(FAILED(bench->ops->endpoint_change(
        bench->plane, &other.endpoint, &bench->error)));
    assert_false(tcp(bench, HOST, "10.1.0.1", 9000, AT(1, 1), 90));
    assert_soon(tcp(bench, HOST, "10.1.0.1", 8088, AT(1, 0), 80));
}

/* --- rules ------------------------------------------------------------- */

static void set_acls(struct bench *bench, unsigned k,
                     const struct plane_acl *acls, size_t count) {
    struct end_told told;

    told_endpoint(&told, 1, k);
    told.endpoint.acls = acls;
    told.endpoint.acl_count = count;
    change(bench, &told);
}

static void test_acl_in(void **state) {
    struct bench *bench = *state;
    struct plane_acl acl = {.action = PLANE_BLOCK, .direction = PLANE_IN};

    set_acls(bench, 0, &acl, 1);
    assert_false(ping(bench, AT(1, 1), "10.1.0.10"));
    assert_false(ping(bench, HOST, "10.1.0.10"));
    /* It may still ask, and be answered. */
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_soon(tcp(bench, AT(1, 0), "10.1.0.11", 80, AT(1, 1), 80));
    set_acls(bench, 0, NULL, 0);
    assert_soon(ping(bench, AT(1, 1), "10.1.0.10"));
}

static void test_acl_out(void **state) {
    struct bench *bench = *state;
    struct plane_acl acl = {.action = PLANE_BLOCK, .direction = PLANE_OUT};
    struct plane_statistics numbers;
    struct guid id = end_id(1, 0);

    set_acls(bench, 0, &acl, 1);
    assert_false(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_false(ping(bench, AT(1, 0), "10.1.0.1"));
    assert_soon(ping(bench, AT(1, 1), "10.1.0.10"));
    assert_soon(ping(bench, HOST, "10.1.0.10"));
    works(bench,
          bench->ops->statistics(bench->plane, &id, &numbers, &bench->error));
    assert_int_equal(numbers.dropped_outgoing, 4);
    assert_int_equal(numbers.dropped_incoming, 0);
}

static void test_acl_ports(void **state) {
    struct bench *bench = *state;
    uint8_t protocol = TCP;
    struct plane_port_range ranges[] = {{8000, 8090}, {80, 80}, {8050, 8100}};
    struct plane_acl acls[2] = {
        {.action = PLANE_ALLOW, .direction = PLANE_IN, .priority = 100},
        {.action = PLANE_BLOCK, .direction = PLANE_IN, .priority = 200}};

    acls[0].tuple.protocols.items = &protocol;
    acls[0].tuple.protocols.count = 1;
    acls[0].tuple.local_ports.items = ranges;
    acls[0].tuple.local_ports.count = 3;
    set_acls(bench, 0, acls, 2);
    assert_soon(tcp(bench, AT(1, 1), "10.1.0.10", 80, AT(1, 0), 80));
    assert_soon(tcp(bench, AT(1, 1), "10.1.0.10", 8000, AT(1, 0), 8000));
    assert_soon(tcp(bench, AT(1, 1), "10.1.0.10", 8100, AT(1, 0), 8100));
    assert_false(tcp(bench, AT(1, 1), "10.1.0.10", 8101, AT(1, 0), 8101));
    assert_false(tcp(bench, AT(1, 1), "10.1.0.10", 7999, AT(1, 0), 7999));
    assert_false(udp(bench, AT(1, 1), "10.1.0.10", 80, AT(1, 0), 80, NULL));
    assert_false(ping(bench, AT(1, 1), "10.1.0.10"));
}

static void test_acl_addresses(void **state) {
    struct bench *bench = *state;
    /* They overlap, have bits past their length and are of two families. */
    struct ip_prefix remote[] = {prefix("10.1.0.11/32"), prefix("10.1.0.9/31"),
                                 prefix("10.1.0.11/32"), prefix("fd00::/8"),
                                 prefix("10.1.0.8/29")};
    struct plane_acl acls[2] = {
        {.action = PLANE_BLOCK, .direction = PLANE_IN, .priority = 1},
        {.action = PLANE_ALLOW, .direction = PLANE_IN, .priority = 2}};

    up_endpoint(bench, 1, 10);
    acls[0].tuple.remote.items = remote;
    acls[0].tuple.remote.count = 5;
    set_acls(bench, 0, acls, 2);
    assert_false(ping(bench, AT(1, 1), "10.1.0.10"));
    assert_soon(ping(bench, AT(1, 10), "10.1.0.10"));
    assert_soon(ping(bench, HOST, "10.1.0.10"));
    acls[0].tuple.never = true;
    set_acls(bench, 0, acls, 2);
    assert_soon(ping(bench, AT(1, 1), "10.1.0.10"));
}

static void test_acl_everywhere(void **state) {
    struct bench *bench = *state;
    struct ip_prefix all[] = {prefix("10.0.0.0/8"), prefix("0.0.0.0/0")};
    struct plane_acl acl = {.action = PLANE_BLOCK, .direction = PLANE_IN};

    acl.tuple.remote.items = all;
    acl.tuple.remote.count = 2;
    set_acls(bench, 0, &acl, 1);
    assert_false(ping(bench, AT(1, 1), "10.1.0.10"));
}

static void test_acl_priority(void **state) {
    struct bench *bench = *state;
    uint8_t icmp = 1;
    struct plane_acl acls[2] = {
        {.action = PLANE_ALLOW, .direction = PLANE_IN, .priority = 1},
        {.action = PLANE_BLOCK, .direction = PLANE_IN, .priority = 2}};
    struct plane_acl swapped[2];

    acls[0].tuple.protocols.items = &icmp;
    acls[0].tuple.protocols.count = 1;
    set_acls(bench, 0, acls, 2);
    assert_soon(ping(bench, AT(1, 1), "10.1.0.10"));
    swapped[0] = acls[1];
    swapped[1] = acls[0];
    set_acls(bench, 0, swapped, 2);
    assert_false(ping(bench, AT(1, 1), "10.1.0.10"));
}

static void test_acl_switch(void **state) {
    struct bench *bench = *state;
    uint8_t icmp = 1;
    struct plane_acl acl = {
        .action = PLANE_ALLOW, .direction = PLANE_IN, .on_switch = true};

    acl.tuple.protocols.items = &icmp;
    acl.tuple.protocols.count = 1;
    set_acls(bench, 0, &acl, 1);
    assert_soon(ping(bench, AT(1, 1), "10.1.0.10"));
    assert_false(tcp(bench, AT(1, 1), "10.1.0.10", 80, AT(1, 0), 80));
    assert_soon(tcp(bench, AT(1, 0), "10.1.0.11", 80, AT(1, 1), 80));
    acl.on_switch = false;
    set_acls(bench, 0, &acl, 1);
    assert_soon(tcp(bench, AT(1, 1), "10.1.0.10", 80, AT(1, 0), 80));
}

/* Rules are about what the endpoint sees: the port inside. */
static void test_acl_and_mapping(void **state) {
    struct bench *bench = *state;
    struct plane_mapping mapping = {
        .protocol = TCP, .external = 8088, .internal = 80};
    struct plane_port_range inside = {80, 80};
    struct plane_acl acl = {.action = PLANE_BLOCK, .direction = PLANE_IN};
    struct end_told told;

    told_endpoint(&told, 1, 0);
    told.endpoint.mappings = &mapping;
    told.endpoint.mapping_count = 1;
    acl.tuple.local_ports.items = &inside;
    acl.tuple.local_ports.count = 1;
    told.endpoint.acls = &acl;
    change(bench, &told);
    assert_soon(tcp(bench, HOST, "127.0.0.1", 8088, AT(1, 0), 80));
    told.endpoint.acl_count = 1;
    change(bench, &told);
    assert_false(tcp(bench, HOST, "127.0.0.1", 8088, AT(1, 0), 80));
    assert_false(tcp(bench, AT(1, 1), "10.1.0.1", 8088, AT(1, 0), 80));
}

static void test_acl_of_network(void **state) {
    struct bench *bench = *state;
    struct plane_acl acl = {.action = PLANE_BLOCK, .direction = PLANE_IN};
    struct ip_prefix one = prefix("10.1.0.11/32");
    struct plane_statistics numbers;
    struct guid id = end_id(1, 0);
    struct net_told told;

    told_network(&told, 1, PLANE_NAT);
    acl.tuple.remote.items = &one;
    acl.tuple.remote.count = 1;
    told.network.acls = &acl;
    told.network.acl_count = 1;
    works(bench, bench->ops->network_change(bench->plane, &told.network,
                                            &bench->error));
    assert_false(ping(bench, AT(1, 1), "10.1.0.10"));
    assert_soon(ping(bench, HOST, "10.1.0.10"));
    works(bench,
          bench->ops->statistics(bench->plane, &id, &numbers, &bench->error));
    assert_int_equal(numbers.dropped_incoming, 2);
    told.network.acl_count = 0;
    works(bench, bench->ops->network_change(bench->plane, &told.network,
                                            &bench->error));
    assert_soon(ping(bench, AT(1, 1), "10.1.0.10"));
}

static void test_tiers(void **state) {
    struct bench *bench = *state;
    uint8_t icmp = 1, protocol = TCP;
    struct plane_tier_rule first[] = {{.action = PLANE_PASS},
                                      {.action = PLANE_BLOCK}};
    struct plane_tier_rule second[] = {{.action = PLANE_ALLOW},
                                       {.action = PLANE_BLOCK}};
    struct plane_tier tiers[] = {{.direction = PLANE_IN, .rules = first},
                                 {.direction = PLANE_IN, .rules = second}};
    struct end_told told;

    first[0].tuple.protocols.items = &icmp;
    first[0].tuple.protocols.count = 1;
    first[1].tuple.protocols.items = &icmp;
    first[1].tuple.protocols.count = 1;
    second[0].tuple.protocols.items = &protocol;
    second[0].tuple.protocols.count = 1;
    tiers[0].rule_count = 2;
    tiers[1].rule_count = 2;
    told_endpoint(&told, 1, 0);
    told.endpoint.tiers = tiers;
    told.endpoint.tier_count = 2;
    change(bench, &told);
    /* TCP is allowed by the second; an echo passes the first and is blocked
     * by the second; so is UDP, which the first is not about. */
    assert_soon(tcp(bench, AT(1, 1), "10.1.0.10", 80, AT(1, 0), 80));
    assert_false(ping(bench, AT(1, 1), "10.1.0.10"));
    assert_false(udp(bench, AT(1, 1), "10.1.0.10", 80, AT(1, 0), 80, NULL));
    told.endpoint.tier_count = 1;
    change(bench, &told);
    assert_soon(ping(bench, AT(1, 1), "10.1.0.10"));
    first[0].action = PLANE_BLOCK;
    change(bench, &told);
    assert_false(ping(bench, AT(1, 1), "10.1.0.10"));
    told.endpoint.tier_count = 0;
    change(bench, &told);
    assert_soon(ping(bench, AT(1, 1), "10.1.0.10"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_two, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(test_mapping),         TEST(test_mapping_udp),
        TEST(test_mapping_address), TEST(test_mapping_reserved),
        TEST(test_mapping_twice),   TEST(test_acl_in),
        TEST(test_acl_out),         TEST(test_acl_ports),
        TEST(test_acl_addresses),   TEST(test_acl_everywhere),
        TEST(test_acl_priority),    TEST(test_acl_switch),
        TEST(test_acl_and_mapping), TEST(test_acl_of_network),
        TEST(test_tiers),
    };

    return bench_main(tests);
}
