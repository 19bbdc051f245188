/* SPDX-License-Identifier: MIT
 * Policies: which may be where, what is wrong with them, and how they change.
 */
#include "world.h"

#define EP(policies) "{'Policies':[" policies "]," V2 "}"
#define CHANGE(request, policies)                      \
    "{'ResourceType':'Policy','RequestType':'" request \
    "','Settings':{'Policies':[" policies "]}}"
#define POLICY(type, settings) "{'Type':'" type "','Settings':{" settings "}}"
#define MAP(external)                                       \
    POLICY("PortMapping", "'Protocol':6,'InternalPort':80," \
                          "'ExternalPort':" external)

struct row {
    HRESULT hr;
    const char *text;
};

static void endpoint_policies_are_checked(void **state) {
    static const struct row table[] = {
        {HCN_E_INVALID_POLICY_TYPE, "{'Type':'Weather'}"},
        {HCN_E_INVALID_POLICY_TYPE, "{'Type':17}"},
        {HCN_E_INVALID_POLICY_TYPE, "{'Type':'VSID','Settings':{"
                                    "'IsolationId':5}}"},
        {HCN_E_INVALID_POLICY_TYPE, POLICY("SetPolicy", "'Id':'a'")},
        {HCN_E_INVALID_POLICY_TYPE, "{'Type':'ELB'}"},
        {HCN_E_INVALID_JSON, "{'Type':true}"},
        {HCN_E_INVALID_JSON, "5"},
        {HCN_E_INVALID_JSON, "{'Type':'ACL','Settings':5}"},
        {HCN_E_INVALID_INTERNAL_PORT,
         POLICY("PortMapping", "'Protocol':6,'ExternalPort':1")},
        {HCN_E_INVALID_POLICY,
         POLICY("PortMapping", "'InternalPort':1,'ExternalPort':1")},
        {HCN_E_INVALID_POLICY,
         POLICY("PortMapping", "'Protocol':1,'InternalPort':1")},
        {HCN_E_INVALID_POLICY,
         POLICY("PortMapping", "'Protocol':'SCTP','InternalPort':1")},
        {HCN_E_INVALID_JSON,
         POLICY("PortMapping", "'Protocol':6,'InternalPort':65536")},
        {HCN_E_INVALID_POLICY,
         POLICY("PortMapping", "'Protocol':6,'InternalPort':1,'VIP':'x'")},
        {HCN_E_INVALID_POLICY, POLICY("ACL", "'Action':'Pass'")},
        {HCN_E_INVALID_POLICY, POLICY("ACL", "'Action':'Maybe'")},
        {HCN_E_INVALID_POLICY, POLICY("ACL", "'Direction':'Up'")},
        {HCN_E_INVALID_POLICY, POLICY("ACL", "'RuleType':'Router'")},
        {HCN_E_INVALID_POLICY, POLICY("ACL", "'RemoteAddresses':'Any'")},
        {HCN_E_INVALID_POLICY,
         POLICY("ACL", "'RemoteAddresses':'10.0.0.1/24'")},
        {HCN_E_INVALID_POLICY, POLICY("ACL", "'LocalPorts':'90-80'")},
        {HCN_E_INVALID_POLICY, POLICY("ACL", "'LocalPorts':'65536'")},
        {HCN_E_INVALID_POLICY, POLICY("ACL", "'RemotePorts':'http'")},
        {HCN_E_INVALID_POLICY, POLICY("ACL", "'Protocols':'257'")},
        {HCN_E_INVALID_POLICY, POLICY("ACL", "'Protocols':'tcp'")},
        {HCN_E_INVALID_JSON, POLICY("ACL", "'Priority':65536")},
        {HCN_E_INVALID_JSON, POLICY("ACL", "'Protocols':6")},
        {HCN_E_INVALID_POLICY, POLICY("QOS", "")},
        {HCN_E_INVALID_JSON,
         POLICY("QOS", "'MaximumOutgoingBandwidthInBytes':1.5")},
        {HCN_E_INVALID_POLICY, POLICY("OutBoundNAT", "'VirtualIP':'x'")},
        {HCN_E_INVALID_POLICY,
         POLICY("OutBoundNAT", "'Exceptions':['10.0.0.1/8']")},
        {HCN_E_INVALID_POLICY, POLICY("SDNRoute", "'NextHop':'10.0.0.1'")},
        {HCN_E_INVALID_POLICY,
         POLICY("SDNRoute", "'DestinationPrefix':'10.0.0.0'")},
        {HCN_E_INVALID_POLICY, POLICY("L4Proxy", "'IP':'10.0.0.1'")},
        {HCN_E_INVALID_POLICY, POLICY("L4Proxy", "'Port':'0'")},
        {HCN_E_INVALID_POLICY, POLICY("L4WFPPROXY", "'UserSID':'S-1'")},
        {HCN_E_INVALID_POLICY,
         POLICY("L4WFPPROXY", "'OutboundProxyPort':'1','OutboundExceptions':{"
                              "'PortExceptions':['x']}")},
        {HCN_E_INVALID_POLICY, POLICY("ProviderAddress", "")},
        {HCN_E_INVALID_POLICY, POLICY("EncapOverhead", "")},
        {HCN_E_INVALID_POLICY, POLICY("EncapOverhead", "'Overhead':925")},
        {HCN_E_INVALID_POLICY,
         POLICY("InterfaceParameters",
                "'Mtu':600") "," POLICY("EncapOverhead", "'Overhead':25")},
        {HCN_E_INVALID_POLICY,
         POLICY("PortMapping", "'Protocol':6,'InternalPort':1,'Flags':2")},
        {HCN_E_INVALID_POLICY,
         POLICY("PortMapping", "'Protocol':6,'InternalPort':1,'Flags':2,"
                               "'VIP':'10.9.9.9'")},
        {HCN_E_INVALID_POLICY,
         POLICY("PortMapping",
                "'Protocol':6,'InternalPort':1,'VIP':'fd00::1'")},
        {HCN_E_INVALID_POLICY, POLICY("VLAN", "'IsolationId':4095")},
        {HCN_E_INVALID_POLICY, POLICY("InterfaceParameters", "'Mtu':100")},
        {HCN_E_INVALID_POLICY,
         POLICY("TierAcl", "'TierAclRules':[{'LocalPorts':'x'}]")},
        {HCN_E_INVALID_JSON, POLICY("TierAcl", "'TierAclRules':[5]")},
    };
    struct world *w = *state;
    struct guid net = make_nat(w);
    char text[512];

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        snprintf(text, sizeof text, EP("%s"), table[i].text);
        refuse(w, table[i].hr, NET_ENDPOINT, &net, text);
    }
}

