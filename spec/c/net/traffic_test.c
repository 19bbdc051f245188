/* SPDX-License-Identifier: MIT
 * What networks and policies do to packets on the simulated plane: of each one
 * that must pass and one that must not. */
#include "world.h"

#define EP(policies) "{'Policies':[" policies "]," V2 "}"
#define POLICY(type, settings) "{'Type':'" type "','Settings':{" settings "}}"
#define NETWORK(type) "{'Type':'" type "'," NAT_SUBNET "," V2 "}"

enum { TCP = 6, UDP = 17 };

static const struct guid host;

/* An attached endpoint. */
static struct guid attached(struct world *w, const struct guid *net,
                            const char *text) {
    struct guid id = make(w, NET_ENDPOINT, net, text);
    ask(w, S_OK, NET_ATTACH, NET_ENDPOINT, &id, "{}");
    return id;
}

static struct sim_verdict verdict;

/* One packet to `to`, from port 1000. */
static bool passes(struct world *w, const struct guid *from, const char *to,
                   uint8_t protocol, uint16_t port) {
    struct sim_packet packet = {
        .protocol = protocol, .source_port = 1000, .destination_port = port};
    packet.from_outside = !from;
    if (from)
        packet.from = *from;
    else
        assert_true(ip_parse("203.0.113.9", &packet.source));
    assert_true(ip_parse(to, &packet.destination));
    sim_plane_send(w->plane, &packet, 1, 100, &verdict);
    assert_true(verdict.reason[0]);
    return verdict.passed;
}

static bool arrived_at(const struct guid *id, const char *address,
                       uint16_t port) {
    char text[IP_TEXT_SIZE];
    ip_format(&verdict.destination, text);
    return memcmp(&verdict.to, id, sizeof *id) == 0 &&
           verdict.destination_port == port && strcmp(text, address) == 0;
}

struct way {
    const char *type;
    bool neighbour, from_host, to_outside, from_outside;
};

/* Who reaches whom by the type of the network alone. */
static void types_differ(void **state) {
    static const struct way ways[] = {
        {"NAT", true, true, true, false},
        {"ICS", true, true, true, false},
        {"ConstrainedICS", true, true, true, false},
        {"Internal", true, true, false, false},
        {"Private", true, false, false, false},
        {"Transparent", true, true, true, true},
        {"L2Bridge", true, false, true, true},
        {"L2Tunnel", true, false, true, true},
    };
    struct world *w = *state;
    char text[300];

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        snprintf(text, sizeof text, NETWORK("%s"), ways[i].type);
        struct guid net = make(w, NET_NETWORK, NULL, text);
        struct guid a = attached(w, &net, "{}");
        attached(w, &net, "{}");
        assert_int_equal(passes(w, &a, "192.168.100.3", TCP, 80),
                         ways[i].neighbour);
        assert_int_equal(passes(w, &host, "192.168.100.2", TCP, 80),
                         ways[i].from_host);
        assert_int_equal(passes(w, &a, "8.8.8.8", UDP, 53), ways[i].to_outside);
        assert_int_equal(verdict.to_outside, ways[i].to_outside);
        assert_int_equal(passes(w, NULL, "192.168.100.2", TCP, 80),
                         ways[i].from_outside);
        erase(w, NET_NETWORK, &net);
    }
}

static void translated_ones_hide_their_source(void **state) {
    struct world *w = *state;
    struct guid nat = make_nat(w);
    struct guid bridge = make(w, NET_NETWORK, NULL,
                              "{'Type':'L2Bridge','Ipams':[{'Subnets':[{"
                              "'IpAddressPrefix':'10.5.0.0/24'}]}]}");
    struct guid a = attached(w, &nat, "{}"), b = attached(w, &bridge, "{}");

    assert_true(passes(w, &a, "8.8.8.8", UDP, 53));
    assert_int_equal(verdict.source.family, IP_NONE); /* the host's */
    assert_true(passes(w, &b, "8.8.8.8", UDP, 53));
    assert_int_equal(verdict.source.family, IP_V4);
    /* the host does not route between networks of its own */
    assert_false(passes(w, &b, "192.168.100.2", TCP, 80));
}

