/* SPDX-License-Identifier: MIT
 * Queries and filters, deep documents, and the JSON forms of requests. */
#include "world.h"

static void nothing_is_an_empty_list(void **state) {
    struct world *w = *state;

    ask(w, S_OK, NET_ENUMERATE, NET_NETWORK, NULL, NULL);
    assert_string_equal(w->reply.document, "[]");
    ask(w, S_OK, NET_ENUMERATE, NET_ENDPOINT, NULL, "");
    assert_string_equal(w->reply.document, "[]");
}

#define FILTER(members) "{" V2 ",'Filter':'{" members "}'}"
#define M(name, value) "\\\"" name "\\\":\\\"" value "\\\""

static void filters_choose(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid other = make(w, NET_NETWORK, NULL,
                             "{'Name':'Other','Type':'Private',"
                             "'Flags':8}");
    char query[256], id[GUID_TEXT_SIZE];

    make(w, NET_ENDPOINT, &net, "{'Name':'a'}");
    make(w, NET_ENDPOINT, &net, "{'Name':'b'}");
    make(w, NET_ENDPOINT, &other, "{'Name':'a'}");
    assert_int_equal(strlen(found(w, NET_NETWORK, NULL)), 73);
    assert_int_equal(strlen(found(w, NET_NETWORK, FILTER(M("name", "OTHER")))),
                     36);
    assert_string_equal(found(w, NET_NETWORK, FILTER(M("Name", "x"))), "");
    assert_int_equal(strlen(found(w, NET_NETWORK, FILTER("\\\"Flags\\\":8"))),
                     36);
    assert_string_equal(found(w, NET_NETWORK, FILTER("\\\"Flags\\\":9")), "");
    assert_string_equal(found(w, NET_NETWORK, FILTER(M("Nonsense", "x"))), "");
    assert_int_equal(strlen(found(w, NET_NETWORK, FILTER(""))), 73);
    assert_int_equal(strlen(found(w, NET_ENDPOINT, FILTER(M("Name", "a")))),
                     73);
    guid_format(&net, id);
    snprintf(query, sizeof query, FILTER(M("VirtualNetwork", "%s")), id);
    assert_int_equal(strlen(found(w, NET_ENDPOINT, query)), 73);
    snprintf(query, sizeof query,
             FILTER(M("VirtualNetwork", "%s") "," M("Name", "b")), id);
    assert_int_equal(strlen(found(w, NET_ENDPOINT, query)), 36);
    /* nested members cannot be asked for */
    assert_string_equal(found(w, NET_NETWORK, FILTER("\\\"Subnets\\\":[]")),
                        "");
    /* an id is found in either case, and only with the rest */
    snprintf(query, sizeof query, FILTER(M("ID", "%s")), id);
    assert_int_equal(strlen(found(w, NET_NETWORK, query)), 36);
    snprintf(query, sizeof query, FILTER(M("ID", "%s") "," M("Name", "x")), id);
    assert_string_equal(found(w, NET_NETWORK, query), "");
    assert_string_equal(found(w, NET_NETWORK, FILTER(M("ID", "x"))), "");
    /* what is no query says nothing */
    assert_int_equal(strlen(found(w, NET_NETWORK, "{'Name':'Other'}")), 73);
}

static void bad_queries_are_refused(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);

    ask(w, HCN_E_INVALID_JSON, NET_ENUMERATE, NET_NETWORK, NULL, "x");
    ask(w, HCN_E_INVALID_JSON, NET_ENUMERATE, NET_NETWORK, NULL,
        "{'Filter':'x'}");
    ask(w, HCN_E_INVALID_JSON, NET_ENUMERATE, NET_NETWORK, NULL,
        "{'Filter':{'a':1}}");
    ask(w, HCN_E_INVALID_JSON, NET_QUERY, NET_NETWORK, &net, "{'Flags':'x'}");
    ask(w, HCN_E_INVALID_JSON, NET_QUERY, NET_NETWORK, &net,
        "{'SchemaVersion':2}");
}

