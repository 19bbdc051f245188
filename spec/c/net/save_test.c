/* SPDX-License-Identifier: MIT
 * What is written down of a net, and the net that is made of it: the same for
 * all that a client can see. */
#include "world.h"

#define MOST 32

/* What there is of each object, as it lies on a disk. */
struct shelf {
    enum net_kind kinds[MOST];
    char *texts[MOST];
    size_t count;
};

static void put_away(struct shelf *shelf, enum net_kind kind, char *text) {
    assert_true(shelf->count < MOST);
    shelf->kinds[shelf->count] = kind;
    shelf->texts[shelf->count++] = text;
}

static void shelf_free(struct shelf *shelf) {
    for (size_t i = 0; i < shelf->count; i++)
        free(shelf->texts[i]);
    shelf->count = 0;
}

static void save_one(struct world *w, struct shelf *shelf, enum net_kind kind,
                     const struct guid *id, bool held) {
    struct buf text = {0};
    HRESULT hr =
        net_save(w->net, kind, id, held ? NET_SAVE_HELD : 0, &text, NULL);

    if (hr == S_OK) {
        put_away(shelf, kind, buf_take(&text));
        return;
    }
    assert_hr(hr, S_FALSE);
    assert_null(text.data);
}

/* What was made or changed. */
static void save_changed(struct world *w, struct shelf *shelf, bool held) {
    enum net_kind kind;
    struct guid id;

    while (net_next_changed(w->net, &kind, &id))
        save_one(w, shelf, kind, &id, held);
}

static void each(struct world *w, enum net_kind kind,
                 void (*visit)(struct world *w, enum net_kind kind,
                               const struct guid *id, void *context),
                 void *context) {
    char ids[1024], *id = ids;

    snprintf(ids, sizeof ids, "%s", found(w, kind, NULL));
    while (*id) {
        size_t length = strcspn(id, " ");
        bool more = id[length] != '\0';
        struct guid of;

        id[length] = '\0';
        of = guid(id);
        visit(w, kind, &of, context);
        id += length + more;
    }
}

static void save_visited(struct world *w, enum net_kind kind,
                         const struct guid *id, void *context) {
    save_one(w, context, kind, id, false);
}

static void save_all(struct world *w, struct shelf *shelf) {
    for (int kind = 0; kind < NET_KIND_COUNT; kind++)
        each(w, (enum net_kind)kind, save_visited, shelf);
}

static HRESULT restore_one(struct world *w, enum net_kind kind,
                           const char *text) {
    struct hcs_error error = {.text = ""};
    struct json_doc doc;
    HRESULT hr = json_parse(text, strlen(text), &doc, &error);

    if (FAILED(hr))
        return hr;
    hr = net_restore(w->net, kind, doc.root, &error);
    if (FAILED(hr) && hr != E_OUTOFMEMORY && hr != HR_INVALID_DATA)
        print_error("%08x %s %s\n", (unsigned)hr, error.path, error.text);
    json_doc_free(&doc);
    return hr;
}

static uint64_t order_of(const char *text) {
    struct json_doc doc;
    uint64_t order;

    assert_hr(json_parse(text, strlen(text), &doc, NULL), S_OK);
    order = net_saved_order(doc.root);
    json_doc_free(&doc);
    return order;
}

static void sort(struct shelf *shelf) {
    for (size_t i = 1; i < shelf->count; i++) {
        for (size_t k = i; k > 0; k--) {
            char *text = shelf->texts[k];
            enum net_kind kind = shelf->kinds[k];

            if (order_of(shelf->texts[k - 1]) <= order_of(text))
                break;
            shelf->texts[k] = shelf->texts[k - 1];
            shelf->kinds[k] = shelf->kinds[k - 1];
            shelf->texts[k - 1] = text;
            shelf->kinds[k - 1] = kind;
        }
    }
}

static void restore_all(struct world *w, struct shelf *shelf) {
    static const enum net_kind order[] = {NET_NETWORK, NET_ENDPOINT,
                                          NET_NAMESPACE};
    sort(shelf);
    for (size_t k = 0; k < HCS_COUNT(order); k++)
        for (size_t i = 0; i < shelf->count; i++)
            if (shelf->kinds[i] == order[k])
                assert_hr(restore_one(w, order[k], shelf->texts[i]), S_OK);
}

/* The device of a port is the plane's. */
static void hide_devices(char *text) {
    for (char *c = text; (c = strstr(c, "\"Device\":\""));) {
        c += strlen("\"Device\":\"");
        for (char *d = c; *d != '"'; d++)
            *d = '-';
    }
}

