/* SPDX-License-Identifier: MIT
 * Out of memory at every place in turn: each call fails or works, nothing is
 * lost that must not be, and what is left can be closed. */
#include "faults.h"
#include "world.h"

struct heard {
    int exits, completions;
};

static void on_event(HCS_EVENT *event, void *context) {
    struct heard *heard = context;
    if (event->Type == HcsEventSystemExited)
        heard->exits++;
}

static void on_done(HCS_OPERATION operation, void *context) {
    struct heard *heard = context;
    (void)operation;
    heard->completions++;
}

/* A whole life while memory ends at the n-th allocation; how many operations
 * were begun. Terminating comes last, when there may be no memory at all. */
static int live(HCSHOST host, struct heard *heard, bool *ended) {
    HCS_OPERATION op = HcsCreateOperation(heard, on_done);
    HCS_SYSTEM system = NULL;
    PWSTR result = NULL;
    int begun = 0;
    HRESULT hr;
    if (!op)
        return 0;
    if (SUCCEEDED(HcsCreateComputeSystem(u"poor", SYSTEM_DOCUMENT, op, NULL,
                                         &system))) {
        begun++;
        hr = HcsWaitForOperationResult(op, INFINITE, &result);
        assert_true(hr != HCS_E_OPERATION_TIMEOUT);
        LocalFree(result);
    }
    if (!system)
        return begun;
    ok(HcsSetComputeSystemCallback(system, HcsEventOptionNone, heard,
                                   on_event));
    if (SUCCEEDED(HcsStartComputeSystem(system, op, NULL))) {
        begun++;
        hr = HcsWaitForOperationResult(op, INFINITE, &result);
        assert_true(hr != HCS_E_OPERATION_TIMEOUT);
        LocalFree(result);
    }
    if (SUCCEEDED(HcsGetComputeSystemProperties(system, op, u"{}"))) {
        begun++;
        hr = HcsWaitForOperationResult(op, INFINITE, &result);
        assert_true(hr != HCS_E_OPERATION_TIMEOUT);
        LocalFree(result);
    }
    if (SUCCEEDED(HcsTerminateComputeSystem(system, op, NULL))) {
        begun++;
        hr = HcsWaitForOperationResult(op, INFINITE, &result);
        assert_true(hr != HCS_E_OPERATION_TIMEOUT);
        *ended = SUCCEEDED(hr);
        LocalFree(result);
    }
    hcshost_step(host, 0, 0, NULL);
    return begun;
}

/* True when it lived without any allocation failing. */
static bool live_with(size_t allocations) {
    HCSHOST host = NULL;
    PWSTR why = NULL;
    struct heard heard = {0};
    bool ended = false;
    int begun = 0;
    size_t used;
    HRESULT hr;

    faults_fail_from(allocations);
    hr =
        hcshost_open("sim:?driver=step&clock=virtual&access=open", &host, &why);
    if (SUCCEEDED(hr)) {
        ok(hcshost_enter(host, NULL));
        begun = live(host, &heard, &ended);
    }
    used = faults_allocations();
    faults_fail_from(0);
    if (SUCCEEDED(hr)) {
        assert_int_equal(heard.completions, begun);
        assert_int_equal(heard.exits, ended ? 1 : 0);
        world_close(host);
    } else {
        assert_null(host);
        LocalFree(why);
    }
    return used < allocations;
}

static void memory_ends_anywhere(void **state) {
    size_t n = 1;
    (void)state;
    while (!live_with(n)) {
        n++;
        assert_true(n < 5000);
    }
    assert_true(n > 30); /* it was there to be missed */
}

/* --- networks ------------------------------------------------------------- */

#define DOCUMENT(more) u"{" more u"\"SchemaVersion\":{\"Major\":2,\"Minor\":0}}"

static const GUID none;

static void CALLBACK on_notice(DWORD type, void *context, HRESULT status,
                               PCWSTR data) {
    int *disconnects = context;
    (void)status;
    (void)data;
    *disconnects += type == HcnNotificationServiceDisconnect;
}

/* A call that works leaves something, one that fails does not. */
#define is_whole(call, left)                                 \
    do {                                                     \
        HRESULT result = (call);                             \
        assert_int_equal(SUCCEEDED(result), (left) != NULL); \
    } while (0)

/* True when all of it could be made. */
static bool use_networks(HCSHOST host, int *disconnects, bool *registered) {
    HCN_NETWORK network = NULL;
    HCN_ENDPOINT endpoint = NULL;
    HCN_NAMESPACE space = NULL;
    HCN_CALLBACK callback = NULL;
    PWSTR text = NULL, record = NULL;
    bool all;
    HRESULT hr;

    is_whole(HcnRegisterServiceCallback(on_notice, disconnects, &callback),
             callback);
    *registered = callback != NULL;
    hr = HcnCreateNetwork(&none, DOCUMENT(u"\"Name\":\"poor\","), &network,
                          &record);
    is_whole(hr, network);
    assert_true(FAILED(hr) || !record);
    LocalFree(record);
    if (network) {
        is_whole(
            HcnCreateEndpoint(network, &none, DOCUMENT(u""), &endpoint, NULL),
            endpoint);
        is_whole(HcnQueryNetworkProperties(network, NULL, &text, NULL), text);
        LocalFree(text);
        ok(HcnCloseNetwork(network));
    }
    if (endpoint) {
        is_whole(HcnQueryEndpointStats(endpoint, NULL, &text, NULL), text);
        LocalFree(text);
        ok(HcnCloseEndpoint(endpoint));
    }
    is_whole(HcnCreateNamespace(&none, DOCUMENT(u""), &space, NULL), space);
    if (space)
        ok(HcnCloseNamespace(space));
    is_whole(hcshost_network_plan(host, DOCUMENT(u""), &text, NULL), text);
    LocalFree(text);
    is_whole(HcnEnumerateNetworks(NULL, &text, &record), text);
    LocalFree(text);
    LocalFree(record);
    all = network && endpoint && space && callback && text;
    hcshost_sim_service(host, 0);
    hcshost_step(host, 0, 0, NULL);
    if (callback)
        ok(HcnUnregisterServiceCallback(callback));
    return all;
}

/* An object that nobody learns of is not made, no handle is left, and that the
 * service goes away is always heard. */
static bool use_with(size_t allocations) {
    HCSHOST host = world_open("sim:?driver=step&clock=virtual&access=open");
    int disconnects = 0;
    bool registered = false, all;
    PWSTR document = NULL;
    size_t used;

    faults_fail_from(allocations);
    all = use_networks(host, &disconnects, &registered);
    used = faults_allocations();
    faults_fail_from(0);
    assert_int_equal(disconnects, registered);
    ok(hcshost_inventory(host, &document));
    has(text_of(document), "\"Handles\":0,");
    world_close(host);
    assert_true(all || used >= allocations);
    return used < allocations;
}

static void networks_without_memory(void **state) {
    size_t n = 1;
    (void)state;
    while (!use_with(n)) {
        n++;
        assert_true(n < 5000);
    }
    assert_true(n > 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_ends_anywhere),
        cmocka_unit_test(networks_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
