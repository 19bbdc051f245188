/* SPDX-License-Identifier: MIT
 * Without memory: each allocation of each call fails once. The call then says
 * so, and nothing of it is left, neither in the kernel nor in the process. */
#include "bench.h"

#include <faults.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOST 200 /* allocations of one call */

typedef HRESULT attempt(struct bench *bench);

/* What there is: in the kernel, and in the process. */
struct whole {
    struct linux_plane_counts counts;
    long blocks;
};

static void look(struct bench *bench, struct whole *out) {
    memset(out, 0, sizeof *out);
    works(bench, linux_plane_count(bench->plane, &out->counts, &bench->error));
    out->blocks = faults_live();
}

/* Until it works; `calm` when it may do so in spite of a failure, since what
 * failed is done again later. */
static void starve(struct bench *bench, attempt *call, bool calm) {
    struct whole before, after;
    HRESULT hr = E_OUTOFMEMORY;
    size_t n;

    look(bench, &before);
    for (n = 1; FAILED(hr) && n < MOST; n++) {
        size_t made;

        faults_fail_from(n);
        hr = call(bench);
        made = faults_allocations();
        faults_fail_from(0);
        if (SUCCEEDED(hr)) {
            assert_true(calm || made < n);
            break;
        }
        if (hr != E_OUTOFMEMORY)
            print_error("allocation %zu: 0x%08x %s\n", n, (unsigned)hr,
                        bench->error.text);
        assert_int_equal(hr, E_OUTOFMEMORY);
        look(bench, &after);
        assert_memory_equal(&before.counts, &after.counts,
                            sizeof before.counts);
        assert_int_equal(before.blocks, after.blocks);
    }
    works(bench, hr);
    assert_true(n > 1); /* there was something to fail */
}

/* --- the calls --------------------------------------------------------- */

static HRESULT make_network(struct bench *bench) {
    const char *search[] = {"a.test", "b.test"};
    struct ip_address server = address("10.9.9.9");
    struct net_told told;

    told_network(&told, 2, PLANE_NAT);
    told.network.dns.search = search;
    told.network.dns.search_count = 2;
    told.network.dns.servers = &server;
    told.network.dns.server_count = 1;
    return bench->ops->network_up(bench->plane, &told.network, &bench->error);
}

static HRESULT change_network(struct bench *bench) {
    struct plane_acl acl = {.action = PLANE_BLOCK, .direction = PLANE_IN};
    struct net_told told;

    told_network(&told, 2, PLANE_NAT);
    told.subnet.gateway = address("10.2.0.9");
    told.network.acls = &acl;
    told.network.acl_count = 1;
    return bench->ops->network_change(bench->plane, &told.network,
                                      &bench->error);
}

/* With a policy of each kind. */
static HRESULT tell(struct bench *bench,
                    HRESULT (*how)(struct plane *,
                                   const struct plane_endpoint *,
                                   struct hcs_error *),
                    bool other) {
    struct ip_prefix remotes[] = {prefix("10.7.0.0/16"), prefix("10.8.0.0/16")};
    struct plane_acl acls[2] = {
        {.action = PLANE_BLOCK, .direction = PLANE_IN, .on_switch = other},
        {.action = PLANE_ALLOW, .direction = PLANE_OUT}};
    struct plane_tier_rule rule = {.action = PLANE_PASS};
    struct plane_tier tier = {
        .direction = PLANE_OUT, .rules = &rule, .rule_count = 1};
    struct plane_mapping mapping = {.protocol = 6,
                                    .external = other ? 8081 : 8080,
                                    .internal = 80,
                                    .flags = PLANE_NAT_RESERVED};
    struct plane_outbound_nat nat = {.address = address("10.99.0.1")};
    struct end_told told;

    told_endpoint(&told, 2, 0);
    acls[0].tuple.remote = (struct plane_addresses){remotes, 2};
    told.endpoint.name = other ? "another name" : "a name";
    told.endpoint.acls = acls;
    told.endpoint.acl_count = 2;
    told.endpoint.tiers = &tier;
    told.endpoint.tier_count = other ? 0 : 1;
    told.endpoint.mappings = &mapping;
    told.endpoint.mapping_count = 1;
    told.endpoint.nats = &nat;
    told.endpoint.nat_count = 1;
    return how(bench->plane, &told.endpoint, &bench->error);
}

static HRESULT make_endpoint(struct bench *bench) {
    return tell(bench, bench->ops->endpoint_up, false);
}