static void draw(struct world *w, enum net_kind kind, const struct guid *id,
                 void *context) {
    static const char *const forms[] = {"{" V2 ",'Flags':1}", NULL};

    for (size_t i = 0; i < HCS_COUNT(forms); i++) {
        ask(w, S_OK, NET_QUERY, kind, id, forms[i]);
        buf_printf(context, "%s\n", w->reply.document);
    }
}

/* All that can be seen, in both forms. */
static char *picture(struct world *w) {
    struct buf all = {0};
    char *text;

    for (int kind = 0; kind < NET_KIND_COUNT; kind++)
        each(w, (enum net_kind)kind, draw, &all);
    text = buf_take(&all);
    assert_non_null(text);
    hide_devices(text);
    return text;
}

static void forget_changes(struct world *w) {
    enum net_kind kind;
    struct guid id;

    while (net_next_changed(w->net, &kind, &id))
        continue;
    assert_false(net_next_changed(w->net, &kind, &id));
}

static void comes_back(struct world *w) {
    struct shelf shelf = {.count = 0};
    char *before = picture(w), *after;
    enum net_kind kind;
    struct guid id;
    size_t events;

    save_all(w, &shelf);
    world_restart(w);
    forget_changes(w);
    events = w->event_count;
    restore_all(w, &shelf);
    assert_int_equal(w->event_count, events);
    assert_false(net_next_changed(w->net, &kind, &id));
    after = picture(w);
    assert_string_equal(after, before);
    free(before);
    free(after);
    shelf_free(&shelf);
}

/* --- what comes back ----------------------------------------------- */

#define POLICY(type, settings) "{'Type':'" type "','Settings':{" settings "}}"

static void put(struct world *w, const struct guid *space,
                const struct guid *endpoint) {
    char text[256], id[GUID_TEXT_SIZE];

    guid_format(endpoint, id);
    snprintf(text, sizeof text,
             "{'ResourceType':'Endpoint','RequestType':'Add','Settings':{"
             "'EndpointId':'%s'}}",
             id);
    modify(w, S_OK, NET_NAMESPACE, space, text);
}

static void nothing_but_the_host(void **state) {
    comes_back(*state);
}

static void networks(void **state) {
    struct world *w = *state;
    struct guid id;

    make_nat(w);
    make(w, NET_NETWORK, NULL, "{'Name':'chosen'}");
    make(w, NET_NETWORK, NULL, "{'Name':'p','Type':'Private'}");
    id = make(w, NET_NETWORK, NULL,
              "{'Name':'quote \\' and\\nline','Type':'ICS','Owner':'me',"
              "'Flags':33,'Dns':{'Domain':'d.test','Search':['a','b'],"
              "'ServerList':['1.1.1.1'],'Options':['x']},"
              "'MacPool':{'Ranges':[{'StartMacAddress':'00-15-5D-01-00-00',"
              "'EndMacAddress':'00-15-5D-01-00-0F'}]}," V2 "}");
    modify(w, S_OK, NET_NETWORK, &id,
           "{'ResourceType':'Policy','RequestType':'Add','Settings':{"
           "'Policies':[{'Type':'SetPolicy','Settings':{'Id':'set',"
           "'PolicyType':'IPSET','Values':'10.0.0.2'}}]}}");
    make(w, NET_NETWORK, NULL,
         "{'Type':'Overlay','Name':'o','Ipams':[{'Subnets':[{'IpAddressPrefix':"
         "'10.9.0.0/24','Policies':[{'Type':'VSID','Settings':{'IsolationId':"
         "5000}}]}]}],'Policies':[" POLICY(
             "RemoteSubnetRoute",
             "'DestinationPrefix':'10.9.1.0/24','IsolationId':5000,"
             "'ProviderAddress':'192.0.2.9','DistributedRouterMacAddress':"
             "'00-15-5D-00-00-09'") "]," V2 "}");
    make(w, NET_NETWORK, NULL, "{'Type':'Transparent','Name':'t'}");
    comes_back(w);
    comes_back(w);
}

