/* SPDX-License-Identifier: MIT
 * Named pipes as those see them who know nothing of us but the name. */
#include "unit.h"

#include <aclapi.h>

#include "base/os.h"
#include "base/stream.h"
#include "base/thread.h"
#include "native.h"
#include "platform.h"

struct scene {
    char name[96];
    WCHAR path[96];
    struct stream_set *set;
    struct stream_listener *listener;
    struct stream *host; /* of the client that came last */
    unsigned came;
    long blocks; /* of memory, before it began */
};

static HRESULT on_client(void *context, stream_native native,
                         struct hcs_error *error) {
    struct scene *scene = context;
    HRESULT hr =
        stream_open(scene->set, native, NULL, NULL, &scene->host, error);
    if (SUCCEEDED(hr))
        hr = stream_watch(scene->host, STREAM_READABLE, error);
    scene->came++;
    return hr;
}

static HRESULT listen_at(struct scene *scene) {
    return stream_listen(scene->set, scene->name, on_client, scene,
                         &scene->listener, NULL);
}

static void scene_open(struct scene *scene) {
    static unsigned number;
    *scene = (struct scene){.blocks = faults_live()};
    snprintf(scene->name, sizeof scene->name,
             "\\\\.\\pipe\\hcs-pipe-test-%u-%u", (unsigned)os_process_id(),
             ++number);
    for (size_t i = 0; scene->name[i]; i++)
        scene->path[i] = (WCHAR)scene->name[i];
    assert_hr(stream_set_create(&scene->set, NULL), S_OK);
    assert_hr(listen_at(scene), S_OK);
}

static void scene_close(struct scene *scene) {
    stream_set_destroy(scene->set);
    for (int i = 0; i < 1000 && faults_live() > scene->blocks; i++)
        platform_pause(10); /* what the system still has to finish */
    assert_int_equal(faults_live(), scene->blocks);
}

static HANDLE come(const struct scene *scene) {
    return CreateFileW(scene->path, GENERIC_READ | GENERIC_WRITE, 0, NULL,
                       OPEN_EXISTING, 0, NULL);
}

static void say(HANDLE pipe, const char *text) {
    DWORD count;
    assert_true(WriteFile(pipe, text, (DWORD)strlen(text), &count, NULL));
    assert_int_equal(count, strlen(text));
}

static void hear(HANDLE pipe, const char *text) {
    char bytes[256];
    DWORD count;
    assert_true(ReadFile(pipe, bytes, sizeof bytes - 1, &count, NULL));
    bytes[count] = '\0';
    assert_string_equal(bytes, text);
}

static void host_hears(struct stream *host, const char *text) {
    char bytes[256];
    size_t got;
    assert_hr(stream_read(host, bytes, sizeof bytes - 1, &got, NULL), S_OK);
    bytes[got] = '\0';
    assert_string_equal(bytes, text);
}

static void host_says(struct stream *host, const char *text) {
    size_t taken;
    assert_hr(stream_write(host, text, strlen(text), &taken, NULL), S_OK);
    assert_int_equal(taken, strlen(text));
}

/* Who came and what was said before a pump is known after it. */
static void comes_by_name(void **state) {
    struct scene scene;
    (void)state;
    scene_open(&scene);
    for (unsigned i = 1; i <= 50; i++) {
        HANDLE pipe = come(&scene);
        assert_true(pipe != INVALID_HANDLE_VALUE);
        say(pipe, "hello");
        assert_true(stream_set_pump(scene.set));
        assert_int_equal(scene.came, i);
        host_hears(scene.host, "hello");
        host_says(scene.host, "welcome");
        hear(pipe, "welcome");
        host_says(scene.host, "bye");
        stream_close(scene.host);
        hear(pipe, "bye");
        assert_false(ReadFile(pipe, &(char){0}, 1, &(DWORD){0}, NULL));
        assert_int_equal(GetLastError(), ERROR_BROKEN_PIPE);
        CloseHandle(pipe);
    }
    scene_close(&scene);
}

static void is_told_of(void **state) {
    struct scene scene;
    HANDLE pipe;
    (void)state;
    scene_open(&scene);
    stream_set_pump(scene.set);
    assert_false(native_wait(stream_set_waitable(scene.set), 20));
    pipe = come(&scene);
    assert_true(native_wait(stream_set_waitable(scene.set), 10000));
    assert_true(stream_set_pump(scene.set));
    CloseHandle(pipe);
    scene_close(&scene);
}

