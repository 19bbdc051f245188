/* SPDX-License-Identifier: MIT
 * What would change, said beforehand: nothing changes, and what is then done
 * is what was said. */
#include "bench.h"

#include <stdio.h>
#include <string.h>

struct sketch {
    const struct plane_ops *ops;
    struct plane *plan;
};

static void open_sketch(struct bench *bench, struct sketch *out) {
    out->ops = linux_plan_ops();
    works(bench, linux_plan_open(bench->plane, &out->plan, &bench->error));
}

static size_t count_lines(const struct plane *plan, enum linux_plan_kind kind) {
    const struct linux_plan_line *line;
    size_t count = 0;

    for (size_t i = 0; (line = linux_plan_line(plan, i)); i++)
        count += line->kind == kind;
    return count;
}

static bool says(const struct plane *plan, const char *words) {
    const struct linux_plan_line *line;

    for (size_t i = 0; (line = linux_plan_line(plan, i)); i++)
        if (strstr(line->text, words))
            return true;
    return false;
}

static size_t count_machine(const struct plane *plan) {
    const struct linux_plan_line *line;
    size_t count = 0;

    for (size_t i = 0; (line = linux_plan_line(plan, i)); i++)
        count += line->machine;
    return count;
}

/* The rules that are added, not what is in maps. */
static size_t count_rules(const struct plane *plan) {
    const struct linux_plan_line *line;
    size_t count = 0;

    for (size_t i = 0; (line = linux_plan_line(plan, i)); i++)
        count += strncmp(line->text, "add rule", 8) == 0;
    return count;
}

static void tell(struct bench *bench, const struct plane_ops *ops,
                 struct plane *plane) {
    struct plane_acl acl = {.action = PLANE_BLOCK, .direction = PLANE_IN};
    struct plane_mapping mapping = {
        .protocol = 6, .external = 8080, .internal = 80, .flags = 4};
    struct plane_namespace space = {.id = id_of(5), .type = PLANE_HOST};
    struct plane_port port = {
        .kind = PLANE_PORT_NAMESPACE, .owner = id_of(5), .adapter = ""};
    struct guid id = end_id(2, 0);
    char device[PLANE_DEVICE_SIZE];
    struct net_told network;
    struct end_told told;

    told_network(&network, 2, PLANE_NAT);
    works(bench, ops->network_up(plane, &network.network, &bench->error));
    told_endpoint(&told, 2, 0);
    told.endpoint.acls = &acl;
    told.endpoint.acl_count = 1;
    told.endpoint.mappings = &mapping;
    told.endpoint.mapping_count = 1;
    works(bench, ops->endpoint_up(plane, &told.endpoint, &bench->error));
    works(bench, ops->namespace_up(plane, &space, &bench->error));
    works(bench, ops->port_up(plane, &id, &port, device, &bench->error));
    assert_string_equal(device, "eth0");
}

/* As much as it says, with the names that it says. */
static void test_as_told(void **state) {
    struct bench *bench = *state;
    struct linux_plane_counts before, planned, after;
    struct sketch sketch;

    works(bench, linux_plane_count(bench->plane, &before, &bench->error));
    open_sketch(bench, &sketch);
    tell(bench, sketch.ops, sketch.plan);
    works(bench, linux_plane_count(bench->plane, &planned, &bench->error));
    assert_memory_equal(&before, &planned, sizeof before);
    tell(bench, bench->ops, bench->plane);
    works(bench, linux_plane_count(bench->plane, &after, &bench->error));
    /* The bridge and the pair; the namespace is a line, too. */
    assert_int_equal(after.interfaces - before.interfaces, 3);
    assert_int_equal(count_lines(sketch.plan, LINUX_PLAN_INTERFACE), 3);
    assert_int_equal(count_rules(sketch.plan), after.rules - before.rules);
    assert_int_equal(count_lines(sketch.plan, LINUX_PLAN_ROUTE), 1);
    assert_int_equal(count_lines(sketch.plan, LINUX_PLAN_ADDRESS), 2);
    assert_int_equal(count_lines(sketch.plan, LINUX_PLAN_SETTING), 1);
    assert_int_equal(count_machine(sketch.plan), 0);
    assert_true(says(sketch.plan, "hb4"));
    assert_true(says(sketch.plan, "10.2.0.1/16"));
    assert_true(says(sketch.plan, "0.0.0.0/0 by 10.2.0.1"));
    assert_true(says(sketch.plan, "6 . 8080 : 10.2.0.10 . 80"));
    sketch.ops->destroy(sketch.plan);
}

