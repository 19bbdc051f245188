/* SPDX-License-Identifier: MIT
 * The host over a store that does what a real one does on a bad day: answers
 * late, in another order, after the exit, twice over or never. */

#include "host/host.h"
#include "world.h"

/* A store whose answers the test gives. */
struct line {
    struct store_sink *sink;
    bool open;
};

struct fake {
    struct store store;
    struct line lines[8];
    size_t line_count;
    struct store_request requests[8];
    HCS_OPERATION_TYPE verbs[8];
    size_t request_count;
    HRESULT create_result, open_result;
    const char *list;
    bool destroyed;
};

static struct fake fake;

static HRESULT add_line(struct store_sink *sink, struct store_line **out) {
    struct line *line = &fake.lines[fake.line_count++];
    line->sink = sink;
    line->open = true;
    *out = (struct store_line *)(void *)line;
    return S_OK;
}

static void add_request(HCS_OPERATION_TYPE verb, struct store_request request) {
    fake.verbs[fake.request_count] = verb;
    fake.requests[fake.request_count++] = request;
}

static HRESULT fake_create(struct store *store, const char *id,
                           struct json_doc *document, struct store_sink *sink,
                           struct store_request request,
                           struct store_line **out, struct hcs_error *error) {
    (void)store;
    json_doc_free(document);
    if (FAILED(fake.create_result))
        return error_set(error, fake.create_result, "$.Made", "no \"%s\"", id);
    add_request(HcsOperationTypeCreate, request);
    return add_line(sink, out);
}

static HRESULT fake_open(struct store *store, const char *id,
                         struct store_sink *sink, struct store_line **out,
                         struct hcs_error *error) {
    (void)store;
    if (FAILED(fake.open_result))
        return error_set(error, fake.open_result, NULL, "no \"%s\"", id);
    return add_line(sink, out);
}

static void fake_submit(struct store_line *line, HCS_OPERATION_TYPE verb,
                        const char *options, struct store_request request) {
    (void)line;
    (void)options;
    add_request(verb, request);
}

static void fake_close(struct store_line *line) {
    ((struct line *)(void *)line)->open = false;
}

static HRESULT fake_enumerate(struct store *store, const struct json *query,
                              struct buf *out, struct hcs_error *error) {
    (void)store;
    (void)query;
    (void)error;
    buf_puts(out, fake.list);
    return S_OK;
}

static hcs_waitable fake_waitable(struct store *store) {
    (void)store;
    return HCS_NOT_WAITABLE;
}

static bool fake_pump(struct store *store) {
    (void)store;
    return false;
}

static void fake_destroy(struct store *store) {
    (void)store;
    fake.destroyed = true;
}

static const struct store_ops fake_ops = {
    .create = fake_create,
    .open = fake_open,
    .submit = fake_submit,
    .close = fake_close,
    .enumerate = fake_enumerate,
    .waitable = fake_waitable,
    .pump = fake_pump,
    .destroy = fake_destroy,
};

static struct host *inside;

/* A world whose own store made way for the fake one. */
static int setup(void **state) {
    HCSHOST host = world_open("sim:?driver=step");
    struct object *object = handle_get(host, HANDLE_HOST);
    inside = HCS_CONTAINER(object, struct host, object);
    inside->store->ops->destroy(inside->store);
    fake = (struct fake){.store.ops = &fake_ops, .list = "[]"};
    inside->store = &fake.store;
    *state = host;
    return 0;
}

static int teardown(void **state) {
    world_close(*state);
    assert_true(fake.destroyed);
    object_unref(&inside->object);
    return 0;
}

static void answer(size_t request, HRESULT result, const char *document) {
    struct hcs_error error;
    struct vm_reply reply = {result, NULL, document};
    if (FAILED(result)) {
        error_set(&error, result, "$.There", "the store says no");
        reply.error = &error;
    }
    ok(host_lock(inside));
    fake.requests[request].reply(fake.requests[request].context, &reply);
    host_unlock(inside);
}

static void tell(size_t line, HCS_EVENT_TYPE type, const char *document) {
    ok(host_lock(inside));
    fake.lines[line].sink->event(fake.lines[line].sink, type, document);
    host_unlock(inside);
}

/* Begins a system with its first line and request. */
static HCS_SYSTEM begin(HCS_OPERATION op) {
    HCS_SYSTEM system = NULL;
    ok(HcsCreateComputeSystem(u"Seam", SYSTEM_DOCUMENT, op, NULL, &system));
    return system;
}

static void step(void) {
    HCSHOST host = (HCSHOST)inside->object.number;
    hcshost_step(host, 0, 0, NULL);
}