static void what_is_single_is_single(void **state) {
    static const struct row table[] = {
        {HCN_E_POLICY_ALREADY_EXISTS,
         POLICY("QOS", "'MaximumOutgoingBandwidthInBytes':1")},
        {HCN_E_POLICY_ALREADY_EXISTS, POLICY("PortName", "'Name':'a'")},
        {HCN_E_POLICY_ALREADY_EXISTS, POLICY("VLAN", "'IsolationId':7")},
        {HCN_E_POLICY_ALREADY_EXISTS, "{'Type':'Iov'}"},
        {HCN_INTERFACEPARAMETERS_ALREADY_APPLIED,
         POLICY("InterfaceParameters", "'Mtu':1400")},
    };
    struct world *w = *state;
    struct guid net = make_nat(w);
    char text[512];

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        snprintf(text, sizeof text, EP("%s,%s"), table[i].text, table[i].text);
        refuse(w, table[i].hr, NET_ENDPOINT, &net, text);
        snprintf(text, sizeof text, EP("%s"), table[i].text);
        struct guid id = make(w, NET_ENDPOINT, &net, text);
        snprintf(text, sizeof text, CHANGE("Add", "%s"), table[i].text);
        modify(w, table[i].hr, NET_ENDPOINT, &id, text);
        erase(w, NET_ENDPOINT, &id);
    }
}

/* --- ports --------------------------------------------------------- */

