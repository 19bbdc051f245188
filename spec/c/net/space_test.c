/* SPDX-License-Identifier: MIT
 * Namespaces: the host's own, those of hosts and guests, and what is in them.
 */
#include "world.h"

static void put(struct world *w, HRESULT hr, const struct guid *space,
                const char *request, const struct guid *endpoint) {
    char text[256], id[GUID_TEXT_SIZE];
    guid_format(endpoint, id);
    snprintf(text, sizeof text,
             "{'ResourceType':'Endpoint','RequestType':'%s','Settings':{"
             "'EndpointId':'%s'}}",
             request, id);
    modify(w, hr, NET_NAMESPACE, space, text);
}

static void every_host_has_one(void **state) {
    struct world *w = *state;
    struct guid id = guid(found(w, NET_NAMESPACE, NULL));
    struct json_doc doc = v1(w, NET_NAMESPACE, &id);

    assert_true(json_is_true(at(&doc, "IsDefault")));
    assert_string_equal(text_at(&doc, "CompartmentId"), "1");
    json_doc_free(&doc);
    doc = v2(w, NET_NAMESPACE, &id);
    assert_string_equal(text_at(&doc, "Type"), "HostDefault");
    assert_string_equal(text_at(&doc, "NamespaceId"), "1");
    json_doc_free(&doc);
    ask(w, HCN_E_ENTITY_HAS_REFERENCES, NET_DELETE, NET_NAMESPACE, &id, NULL);
    assert_int_equal(strlen(found(w, NET_NAMESPACE,
                                  "{'Filter':'{\\\"IsDefault\\\":true}'}")),
                     36);
}

static uint64_t one(void *context) {
    (void)context;
    return 1;
}

/* A host that comes back has the id that it had. */
static void its_id_may_be_given(void **state) {
    struct net_env env = {.ops = sim_plane_ops(), .random = one};
    struct world w = {0};
    (void)state;

    env.host_namespace = guid("aaaaaaaa-0000-4000-8000-000000000001");
    assert_hr(sim_plane_open(&env.plane, NULL), S_OK);
    assert_hr(net_open(&env, &w.net, NULL), S_OK);
    assert_string_equal(found(&w, NET_NAMESPACE, NULL),
                        "aaaaaaaa-0000-4000-8000-000000000001");
    net_reply_free(&w.reply);
    net_close(w.net);
    sim_plane_ops()->destroy(env.plane);
}

static void all_types_are_there(void **state) {
    static const char *const types[] = {"Host", "HostDefault", "Guest",
                                        "GuestDefault"};
    struct world *w = *state;
    char text[128];

    for (size_t i = 0; i < 8; i++) { /* several at once, too */
        snprintf(text, sizeof text,
                 "{'NamespaceId':5,'Type':'%s','SchemaVersion':{'Major':2}}",
                 types[i % 4]);
        struct guid id = make(w, NET_NAMESPACE, NULL, text);
        struct json_doc doc = v2(w, NET_NAMESPACE, &id);
        assert_string_equal(text_at(&doc, "Type"), i % 4 ? types[i % 4] : "");
        assert_string_equal(text_at(&doc, "NamespaceId"), "5");
        json_doc_free(&doc);
    }
    make(w, NET_NAMESPACE, NULL, "{'SchemaVersion':{'Major':0,'Minor':0}}");
    refuse(w, E_INVALIDARG, NET_NAMESPACE, NULL, "{'Type':'Ghost'}");
    refuse(w, HCN_E_INVALID_JSON, NET_NAMESPACE, NULL, "{'NamespaceId':'5'}");
    refuse(w, HR_ALREADY_EXISTS, NET_NAMESPACE, NULL,
           (make(w, NET_NAMESPACE, NULL,
                 "{'ID':'aaaaaaaa-0000-4000-8000-000000000001'}"),
            "{'ID':'AAAAAAAA-0000-4000-8000-000000000001'}"));
}

