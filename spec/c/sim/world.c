/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <stdio.h>

#include "../../../src/schema/schema.h"

static int64_t now(void *context) {
    return ((struct world *)context)->now;
}

static void on_guest(void *context, uint64_t guest, HCSHOST_GUEST_EVENT event,
                     const char *text, size_t length) {
    struct world *world = context;
    if (world->guest)
        world->guest(world, guest, event, text, length);
}

static struct plane *plane_of(void *context) {
    return ((struct world *)context)->plane;
}

static HRESULT attach(void *context, const struct machine_adapter *adapter,
                      struct hcs_error *error) {
    struct world *world = context;
    const struct plane_port port = {.kind = PLANE_PORT_MACHINE};
    char device[PLANE_DEVICE_SIZE];
    return world->plane
               ? sim_plane_ops()->port_up(world->plane, &adapter->endpoint,
                                          &port, device, error)
               : S_OK;
}

static void detach(void *context, const struct guid *endpoint) {
    struct world *world = context;
    if (world->plane)
        sim_plane_ops()->port_down(world->plane, endpoint);
}

static bool file_exists(void *context, const char *path) {
    return sim_file_exists(((struct world *)context)->sim, path);
}

static HRESULT find_template(void *context, const char *runtime_id,
                             struct machine **machine,
                             struct hcs_error *error) {
    const struct world *world = context;
    const struct vm *vm = world->template ? world->template->vm : NULL;
    if (!vm || strcmp(vm_runtime_id(vm), runtime_id) != 0)
        return error_set(error, HCS_E_SYSTEM_NOT_FOUND, NULL, "no template");
    *machine = vm_machine(vm);
    return S_OK;
}

void world_open(struct world *world, int64_t latency) {
    struct sim_options options = {
        .seed = 7, .latency = latency, .own_pipes = true};
    struct sim_env env = {.timers = &world->timers,
                          .now = now,
                          .guest = on_guest,
                          .attach = attach,
                          .detach = detach,
                          .plane = plane_of,
                          .context = world};
    *world = (struct world){.now = CLOCK_SECOND};
    platform_folder(world->folder, sizeof world->folder);
    assert_int_equal(sim_open(&options, &env, &world->sim, NULL), S_OK);
    world->host = (struct vm_host){.machine = sim_machine_ops(),
                                   .platform = world->sim,
                                   .timers = &world->timers,
                                   .now = now,
                                   .file_exists = file_exists,
                                   .find_template = find_template,
                                   .context = world,
                                   .build = 26100};
}

void world_close(struct world *world) {
    sim_close(world->sim);
    timers_free(&world->timers);
    buf_free(&world->guest_log);
    /* every test removes its own files: a temporary one left behind shows */
    assert_true(platform_remove_folder(world->folder));
}

void world_wait(struct world *world, int64_t ns) {
    int64_t end = world->now + ns;
    sim_pump(world->sim);
    while (timers_next(&world->timers) <= end) {
        if (timers_next(&world->timers) > world->now)
            world->now = timers_next(&world->timers);
        timers_fire_one(&world->timers, world->now);
        sim_pump(world->sim);
    }
    world->now = end;
}

static void on_reply(void *context, const struct vm_reply *reply) {
    struct system *system = context;
    buf_printf(&system->log, "reply 0x%08x %s%s%s\n", (unsigned)reply->result,
               reply->error ? reply->error->path : "",
               reply->document ? " " : "",
               reply->document ? reply->document : "");
}

static void on_event(struct vm_watcher *watcher, HCS_EVENT_TYPE type,
                     const char *document) {
    struct system *system = HCS_CONTAINER(watcher, struct system, watcher);
    buf_printf(&system->log, "event %d %s\n", (int)type,
               document ? document : "");
}

