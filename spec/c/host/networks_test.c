/* SPDX-License-Identifier: MIT
 * The functions of networks: their pointers, handles, error records and
 * callbacks. What networks are is tested in spec/c/net. Every test runs on both
 * drivers. */
#include "base/hresult_hcn.h"
#include "world.h"

#define V2 u"\"SchemaVersion\":{\"Major\":2,\"Minor\":0}}"
#define NETWORK u"{\"Name\":\"lan\",\"Type\":\"NAT\"," V2
#define EMPTY u"{" V2
#define GONE HR_RPC_SERVER_UNAVAILABLE

static const char *spec;
static const GUID none;
static const GUID some = {0x01234567,
                          0x89AB,
                          0xCDEF,
                          {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF}};
static const GUID other = {0x11111111,
                           0x2222,
                           0x3333,
                           {0x44, 0x44, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55}};

static int setup(void **state) {
    *state = world_open(spec);
    return 0;
}

static int teardown(void **state) {
    world_close(*state);
    return 0;
}

static void inventory_has(HCSHOST host, const char *part) {
    PWSTR document = NULL;
    ok(hcshost_inventory(host, &document));
    has(text_of(document), part);
}

/* A failure with a record that says the same. */
static void refused(HRESULT code, HRESULT hr, PWSTR *record) {
    char number[32];
    const char *text;
    fails(code, hr);
    assert_non_null(*record);
    text = text_of(*record);
    *record = NULL;
    has(text, "{\"Success\":false,\"Error\":\"");
    snprintf(number, sizeof number, "\"ErrorCode\":%lu}",
             (unsigned long)(uint32_t)code);
    has(text, number);
}

static HCN_NETWORK make_network(void) {
    HCN_NETWORK network = NULL;
    PWSTR record = NULL;
    ok(HcnCreateNetwork(&some, NETWORK, &network, &record));
    assert_non_null(network);
    assert_null(record);
    return network;
}

/* --- calls and handles ---------------------------------------------------- */

static void an_object_lives_by_its_handles(void **state) {
    HCN_NETWORK network = make_network(), second = NULL;
    HCN_ENDPOINT endpoint = NULL;
    HCN_NAMESPACE space = NULL;
    PWSTR text = NULL, record = NULL;
    ok(HcnQueryNetworkProperties(network, EMPTY, &text, &record));
    has(text_of(text), "\"ID\":\"01234567-89AB-CDEF-0123-456789ABCDEF\"");
    ok(HcnOpenNetwork(&some, &second, NULL));
    assert_ptr_not_equal(network, second);
    ok(HcnCreateEndpoint(second, &other, EMPTY, &endpoint, &record));
    ok(HcnCreateNamespace(&none, EMPTY, &space, &record));
    ok(HcnEnumerateEndpoints(NULL, &text, &record));
    assert_string_equal(text_of(text),
                        "[\"11111111-2222-3333-4444-555555555555\"]");
    ok(HcnQueryEndpointStats(endpoint, NULL, &text, &record));
    has(text_of(text), "\"PacketsSent\":0");
    ok(HcnModifyNamespace(
        space,
        u"{\"ResourceType\":\"Endpoint\",\"RequestType\":\"Add\",\"Settings\":"
        u"{\"EndpointId\":\"11111111-2222-3333-4444-555555555555\"}}",
        &record));
    ok(HcnQueryNamespaceProperties(space, EMPTY, &text, &record));
    has(text_of(text), "11111111-2222-3333-4444-555555555555");
    assert_null(record);
    inventory_has(*state, "\"Networks\":1,\"Endpoints\":1,\"Namespaces\":1,"
                          "\"Handles\":4,");
    ok(HcnCloseNetwork(network));
    ok(HcnCloseNetwork(second));
    ok(HcnCloseNamespace(space));
    ok(HcnCloseEndpoint(endpoint));
    inventory_has(*state, "\"Networks\":1,\"Endpoints\":1,\"Namespaces\":1,"
                          "\"Handles\":0,");
    ok(HcnDeleteNetwork(&some, &record));
    assert_null(record);
    inventory_has(*state, "\"Networks\":0,\"Endpoints\":0,\"Namespaces\":1,");
}