static void a_port_is_mapped_once(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(w, NET_ENDPOINT, &net, EP(MAP("8080")));

    refuse(w, HCN_E_PORT_ALREADY_EXISTS, NET_ENDPOINT, &net, EP(MAP("8080")));
    refuse(w, HCN_E_PORT_ALREADY_EXISTS, NET_ENDPOINT, &net,
           EP(MAP("9090") "," MAP("9090")));
    refuse(w, HCN_E_PORT_ALREADY_EXISTS, NET_ENDPOINT, &net,
           EP(POLICY("PortMapping", "'Protocol':'tcp','InternalPort':1,"
                                    "'ExternalPort':8080,'VIP':'10.0.0.1'")));
    make(w, NET_ENDPOINT, &net,
         EP(POLICY("PortMapping",
                   "'Protocol':17,'InternalPort':1,'ExternalPort':8080")));
    /* each address of the host has its own ports */
    make(w, NET_ENDPOINT, &net,
         EP(POLICY("PortMapping", "'Protocol':6,'InternalPort':1,"
                                  "'ExternalPort':81,'VIP':'10.0.0.1'")));
    make(w, NET_ENDPOINT, &net,
         EP(POLICY("PortMapping", "'Protocol':6,'InternalPort':1,"
                                  "'ExternalPort':81,'VIP':'10.0.0.2'")));
    refuse(w, HCN_E_PORT_ALREADY_EXISTS, NET_ENDPOINT, &net, EP(MAP("81")));
    erase(w, NET_ENDPOINT, &id);
    id = make(w, NET_ENDPOINT, &net, EP(MAP("8080")));
    modify(w, S_OK, NET_ENDPOINT, &id, CHANGE("Update", MAP("8080")));
    modify(w, S_OK, NET_ENDPOINT, &id, CHANGE("Update", MAP("8081")));
    make(w, NET_ENDPOINT, &net, EP(MAP("8080")));
    modify(w, HCN_E_PORT_ALREADY_EXISTS, NET_ENDPOINT, &id,
           CHANGE("Update", MAP("8080")));
    refuse(w, HCN_E_PORT_ALREADY_EXISTS, NET_ENDPOINT, &net, EP(MAP("8081")));
}

/* Of the settings beside the type, and of the MTU. */
static void some_depend_on_the_rest(void **state) {
    struct world *w = *state;
    struct guid net =
        make(w, NET_NETWORK, NULL,
             "{'Type':'Internal','Ipams':[{'Subnets':[{'IpAddressPrefix':"
             "'10.0.0.0/24'},{'IpAddressPrefix':'fd00::/64'}]}]}");
    struct guid id = make(w, NET_ENDPOINT, &net,
                          EP("{'Type':'ACL','Settings':{}},"
                             "{'Type':'OutBoundNAT','Settings':null}"));
    struct json_doc doc = v2(w, NET_ENDPOINT, &id);

    assert_string_equal(text_at(&doc, "Policies.0.Type"), "ACL");
    assert_null(at(&doc, "Policies.0.Settings.Settings"));
    assert_null(at(&doc, "Policies.1.Settings.Settings"));
    json_doc_free(&doc);
    refuse(w, HCN_E_INVALID_POLICY, NET_ENDPOINT, &net,
           EP(POLICY("InterfaceParameters", "'Mtu':1279")));
    make(w, NET_ENDPOINT, &net,
         EP(POLICY("InterfaceParameters", "'Mtu':1280")));
    make(w, NET_ENDPOINT, &net,
         "{'IpConfigurations':[{'IpAddress':'10.0.0.9'}],'Policies':["
         "{'Type':'InterfaceParameters','Settings':{'Mtu':576}}]," V2 "}");
}

static void a_port_of_others_is_in_use(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);

    assert_hr(sim_plane_take_port(w->plane, 6, 22), S_OK);
    refuse(w, HR_SHARING_VIOLATION, NET_ENDPOINT, &net, EP(MAP("22")));
}

static void a_port_is_chosen(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(w, NET_ENDPOINT, &net, EP(MAP("49153")));
    struct json_doc doc;

    assert_hr(sim_plane_take_port(w->plane, 6, 49154), S_OK);
    id = make(w, NET_ENDPOINT, &net,
              EP(MAP("0") "," POLICY("PortMapping",
                                     "'Protocol':6,'InternalPort':5")));
    doc = v2(w, NET_ENDPOINT, &id);
    assert_string_equal(text_at(&doc, "Policies.0.Settings.ExternalPort"),
                        "49152");
    assert_string_equal(text_at(&doc, "Policies.1.Settings.ExternalPort"),
                        "49155");
    json_doc_free(&doc);
    refuse(w, HCN_E_PORT_ALREADY_EXISTS, NET_ENDPOINT, &net, EP(MAP("49155")));
}