/* A query of properties passes over the filter; its flags ask for details. */
static void properties_have_two_forms(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);

    ask(w, S_OK, NET_QUERY, NET_NETWORK, &net, FILTER(M("Name", "x")));
    assert_non_null(strstr(w->reply.document, "\"Ipams\""));
    assert_null(strstr(w->reply.document, "Resources"));
    ask(w, S_OK, NET_QUERY, NET_NETWORK, &net, "{" V2 ",'Flags':1}");
    assert_non_null(strstr(w->reply.document, "Resources"));
    ask(w, S_OK, NET_QUERY, NET_NETWORK, &net,
        "{'SchemaVersion':{'Major':1,'Minor':0}}");
    assert_non_null(strstr(w->reply.document, "\"Subnets\""));
    ask(w, S_OK, NET_QUERY, NET_NETWORK, &net, "{'Flags':0}");
    assert_non_null(strstr(w->reply.document, "\"Subnets\""));
}

/* `depth` arrays inside each other as the member of an object. */
static char *deep(const char *begin, size_t depth, const char *end) {
    struct buf text = {0};
    buf_puts(&text, begin);
    for (size_t i = 0; i < depth; i++)
        buf_putc(&text, '[');
    for (size_t i = 0; i < depth; i++)
        buf_putc(&text, ']');
    buf_puts(&text, end);
    return buf_take(&text);
}

static void deep_documents_are_refused(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);
    struct guid id;
    static const size_t depths[] = {70, 120, 130, 5000};
    char *text;

    for (size_t i = 0; i < 4; i++) {
        text = deep("{'x':", depths[i], "}");
        refuse(w, HCN_E_INVALID_JSON, NET_NETWORK, NULL, text);
        ask(w, HCN_E_INVALID_JSON, NET_QUERY, NET_NETWORK, &net, text);
        free(text);
    }
    /* what is taken can be read again in both forms */
    text = deep("{'Policies':[{'Type':'Iov','x':", 60, "}]}");
    id = make(w, NET_ENDPOINT, &net, text);
    free(text);
    struct json_doc doc = v1(w, NET_ENDPOINT, &id);
    json_doc_free(&doc);
    doc = v2(w, NET_ENDPOINT, &id);
    json_doc_free(&doc);
}

static void verbs_and_kinds_are_checked(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);

    ask(w, E_INVALIDARG, (enum net_verb)99, NET_NETWORK, &net, NULL);
    ask(w, E_INVALIDARG, NET_OPEN, (enum net_kind)99, &net, NULL);
    ask(w, E_INVALIDARG, NET_ENUMERATE, (enum net_kind) - 1, &net, NULL);
    ask(w, HCN_E_REQUEST_UNSUPPORTED, NET_ATTACH, NET_NETWORK, &net, "{}");
    ask(w, S_OK, NET_OPEN, NET_NETWORK, &net, NULL);
    assert_null(w->reply.document);
}

/* --- the record ---------------------------------------------------- */

static void records_say_where_and_what(void **state) {
    struct world *w = *state;
    struct guid net = make_nat(w);

    refuse(w, HCN_E_INVALID_POLICY, NET_ENDPOINT, &net,
           "{'Policies':[{'Type':'QOS','Settings':{"
           "'MaximumOutgoingBandwidthInBytes':1}},{'Type':'ACL','Settings':{"
           "'localports':'a\\\"b'}}]}");
    assert_string_equal(
        w->reply.record,
        "{\"Success\":false,\"Error\":\"The policy is not valid. "
        "$.Policies[1].Settings.LocalPorts: \\\"a\\\"b\\\" is not a port or a "
        "range of ports\",\"ErrorCode\":2151350285}");
    refuse(w, HCN_E_INVALID_IP, NET_ENDPOINT, &net,
           "{'IpConfigurations':[{'IpAddress':'10.1.1.1'}]}");
    assert_non_null(strstr(w->reply.record, "$.IpConfigurations[0]: 10.1.1.1"));
}

static void a_record_is_made_of_anything(void **state) {
    char *record = net_error_record((HRESULT)0x81234567, NULL);
    (void)state;
    assert_string_equal(record, "{\"Success\":false,\"Error\":\"It failed. \","
                                "\"ErrorCode\":2166572391}");
    free(record);
}

/* --- the JSON forms ------------------------------------------------ */

