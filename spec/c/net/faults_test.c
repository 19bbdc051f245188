/* SPDX-License-Identifier: MIT
 * Out of memory at every allocation of every verb: the request fails with that
 * and nothing else, nothing has changed, and nothing is lost. So it is when the
 * plane fails. */
#include "world.h"

struct scene {
    struct guid net, endpoint, space, default_space;
};

#define POLICY(type, settings) "{'Type':'" type "','Settings':{" settings "}}"
#define MANY                                                                                                                                                                                                                                  \
    POLICY("PortMapping", "'Protocol':6,'InternalPort':1,'ExternalPort':0")                                                                                                                                                                   \
    "," POLICY(                                                                                                                                                                                                                               \
        "ACL",                                                                                                                                                                                                                                \
        "'LocalAddresses':'set,10.0.0.1','LocalPorts':'1,2-3',"                                                                                                                                                                               \
        "'Protocols':'6,17'") "," POLICY("TierAcl",                                                                                                                                                                                           \
                                         "'TierAclRules':[{'Priority':2},{'"                                                                                                                                                                  \
                                         "Priority':1}]") "," POLICY("OutBoun"                                                                                                                                                                \
                                                                     "dNAT",                                                                                                                                                                  \
                                                                     "'Except"                                                                                                                                                                \
                                                                     "ions':["                                                                                                                                                                \
                                                                     "'10.0."                                                                                                                                                                 \
                                                                     "0.0/"                                                                                                                                                                   \
                                                                     "8']") "," POLICY("L4Proxy",                                                                                                                                             \
                                                                                       "'Port':'1','Destination':'10.0.0.0/8'") "," POLICY("L4WFPPROXY",                                                                                      \
                                                                                                                                           "'OutboundProxyPort':'1','OutboundExceptions':{"                                                   \
                                                                                                                                           "'PortExceptions':['1-2']}") "," POLICY("SDNRoute",                                                \
                                                                                                                                                                                   "'DestinationPrefix':'10.0.0.0/8'") "," POLICY("PortName", \
                                                                                                                                                                                                                                  "'Name':'p'")

/* A network with a set, an endpoint of it with every kind of policy. */
static void build(struct world *w, struct scene *s) {
    s->default_space = guid(found(w, NET_NAMESPACE, NULL));
    s->net = make(
        w, NET_NETWORK, NULL,
        "{'Name':'n','Policies':[{'Type':'SetPolicy','Settings':{'Id':'set',"
        "'PolicyType':'IPSET','Values':'10.0.0.2'}}],'Dns':{'Domain':'d',"
        "'Search':['a'],'ServerList':['1.1.1.1']}," NAT_SUBNET "," V2 "}");
    s->endpoint = make(w, NET_ENDPOINT, &s->net,
                       "{'Name':'e','Policies':[" MANY "]," V2 "}");
    s->space = make(w, NET_NAMESPACE, NULL, "{" V2 "}");
}

/* All that can be seen of the world. */
static char *picture(struct world *w, const struct scene *s) {
    static const enum net_kind kinds[] = {NET_NETWORK, NET_ENDPOINT,
                                          NET_NAMESPACE, NET_NAMESPACE};
    const struct guid *ids[] = {&s->net, &s->endpoint, &s->space,
                                &s->default_space};
    struct sim_plane_counts counts;
    struct buf all = {0};

    for (size_t i = 0; i < 4; i++) {
        ask(w, S_OK, NET_QUERY, kinds[i], ids[i], "{" V2 "}");
        buf_puts(&all, w->reply.document);
    }
    sim_plane_count(w->plane, &counts);
    buf_printf(&all, " %zu %zu %zu %zu %zu", counts.networks, counts.endpoints,
               counts.namespaces, counts.ports,
               net_count(w->net, NET_ENDPOINT));
    return buf_take(&all);
}

struct step {
    const char *what;
    enum net_verb verb;
    enum net_kind kind;
    char subject;     /* of whom: 'n', 'e', 's' or ' ' */
    const char *text; /* %s is the endpoint's id */
};