static HRESULT change_endpoint(struct bench *bench) {
    return tell(bench, bench->ops->endpoint_change, true);
}

static HRESULT make_space(struct bench *bench) {
    struct plane_namespace space = {.id = space_id(2, 0), .type = PLANE_HOST};

    return bench->ops->namespace_up(bench->plane, &space, &bench->error);
}

static void test_objects(void **state) {
    struct bench *bench = *state;
    struct guid end = end_id(2, 0), net = net_id(2), space = space_id(2, 0);
    struct whole before, after;

    look(bench, &before);
    starve(bench, make_network, false);
    starve(bench, change_network, false);
    starve(bench, make_endpoint, false);
    starve(bench, change_endpoint, false);
    starve(bench, make_space, false);
    bench->ops->namespace_down(bench->plane, &space);
    bench->ops->endpoint_down(bench->plane, &end);
    bench->ops->network_down(bench->plane, &net);
    look(bench, &after);
    assert_memory_equal(&before, &after, sizeof before);
}

/* Ports take no memory of ours but a thread's, which may not be had. */
static void test_ports(void **state) {
    struct bench *bench = *state;
    struct plane_port port = {
        .kind = PLANE_PORT_NAMESPACE, .owner = space_id(1, 0), .adapter = ""};
    struct guid id = end_id(1, 0);
    struct whole before, after;
    char device[PLANE_DEVICE_SIZE];

    look(bench, &before);
    for (size_t n = 1; n < 4; n++) {
        faults_fail_from(n);
        bench->ops->port_down(bench->plane, &id);
        faults_fail_from(0);
        works(bench, bench->ops->port_up(bench->plane, &id, &port, device,
                                         &bench->error));
        assert_string_equal(device, "eth0");
        look(bench, &after);
        assert_memory_equal(&before, &after, sizeof before);
    }
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
}

/* What takes away cannot fail, so it takes no memory: else the rules of one
 * that is gone would be in the way of the next with its address. */
static void test_end(void **state) {
    struct bench *bench = *state;
    struct guid id = end_id(2, 0), network = net_id(2);
    struct whole before, after;

    works(bench, make_network(bench));
    look(bench, &before);
    works(bench, make_endpoint(bench));
    faults_fail_from(1);
    bench->ops->endpoint_down(bench->plane, &id);
    faults_fail_from(0);
    look(bench, &after);
    assert_memory_equal(&before, &after, sizeof before);
    works(bench, make_endpoint(bench));
    faults_fail_from(1);
    bench->ops->endpoint_down(bench->plane, &id);
    bench->ops->network_down(bench->plane, &network);
    faults_fail_from(0);
    works(bench, make_network(bench));
    works(bench, make_endpoint(bench));
}

/* --- ways -------------------------------------------------------------- */

static HRESULT make_uplink(struct bench *bench) {
    return linux_plane_uplink(bench->plane, NULL, &bench->error);
}

static void test_uplink(void **state) {
    struct bench *bench = *state;

    starve(bench, make_uplink, false);
}

static HRESULT sketch(struct bench *bench) {
    const struct plane_ops *ops = linux_plan_ops();
    struct plane *plan;
    struct bench other = *bench;
    HRESULT hr = linux_plan_open(bench->plane, &plan, &bench->error);

    if (FAILED(hr))
        return hr;
    other.ops = ops;
    other.plane = plan;
    hr = make_network(&other);
    if (SUCCEEDED(hr))
        hr = make_endpoint(&other);
    if (SUCCEEDED(hr))
        hr = linux_plan_uplink(plan, &other.error);
    if (FAILED(hr))
        bench->error = other.error;
    ops->destroy(plan);
    return hr;
}

static void test_plan(void **state) {
    starve(*state, sketch, false);
}

/* A plane of its own. */
static HRESULT open_plane(struct bench *bench) {
    struct linux_plane_options options = {.directory = "/tmp"};
    struct plane *plane;
    HRESULT hr = linux_plane_open(&options, &plane, &bench->error);

    if (SUCCEEDED(hr))
        bench->ops->destroy(plane);
    else
        assert_null(plane);
    return hr;
}

static void test_open(void **state) {
    starve(*state, open_plane, true);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_two, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(test_objects), TEST(test_ports), TEST(test_end),
        TEST(test_uplink),  TEST(test_plan),  TEST(test_open),
    };

    return bench_main(tests);
}