/* --- answers ------------------------------------------------------------- */

static void answers_come_in_any_order(void **state) {
    HCS_OPERATION one = HcsCreateOperation(NULL, NULL);
    HCS_OPERATION two = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = begin(one);
    PWSTR document = NULL;
    (void)state;
    ok(HcsGetComputeSystemProperties(system, two, NULL));
    answer(1, S_OK, "{\"n\":1}");
    ok(HcsGetOperationResult(two, &document));
    assert_string_equal(text_of(document), "{\"n\":1}");
    fails(HCS_E_OPERATION_PENDING, HcsGetOperationResult(one, NULL));
    answer(0, S_OK, "");
    ok(HcsGetOperationResult(one, &document));
    assert_null(document);
    HcsCloseOperation(one);
    HcsCloseOperation(two);
    HcsCloseComputeSystem(system);
    assert_false(fake.lines[0].open);
}

static void a_failure_is_made_into_a_document(void **state) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = begin(op);
    PWSTR document = NULL;
    const char *text;
    (void)state;
    answer(0, S_OK, NULL);
    ok(HcsStartComputeSystem(system, op, NULL));
    answer(1, E_ACCESSDENIED, NULL);
    fails(E_ACCESSDENIED, HcsGetOperationResult(op, &document));
    text = text_of(document);
    has(text, "{\"Error\":-2147024891,\"ErrorMessage\":\"");
    has(text, "the store says no (0x80070005)");
    has(text, "\"Provider\":\"51ddfa29-d5c8-4803-be4b-2ecb715570fe\","
              "\"EventId\":12290");
    has(text, "{\"Type\":\"String\",\"Value\":\"%%2147942405\"},"
              "{\"Type\":\"String\",\"Value\":\"0x80070005\"},"
              "{\"Type\":\"String\",\"Value\":\"Invalid JSON document "
              "'$.There'\"}");
    has(text,
        "\"Attribution\":[{\"OperationFailure\":{\"Detail\":\"Start\"}}]}");
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
}

/* A cancelled operation is free at once; the answer to its request comes when
 * it comes, to nobody. */
static void cancelled_requests_answer_to_nobody(void **state) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = begin(op);
    PWSTR document = NULL;
    (void)state;
    answer(0, S_OK, NULL);
    ok(HcsPauseComputeSystem(system, op, NULL));
    ok(HcsCancelOperation(op));
    fails(HR_CANCELLED, HcsWaitForOperationResult(op, 0, &document));
    has(text_of(document), "cancelled");
    ok(HcsCancelOperation(op));
    ok(HcsResumeComputeSystem(system, op, NULL));
    answer(1, S_OK, "{\"of\":\"the first\"}");
    fails(HCS_E_OPERATION_PENDING, HcsGetOperationResult(op, NULL));
    answer(2, S_OK, "{\"of\":\"the second\"}");
    ok(HcsGetOperationResult(op, &document));
    assert_string_equal(text_of(document), "{\"of\":\"the second\"}");
    /* one that is never answered goes with the host */
    ok(HcsPauseComputeSystem(system, op, NULL));
    ok(HcsCancelOperation(op));
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
}

static void count(HCS_OPERATION operation, void *context) {
    (void)operation;
    ++*(int *)context;
}

static void closed_operations_hear_nothing(void **state) {
    int called = 0;
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_OPERATION closed = HcsCreateOperation(&called, count);
    HCS_OPERATION open = HcsCreateOperation(&called, count);
    HCS_SYSTEM system = begin(op);
    (void)state;
    answer(0, S_OK, NULL);
    ok(HcsPauseComputeSystem(system, closed, NULL)); /* request 1 */
    HcsCloseOperation(closed);
    ok(HcsResumeComputeSystem(system, open, NULL)); /* request 2 */
    answer(1, S_OK, NULL);
    answer(2, S_OK, NULL);
    HcsCloseOperation(open); /* done, but not yet told */
    step();
    assert_int_equal(called, 0);
    /* never answered, closed or not: goes with the host */
    ok(HcsPauseComputeSystem(system, op, NULL));
    HcsCloseOperation(op);
    op = HcsCreateOperation(&called, count);
    ok(HcsPauseComputeSystem(system, op, NULL));
}