static const struct step steps[] = {
    {"create a network", NET_CREATE, NET_NETWORK, ' ',
     "{'Name':'m','Type':'Transparent','Ipams':[{'Subnets':[{"
     "'IpAddressPrefix':'10.0.0.0/24','Policies':[{'Type':'VLAN','Settings':{"
     "'IsolationId':5}}]}]}]}"},
    {"create one in the older form", NET_CREATE, NET_NETWORK, ' ',
     "{'Name':'m','Type':'ICS','IsolateSwitch':true,'DNSServerList':"
     "'1.1.1.1'}"},
    {"create an endpoint", NET_CREATE, NET_ENDPOINT, 'n',
     "{'Name':'x','Policies':[" MANY "]," V2 "}"},
    {"create one in the older form", NET_CREATE, NET_ENDPOINT, 'n',
     "{'DisableICC':true,'Mtu':1400,'Policies':[{'Type':'NAT','Protocol':"
     "'TCP','InternalPort':80}]}"},
    {"create a namespace", NET_CREATE, NET_NAMESPACE, ' ',
     "{'Owner':'o','CreateWithCompartment':true}"},
    {"query a network", NET_QUERY, NET_NETWORK, 'n', "{" V2 "}"},
    {"query the older form", NET_QUERY, NET_NETWORK, 'n', NULL},
    {"query an endpoint", NET_QUERY, NET_ENDPOINT, 'e', "{" V2 "}"},
    {"query the older form", NET_QUERY, NET_ENDPOINT, 'e', NULL},
    {"query a namespace", NET_QUERY, NET_NAMESPACE, 's', NULL},
    {"enumerate", NET_ENUMERATE, NET_ENDPOINT, ' ',
     "{'Filter':'{\\\"Name\\\":\\\"e\\\"}'}"},
    {"statistics", NET_STATISTICS, NET_ENDPOINT, 'e', NULL},
    {"change policies", NET_MODIFY, NET_ENDPOINT, 'e',
     "{'ResourceType':'Policy','RequestType':'Add','Settings':{'Policies':["
     "{'Type':'PortMapping','Settings':{'Protocol':17,'InternalPort':5}}]}}"},
    {"change a set", NET_MODIFY, NET_NETWORK, 'n',
     "{'ResourceType':'Policy','RequestType':'Update','Settings':{'Policies':"
     "[{'Type':'SetPolicy','Settings':{'Id':'set','Values':'10.0.0.3'}}]}}"},
    {"change names", NET_MODIFY, NET_NETWORK, 'n',
     "{'ResourceType':'DNS','RequestType':'Update','Settings':{'Search':["
     "'b']}}"},
    {"add a subnet", NET_MODIFY, NET_NETWORK, 'n',
     "{'ResourceType':'Subnet','RequestType':'Add','Settings':{'Subnets':[{"
     "'IpAddressPrefix':'10.7.0.0/24'}]}}"},
    {"attach a machine", NET_ATTACH, NET_ENDPOINT, 'e',
     "{'VirtualNicName':'vm--ep'}"},
    {"join a namespace", NET_MODIFY, NET_NAMESPACE, 's',
     "{'ResourceType':'Endpoint','RequestType':'Add','Settings':{"
     "'EndpointId':'%s'}}"},
    {"keep a container", NET_MODIFY, NET_NAMESPACE, 's',
     "{'ResourceType':'Container','RequestType':'Add','Settings':{"
     "'ContainerId':'c'}}"},
};

static void fill(const struct step *step, const struct scene *s,
                 struct net_request *request, char text[2048]) {
    char id[GUID_TEXT_SIZE];
    const struct guid *subject = step->subject == 'n'   ? &s->net
                                 : step->subject == 'e' ? &s->endpoint
                                                        : &s->space;
    char *document = step->text ? quoted(step->text) : NULL;
    const char *hole = document ? strstr(document, "%s") : NULL;

    *request = (struct net_request){.verb = step->verb, .kind = step->kind};
    if (step->verb == NET_CREATE && step->subject == 'n')
        request->parent = *subject;
    else if (step->subject != ' ')
        request->id = *subject;
    guid_format(&s->endpoint, id);
    if (hole)
        snprintf(text, 2048, "%.*s%s%s", (int)(hole - document), document, id,
                 hole + 2);
    else if (document)
        snprintf(text, 2048, "%s", document);
    request->text = document ? text : NULL;
    free(document);
}

