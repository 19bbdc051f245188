/* SPDX-License-Identifier: MIT
 * Endpoints: what they are given, what they ask for, their ports. */
#include "world.h"

static const char *address_of(struct world *w, const struct guid *id) {
    static char text[IP_TEXT_SIZE];
    struct json_doc doc = v2(w, NET_ENDPOINT, id);
    snprintf(text, sizeof text, "%s",
             text_at(&doc, "IpConfigurations.0.IpAddress"));
    json_doc_free(&doc);
    return text;
}

/* The sample of a create and its query. */
static void is_made_and_queried(void **state) {
    struct world *w = *state;
    struct guid net = make(
        w, NET_NETWORK, NULL,
        "{'Name':'GoTestNat','MacPool':{'Ranges':[{'StartMacAddress':"
        "'00-15-5D-52-C0-00','EndMacAddress':'00-15-5D-52-CF-FF'}]}," NAT_SUBNET
        "," V2 "}");
    struct guid id = make(w, NET_ENDPOINT, &net,
                          "{'Name':'GoTestNatEndpoint','SchemaVersion':"
                          "{'Major':2,'Minor':0},'Dns':{},'Health':{'Extra':"
                          "{}}}");
    struct json_doc doc = v2(w, NET_ENDPOINT, &id);
    char text[GUID_TEXT_SIZE];
    struct guid other;

    guid_format(&id, text); /* in small letters */
    assert_string_equal(text_at(&doc, "ID"), text);
    assert_string_equal(text_at(&doc, "Name"), "GoTestNatEndpoint");
    other = guid(text_at(&doc, "HostComputeNetwork"));
    assert_memory_equal(&other, &net, sizeof net);
    assert_null(at(&doc, "HostComputeNamespace"));
    assert_string_equal(text_at(&doc, "IpConfigurations.0.IpAddress"),
                        "192.168.100.2");
    assert_string_equal(text_at(&doc, "IpConfigurations.0.PrefixLength"), "24");
    assert_string_equal(text_at(&doc, "MacAddress"), "00-15-5D-52-C0-00");
    assert_string_equal(text_at(&doc, "Routes.0.NextHop"), "192.168.100.1");
    assert_string_equal(text_at(&doc, "Routes.0.DestinationPrefix"),
                        "0.0.0.0/0");
    assert_string_equal(text_at(&doc, "State"), "1");
    json_doc_free(&doc);
    doc = v1(w, NET_ENDPOINT, &id);
    assert_string_equal(text_at(&doc, "VirtualNetworkName"), "GoTestNat");
    assert_string_equal(text_at(&doc, "IPAddress"), "192.168.100.2");
    assert_string_equal(text_at(&doc, "PrefixLength"), "24");
    assert_string_equal(text_at(&doc, "GatewayAddress"), "192.168.100.1");
    json_doc_free(&doc);
    id = make(w, NET_ENDPOINT, &net, "{}");
    doc = v1(w, NET_ENDPOINT, &id);
    assert_string_equal(text_at(&doc, "Name"), "Ethernet");
    json_doc_free(&doc);
}

/* What WSL sends. */
static void policies_of_real_clients_pass(void **state) {
    struct world *w = *state;
    struct guid net = make(w, NET_NETWORK, NULL,
                           "{'Name':'WSL','Type':'ICS','IsolateSwitch':true,"
                           "'Flags':9,'Subnets':[{'AddressPrefix':"
                           "'172.20.0.0/20','GatewayAddress':'172.20.0.1'}]}");
    struct guid id = make(
        w, NET_ENDPOINT, &net,
        "{'SchemaVersion':{'Major':2,'Minor':16},'HostComputeNetwork':"
        "'00000000-0000-0000-0000-000000000001','Policies':[{'Type':'PortName',"
        "'Settings':{'Name':''}},{'Type':'Firewall','Settings':{'VmCreatorId':"
        "'40e0ac32-46a5-438a-a0b2-2b479e8f2e90','PolicyFlags':0}}],"
        "'IpConfigurations':[{'IpAddress':'172.20.1.5'}]}");
    struct json_doc doc = v2(w, NET_ENDPOINT, &id);

    assert_string_equal(text_at(&doc, "IpConfigurations.0.IpAddress"),
                        "172.20.1.5");
    assert_string_equal(text_at(&doc, "IpConfigurations.0.PrefixLength"), "20");
    assert_string_equal(text_at(&doc, "Policies.1.Type"), "Firewall");
    json_doc_free(&doc);
}