static void a_failure_leaves_a_record_and_nothing_else(void **state) {
    HCN_NETWORK network = (HCN_NETWORK)&network;
    HCN_ENDPOINT endpoint = NULL;
    HCN_NAMESPACE space = NULL;
    PWSTR text = (PWSTR)&text, record = (PWSTR)&record;
    refused(HCN_E_NETWORK_NOT_FOUND, HcnOpenNetwork(&some, &network, &record),
            &record);
    assert_null(network);
    record = (PWSTR)&record;
    refused(HCN_E_INVALID_JSON,
            HcnCreateNetwork(&some, u"{\"Name\":7,", &network, &record),
            &record);
    refused(HCN_E_INVALID_JSON, HcnCreateNetwork(&some, u"", &network, &record),
            &record);
    refused(
        HCN_E_INVALID_JSON,
        HcnCreateNetwork(&some, (const WCHAR[]){0xD800, 0}, &network, &record),
        &record);
    refused(HCN_E_INVALID_JSON,
            HcnEnumerateNetworks(u"{\"Filter\":\"{\"}", &text, &record),
            &record);
    assert_null(text);
    refused(HCN_E_ENDPOINT_NOT_FOUND,
            HcnOpenEndpoint(&some, &endpoint, &record), &record);
    refused(HR_NOT_FOUND, HcnOpenNamespace(&some, &space, &record), &record);
    refused(HCN_E_NETWORK_NOT_FOUND, HcnDeleteNetwork(&some, &record), &record);
    refused(HCN_E_ENDPOINT_NOT_FOUND, HcnDeleteEndpoint(&some, &record),
            &record);
    refused(HR_NOT_FOUND, HcnDeleteNamespace(&some, &record), &record);
    fails(HCN_E_NETWORK_NOT_FOUND, HcnDeleteNetwork(&some, NULL));
    inventory_has(*state, "\"Networks\":0,\"Endpoints\":0,\"Namespaces\":0,"
                          "\"Handles\":0,");
}

static void pointers_must_lead_somewhere(void **state) {
    HCN_NETWORK network = make_network(), out = (HCN_NETWORK)&network;
    HCN_ENDPOINT endpoint = NULL;
    PWSTR text = NULL, record = NULL;
    (void)state;
    refused(E_INVALIDARG, HcnCreateNetwork(NULL, NETWORK, &out, &record),
            &record);
    assert_null(out);
    refused(E_INVALIDARG, HcnCreateNetwork(&some, NULL, &out, &record),
            &record);
    refused(E_INVALIDARG, HcnCreateNetwork(&some, NETWORK, NULL, &record),
            &record);
    fails(E_INVALIDARG, HcnCreateNetwork(&some, NETWORK, NULL, NULL));
    refused(E_INVALIDARG, HcnOpenNetwork(NULL, &out, &record), &record);
    refused(E_INVALIDARG, HcnOpenNetwork(&some, NULL, &record), &record);
    refused(E_INVALIDARG, HcnDeleteNetwork(NULL, &record), &record);
    refused(E_INVALIDARG, HcnModifyNetwork(network, NULL, &record), &record);
    refused(E_INVALIDARG,
            HcnQueryNetworkProperties(network, NULL, NULL, &record), &record);
    refused(E_INVALIDARG, HcnEnumerateNetworks(NULL, NULL, &record), &record);
    refused(E_INVALIDARG,
            HcnCreateEndpoint(NULL, &none, EMPTY, &endpoint, &record), &record);
    fails(E_POINTER, hcshost_sim_packet(NULL, u"{}", NULL));
    fails(E_INVALIDARG, hcshost_sim_packet(NULL, NULL, &text));
    refused(E_INVALIDARG, HcnModifyNetwork(NULL, EMPTY, &record), &record);
    refused(E_INVALIDARG, HcnQueryEndpointStats(NULL, NULL, &text, &record),
            &record);
    fails(E_INVALIDARG, HcnCloseNetwork(NULL));
    fails(E_INVALIDARG, HcnCloseEndpoint(NULL));
    fails(E_INVALIDARG, HcnCloseNamespace(NULL));
    ok(HcnCloseNetwork(network));
}