static void endpoints_come_and_go(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(w, NET_ENDPOINT, &net, "{}");
    struct guid space = make(w, NET_NAMESPACE, NULL, "{" V2 "}");
    struct guid other = make(w, NET_NAMESPACE, NULL, "{" V2 "}");
    struct guid nobody = guid("11111111-2222-4333-8444-555555555555");
    char text[GUID_TEXT_SIZE];
    struct json_doc doc = v2(w, NET_NAMESPACE, &space);

    assert_null(at(&doc, "NamespaceId")); /* no compartment yet */
    json_doc_free(&doc);
    put(w, S_OK, &space, "Add", &id);
    doc = v2(w, NET_NAMESPACE, &space);
    guid_format(&id, text);
    assert_string_equal(text_at(&doc, "Resources.0.Type"), "Endpoint");
    assert_string_equal(text_at(&doc, "Resources.0.Data.Id"), text);
    assert_string_equal(text_at(&doc, "NamespaceId"), "2");
    json_doc_free(&doc);
    doc = v2(w, NET_ENDPOINT, &id);
    guid_format(&space, text);
    assert_string_equal(text_at(&doc, "HostComputeNamespace"), text);
    assert_string_equal(text_at(&doc, "State"), "2");
    json_doc_free(&doc);
    doc = v1(w, NET_ENDPOINT, &id);
    assert_string_equal(text_at(&doc, "Namespace.ID"), text);
    json_doc_free(&doc);
    put(w, HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS, &other, "Add", &id);
    put(w, HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS, &space, "Add", &id);
    put(w, HR_NOT_FOUND, &other, "Remove", &id);
    put(w, HCN_E_ENDPOINT_NOT_FOUND, &space, "Add", &nobody);
    ask(w, HCN_E_ENDPOINT_ALREADY_ATTACHED, NET_ATTACH, NET_ENDPOINT, &id,
        "{}");
    ask(w, HCN_E_ENDPOINT_NOT_ATTACHED, NET_DETACH, NET_ENDPOINT, &id, NULL);
    put(w, S_OK, &space, "Remove", &id);
    doc = v2(w, NET_ENDPOINT, &id);
    assert_null(at(&doc, "HostComputeNamespace"));
    assert_string_equal(text_at(&doc, "State"), "4");
    json_doc_free(&doc);
    put(w, S_OK, &other, "Add", &id);
    doc = v2(w, NET_NAMESPACE, &other);
    assert_string_equal(text_at(&doc, "NamespaceId"), "3");
    json_doc_free(&doc);
    erase(w, NET_NAMESPACE, &other); /* lets go of what is in it */
    doc = v2(w, NET_ENDPOINT, &id);
    assert_null(at(&doc, "HostComputeNamespace"));
    json_doc_free(&doc);
    modify(w, HCN_E_INVALID_JSON_REFERENCE, NET_NAMESPACE, &space,
           "{'ResourceType':'Endpoint','RequestType':'Add','Settings':{}}");
    modify(w, HCN_E_REQUEST_UNSUPPORTED, NET_NAMESPACE, &space,
           "{'ResourceType':'Endpoint','RequestType':'Update'}");
}

/* A guest's namespace is a record: its endpoint still goes to the machine. */
static void guests_attach_by_their_machine(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(w, NET_ENDPOINT, &net, "{}");
    struct guid space = make(w, NET_NAMESPACE, NULL, "{'Type':'Guest'}");
    struct sim_plane_counts counts;

    put(w, S_OK, &space, "Add", &id);
    sim_plane_count(w->plane, &counts);
    assert_int_equal(counts.namespaces, 0);
    assert_int_equal(counts.ports, 0);
    ask(w, S_OK, NET_ATTACH, NET_ENDPOINT, &id, "{}");
    put(w, S_OK, &space, "Remove", &id);
    sim_plane_count(w->plane, &counts);
    assert_int_equal(counts.ports, 1);
    space = make(w, NET_NAMESPACE, NULL, "{" V2 "}");
    put(w, HCN_E_ENDPOINT_ALREADY_ATTACHED, &space, "Add", &id);
}

