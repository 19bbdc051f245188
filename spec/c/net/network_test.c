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
    assert_memory_equal(&(struct guid){{0}}, &(struct guid){{0}}, 16);
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

int main(void) {
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(is_made_and_queried),
        TEST(older_form_is_a_view_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
