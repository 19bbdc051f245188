/* SPDX-License-Identifier: MIT
 * Networks of each type: who reaches whom. */
#include "bench.h"

#include <string.h>

static void test_nat(void **state) {
    struct bench *bench = *state;

    up_network(bench, 1, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    up_endpoint(bench, 1, 1);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_soon(ping(bench, AT(1, 1), "10.1.0.10"));
    assert_soon(ping(bench, AT(1, 0), "10.1.0.1"));
    assert_soon(ping(bench, HOST, "10.1.0.10"));
    assert_false(ping(bench, AT(1, 0), "10.1.0.12"));
    assert_false(ping(bench, OUTSIDE, "10.1.0.10"));
}

static void test_internal(void **state) {
    struct bench *bench = *state;

    up_network(bench, 1, PLANE_INTERNAL);
    up_network(bench, 2, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    up_endpoint(bench, 1, 1);
    up_endpoint(bench, 2, 0);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_soon(ping(bench, AT(1, 0), "10.1.0.1"));
    assert_soon(ping(bench, HOST, "10.1.0.10"));
    assert_false(ping(bench, AT(1, 0), "10.2.0.10"));
    assert_false(ping(bench, AT(2, 0), "10.1.0.10"));
}

static void test_private(void **state) {
    struct bench *bench = *state;

    up_network(bench, 1, PLANE_PRIVATE);
    up_network(bench, 2, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    up_endpoint(bench, 1, 1);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_false(ping(bench, AT(1, 0), "10.1.0.1"));
    assert_false(ping(bench, HOST, "10.1.0.10"));
    assert_false(ping(bench, AT(1, 0), "10.2.0.1"));
}

static void test_no_host_port(void **state) {
    struct bench *bench = *state;
    struct net_told told;

    told_network(&told, 1, PLANE_NAT);
    told.network.flags = PLANE_NETWORK_NO_HOST_PORT;
    works(bench,
          bench->ops->network_up(bench->plane, &told.network, &bench->error));
    up_endpoint(bench, 1, 0);
    up_endpoint(bench, 1, 1);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_false(ping(bench, AT(1, 0), "10.1.0.1"));
}

static void test_apart(void **state) {
    struct bench *bench = *state;

    up_network(bench, 1, PLANE_NAT);
    up_network(bench, 2, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    up_endpoint(bench, 2, 0);
    assert_false(ping(bench, AT(1, 0), "10.2.0.10"));
    assert_soon(ping(bench, AT(1, 0), "10.2.0.1")); /* that is the host */
}

/* Two private networks may have the same addresses, and do not mix. */
static void test_same_addresses(void **state) {
    struct bench *bench = *state;
    struct net_told told;
    struct end_told end;

    up_network(bench, 1, PLANE_PRIVATE);
    up_endpoint(bench, 1, 0);
    told_network(&told, 1, PLANE_PRIVATE);
    told.network.id = net_id(2);
    works(bench,
          bench->ops->network_up(bench->plane, &told.network, &bench->error));
    told_endpoint(&end, 1, 1);
    end.endpoint.id = end_id(2, 1);
    end.endpoint.network = net_id(2);
    works(bench,
          bench->ops->endpoint_up(bench->plane, &end.endpoint, &bench->error));
    attach(bench, 2, 1);
    assert_false(ping(bench, AT(1, 0), "10.1.0.11"));
    up_endpoint(bench, 1, 1);
    up_endpoint(bench, 1, 2); /* who has not asked for it in vain yet */
    assert_soon(ping(bench, AT(1, 2), "10.1.0.11"));
}

static void test_overlap(void **state) {
    struct bench *bench = *state;
    struct net_told told;
    struct guid id = net_id(1);

    up_network(bench, 1, PLANE_NAT);
    told_network(&told, 1, PLANE_INTERNAL);
    told.network.id = net_id(2);
    assert_int_equal(
        bench->ops->network_up(bench->plane, &told.network, &bench->error),
        HR_DUP_NAME);
    bench->ops->network_down(bench->plane, &id);
    works(bench,
          bench->ops->network_up(bench->plane, &told.network, &bench->error));
}

static void test_refused(void **state) {
    static const enum plane_mode modes[] = {
        PLANE_TRANSPARENT, PLANE_L2BRIDGE,       PLANE_L2TUNNEL,
        PLANE_OVERLAY,     PLANE_MIRRORED,       PLANE_INFINIBAND,
        PLANE_MODE_COUNT,  PLANE_CONSTRAINED_ICS};
    struct bench *bench = *state;

    for (size_t i = 0; i < HCS_COUNT(modes); i++) {
        struct net_told told;
        told_network(&told, 1, modes[i]);
        assert_int_equal(
            bench->ops->can_network(bench->plane, modes[i], &bench->error),
            HCN_E_REQUEST_UNSUPPORTED);
        assert_int_equal(
            bench->ops->network_up(bench->plane, &told.network, &bench->error),
            HCN_E_REQUEST_UNSUPPORTED);
    }
    works(bench,
          bench->ops->can_network(bench->plane, PLANE_NAT, &bench->error));
}

static void test_refused_policies(void **state) {
    static const struct {
        enum plane_policy policy;
        HRESULT code;
    } cases[] = {
        {PLANE_PORT_MAPPING, S_OK},
        {PLANE_ACL, S_OK},
        {PLANE_TIER_ACL, S_OK},
        {PLANE_QOS, S_OK},
        {PLANE_OUTBOUND_NAT, S_OK},
        {PLANE_MTU, S_OK},
        {PLANE_ENCAP_OVERHEAD, S_OK},
        {PLANE_HOST_ROUTE, S_OK},
        {PLANE_ROUTER_MAC, S_OK},
        {PLANE_SOURCE_MAC, S_OK},
        {PLANE_RECORD, S_OK},
        {PLANE_VLAN, HCN_E_REQUEST_UNSUPPORTED},
        {PLANE_ADAPTER, HCN_E_REQUEST_UNSUPPORTED},
        {PLANE_SDN_ROUTE, HCN_E_VFP_NOT_ALLOWED},
        {PLANE_L4_PROXY, HCN_E_VFP_NOT_ALLOWED},
        {PLANE_WFP_PROXY, HCN_E_VFP_NOT_ALLOWED},
        {PLANE_PROVIDER_ADDRESS, HCN_E_VFP_NOT_ALLOWED},
        {PLANE_VSID, HCN_E_VFP_NOT_ALLOWED},
        {PLANE_VXLAN_PORT, HCN_E_VFP_NOT_ALLOWED},
        {PLANE_REMOTE_SUBNET, HCN_E_VFP_NOT_ALLOWED},
    };
    struct bench *bench = *state;
    struct plane_adapter any = {.name = ""};
    char name[PLANE_DEVICE_SIZE];

    assert_int_equal(HCS_COUNT(cases), PLANE_POLICY_COUNT);
    for (size_t i = 0; i < HCS_COUNT(cases); i++)
        assert_int_equal(bench->ops->can_policy(bench->plane, cases[i].policy,
                                                &bench->error),
                         cases[i].code);
    assert_int_equal(
        bench->ops->find_adapter(bench->plane, &any, name, &bench->error),
        HCN_E_ADAPTER_NOT_FOUND);
}

static void test_two_families(void **state) {
    struct bench *bench = *state;
    struct net_told net;
    struct plane_subnet subnets[2];
    unsigned k;

    told_network(&net, 1, PLANE_NAT);
    subnets[0] = net.subnet;
    memset(&subnets[1], 0, sizeof subnets[1]);
    subnets[1].prefix = prefix("fd01::/64");
    subnets[1].gateway = address("fd01::1");
    net.network.subnets = subnets;
    net.network.subnet_count = 2;
    works(bench,
          bench->ops->network_up(bench->plane, &net.network, &bench->error));
    for (k = 0; k < 2; k++) {
        struct plane_ip ips[2];
        struct plane_route routes[2] = {{{{0}, 0}, {0}, 0, false}};
        struct plane_mapping mapping = {
            .protocol = 6, .external = 8088, .internal = 80};
        struct end_told end;

        told_endpoint(&end, 1, k);
        ips[0] = end.address;
        ips[1].address = address(k ? "fd01::11" : "fd01::10");
        ips[1].length = 64;
        routes[0] = end.route;
        routes[1].destination.address.family = IP_V6;
        routes[1].next_hop = address("fd01::1");
        end.endpoint.addresses = ips;
        end.endpoint.address_count = 2;
        end.endpoint.routes = routes;
        end.endpoint.route_count = 2;
        end.endpoint.mappings = &mapping;
        end.endpoint.mapping_count = k == 0;
        works(bench, bench->ops->endpoint_up(bench->plane, &end.endpoint,
                                             &bench->error));
        attach(bench, 1, k);
    }
    assert_soon(ping(bench, AT(1, 0), "fd01::11"));
    assert_soon(ping(bench, AT(1, 0), "fd01::1"));
    assert_soon(ping(bench, HOST, "fd01::10"));
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_soon(tcp(bench, AT(1, 1), "fd01::1", 8088, AT(1, 0), 80));
    assert_soon(tcp(bench, HOST, "fd01::1", 8088, AT(1, 0), 80));
    assert_soon(tcp(bench, AT(1, 1), "10.1.0.1", 8088, AT(1, 0), 80));
    assert_false(ping(bench, AT(1, 0), "fd01::12"));
}

/* A subnet comes and goes; one that clashes changes nothing. */
static void test_change(void **state) {
    struct bench *bench = *state;
    struct plane_subnet subnets[2];
    struct net_told told;

    up_network(bench, 1, PLANE_NAT);
    up_network(bench, 3, PLANE_NAT);
    up_endpoint(bench, 1, 0);
    told_network(&told, 5, PLANE_NAT);
    subnets[1] = told.subnet;
    told_network(&told, 1, PLANE_NAT);
    subnets[0] = told.subnet;
    told.network.subnets = subnets;
    told.network.subnet_count = 2;
    works(bench, bench->ops->network_change(bench->plane, &told.network,
                                            &bench->error));
    assert_soon(ping(bench, AT(1, 0), "10.5.0.1"));
    subnets[1].prefix = prefix("10.3.7.0/24");
    subnets[1].gateway = address("10.3.7.1");
    assert_int_equal(
        bench->ops->network_change(bench->plane, &told.network, &bench->error),
        HR_DUP_NAME);
    assert_soon(ping(bench, AT(1, 0), "10.5.0.1"));
    told.network.subnet_count = 1;
    works(bench, bench->ops->network_change(bench->plane, &told.network,
                                            &bench->error));
    assert_false(ping(bench, AT(1, 0), "10.5.0.1"));
    assert_soon(ping(bench, AT(1, 0), "10.1.0.1"));
}

int main(void) {
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, bench_open, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(test_nat),
        TEST(test_internal),
        TEST(test_private),
        TEST(test_no_host_port),
        TEST(test_apart),
        TEST(test_same_addresses),
        TEST(test_overlap),
        TEST(test_refused),
        TEST(test_two_families),
        TEST(test_change),
        TEST(test_refused_policies),
    };

    return bench_main(tests);
}