static void who_is_not_attached_is_not_reached(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid a = attached(w, &net, "{}");
    struct guid b = make(w, NET_ENDPOINT, &net, "{}");
    struct json_doc doc;

    assert_false(passes(w, &a, "192.168.100.3", TCP, 80));
    assert_false(passes(w, &b, "192.168.100.2", TCP, 80));
    ask(w, S_OK, NET_STATISTICS, NET_ENDPOINT, &b, NULL);
    assert_hr(
        json_parse(w->reply.document, strlen(w->reply.document), &doc, NULL),
        S_OK);
    assert_string_equal(text_at(&doc, "DroppedPacketsIncoming"), "1");
    assert_string_equal(text_at(&doc, "DroppedPacketsOutgoing"), "1");
    json_doc_free(&doc);
}

static void a_false_source_is_dropped(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid a = attached(w, &net, "{}");
    struct sim_packet packet = {.from = a, .protocol = TCP};

    assert_true(ip_parse("192.168.100.99", &packet.source));
    assert_true(ip_parse("8.8.8.8", &packet.destination));
    sim_plane_send(w->plane, &packet, 1, 1, &verdict);
    assert_false(verdict.passed);
    assert_true(ip_parse("192.168.100.2", &packet.source));
    sim_plane_send(w->plane, &packet, 1, 1, &verdict);
    assert_true(verdict.passed);
}

static void ports_are_mapped(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid a =
        attached(w, &net,
                 EP(POLICY("PortMapping", "'Protocol':6,'InternalPort':80,"
                                          "'ExternalPort':8080")));
    struct guid b = attached(
        w, &net,
        EP(POLICY("PortMapping", "'Protocol':6,'InternalPort':81,"
                                 "'ExternalPort':9090,'VIP':'10.0.0.7'")));

    assert_true(passes(w, NULL, "198.51.100.1", TCP, 8080));
    assert_true(arrived_at(&a, "192.168.100.2", 80));
    assert_true(passes(w, &host, "127.0.0.1", TCP, 8080));
    assert_true(arrived_at(&a, "192.168.100.2", 80));
    /* a neighbour by way of the host */
    assert_true(passes(w, &b, "192.168.100.1", TCP, 8080));
    assert_true(arrived_at(&a, "192.168.100.2", 80));
    assert_true(passes(w, NULL, "198.51.100.1", UDP, 8080));
    assert_true(arrived_at(&host, "198.51.100.1", 8080));
    assert_true(passes(w, NULL, "10.0.0.7", TCP, 9090));
    assert_true(arrived_at(&b, "192.168.100.3", 81));
    assert_true(passes(w, NULL, "10.0.0.8", TCP, 9090));
    assert_true(arrived_at(&host, "10.0.0.8", 9090));
    erase(w, NET_ENDPOINT, &a);
    assert_true(passes(w, NULL, "198.51.100.1", TCP, 8080));
    assert_true(arrived_at(&host, "198.51.100.1", 8080));
}

static void rules_let_pass_or_not(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid a = attached(w, &net, "{}");

    attached(
        w, &net,
        EP(POLICY(
            "ACL",
            "'Action':'Allow','Direction':'In','Protocols':"
            "'6','LocalPorts':'80,8000-8090',"
            "'RemoteAddresses':'192.168.100.2','Priority':"
            "100,'RuleType':'Host'") "," POLICY("ACL",
                                                "'Action':'Block','Direction':'"
                                                "In','Priority':"
                                                "200") "," POLICY("ACL",
                                                                  "'Action':'"
                                                                  "Block','"
                                                                  "Direction':'"
                                                                  "Out',"
                                                                  "'RemotePorts"
                                                                  "':'25','"
                                                                  "Protocols':'"
                                                                  "6'")));
    assert_true(passes(w, &a, "192.168.100.3", TCP, 80));
    assert_true(passes(w, &a, "192.168.100.3", TCP, 8045));
    assert_false(passes(w, &a, "192.168.100.3", TCP, 81));
    assert_false(passes(w, &a, "192.168.100.3", UDP, 80));
    assert_false(passes(w, &host, "192.168.100.3", TCP, 80));
}