static void the_lowest_free_address_is_given(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid ids[4];

    for (size_t i = 0; i < 4; i++)
        ids[i] = make(w, NET_ENDPOINT, &net, "{}");
    assert_string_equal(address_of(w, &ids[3]), "192.168.100.5");
    erase(w, NET_ENDPOINT, &ids[1]);
    erase(w, NET_ENDPOINT, &ids[0]);
    ids[0] = make(w, NET_ENDPOINT, &net, "{}");
    assert_string_equal(address_of(w, &ids[0]), "192.168.100.2");
    ids[1] = make(w, NET_ENDPOINT, &net,
                  "{'IpConfigurations':[{'IpAddress':'192.168.100.6'}]}");
    ids[1] = make(w, NET_ENDPOINT, &net, "{}");
    assert_string_equal(address_of(w, &ids[1]), "192.168.100.3");
    ids[1] = make(w, NET_ENDPOINT, &net, "{}");
    assert_string_equal(address_of(w, &ids[1]), "192.168.100.7");
}

/* A failed create leaves no hole. */
static void what_fails_gives_back(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id;

    refuse(w, HCN_E_INVALID_POLICY_TYPE, NET_ENDPOINT, &net,
           "{'Policies':[{'Type':'Nonsense'}]}");
    sim_plane_fail(w->plane, 1, HR_TIMEOUT);
    refuse(w, HR_TIMEOUT, NET_ENDPOINT, &net, "{}");
    id = make(w, NET_ENDPOINT, &net, "{}");
    assert_string_equal(address_of(w, &id), "192.168.100.2");
}

static void pools_end(void **state) {
    struct world *w = *state;
    struct guid small =
        make(w, NET_NETWORK, NULL,
             "{'Type':'Private','Ipams':[{'Subnets':[{'IpAddressPrefix':"
             "'10.0.0.0/30'},{'IpAddressPrefix':'fd00::/127'}]}]}");
    struct guid macs =
        make(w, NET_NETWORK, NULL,
             "{'Type':'Private','MacPool':{'Ranges':[{'StartMacAddress':"
             "'00-15-5D-00-00-FF','EndMacAddress':'00-15-5D-00-01-00'},{"
             "'StartMacAddress':'00:15:5d:00:02:00','EndMacAddress':"
             "'00155D000200'}]}}");
    struct guid id;

    make(w, NET_ENDPOINT, &small, "{}");
    make(w, NET_ENDPOINT, &small, "{}");
    refuse(w, HCN_E_ADDR_INVALID_OR_RESERVED, NET_ENDPOINT, &small, "{}");
    make(w, NET_ENDPOINT, &macs, "{}");
    id = make(w, NET_ENDPOINT, &macs, "{}");
    make(w, NET_ENDPOINT, &macs, "{}");
    refuse(w, HCN_E_ADDR_INVALID_OR_RESERVED, NET_ENDPOINT, &macs, "{}");
    erase(w, NET_ENDPOINT, &id);
    id = make(w, NET_ENDPOINT, &macs, "{}");
    struct json_doc doc = v2(w, NET_ENDPOINT, &id);
    assert_string_equal(text_at(&doc, "MacAddress"), "00-15-5D-00-01-00");
    json_doc_free(&doc);
}

static void several_subnets_follow_each_other(void **state) {
    struct world *w = *state;
    struct guid net = make(
        w, NET_NETWORK, NULL,
        "{'Type':'Private','Ipams':[{'Subnets':[{'IpAddressPrefix':"
        "'10.0.0.0/32'},{'IpAddressPrefix':'10.0.1.0/24','Flags':1,'Routes':["
        "{'NextHop':'10.0.1.1','DestinationPrefix':'0.0.0.0/0'}]}]}]}");
    struct guid id = make(w, NET_ENDPOINT, &net, "{}");

    assert_string_equal(address_of(w, &id), "10.0.0.0");
    id = make(w, NET_ENDPOINT, &net, "{}"); /* the gateway is not reserved */
    assert_string_equal(address_of(w, &id), "10.0.1.1");
}

