/* SPDX-License-Identifier: MIT
 * Streams: the same on sockets and on named pipes. */
#include "unit.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/stream.h"
#include "base/thread.h"
#include "native.h"
#include "platform.h"

#define NAME "\\\\.\\pipe\\hcs-stream-test-\xc3\xa9-"

/* The host's end and one client's. */
struct scene {
    struct stream_set *set;
    struct stream_listener *listener;
    struct stream *host; /* of the client that came last */
    unsigned came;
    unsigned events; /* that were announced */
    unsigned watched;
    bool refuse;
    struct stream_set *clients;
    struct stream *client;
    char name[96];
    long blocks; /* of memory, before it began */
};

static void on_ready(void *context, unsigned events) {
    struct scene *scene = context;
    scene->events |= events;
}

static HRESULT on_client(void *context, stream_native native,
                         struct hcs_error *error) {
    struct scene *scene = context;
    HRESULT hr;
    if (scene->refuse) {
        native_close(native);
        return E_FAIL;
    }
    hr = stream_open(scene->set, native, on_ready, scene, &scene->host, error);
    if (SUCCEEDED(hr))
        hr = stream_watch(scene->host, scene->watched, error);
    scene->came++;
    return hr;
}

static HRESULT scene_listen(struct scene *scene) {
    return stream_listen(scene->set, scene->name, on_client, scene,
                         &scene->listener, NULL);
}

static struct stream *connect_client(struct scene *scene) {
    stream_native native;
    struct stream *client;
    assert_hr(stream_listener_connect(scene->listener, &native, NULL), S_OK);
    assert_hr(stream_open(scene->clients, native, NULL, NULL, &client, NULL),
              S_OK);
    return client;
}

static void scene_begin(struct scene *scene) {
    static unsigned number;
    *scene =
        (struct scene){.watched = STREAM_READABLE, .blocks = faults_live()};
    snprintf(scene->name, sizeof scene->name, NAME "%u-%u",
             (unsigned)os_process_id(), ++number);
    assert_hr(stream_set_create(&scene->set, NULL), S_OK);
    assert_hr(stream_set_create(&scene->clients, NULL), S_OK);
    assert_hr(scene_listen(scene), S_OK);
}

static void scene_open(struct scene *scene) {
    scene_begin(scene);
    scene->client = connect_client(scene);
    assert_int_equal(scene->came, 1);
}

static void scene_close(struct scene *scene) {
    stream_set_destroy(scene->clients);
    stream_set_destroy(scene->set);
    for (int i = 0; i < 1000 && faults_live() > scene->blocks; i++)
        platform_pause(10); /* what the system still has to finish */
    assert_int_equal(faults_live(), scene->blocks);
}

/* --- what is said --------------------------------------------------------- */

static size_t put(struct stream *stream, const char *bytes, size_t length) {
    size_t taken = 0;
    assert_hr(stream_write(stream, bytes, length, &taken, NULL), S_OK);
    assert_true(taken <= length);
    return taken;
}

static void say(struct stream *stream, const char *text) {
    assert_int_equal(put(stream, text, strlen(text)), strlen(text));
}

static void hear(struct stream *stream, const char *text) {
    char bytes[256];
    size_t got;
    assert_hr(stream_read(stream, bytes, sizeof bytes - 1, &got, NULL), S_OK);
    bytes[got] = '\0';
    assert_string_equal(bytes, text);
}

static void hear_end(struct stream *stream) {
    char byte;
    size_t got = 1;
    assert_hr(stream_read(stream, &byte, 1, &got, NULL), S_FALSE);
    assert_int_equal(got, 0);
}

/* Pumps without waiting; returns what was announced. */
static unsigned announced(struct scene *scene) {
    scene->events = 0;
    stream_set_pump(scene->set);
    return scene->events;
}

/* The event of a completion may come late, so that it is waited out. */
static void becomes_quiet(struct stream_set *set) {
    int tries = 0;
    do {
        assert_false(stream_set_pump(set));
        assert_true(++tries < 100);
    } while (native_wait(stream_set_waitable(set), 10));
}

static void wait_for(struct stream_set *set) {
    assert_true(native_wait(stream_set_waitable(set), 10000));
}

/* So may that of one that changes nothing, before the one that matters. */
static void comes_to_be_announced(struct scene *scene, unsigned event) {
    int tries = 0;
    do {
        assert_true(++tries < 100);
        wait_for(scene->set);
    } while (!(announced(scene) & event));
}

