/* SPDX-License-Identifier: MIT
 * Networks: their documents, what is refused, how they change and go. */
#include "world.h"

#define NOWHERE guid("11111111-2222-4333-8444-555555555555")

/* The sample of a create and its query. */
static void is_made_and_queried(void **state) {
    struct world *w = *state;
    struct guid id = make(
        w, NET_NETWORK, NULL,
        "{'Name':'GoTestNat','Type':'NAT','MacPool':{'Ranges':[{"
        "'StartMacAddress':'00-15-5D-52-C0-00','EndMacAddress':"
        "'00-15-5D-52-CF-FF'}]},'Dns':{},'Ipams':[{'Type':'Static','Subnets':"
        "[{'IpAddressPrefix':'192.168.100.0/24','Routes':[{'NextHop':"
        "'192.168.100.1','DestinationPrefix':'0.0.0.0/0'}]}]}],'Health':"
        "{'Extra':{}},'SchemaVersion':{'Major':2,'Minor':0}}");
    struct json_doc doc = v2(w, NET_NETWORK, &id);
    char lower[GUID_TEXT_SIZE];

    assert_string_equal(text_at(&doc, "Name"), "GoTestNat");
    assert_null(at(&doc, "Type")); /* NAT is the default */
    assert_null(at(&doc, "Dns"));
    assert_null(at(&doc, "Flags"));
    assert_string_equal(text_at(&doc, "MacPool.Ranges.0.StartMacAddress"),
                        "00-15-5D-52-C0-00");
    assert_string_equal(text_at(&doc, "MacPool.Ranges.0.EndMacAddress"),
                        "00-15-5D-52-CF-FF");
    assert_string_equal(text_at(&doc, "Ipams.0.Subnets.0.IpAddressPrefix"),
                        "192.168.100.0/24");
    assert_string_equal(text_at(&doc, "Ipams.0.Subnets.0.Routes.0.NextHop"),
                        "192.168.100.1");
    assert_string_equal(
        text_at(&doc, "Ipams.0.Subnets.0.IpSubnets.0.IpAddressPrefix"),
        "192.168.100.0/24");
    assert_string_equal(text_at(&doc, "Ipams.0.Subnets.0.IpSubnets.0.Flags"),
                        "3");
    assert_string_equal(text_at(&doc, "State"), "1");
    assert_string_equal(text_at(&doc, "Version"), "64424509444");
    assert_string_equal(text_at(&doc, "SchemaVersion.Major"), "2");
    assert_true(strlen(text_at(&doc, "Health.Extra.SwitchGuid")) == 36);
    /* Its id is written in capitals. */
    guid_format(&id, lower);
    assert_string_not_equal(text_at(&doc, "ID"), lower);
    struct guid same = guid(text_at(&doc, "ID"));
    assert_memory_equal(&same, &id, sizeof id);
    json_doc_free(&doc);
}

static void older_form_is_a_view_of_it(void **state) {
    struct world *w = *state;
    struct guid id = make(w, NET_NETWORK, NULL,
                          "{'Name':'old','Type':'NAT','Subnets':[{"
                          "'AddressPrefix':'192.168.100.0/24',"
                          "'GatewayAddress':'192.168.100.1'}],"
                          "'DNSServerList':'1.1.1.1, 8.8.8.8',"
                          "'DNSSuffix':'a.example,b.example',"
                          "'IsolateSwitch':true}");
    struct json_doc doc = v1(w, NET_NETWORK, &id);

    assert_string_equal(text_at(&doc, "Type"), "NAT");
    assert_string_equal(text_at(&doc, "Subnets.0.AddressPrefix"),
                        "192.168.100.0/24");
    assert_string_equal(text_at(&doc, "Subnets.0.GatewayAddress"),
                        "192.168.100.1");
    assert_string_equal(text_at(&doc, "Subnets.0.ObjectType"), "5");
    assert_string_equal(text_at(&doc, "Policies.0.Type"), "VLAN");
    assert_string_equal(text_at(&doc, "DNSServerList"), "1.1.1.1,8.8.8.8");
    assert_string_equal(text_at(&doc, "DNSSuffix"), "a.example,b.example");
    assert_string_equal(text_at(&doc, "CurrentEndpointCount"), "0");
    assert_string_equal(text_at(&doc, "Flags"), "32");
    assert_int_equal(strncmp(text_at(&doc, "NatName"), "NAT", 3), 0);
    assert_true(json_is_true(at(&doc, "IsolateSwitch")));
    assert_string_equal(text_at(&doc, "Health.LastUpdateTime"),
                        "133444736000000000");
    json_doc_free(&doc);
    doc = v2(w, NET_NETWORK, &id);
    assert_string_equal(text_at(&doc, "Dns.ServerList.1"), "8.8.8.8");
    assert_string_equal(text_at(&doc, "Dns.Search.1"), "b.example");
    assert_string_equal(text_at(&doc, "Flags"), "32");
    assert_string_equal(text_at(&doc, "Ipams.0.Subnets.0.Routes.0.NextHop"),
                        "192.168.100.1");
    json_doc_free(&doc);
}

