/* SPDX-License-Identifier: MIT
 * The binding's queue alone: bounds, coalescing, late callbacks, threads. */
#ifdef _WIN32
#include <winsock2.h>
#else
#include <poll.h>
#endif

#include "../../src/binding/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../src/base/thread.h"

#define THREADS 4
#define EACH 5000
#define HANGS 60000 /* ms; less is a busy machine */

static void *context_of(HCS_OPERATION operation) {
    return operation; /* the tests' operations are their numbers */
}

static struct queue *new_queue(void) {
    struct queue *queue = NULL;
    assert_int_equal(queue_open(&queue, NULL), S_OK);
    queue_set_lookup(queue, context_of);
    return queue;
}

static void send_event(uint64_t number, HCS_EVENT_TYPE type, PCWSTR text) {
    HCS_EVENT event = {.Type = type, .EventData = text};
    queue_on_event(&event, QUEUE_CONTEXT(number));
}

static struct item take(struct queue *queue) {
    struct item item;
    assert_true(queue_take(queue, &item));
    return item;
}

static void assert_empty(struct queue *queue) {
    struct item item;
    assert_false(queue_take(queue, &item));
    assert_true(queue_empty(queue, false));
}

/* Whether an object, or a socket, is ready within `limit` ms. */
#ifdef _WIN32
static bool ready_within(hcs_waitable object, int limit) {
    return WaitForSingleObject(object, (DWORD)limit) == WAIT_OBJECT_0;
}

static bool socket_ready_within(intptr_t socket, int limit) {
    WSAPOLLFD poll = {.fd = (SOCKET)socket, .events = POLLRDNORM};
    return WSAPoll(&poll, 1, limit) == 1;
}
#else
static bool ready_within(hcs_waitable object, int limit) {
    struct pollfd fd = {.fd = object, .events = POLLIN};
    return poll(&fd, 1, limit) == 1;
}

static bool socket_ready_within(intptr_t socket, int limit) {
    return ready_within((hcs_waitable)socket, limit);
}
#endif

static bool readable(struct queue *queue, bool always) {
    return ready_within(queue_waitable(queue, always), 0);
}

static void chatter_is_coalesced_and_counted(void **state) {
    struct queue *queue = new_queue();
    uint64_t number = queue_number(queue);
    struct queue_counts counts;
    struct item item;
    (void)state;
    send_event(number, HcsEventSystemSiloJobCreated, u"one");
    send_event(number, HcsEventSystemGuestConnectionClosed, NULL);
    send_event(number, HcsEventSystemSiloJobCreated, u"two");
    queue_count(queue, &counts);
    assert_int_equal(counts.waiting, 2);
    assert_int_equal(counts.coalesced, 1);
    item = take(queue);
    assert_int_equal(item.type, HcsEventSystemSiloJobCreated);
    assert_string_equal(item.text, "two");
    free(item.text);
    assert_null(take(queue).text);
    assert_empty(queue);
    queue_close(queue);
}

static void chatter_is_bounded_and_the_rest_is_not(void **state) {
    struct queue *queue = new_queue();
    struct queue_counts counts;
    struct item item;
    unsigned vital = 0;
    (void)state;
    for (unsigned i = 0; i < QUEUE_CHATTER_ITEMS + 10; i++)
        send_event(queue_number(queue),
                   HcsEventSystemRdpEnhancedModeStateChanged, u"x");
    for (unsigned i = 0; i < QUEUE_CHATTER_ITEMS + 10; i++)
        send_event(queue_number(queue), HcsEventSystemExited, u"y");
    queue_count(queue, &counts);
    assert_int_equal(counts.waiting, 2 * QUEUE_CHATTER_ITEMS + 10);
    assert_int_equal(counts.dropped, 10);
    while (queue_take(queue, &item)) {
        vital += item.vital;
        free(item.text);
    }
    assert_int_equal(vital, QUEUE_CHATTER_ITEMS + 10);
    send_event(queue_number(queue), HcsEventSystemRdpEnhancedModeStateChanged,
               NULL);
    assert_false(take(queue).vital);
    queue_close(queue);
}

