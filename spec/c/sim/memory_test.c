/* SPDX-License-Identifier: MIT
 * One allocation after the other fails: each request is still answered once,
 * nothing leaks and nothing falls. */
#include "lab.h"

#include <stdio.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static long countdown = -1; /* allocations until one fails; -1: none does */

static bool fails(void) {
    return countdown >= 0 && countdown-- == 0;
}

void *__wrap_malloc(size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size) {
    return fails() ? NULL : __real_realloc(block, size);
}

static int replies;

static void on_reply(void *context, const struct vm_reply *reply) {
    (void)context;
    (void)reply;
    replies++;
}

static int exits;

static void on_event(struct vm_watcher *watcher, HCS_EVENT_TYPE type,
                     const char *document) {
    (void)watcher;
    if (type != HcsEventSystemExited)
        return;
    exits++;
    assert_non_null(document);
    assert_non_null(strstr(document, "\"ExitType\":\"ForcedExit\""));
}

static void submit(struct world *world, struct vm *vm, HCS_OPERATION_TYPE verb,
                   const char *options) {
    replies = 0;
    vm_submit(vm, verb, options, on_reply, NULL);
    world_wait(world, CLOCK_MS);
    assert_int_equal(replies, 1);
}

/* A client of the serial port, if there is memory for one. */
static struct stream_set *type(struct world *world) {
    static const char lines[] =
        "echo x\nnonsense\nnet 10.0.0.1/24\nserve 80 x\n"
        "get 10.0.0.1 80\nping 10.0.0.9\necho y\n";
    struct stream_set *streams = NULL;
    struct stream *pipe;
    stream_native native;
    size_t taken;
    if (FAILED(stream_set_create(&streams, NULL)))
        return NULL;
    if (SUCCEEDED(sim_pipe_connect(world->sim, "p", &native, NULL)) &&
        SUCCEEDED(stream_open(streams, native, NULL, NULL, &pipe, NULL)))
        stream_write(pipe, lines, sizeof lines - 1, &taken, NULL);
    return streams;
}

static void live(struct world *world, struct vm *vm) {
    char options[256], path[200];
    struct vm_watcher watcher = {.event = on_event};
    struct stream_set *streams = NULL;
    snprintf(path, sizeof path, "%s/state", world->folder);
    snprintf(options, sizeof options, "{\"SaveStateFilePath\":\"%s\"}", path);
    vm_watch(vm, &watcher);
    submit(world, vm, HcsOperationTypeStart, NULL);
    streams = type(world);
    world_wait(world, 30 * CLOCK_MS);
    submit(world, vm, HcsOperationTypePause, NULL);
    submit(world, vm, HcsOperationTypeSave, options);
    submit(world, vm, HcsOperationTypeResume, NULL);
    submit(world, vm, HcsOperationTypeCrash, NULL);
    submit(world, vm, HcsOperationTypeGetProperties,
           "{\"PropertyTypes\":[\"Memory\"]}");
    exits = 0;
    vm_handle_closed(vm, 0); /* needs no memory */
    world_wait(world, CLOCK_MS);
    assert_int_equal(exits, 1);
    assert_int_equal(vm_state(vm), VM_STOPPED);
    vm_unwatch(&watcher);
    if (streams)
        stream_set_destroy(streams);
    platform_remove(path);
    snprintf(path, sizeof path, "%s/core", world->folder);
    platform_remove(path);
    snprintf(path, sizeof path, "%s/core.json", world->folder);
    platform_remove(path);
}

/* Whether the n-th allocation was reached. */
static bool fail_at(long n) {
    struct world world;
    struct vm *vm = NULL;
    struct json_doc doc;
    struct buf text = {0};
    world_open(&world, 0);
    buf_printf(
        &text,
        "{\"ShouldTerminateOnLastHandleClosed\":true,\"VirtualMachine\":"
        "{" MACHINE("", "hcs.tick=5 unknown_nmi_panic") "," DEVICES(PORT(
            "p") ",\"NetworkAdapters\":{\"n\":{}},\"GuestCrashReporting\":{"
                 "\"NixCrashSettings\":{\"DumpFileName\":\"%s/"
                 "core\",\"DumpType\":"
                 "\"ElfCore\"}}") "}}",
        world.folder);
    assert_int_equal(json_parse(text.data, text.length, &doc, NULL), S_OK);
    buf_free(&text);
    replies = 0;
    countdown = n;
    HRESULT hr = vm_create(&world.host, "x", &doc, on_reply, NULL, &vm, NULL);
    world_wait(&world, CLOCK_MS);
    assert_int_equal(replies, SUCCEEDED(hr) ? 1 : 0);
    if (SUCCEEDED(hr))
        live(&world, vm);
    else
        assert_int_equal(hr, E_OUTOFMEMORY);
    bool reached = countdown < 0;
    countdown = -1;
    vm_destroy(vm);
    world_close(&world);
    return reached;
}

static void every_allocation(void **state) {
    long n = 0;
    (void)state;
    while (fail_at(n))
        n++;
    assert_true(n > 50);
}

/* Somebody comes from outside and asks; whether the n-th was reached. */
static bool visit_at(long n) {
    const struct lab_options plain = {0};
    const struct ip_address any = {0};
    struct stream_set *set;
    struct stream *stream;
    stream_native native;
    size_t taken;
    struct lab lab;
    bool reached;

    lab_open(&lab, &plain);
    lab_start_both(&lab);
    lab_say(&lab.a, "serve 80 x", 0, "hcs-guest: serve 80\r\n");
    assert_int_equal(stream_set_create(&set, NULL), S_OK);
    countdown = n;
    HRESULT hr = sim_connect(lab.world.sim, &any, 8080, &native, NULL);
    long left = countdown;
    countdown = -1;
    assert_true(hr == S_OK || (hr == E_OUTOFMEMORY && left < 0));
    if (SUCCEEDED(hr)) {
        stream_open(set, native, NULL, NULL, &stream, NULL);
        stream_write(stream, "GET /\n\n", 7, &taken, NULL);
        countdown = left;
        world_wait(&lab.world, CLOCK_MS);
    }
    reached = countdown < 0;
    countdown = -1;
    stream_set_destroy(set);
    lab_close(&lab);
    return reached;
}

static void every_visit(void **state) {
    long n = 0;
    (void)state;
    while (visit_at(n))
        n++;
    assert_true(n > 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation),
                                       cmocka_unit_test(every_visit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