/* The store's first answer was not told yet when the second came. */
static void each_completion_is_told_once(void **state) {
    int called = 0;
    HCS_OPERATION op = HcsCreateOperation(&called, count);
    HCS_SYSTEM system = begin(op);
    (void)state;
    answer(0, S_OK, NULL);
    ok(HcsStartComputeSystem(system, op, NULL));
    answer(1, S_OK, NULL);
    ok(HcsPauseComputeSystem(system, op, NULL));
    step(); /* both, while the third is under way */
    assert_int_equal(called, 2);
    answer(2, S_OK, NULL);
    ok(HcsResumeComputeSystem(system, op, NULL));
    answer(3, S_OK, NULL);
    step();
    assert_int_equal(called, 4);
    HcsCloseComputeSystem(system);
    HcsCloseOperation(op);
}

/* --- exits ---------------------------------------------------------------- */

struct log {
    int count;
    HCS_EVENT_TYPE types[8];
    bool documents[8];
};

static void on_event(HCS_EVENT *event, void *context) {
    struct log *log = context;
    log->types[log->count] = event->Type;
    log->documents[log->count++] = event->EventData != NULL;
}

/* The store tells the exit and never answers what was under way. */
static void exit_with(const char *document, HRESULT pause, HRESULT start,
                      HRESULT terminate) {
    HCS_OPERATION ops[4];
    HCS_SYSTEM system;
    struct log log = {0};
    PWSTR result = NULL;
    size_t first;
    for (int i = 0; i < 4; i++)
        ops[i] = HcsCreateOperation(NULL, NULL);
    system = begin(ops[0]);
    first = fake.request_count - 1;
    answer(first, S_OK, NULL);
    ok(HcsSetComputeSystemCallback(
        system, HcsEventOptionEnableOperationCallbacks, &log, on_event));
    step();
    assert_int_equal(log.count, 1);
    ok(HcsPauseComputeSystem(system, ops[0], NULL));
    ok(HcsStartComputeSystem(system, ops[1], NULL));
    ok(HcsTerminateComputeSystem(system, ops[2], NULL));
    ok(HcsGetComputeSystemProperties(system, ops[3], NULL));
    tell(fake.line_count - 1, HcsEventSystemExited, document);
    tell(fake.line_count - 1, HcsEventSystemExited, "{\"again\":1}");
    tell(fake.line_count - 1, HcsEventSystemCrashReport, "{\"late\":1}");
    fails(pause, HcsGetOperationResult(ops[0], NULL));
    fails(start, HcsGetOperationResult(ops[1], NULL));
    fails(terminate, HcsGetOperationResult(ops[2], NULL));
    ok(HcsGetOperationResult(ops[3], &result));
    has(text_of(result), "\"Id\":\"Seam\"");
    step();
    assert_int_equal(log.count, 6);
    assert_int_equal(log.types[5], HcsEventSystemExited);
    assert_int_equal(log.documents[5], document != NULL);
    ok(HcsWaitForComputeSystemExit(system, 0, &result));
    assert_string_equal(text_of(result), document ? document : "");
    /* the late answers change nothing */
    answer(first + 1, S_OK, "{}");
    fails(pause, HcsGetOperationResult(ops[0], NULL));
    ok(HcsPauseComputeSystem(system, ops[0], NULL));
    fails(HCS_E_SYSTEM_ALREADY_STOPPED, HcsGetOperationResult(ops[0], NULL));
    HcsCloseComputeSystem(system);
    for (int i = 0; i < 4; i++)
        HcsCloseOperation(ops[i]);
    fake.request_count = fake.line_count = 0;
}

/* The first was answered; the second came too late, though the exit overtook
 * its answer. */
static void second_terminate_comes_too_late(void **state) {
    HCS_OPERATION create = HcsCreateOperation(NULL, NULL);
    HCS_OPERATION first = HcsCreateOperation(NULL, NULL);
    HCS_OPERATION second = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = begin(create);
    (void)state;
    answer(fake.request_count - 1, S_OK, NULL);
    ok(HcsTerminateComputeSystem(system, first, NULL));
    answer(fake.request_count - 1, S_OK, NULL);
    ok(HcsTerminateComputeSystem(system, second, NULL));
    tell(fake.line_count - 1, HcsEventSystemExited,
         "{\"Status\":0,\"ExitType\":\"ForcedExit\"}");
    ok(HcsGetOperationResult(first, NULL));
    fails(HCS_E_SYSTEM_ALREADY_STOPPED, HcsGetOperationResult(second, NULL));
    HcsCloseComputeSystem(system);
    HcsCloseOperation(create);
    HcsCloseOperation(first);
    HcsCloseOperation(second);
    fake.request_count = fake.line_count = 0;
}