static void some_networks_map_no_ports(void **state) {
    static const char *const refused[] = {"Private", "Internal", "Transparent",
                                          "L2Bridge", "L2Tunnel"};
    static const char *const taken[] = {"NAT", "ICS"};
    struct world *w = *state;
    char text[300];

    for (size_t i = 0; i < 5; i++) {
        snprintf(text, sizeof text, "{'Type':'%s'," NAT_SUBNET "}", refused[i]);
        struct guid net = make(w, NET_NETWORK, NULL, text);
        refuse(w, HCN_E_MAPPING_NOT_SUPPORTED, NET_ENDPOINT, &net,
               EP(MAP("80")));
    }
    for (size_t i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "{'Type':'%s'}", taken[i]);
        struct guid net = make(w, NET_NETWORK, NULL, text);
        struct guid id = make(w, NET_ENDPOINT, &net, EP(MAP("80")));
        erase(w, NET_ENDPOINT, &id);
    }
}

/* --- changes of an endpoint's -------------------------------------- */

#define BLOCK POLICY("ACL", "'Action':'Block','Direction':'In','Priority':9")

static void policies_are_added_replaced_and_removed(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(w, NET_ENDPOINT, &net, "{}");
    struct json_doc doc;

    modify(w, S_OK, NET_ENDPOINT, &id, CHANGE("Add", BLOCK));
    modify(w, S_OK, NET_ENDPOINT, &id, CHANGE("Add", MAP("80")));
    doc = v2(w, NET_ENDPOINT, &id);
    assert_int_equal(at(&doc, "Policies")->as.array.count, 2);
    assert_string_equal(text_at(&doc, "Policies.0.Settings.Action"), "Block");
    json_doc_free(&doc);
    modify(w, HCN_E_POLICY_NOT_FOUND, NET_ENDPOINT, &id,
           CHANGE("Remove", MAP("81")));
    modify(w, HCN_E_POLICY_NOT_FOUND, NET_ENDPOINT, &id,
           CHANGE("Remove", BLOCK "," BLOCK));
    /* a default may be said or not, in any case and order */
    modify(
        w, S_OK, NET_ENDPOINT, &id,
        CHANGE("Remove", POLICY("acl", "'priority':9,'RuleType':'',"
                                       "'Direction':'In','Action':'Block'")));
    doc = v2(w, NET_ENDPOINT, &id);
    assert_int_equal(at(&doc, "Policies")->as.array.count, 1);
    json_doc_free(&doc);
    modify(w, S_OK, NET_ENDPOINT, &id, CHANGE("Update", BLOCK "," BLOCK));
    doc = v2(w, NET_ENDPOINT, &id);
    assert_int_equal(at(&doc, "Policies")->as.array.count, 2);
    json_doc_free(&doc);
    modify(w, S_OK, NET_ENDPOINT, &id, CHANGE("Update", "{}"));
    doc = v2(w, NET_ENDPOINT, &id);
    assert_int_equal(at(&doc, "Policies")->as.array.count, 0);
    json_doc_free(&doc);
    modify(w, HCN_E_POLICY_NOT_FOUND, NET_ENDPOINT, &id,
           CHANGE("Remove", BLOCK));
}

/* The sample of a modify. */
static void lists_of_addresses_and_ports(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(w, NET_ENDPOINT, &net, "{}");
    struct json_doc doc;

    modify(w, S_OK, NET_ENDPOINT, &id,
           CHANGE("Update",
                  POLICY("ACL",
                         "'Protocols':'6','Action':'Allow','Direction':'In',"
                         "'LocalAddresses':'192.168.100.0/24,10.0.0.21',"
                         "'RemoteAddresses':'192.168.100.0/24,10.0.0.21',"
                         "'LocalPorts':'80,8080','RemotePorts':'80,8080',"
                         "'RuleType':'Switch','Priority':200")));
    doc = v2(w, NET_ENDPOINT, &id);
    assert_string_equal(text_at(&doc, "Policies.0.Settings.LocalAddresses"),
                        "192.168.100.0/24,10.0.0.21");
    json_doc_free(&doc);
}

static void a_change_that_the_plane_refuses_is_none(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(w, NET_ENDPOINT, &net, EP(MAP("80")));
    struct json_doc doc;

    sim_plane_fail(w->plane, 1, HR_TIMEOUT);
    modify(w, HR_TIMEOUT, NET_ENDPOINT, &id, CHANGE("Update", MAP("81")));
    doc = v2(w, NET_ENDPOINT, &id);
    assert_string_equal(text_at(&doc, "Policies.0.Settings.ExternalPort"),
                        "80");
    json_doc_free(&doc);
    make(w, NET_ENDPOINT, &net, EP(MAP("81")));
    refuse(w, HCN_E_PORT_ALREADY_EXISTS, NET_ENDPOINT, &net, EP(MAP("80")));
}