static void handles_are_of_one_kind(void **state) {
    HCS_OPERATION operation = HcsCreateOperation(NULL, NULL);
    HCN_NETWORK network = make_network();
    HCN_ENDPOINT endpoint = NULL;
    PWSTR text = NULL, record = NULL;
    ok(HcnCreateEndpoint(network, &none, EMPTY, &endpoint, NULL));
    refused(E_HANDLE, HcnQueryEndpointProperties(network, NULL, &text, &record),
            &record);
    refused(E_HANDLE, HcnModifyNamespace(endpoint, EMPTY, &record), &record);
    refused(E_HANDLE,
            HcnCreateEndpoint(endpoint, &none, EMPTY, &network, &record),
            &record);
    assert_null(network);
    ok(HcnOpenNetwork(&some, &network, NULL));
    refused(E_HANDLE, HcnModifyNetwork(operation, EMPTY, &record), &record);
    refused(E_HANDLE, HcnModifyNetwork(*state, EMPTY, &record), &record);
    refused(E_HANDLE, HcnModifyNetwork(&text, EMPTY, &record), &record);
    fails(E_HANDLE, HcnCloseNetwork(endpoint));
    fails(E_HANDLE, HcnCloseNamespace(operation));
    fails(E_HANDLE, HcnUnregisterServiceCallback(network));
    fails(E_HANDLE, HcsCancelOperation((HCS_OPERATION)network));
    ok(HcnCloseEndpoint(endpoint));
    fails(E_HANDLE, HcnCloseEndpoint(endpoint));
    refused(E_HANDLE, HcnModifyEndpoint(endpoint, EMPTY, &record), &record);
    ok(HcnCloseNetwork(network));
    HcsCloseOperation(operation);
}

/* Operations fail, closing works. */
static void an_object_may_go_before_its_handle(void **state) {
    HCN_NETWORK network = make_network();
    HCN_ENDPOINT endpoint = NULL, late = NULL;
    PWSTR text = NULL, record = NULL;
    (void)state;
    ok(HcnCreateEndpoint(network, &none, EMPTY, &endpoint, NULL));
    ok(HcnDeleteNetwork(&some, NULL));
    refused(HCN_E_NETWORK_NOT_FOUND,
            HcnQueryNetworkProperties(network, EMPTY, &text, &record), &record);
    refused(HCN_E_ENDPOINT_NOT_FOUND,
            HcnQueryEndpointStats(endpoint, NULL, &text, &record), &record);
    refused(HCN_E_NETWORK_NOT_FOUND,
            HcnCreateEndpoint(network, &none, EMPTY, &late, &record), &record);
    assert_null(late);
    ok(HcnCloseEndpoint(endpoint));
    ok(HcnCloseNetwork(network));
}

static void hosts_have_networks_of_their_own(void **state) {
    HCN_NETWORK network = make_network(), away = NULL;
    HCN_ENDPOINT endpoint = NULL;
    HCSHOST second = world_open(spec);
    PWSTR text = NULL;
    (void)state;
    ok(HcnEnumerateNetworks(NULL, &text, NULL));
    assert_string_equal(text_of(text), "[]");
    fails(HCN_E_NETWORK_NOT_FOUND, HcnOpenNetwork(&some, &away, NULL));
    ok(HcnCreateNetwork(&some, NETWORK, &away, NULL));
    /* a handle is its own host's, whichever was entered */
    ok(HcnCreateEndpoint(network, &none, EMPTY, &endpoint, NULL));
    ok(HcnEnumerateEndpoints(NULL, &text, NULL));
    assert_string_equal(text_of(text), "[]");
    world_close(second);
    fails(E_HANDLE, HcnCloseNetwork(away));
    ok(HcnCloseEndpoint(endpoint));
    ok(HcnCloseNetwork(network));
    ok(hcshost_enter(*state, NULL));
}

static void plans_change_nothing(void **state) {
    HCN_NETWORK network = make_network();
    PWSTR text = NULL, record = NULL;
    char before[256];
    (void)state;
    fails(E_POINTER, hcshost_network_plan(NULL, NETWORK, NULL, &record));
    refused(E_INVALIDARG, hcshost_network_plan(NULL, NULL, &text, &record),
            &record);
    refused(HCN_E_INVALID_JSON, hcshost_network_plan(NULL, u"", &text, &record),
            &record);
    refused(HCN_E_NETWORK_ALREADY_EXISTS,
            hcshost_network_plan(NULL, NETWORK, &text, &record), &record);
    refused(E_HANDLE,
            hcshost_network_plan((HCSHOST)(uintptr_t)12345, NETWORK, &text,
                                 &record),
            &record);
    assert_null(text);
    ok(HcnCloseNetwork(network));
    ok(HcnDeleteNetwork(&some, NULL));
    ok(hcshost_inventory(NULL, &text));
    snprintf(before, sizeof before, "%s", text_of(text));
    ok(hcshost_network_plan(NULL, NETWORK, &text, &record));
    assert_null(record);
    assert_string_equal(text_of(text), "{\"Changes\":[]}");
    ok(HcnEnumerateNetworks(NULL, &text, NULL));
    assert_string_equal(text_of(text), "[]");
    ok(hcshost_inventory(NULL, &text));
    assert_string_equal(text_of(text), before);
}