static void both_families_are_given(void **state) {
    struct world *w = *state;
    struct guid net = make(
        w, NET_NETWORK, NULL,
        "{'Type':'NAT','Ipams':[{'Subnets':[{'IpAddressPrefix':'10.9.0.0/16'},"
        "{'IpAddressPrefix':'fd00:9::/64','Routes':[{'NextHop':'fd00:9::1',"
        "'DestinationPrefix':'::/0'}]}]}]}");
    struct guid id = make(w, NET_ENDPOINT, &net, "{}");
    struct json_doc doc = v2(w, NET_ENDPOINT, &id);

    assert_string_equal(text_at(&doc, "IpConfigurations.0.IpAddress"),
                        "10.9.0.2");
    assert_string_equal(text_at(&doc, "IpConfigurations.1.IpAddress"),
                        "fd00:9::2");
    assert_string_equal(text_at(&doc, "IpConfigurations.1.PrefixLength"), "64");
    assert_string_equal(text_at(&doc, "Routes.0.NextHop"), "10.9.0.1");
    assert_string_equal(text_at(&doc, "Routes.1.NextHop"), "fd00:9::1");
    json_doc_free(&doc);
    id = make(w, NET_ENDPOINT, &net,
              "{'IpConfigurations':[{'IpAddress':'10.9.3.4','PrefixLength':16},"
              "{'IpAddress':'FD00:9::AB'}]}");
    doc = v1(w, NET_ENDPOINT, &id);
    assert_string_equal(text_at(&doc, "IPv6Address"), "fd00:9::ab");
    assert_string_equal(text_at(&doc, "IPv6PrefixLength"), "64");
    assert_string_equal(text_at(&doc, "GatewayAddressV6"), "fd00:9::1");
    json_doc_free(&doc);
}

static void refusals_have_their_codes(void **state) {
    static const struct {
        HRESULT hr;
        const char *text;
    } table[] = {
        {HCN_E_INVALID_IP, "{'IpConfigurations':[{'IpAddress':'10.0.0.1'}]}"},
        {HCN_E_INVALID_IP, "{'IpConfigurations':[{'IpAddress':'fd00::1'}]}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED,
         "{'IpConfigurations':[{'IpAddress':'192.168.100.0'}]}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED,
         "{'IpConfigurations':[{'IpAddress':'192.168.100.255'}]}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED,
         "{'IpConfigurations':[{'IpAddress':'192.168.100.1'}]}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED,
         "{'IpConfigurations':[{'IpAddress':'garbage'}]}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED,
         "{'IpConfigurations':[{'IpAddress':'192.168.100.04'}]}"},
        {HR_OBJECT_ALREADY_EXISTS,
         "{'IpConfigurations':[{'IpAddress':'192.168.100.9'}]}"},
        {HR_OBJECT_ALREADY_EXISTS,
         "{'IpConfigurations':[{'IpAddress':'192.168.100.7'},"
         "{'IpAddress':'192.168.100.7'}]}"},
        {HCN_E_INVALID_ENDPOINT,
         "{'IpConfigurations':[{'IpAddress':'192.168.100.7','PrefixLength':"
         "33}]}"},
        {HCN_E_INVALID_JSON,
         "{'IpConfigurations':[{'IpAddress':'192.168.100.7','PrefixLength':"
         "256}]}"},
        {HCN_E_SUBNET_NOT_FOUND, "{'IpConfigurations':[{'IpSubnetId':"
                                 "'11111111-2222-4333-8444-555555555555'}]}"},
        {HCN_E_INVALID_JSON, "{'IpConfigurations':[5]}"},
        {HCN_E_INVALID_JSON, "{'IpConfigurations':[{'IpAddress':5}]}"},
        {HR_OBJECT_ALREADY_EXISTS, "{'MacAddress':'02-00-00-00-00-01'}"},
        {HR_OBJECT_ALREADY_EXISTS, "{'MacAddress':'02:00:00:00:00:01'}"},
        {HCN_E_INVALID_ENDPOINT, "{'MacAddress':'02-00-00-00-00'}"},
        {HCN_E_INVALID_ENDPOINT, "{'MacAddress':'00-00-00-00-00-00'}"},
        {HCN_E_INVALID_ENDPOINT, "{'MacAddress':'FF-FF-FF-FF-FF-FF'}"},
        {HCN_E_INVALID_ENDPOINT, "{'Flags':1}"},
        {HCN_E_INVALID_ENDPOINT,
         "{'Flags':1,'IpConfigurations':[{'IpAddress':'192.168.100.20'}]}"},
        {HR_ALREADY_EXISTS, "{'ID':'c2a50000-0000-4000-8000-000000000001'}"},
        {HCN_E_GUID_CONVERSION_FAILURE, "{'ID':'c2a5'}"},
        {HCN_E_INVALID_JSON, "{'Routes':{'a':1}}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED, "{'Routes':[{'NextHop':'x'}]}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED,
         "{'Routes':[{'NextHop':'fd00::1','DestinationPrefix':'10.0.0.0/8'}]}"},
    };
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid other = guid("11111111-2222-4333-8444-555555555555");

    make(w, NET_ENDPOINT, &net,
         "{'ID':'c2a50000-0000-4000-8000-000000000001','MacAddress':"
         "'02-00-00-00-00-01','IpConfigurations':[{'IpAddress':"
         "'192.168.100.9'}]}");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        refuse(w, table[i].hr, NET_ENDPOINT, &net, table[i].text);
    refuse(w, HCN_E_NETWORK_NOT_FOUND, NET_ENDPOINT, &other, "{}");
    refuse(w, HCN_E_INVALID_JSON_REFERENCE, NET_ENDPOINT, NULL, "{}");
    refuse(w, HCN_E_NETWORK_NOT_FOUND, NET_ENDPOINT, NULL,
           "{'HostComputeNetwork':'11111111-2222-4333-8444-555555555555'}");
    assert_int_equal(net_count(w->net, NET_ENDPOINT), 1);
}

