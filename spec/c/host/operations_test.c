/* SPDX-License-Identifier: MIT
 * Operations: their life, reuse, results, cancelling and closing. Every test
 * runs on both drivers. */

#include "world.h"

static const char *spec;

static int setup(void **state) {
    *state = world_open(spec);
    return 0;
}

static int teardown(void **state) {
    world_close(*state);
    return 0;
}

static void an_unused_operation_says_so(void **state) {
    int here = 0;
    HCS_OPERATION op = HcsCreateOperation(&here, NULL);
    PWSTR document = (PWSTR)&here;
    (void)state;
    assert_non_null(op);
    assert_ptr_equal(HcsGetOperationContext(op), &here);
    assert_int_equal(HcsGetOperationType(op), HcsOperationTypeNone);
    assert_true(HcsGetOperationId(op) == HCS_INVALID_OPERATION_ID);
    assert_null(HcsGetComputeSystemFromOperation(op));
    fails(HCS_E_OPERATION_NOT_STARTED, HcsGetOperationResult(op, &document));
    assert_null(document);
    fails(HCS_E_OPERATION_NOT_STARTED,
          HcsWaitForOperationResult(op, INFINITE, NULL));
    fails(HCS_E_OPERATION_NOT_STARTED, HcsCancelOperation(op));
    ok(HcsSetOperationContext(op, NULL));
    assert_null(HcsGetOperationContext(op));
    HcsCloseOperation(op);
    fails(E_HANDLE, HcsGetOperationResult(op, NULL));
    HcsCloseOperation(op);
}

static void an_operation_is_used_again_and_again(void **state) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system;
    uint64_t id;
    PWSTR document = NULL;
    (void)state;
    system = world_create(u"reuse", op);
    assert_int_equal(HcsGetOperationType(op), HcsOperationTypeCreate);
    assert_ptr_equal(HcsGetComputeSystemFromOperation(op), system);
    id = HcsGetOperationId(op);
    ok(HcsStartComputeSystem(system, op, NULL));
    assert_int_equal(HcsGetOperationType(op), HcsOperationTypeStart);
    assert_true(HcsGetOperationId(op) != id);
    ok(HcsWaitForOperationResult(op, INFINITE, &document));
    assert_null(document);
    ok(finish(op, HcsGetComputeSystemProperties(system, op, NULL)));
    for (int i = 0; i < 3; i++) {
        ok(HcsGetOperationResult(op, &document));
        has(text_of(document), "\"State\":\"Running\"");
    }
    ok(finish(op, HcsEnumerateComputeSystems(NULL, op)));
    assert_null(HcsGetComputeSystemFromOperation(op));
    ok(finish(op, HcsTerminateComputeSystem(system, op, NULL)));
    HcsCloseComputeSystem(system);
    assert_null(HcsGetComputeSystemFromOperation(op));
    HcsCloseOperation(op);
}

static void arguments_are_checked_in_the_call(void **state) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    (void)state;
    fails(E_POINTER, HcsCreateComputeSystem(u"x", u"{}", op, NULL, NULL));
    fails(E_INVALIDARG, HcsCreateComputeSystem(NULL, u"{}", op, NULL, &system));
    fails(E_INVALIDARG, HcsCreateComputeSystem(u"", u"{}", op, NULL, &system));
    fails(E_INVALIDARG, HcsCreateComputeSystem(u"x", NULL, op, NULL, &system));
    fails(E_INVALIDARG,
          HcsCreateComputeSystem(u"x", u"{}", NULL, NULL, &system));
    fails(E_INVALIDARG, HcsCreateComputeSystem(
                            u"x", u"{}", op,
                            (const SECURITY_DESCRIPTOR *)(void *)op, &system));
    fails(E_HANDLE, HcsCreateComputeSystem(
                        u"x", u"{}", (HCS_OPERATION)(void *)1, NULL, &system));
    fails(E_INVALIDARG, HcsEnumerateComputeSystems(NULL, NULL));
    assert_int_equal(HcsGetOperationType(op), HcsOperationTypeNone);
    system = world_create(u"x", op);
    fails(E_INVALIDARG, HcsStartComputeSystem(system, NULL, NULL));
    fails(E_HANDLE, HcsStartComputeSystem((HCS_SYSTEM)(void *)op, op, NULL));
    fails(E_HANDLE, HcsStartComputeSystem(NULL, op, NULL));
    fails(E_HANDLE,
          HcsStartComputeSystem(system, (HCS_OPERATION)(void *)system, NULL));
    fails(E_INVALIDARG, HcsModifyComputeSystem(system, op, NULL, NULL));
    fails(E_POINTER, HcsOpenComputeSystem(u"x", GENERIC_ALL, NULL));
    fails(E_INVALIDARG, HcsOpenComputeSystem(u"x", 1, &system));
    fails(HCS_E_SYSTEM_NOT_FOUND,
          HcsOpenComputeSystem(u"nobody", GENERIC_ALL, &system));
    assert_null(system);
    HcsCloseOperation(op);
}