/* What was taken out of a document is not put back by its defaults. */
static void nothing_is_added(void **state) {
    struct world *w = *state;
    struct guid net = make(w, NET_NETWORK, NULL, "{'Type':'Private'}");
    struct guid nat = make_nat(w);
    struct guid overlay =
        make(w, NET_NETWORK, NULL,
             "{'Type':'Overlay','Ipams':[{'Subnets':[{'IpAddressPrefix':"
             "'10.9.0.0/24','Policies':[{'Type':'VSID','Settings':{"
             "'IsolationId':5000}}]}]}]," V2 "}");
    struct guid plain;

    make(w, NET_ENDPOINT, &net, "{}"); /* it gets no address */
    modify(w, S_OK, NET_NETWORK, &net,
           "{'ResourceType':'Subnet','RequestType':'Add','Settings':{'Subnets':"
           "[{'IpAddressPrefix':'10.1.0.0/24','Routes':[{'NextHop':'10.1.0.1',"
           "'DestinationPrefix':'0.0.0.0/0'}]}]}}");
    modify(w, S_OK, NET_NETWORK, &nat,
           "{'ResourceType':'Subnet','RequestType':'Remove','Settings':{"
           "'Subnets':[{'IpAddressPrefix':'192.168.100.0/24'}]}}");
    plain = make(w, NET_ENDPOINT, &overlay, "{}");
    modify(w, S_OK, NET_ENDPOINT, &plain,
           "{'ResourceType':'Policy','RequestType':'Update','Settings':{"
           "'Policies':[]}}");
    comes_back(w);
}

static void endpoints(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid a, b;

    a = make(w, NET_ENDPOINT, &net,
             "{'Name':'a','Owner':'o','Flags':40,'Dns':{'Domain':'x'},"
             "'Policies':[" POLICY(
                 "PortMapping",
                 "'Protocol':6,'InternalPort':80,"
                 "'ExternalPort':0") "," POLICY("ACL",
                                                "'Action':'Block','Direction'"
                                                ":'In','Priority':5") "]," V2
                                                                      "}");
    b = make(w, NET_ENDPOINT, &net, "{'MacAddress':'02-00-00-00-00-07'}");
    make(w, NET_ENDPOINT, &net,
         "{'IpConfigurations':[{'IpAddress':'192.168.100.77'}]}");
    erase(w, NET_ENDPOINT, &b); /* the total stays */
    ask(w, S_OK, NET_ATTACH, NET_ENDPOINT, &a,
        "{'VirtualMachineId':'bbbbbbbb-0000-4000-8000-000000000001',"
        "'VirtualNicName':'m--1'}");
    b = make(w, NET_ENDPOINT, &net, "{}");
    ask(w, S_OK, NET_ATTACH, NET_ENDPOINT, &b, "{}");
    ask(w, S_OK, NET_DETACH, NET_ENDPOINT, &b, NULL);
    comes_back(w);
    comes_back(w);
}

static void namespaces(void **state) {
    struct world *w = *state;
    struct guid host = guid(found(w, NET_NAMESPACE, NULL));
    struct guid net = make_nat(w), a, b, c, d, space, guest;

    space = make(w, NET_NAMESPACE, NULL,
                 "{'CreateWithCompartment':true,'Owner':'o'," V2 "}");
    make(w, NET_NAMESPACE, NULL, "{'NamespaceId':9," V2 "}");
    guest = make(w, NET_NAMESPACE, NULL, "{'Type':'Guest'," V2 "}");
    a = make(w, NET_ENDPOINT, &net, "{}");
    b = make(w, NET_ENDPOINT, &net, "{}");
    c = make(w, NET_ENDPOINT, &net, "{}");
    d = make(w, NET_ENDPOINT, &net, "{}");
    put(w, &space, &b); /* not in the order that they were made in */
    put(w, &space, &a);
    put(w, &host, &c);
    put(w, &guest, &d);
    modify(w, S_OK, NET_NAMESPACE, &space,
           "{'ResourceType':'Container','RequestType':'Add','Settings':{"
           "'ContainerId':'box'}}");
    comes_back(w);
    comes_back(w);
}

/* --- what is held -------------------------------------------------- */

#define MACHINE "bbbbbbbb-0000-4000-8000-000000000001"
#define ATTACH "{'VirtualMachineId':'" MACHINE "','VirtualNicName':'m--1'}"