static void what_nobody_can_have_is_refused(void **state) {
    static const char *const none[] = {
        "0.0.0.0", "127.0.0.5", "224.0.0.1", "240.0.0.1",
        "::",      "::1",       "ff02::1",   "::ffff:10.0.0.1"};
    struct world *w = *state;
    struct guid net = make(w, NET_NETWORK, NULL, "{'Type':'Internal'}");
    char text[100];

    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        snprintf(text, sizeof text, "{'IpConfigurations':[{'IpAddress':'%s'}]}",
                 none[i]);
        refuse(w, HCN_E_ADDR_INVALID_OR_RESERVED, NET_ENDPOINT, &net, text);
    }
    make(w, NET_ENDPOINT, &net,
         "{'IpConfigurations':[{'IpAddress':'10.0.0.1'},"
         "{'IpAddress':'fe80::1'}]}");
}

static void the_network_may_be_in_the_document(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    char text[200], id[GUID_TEXT_SIZE];

    guid_format(&net, id);
    snprintf(text, sizeof text, "{'HostComputeNetwork':'{%s}'}", id);
    make(w, NET_ENDPOINT, NULL, text);
    snprintf(text, sizeof text, "{'VirtualNetwork':'%s'}", id);
    make(w, NET_ENDPOINT, NULL, text);
    assert_int_equal(net_count(w->net, NET_ENDPOINT), 2);
}

static void the_older_form_is_understood(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(
        w, NET_ENDPOINT, &net,
        "{'IPAddress':'192.168.100.77','PrefixLength':24,'DNSServerList':"
        "'9.9.9.9','DisableICC':true,'EnableLowMetric':true,'Mtu':1400,"
        "'PortFriendlyName':'p','EncapOverhead':50,'GatewayAddress':"
        "'192.168.100.1','Policies':[{'Type':'NAT','Protocol':'TCP',"
        "'InternalPort':80,'ExternalPort':8080,'ExternalPortReserved':true}]}");
    struct json_doc doc = v2(w, NET_ENDPOINT, &id);

    assert_string_equal(text_at(&doc, "Flags"), "10");
    assert_string_equal(text_at(&doc, "Dns.ServerList.0"), "9.9.9.9");
    assert_string_equal(text_at(&doc, "Policies.0.Type"), "PortMapping");
    assert_string_equal(text_at(&doc, "Policies.0.Settings.Protocol"), "6");
    assert_string_equal(text_at(&doc, "Policies.0.Settings.Flags"), "4");
    assert_string_equal(text_at(&doc, "Policies.1.Type"), "EncapOverhead");
    assert_string_equal(text_at(&doc, "Policies.2.Settings.Mtu"), "1400");
    json_doc_free(&doc);
    doc = v1(w, NET_ENDPOINT, &id);
    assert_string_equal(text_at(&doc, "Policies.0.Type"), "NAT");
    assert_string_equal(text_at(&doc, "Policies.0.Protocol"), "TCP");
    assert_string_equal(text_at(&doc, "Policies.0.ExternalPort"), "8080");
    assert_true(json_is_true(at(&doc, "Policies.0.ExternalPortReserved")));
    assert_true(json_is_true(at(&doc, "DisableICC")));
    assert_string_equal(text_at(&doc, "Mtu"), "1400");
    assert_string_equal(text_at(&doc, "PortFriendlyName"), "p");
    json_doc_free(&doc);
}