static void the_lower_priority_goes_first(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid a = attached(
        w, &net,
        EP(POLICY("ACL", "'Action':'Block','Direction':'Out'") "," POLICY(
            "ACL",
            "'Action':'Block','Direction':'Out','Priority':50,"
            "'RemotePorts':'53'") "," POLICY("ACL",
                                             "'Action':'Allow','Direction':'"
                                             "Out','Priority':60,"
                                             "'Protocols':'256'")));

    assert_true(passes(w, &a, "8.8.8.8", UDP, 54));
    assert_false(passes(w, &a, "8.8.8.8", UDP, 53));
}

/* With a rule of the switch, what none matches is dropped. */
static void a_switch_rule_closes_the_rest(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid a = attached(
        w, &net,
        EP(POLICY("ACL", "'Action':'Allow','Direction':'Out','RuleType':"
                         "'Switch','Protocols':'17','Priority':1")));

    assert_true(passes(w, &a, "8.8.8.8", UDP, 53));
    assert_false(passes(w, &a, "8.8.8.8", TCP, 53));
    assert_true(passes(w, &host, "192.168.100.2", TCP, 1)); /* the other way */
}

static void tiers_come_in_their_order(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid a = attached(
        w, &net,
        EP(POLICY(
            "TierAcl",
            "'Name':'late','Direction':'Out','Order':20,'TierAclRules':"
            "[{'TierAclRuleAction':'Block','Protocols':'6','Priority':"
            "1}]") "," POLICY("TierAcl",
                              "'Name':'early','Direction':'Out','Order':10,'"
                              "TierAclRules':"
                              "[{'TierAclRuleAction':'Block','Priority':9,'"
                              "RemotePorts':"
                              "'7'},{'TierAclRuleAction':'Allow','Priority':5,"
                              "'RemotePorts':'80'},{'TierAclRuleAction':'Pass',"
                              "'Priority':6}]")));

    assert_true(passes(w, &a, "8.8.8.8", TCP, 80));  /* allowed early */
    assert_false(passes(w, &a, "8.8.8.8", TCP, 81)); /* passed on, late */
    assert_true(passes(w, &a, "8.8.8.8", UDP, 81));  /* matched by none */
    assert_true(passes(w, &a, "8.8.8.8", UDP, 7));   /* Pass comes before 9 */
}

static void networks_have_rules_too(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid a = attached(w, &net, "{}");

    modify(w, S_OK, NET_NETWORK, &net,
           "{'ResourceType':'Policy','RequestType':'Add','Settings':{"
           "'Policies':[" POLICY("NetworkACL",
                                 "'Action':'Block','Direction':'Out',"
                                 "'RemotePorts':'25','Priority':1") "]}}");
    assert_false(passes(w, &a, "8.8.8.8", TCP, 25));
    assert_true(passes(w, &a, "8.8.8.8", TCP, 26));
}

#define SETS(request, values)                                         \
    "{'ResourceType':'Policy','RequestType':'" request                \
    "','Settings':{'Policies':[{'Type':'SetPolicy','Settings':{'Id':" \
    "'bad','PolicyType':'IPSET','Values':'" values "'}}]}}"