/* A careless client: in and out before anybody looked. */
static void comes_and_goes(void **state) {
    struct scene scene;
    HANDLE pipe;
    char byte;
    size_t got;
    (void)state;
    scene_open(&scene);
    CloseHandle(come(&scene));
    stream_set_pump(scene.set);
    assert_int_equal(scene.came, 1);
    assert_hr(stream_read(scene.host, &byte, 1, &got, NULL), S_FALSE);
    pipe = come(&scene);
    say(pipe, "x");
    CloseHandle(pipe);
    stream_set_pump(scene.set);
    assert_int_equal(scene.came, 2);
    host_hears(scene.host, "x");
    assert_hr(stream_read(scene.host, &byte, 1, &got, NULL), S_FALSE);
    scene_close(&scene);
}

/* One place waits; the next is there when the first has been taken. */
static void two_at_once(void **state) {
    struct scene scene;
    HANDLE first, second;
    stream_native third;
    (void)state;
    scene_open(&scene);
    first = come(&scene);
    assert_true(first != INVALID_HANDLE_VALUE);
    second = come(&scene);
    assert_true(second == INVALID_HANDLE_VALUE);
    assert_int_equal(GetLastError(), ERROR_PIPE_BUSY);
    assert_hr(stream_listener_connect(scene.listener, &third, NULL), S_OK);
    assert_int_equal(scene.came, 2);
    second = come(&scene);
    assert_true(second != INVALID_HANDLE_VALUE);
    stream_listener_close(scene.listener); /* takes it in before */
    assert_int_equal(scene.came, 3);
    say(second, "late");
    host_hears(scene.host, "late");
    assert_true(come(&scene) == INVALID_HANDLE_VALUE);
    CloseHandle(first);
    CloseHandle(second);
    CloseHandle(third);
    scene_close(&scene);
}

/* Empty messages, which a pipe can carry, say nothing. */
static void says_nothing(void **state) {
    struct scene scene;
    HANDLE pipe;
    DWORD count;
    (void)state;
    scene_open(&scene);
    pipe = come(&scene);
    stream_set_pump(scene.set);
    for (int i = 0; i < 3; i++) {
        assert_true(WriteFile(pipe, "", 0, &count, NULL));
        stream_set_pump(scene.set);
        host_hears(scene.host, "");
    }
    say(pipe, "something");
    assert_true(native_wait(stream_set_waitable(scene.set), 10000));
    host_hears(scene.host, "something");
    CloseHandle(pipe);
    scene_close(&scene);
}

/* --- names ---------------------------------------------------------------- */

static void names_clash(void **state) {
    struct scene scene;
    struct stream_set *other;
    struct stream_listener *listener;
    HANDLE pipe;
    (void)state;
    scene_open(&scene);
    assert_hr(stream_set_create(&other, NULL), S_OK);
    assert_hr(
        stream_listen(other, scene.name, on_client, &scene, &listener, NULL),
        HR_SHARING_VIOLATION);
    stream_listener_close(scene.listener);
    assert_hr(listen_at(&scene), S_OK);
    pipe = come(&scene); /* whose end outlives the listener */
    stream_listener_close(scene.listener);
    stream_close(scene.host);
    assert_hr(
        stream_listen(other, scene.name, on_client, &scene, &listener, NULL),
        S_OK);
    CloseHandle(pipe);
    stream_set_destroy(other);
    scene_close(&scene);
}

/* A pipe that another program has, whatever it does with it. */
static void names_are_taken(void **state) {
    static const DWORD instances[] = {1, 2, PIPE_UNLIMITED_INSTANCES};
    struct scene scene;
    (void)state;
    scene_open(&scene);
    stream_listener_close(scene.listener);
    for (size_t i = 0; i < HCS_COUNT(instances); i++) {
        HANDLE taken =
            CreateNamedPipeW(scene.path, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE,
                             instances[i], 0, 0, 0, NULL);
        assert_true(taken != INVALID_HANDLE_VALUE);
        assert_hr(listen_at(&scene), HR_SHARING_VIOLATION);
        CloseHandle(taken);
    }
    assert_hr(listen_at(&scene), S_OK);
    scene_close(&scene);
}