static void connections_find_nobody(void **state) {
    HANDLE stream = (HANDLE)1;
    PWSTR record = NULL;
    (void)state;
    fails(E_POINTER, hcshost_network_connect(NULL, NULL, 80, NULL, &record));
    refused(E_INVALIDARG,
            hcshost_network_connect(NULL, NULL, 0, &stream, &record), &record);
    assert_null(stream);
    refused(E_INVALIDARG,
            hcshost_network_connect(NULL, u"nowhere", 80, &stream, &record),
            &record);
    refused(HR_CONNECTION_REFUSED,
            hcshost_network_connect(NULL, NULL, 80, &stream, &record), &record);
    fails(HR_CONNECTION_REFUSED,
          hcshost_network_connect(NULL, u"127.0.0.1", 80, &stream, NULL));
    assert_null(stream);
}

static void only_simulated_hosts_tell_of_packets(void **state) {
    HCSHOST host = NULL;
    PWSTR verdict = NULL, why = NULL;
    char root[160], uri[200];
    (void)state;
    platform_folder(root, sizeof root);
    snprintf(uri, sizeof uri, "qemu:?root=%s", root);
    if (SUCCEEDED(hcshost_open(uri, &host, &why))) {
        fails(E_NOTIMPL,
              hcshost_sim_packet(host, u"{\"Destination\":\"10.0.0.1\"}",
                                 &verdict));
        assert_null(verdict);
        ok(hcshost_close(host));
    }
    LocalFree(why);
}

/* --- callbacks ------------------------------------------------------------ */

struct log {
    int count, disconnects;
    DWORD types[32];
    HRESULT status;
    char last[256];
    HCN_CALLBACK handle; /* to unregister inside, with what came of it */
    HRESULT unregistered;
    int slow; /* ms that it takes */
    int inside;
};

static void CALLBACK on_notice(DWORD type, void *context, HRESULT status,
                               PCWSTR data) {
    struct log *log = context;
    char *text = NULL;
    int count = __atomic_load_n(&log->count, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&log->inside, 1, __ATOMIC_SEQ_CST);
    if (type == HcnNotificationServiceDisconnect) {
        assert_null(data);
        log->disconnects++;
    } else {
        assert_true(SUCCEEDED(
            utf8_from_utf16(data, utf16_length(data), &text, NULL, NULL)));
        snprintf(log->last, sizeof log->last, "%s", text);
        free(text);
    }
    log->types[count % 32] = type;
    log->status = status;
    if (log->handle)
        log->unregistered = HcnUnregisterServiceCallback(log->handle);
    log->handle = NULL;
    if (log->slow)
        platform_pause(log->slow);
    __atomic_sub_fetch(&log->inside, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&log->count, 1, __ATOMIC_SEQ_CST);
}

static void nap(HCSHOST host) {
    if (hcshost_step(host, 0, 0, NULL) == E_NOTIMPL)
        platform_pause(1);
}

/* Exactly that many come. */
static void expect(HCSHOST host, struct log *log, int wanted) {
    for (int i = 0;
         i < 20000 && __atomic_load_n(&log->count, __ATOMIC_SEQ_CST) < wanted;
         i++)
        nap(host);
    for (int i = 0; i < 10; i++)
        nap(host);
    assert_int_equal(__atomic_load_n(&log->count, __ATOMIC_SEQ_CST), wanted);
}

