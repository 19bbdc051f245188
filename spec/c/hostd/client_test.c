/* SPDX-License-Identifier: MIT
 * The client against daemons that are none: what they say wrong, too late or
 * not at all. Each is a thread that listens where a daemon would. */
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "bench.h"
#include "hostd/channel.h"

struct fake {
    char path[64];
    struct hostd_place place;
    int directory, lock, listener;
    hcs_thread thread;
    bool running;
    void (*act)(struct fake *fake, struct channel *channel);
    int visits;
};

/* --- the other side ------------------------------------------------------- */

static void say(struct channel *channel, const struct hostd_message *message,
                int fd) {
    assert_hr(channel_send(channel, message, fd, NULL), S_OK);
    assert_hr(channel_flush(channel, NULL), S_OK);
}

static void hello(struct channel *channel) {
    const struct hostd_message message = {
        .kind = HOSTD_HELLO, .version = HOSTD_VERSION, .process = 4711};
    say(channel, &message, -1);
}

/* The next question; its tag. */
static uint64_t hear(struct channel *channel, enum hostd_kind kind) {
    struct hostd_message message;
    struct json_doc doc;
    uint64_t tag;
    int fd = -1;

    while (channel_next(channel, &message, &doc, &fd, NULL) == S_FALSE) {
        struct pollfd input = {channel->fd, POLLIN, 0};
        if (poll(&input, 1, 5000) <= 0 ||
            FAILED(channel_receive(channel, NULL)))
            return 0;
    }
    assert_int_equal(message.kind, kind);
    tag = message.tag;
    if (fd >= 0)
        close(fd);
    json_doc_free(&doc);
    return tag;
}