static void exits_overtake_requests(void **state) {
    (void)state;
    exit_with("{\"Status\":0,\"ExitType\":\"ForcedExit\"}", HCS_E_TERMINATED,
              HCS_E_TERMINATED, S_OK);
    exit_with("{\"Status\":-1,\"ExitType\":\"UnexpectedExit\"}",
              HCS_E_UNEXPECTED_EXIT, HCS_E_TERMINATED_DURING_START,
              HCS_E_SYSTEM_ALREADY_STOPPED);
    exit_with("no JSON at all", HCS_E_UNEXPECTED_EXIT,
              HCS_E_TERMINATED_DURING_START, HCS_E_SYSTEM_ALREADY_STOPPED);
    exit_with(NULL, HCS_E_UNEXPECTED_EXIT, HCS_E_TERMINATED_DURING_START,
              HCS_E_SYSTEM_ALREADY_STOPPED);
}

static void events_follow_their_handle(void **state) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system = begin(op), other = NULL;
    struct log log = {0};
    (void)state;
    answer(0, S_OK, NULL);
    tell(0, HcsEventSystemCrashInitiated, "{}"); /* nobody listens */
    ok(HcsSetComputeSystemCallback(system, HcsEventOptionNone, &log, on_event));
    step();
    assert_int_equal(log.count, 0);
    tell(0, HcsEventSystemCrashInitiated, "{}");
    tell(0, HcsEventSystemCrashReport, NULL);
    step();
    assert_int_equal(log.count, 2);
    assert_int_equal(log.types[1], HcsEventSystemCrashReport);
    assert_false(log.documents[1]);
    /* what was queued goes with the callback */
    tell(0, HcsEventSystemCrashReport, "{}");
    ok(HcsSetComputeSystemCallback(system, HcsEventOptionNone, NULL, NULL));
    ok(HcsSetComputeSystemCallback(system, HcsEventOptionNone, &log, on_event));
    step();
    assert_int_equal(log.count, 2);
    /* a document that is no text is no document */
    tell(0, HcsEventSystemCrashReport, "\xff");
    step();
    assert_int_equal(log.count, 3);
    assert_false(log.documents[2]);
    /* a second handle hears for itself */
    fake.list = "[{\"Id\":\"Seam\",\"Owner\":\"them\",\"Name\":\"its name\"}]";
    ok(HcsOpenComputeSystem(u"Seam", GENERIC_ALL, &other));
    tell(1, HcsEventSystemExited, "{\"ExitType\":\"GracefulExit\"}");
    step();
    assert_int_equal(log.count, 3);
    {
        PWSTR document = NULL;
        ok(HcsGetComputeSystemProperties(other, op, u"{}"));
        ok(HcsGetOperationResult(op, &document));
        has(text_of(document),
            "\"Name\":\"its name\",\"Owner\":\"them\",\"RuntimeId\"");
    }
    tell(0, HcsEventSystemExited, "{}");
    HcsCloseComputeSystem(system); /* queued, and gone with the handle */
    step();
    assert_int_equal(log.count, 3);
    HcsCloseComputeSystem(other);
    HcsCloseOperation(op);
}

static void a_store_that_refuses(void **state) {
    HCS_OPERATION op = HcsCreateOperation(NULL, NULL);
    HCS_SYSTEM system;
    PWSTR document = NULL;
    (void)state;
    fake.create_result = HR_DISK_FULL;
    system = begin(op);
    fails(HR_DISK_FULL, HcsGetOperationResult(op, &document));
    has(text_of(document), "'$.Made'");
    HcsCloseComputeSystem(system);
    fake.open_result = HCS_E_SERVICE_NOT_AVAILABLE;
    fails(HCS_E_SERVICE_NOT_AVAILABLE,
          HcsOpenComputeSystem(u"x", GENERIC_ALL, &system));
    /* nonsense from an enumeration is passed on, and does not hurt an open */
    fake.open_result = S_OK;
    fake.list = "]";
    ok(HcsOpenComputeSystem(u"x", GENERIC_ALL, &system));
    HcsCloseComputeSystem(system);
    /* a list that is no text cannot be handed out */
    fake.list = "[\"\xff\"]";
    ok(HcsEnumerateComputeSystems(NULL, op));
    fails(HCS_E_OPERATION_RESULT_ALLOCATION_FAILED,
          HcsGetOperationResult(op, NULL));
    HcsCloseOperation(op);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(answers_come_in_any_order),
        TEST(a_failure_is_made_into_a_document),
        TEST(cancelled_requests_answer_to_nobody),
        TEST(closed_operations_hear_nothing),
        TEST(each_completion_is_told_once),
        TEST(exits_overtake_requests),
        TEST(second_terminate_comes_too_late),
        TEST(events_follow_their_handle),
        TEST(a_store_that_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