static void callbacks_hear_in_order(void **state) {
    static const DWORD wanted[] = {1, 2, 5, 3, 4, 6};
    struct log log = {.status = E_FAIL}, second = {0};
    HCN_CALLBACK callback = NULL, other_callback = NULL;
    HCN_NETWORK network;
    HCN_ENDPOINT endpoint = NULL;
    HCN_NAMESPACE space = NULL;
    ok(HcnRegisterServiceCallback(on_notice, &log, &callback));
    ok(HcnRegisterServiceCallback(on_notice, &second, &other_callback));
    assert_ptr_not_equal(callback, other_callback);
    network = make_network();
    expect(*state, &log, 2);
    assert_string_equal(
        log.last,
        "{\"ID\":\"01234567-89AB-CDEF-0123-456789ABCDEF\",\"Flags\":0}");
    /* endpoints are not told of */
    ok(HcnCreateEndpoint(network, &none, EMPTY, &endpoint, NULL));
    ok(HcnCreateNamespace(&other, EMPTY, &space, NULL));
    ok(HcnDeleteNetwork(&some, NULL));
    ok(HcnDeleteNamespace(&other, NULL));
    expect(*state, &log, 6);
    expect(*state, &second, 6);
    assert_memory_equal(log.types, wanted, sizeof wanted);
    assert_memory_equal(second.types, wanted, sizeof wanted);
    assert_int_equal(log.status, S_OK);
    /* nothing comes of what fails, or after the end */
    fails(HCN_E_NETWORK_NOT_FOUND, HcnDeleteNetwork(&some, NULL));
    ok(HcnUnregisterServiceCallback(other_callback));
    fails(E_HANDLE, HcnUnregisterServiceCallback(other_callback));
    ok(HcnCloseNetwork(network));
    network = make_network();
    expect(*state, &log, 8);
    expect(*state, &second, 6);
    ok(HcnUnregisterServiceCallback(callback));
    ok(HcnCloseNetwork(network));
    ok(HcnCloseEndpoint(endpoint));
    ok(HcnCloseNamespace(space));
    inventory_has(*state, "\"Handles\":0,");
}

static void what_waits_is_dropped_at_the_end(void **state) {
    static struct log log; /* it may hear until the host is closed */
    HCN_CALLBACK callback = NULL;
    HCN_NETWORK network;
    ok(HcnRegisterServiceCallback(on_notice, &log, &callback));
    network = make_network();
    ok(HcnUnregisterServiceCallback(callback));
    expect(*state, &log, __atomic_load_n(&log.count, __ATOMIC_SEQ_CST));
    ok(HcnCloseNetwork(network));
    /* the host is closed with the next one unheard, and with its handle */
    ok(HcnRegisterServiceCallback(on_notice, &log, &callback));
    ok(HcnDeleteNetwork(&some, NULL));
}

static void arguments_of_callbacks(void **state) {
    HCN_CALLBACK callback = (HCN_CALLBACK)&callback;
    (void)state;
    fails(E_INVALIDARG, HcnRegisterServiceCallback(NULL, NULL, &callback));
    assert_null(callback);
    fails(E_INVALIDARG, HcnRegisterServiceCallback(on_notice, NULL, NULL));
    fails(E_INVALIDARG, HcnUnregisterServiceCallback(NULL));
    fails(E_HANDLE, HcnUnregisterServiceCallback(&callback));
}

/* What it would wait for is itself: it is put off. */
static void a_callback_may_unregister_itself(void **state) {
    struct log log = {.unregistered = E_FAIL}, second = {0};
    HCN_CALLBACK other_callback = NULL;
    HCN_NETWORK network;
    ok(HcnRegisterServiceCallback(on_notice, &log, &log.handle));
    ok(HcnRegisterServiceCallback(on_notice, &second, &other_callback));
    network = make_network();
    expect(*state, &second, 2);
    expect(*state, &log, 1);
    ok(log.unregistered);
    ok(HcnUnregisterServiceCallback(other_callback));
    ok(HcnCloseNetwork(network));
    inventory_has(*state, "\"Handles\":0,");
}

static void unregistering_waits_for_what_runs(void **state) {
    struct log log = {.slow = 30};
    HCN_CALLBACK callback = NULL;
    HCN_NETWORK network;
    if (strstr(spec, "driver=step"))
        return; /* there is no other thread */
    (void)state;
    ok(HcnRegisterServiceCallback(on_notice, &log, &callback));
    network = make_network();
    for (int i = 0; i < 5000 && !__atomic_load_n(&log.inside, __ATOMIC_SEQ_CST);
         i++)
        platform_pause(1);
    assert_int_equal(__atomic_load_n(&log.inside, __ATOMIC_SEQ_CST), 1);
    ok(HcnUnregisterServiceCallback(callback));
    assert_int_equal(__atomic_load_n(&log.inside, __ATOMIC_SEQ_CST), 0);
    ok(HcnCloseNetwork(network));
}