/* What a query gives makes the same endpoint again. */
static void is_made_again_from_its_properties(void **state) {
    static const char *const queries[] = {NULL, "{" V2 "}"};
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct net_request request = {.verb = NET_CREATE, .kind = NET_ENDPOINT};
    struct guid id =
        make(w, NET_ENDPOINT, &net,
             "{'Name':'x','Policies':[{'Type':'PortMapping','Settings':{"
             "'Protocol':17,'InternalPort':53}},{'Type':'ACL','Settings':{"
             "'Action':'Block','Priority':5}}]," V2 "}");

    request.parent = net;
    for (size_t i = 0; i < 2; i++) {
        char *first, *text;
        ask(w, S_OK, NET_QUERY, NET_ENDPOINT, &id, queries[i]);
        text = quoted(w->reply.document); /* a copy */
        erase(w, NET_ENDPOINT, &id);
        request.text = text;
        net_reply_free(&w->reply);
        assert_hr(net_request(w->net, &request, &w->reply), S_OK);
        assert_memory_equal(&w->reply.id, &id, sizeof id);
        ask(w, S_OK, NET_QUERY, NET_ENDPOINT, &id, queries[i]);
        first = w->reply.document;
        assert_string_equal(first, text);
        free(text);
    }
}

/* --- ports --------------------------------------------------------- */

#define VM "'VirtualMachineId':'aaaaaaaa-0000-4000-8000-00000000000a'"

static void a_machine_attaches(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(w, NET_ENDPOINT, &net, "{}");
    struct sim_plane_counts counts;
    struct json_doc doc;
    size_t events = w->event_count;

    ask(w, HCN_E_ENDPOINT_NOT_ATTACHED, NET_DETACH, NET_ENDPOINT, &id, NULL);
    ask(w, S_OK, NET_ATTACH, NET_ENDPOINT, &id,
        "{'PortId':'bbbbbbbb-0000-4000-8000-00000000000b'," VM
        ",'VirtualNicName':'vm--ep'}");
    assert_non_null(strstr(w->reply.document, "\"State\":2"));
    assert_non_null(strstr(w->reply.document, "vm--ep"));
    ask(w, HCN_E_ENDPOINT_ALREADY_ATTACHED, NET_ATTACH, NET_ENDPOINT, &id,
        "{" VM "}");
    sim_plane_count(w->plane, &counts);
    assert_int_equal(counts.ports, 1);
    doc = v1(w, NET_ENDPOINT, &id);
    assert_string_equal(text_at(&doc, "VirtualMachine"),
                        "aaaaaaaa-0000-4000-8000-00000000000a");
    assert_string_equal(text_at(&doc, "AdditionalParams.SwitchPortId"),
                        "bbbbbbbb-0000-4000-8000-00000000000b");
    json_doc_free(&doc);
    assert_int_equal(
        strlen(found(w, NET_ENDPOINT,
                     "{'Filter':'{\\\"VirtualMachine\\\":"
                     "\\\"AAAAAAAA-0000-4000-8000-00000000000A\\\"}'}")),
        36);
    modify(w, HCN_E_PORT_NOT_FOUND, NET_ENDPOINT, &id,
           "{'ResourceType':'Port','RequestType':'Remove','Settings':{"
           "'PortId':'cccccccc-0000-4000-8000-00000000000b'}}");
    modify(w, S_OK, NET_ENDPOINT, &id,
           "{'ResourceType':'Port','RequestType':'Refresh'}");
    modify(w, S_OK, NET_ENDPOINT, &id,
           "{'ResourceType':'Port','RequestType':'Remove','Settings':{}}");
    doc = v2(w, NET_ENDPOINT, &id);
    assert_string_equal(text_at(&doc, "State"), "4");
    json_doc_free(&doc);
    assert_int_equal(w->event_count, events + 2);
    assert_int_equal(w->events[events].type, NET_EVENT_ENDPOINT_ATTACHED);
    assert_int_equal(w->events[events + 1].type, NET_EVENT_ENDPOINT_DETACHED);
    assert_memory_equal(&w->events[events].id, &net, sizeof net);
}

