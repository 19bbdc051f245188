/* SPDX-License-Identifier: MIT
 * A strict host ends a program that would hang on Windows, with the call's
 * name. The test starts itself once more for that. */
#include "world.h"

static void CALLBACK close_inside(HCS_EVENT *event, void *context) {
    (void)event;
    HcsCloseComputeSystem(*(HCS_SYSTEM *)context);
}

/* Ends the process. */
static int close_in_a_callback(void) {
    HCSHOST host = NULL;
    HCS_OPERATION op;
    HCS_SYSTEM system;
    hcshost_open("sim:?driver=step&strict=1&access=open", &host, NULL);
    hcshost_enter(host, NULL);
    op = HcsCreateOperation(NULL, NULL);
    HcsCreateComputeSystem(u"strict", SYSTEM_DOCUMENT, op, NULL, &system);
    HcsSetComputeSystemCallback(system, HcsEventOptionEnableOperationCallbacks,
                                &system, close_inside);
    HcsWaitForOperationResult(op, INFINITE, NULL);
    hcshost_step(host, 0, 0, NULL);
    return 0;
}

static void CALLBACK unregister_inside(DWORD type, void *context,
                                       HRESULT status, PCWSTR data) {
    (void)type;
    (void)status;
    (void)data;
    HcnUnregisterServiceCallback(*(HCN_CALLBACK *)context);
}

static int unregister_in_a_callback(void) {
    static const GUID none;
    HCSHOST host = NULL;
    HCN_CALLBACK callback = NULL;
    HCN_NETWORK network = NULL;
    hcshost_open("sim:?driver=step&strict=1", &host, NULL);
    hcshost_enter(host, NULL);
    HcnRegisterServiceCallback(unregister_inside, &callback, &callback);
    HcnCreateNetwork(&none, u"{\"Name\":\"strict\"}", &network, NULL);
    hcshost_step(host, 0, 0, NULL);
    return 0;
}

static void strict_hosts_abort_what_would_hang(void **state) {
    char words[1024] = "";
    (void)state;
    assert_int_not_equal(platform_run_self("close", words, sizeof words), 0);
    has(words, "HcsCloseComputeSystem");
    words[0] = '\0';
    assert_int_not_equal(platform_run_self("unregister", words, sizeof words),
                         0);
    has(words, "HcnUnregisterServiceCallback");
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict_hosts_abort_what_would_hang),
    };
    if (argc > 1 && strcmp(argv[1], "close") == 0)
        return close_in_a_callback();
    if (argc > 1 && strcmp(argv[1], "unregister") == 0)
        return unregister_in_a_callback();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