/* A change of the set is one of those who name it. */
static void sets_are_followed(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid a;

    modify(w, S_OK, NET_NETWORK, &net, SETS("Add", "8.8.8.8"));
    a = attached(w, &net,
                 EP(POLICY("ACL", "'Action':'Block','Direction':'Out',"
                                  "'RemoteAddresses':'BAD','Priority':1")));
    assert_false(passes(w, &a, "8.8.8.8", UDP, 53));
    assert_true(passes(w, &a, "9.9.9.9", UDP, 53));
    modify(w, S_OK, NET_NETWORK, &net, SETS("Update", "9.9.9.0/24"));
    assert_true(passes(w, &a, "8.8.8.8", UDP, 53));
    assert_false(passes(w, &a, "9.9.9.9", UDP, 53));
    /* an empty set matches nothing */
    modify(w, S_OK, NET_NETWORK, &net, SETS("Update", ""));
    assert_true(passes(w, &a, "9.9.9.9", UDP, 53));
    /* what the plane refuses half way is undone */
    for (unsigned i = 1; i <= 2; i++) {
        sim_plane_fail(w->plane, i, HR_TIMEOUT);
        modify(w, HR_TIMEOUT, NET_NETWORK, &net, SETS("Update", "9.9.9.9"));
        assert_true(passes(w, &a, "9.9.9.9", UDP, 53));
    }
}

/* Wherever the plane refuses, the network and all who follow it are as they
 * were. */
static void sets_change_for_all_or_none(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid ends[2];

    modify(w, S_OK, NET_NETWORK, &net, SETS("Add", "9.9.9.9"));
    modify(w, S_OK, NET_NETWORK, &net,
           "{'ResourceType':'Policy','RequestType':'Add','Settings':{"
           "'Policies':[" POLICY("NetworkACL",
                                 "'Action':'Block','Direction':'In',"
                                 "'RemoteAddresses':'bad'") "]}}");
    for (size_t i = 0; i < 2; i++)
        ends[i] = attached(
            w, &net,
            EP(POLICY(
                "ACL",
                "'Action':'Block','Direction':'Out',"
                "'RemoteAddresses':'bad'") "," POLICY("PortMapping",
                                                      "'Protocol':6,'"
                                                      "InternalPort':80")));
    for (unsigned n = 1; n <= 3; n++) {
        sim_plane_fail(w->plane, n, HR_TIMEOUT);
        modify(w, HR_TIMEOUT, NET_NETWORK, &net, SETS("Update", "203.0.113.9"));
        assert_true(passes(w, NULL, "198.51.100.1", TCP, 49152));
        for (size_t i = 0; i < 2; i++) {
            assert_true(passes(w, &ends[i], "203.0.113.9", TCP, 80));
            assert_false(passes(w, &ends[i], "9.9.9.9", TCP, 80));
        }
    }
    modify(w, S_OK, NET_NETWORK, &net, SETS("Update", "203.0.113.9"));
    assert_false(passes(w, NULL, "198.51.100.1", TCP, 49152));
    for (size_t i = 0; i < 2; i++)
        assert_false(passes(w, &ends[i], "203.0.113.9", TCP, 80));
}

static void outbound_nat_has_exceptions(void **state) {
    struct world *w = *state;
    struct guid net = make(w, NET_NETWORK, NULL, NETWORK("L2Bridge"));
    struct guid a = attached(
        w, &net,
        EP(POLICY("OutBoundNAT", "'VirtualIP':'10.0.0.9','Exceptions':["
                                 "'10.0.0.0/8','11.1.1.1']")));
    char text[IP_TEXT_SIZE];

    assert_true(passes(w, &a, "8.8.8.8", TCP, 80));
    ip_format(&verdict.source, text);
    assert_string_equal(text, "10.0.0.9");
    assert_true(passes(w, &a, "10.3.3.3", TCP, 80));
    ip_format(&verdict.source, text);
    assert_string_equal(text, "192.168.100.2");
}