/* --- the service ---------------------------------------------------------- */

#define FLEETING u"{\"Flags\":8," V2

static void some_networks_go_with_the_service(void **state) {
    HCN_NETWORK lasting = make_network(), fleeting = NULL, again = NULL;
    HCN_ENDPOINT endpoint = NULL;
    PWSTR record = NULL;
    ok(HcnCreateNetwork(&other, FLEETING, &fleeting, NULL));
    ok(HcnCreateEndpoint(fleeting, &none, EMPTY, &endpoint, NULL));
    ok(HcnCloseEndpoint(endpoint));
    ok(HcnCloseNetwork(fleeting));
    ok(HcnCloseNetwork(lasting));
    ok(hcshost_sim_service(*state, 0));
    ok(hcshost_sim_service(*state, 1));
    refused(HCN_E_NETWORK_NOT_FOUND, HcnOpenNetwork(&other, &again, &record),
            &record);
    ok(HcnOpenNetwork(&some, &again, NULL));
    ok(HcnCloseNetwork(again));
    ok(HcnDeleteNetwork(&some, NULL));
    inventory_has(*state, "\"Networks\":0,\"Endpoints\":0,\"Namespaces\":0,"
                          "\"Handles\":0,");
}

static void the_service_takes_handles_along(void **state) {
    struct log log = {0}, fresh = {0};
    HCN_CALLBACK callback = NULL, late = NULL;
    HCN_NETWORK network = make_network(), again = NULL;
    HCN_ENDPOINT endpoint = NULL;
    PWSTR text = NULL, record = NULL;
    ok(HcnRegisterServiceCallback(on_notice, &log, &callback));
    ok(hcshost_sim_service(*state, 0));
    expect(*state, &log, 1);
    assert_int_equal(log.disconnects, 1);
    refused(GONE, HcnEnumerateNetworks(NULL, &text, &record), &record);
    refused(GONE, HcnCreateNetwork(&other, NETWORK, &again, &record), &record);
    refused(GONE, HcnOpenNetwork(&some, &again, &record), &record);
    refused(GONE, HcnDeleteNetwork(&some, &record), &record);
    refused(GONE, HcnModifyNetwork(network, EMPTY, &record), &record);
    fails(GONE, HcnRegisterServiceCallback(on_notice, &fresh, &late));
    assert_null(late);
    ok(hcshost_sim_service(*state, 1));
    refused(GONE, HcnQueryNetworkProperties(network, EMPTY, &text, &record),
            &record);
    refused(GONE, HcnCreateEndpoint(network, &none, EMPTY, &endpoint, &record),
            &record);
    ok(HcnRegisterServiceCallback(on_notice, &fresh, &late));
    ok(HcnOpenNetwork(&some, &again, NULL)); /* it has stayed */
    ok(HcnDeleteNetwork(&some, NULL));
    expect(*state, &fresh, 2);
    expect(*state, &log, 1); /* its registration is dead */
    ok(hcshost_sim_service(*state, 0));
    expect(*state, &fresh, 3);
    expect(*state, &log, 1);
    ok(HcnCloseNetwork(network));
    ok(HcnCloseNetwork(again));
    ok(HcnUnregisterServiceCallback(callback));
    ok(HcnUnregisterServiceCallback(late));
    inventory_has(*state, "\"Networks\":0,\"Endpoints\":0,\"Namespaces\":0,"
                          "\"Handles\":0,");
}

/* --- threads -------------------------------------------------------------- */

struct worker {
    HCSHOST host;
    int number;
    int failures;
};