static void both_ways(void **state) {
    struct scene scene;
    (void)state;
    scene_open(&scene);
    hear(scene.host, "");
    hear(scene.client, "");
    say(scene.client, "from the client");
    hear(scene.host, "from the client");
    say(scene.host, "from ");
    say(scene.host, "the host");
    hear(scene.client, "from the host");
    assert_int_equal(put(scene.host, "", 0), 0);
    hear(scene.client, "");
    assert_true(stream_flushed(scene.host));
    assert_true(stream_to_handle(stream_get_native(scene.host)) != NULL);
    assert_true(stream_from_handle(stream_to_handle(stream_get_native(
                    scene.client))) == stream_get_native(scene.client));
    scene_close(&scene);
}

/* What was written before a pump is found by it, with no time in between. */
static void arrives_at_once(void **state) {
    struct scene scene;
    (void)state;
    scene_open(&scene);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(announced(&scene), 0);
        say(scene.client, "x");
        assert_int_equal(announced(&scene), STREAM_READABLE);
        hear(scene.host, "x");
    }
    scene_close(&scene);
}

static void announces(void **state) {
    struct scene scene;
    (void)state;
    scene_open(&scene);
    becomes_quiet(scene.set);
    say(scene.client, "ab");
    wait_for(scene.set);
    assert_int_equal(announced(&scene), STREAM_READABLE);
    assert_int_equal(announced(&scene), STREAM_READABLE); /* it still holds */
    wait_for(scene.set);
    assert_hr(stream_watch(scene.host, 0, NULL), S_OK);
    becomes_quiet(scene.set);
    assert_int_equal(stream_events(scene.host),
                     STREAM_READABLE | STREAM_WRITABLE);
    assert_hr(stream_watch(scene.host, STREAM_READABLE, NULL), S_OK);
    wait_for(scene.set);
    hear(scene.host, "ab");
    becomes_quiet(scene.set);
    assert_hr(stream_watch(scene.host, STREAM_WRITABLE, NULL), S_OK);
    wait_for(scene.set);
    assert_int_equal(announced(&scene), STREAM_WRITABLE);
    assert_int_equal(stream_events(scene.host), STREAM_WRITABLE);
    scene_close(&scene);
}

/* --- ends ----------------------------------------------------------------- */

static void client_leaves(void **state) {
    struct scene scene;
    size_t taken;
    (void)state;
    scene_open(&scene);
    becomes_quiet(scene.set);
    say(scene.client, "last words");
    stream_close(scene.client);
    comes_to_be_announced(&scene, STREAM_READABLE);
    hear(scene.host, "last words");
    hear_end(scene.host);
    hear_end(scene.host);
    assert_true(FAILED(stream_write(scene.host, "x", 1, &taken, NULL)));
    assert_int_equal(taken, 0);
    assert_hr(stream_watch(scene.host, 0, NULL), S_OK);
    comes_to_be_announced(&scene, STREAM_GONE);
    assert_true(stream_events(scene.host) & STREAM_GONE);
    stream_close(scene.host);
    becomes_quiet(scene.set);
    scene_close(&scene);
}

static void host_leaves(void **state) {
    struct scene scene;
    size_t taken;
    (void)state;
    scene_open(&scene);
    assert_hr(stream_watch(scene.client, STREAM_READABLE, NULL), S_OK);
    becomes_quiet(scene.clients);
    say(scene.host, "the rest");
    stream_close(scene.host);
    stream_listener_close(scene.listener);
    wait_for(scene.clients);
    assert_true(stream_events(scene.client) & STREAM_READABLE);
    hear(scene.client, "the rest");
    hear_end(scene.client);
    assert_true(FAILED(stream_write(scene.client, "x", 1, &taken, NULL)));
    stream_close(NULL);
    stream_listener_close(NULL);
    scene_close(&scene);
}

/* --- much ----------------------------------------------------------------- */

static char byte_at(uint64_t place) {
    return (char)(place * 31 + place / 251);
}

/* Writes from `place` on what is taken now. */
static uint64_t pour(struct stream *stream, uint64_t place, uint64_t end) {
    char bytes[50000];
    size_t length =
        end - place < sizeof bytes ? (size_t)(end - place) : sizeof bytes;
    for (size_t i = 0; i < length; i++)
        bytes[i] = byte_at(place + i);
    return place + put(stream, bytes, length);
}

static uint64_t drink(struct stream *stream, uint64_t place, size_t most) {
    char bytes[70000];
    size_t got;
    assert_true(most <= sizeof bytes);
    assert_hr(stream_read(stream, bytes, most, &got, NULL), S_OK);
    for (size_t i = 0; i < got; i++)
        if (bytes[i] != byte_at(place + i))
            assert_int_equal(bytes[i], byte_at(place + i));
    return place + got;
}