/* --- networks ------------------------------------------------------ */

#define SET(id, values) \
    POLICY("SetPolicy", \
           "'Id':'" id "','PolicyType':'IPSET','Values':'" values "'")
#define NESTED(id, values) \
    POLICY("SetPolicy",    \
           "'Id':'" id "','PolicyType':'NESTEDIPSET','Values':'" values "'")

static void sets_have_rules(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id;
    struct json_doc doc;

    modify(w, S_OK, NET_NETWORK, &net,
           CHANGE("Add", SET("a", "10.0.0.1,10.0.1.0/24") "," SET("b", "")));
    modify(w, HCN_E_POLICY_ALREADY_EXISTS, NET_NETWORK, &net,
           CHANGE("Add", SET("A", "10.0.0.1")));
    modify(w, HCN_E_INVALID_POLICY, NET_NETWORK, &net,
           CHANGE("Add", NESTED("n", "a,c")));
    modify(w, S_OK, NET_NETWORK, &net, CHANGE("Add", NESTED("n", "a,b")));
    modify(w, HCN_E_INVALID_POLICY, NET_NETWORK, &net,
           CHANGE("Add", NESTED("m", "n")));
    modify(w, HCN_E_INVALID_POLICY, NET_NETWORK, &net,
           CHANGE("Remove", SET("a", "")));
    modify(w, HCN_E_POLICY_NOT_FOUND, NET_NETWORK, &net,
           CHANGE("Update", SET("c", "")));
    modify(w, HCN_E_POLICY_NOT_FOUND, NET_NETWORK, &net,
           CHANGE("Remove", SET("c", "")));
    modify(w, HCN_E_INVALID_POLICY, NET_NETWORK, &net,
           CHANGE("Update", SET("a", "nobody")));
    /* endpoints may name them */
    refuse(w, HCN_E_INVALID_POLICY, NET_ENDPOINT, &net,
           EP(POLICY("ACL", "'RemoteAddresses':'zzz'")));
    id = make(w, NET_ENDPOINT, &net,
              EP(POLICY("ACL", "'Action':'Block','RemoteAddresses':"
                               "'n,9.9.9.9'")));
    modify(w, HCN_E_ENTITY_HAS_REFERENCES, NET_NETWORK, &net,
           CHANGE("Remove", NESTED("n", "")));
    modify(w, S_OK, NET_NETWORK, &net, CHANGE("Update", SET("a", "10.0.0.2")));
    doc = v2(w, NET_NETWORK, &net);
    assert_string_equal(text_at(&doc, "Policies.0.Settings.Values"),
                        "10.0.0.2");
    json_doc_free(&doc);
    erase(w, NET_ENDPOINT, &id);
    modify(w, S_OK, NET_NETWORK, &net, CHANGE("Remove", NESTED("n", "")));
    modify(w, S_OK, NET_NETWORK, &net,
           CHANGE("Remove", SET("a", "") "," SET("B", "")));
}

static void network_policies_are_checked(void **state) {
    static const struct row table[] = {
        {HCN_E_INVALID_POLICY_TYPE, POLICY("PortMapping", "")},
        {HCN_E_INVALID_POLICY_TYPE, POLICY("QOS", "")},
        {HCN_E_INVALID_POLICY, POLICY("NetworkACL", "'Action':'Pass'")},
        {HCN_E_INVALID_POLICY,
         POLICY("SourceMacAddress", "'SourceMacAddress':'x'")},
        {HCN_E_INVALID_POLICY, POLICY("DrMacAddress", "")},
        {HCN_E_INVALID_POLICY, POLICY("NetAdapterName", "")},
        {HCN_E_INVALID_POLICY, POLICY("VSwitchExtension", "")},
        {HCN_E_GUID_CONVERSION_FAILURE,
         POLICY("VSwitchExtension", "'ExtensionID':'x'")},
        {HCN_E_INVALID_POLICY, POLICY("LayerConstraint", "")},
        {HCN_E_INVALID_POLICY, POLICY("SetPolicy", "")},
        {HCN_E_INVALID_POLICY, POLICY("SetPolicy", "'Id':'a','PolicyType':"
                                                   "'HEAP'")},
        {HCN_E_INVALID_POLICY, POLICY("SetPolicy", "'Id':'a','Values':'x'")},
        {HCN_E_VFP_NOT_ALLOWED, POLICY("VxlanPort", "'Port':4789")},
        {HCN_E_VFP_NOT_ALLOWED,
         POLICY("RemoteSubnetRoute", "'DestinationPrefix':'10.0.0.0/24'")},
        {HCN_E_POLICY_ALREADY_EXISTS,
         "{'Type':'HostRoute'},{'Type':'HostRoute'}"},
    };
    struct world *w = *state;
    char text[512];

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        snprintf(text, sizeof text, EP("%s"), table[i].text);
        refuse(w, table[i].hr, NET_NETWORK, NULL, text);
    }
}