static void deletes_while_attached(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(w, NET_ENDPOINT, &net, "{}");
    struct sim_plane_counts counts;

    modify(w, S_OK, NET_ENDPOINT, &id,
           "{'ResourceType':'Port','RequestType':'Add','Settings':{" VM "}}");
    erase(w, NET_ENDPOINT, &id);
    sim_plane_count(w->plane, &counts);
    assert_int_equal(counts.ports, 0);
    assert_int_equal(counts.endpoints, 0);
}

static void remote_ones_have_no_port(void **state) {
    struct world *w = *state;
    struct guid net =
        make(w, NET_NETWORK, NULL,
             "{'Type':'Overlay','Ipams':[{'Subnets':[{'IpAddressPrefix':"
             "'10.244.0.0/24','Policies':[{'Type':'VSID','Settings':{"
             "'IsolationId':5000}}]}]}]}");
    struct guid id =
        make(w, NET_ENDPOINT, &net,
             "{'Flags':1,'MacAddress':'02-11-0A-00-00-01','IpConfigurations':[{"
             "'IpAddress':'10.99.0.7'}],'Policies':[{'Type':'ProviderAddress',"
             "'Settings':{'ProviderAddress':'10.1.1.9'}}]}");
    char text[200], name[GUID_TEXT_SIZE];
    struct guid space = make(w, NET_NAMESPACE, NULL, "{" V2 "}");
    struct json_doc doc = v2(w, NET_ENDPOINT, &id);

    assert_string_equal(text_at(&doc, "Policies.1.Type"), "EncapOverhead");
    json_doc_free(&doc);
    ask(w, HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION, NET_ATTACH, NET_ENDPOINT,
        &id, "{" VM "}");
    guid_format(&id, name);
    snprintf(text, sizeof text,
             "{'ResourceType':'Endpoint','RequestType':'Add','Settings':{"
             "'EndpointId':'%s'}}",
             name);
    modify(w, HCN_E_ENDPOINT_NOT_LOCAL, NET_NAMESPACE, &space, text);
    modify(w, HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION, NET_ENDPOINT, &id,
           "{'ResourceType':'Policy','RequestType':'Add','Settings':{"
           "'Policies':[{'Type':'PortMapping','Settings':{'Protocol':6,"
           "'InternalPort':1,'ExternalPort':1}}]}}");
}

static void statistics_come_from_the_plane(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(w, NET_ENDPOINT, &net, "{}");
    struct sim_packet packet = {.from = id, .protocol = 17};
    struct sim_verdict verdict;
    struct json_doc doc;

    ask(w, S_OK, NET_ATTACH, NET_ENDPOINT, &id, "{" VM "}");
    assert_true(ip_parse("8.8.8.8", &packet.destination));
    sim_plane_send(w->plane, &packet, 3, 100, &verdict);
    assert_true(verdict.passed);
    ask(w, S_OK, NET_STATISTICS, NET_ENDPOINT, &id, NULL);
    assert_hr(
        json_parse(w->reply.document, strlen(w->reply.document), &doc, NULL),
        S_OK);
    assert_string_equal(text_at(&doc, "BytesSent"), "300");
    assert_string_equal(text_at(&doc, "PacketsSent"), "3");
    assert_string_equal(text_at(&doc, "PacketsReceived"), "0");
    assert_int_equal(strlen(text_at(&doc, "InstanceId")), 36);
    json_doc_free(&doc);
    ask(w, HCN_E_REQUEST_UNSUPPORTED, NET_STATISTICS, NET_NETWORK, &net, NULL);
}

int main(void) {
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(is_made_and_queried),
        TEST(policies_of_real_clients_pass),
        TEST(the_lowest_free_address_is_given),
        TEST(what_fails_gives_back),
        TEST(pools_end),
        TEST(several_subnets_follow_each_other),
        TEST(both_families_are_given),
        TEST(refusals_have_their_codes),
        TEST(what_nobody_can_have_is_refused),
        TEST(the_network_may_be_in_the_document),
        TEST(the_older_form_is_understood),
        TEST(is_made_again_from_its_properties),
        TEST(a_machine_attaches),
        TEST(deletes_while_attached),
        TEST(remote_ones_have_no_port),
        TEST(statistics_come_from_the_plane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