static void flood(void **state) {
    static const size_t sizes[] = {70000, 1, 4096, 65536, 333};
    struct scene scene;
    uint64_t end = 4u << 20;
    uint64_t written = 0, read = 0;
    (void)state;
    scene_open(&scene);
    for (size_t i = 0; read < end; i++) {
        uint64_t before = written + read;
        written = pour(scene.host, written, end);
        read = drink(scene.client, read, sizes[i % 5]);
        if (written + read == before)
            wait_for(scene.set); /* a completion is under way */
        assert_true(read <= written);
    }
    assert_int_equal(written, end);
    scene_close(&scene);
}

/* Fills a stream that nobody reads. */
static uint64_t fill(struct stream *stream) {
    uint64_t place = 0, before = 1;
    while (place != before && place < (64u << 20)) {
        before = place;
        place = pour(stream, place, UINT64_MAX);
    }
    return place;
}

/* A slow reader holds up nobody, and loses nothing. */
static void slow_reader(void **state) {
    struct scene scene;
    uint64_t written, read = 0;
    (void)state;
    scene_open(&scene);
    written = fill(scene.host);
    assert_true(written >= 65536);
    assert_true(written < (64u << 20));
    assert_false(stream_events(scene.host) & STREAM_WRITABLE);
    assert_hr(stream_watch(scene.host, STREAM_READABLE | STREAM_WRITABLE, NULL),
              S_OK);
    becomes_quiet(scene.set);
    while (read < written)
        read = drink(scene.client, read, 70000);
    comes_to_be_announced(&scene, STREAM_WRITABLE);
    assert_true(stream_flushed(scene.host));
    assert_true(pour(scene.host, written, written + 1) == written + 1);
    assert_true(drink(scene.client, read, 10) == written + 1);
    scene_close(&scene);
}

/* Closed with a read, a write and a client under way. */
static void destroyed_in_the_middle(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct scene scene;
        scene_open(&scene);
        fill(scene.host);
        fill(scene.client);
        if (i % 2)
            stream_set_pump(scene.set);
        scene_close(&scene);
    }
}

/* --- who comes ------------------------------------------------------------ */

static void many_clients(void **state) {
    struct scene scene;
    long before = 0;
    (void)state;
    scene_begin(&scene);
    for (int i = 0; i < 2000; i++) {
        struct stream *client = connect_client(&scene);
        assert_int_equal(scene.came, i + 1);
        say(client, "hi");
        hear(scene.host, "hi");
        say(scene.host, "ho");
        hear(client, "ho");
        stream_close(i % 2 ? client : scene.host);
        stream_close(i % 2 ? scene.host : client);
        if (i == 100)
            before = native_count();
    }
    becomes_quiet(scene.set);
    assert_true(before > 0);
    assert_true(native_settles(before));
    scene_close(&scene);
}

static void together(void **state) {
    struct scene scene;
    struct stream *clients[100], *hosts[100];
    (void)state;
    scene_begin(&scene);
    for (int i = 0; i < 100; i++) {
        clients[i] = connect_client(&scene);
        hosts[i] = scene.host;
    }
    becomes_quiet(scene.set);
    say(clients[77], "me");
    wait_for(scene.set);
    assert_int_equal(announced(&scene), STREAM_READABLE);
    hear(hosts[77], "me");
    hear(hosts[76], "");
    becomes_quiet(scene.set);
    stream_listener_close(scene.listener);
    say(clients[3], "still");
    hear(hosts[3], "still");
    scene_close(&scene);
}

static void refused(void **state) {
    struct scene scene;
    stream_native native;
    (void)state;
    scene_begin(&scene);
    scene.refuse = true;
    assert_true(FAILED(stream_listener_connect(scene.listener, &native, NULL)));
    assert_int_equal(scene.came, 0);
    scene.refuse = false;
    scene.client = connect_client(&scene);
    say(scene.client, "in");
    hear(scene.host, "in");
    scene_close(&scene);
}

/* --- from within ---------------------------------------------------------- */

struct guest {
    struct stream *stream;
    struct guest *others;
    int count;
};

static void close_all(void *context, unsigned events) {
    struct guest *guest = context;
    (void)events;
    guest->count++;
    for (int i = 0; i < 4; i++) {
        stream_close(guest->others[i].stream);
        guest->others[i].stream = NULL;
    }
}