static void names_that_cannot_be(void **state) {
    static const char *const names[] = {"", "\\\\.\\pipe\\", "hcs",
                                        "\\\\.\\pipe\\\xff"};
    struct scene scene;
    (void)state;
    scene_open(&scene);
    for (size_t i = 0; i < HCS_COUNT(names); i++) {
        struct stream_listener *listener;
        struct hcs_error error = {.code = S_OK};
        assert_true(FAILED(stream_listen(scene.set, names[i], on_client, &scene,
                                         &listener, &error)));
        assert_true(FAILED(error.code));
        assert_true(error.text[0] != '\0');
    }
    scene_close(&scene);
}

/* Nobody but this user may have it. */
static void is_private(void **state) {
    struct scene scene;
    PSECURITY_DESCRIPTOR descriptor;
    ACL_SIZE_INFORMATION size;
    ACCESS_ALLOWED_ACE *entry;
    HANDLE pipe;
    PSID owner;
    PACL list;
    (void)state;
    scene_open(&scene);
    pipe = come(&scene);
    assert_int_equal(
        GetSecurityInfo(pipe, SE_KERNEL_OBJECT,
                        OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                        &owner, NULL, &list, NULL, &descriptor),
        ERROR_SUCCESS);
    assert_non_null(list);
    assert_true(
        GetAclInformation(list, &size, sizeof size, AclSizeInformation));
    assert_int_equal(size.AceCount, 1);
    assert_true(GetAce(list, 0, (void **)&entry));
    assert_int_equal(entry->Header.AceType, ACCESS_ALLOWED_ACE_TYPE);
    assert_true(EqualSid(&entry->SidStart, owner));
    LocalFree(descriptor);
    CloseHandle(pipe);
    scene_close(&scene);
}

/* --- threads -------------------------------------------------------------- */

#define CLIENTS 4
#define VISITS 100

static void visit(void *context) {
    struct scene *scene = context;
    for (int i = 0; i < VISITS;) {
        HANDLE pipe = come(scene);
        DWORD count;
        char byte = 0;
        if (pipe == INVALID_HANDLE_VALUE) {
            WaitNamedPipeW(scene->path, 1000);
            continue;
        }
        if (WriteFile(pipe, "x", 1, &count, NULL) &&
            ReadFile(pipe, &byte, 1, &count, NULL) && byte == 'X')
            i++;
        CloseHandle(pipe);
    }
}

struct seat {
    struct stream *stream;
};

static void serve(void *context, unsigned events) {
    struct seat *seat = context;
    char byte;
    size_t got = 0, taken;
    HRESULT hr = stream_read(seat->stream, &byte, 1, &got, NULL);
    (void)events;
    if (got > 0)
        stream_write(seat->stream, "X", 1, &taken, NULL);
    if (hr != S_OK) {
        stream_close(seat->stream);
        free(seat);
    }
}

static HRESULT seat_client(void *context, stream_native native,
                           struct hcs_error *error) {
    struct scene *scene = context;
    struct seat *seat = malloc(sizeof *seat);
    assert_hr(
        stream_open(scene->set, native, serve, seat, &seat->stream, error),
        S_OK);
    scene->came++;
    return stream_watch(seat->stream, STREAM_READABLE, error);
}

/* Visitors on threads that end while what they began is under way. */
static void many_threads(void **state) {
    struct scene scene;
    hcs_thread threads[CLIENTS];
    (void)state;
    scene_open(&scene);
    stream_listener_close(scene.listener);
    assert_hr(stream_listen(scene.set, scene.name, seat_client, &scene,
                            &scene.listener, NULL),
              S_OK);
    for (int i = 0; i < CLIENTS; i++)
        assert_hr(thread_start(&threads[i], visit, &scene, NULL), S_OK);
    while (scene.came < CLIENTS * VISITS) {
        assert_true(native_wait(stream_set_waitable(scene.set), 10000));
        stream_set_pump(scene.set);
    }
    for (int i = 0; i < 50; i++) { /* until the last has had its answer */
        stream_set_pump(scene.set);
        native_wait(stream_set_waitable(scene.set), 10);
    }
    for (int i = 0; i < CLIENTS; i++)
        thread_join(threads[i]);
    stream_set_pump(scene.set);
    scene_close(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_by_name),
        cmocka_unit_test(is_told_of),
        cmocka_unit_test(comes_and_goes),
        cmocka_unit_test(two_at_once),
        cmocka_unit_test(says_nothing),
        cmocka_unit_test(names_clash),
        cmocka_unit_test(names_are_taken),
        cmocka_unit_test(names_that_cannot_be),
        cmocka_unit_test(is_private),
        cmocka_unit_test(many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
