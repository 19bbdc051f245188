/* SPDX-License-Identifier: MIT
 * The daemon is killed at every moment of what it does. Whatever it had
 * answered is there afterwards; what it had not is there or not, as a whole;
 * and in the end nothing is left. */
#include "bench.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOMENTS 24

struct killer {
    pthread_t thread;
    pid_t victim;
    long delay; /* ns */
};

static void *strike(void *context) {
    struct killer *killer = context;
    struct timespec delay = {0, killer->delay};

    nanosleep(&delay, NULL);
    kill(killer->victim, SIGKILL);
    return NULL;
}

static void send_killer(struct killer *killer, const struct bench *bench,
                        long delay) {
    killer->victim = (pid_t)hostd_process(bench->hostd);
    killer->delay = delay;
    assert_int_equal(pthread_create(&killer->thread, NULL, strike, killer), 0);
}

/* --- what is done until it dies ------------------------------------------- */

struct deeds {
    struct guid ids[256];
    enum net_kind kinds[256];
    bool removed[256];
    size_t count;
    size_t open; /* the one that was not answered; count: none */
};

static const struct hostd_terms terms = {.build = 26100};

static HRESULT do_one(struct bench *bench, enum net_verb verb,
                      enum net_kind kind, const struct guid *id,
                      const struct guid *parent, const char *text) {
    struct net_request request = {.verb = verb, .kind = kind, .text = text};

    if (id)
        request.id = *id;
    if (parent)
        request.parent = *parent;
    net_reply_free(&bench->reply);
    return hostd_request(bench->hostd, &terms, &request, &bench->reply);
}

static bool create(struct bench *bench, struct deeds *deeds, enum net_kind kind,
                   const struct guid *parent, const char *text) {
    HRESULT hr = do_one(bench, NET_CREATE, kind, NULL, parent, text);

    if (FAILED(hr)) {
        assert_hr(hr, HR_RPC_SERVER_UNAVAILABLE);
        return false;
    }
    deeds->kinds[deeds->count] = kind;
    deeds->removed[deeds->count] = false;
    deeds->ids[deeds->count++] = bench->reply.id;
    return true;
}

static bool join_space(struct bench *bench, const struct guid *space,
                       const struct guid *endpoint) {
    char text[200], id[GUID_TEXT_SIZE];
    HRESULT hr;

    guid_format(endpoint, id);
    snprintf(text, sizeof text,
             "{\"ResourceType\":\"Endpoint\",\"RequestType\":\"Add\","
             "\"Settings\":{\"EndpointId\":\"%s\"}}",
             id);
    hr = do_one(bench, NET_MODIFY, NET_NAMESPACE, space, NULL, text);
    return SUCCEEDED(hr);
}

static bool destroy(struct bench *bench, struct deeds *deeds, size_t which) {
    HRESULT hr = do_one(bench, NET_DELETE, deeds->kinds[which],
                        &deeds->ids[which], NULL, NULL);

    deeds->open = which;
    if (FAILED(hr))
        return false;
    deeds->open = SIZE_MAX;
    deeds->removed[which] = true;
    return true;
}

/* A network with DHCP, an endpoint in a namespace and one that is mapped, and
 * away with the first of them. */
static bool round_of(struct bench *bench, struct deeds *deeds, unsigned which) {
    size_t first = deeds->count;
    struct guid *ids = &deeds->ids[first];
    char text[256];

    snprintf(text, sizeof text,
             "{\"Type\":\"ICS\",\"Flags\":2,\"Ipams\":[{\"Subnets\":[{"
             "\"IpAddressPrefix\":\"10.%u.%u.0/24\"}]}]}",
             80 + which / 256, which % 256);
    if (!create(bench, deeds, NET_NETWORK, NULL, text) ||
        !create(bench, deeds, NET_ENDPOINT, &ids[0], "{}") ||
        !create(bench, deeds, NET_NAMESPACE, NULL, "{}") ||
        !join_space(bench, &ids[2], &ids[1]))
        return false;
    snprintf(text, sizeof text,
             "{\"Policies\":[{\"Type\":\"PortMapping\",\"Settings\":{"
             "\"Protocol\":6,\"InternalPort\":80,\"ExternalPort\":%u}}]}",
             8000 + which);
    return create(bench, deeds, NET_ENDPOINT, &ids[0], text) &&
           destroy(bench, deeds, first + 1);
}