static void serve(void *context) {
    struct fake *fake = context;

    for (;;) {
        struct channel channel;
        int fd = accept4(fake->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return;
        fake->visits++;
        channel_open(&channel, fd);
        fake->act(fake, &channel);
        channel_close(&channel);
    }
}

static void start(struct fake *fake,
                  void (*act)(struct fake *, struct channel *)) {
    int flags;

    fake->act = act;
    assert_hr(
        socket_listen(fake->directory, HOSTD_SOCKET, &fake->listener, NULL),
        S_OK);
    flags = fcntl(fake->listener, F_GETFL);
    assert_int_equal(fcntl(fake->listener, F_SETFL, flags & ~O_NONBLOCK), 0);
    fake->lock =
        openat(fake->directory, HOSTD_LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(flock(fake->lock, LOCK_EX | LOCK_NB), 0);
    assert_hr(thread_start(&fake->thread, serve, fake, NULL), S_OK);
    fake->running = true;
}

static void stop(struct fake *fake) {
    if (!fake->running)
        return;
    shutdown(fake->listener, SHUT_RDWR);
    thread_join(fake->thread);
    close(fake->listener);
    close(fake->lock);
    fake->running = false;
}

static int open_fake(void **state) {
    struct fake *fake = calloc(1, sizeof *fake);

    assert_non_null(fake);
    snprintf(fake->path, sizeof fake->path, "/tmp/hcs-client-XXXXXX");
    assert_non_null(mkdtemp(fake->path));
    fake->place.path = fake->path;
    fake->place.program = "/nowhere/hcs-hostd";
    fake->place.root = open(fake->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fake->place.root >= 0);
    assert_hr(hostd_directory(fake->place.root, &fake->directory, NULL), S_OK);
    *state = fake;
    return 0;
}

static int close_fake(void **state) {
    static const char *const names[] = {HOSTD_SOCKET, HOSTD_LOCK, HOSTD_START};
    struct fake *fake = *state;

    stop(fake);
    for (size_t i = 0; i < HCS_COUNT(names); i++)
        unlinkat(fake->directory, names[i], 0);
    close(fake->directory);
    assert_int_equal(unlinkat(fake->place.root, HOSTD_DIRECTORY, AT_REMOVEDIR),
                     0);
    close(fake->place.root);
    assert_int_equal(rmdir(fake->path), 0);
    free(fake);
    return 0;
}

/* --- reaching ------------------------------------------------------------- */

static void nobody_and_no_program(void **state) {
    struct fake *fake = *state;
    struct hostd *hostd;
    struct hcs_error error;

    assert_hr(hostd_connect(&fake->place, &hostd, &error), HR_FILE_NOT_FOUND);
    assert_null(hostd);
    assert_non_null(strstr(error.text, "/nowhere/hcs-hostd"));
    assert_hr(hostd_connect_running(&fake->place, &hostd, &error),
              HR_NOT_FOUND);
}

static void a_program_that_only_ends(void **state) {
    struct fake *fake = *state;
    struct hostd *hostd;
    struct hcs_error error;

    fake->place.program = "/bin/false";
    assert_hr(hostd_connect(&fake->place, &hostd, &error),
              HR_RPC_SERVER_UNAVAILABLE);
    assert_non_null(strstr(error.text, "before it served anybody"));
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void lacking(struct fake *fake, struct channel *channel) {
    const struct hostd_message message = {.kind = HOSTD_HELLO,
                                          .version = HOSTD_VERSION,
                                          .result = E_ACCESSDENIED,
                                          .text = "it may not"};
    (void)fake;
    say(channel, &message, -1);
}

static void other_version(struct fake *fake, struct channel *channel) {
    const struct hostd_message message = {.kind = HOSTD_HELLO,
                                          .version = HOSTD_VERSION + 1};
    (void)fake;
    say(channel, &message, -1);
}

static void no_greeting(struct fake *fake, struct channel *channel) {
    const struct hostd_message message = {.kind = HOSTD_REPLY, .tag = 1};
    (void)fake;
    say(channel, &message, -1);
}

static void rubbish(struct fake *fake, struct channel *channel) {
    (void)fake;
    assert_int_equal(send(channel->fd, "GET / HTTP/1.0\r\n\r\n", 18, 0), 18);
    usleep(20000);
}

static void greetings_are_judged(void **state) {
    struct fake *fake = *state;
    struct hostd *hostd;
    struct hcs_error error;

    start(fake, lacking);
    assert_hr(hostd_connect(&fake->place, &hostd, &error), E_ACCESSDENIED);
    assert_string_equal(error.text, "it may not");
    fake->act = other_version;
    assert_hr(hostd_connect(&fake->place, &hostd, &error),
              HCS_E_UNSUPPORTED_PROTOCOL_VERSION);
    fake->act = no_greeting;
    assert_hr(hostd_connect(&fake->place, &hostd, &error),
              HCS_E_PROTOCOL_ERROR);
    assert_null(hostd);
}

/* Who ends without a greeting may be on the way out: it is looked for again. */
static void greets_the_third(struct fake *fake, struct channel *channel) {
    if (fake->visits < 3)
        return;
    hello(channel);
    hear(channel, HOSTD_DETACH);
}

static void who_leaves_is_looked_for_again(void **state) {
    struct fake *fake = *state;
    struct hostd *hostd;

    start(fake, greets_the_third);
    assert_hr(hostd_connect(&fake->place, &hostd, NULL), S_OK);
    assert_int_equal(hostd_process(hostd), 4711);
    assert_int_equal(fake->visits, 3);
    hostd_close(hostd);
}

static void never_greets(struct fake *fake, struct channel *channel) {
    struct pollfd input = {channel->fd, POLLIN, 0};
    (void)fake;
    poll(&input, 1, 15000); /* until the client goes */
}

static void greetings_have_a_deadline(void **state) {
    struct fake *fake = *state;
    struct hostd *hostd;
    int64_t began = clock_monotonic();

    start(fake, never_greets);
    assert_hr(hostd_connect(&fake->place, &hostd, NULL), HR_TIMEOUT);
    assert_in_range(clock_monotonic() - began, 9 * CLOCK_SECOND,
                    40 * CLOCK_SECOND);
}

/* --- calls ---------------------------------------------------------------- */

static void answers_another(struct fake *fake, struct channel *channel) {
    struct hostd_message reply = {.kind = HOSTD_REPLY};
    (void)fake;
    hello(channel);
    reply.tag = hear(channel, HOSTD_DETACH) + 1;
    say(channel, &reply, -1);
    hear(channel, HOSTD_DETACH);
}

static void answers_with_an_event(struct fake *fake, struct channel *channel) {
    const struct hostd_message event = {.kind = HOSTD_EVENT, .type = 2};
    (void)fake;
    hello(channel);
    hear(channel, HOSTD_DETACH);
    say(channel, &event, -1);
    hear(channel, HOSTD_DETACH);
}

static void ends_in_the_middle(struct fake *fake, struct channel *channel) {
    (void)fake;
    hello(channel);
    hear(channel, HOSTD_DETACH);
    assert_int_equal(send(channel->fd, "\x10\0\0\0{", 5, 0), 5);
}

static void speaks_rubbish(struct fake *fake, struct channel *channel) {
    hello(channel);
    hear(channel, HOSTD_DETACH);
    rubbish(fake, channel);
}

static void wrong_answers_end_the_connection(void **state) {
    static void (*const acts[])(struct fake *, struct channel *) = {
        answers_another, answers_with_an_event, ends_in_the_middle,
        speaks_rubbish};
    struct fake *fake = *state;
    const struct guid id = {{1}};

    fake->act = acts[0];
    start(fake, acts[0]);
    for (size_t i = 0; i < HCS_COUNT(acts); i++) {
        struct hostd *hostd;
        fake->act = acts[i];
        assert_hr(hostd_connect(&fake->place, &hostd, NULL), S_OK);
        assert_false(hostd_ended(hostd));
        assert_hr(hostd_detach(hostd, &id, NULL), HR_RPC_SERVER_UNAVAILABLE);
        assert_true(hostd_ended(hostd));
        assert_false(hostd_alive(hostd));
        assert_true(hostd_fd(hostd) >= 0);
        assert_hr(hostd_detach(hostd, &id, NULL), HR_RPC_SERVER_UNAVAILABLE);
        hostd_close(hostd);
    }
}

static void refuses(struct fake *fake, struct channel *channel) {
    struct hostd_message reply = {.kind = HOSTD_REPLY,
                                  .result = HR_NOT_FOUND,
                                  .path = "EndpointId",
                                  .text = "no"};
    (void)fake;
    hello(channel);
    reply.tag = hear(channel, HOSTD_DETACH);
    say(channel, &reply, -1);
    reply.tag = hear(channel, HOSTD_DETACH);
    reply.result = S_OK;
    say(channel, &reply, -1);
}

static void refusals_leave_the_connection(void **state) {
    struct fake *fake = *state;
    const struct guid id = {{1}};
    struct hostd *hostd;
    struct hcs_error error;

    start(fake, refuses);
    assert_hr(hostd_connect(&fake->place, &hostd, NULL), S_OK);
    assert_hr(hostd_detach(hostd, &id, &error), HR_NOT_FOUND);
    assert_string_equal(error.path, "EndpointId");
    assert_string_equal(error.text, "no");
    assert_hr(hostd_detach(hostd, &id, &error), S_OK);
    hostd_close(hostd);
}

static void promises_a_socket(struct fake *fake, struct channel *channel) {
    struct hostd_message reply = {.kind = HOSTD_REPLY};
    (void)fake;
    hello(channel);
    reply.tag = hear(channel, HOSTD_CONNECT);
    say(channel, &reply, open("/dev/null", O_RDONLY | O_CLOEXEC));
    reply.tag = hear(channel, HOSTD_CONNECT);
    say(channel, &reply, -1);
}

static void descriptors_come_with_answers(void **state) {
    struct fake *fake = *state;
    struct hostd *hostd;
    struct stat st;
    int fd = -1;

    start(fake, promises_a_socket);
    assert_hr(hostd_connect(&fake->place, &hostd, NULL), S_OK);
    assert_hr(hostd_dial(hostd, "127.0.0.1", 80, &fd, NULL), S_OK);
    assert_int_equal(fstat(fd, &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
    assert_hr(hostd_dial(hostd, "127.0.0.1", 80, &fd, NULL),
              HR_RPC_SERVER_UNAVAILABLE); /* that one has none */
    assert_int_equal(fd, -1);
    hostd_close(hostd);
}

static void counts_badly(struct fake *fake, struct channel *channel) {
    struct hostd_message reply = {.kind = HOSTD_REPLY};
    (void)fake;
    hello(channel);
    reply.tag = hear(channel, HOSTD_INVENTORY);
    reply.document = "{\"Networks\":1,\"Endpoints\":2,\"Namespaces\":3,"
                     "\"Interfaces\":4,\"Rules\":5,\"Processes\":6}";
    say(channel, &reply, -1);
    reply.tag = hear(channel, HOSTD_INVENTORY);
    reply.document = "{\"Networks\":-1}";
    say(channel, &reply, -1);
}

static void counts_are_read(void **state) {
    struct fake *fake = *state;
    struct hostd_inventory found;
    struct hostd *hostd;

    start(fake, counts_badly);
    assert_hr(hostd_connect(&fake->place, &hostd, NULL), S_OK);
    assert_hr(hostd_inventory(hostd, &found, NULL), S_OK);
    assert_int_equal(found.networks, 1);
    assert_int_equal(found.processes, 6);
    assert_hr(hostd_inventory(hostd, &found, NULL), HR_RPC_SERVER_UNAVAILABLE);
    hostd_close(hostd);
}

/* --- events --------------------------------------------------------------- */

static void tells_and_ends(struct fake *fake, struct channel *channel) {
    struct hostd_message message = {.kind = HOSTD_REPLY};
    (void)fake;
    hello(channel);
    message.tag = hear(channel, HOSTD_LISTEN);
    say(channel, &message, -1);
    message = (struct hostd_message){.kind = HOSTD_EVENT, .document = "{}"};
    for (message.type = 1; message.type <= 3; message.type++)
        say(channel, &message, -1);
}

static void note(void *context, const struct net_event *event) {
    int *sum = context;
    assert_string_equal(event->document, "{}");
    *sum = *sum * 10 + (int)event->type;
}

/* Also those that came just before the end. */
static void events_come_in_order(void **state) {
    struct fake *fake = *state;
    struct pollfd end;
    struct hostd *hostd;
    HRESULT hr;
    int sum = 0;

    start(fake, tells_and_ends);
    assert_hr(hostd_connect(&fake->place, &hostd, NULL), S_OK);
    assert_hr(hostd_listen(hostd, NULL), S_OK);
    end = (struct pollfd){hostd_fd(hostd), POLLRDHUP, 0};
    assert_int_equal(poll(&end, 1, 5000), 1);
    while ((hr = hostd_next(hostd, note, &sum, NULL)) == S_OK)
        continue;
    assert_hr(hr, HR_RPC_SERVER_UNAVAILABLE);
    assert_int_equal(sum, 123);
    assert_hr(hostd_next(hostd, note, &sum, NULL), HR_RPC_SERVER_UNAVAILABLE);
    hostd_close(hostd);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fake, close_fake)
    const struct CMUnitTest tests[] = {
        TEST(nobody_and_no_program),
        TEST(a_program_that_only_ends),
        TEST(greetings_are_judged),
        TEST(who_leaves_is_looked_for_again),
        TEST(greetings_have_a_deadline),
        TEST(wrong_answers_end_the_connection),
        TEST(refusals_leave_the_connection),
        TEST(descriptors_come_with_answers),
        TEST(counts_are_read),
        TEST(events_come_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