/* What is there already keeps its names, and is forgotten by clearing. */
static void test_known(void **state) {
    struct bench *bench = *state;
    struct guid network = net_id(1), end = end_id(1, 0);
    struct net_told net;
    struct end_told told;
    struct sketch sketch;

    open_sketch(bench, &sketch);
    told_network(&net, 1, PLANE_NAT);
    works(bench,
          sketch.ops->network_up(sketch.plan, &net.network, &bench->error));
    assert_true(says(sketch.plan, "hb1"));
    told_endpoint(&told, 1, 0);
    works(bench,
          sketch.ops->endpoint_up(sketch.plan, &told.endpoint, &bench->error));
    linux_plan_clear(sketch.plan);
    assert_null(linux_plan_line(sketch.plan, 0));
    told.endpoint.egress_limit = 5000;
    told.endpoint.name = "two\nlines";
    works(bench, sketch.ops->endpoint_change(sketch.plan, &told.endpoint,
                                             &bench->error));
    assert_true(says(sketch.plan, "e2i"));
    sketch.ops->port_down(sketch.plan, &end);
    assert_true(says(sketch.plan, "take away hp2"));
    sketch.ops->endpoint_down(sketch.plan, &end);
    assert_true(says(sketch.plan, "two lines"));
    sketch.ops->network_down(sketch.plan, &network);
    assert_true(says(sketch.plan, "take away the bridge hb1"));
    sketch.ops->destroy(sketch.plan);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
}

/* It refuses what the plane would refuse. */
static void test_refusals(void **state) {
    struct bench *bench = *state;
    struct net_told net;
    struct end_told told;
    struct plane_route route = {.metric = 1};
    struct plane_mapping mapping = {
        .protocol = 6, .external = 8080, .internal = 80, .flags = 4};
    struct ip_address any = {.family = IP_NONE};
    struct sketch sketch;

    open_sketch(bench, &sketch);
    told_network(&net, 3, PLANE_TRANSPARENT);
    assert_int_equal(
        sketch.ops->network_up(sketch.plan, &net.network, &bench->error),
        HCN_E_REQUEST_UNSUPPORTED);
    told_endpoint(&told, 3, 0);
    assert_int_equal(
        sketch.ops->endpoint_up(sketch.plan, &told.endpoint, &bench->error),
        HCN_E_NETWORK_NOT_FOUND);
    told_network(&net, 1, PLANE_NAT);
    works(bench,
          sketch.ops->network_up(sketch.plan, &net.network, &bench->error));
    told_endpoint(&told, 1, 5);
    told.endpoint.sdn_routes = &route;
    told.endpoint.sdn_route_count = 1;
    assert_int_equal(
        sketch.ops->endpoint_up(sketch.plan, &told.endpoint, &bench->error),
        HCN_E_VFP_NOT_ALLOWED);
    assert_int_equal(
        sketch.ops->endpoint_change(sketch.plan, &told.endpoint, &bench->error),
        HCN_E_ENDPOINT_NOT_FOUND);
    /* A port that an endpoint of the plane has is not the machine's. */
    told_endpoint(&told, 1, 0);
    told.endpoint.mappings = &mapping;
    told.endpoint.mapping_count = 1;
    assert_false(sketch.ops->port_taken(sketch.plan, 6, &any, 8080));
    change(bench, &told);
    assert_true(bench->ops->port_taken(bench->plane, 6, &any, 8080));
    assert_false(sketch.ops->port_taken(sketch.plan, 6, &any, 8080));
    sketch.ops->destroy(sketch.plan);
    sketch.ops->destroy(NULL);
}

static void test_uplink(void **state) {
    struct bench *bench = *state;
    struct sketch sketch;

    open_sketch(bench, &sketch);
    works(bench, linux_plan_uplink(sketch.plan, &bench->error));
    assert_int_equal(count_machine(sketch.plan), 4);
    assert_true(says(sketch.plan, "hcs-up0"));
    linux_plan_clear(sketch.plan);
    works(bench, linux_plane_uplink(bench->plane, NULL, &bench->error));
    works(bench, linux_plan_uplink(sketch.plan, &bench->error));
    assert_null(linux_plan_line(sketch.plan, 0));
    sketch.ops->destroy(sketch.plan);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_two, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(test_as_told),
        TEST(test_known),
        TEST(test_refusals),
        TEST(test_uplink),
    };

    return bench_main(tests);
}