/* What the documents hold answers through the operation, and the handle of a
 * creation that failed is there to be closed. */
static void failed_creation(PCWSTR document, HRESULT code, const char *words) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = NULL;
    PWSTR result = NULL;
    ok(HcsCreateComputeSystem(u"bad", document, op, NULL, &system));
    assert_non_null(system);
    fails(code, HcsWaitForOperationResult(op, INFINITE, &result));
    has(text_of(result), words);
    ok(HcsStartComputeSystem(system, op, NULL));
    fails(HCS_E_SYSTEM_NOT_FOUND,
          HcsWaitForOperationResult(op, INFINITE, NULL));
    fails(HCS_E_SYSTEM_NOT_FOUND, HcsWaitForComputeSystemExit(system, 0, NULL));
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
}

static void bad_documents_answer_through_the_operation(void **state) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system, second = NULL;
    PWSTR result = NULL;
    (void)state;
    failed_creation(u"{", HR_INVALID_DATA, "\"EventId\":11000");
    failed_creation(u"", HR_INVALID_DATA, "Invalid JSON document '$'");
    failed_creation(u"{\"Nobody\":1}", HCS_E_INVALID_JSON,
                    "Invalid JSON document '$.Nobody'");
    failed_creation(u"{\"Nobody\":1}", HCS_E_INVALID_JSON,
                    "\"Attribution\":[{\"OperationFailure\":{\"Detail\":"
                    "\"Construct\"}}]");
    failed_creation((const WCHAR[]){0xD800, 0}, HR_INVALID_DATA, "\"Error\"");
    system = world_create(u"twice", op);
    ok(HcsCreateComputeSystem(u"twice", SYSTEM_DOCUMENT, op, NULL, &second));
    fails(HCS_E_SYSTEM_ALREADY_EXISTS,
          HcsWaitForOperationResult(op, INFINITE, &result));
    has(text_of(result), "twice");
    HcsCloseComputeSystem(second);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
}

struct heard {
    int count;
    HCS_OPERATION operation;
    HRESULT result;
};

static void on_done(HCS_OPERATION operation, void *context) {
    struct heard *heard = context;
    heard->operation = operation;
    heard->result = HcsGetOperationResult(operation, NULL);
    __atomic_add_fetch(&heard->count, 1, __ATOMIC_SEQ_CST);
}

/* Waits for callbacks: by steps where there is no thread. */
static void expect_count(HCSHOST host, int *count, int wanted) {
    for (int i = 0; i < 20000; i++) {
        if (__atomic_load_n(count, __ATOMIC_SEQ_CST) == wanted)
            break;
        if (hcshost_step(host, 1000000, 0, NULL) == E_NOTIMPL) {
            HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
            HcsEnumerateComputeSystems(NULL, op);
            HcsCloseOperation(op);
            platform_pause(1);
        }
    }
    assert_int_equal(__atomic_load_n(count, __ATOMIC_SEQ_CST), wanted);
}

static void a_callback_is_called_once_for_each_use(void **state) {
    struct heard heard = {0};
    HCS_OPERATION op = HcsCreateOperation(&heard, on_done);
    HCS_SYSTEM system = world_create(u"calls", op);
    expect_count(*state, &heard.count, 1);
    assert_ptr_equal(heard.operation, op);
    ok(heard.result);
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    expect_count(*state, &heard.count, 2);
    ok(HcsSetOperationCallback(op, NULL, NULL));
    ok(finish(op, HcsPauseComputeSystem(system, op, NULL)));
    /* a callback that comes after the completion hears of it */
    ok(HcsSetOperationCallback(op, &heard, on_done));
    expect_count(*state, &heard.count, 3);
    /* once */
    ok(HcsSetOperationCallback(op, &heard, on_done));
    ok(HcsSetOperationCallback(op, NULL, NULL));
    ok(finish(op, HcsResumeComputeSystem(system, op, NULL)));
    HcsCloseOperation(op);
    HcsCloseComputeSystem(system);
    assert_int_equal(heard.count, 3);
}