static void check_request(const struct net_request *request) {
    struct buf text = {0};
    struct json_writer writer = {.out = &text};
    struct net_request again;
    struct json_doc doc;

    net_request_write(&writer, request);
    assert_hr(json_parse(text.data, text.length, &doc, NULL), S_OK);
    assert_hr(net_request_read(doc.root, &again, NULL), S_OK);
    assert_int_equal(again.verb, request->verb);
    assert_int_equal(again.kind, request->kind);
    assert_memory_equal(&again.id, &request->id, sizeof again.id);
    assert_memory_equal(&again.parent, &request->parent, sizeof again.parent);
    if (request->text)
        assert_string_equal(again.text, request->text);
    else
        assert_null(again.text);
    json_doc_free(&doc);
    buf_free(&text);
}

static void requests_travel(void **state) {
    (void)state;
    for (unsigned verb = 0; verb < NET_VERB_COUNT; verb++)
        for (unsigned kind = 0; kind < NET_KIND_COUNT; kind++) {
            struct net_request request = {.verb = (enum net_verb)verb,
                                          .kind = (enum net_kind)kind};
            check_request(&request);
            request.id = guid("11111111-2222-4333-8444-555555555555");
            request.parent = guid("21111111-2222-4333-8444-555555555555");
            request.text = "{\"Name\":\"a\\nb\"}\n\xc3\xa9";
            check_request(&request);
        }
}

static void replies_travel(void **state) {
    static char document[] = "[]", record[] = "{\"Error\":\"\"}";
    struct net_reply reply = {HCN_E_INVALID_IP, {{1, 2}}, document, record};
    struct net_reply again;
    struct buf text = {0};
    struct json_writer writer = {.out = &text};
    struct json_doc doc;
    (void)state;

    net_reply_write(&writer, &reply);
    assert_hr(json_parse(text.data, text.length, &doc, NULL), S_OK);
    assert_hr(net_reply_read(doc.root, &again, NULL), S_OK);
    assert_hr(again.result, HCN_E_INVALID_IP);
    assert_memory_equal(&again.id, &reply.id, sizeof again.id);
    assert_string_equal(again.document, document);
    assert_string_equal(again.record, record);
    net_reply_free(&again);
    for (size_t i = 1; i <= 2; i++) { /* without memory it is empty */
        faults_fail_from(i);
        assert_hr(net_reply_read(doc.root, &again, NULL), E_OUTOFMEMORY);
        faults_fail_from(0);
        assert_null(again.document);
        assert_null(again.record);
    }
    json_doc_free(&doc);
    buf_free(&text);
}

static void other_texts_are_refused(void **state) {
    static const char *const requests[] = {
        "5",
        "[]",
        "{}",
        "{'Verb':'Create'}",
        "{'Verb':'create','Kind':'Network'}",
        "{'Verb':'Create','Kind':'Router'}",
        "{'Verb':1,'Kind':'Network'}",
        "{'Verb':'Create','Kind':'Network','Id':'x'}",
        "{'Verb':'Create','Kind':'Network','Parent':5}",
        "{'Verb':'Create','Kind':'Network','Document':{}}",
        "{'Verb':'Create','Kind':'Network','Document':'a\\u0000'}",
    };
    static const char *const replies[] = {
        "5",
        "{}",
        "{'Result':-1}",
        "{'Result':4294967296}",
        "{'Result':'0'}",
        "{'Result':0,'Id':1}",
        "{'Result':0,'Document':1}",
        "{'Result':0,'Document':'x','Error':1}",
    };
    (void)state;

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char *text = quoted(requests[i]);
        struct net_request request;
        struct json_doc doc;
        assert_hr(json_parse(text, strlen(text), &doc, NULL), S_OK);
        assert_hr(net_request_read(doc.root, &request, NULL), HR_INVALID_DATA);
        json_doc_free(&doc);
        free(text);
    }
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        char *text = quoted(replies[i]);
        struct net_reply reply;
        struct json_doc doc;
        assert_hr(json_parse(text, strlen(text), &doc, NULL), S_OK);
        assert_hr(net_reply_read(doc.root, &reply, NULL), HR_INVALID_DATA);
        json_doc_free(&doc);
        free(text);
    }
}

int main(void) {
#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_an_empty_list),
        TEST(filters_choose),
        TEST(bad_queries_are_refused),
        TEST(properties_have_two_forms),
        TEST(deep_documents_are_refused),
        TEST(verbs_and_kinds_are_checked),
        TEST(records_say_where_and_what),
        cmocka_unit_test(a_record_is_made_of_anything),
        cmocka_unit_test(requests_travel),
        cmocka_unit_test(replies_travel),
        cmocka_unit_test(other_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