static void a_held_port_comes_back_with_its_machine(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w), port, again, other;
    struct guid a = make(w, NET_ENDPOINT, &net, "{}");
    struct shelf shelf = {.count = 0};
    struct json_doc doc;

    ask(w, S_OK, NET_ATTACH, NET_ENDPOINT, &a, ATTACH);
    assert_true(net_machine_port(w->net, &a, &port));
    save_changed(w, &shelf, true);
    for (int i = 0; i < 2; i++) { /* also when it dies twice */
        world_restart(w);
        restore_all(w, &shelf);
        assert_false(net_machine_port(w->net, &a, &again));
        doc = v2(w, NET_ENDPOINT, &a);
        assert_string_equal(text_at(&doc, "State"), "4");
        json_doc_free(&doc);
        modify(w, S_OK, NET_ENDPOINT, &a,
               "{'ResourceType':'Policy','RequestType':'Add','Settings':{"
               "'Policies':[{'Type':'PortName','Settings':{'Name':'p'}}]}}");
        shelf_free(&shelf);
        modify(w, S_OK, NET_ENDPOINT, &a,
               "{'ResourceType':'Policy','RequestType':'Update','Settings':{"
               "'Policies':[]}}");
        save_changed(w, &shelf, true);
        save_one(w, &shelf, NET_NETWORK, &net, false);
    }
    ask(w, S_OK, NET_ATTACH, NET_ENDPOINT, &a, ATTACH);
    assert_true(net_machine_port(w->net, &a, &again));
    assert_memory_equal(&again, &port, sizeof port);
    ask(w, S_OK, NET_DETACH, NET_ENDPOINT, &a, NULL);
    ask(w, S_OK, NET_ATTACH, NET_ENDPOINT, &a, ATTACH);
    assert_true(net_machine_port(w->net, &a, &other));
    assert_memory_not_equal(&other, &port, sizeof port);
    shelf_free(&shelf);
}

static void not_another_machine_s(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w), port, other;
    struct guid a = make(w, NET_ENDPOINT, &net, "{}");
    struct shelf shelf = {.count = 0};

    ask(w, S_OK, NET_ATTACH, NET_ENDPOINT, &a, ATTACH);
    assert_true(net_machine_port(w->net, &a, &port));
    save_changed(w, &shelf, true);
    world_restart(w);
    restore_all(w, &shelf);
    ask(w, S_OK, NET_ATTACH, NET_ENDPOINT, &a,
        "{'VirtualMachineId':'bbbbbbbb-0000-4000-8000-000000000002'}");
    assert_true(net_machine_port(w->net, &a, &other));
    assert_memory_not_equal(&other, &port, sizeof port);
    shelf_free(&shelf);
}

static void some_networks_do_not_last(void **state) {
    struct world *w = *state;
    struct guid lasting = make_nat(w);
    struct guid fleeting =
        make(w, NET_NETWORK, NULL, "{'Name':'f','Flags':8," V2 "}");
    struct shelf shelf = {.count = 0};
    size_t events;

    make(w, NET_ENDPOINT, &fleeting, "{}");
    make(w, NET_ENDPOINT, &lasting, "{}");
    save_changed(w, &shelf, false);
    assert_int_equal(shelf.count, 2);
    events = w->event_count;
    net_drop_transient(w->net);
    assert_int_equal(w->event_count, events);
    assert_int_equal(net_count(w->net, NET_NETWORK), 1);
    assert_int_equal(net_count(w->net, NET_ENDPOINT), 1);
    ask(w, HCN_E_NETWORK_NOT_FOUND, NET_OPEN, NET_NETWORK, &fleeting, NULL);
    make(w, NET_NETWORK, NULL, "{'Name':'f'}");
    shelf_free(&shelf);
}

static void what_goes_is_told(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w), space;

    make(w, NET_ENDPOINT, &net, "{}");
    make(w, NET_ENDPOINT, &net, "{}");
    space = make(w, NET_NAMESPACE, NULL, "{}");
    refuse(w, HCN_E_NETWORK_ALREADY_EXISTS, NET_NETWORK, NULL,
           "{'Name':'nat'}");
    assert_int_equal(w->gone[NET_NETWORK], 0);
    erase(w, NET_NETWORK, &net);
    erase(w, NET_NAMESPACE, &space);
    assert_int_equal(w->gone[NET_NETWORK], 1);
    assert_int_equal(w->gone[NET_ENDPOINT], 2);
    assert_int_equal(w->gone[NET_NAMESPACE], 1);
}

/* --- what is no such text ------------------------------------------ */

static void add_all(struct world *w, struct shelf *shelf) {
    struct guid net = make_nat(w), space, a;

    space = make(w, NET_NAMESPACE, NULL, "{}");
    a = make(w, NET_ENDPOINT, &net, "{}");
    put(w, &space, &a);
    ask(w, S_OK, NET_ATTACH, NET_ENDPOINT,
        (a = make(w, NET_ENDPOINT, &net, "{}"), &a), ATTACH);
    save_changed(w, shelf, false);
}

