/* SPDX-License-Identifier: MIT
 * Documents on this plane, by the same entry that clients use. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/host/net/net.h"

static int64_t now(void *context) {
    (void)context;
    return 0;
}

static uint64_t any_number(void *context) {
    uint64_t *state = context;
    return *state =
               *state * UINT64_C(6364136223846793005) + 1442695040888963407;
}

static void must(struct net *net, enum net_verb verb, enum net_kind kind,
                 struct guid id, struct guid parent, const char *text,
                 HRESULT wanted) {
    struct net_request request = {verb, kind, id, parent, text};
    struct net_reply reply;
    HRESULT hr = net_request(net, &request, &reply);

    if (hr != wanted)
        print_error("%s\n", reply.record ? reply.record : "no record");
    assert_int_equal(hr, wanted);
    net_reply_free(&reply);
}

static void enter(struct net *net, unsigned k) {
    char text[200], id[GUID_TEXT_SIZE];
    struct guid endpoint = end_id(1, k);

    must(net, NET_CREATE, NET_NAMESPACE, space_id(1, k), (struct guid){{0}},
         "{\"SchemaVersion\":{\"Major\":2,\"Minor\":0}}", S_OK);
    guid_format(&endpoint, id);
    snprintf(text, sizeof text,
             "{\"ResourceType\":\"Endpoint\",\"RequestType\":\"Add\","
             "\"Settings\":{\"EndpointId\":\"%s\"}}",
             id);
    must(net, NET_MODIFY, NET_NAMESPACE, space_id(1, k), (struct guid){{0}},
         text, S_OK);
}

static void test_documents(void **state) {
    struct bench *bench = *state;
    const struct guid none = {{0}};
    uint64_t seed = 1;
    struct net_env env = {.ops = bench->ops,
                          .plane = bench->plane,
                          .now = now,
                          .random = any_number,
                          .context = &seed,
                          .build = 26100};
    struct net *net;

    works(bench, net_open(&env, &net, &bench->error));
    must(net, NET_CREATE, NET_NETWORK, net_id(1), none,
         "{\"Name\":\"a\",\"Type\":\"NAT\",\"SchemaVersion\":{\"Major\":2,"
         "\"Minor\":0},\"Ipams\":[{\"Subnets\":[{\"IpAddressPrefix\":"
         "\"10.1.0.0/16\",\"Routes\":[{\"NextHop\":\"10.1.0.1\","
         "\"DestinationPrefix\":\"0.0.0.0/0\"}]}]}]}",
         S_OK);
    must(net, NET_CREATE, NET_ENDPOINT, end_id(1, 0), net_id(1),
         "{\"Name\":\"one\",\"SchemaVersion\":{\"Major\":2,\"Minor\":0},"
         "\"IpConfigurations\":[{\"IpAddress\":\"10.1.0.10\"}],\"Policies\":[{"
         "\"Type\":\"PortMapping\",\"Settings\":{\"Protocol\":6,"
         "\"InternalPort\":80,\"ExternalPort\":8088,\"Flags\":4}}]}",
         S_OK);
    must(net, NET_CREATE, NET_ENDPOINT, end_id(1, 1), net_id(1),
         "{\"Name\":\"two\",\"SchemaVersion\":{\"Major\":2,\"Minor\":0},"
         "\"IpConfigurations\":[{\"IpAddress\":\"10.1.0.11\"}]}",
         S_OK);
    enter(net, 0);
    enter(net, 1);
    assert_soon(ping(bench, AT(1, 0), "10.1.0.11"));
    assert_soon(tcp(bench, AT(1, 1), "10.1.0.1", 8088, AT(1, 0), 80));
    /* Another rule, with the mapping that it has. */
    must(net, NET_MODIFY, NET_ENDPOINT, end_id(1, 0), none,
         "{\"ResourceType\":\"Policy\",\"RequestType\":\"Add\",\"Settings\":{"
         "\"Policies\":[{\"Type\":\"ACL\",\"Settings\":{\"Protocols\":\"1\","
         "\"Action\":\"Block\",\"Direction\":\"In\",\"Priority\":100}}]}}",
         S_OK);
    assert_false(ping(bench, AT(1, 1), "10.1.0.10"));
    assert_soon(tcp(bench, AT(1, 1), "10.1.0.1", 8088, AT(1, 0), 80));
    must(net, NET_CREATE, NET_NETWORK, net_id(2), none,
         "{\"Name\":\"b\",\"Type\":\"Transparent\",\"SchemaVersion\":{"
         "\"Major\":2,\"Minor\":0}}",
         HCN_E_REQUEST_UNSUPPORTED);
    must(net, NET_DELETE, NET_NETWORK, net_id(1), none, NULL, S_OK);
    net_close(net);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_documents, bench_open,
                                        bench_close),
    };

    return bench_main(tests);
}