static void make_and_delete(void *context) {
    struct worker *worker = context;
    GUID id = some;
    hcshost_enter(worker->host, NULL);
    for (int i = 0; i < 40; i++) {
        HCN_NETWORK network = NULL;
        HCN_CALLBACK callback = NULL;
        struct log log = {0};
        WCHAR document[] = u"{\"Name\":\"n0\",\"Type\":\"Private\"," V2;
        PWSTR text = NULL;
        document[10] = (WCHAR)(u'0' + worker->number);
        id.Data1 = (uint32_t)worker->number + 1;
        if (FAILED(HcnRegisterServiceCallback(on_notice, &log, &callback)) ||
            FAILED(HcnCreateNetwork(&id, document, &network, NULL)) ||
            FAILED(HcnQueryNetworkProperties(network, NULL, &text, NULL)) ||
            FAILED(HcnDeleteNetwork(&id, NULL)) ||
            FAILED(HcnCloseNetwork(network)) ||
            FAILED(HcnUnregisterServiceCallback(callback)))
            worker->failures++;
        LocalFree(text);
    }
    hcshost_enter(NULL, NULL);
}

static void any_thread_may_call(void **state) {
    struct worker workers[4];
    hcs_thread threads[4];
    for (int i = 0; i < 4; i++) {
        workers[i] = (struct worker){*state, i, 0};
        ok(thread_start(&threads[i], make_and_delete, &workers[i], NULL));
    }
    for (int i = 0; i < 4; i++) {
        thread_join(threads[i]);
        assert_int_equal(workers[i].failures, 0);
    }
    inventory_has(*state, "\"Networks\":0,");
    inventory_has(*state, "\"Handles\":0,");
}

/* --- adapters ------------------------------------------------------------- */

#define MACHINE(adapters)                                               \
    u"{\"Owner\":\"spec\",\"SchemaVersion\":{\"Major\":2,\"Minor\":5}," \
    u"\"VirtualMachine\":{\"Chipset\":{\"LinuxKernelDirect\":{"         \
    u"\"KernelFilePath\":\"" PLATFORM_FILE                              \
    "\"}},\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64},"           \
    u"\"Processor\":{\"Count\":1}},\"Devices\":{\"NetworkAdapters\":"   \
    u"{" adapters u"}}}}"
#define OTHER u"11111111-2222-3333-4444-555555555555"

/* The endpoint's State in its v2 properties: none for 0. */
static void endpoint_is(HCN_ENDPOINT endpoint, const char *what) {
    PWSTR text = NULL;
    ok(HcnQueryEndpointProperties(endpoint, EMPTY, &text, NULL));
    has(text_of(text), what);
}

static HRESULT start(HCS_SYSTEM *system, HCS_OPERATION op, PCWSTR document,
                     const char *blamed) {
    PWSTR result = NULL;
    HRESULT hr;
    ok(HcsCreateComputeSystem(u"machine", document, op, NULL, system));
    hr = HcsWaitForOperationResult(op, INFINITE, &result);
    if (SUCCEEDED(hr)) {
        LocalFree(result);
        ok(HcsStartComputeSystem(*system, op, NULL));
        hr = HcsWaitForOperationResult(op, INFINITE, &result);
    }
    if (FAILED(hr))
        has(text_of(result), blamed);
    else
        LocalFree(result);
    return hr;
}

static void end(HCS_SYSTEM system, HCS_OPERATION op) {
    finish(op, HcsTerminateComputeSystem(system, op, NULL));
    HcsCloseComputeSystem(system);
}

static void adapters_are_ports(void **state) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCN_NETWORK network = make_network();
    HCN_ENDPOINT endpoint = NULL;
    HCS_SYSTEM system = NULL;
    (void)state;
    ok(HcnCreateEndpoint(network, &other,
                         u"{\"MacAddress\":\"00-15-5D-00-00-01\"," V2,
                         &endpoint, NULL));
    ok(start(&system, op,
             MACHINE(u"\"lan\":{\"EndpointId\":"
                     u"\"" OTHER u"\",\"MacAddress\":\"00-15-5d-00-00-01\"}"),
             ""));
    endpoint_is(endpoint, "\"State\":2,");
    endpoint_is(endpoint, "\"VirtualNicName\":\"machine--11111111-");
    end(system, op);
    endpoint_is(endpoint, "\"State\":4,");
    fails(
        E_INVALIDARG,
        start(&system, op,
              MACHINE(u"\"lan\":{\"EndpointId\":"
                      u"\"" OTHER u"\",\"MacAddress\":\"00-15-5D-00-00-02\"}"),
              "$.VirtualMachine.Devices.NetworkAdapters.lan.MacAddress"));
    end(system, op);
    /* what was attached before the failure is not any more */
    fails(HCN_E_ENDPOINT_NOT_FOUND,
          start(&system, op,
                MACHINE(u"\"a\":{\"EndpointId\":\"" OTHER u"\"},\"b\":{"
                        u"\"EndpointId\":"
                        u"\"99999999-2222-3333-4444-555555555555\"}"),
                "$.VirtualMachine.Devices.NetworkAdapters.b.EndpointId"));
    endpoint_is(endpoint, "\"State\":4,");
    end(system, op);
    fails(HCN_E_ENDPOINT_ALREADY_ATTACHED,
          start(&system, op,
                MACHINE(u"\"a\":{\"EndpointId\":\"" OTHER u"\"},\"b\":{"
                        u"\"EndpointId\":\"" OTHER u"\"}"),
                "$.VirtualMachine.Devices.NetworkAdapters.b.EndpointId"));
    endpoint_is(endpoint, "\"State\":4,");
    end(system, op);
    ok(HcnCloseEndpoint(endpoint));
    ok(HcnCloseNetwork(network));
    HcsCloseOperation(op);
}

