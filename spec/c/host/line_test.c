/* SPDX-License-Identifier: MIT
 * A handle's connection to a worker that is played here: what is no message of
 * a worker ends the connection, and with it everything that waits. */
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/store_worker_private.h"
#include "world.h"

struct side {
    struct worker_store store;
    struct store_sink sink;
    struct store_line *line;
    int worker; /* the other end */
    unsigned exits, others, answers;
    HCS_EVENT_TYPE last;
    HRESULT result;
};

static void on_event(struct store_sink *sink, HCS_EVENT_TYPE type,
                     const char *document) {
    struct side *side = HCS_CONTAINER(sink, struct side, sink);
    (void)document;
    if (type == HcsEventSystemExited)
        side->exits++;
    else
        side->others++;
    side->last = type;
}

static void on_reply(void *context, const struct vm_reply *reply) {
    struct side *side = context;
    side->answers++;
    side->result = reply->result;
}

static void begin(struct side *side) {
    struct store_request request = {on_reply, side};
    int fds[2];
    *side = (struct side){.sink.event = on_event};
    side->store.config.build = 26100;
    side->store.epoll = epoll_create1(EPOLL_CLOEXEC);
    link_init(&side->store.lines);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds),
                     0);
    side->worker = fds[1];
    ok(line_new(&side->store, "a", fds[0], &side->sink, &side->line, NULL));
    line_submit(side->line, HcsOperationTypeStart, NULL, request);
}

static void end(struct side *side) {
    line_end(side->line);
    assert_true(link_alone(&side->store.lines));
    close(side->worker);
    close(side->store.epoll);
}

static void tell(struct side *side, const struct message *message) {
    struct buf frame = {0};
    ok(message_write(&frame, message, NULL));
    assert_int_equal(send(side->worker, frame.data, frame.length, 0),
                     frame.length);
    buf_free(&frame);
    line_handle(side->line, EPOLLIN);
}

static void events_of_systems_are_heard(void **state) {
    struct message message = {.kind = MESSAGE_EVENT, .document = "{}"};
    struct side side;
    (void)state;
    begin(&side);
    for (int type = HcsEventSystemCrashInitiated;
         type <= HcsEventSystemGuestConnectionClosed; type++) {
        message.type = type;
        tell(&side, &message);
        assert_int_equal(side.last, type);
    }
    assert_int_equal(side.others, 5);
    assert_true(side.line->fd >= 0);
    end(&side);
}

static void other_events_are_no_workers(void **state) {
    static const int64_t types[] = {HcsEventInvalid,
                                    -1,
                                    HcsEventSystemGuestConnectionClosed + 1,
                                    HcsEventOperationCallback,
                                    HcsEventServiceDisconnect,
                                    INT64_C(0x100000001)};
    (void)state;
    for (size_t i = 0; i < HCS_COUNT(types); i++) {
        struct message message = {.kind = MESSAGE_EVENT, .type = types[i]};
        struct side side;
        begin(&side);
        tell(&side, &message);
        assert_int_equal(side.others, 0);
        assert_int_equal(side.exits, 1); /* the worker counts as gone */
        assert_int_equal(side.answers, 1);
        assert_int_equal((uint32_t)side.result,
                         (uint32_t)HCS_E_UNEXPECTED_EXIT);
        assert_int_equal(side.line->fd, -1);
        end(&side);
    }
}

static void each_request_is_answered_once(void **state) {
    struct message message = {.kind = MESSAGE_REPLY, .tag = 1};
    struct side side;
    (void)state;
    begin(&side);
    tell(&side, &message);
    assert_int_equal(side.answers, 1);
    assert_int_equal(side.exits, 0);
    tell(&side, &message); /* nobody waits for it */
    assert_int_equal(side.answers, 1);
    assert_int_equal(side.exits, 1);
    end(&side);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_of_systems_are_heard),
        cmocka_unit_test(other_events_are_no_workers),
        cmocka_unit_test(each_request_is_answered_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