#define REMOTE(prefix)                                                   \
    POLICY("RemoteSubnetRoute",                                          \
           "'DestinationPrefix':'" prefix "','IsolationId':5001,"        \
           "'ProviderAddress':'10.1.1.7','DistributedRouterMacAddress':" \
           "'02-11-0A-00-00-07'")

static void an_overlay_has_its_own(void **state) {
    struct world *w = *state;
    struct guid net =
        make(w, NET_NETWORK, NULL,
             "{'Type':'Overlay','Ipams':[{'Subnets':[{'IpAddressPrefix':"
             "'10.244.0.0/24','Policies':[{'Type':'VSID','VSID':5000}]}]}]}");
    struct json_doc doc;

    modify(w, S_OK, NET_NETWORK, &net,
           CHANGE("Add", REMOTE("10.244.1.0/24") "," REMOTE("10.244.2.0/24")));
    modify(w, HCN_E_INVALID_POLICY, NET_NETWORK, &net,
           CHANGE("Add", REMOTE("10.244.1.1/24")));
    modify(w, S_OK, NET_NETWORK, &net,
           CHANGE("Add", "{'Type':'HostRoute','Settings':{}}," POLICY(
                             "VxlanPort", "'Port':8472")));
    modify(w, S_OK, NET_NETWORK, &net,
           CHANGE("Remove", REMOTE("10.244.1.0/24") ",{'Type':'HostRoute'}"));
    modify(w, HCN_E_POLICY_NOT_FOUND, NET_NETWORK, &net,
           CHANGE("Remove", REMOTE("10.244.1.0/24")));
    doc = v2(w, NET_NETWORK, &net);
    assert_int_equal(at(&doc, "Policies")->as.array.count, 3);
    assert_string_equal(text_at(&doc, "Ipams.0.Subnets.0.Policies.0.Settings."
                                      "IsolationId"),
                        "5000");
    json_doc_free(&doc);
    doc = v1(w, NET_NETWORK, &net);
    assert_string_equal(text_at(&doc, "Subnets.0.Policies.0.VSID"), "5000");
    json_doc_free(&doc);
}

/* Two names that differ in case only, or by their age, do not become one. */
static void names_stay_apart_in_both_forms(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(
        w, NET_ENDPOINT, &net,
        EP(POLICY(
            "OutBoundNAT",
            "'VIP':'x','virtualip':'10.0.0.1',"
            "'VirtualIP':'10.0.0.2','Type':5") "," POLICY("PortMapping",
                                                          "'Protocol':6,'"
                                                          "InternalPort':1,"
                                                          "'externalport':7,'"
                                                          "ExternalPort':0,"
                                                          "'ExternalPortReserve"
                                                          "d':1,'Flags':4")));
    struct json_doc doc = v1(w, NET_ENDPOINT, &id);

    json_doc_free(&doc);
    doc = v2(w, NET_ENDPOINT, &id);
    json_doc_free(&doc);
}

int main(void) {
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(endpoint_policies_are_checked),
        TEST(what_is_single_is_single),
        TEST(a_port_is_mapped_once),
        TEST(some_depend_on_the_rest),
        TEST(a_port_of_others_is_in_use),
        TEST(a_port_is_chosen),
        TEST(some_networks_map_no_ports),
        TEST(policies_are_added_replaced_and_removed),
        TEST(lists_of_addresses_and_ports),
        TEST(a_change_that_the_plane_refuses_is_none),
        TEST(sets_have_rules),
        TEST(network_policies_are_checked),
        TEST(an_overlay_has_its_own),
        TEST(names_stay_apart_in_both_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