static void input_is_one_stream_and_bounded(void **state) {
    struct queue *queue = new_queue();
    void *context = QUEUE_CONTEXT(queue_number(queue));
    static const char block[65536];
    struct queue_counts counts;
    struct item item;
    size_t heard = 0;
    (void)state;
    queue_on_guest(context, 1, HcsHostGuestInput, "ab", 2);
    queue_on_guest(context, 1, HcsHostGuestInput, "c", 1);
    queue_on_guest(context, 2, HcsHostGuestInput, "d", 1);
    queue_on_guest(context, 1, HcsHostGuestWake, "", 0);
    item = take(queue);
    assert_string_equal(item.text, "abc");
    assert_int_equal(item.number, 1);
    free(item.text);
    item = take(queue);
    assert_string_equal(item.text, "d");
    free(item.text);
    assert_int_equal(take(queue).type, HcsHostGuestWake);
    for (unsigned i = 0; i < 100; i++)
        queue_on_guest(context, i % 2, HcsHostGuestInput, block, sizeof(block));
    queue_count(queue, &counts);
    assert_int_equal(counts.dropped, 100 - QUEUE_INPUT_BYTES / sizeof(block));
    while (queue_take(queue, &item)) {
        heard += item.length;
        free(item.text);
    }
    assert_int_equal(heard, QUEUE_INPUT_BYTES);
    queue_on_guest(context, 1, HcsHostGuestInput, "z", 1);
    free(take(queue).text);
    queue_close(queue);
}

static void an_event_names_its_operation(void **state) {
    struct queue *queue = new_queue();
    uint64_t number = queue_number(queue);
    uint64_t operation = queue_number(queue);
    HCS_EVENT event = {.Type = HcsEventOperationCallback,
                       .Operation = (HCS_OPERATION)(uintptr_t)operation};
    struct item item;
    (void)state;
    queue_on_event(&event, QUEUE_CONTEXT(number));
    item = take(queue);
    assert_true(item.vital);
    assert_true(item.number == number && item.operation == operation);
    queue_close(queue);
}

static void a_late_callback_finds_nothing(void **state) {
    struct queue *first = new_queue();
    uint64_t number = queue_number(first);
    struct queue *second;
    struct item item;
    (void)state;
    queue_close(first);
    queue_on_operation(NULL, QUEUE_CONTEXT(number));
    send_event(number, HcsEventSystemExited, u"text");
    queue_on_guest(QUEUE_CONTEXT(number), 1, HcsHostGuestInput, "x", 1);
    second = new_queue(); /* in the place of the first */
    assert_true(queue_number(second) != number);
    queue_on_operation(NULL, QUEUE_CONTEXT(number));
    item = take(second); /* a number that nobody has any more */
    assert_true(item.number == number);
    queue_close(second);
    queue_close(NULL);
}

static void the_descriptor_follows_the_queue(void **state) {
    struct queue *queue = new_queue();
    uint64_t number = queue_number(queue);
    (void)state;
    queue_on_operation(NULL, QUEUE_CONTEXT(number));
    assert_false(readable(queue, false)); /* nobody waits */
    assert_false(queue_empty(queue, true));
    (void)take(queue);
    assert_true(queue_empty(queue, true));
    queue_on_operation(NULL, QUEUE_CONTEXT(number));
    assert_true(readable(queue, false));
    queue_awake(queue);
    assert_false(readable(queue, false));
    assert_true(readable(queue, true)); /* from now on always */
    (void)take(queue);
    assert_false(readable(queue, true));
    queue_on_operation(NULL, QUEUE_CONTEXT(number));
    assert_true(readable(queue, true));
    queue_close(queue);
}

static void a_nudge_is_as_good_as_an_item(void **state) {
    struct queue *queue = new_queue();
    (void)state;
    queue_nudge(queue, true);
    assert_false(readable(queue, false)); /* nobody waits */
    assert_true(readable(queue, true));
    assert_true(queue_empty(queue, false));
    queue_on_operation(NULL, QUEUE_CONTEXT(queue_number(queue)));
    queue_nudge(queue, false);
    assert_true(readable(queue, true));
    queue_nudge(queue, true);
    (void)take(queue);
    assert_true(readable(queue, true));
    queue_nudge(queue, false);
    assert_false(readable(queue, true));
    queue_close(queue);
}