/* One that is closed by another's function is not heard of any more. */
static void closes_others(void **state) {
    struct scene scene;
    struct guest guests[4];
    stream_native natives[4];
    int count = 0;
    (void)state;
    scene_begin(&scene);
    for (int i = 0; i < 4; i++) {
        struct stream *client = connect_client(&scene);
        stream_close(scene.host);
        assert_hr(stream_listener_connect(scene.listener, &natives[i], NULL),
                  S_OK);
        stream_close(client);
        guests[i] = (struct guest){.others = guests};
        assert_hr(stream_open(scene.set, natives[i], close_all, &guests[i],
                              &guests[i].stream, NULL),
                  S_OK);
        assert_hr(stream_watch(guests[i].stream, STREAM_READABLE, NULL), S_OK);
        say(scene.host, "x");
    }
    assert_true(stream_set_pump(scene.set));
    for (int i = 0; i < 4; i++)
        count += guests[i].count;
    assert_int_equal(count, 1);
    scene_close(&scene);
}

/* --- threads -------------------------------------------------------------- */

#define STREAMED (2u << 20)

/* A client on a thread and with a set of its own: echoes until the end. */
static void echo(void *context) {
    struct stream_set *set = NULL;
    struct stream *stream;
    char bytes[4096];
    size_t got, taken;
    HRESULT hr;
    stream_set_create(&set, NULL);
    stream_open(set, *(stream_native *)context, NULL, NULL, &stream, NULL);
    while ((hr = stream_read(stream, bytes, sizeof bytes, &got, NULL)) ==
           S_OK) {
        for (size_t sent = 0; sent < got; sent += taken) {
            if (FAILED(stream_write(stream, bytes + sent, got - sent, &taken,
                                    NULL)))
                goto out;
            stream_watch(stream, STREAM_WRITABLE, NULL);
            if (taken == 0)
                native_wait(stream_set_waitable(set), 10000);
        }
        stream_watch(stream, STREAM_READABLE, NULL);
        stream_set_pump(set);
        if (got == 0)
            native_wait(stream_set_waitable(set), 10000);
    }
out:
    stream_set_destroy(set);
}

static void threads(void **state) {
    struct scene scene;
    stream_native native;
    hcs_thread thread;
    uint64_t written = 0, read = 0;
    (void)state;
    scene_begin(&scene);
    assert_hr(stream_listener_connect(scene.listener, &native, NULL), S_OK);
    assert_hr(thread_start(&thread, echo, &native, NULL), S_OK);
    while (read < STREAMED) {
        uint64_t before = written + read;
        if (written < STREAMED)
            written = pour(scene.host, written, STREAMED);
        read = drink(scene.host, read, 65536);
        stream_set_pump(scene.set);
        if (written + read == before)
            wait_for(scene.set);
    }
    while (!stream_flushed(scene.host))
        stream_set_pump(scene.set);
    stream_close(scene.host);
    thread_join(thread);
    scene_close(&scene);
}

/* --- without memory ------------------------------------------------------- */

static HRESULT attempt(struct scene *scene) {
    stream_native native;
    struct stream *client;
    HRESULT hr = stream_set_create(&scene->set, NULL);
    if (SUCCEEDED(hr))
        hr = stream_set_create(&scene->clients, NULL);
    if (SUCCEEDED(hr))
        hr = scene_listen(scene);
    if (SUCCEEDED(hr))
        hr = stream_listener_connect(scene->listener, &native, NULL);
    if (SUCCEEDED(hr))
        hr = stream_open(scene->clients, native, NULL, NULL, &client, NULL);
    return hr;
}

static void out_of_memory(void **state) {
    long before = native_count();
    HRESULT hr = E_FAIL;
    (void)state;
    for (size_t n = 1; FAILED(hr); n++) {
        struct scene scene = {.name = NAME "memory", .blocks = faults_live()};
        assert_true(n < 100);
        faults_fail_from(n);
        hr = attempt(&scene);
        faults_fail_from(0);
        scene_close(&scene);
        assert_true(hr == S_OK || hr == E_OUTOFMEMORY);
    }
    assert_true(native_settles(before));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(arrives_at_once),
        cmocka_unit_test(announces),
        cmocka_unit_test(client_leaves),
        cmocka_unit_test(host_leaves),
        cmocka_unit_test(flood),
        cmocka_unit_test(slow_reader),
        cmocka_unit_test(destroyed_in_the_middle),
        cmocka_unit_test(many_clients),
        cmocka_unit_test(together),
        cmocka_unit_test(refused),
        cmocka_unit_test(closes_others),
        cmocka_unit_test(threads),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