static void what_fails_below_has_a_code(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id = make(w, NET_ENDPOINT, &net, "{}");
    struct guid space = make(w, NET_NAMESPACE, NULL, "{" V2 "}");
    struct json_doc doc;

    sim_plane_fail(w->plane, 1, HR_TIMEOUT);
    put(w, HCN_E_NAMESPACE_ATTACH_FAILED, &space, "Add", &id);
    sim_plane_fail(w->plane, 2, HR_TIMEOUT);
    put(w, HCN_E_NAMESPACE_ATTACH_FAILED, &space, "Add", &id);
    doc = v2(w, NET_ENDPOINT, &id);
    assert_string_equal(text_at(&doc, "State"), "1");
    json_doc_free(&doc);
    put(w, S_OK, &space, "Add", &id);
    sim_plane_fail(w->plane, 1, HR_TIMEOUT);
    refuse(w, HR_TIMEOUT, NET_NAMESPACE, NULL,
           "{'CreateWithCompartment':true}");
    sim_plane_fail(w->plane, 0, S_OK);
    space = make(w, NET_NAMESPACE, NULL, "{'CreateWithCompartment':true}");
    doc = v2(w, NET_NAMESPACE, &space);
    assert_string_equal(text_at(&doc, "NamespaceId"), "3");
    json_doc_free(&doc);
}

#define CONTAINER(request, id)                            \
    "{'ResourceType':'Container','RequestType':'" request \
    "','Settings':{'ContainerId':'" id "'}}"

static void containers_are_kept(void **state) {
    struct world *w = *state;
    struct guid space = make(w, NET_NAMESPACE, NULL, "{" V2 "}");
    struct json_doc doc;

    modify(w, S_OK, NET_NAMESPACE, &space, CONTAINER("Add", "a"));
    modify(w, S_OK, NET_NAMESPACE, &space, CONTAINER("Add", "b \\\"x\\\""));
    modify(w, HR_ALREADY_EXISTS, NET_NAMESPACE, &space, CONTAINER("Add", "A"));
    modify(w, HCN_E_INVALID_JSON_REFERENCE, NET_NAMESPACE, &space,
           CONTAINER("Add", ""));
    modify(w, HR_NOT_FOUND, NET_NAMESPACE, &space, CONTAINER("Remove", "c"));
    modify(w, S_OK, NET_NAMESPACE, &space, CONTAINER("Remove", "a"));
    doc = v2(w, NET_NAMESPACE, &space);
    assert_int_equal(at(&doc, "Resources")->as.array.count, 1);
    assert_string_equal(text_at(&doc, "Resources.0.Type"), "Container");
    assert_string_equal(text_at(&doc, "Resources.0.Data.Id"), "b \"x\"");
    json_doc_free(&doc);
}

static void what_happens_is_told(void **state) {
    struct world *w = *state;
    struct guid space = make(w, NET_NAMESPACE, NULL, "{" V2 "}");

    erase(w, NET_NAMESPACE, &space);
    assert_int_equal(w->event_count, 2);
    assert_int_equal(w->events[0].type, NET_EVENT_NAMESPACE_CREATE);
    assert_int_equal(w->events[1].type, NET_EVENT_NAMESPACE_DELETE);
    assert_memory_equal(&w->events[1].id, &space, sizeof space);
}

int main(void) {
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(every_host_has_one),
        cmocka_unit_test(its_id_may_be_given),
        TEST(all_types_are_there),
        TEST(endpoints_come_and_go),
        TEST(guests_attach_by_their_machine),
        TEST(what_fails_below_has_a_code),
        TEST(containers_are_kept),
        TEST(what_happens_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