HRESULT system_try(struct world *world, struct system *system, const char *id,
                   const char *members, struct hcs_error *error) {
    struct buf text = {0};
    struct json_doc doc;
    struct schema_profile profile = {world->host.build, 0, 0};
    *system = (struct system){.world = world};
    system->watcher.event = on_event;
    buf_printf(&text,
               "{\"SchemaVersion\":{\"Major\":2,\"Minor\":7},"
               "\"VirtualMachine\":{%s}}",
               members);
    HRESULT hr = json_parse(text.data, text.length, &doc, error);
    if (SUCCEEDED(hr))
        hr = schema_check(doc.root, "ComputeSystem", &profile, error);
    if (FAILED(hr))
        print_error("%s: %s\n%s\n", error->path, error->text, text.data);
    assert_int_equal(hr, S_OK);
    buf_free(&text);
    hr =
        vm_create(&world->host, id, &doc, on_reply, system, &system->vm, error);
    if (SUCCEEDED(hr))
        vm_watch(system->vm, &system->watcher);
    return hr;
}

void system_create(struct world *world, struct system *system, const char *id,
                   const char *members) {
    struct hcs_error error;
    HRESULT hr = system_try(world, system, id, members, &error);
    if (FAILED(hr))
        print_error("%s: %s\n", error.path, error.text);
    assert_int_equal(hr, S_OK);
    world_wait(world, CLOCK_MS);
    system_expect_log(system, "reply 0x00000000");
}

void system_close(struct system *system) {
    vm_destroy(system->vm);
    if (system->streams)
        stream_set_destroy(system->streams); /* and the pipe with it */
    buf_free(&system->log);
    buf_free(&system->console);
}

static void on_result(void *context, const struct vm_reply *reply) {
    struct vm_reply *out = context;
    *out = *reply;
}

HRESULT system_do(struct system *system, HCS_OPERATION_TYPE verb,
                  const char *options) {
    struct vm_reply reply = {HCS_E_OPERATION_PENDING, NULL, NULL};
    vm_submit(system->vm, verb, options, on_result, &reply);
    for (int i = 0; i < 100 && reply.result == HCS_E_OPERATION_PENDING; i++)
        world_wait(system->world, CLOCK_MS / 10);
    return reply.result;
}

void system_connect(struct system *system, const char *pipe) {
    stream_native native;
    assert_int_equal(sim_pipe_connect(system->world->sim, pipe, &native, NULL),
                     S_OK);
    assert_int_equal(stream_set_create(&system->streams, NULL), S_OK);
    assert_int_equal(
        stream_open(system->streams, native, NULL, NULL, &system->pipe, NULL),
        S_OK);
}

void system_type(struct system *system, const char *text) {
    size_t taken = 0;
    assert_int_equal(
        stream_write(system->pipe, text, strlen(text), &taken, NULL), S_OK);
    assert_int_equal(taken, strlen(text));
    world_wait(system->world, 0);
}

void system_read(struct system *system) {
    char bytes[16384];
    size_t count = 1;
    HRESULT hr = S_OK;
    while (count > 0) {
        stream_set_pump(system->streams);
        hr = stream_read(system->pipe, bytes, sizeof bytes, &count, NULL);
        assert_true(SUCCEEDED(hr));
        buf_add(&system->console, bytes, count);
        sim_pump(system->world->sim);
    }
    system->console_ended = hr == S_FALSE;
}

static bool contains(const struct buf *buf, const char *part) {
    return buf->data && strstr(buf->data, part);
}

static void expect_part(struct buf *buf, const char *part) {
    if (!contains(buf, part))
        print_error("no \"%s\" in:\n%s\n", part, buf->data ? buf->data : "");
    assert_true(contains(buf, part));
}

/* What a pipe had no room for may come a moment after room was made. */
void system_expect(struct system *system, const char *part) {
    system_read(system);
    for (int i = 0; i < 5000 && !contains(&system->console, part); i++) {
        platform_pause(1);
        system_read(system);
    }
    expect_part(&system->console, part);
}

void system_expect_end(struct system *system) {
    for (int i = 0; i < 5000 && !system->console_ended; i++) {
        platform_pause(1);
        sim_pump(system->world->sim);
        system_read(system);
    }
    assert_true(system->console_ended);
}

void system_expect_log(struct system *system, const char *part) {
    expect_part(&system->log, part);
    buf_clear(&system->log);
}