/* Each with every member taken out or of another type, and cut short. */
static void damaged_texts_are_refused(void **state) {
    struct world *w = *state;
    struct shelf shelf = {.count = 0};
    struct sim_plane_counts counts;

    add_all(w, &shelf);
    for (size_t i = 0; i < shelf.count; i++) {
        size_t length = strlen(shelf.texts[i]);

        for (size_t at = 0; at < length; at++) {
            char *copy = quoted(shelf.texts[i]);

            copy[at] = copy[at] == '"' ? 'X' : '"';
            world_restart(w);
            sort(&shelf);
            for (size_t k = 0; k < shelf.count; k++)
                if (k != i && shelf.kinds[k] == NET_NETWORK)
                    restore_one(w, NET_NETWORK, shelf.texts[k]);
            restore_one(w, shelf.kinds[i], copy); /* whatever it says */
            free(copy);
        }
    }
    world_restart(w);
    assert_hr(restore_one(w, NET_NETWORK, "{}"), HR_INVALID_DATA);
    assert_hr(restore_one(w, NET_NETWORK, "[]"), HR_INVALID_DATA);
    assert_hr(restore_one(w, NET_NETWORK, "{'Properties':{}}"),
              HR_INVALID_DATA);
    assert_hr(restore_one(w, NET_NAMESPACE,
                          "{\"Properties\":{\"ID\":\"" MACHINE
                          "\"},\"Kept\":{}}"),
              HR_INVALID_DATA);
    assert_int_equal(net_count(w->net, NET_NAMESPACE), 1);
    sim_plane_count(w->plane, &counts);
    assert_int_equal(counts.networks, 0);
    assert_int_equal(counts.namespaces, 0);
    shelf_free(&shelf);
}

/* Twice the same, an endpoint without its network, a namespace whose members
 * are gone. */
static void what_does_not_fit(void **state) {
    struct world *w = *state;
    struct shelf shelf = {.count = 0};

    add_all(w, &shelf);
    world_restart(w);
    sort(&shelf);
    for (size_t i = 0; i < shelf.count; i++)
        if (shelf.kinds[i] == NET_NAMESPACE)
            assert_hr(restore_one(w, NET_NAMESPACE, shelf.texts[i]), S_OK);
    assert_int_equal(net_count(w->net, NET_NAMESPACE), 2);
    for (size_t i = 0; i < shelf.count; i++) {
        if (shelf.kinds[i] == NET_ENDPOINT)
            assert_hr(restore_one(w, NET_ENDPOINT, shelf.texts[i]),
                      HCN_E_NETWORK_NOT_FOUND);
    }
    for (size_t i = 0; i < shelf.count; i++) {
        if (shelf.kinds[i] != NET_NETWORK)
            continue;
        assert_hr(restore_one(w, NET_NETWORK, shelf.texts[i]), S_OK);
        assert_hr(restore_one(w, NET_NETWORK, shelf.texts[i]),
                  HCN_E_NETWORK_ALREADY_EXISTS);
    }
    shelf_free(&shelf);
}

/* Saving and restoring fail cleanly, and then work. */
static void out_of_memory(void **state) {
    struct world *w = *state;
    struct shelf shelf = {.count = 0};

    add_all(w, &shelf);
    world_restart(w);
    sort(&shelf);
    for (int pass = 0; pass < NET_KIND_COUNT; pass++) {
        for (size_t i = 0; i < shelf.count; i++) {
            HRESULT hr = E_OUTOFMEMORY;

            if ((int)shelf.kinds[i] != pass)
                continue;
            for (size_t n = 1; hr == E_OUTOFMEMORY && n < 2000; n++) {
                faults_fail_from(n);
                hr = restore_one(w, shelf.kinds[i], shelf.texts[i]);
                faults_fail_from(0);
            }
            assert_hr(hr, S_OK);
        }
    }
    for (size_t n = 1; n < 2000; n++) {
        struct buf text = {0};
        struct guid net = guid(found(w, NET_NETWORK, NULL));
        HRESULT hr;

        faults_fail_from(n);
        hr = net_save(w->net, NET_NETWORK, &net, 0, &text, NULL);
        faults_fail_from(0);
        buf_free(&text);
        if (SUCCEEDED(hr))
            break;
        assert_hr(hr, E_OUTOFMEMORY);
    }
    shelf_free(&shelf);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(nothing_but_the_host),
        TEST(networks),
        TEST(nothing_is_added),
        TEST(endpoints),
        TEST(namespaces),
        TEST(a_held_port_comes_back_with_its_machine),
        TEST(not_another_machine_s),
        TEST(some_networks_do_not_last),
        TEST(what_goes_is_told),
        TEST(damaged_texts_are_refused),
        TEST(what_does_not_fit),
        TEST(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