/* --- what is refused ----------------------------------------------- */

struct refusal {
    HRESULT hr;
    const char *text;
};

static void refusals_have_their_codes(void **state) {
    static const struct refusal table[] = {
        {HCN_E_INVALID_JSON, ""},
        {HCN_E_INVALID_JSON, "{"},
        {HCN_E_INVALID_JSON, "[]"},
        {HCN_E_INVALID_JSON, "{'Name':5}"},
        {HCN_E_INVALID_JSON, "{'Type':true}"},
        {HCN_E_INVALID_JSON, "{'Name':'a\\u0000b'}"},
        {HCN_E_INVALID_JSON, "{'Flags':-1}"},
        {HCN_E_INVALID_JSON, "{'Flags':4294967296}"},
        {HCN_E_INVALID_JSON, "{'Flags':'1'}"},
        {HCN_E_INVALID_JSON, "{'Ipams':{'a':1}}"},
        {HCN_E_INVALID_JSON, "{'Ipams':[5]}"},
        {HCN_E_INVALID_JSON, "{'Ipams':[{'Subnets':'x'}]}"},
        {HCN_E_INVALID_JSON, "{'MacPool':[]}"},
        {HCN_E_INVALID_JSON, "{'Policies':'x'}"},
        {HCN_E_INVALID_JSON, "{'Dns':{'Search':[5]}}"},
        /* what nobody reads, too */
        {HCN_E_INVALID_JSON, "{'health':5}"},
        {HCN_E_INVALID_JSON, "{'Version':'x'}"},
        {HCN_E_INVALID_JSON, "{'Subnets':5}"},
        {HCN_E_GUID_CONVERSION_FAILURE, "{'ID':'x'}"},
        {E_INVALIDARG, "{'SchemaVersion':{'Major':3}}"},
        {HCN_E_INVALID_NETWORK_TYPE, "{'Type':'Nut'}"},
        {HCN_E_INVALID_NETWORK_TYPE, "{'Type':11}"},
        {HCN_E_REQUEST_UNSUPPORTED, "{'Type':'Mirrored'}"},
        {HCN_E_REQUEST_UNSUPPORTED, "{'Type':'Infiniband'}"},
        {HCN_E_INVALID_NETWORK, "{'Type':'L2Bridge'}"},
        {HCN_E_INVALID_NETWORK, "{'Type':'L2Tunnel'}"},
        {HCN_E_INVALID_NETWORK, "{'Type':'Overlay'}"},
        /* an overlay without a VSID */
        {HCN_E_INVALID_NETWORK,
         "{'Type':'Overlay','Ipams':[{'Subnets':[{'IpAddressPrefix':"
         "'10.0.0.0/24'}]}]}"},
        {HCN_E_INVALID_NETWORK,
         "{'Ipams':[{'Subnets':[{'Routes':[{'NextHop':'10.0.0.1'}]}]}]}"},
        {HCN_E_INVALID_NETWORK,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.1/24'}]}]}"},
        {HCN_E_INVALID_NETWORK,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/31'}]}]}"},
        /* a gateway outside */
        {HCN_E_INVALID_NETWORK,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/24','Routes':[{"
         "'NextHop':'10.0.1.1','DestinationPrefix':'0.0.0.0/0'}]}]}]}"},
        {HCN_E_INVALID_NETWORK,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/24','Routes':[{"
         "'NextHop':'fd00::1','DestinationPrefix':'::/0'}]}]}]}"},
        /* the subnet itself, and its broadcast */
        {HCN_E_INVALID_NETWORK,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/24','Routes':[{"
         "'NextHop':'10.0.0.0','DestinationPrefix':'0.0.0.0/0'}]}]}]}"},
        {HCN_E_INVALID_NETWORK,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/24','Routes':[{"
         "'NextHop':'10.0.0.255','DestinationPrefix':'0.0.0.0/0'}]}]}]}"},
        {HCN_E_INVALID_NETWORK,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/16'},"
         "{'IpAddressPrefix':'10.0.5.0/24'}]}]}"},
        {HCN_E_INVALID_PREFIX,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0'}]}]}"},
        {HCN_E_INVALID_PREFIX,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/33'}]}]}"},
        {HCN_E_INVALID_PREFIX,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/24','Routes':[{"
         "'NextHop':'10.0.0.1','DestinationPrefix':'all'}]}]}]}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/24','Routes':[{"
         "'NextHop':'nobody','DestinationPrefix':'0.0.0.0/0'}]}]}]}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/24','Routes':[{"
         "'NextHop':'fd00::1','DestinationPrefix':'0.0.0.0/0'}]}]}]}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'0.0.0.0/0'}]}]}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED,
         "{'Type':'Internal',"
         "'Ipams':[{'Subnets':[{'IpAddressPrefix':'127.0.0.0/8'}]}]}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED,
         "{'Type':'Private',"
         "'Ipams':[{'Subnets':[{'IpAddressPrefix':'::/64'}]}]}"},
        {HCN_E_INVALID_IP_SUBNET,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/24','IpSubnets':"
         "[{'IpAddressPrefix':'10.0.1.0/25'}]}]}]}"},
        {HCN_E_INVALID_IP_SUBNET,
         "{'Ipams':[{'Subnets':[{'IpAddressPrefix':'10.0.0.0/24','IpSubnets':"
         "[{'IpAddressPrefix':'10.0.0.0/25'},{'IpAddressPrefix':"
         "'10.0.0.64/26'}]}]}]}"},
        {E_INVALIDARG, "{'Ipams':[{'Type':'Magic'}]}"},
        {HCN_E_INVALID_NETWORK,
         "{'MacPool':{'Ranges':[{'StartMacAddress':'x','EndMacAddress':"
         "'00-15-5D-00-00-01'}]}}"},
        {HCN_E_INVALID_NETWORK,
         "{'MacPool':{'Ranges':[{'StartMacAddress':'00-15-5D-00-00-02',"
         "'EndMacAddress':'00-15-5D-00-00-01'}]}}"},
        {HCN_E_INVALID_NETWORK,
         "{'MacPool':{'Ranges':[{'StartMacAddress':'01-15-5D-00-00-01',"
         "'EndMacAddress':'01-15-5D-00-00-02'}]}}"},
        {HCN_E_INVALID_NETWORK,
         "{'MacPool':{'Ranges':[{'StartMacAddress':'00-00-00-00-00-00',"
         "'EndMacAddress':'00-15-5D-00-00-02'}]}}"},
        {HCN_E_INVALID_NETWORK,
         "{'MacPool':{'Ranges':[{'StartMacAddress':'00-15-5D-00-00-00',"
         "'EndMacAddress':'02-15-5D-00-00-02'}]}}"},
        {HCN_E_ADDR_INVALID_OR_RESERVED, "{'Dns':{'ServerList':['dns']}}"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        refuse(w, table[i].hr, NET_NETWORK, NULL, table[i].text);
    refuse(w, E_INVALIDARG, NET_NETWORK, NULL, NULL);
    assert_int_equal(w->event_count, 0);
}

/* As clients say that somebody else gives the addresses. */
static void an_adapter_s_network_may_have_any(void **state) {
    make(*state, NET_NETWORK, NULL,
         "{'Type':'Transparent','Ipams':[{'Type':'Dhcp','Subnets':[{"
         "'IpAddressPrefix':'0.0.0.0/0','Routes':[{'NextHop':'0.0.0.0',"
         "'DestinationPrefix':'0.0.0.0/0'}]}]}]}");
}

static void unknown_ones_are_not_found(void **state) {
    static const enum net_verb verbs[] = {NET_OPEN, NET_MODIFY, NET_QUERY,
                                          NET_DELETE};
    struct world *w = *state;
    struct guid id = NOWHERE;

    for (size_t i = 0; i < 4; i++) {
        ask(w, HCN_E_NETWORK_NOT_FOUND, verbs[i], NET_NETWORK, &id, "{}");
        ask(w, HCN_E_ENDPOINT_NOT_FOUND, verbs[i], NET_ENDPOINT, &id, "{}");
        ask(w, HR_NOT_FOUND, verbs[i], NET_NAMESPACE, &id, "{}");
    }
}

static void names_and_ids_are_unique(void **state) {
    struct world *w = *state;
    struct net_request request = {.verb = NET_CREATE, .kind = NET_NETWORK};
    struct guid id =
        make(w, NET_NETWORK, NULL, "{'Name':'One','Type':'Private'}");
    char text[200], braces[64];

    refuse(w, HCN_E_NETWORK_ALREADY_EXISTS, NET_NETWORK, NULL,
           "{'Name':'oNE','Type':'Private'}");
    guid_format(&id, braces);
    snprintf(text, sizeof text, "{'ID':'{%s}','Type':'Private'}", braces);
    refuse(w, HCN_E_NETWORK_ALREADY_EXISTS, NET_NETWORK, NULL, text);
    /* The parameter goes before the document. */
    request.id = NOWHERE;
    request.text = "{\"ID\":\"22222222-2222-4333-8444-555555555555\","
                   "\"Type\":\"Private\"}";
    net_reply_free(&w->reply);
    assert_hr(net_request(w->net, &request, &w->reply), S_OK);
    assert_memory_equal(&w->reply.id, &request.id, sizeof request.id);
    /* Networks without a name are no name's owners. */
    make(w, NET_NETWORK, NULL, "{'Type':'Private'}");
    /* A name is free again when its network has gone. */
    erase(w, NET_NETWORK, &id);
    make(w, NET_NETWORK, NULL, "{'Name':'one','Type':'Private'}");
}

static void names_may_be_any_text(void **state) {
    struct world *w = *state;
    struct guid id = make(w, NET_NETWORK, NULL,
                          "{'Name':'a \\\"b\\\"\\n\\\\ \\u00e9 $(x)',"
                          "'Type':'Private'," V2 "}");
    struct json_doc doc = v2(w, NET_NETWORK, &id);

    assert_string_equal(text_at(&doc, "Name"), "a \"b\"\n\\ \xc3\xa9 $(x)");
    json_doc_free(&doc);
    assert_int_equal(strlen(found(w, NET_NETWORK,
                                  "{'Filter':'{\\\"Name\\\":\\\"A "
                                  "\\\\\\\"b\\\\\\\"\\\\n\\\\\\\\ "
                                  "\\u00e9 $(x)\\\"}'}")),
                     36);
}

/* --- types --------------------------------------------------------- */

static void every_type_is_there(void **state) {
    static const char *const types[] = {
        "NAT",      "nat",     "ICS",         "ConstrainedICS",
        "Internal", "Private", "Transparent", "0",
        "1",        "6",
    };
    struct world *w = *state;
    char text[128];

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        bool number = types[i][0] <= '9';
        snprintf(text, sizeof text, number ? "{'Type':%s}" : "{'Type':'%s'}",
                 types[i]);
        make(w, NET_NETWORK, NULL, text);
    }
    make(w, NET_NETWORK, NULL, "{'Type':'L2Bridge'," NAT_SUBNET "}");
    make(w, NET_NETWORK, NULL, "{'Type':'L2Tunnel'," NAT_SUBNET "}");
    make(w, NET_NETWORK, NULL,
         "{'Type':'Overlay','Ipams':[{'Subnets':[{'IpAddressPrefix':"
         "'10.244.0.0/24','Policies':[{'Type':'VSID','Settings':{"
         "'IsolationId':5000}}]}]}]}");
    assert_int_equal(net_count(w->net, NET_NETWORK), 13);
}

/* An external network is bound to an adapter, and says which. */
static void external_ones_need_an_adapter(void **state) {
    struct world *w = *state;
    struct guid id =
        make(w, NET_NETWORK, NULL, "{'Type':'Transparent','Name':'t'}");
    struct json_doc doc = v2(w, NET_NETWORK, &id);

    assert_string_equal(text_at(&doc, "Policies.0.Type"), "NetAdapterName");
    assert_string_equal(text_at(&doc, "Policies.0.Settings.NetworkAdapterName"),
                        "Ethernet");
    assert_int_equal(strlen(text_at(&doc, "Health.Extra.LayeredOn")), 36);
    json_doc_free(&doc);
    id = make(w, NET_NETWORK, NULL,
              "{'Type':'Transparent','NetworkAdapterName':'eth7'}");
    doc = v1(w, NET_NETWORK, &id);
    assert_string_equal(text_at(&doc, "NetworkAdapterName"), "eth7");
    assert_int_equal(at(&doc, "Policies")->as.array.count, 1);
    json_doc_free(&doc);
    modify(w, HCN_E_SHARED_SWITCH_MODIFICATION, NET_NETWORK, &id,
           "{'ResourceType':'Policy','RequestType':'Update','Settings':{"
           "'Policies':[{'Type':'NetAdapterName','Settings':{"
           "'NetworkAdapterName':'eth8'}}]}}");
    sim_plane_adapter(w->plane, false);
    refuse(w, HCN_E_ADAPTER_NOT_FOUND, NET_NETWORK, NULL,
           "{'Type':'Transparent'}");
    make(w, NET_NETWORK, NULL, "{'Type':'NAT'}");
}

static void prefixes_are_chosen(void **state) {
    struct world *w = *state;
    struct ip_prefix hosts;
    struct json_doc doc;
    struct guid id;

    assert_true(ip_prefix_parse("172.16.16.0/24", &hosts));
    assert_hr(sim_plane_take_prefix(w->plane, &hosts), S_OK);
    make(w, NET_NETWORK, NULL, "{'Type':'NAT'}"); /* 172.16.0.0/20 */
    make(w, NET_NETWORK, NULL,
         "{'Type':'Private','Ipams':[{'Subnets':[{'IpAddressPrefix':"
         "'172.16.32.0/19'}]}]}");
    id = make(w, NET_NETWORK, NULL, "{'Type':'ICS','Ipams':[{}]}");
    doc = v2(w, NET_NETWORK, &id);
    assert_string_equal(text_at(&doc, "Ipams.0.Subnets.0.IpAddressPrefix"),
                        "172.16.64.0/20");
    assert_string_equal(text_at(&doc, "Ipams.0.Subnets.0.Routes.0.NextHop"),
                        "172.16.64.1");
    json_doc_free(&doc);
    assert_true(ip_prefix_parse("172.16.0.0/12", &hosts));
    assert_hr(sim_plane_take_prefix(w->plane, &hosts), S_OK);
    refuse(w, HCN_E_ADDR_INVALID_OR_RESERVED, NET_NETWORK, NULL,
           "{'Type':'NAT'}");
}

static void prefixes_clash_within_a_type(void **state) {
    struct world *w = *state;
    struct guid id = make_nat(w);

    refuse(w, HR_ALREADY_EXISTS, NET_NETWORK, NULL, "{" NAT_SUBNET "}");
    refuse(w, HR_ALREADY_EXISTS, NET_NETWORK, NULL,
           "{'Subnets':[{'AddressPrefix':'192.168.0.0/16'}]}");
    make(w, NET_NETWORK, NULL, "{'Type':'ICS'," NAT_SUBNET "}");
    refuse(w, HR_DUP_NAME, NET_NETWORK, NULL,
           "{'Type':'ConstrainedICS'," NAT_SUBNET "}");
    make(w, NET_NETWORK, NULL, "{'Type':'Private'," NAT_SUBNET "}");
    erase(w, NET_NETWORK, &id);
    make_nat(w);
}

static void a_mac_pool_is_given(void **state) {
    struct world *w = *state;
    struct guid id = make_nat(w);
    struct json_doc doc = v2(w, NET_NETWORK, &id);
    struct mac_address first, last;

    assert_true(
        mac_parse(text_at(&doc, "MacPool.Ranges.0.StartMacAddress"), &first));
    assert_true(
        mac_parse(text_at(&doc, "MacPool.Ranges.0.EndMacAddress"), &last));
    assert_int_equal(mac_number(&last) - mac_number(&first), 4095);
    assert_int_equal(mac_number(&first) >> 24, 0x00155D);
    assert_int_equal(mac_number(&first) & 0xfff, 0);
    json_doc_free(&doc);
}

/* --- changes ------------------------------------------------------- */

static void dns_changes(void **state) {
    struct world *w = *state;
    struct guid id = make_nat(w);
    struct json_doc doc;

    modify(w, S_OK, NET_NETWORK, &id,
           "{'ResourceType':'DNS','RequestType':'Update','Settings':{'Domain':"
           "'lab','ServerList':['2001:DB8::1']}}");
    doc = v2(w, NET_NETWORK, &id);
    assert_string_equal(text_at(&doc, "Dns.Domain"), "lab");
    assert_string_equal(text_at(&doc, "Dns.ServerList.0"), "2001:db8::1");
    json_doc_free(&doc);
    modify(w, HCN_E_ADDR_INVALID_OR_RESERVED, NET_NETWORK, &id,
           "{'ResourceType':'DNS','RequestType':2,'Settings':{'ServerList':"
           "['x']}}");
    modify(w, HCN_E_REQUEST_UNSUPPORTED, NET_NETWORK, &id,
           "{'ResourceType':'DNS','RequestType':'Add','Settings':{}}");
    doc = v2(w, NET_NETWORK, &id);
    assert_string_equal(text_at(&doc, "Dns.Domain"), "lab");
    json_doc_free(&doc);
}

static void extensions_switch(void **state) {
    struct world *w = *state;
    struct guid id = make_nat(w);
    struct json_doc doc;

    modify(w, S_OK, NET_NETWORK, &id,
           "{'ResourceType':'Extension','RequestType':'Update','Settings':{"
           "'Id':'e7c3b2f0-f3c5-48df-af2b-10fed6d72e7a','IsEnabled':true}}");
    modify(w, HCN_E_SWITCH_EXTENSION_NOT_FOUND, NET_NETWORK, &id,
           "{'ResourceType':'Extension','RequestType':'Update','Settings':{"
           "'Id':'e7c3b2f0-f3c5-48df-af2b-10fed6d72e7b'}}");
    doc = v1(w, NET_NETWORK, &id);
    assert_true(json_is_true(at(&doc, "Extensions.0.IsEnabled")));
    assert_false(json_is_true(at(&doc, "Extensions.1.IsEnabled")));
    assert_true(json_is_true(at(&doc, "Extensions.2.IsEnabled")));
    json_doc_free(&doc);
}

#define SUBNETS(request, subnets)                      \
    "{'ResourceType':'Subnet','RequestType':'" request \
    "','Settings':{'Subnets':[" subnets "]}}"

static void subnets_come_and_go(void **state) {
    struct world *w = *state;
    struct guid id = make_nat(w);
    struct json_doc doc;

    modify(w, S_OK, NET_NETWORK, &id,
           SUBNETS("Add", "{'IpAddressPrefix':'fd00::/64','Routes':[{"
                          "'NextHop':'fd00::1','DestinationPrefix':'::/0'}]}"));
    modify(w, HCN_E_INVALID_SUBNET, NET_NETWORK, &id,
           SUBNETS("Add", "{'IpAddressPrefix':'192.168.100.128/25'}"));
    modify(w, HCN_E_INVALID_SUBNET, NET_NETWORK, &id, SUBNETS("Add", ""));
    modify(w, HCN_E_INVALID_PREFIX, NET_NETWORK, &id,
           SUBNETS("Add", "{'IpAddressPrefix':'x'}"));
    make(w, NET_ENDPOINT, &id, "{}");
    modify(w, HCN_E_ENTITY_HAS_REFERENCES, NET_NETWORK, &id,
           SUBNETS("Remove", "{'IpAddressPrefix':'fd00::/64'}"));
    doc = v2(w, NET_NETWORK, &id);
    assert_int_equal(at(&doc, "Ipams.0.Subnets")->as.array.count, 2);
    json_doc_free(&doc);
    id = make(w, NET_NETWORK, NULL,
              "{'Type':'Private','Ipams':[{'Subnets':[{'IpAddressPrefix':"
              "'10.0.0.0/24'},{'IpAddressPrefix':'10.0.1.0/24'}]}]}");
    modify(w, S_OK, NET_NETWORK, &id,
           SUBNETS("Remove", "{'IpAddressPrefix':'10.0.0.0/24'}"));
    modify(w, HCN_E_SUBNET_NOT_FOUND, NET_NETWORK, &id,
           SUBNETS("Remove", "{'IpAddressPrefix':'10.0.0.0/24'}"));
    doc = v2(w, NET_NETWORK, &id);
    assert_int_equal(at(&doc, "Ipams.0.Subnets")->as.array.count, 1);
    assert_string_equal(text_at(&doc, "Ipams.0.Subnets.0.IpAddressPrefix"),
                        "10.0.1.0/24");
    json_doc_free(&doc);
}

static void ip_subnets_come_and_go(void **state) {
    struct world *w = *state;
    struct guid id = make(
        w, NET_NETWORK, NULL,
        "{'Type':'Private','Ipams':[{'Subnets':[{'ID':"
        "'aaaaaaaa-0000-4000-8000-000000000000','IpAddressPrefix':"
        "'10.0.0.0/24','IpSubnets':[{'IpAddressPrefix':'10.0.0.0/30'}]}]}]}");
    static const char add[] =
        "{'ResourceType':'IPSubnet','RequestType':'Add','Settings':{"
        "'SubnetId':'aaaaaaaa-0000-4000-8000-000000000000','IpSubnets':[{"
        "'IpAddressPrefix':'10.0.0.64/30'}]}}";
    struct json_doc doc;
    struct guid last;

    make(w, NET_ENDPOINT, &id, "{}");
    make(w, NET_ENDPOINT, &id, "{}");
    refuse(w, HCN_E_ADDR_INVALID_OR_RESERVED, NET_ENDPOINT, &id, "{}");
    refuse(w, HCN_E_INVALID_IP, NET_ENDPOINT, &id,
           "{'IpConfigurations':[{'IpAddress':'10.0.0.66'}]}");
    modify(w, S_OK, NET_NETWORK, &id, add);
    modify(w, HCN_E_INVALID_IP_SUBNET, NET_NETWORK, &id, add);
    last = make(w, NET_ENDPOINT, &id, "{}");
    doc = v2(w, NET_ENDPOINT, &last);
    assert_string_equal(text_at(&doc, "IpConfigurations.0.IpAddress"),
                        "10.0.0.65");
    assert_string_equal(text_at(&doc, "IpConfigurations.0.PrefixLength"), "24");
    json_doc_free(&doc);
    modify(w, HCN_E_ENTITY_HAS_REFERENCES, NET_NETWORK, &id,
           "{'ResourceType':'IPSubnet','RequestType':'Remove','Settings':{"
           "'SubnetId':'aaaaaaaa-0000-4000-8000-000000000000','IpSubnets':[{"
           "'IpAddressPrefix':'10.0.0.64/30'}]}}");
    erase(w, NET_ENDPOINT, &last);
    modify(w, S_OK, NET_NETWORK, &id,
           "{'ResourceType':4,'RequestType':1,'Settings':{"
           "'SubnetId':'aaaaaaaa-0000-4000-8000-000000000000','IpSubnets':[{"
           "'IpAddressPrefix':'10.0.0.64/30'}]}}");
    modify(w, HCN_E_SUBNET_NOT_FOUND, NET_NETWORK, &id,
           "{'ResourceType':'IPSubnet','RequestType':'Add','Settings':{"
           "'SubnetId':'bbbbbbbb-0000-4000-8000-000000000000','IpSubnets':[{"
           "'IpAddressPrefix':'10.0.0.64/30'}]}}");
}

static void modify_refuses_what_it_does_not_know(void **state) {
    static const struct refusal table[] = {
        {HCN_E_REQUEST_UNSUPPORTED, "{'ResourceType':'Weather'}"},
        {HCN_E_REQUEST_UNSUPPORTED,
         "{'ResourceType':'Policy','RequestType':'Burn'}"},
        {HCN_E_REQUEST_UNSUPPORTED,
         "{'ResourceType':'Policy','RequestType':'Reset'}"},
        {HCN_E_REQUEST_UNSUPPORTED,
         "{'ResourceType':'Subnet','RequestType':'Update'}"},
        {HCN_E_INVALID_JSON, "{'ResourceType':'Policy','Settings':[]}"},
        {HCN_E_INVALID_JSON, "{'ResourceType':[]}"},
        {HCN_E_INVALID_JSON, "{'ResourceType':'Policy','ResourceUri':5}"},
        {HCN_E_INVALID_JSON, "x"},
        {E_INVALIDARG, NULL},
    };
    struct world *w = *state;
    struct guid id = make_nat(w);

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        modify(w, table[i].hr, NET_NETWORK, &id, table[i].text);
}

/* --- going --------------------------------------------------------- */

static void takes_its_endpoints_along(void **state) {
    struct world *w = *state;
    struct guid id = make_nat(w);
    struct guid space = make(w, NET_NAMESPACE, NULL, "{" V2 "}");
    struct guid endpoint = make(w, NET_ENDPOINT, &id, "{}");
    char text[200], name[GUID_TEXT_SIZE];
    struct json_doc doc;

    guid_format(&endpoint, name);
    snprintf(text, sizeof text,
             "{'ResourceType':'Endpoint','Settings':{'EndpointId':'%s'}}",
             name);
    modify(w, S_OK, NET_NAMESPACE, &space, text);
    erase(w, NET_NETWORK, &id);
    ask(w, HCN_E_ENDPOINT_NOT_FOUND, NET_OPEN, NET_ENDPOINT, &endpoint, NULL);
    doc = v2(w, NET_NAMESPACE, &space);
    assert_int_equal(at(&doc, "Resources")->as.array.count, 0);
    json_doc_free(&doc);
    ask(w, HCN_E_NETWORK_NOT_FOUND, NET_DELETE, NET_NETWORK, &id, NULL);
}

static void what_happens_is_told(void **state) {
    struct world *w = *state;
    struct guid id = make(w, NET_NETWORK, NULL,
                          "{'ID':'7b7c0000-0000-4000-8000-000000000001',"
                          "'Type':'Private','Flags':8}");
    static const enum net_event_type types[] = {
        NET_EVENT_NETWORK_PRE_CREATE, NET_EVENT_NETWORK_CREATE,
        NET_EVENT_NETWORK_PRE_DELETE, NET_EVENT_NETWORK_DELETE};

    erase(w, NET_NETWORK, &id);
    assert_int_equal(w->event_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(w->events[i].type, types[i]);
        assert_hr(w->events[i].status, S_OK);
        assert_memory_equal(&w->events[i].id, &id, sizeof id);
        assert_string_equal(w->events[i].document,
                            "{\"ID\":\"7B7C0000-0000-4000-8000-000000000001\","
                            "\"Flags\":8}");
    }
    sim_plane_fail(w->plane, 1, HR_TIMEOUT);
    refuse(w, HR_TIMEOUT, NET_NETWORK, NULL, "{'Type':'Private'}");
    assert_int_equal(w->event_count, 6);
    assert_hr(w->events[5].status, HR_TIMEOUT);
}

int main(void) {
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(is_made_and_queried),
        TEST(older_form_is_a_view_of_it),
        TEST(refusals_have_their_codes),
        TEST(an_adapter_s_network_may_have_any),
        TEST(unknown_ones_are_not_found),
        TEST(names_and_ids_are_unique),
        TEST(names_may_be_any_text),
        TEST(every_type_is_there),
        TEST(external_ones_need_an_adapter),
        TEST(prefixes_are_chosen),
        TEST(prefixes_clash_within_a_type),
        TEST(a_mac_pool_is_given),
        TEST(dns_changes),
        TEST(extensions_switch),
        TEST(subnets_come_and_go),
        TEST(ip_subnets_come_and_go),
        TEST(modify_refuses_what_it_does_not_know),
        TEST(takes_its_endpoints_along),
        TEST(what_happens_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