static void proxies_take_packets(void **state) {
    struct world *w = *state;
    struct guid net = make(w, NET_NETWORK, NULL, NETWORK("L2Bridge"));
    struct guid a = attached(
        w, &net,
        EP(POLICY("L4Proxy", "'Port':'15001','IP':'192.168.100.3','Protocol':"
                             "6,'ExceptionList':['1.1.1.1']")));
    struct guid b = attached(
        w, &net,
        EP(POLICY("L4WFPPROXY", "'OutboundProxyPort':'15002','FilterTuple':{"
                                "'Protocols':'6'},'OutboundExceptions':{"
                                "'IpAddressExceptions':['1.1.1.1']}")));

    assert_true(passes(w, &a, "8.8.8.8", TCP, 80));
    assert_true(arrived_at(&b, "192.168.100.3", 15001));
    assert_true(passes(w, &a, "1.1.1.1", TCP, 80));
    assert_true(verdict.to_outside);
    assert_true(passes(w, &b, "8.8.8.8", TCP, 80));
    assert_memory_equal(&verdict.to, &b, sizeof b);
    assert_int_equal(verdict.destination_port, 15002);
    assert_true(passes(w, &b, "1.1.1.1", TCP, 80));
    assert_true(verdict.to_outside);
}

static void some_are_kept_apart(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid a = attached(w, &net, "{'Flags':2}");

    attached(w, &net, "{'Flags':2}");
    attached(w, &net, "{}");
    attached(w, &net, EP(POLICY("VLAN", "'IsolationId':7")));
    assert_false(passes(w, &a, "192.168.100.3", TCP, 80));
    assert_true(passes(w, &a, "192.168.100.4", TCP, 80));
    assert_false(passes(w, &a, "192.168.100.5", TCP, 80));
    assert_true(passes(w, &a, "8.8.8.8", TCP, 80));
}

static void a_host_route_opens_the_way(void **state) {
    struct world *w = *state;
    struct guid net = make(w, NET_NETWORK, NULL, NETWORK("L2Bridge"));

    attached(w, &net, "{}");
    assert_false(passes(w, &host, "192.168.100.2", TCP, 80));
    modify(w, S_OK, NET_NETWORK, &net,
           "{'ResourceType':'Policy','Settings':{'Policies':[{'Type':"
           "'HostRoute'}]}}");
    assert_true(passes(w, &host, "192.168.100.2", TCP, 80));
    net = make(w, NET_NETWORK, NULL,
               "{'Type':'Internal','Flags':1024,'Ipams':[{'Subnets':[{"
               "'IpAddressPrefix':'10.7.0.0/24'}]}]}");
    attached(w, &net, "{}");
    assert_false(passes(w, &host, "10.7.0.1", TCP, 80));
}

static void an_overlay_reaches_other_hosts(void **state) {
    struct world *w = *state;
    struct guid net =
        make(w, NET_NETWORK, NULL,
             "{'Type':'Overlay','Ipams':[{'Subnets':[{'IpAddressPrefix':"
             "'10.244.0.0/24','Policies':[{'Type':'VSID','Settings':{"
             "'IsolationId':5000}}]}]}]}");
    struct guid a = attached(w, &net, "{}");
    struct guid b =
        make(w, NET_ENDPOINT, &net,
             "{'Flags':1,'MacAddress':'02-11-0A-00-00-01','IpConfigurations':[{"
             "'IpAddress':'10.244.0.7'}]}");

    assert_true(passes(w, &a, "10.244.0.7", TCP, 80));
    assert_true(verdict.to_outside);
    assert_memory_equal(&verdict.to, &b, sizeof b);
}

int main(void) {
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(types_differ),
        TEST(translated_ones_hide_their_source),
        TEST(who_is_not_attached_is_not_reached),
        TEST(a_false_source_is_dropped),
        TEST(ports_are_mapped),
        TEST(rules_let_pass_or_not),
        TEST(the_lower_priority_goes_first),
        TEST(a_switch_rule_closes_the_rest),
        TEST(tiers_come_in_their_order),
        TEST(networks_have_rules_too),
        TEST(sets_are_followed),
        TEST(sets_change_for_all_or_none),
        TEST(outbound_nat_has_exceptions),
        TEST(proxies_take_packets),
        TEST(some_are_kept_apart),
        TEST(a_host_route_opens_the_way),
        TEST(an_overlay_reaches_other_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