static void close_it(HCS_OPERATION operation, void *context) {
    HcsCloseOperation(operation);
    __atomic_add_fetch((int *)context, 1, __ATOMIC_SEQ_CST);
}

static void an_operation_is_closed_in_its_callback(void **state) {
    int count = 0;
    HCS_OPERATION op = HcsCreateOperation(&count, close_it);
    ok(HcsEnumerateComputeSystems(NULL, op));
    expect_count(*state, &count, 1);
    fails(E_HANDLE, HcsGetOperationResult(op, NULL));
}

struct chain {
    HCS_SYSTEM system;
    int count;
};

/* One operation runs through several uses from inside its own callback. */
static void go_on(HCS_OPERATION operation, void *context) {
    struct chain *chain = context;
    int count = __atomic_add_fetch(&chain->count, 1, __ATOMIC_SEQ_CST);
    if (count == 1)
        ok(HcsPauseComputeSystem(chain->system, operation, NULL));
    else if (count == 2)
        ok(HcsResumeComputeSystem(chain->system, operation, NULL));
}

static void an_operation_is_reused_in_its_callback(void **state) {
    struct chain chain = {0};
    HCS_OPERATION op = HcsCreateOperation(&chain, NULL);
    chain.system = world_create(u"chain", op);
    ok(HcsSetOperationCallback(op, NULL, NULL));
    ok(finish(op, HcsStartComputeSystem(chain.system, op, NULL)));
    ok(HcsSetOperationCallback(op, &chain, go_on));
    expect_count(*state, &chain.count, 3);
    HcsCloseOperation(op);
    HcsCloseComputeSystem(chain.system);
}

static void failures_keep_their_code(void **state) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = world_create(u"wrong", op);
    PWSTR result = NULL;
    (void)state;
    ok(HcsPauseComputeSystem(system, op, NULL));
    fails(HCS_E_INVALID_STATE,
          HcsWaitForOperationResult(op, INFINITE, &result));
    has(text_of(result), "\"Detail\":\"Pause\"");
    fails(HCS_E_INVALID_STATE, HcsGetOperationResult(op, NULL));
    ok(HcsPauseComputeSystem(system, op, u"{"));
    fails(HR_INVALID_DATA, HcsWaitForOperationResult(op, INFINITE, NULL));
    ok(HcsModifyComputeSystem(system, op, (const WCHAR[]){0xDC00, 0}, NULL));
    fails(HR_INVALID_DATA, HcsWaitForOperationResult(op, INFINITE, NULL));
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
}

static void operations_stay_in_their_host(void **state) {
    HCSHOST other = NULL;
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_OPERATION foreign;
    HCS_SYSTEM system = world_create(u"home", op);
    ok(hcshost_open("sim:?driver=step&access=open", &other, NULL));
    ok(hcshost_enter(other, NULL));
    foreign = HcsCreateOperation(NULL, NULL);
    fails(E_INVALIDARG, HcsStartComputeSystem(system, foreign, NULL));
    /* the same id lives in both */
    HcsCloseComputeSystem(world_create(u"home", foreign));
    ok(hcshost_enter(*state, NULL));
    ok(hcshost_close(other));
    fails(E_HANDLE, HcsGetOperationResult(foreign, NULL));
    fails(E_HANDLE, hcshost_close(other));
    ok(finish(op, HcsStartComputeSystem(system, op, NULL)));
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    static const char *const specs[] = {
        "sim:?driver=step&access=open", "sim:?driver=thread&access=open",
        "sim:?driver=step&clock=virtual&access=open&latency=5ms",
        "sim:?driver=thread&clock=virtual&access=open&latency=5ms"};
    const struct CMUnitTest tests[] = {
        TEST(an_unused_operation_says_so),
        TEST(an_operation_is_used_again_and_again),
        TEST(arguments_are_checked_in_the_call),
        TEST(bad_documents_answer_through_the_operation),
        TEST(a_callback_is_called_once_for_each_use),
        TEST(an_operation_is_closed_in_its_callback),
        TEST(an_operation_is_reused_in_its_callback),
        TEST(failures_keep_their_code),
        TEST(operations_stay_in_their_host),
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        spec = specs[i];
        failed += cmocka_run_group_tests_name(spec, tests, NULL, NULL);
    }
    return failed;
}
