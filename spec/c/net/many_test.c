/* SPDX-License-Identifier: MIT
 * Many of everything, in time that grows with their number. */
#include "world.h"

#include "base/clock.h"

#define COUNT 1000

/* Seconds that it may take at most; under sanitizers it is slower. */
#define PATIENCE 20

static double seconds_since(int64_t start) {
    return (double)(clock_monotonic() - start) / 1e9;
}

static void a_thousand_endpoints(void **state) {
    static struct guid ids[COUNT];
    struct world *w = *state;
    struct guid net = make(
        w, NET_NETWORK, NULL,
        "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/16'}]}]," V2 "}");
    int64_t start = clock_monotonic();
    struct json_doc doc;

    for (size_t i = 0; i < COUNT; i++)
        ids[i] = make(w, NET_ENDPOINT, &net,
                      "{'Name':'same','Policies':[{'Type':'PortMapping',"
                      "'Settings':{'Protocol':6,'InternalPort':80}}]," V2 "}");
    doc = v2(w, NET_ENDPOINT, &ids[COUNT - 1]);
    assert_string_equal(text_at(&doc, "IpConfigurations.0.IpAddress"),
                        "10.0.3.233");
    json_doc_free(&doc);
    ask(w, S_OK, NET_ENUMERATE, NET_ENDPOINT, NULL,
        "{'Filter':'{\\\"Name\\\":\\\"same\\\"}'}");
    assert_int_equal(strlen(w->reply.document), COUNT * 39 + 1);
    for (size_t i = 0; i < COUNT; i += 2)
        erase(w, NET_ENDPOINT, &ids[i]);
    for (size_t i = 0; i < COUNT; i += 2)
        ids[i] = make(w, NET_ENDPOINT, &net, "{}");
    doc = v2(w, NET_ENDPOINT, &ids[0]);
    assert_string_equal(text_at(&doc, "IpConfigurations.0.IpAddress"),
                        "10.0.0.2");
    json_doc_free(&doc);
    for (size_t i = 0; i < COUNT / 2; i++)
        erase(w, NET_ENDPOINT, &ids[i]);
    erase(w, NET_NETWORK, &net);
    assert_int_equal(net_count(w->net, NET_ENDPOINT), 0);
    print_message("%d endpoints: %.3f s\n", COUNT, seconds_since(start));
    assert_true(seconds_since(start) < PATIENCE);
}

static void many_networks_and_namespaces(void **state) {
    struct world *w = *state;
    int64_t start = clock_monotonic();
    char text[200], id[GUID_TEXT_SIZE];

    for (int i = 0; i < COUNT; i++) {
        snprintf(text, sizeof text,
                 "{'Name':'n%d','Type':'%s','Ipams':[{'Subnets':[{"
                 "'IpAddressPrefix':'10.%d.%d.0/24'}]}]}",
                 i, i % 2 ? "NAT" : "ICS", i / 256, i % 256);
        struct guid net = make(w, NET_NETWORK, NULL, text);
        struct guid end = make(w, NET_ENDPOINT, &net, "{}");
        struct guid space = make(w, NET_NAMESPACE, NULL, "{" V2 "}");
        guid_format(&end, id);
        snprintf(text, sizeof text,
                 "{'ResourceType':'Endpoint','Settings':{'EndpointId':'%s'}}",
                 id);
        modify(w, S_OK, NET_NAMESPACE, &space, text);
        if (i == COUNT - 1) {
            struct json_doc doc = v2(w, NET_NAMESPACE, &space);
            assert_string_equal(text_at(&doc, "NamespaceId"), "1001");
            json_doc_free(&doc);
        }
    }
    print_message("%d networks: %.3f s\n", COUNT, seconds_since(start));
    assert_true(seconds_since(start) < PATIENCE);
}

static void all_prefixes_are_given_out(void **state) {
    struct world *w = *state;

    for (int i = 0; i < 256; i++)
        make(w, NET_NETWORK, NULL, "{'Type':'NAT'}");
    refuse(w, HCN_E_ADDR_INVALID_OR_RESERVED, NET_NETWORK, NULL,
           "{'Type':'NAT'}");
    refuse(w, HCN_E_ADDR_INVALID_OR_RESERVED, NET_NETWORK, NULL,
           "{'Type':'ICS'}");
}

/* Long lists of rules are put in order in time. */
static void many_rules(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct buf text = {0};
    int64_t start = clock_monotonic();

    buf_puts(&text, "{'Policies':[");
    for (int i = 0; i < 10 * COUNT; i++)
        buf_printf(&text, "%s{'Type':'ACL','Settings':{'Priority':%d}}",
                   i ? "," : "", 60000 - i);
    buf_puts(&text, "]}");
    make(w, NET_ENDPOINT, &net, text.data);
    buf_free(&text);
    assert_true(seconds_since(start) < PATIENCE);
}

/* One list of sets is flattened, up to a limit. */
static void sets_do_not_blow_up(void **state) {
    struct world *w = *state;
    struct buf text = {0};
    struct guid net;

    buf_puts(&text, "{'Policies':[{'Type':'SetPolicy','Settings':{'Id':'s',"
                    "'Values':'10.0.0.0");
    for (int i = 1; i < COUNT; i++)
        buf_printf(&text, ",10.0.%d.%d", i / 256, i % 256);
    buf_puts(&text, "'}}]}");
    net = make(w, NET_NETWORK, NULL, text.data);
    buf_clear(&text);
    buf_puts(&text, "{'Policies':[{'Type':'ACL','Settings':{"
                    "'RemoteAddresses':'s");
    for (int i = 1; i < 70; i++)
        buf_puts(&text, ",s");
    buf_puts(&text, "'}}]}");
    refuse(w, HCN_E_INVALID_POLICY, NET_ENDPOINT, &net, text.data);
    buf_free(&text);
}

int main(void) {
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(a_thousand_endpoints),       TEST(many_networks_and_namespaces),
        TEST(all_prefixes_are_given_out), TEST(many_rules),
        TEST(sets_do_not_blow_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