/* Fails from allocation `n` on; true when that made it fail. */
static bool fails_from(struct world *w, const struct net_request *request,
                       size_t n, const char *what) {
    HRESULT hr;

    net_reply_free(&w->reply);
    faults_fail_from(n);
    hr = net_request(w->net, request, &w->reply);
    faults_fail_from(0);
    if (SUCCEEDED(hr))
        return false;
    if (hr != E_OUTOFMEMORY)
        print_error("%s, allocation %u: 0x%08x\n", what, (unsigned)n,
                    (unsigned)hr);
    assert_hr(hr, E_OUTOFMEMORY);
    assert_null(w->reply.document);
    return true;
}

/* Undoes what a step did in the end. */
static void finish(struct world *w, const struct scene *s,
                   const struct step *step) {
    struct guid made = w->reply.id;
    char text[256], id[GUID_TEXT_SIZE];

    if (step->verb == NET_CREATE)
        erase(w, step->kind, &made);
    if (step->verb == NET_ATTACH)
        ask(w, S_OK, NET_DETACH, NET_ENDPOINT, &s->endpoint, NULL);
    guid_format(&s->endpoint, id);
    snprintf(text, sizeof text,
             "{'ResourceType':'Endpoint','RequestType':'Remove','Settings':{"
             "'EndpointId':'%s'}}",
             id);
    if (step->text && strstr(step->text, "%s"))
        modify(w, S_OK, NET_NAMESPACE, &s->space, text);
}

static uint64_t one(void *context) {
    (void)context;
    return 1;
}

static void memory_ends_anywhere(void **state) {
    struct world *w = *state;
    struct scene s;

    build(w, &s);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct net_request request;
        char text[2048];
        char *before = picture(w, &s);
        size_t n = 1;
        fill(&steps[i], &s, &request, text);
        for (; fails_from(w, &request, n, steps[i].what); n++) {
            char *after = picture(w, &s);
            if (strcmp(before, after) != 0)
                print_error("%s, allocation %u\n", steps[i].what, (unsigned)n);
            assert_string_equal(after, before);
            free(after);
        }
        assert_true(n > 1);
        free(before);
        finish(w, &s, &steps[i]);
    }
}

/* The plane fails at its n-th change; true when it came to that. */
static bool plane_fails(struct world *w, const struct net_request *request,
                        unsigned n) {
    net_reply_free(&w->reply);
    sim_plane_fail(w->plane, n, HR_TIMEOUT);
    net_request(w->net, request, &w->reply);
    sim_plane_fail(w->plane, 0, S_OK);
    if (SUCCEEDED(w->reply.result))
        return false;
    assert_true(w->reply.result == HR_TIMEOUT ||
                w->reply.result == HCN_E_NAMESPACE_ATTACH_FAILED);
    assert_non_null(w->reply.record);
    return true;
}

static void the_plane_fails_anywhere(void **state) {
    struct world *w = *state;
    struct scene s;

    build(w, &s);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct net_request request;
        char text[2048];
        char *before = picture(w, &s);
        fill(&steps[i], &s, &request, text);
        for (unsigned n = 1; plane_fails(w, &request, n); n++) {
            char *after = picture(w, &s);
            assert_string_equal(after, before);
            free(after);
        }
        free(before);
        finish(w, &s, &steps[i]);
    }
}

static void a_net_needs_memory(void **state) {
    struct plane *plane;
    long before = faults_live();
    size_t n = 1;
    (void)state;

    for (;; n++) {
        struct world world = {0};
        struct net_env env = {.ops = sim_plane_ops()};
        HRESULT hr;
        faults_fail_from(n);
        hr = sim_plane_open(&plane, NULL);
        if (SUCCEEDED(hr)) {
            env.plane = plane;
            env.random = one;
            hr = net_open(&env, &world.net, NULL);
            if (SUCCEEDED(hr))
                net_close(world.net);
            sim_plane_ops()->destroy(plane);
        }
        faults_fail_from(0);
        assert_int_equal(faults_live(), before);
        if (SUCCEEDED(hr))
            break;
        assert_hr(hr, E_OUTOFMEMORY);
    }
    assert_int_equal(n, 4); /* the plane, the net, its namespace */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(memory_ends_anywhere, world_open,
                                        world_close),
        cmocka_unit_test_setup_teardown(the_plane_fails_anywhere, world_open,
                                        world_close),
        cmocka_unit_test(a_net_needs_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