#define ADAPTER(kind)                                                    \
    u"{\"ResourcePath\":\"VirtualMachine/Devices/NetworkAdapters/lan\"," \
    u"\"RequestType\":"                                                  \
    u"\"" kind u"\",\"Settings\":{\"EndpointId\":\"" OTHER u"\"}}"

static void adapters_come_and_go(void **state) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCN_NETWORK network = make_network();
    HCN_ENDPOINT endpoint = NULL;
    HCS_SYSTEM system = NULL;
    PWSTR result = NULL;
    (void)state;
    ok(start(&system, op, MACHINE(u""), ""));
    ok(HcsModifyComputeSystem(system, op, ADAPTER(u"Add"), NULL));
    fails(HCN_E_ENDPOINT_NOT_FOUND,
          HcsWaitForOperationResult(op, INFINITE, &result));
    has(text_of(result), "$.Settings.EndpointId");
    ok(HcnCreateEndpoint(network, &other, EMPTY, &endpoint, NULL));
    for (int i = 0; i < 2; i++) {
        ok(finish(op,
                  HcsModifyComputeSystem(system, op, ADAPTER(u"Add"), NULL)));
        endpoint_is(endpoint, "\"State\":2,");
        ok(finish(
            op, HcsModifyComputeSystem(system, op, ADAPTER(u"Remove"), NULL)));
        endpoint_is(endpoint, "\"State\":4,");
    }
    /* an endpoint may be deleted under its machine, which ends all the same */
    ok(finish(op, HcsModifyComputeSystem(system, op, ADAPTER(u"Add"), NULL)));
    ok(HcnDeleteEndpoint(&other, NULL));
    ok(hcshost_sim_service(*state, 0));
    HcsCloseComputeSystem(system);
    ok(hcshost_sim_service(*state, 1));
    ok(HcsOpenComputeSystem(u"machine", GENERIC_ALL, &system));
    end(system, op);
    ok(HcnCloseEndpoint(endpoint));
    ok(HcnCloseNetwork(network));
    HcsCloseOperation(op);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    static const char *const specs[] = {"sim:?driver=step&access=open",
                                        "sim:?driver=thread&access=open"};
    const struct CMUnitTest tests[] = {
        TEST(an_object_lives_by_its_handles),
        TEST(a_failure_leaves_a_record_and_nothing_else),
        TEST(pointers_must_lead_somewhere),
        TEST(handles_are_of_one_kind),
        TEST(an_object_may_go_before_its_handle),
        TEST(hosts_have_networks_of_their_own),
        cmocka_unit_test(only_simulated_hosts_tell_of_packets),
        TEST(plans_change_nothing),
        TEST(connections_find_nobody),
        TEST(callbacks_hear_in_order),
        TEST(what_waits_is_dropped_at_the_end),
        TEST(arguments_of_callbacks),
        TEST(a_callback_may_unregister_itself),
        TEST(unregistering_waits_for_what_runs),
        TEST(some_networks_go_with_the_service),
        TEST(the_service_takes_handles_along),
        TEST(any_thread_may_call),
        TEST(adapters_are_ports),
        TEST(adapters_come_and_go),
    };
    int failed = 0;
    for (size_t i = 0; i < 2; i++) {
        spec = specs[i];
        failed += cmocka_run_group_tests_name(spec, tests, NULL, NULL);
    }
    return failed;
}