/* The answers that were given hold. */
static void check(struct bench *bench, const struct deeds *deeds) {
    size_t extra = 0, standing[NET_KIND_COUNT] = {0};

    for (size_t i = 0; i < deeds->count; i++) {
        HRESULT hr = do_one(bench, NET_OPEN, deeds->kinds[i], &deeds->ids[i],
                            NULL, NULL);

        if (deeds->open == i) {
            standing[deeds->kinds[i]] += SUCCEEDED(hr);
        } else {
            assert_int_equal(SUCCEEDED(hr), !deeds->removed[i]);
            standing[deeds->kinds[i]] += !deeds->removed[i];
        }
    }
    /* at most one that was made and not told of */
    extra += count(bench, NET_NETWORK) - standing[NET_NETWORK];
    extra += count(bench, NET_ENDPOINT) - standing[NET_ENDPOINT];
    extra += count(bench, NET_NAMESPACE) - 1 - standing[NET_NAMESPACE];
    assert_true(extra <= 1);
}

static bool has_bad_files(const struct bench *bench) {
    char line[512];

    snprintf(line, sizeof line, "ls %s/net/objects/*/*.bad >/dev/null 2>&1",
             bench->path);
    return system(line) == 0;
}

static void at_any_moment(void **state) {
    struct bench *bench = *state;

    for (int moment = 0; moment < MOMENTS; moment++) {
        struct deeds deeds = {.open = SIZE_MAX};
        struct killer killer;
        char *before, *after;

        send_killer(&killer, bench, (long)moment * 6700000 + 137000);
        for (unsigned i = 0; deeds.count < 200; i++)
            if (!round_of(bench, &deeds, i))
                break;
        pthread_join(killer.thread, NULL);
        await_end(bench);
        rejoin(bench);
        assert_false(has_bad_files(bench));
        check(bench, &deeds);
        before = picture(bench);
        kill_daemon(bench); /* and what it found is what it keeps */
        rejoin(bench);
        after = picture(bench);
        assert_string_equal(after, before);
        free(before);
        free(after);
        erase_all(bench);
    }
}

/* A client starts it, and both die. */
static void start_and_kill(struct bench *bench, useconds_t delay) {
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct hostd *hostd;

        hostd_connect(&bench->place, &hostd, NULL);
        for (;;)
            pause();
    }
    usleep(delay);
    kill_all(bench);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    do { /* one that the child had just begun shows later */
        kill_all(bench);
        usleep(2000);
    } while (is_running(bench) || processes(bench) > 0);
}

/* While it comes up again: the next one is whole all the same. */
static void while_it_begins(void **state) {
    struct bench *bench = *state;
    char *before, *after;
    struct deeds deeds = {.open = SIZE_MAX};

    for (unsigned i = 0; i < 4; i++)
        assert_true(round_of(bench, &deeds, i));
    before = picture(bench);
    for (int moment = 0; moment < MOMENTS; moment++) {
        kill_daemon(bench);
        leave(bench);
        start_and_kill(bench, (useconds_t)moment * 2500);
        bench->hostd = join(bench);
        if (moment % 8)
            continue;
        after = picture(bench);
        assert_string_equal(after, before);
        free(after);
    }
    free(before);
}

/* Its orders to leave and those who come at the same time. */
static void coming_while_it_goes(void **state) {
    struct bench *bench = *state;

    for (int i = 0; i < 60; i++) {
        leave(bench);
        usleep((useconds_t)(i * 100));
        bench->hostd = join(bench);
        assert_true(hostd_alive(bench->hostd));
        assert_int_equal(count(bench, NET_NETWORK), 0);
    }
    /* The last but one is on its way out, and maybe more where much is to do.
     */
    await_processes(bench, 1);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, bench_open, bench_close)

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        TEST(at_any_moment),
        TEST(while_it_begins),
        TEST(coming_while_it_goes),
    };
    return bench_run(tests, sizeof tests / sizeof *tests, argc, argv);
}