static void a_socket_follows_the_queue_too(void **state) {
    struct queue *queue = new_queue();
    uint64_t number = queue_number(queue);
    intptr_t early, socket;
    struct hcs_error error;
    (void)state;
    queue_on_operation(NULL, QUEUE_CONTEXT(number));
    assert_int_equal(queue_socket(queue, &early, &error), S_OK);
    assert_true(socket_ready_within(early, HANGS)); /* what is there already */
    (void)take(queue);
    assert_int_equal(queue_socket(queue, &socket, &error), S_OK);
    assert_true(socket == early);
    for (int round = 0; round < 200; round++) {
        assert_false(socket_ready_within(socket, 0));
        queue_on_operation(NULL, QUEUE_CONTEXT(number));
        queue_on_operation(NULL, QUEUE_CONTEXT(number));
        assert_true(socket_ready_within(socket, HANGS));
        (void)take(queue);
        assert_true(socket_ready_within(socket, 0));
        (void)take(queue);
    }
    queue_close(queue);
}

static void as_many_queues_as_there_are_places(void **state) {
    static struct queue *queues[4097];
    struct hcs_error error;
    size_t count = 0;
    HRESULT hr = S_OK;
    (void)state;
    while (count < HCS_COUNT(queues) && SUCCEEDED(hr)) {
        hr = queue_open(&queues[count], &error);
        count += SUCCEEDED(hr);
    }
    assert_true(FAILED(hr)); /* no place, or no descriptor */
    while (count > 0)
        queue_close(queues[--count]);
}

static void run(void *context) {
    uint64_t number = (uint64_t)(uintptr_t)context;
    for (int i = 0; i < EACH; i++) {
        queue_on_operation(NULL, context);
        send_event(number, HcsEventSystemGuestConnectionClosed, NULL);
    }
}

static void threads_may_all_push(void **state) {
    struct queue *queue = new_queue();
    hcs_thread threads[THREADS];
    unsigned vital = 0;
    struct item item;
    (void)state;
    assert_int_equal(queue_reserve(queue, THREADS * QUEUE_OPERATION_ITEMS),
                     S_OK);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(thread_start(&threads[i], run,
                                      QUEUE_CONTEXT(queue_number(queue)), NULL),
                         S_OK);
    while (vital < THREADS * EACH) {
        if (queue_take(queue, &item)) {
            vital += item.vital;
        } else if (queue_empty(queue, true)) {
            assert_true(ready_within(queue_waitable(queue, false), HANGS));
            queue_awake(queue);
        }
    }
    for (int i = 0; i < THREADS; i++)
        thread_join(threads[i]);
    queue_unreserve(queue, THREADS * QUEUE_OPERATION_ITEMS);
    queue_close(queue);
}

static void closing_while_callbacks_come(void **state) {
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct queue *queue = new_queue();
        hcs_thread thread;
        assert_int_equal(thread_start(&thread, run,
                                      QUEUE_CONTEXT(queue_number(queue)), NULL),
                         S_OK);
        queue_close(queue);
        thread_join(thread);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chatter_is_coalesced_and_counted),
        cmocka_unit_test(chatter_is_bounded_and_the_rest_is_not),
        cmocka_unit_test(input_is_one_stream_and_bounded),
        cmocka_unit_test(an_event_names_its_operation),
        cmocka_unit_test(a_late_callback_finds_nothing),
        cmocka_unit_test(the_descriptor_follows_the_queue),
        cmocka_unit_test(a_nudge_is_as_good_as_an_item),
        cmocka_unit_test(a_socket_follows_the_queue_too),
        cmocka_unit_test(as_many_queues_as_there_are_places),
        cmocka_unit_test(threads_may_all_push),
        cmocka_unit_test(closing_while_callbacks_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
