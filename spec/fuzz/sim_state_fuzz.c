/* SPDX-License-Identifier: MIT
 * Saved states of the simulated host: a machine refuses one, or goes on from
 * it for a while and saves again what another machine takes. */
#include <stdio.h>

#include "backend/backend.h"
#include "base/clock.h"
#include "base/json.h"
#include "fuzz.h"

#define MAGIC "hcs simulated saved state, version 1\n"
#define CONFIG                                                         \
    "{\"ComputeTopology\":{\"Memory\":{\"SizeInMB\":64},"              \
    "\"Processor\":{\"Count\":1}},\"Chipset\":{\"LinuxKernelDirect\":" \
    "{\"KernelFilePath\":\"/k\"}},\"Devices\":{\"ComPorts\":{\"0\":"   \
    "{\"NamedPipe\":\"\\\\\\\\.\\\\pipe\\\\a\"}},"                     \
    "\"NetworkAdapters\":{\"n\":{}}},"                                 \
    "\"RestoreState\":{\"SaveStateFilePath\":\"%s\"}}"

struct world {
    struct timers timers;
    struct sim *sim;
    int64_t now;
    unsigned fired;
};

struct call {
    unsigned answers;
    HRESULT result;
};

static int64_t now(void *context) {
    return ((struct world *)context)->now;
}

static void on_event(void *context, const struct machine_event *event) {
    (void)context;
    require(event != NULL);
}

static void on_done(void *context, HRESULT result,
                    const struct hcs_error *error) {
    struct call *call = context;

    require(FAILED(result) == (error != NULL));
    require(++call->answers == 1);
    call->result = result;
}

/* Time passes, for so many events at most: ticks may be a nanosecond apart. */
static void pass(struct world *world, int64_t time) {
    int64_t end = world->now + time;

    sim_pump(world->sim);
    for (int i = 0; i < 500 && timers_next(&world->timers) <= end; i++) {
        if (timers_next(&world->timers) > world->now)
            world->now = timers_next(&world->timers);
        timers_fire_one(&world->timers, world->now);
        sim_pump(world->sim);
    }
}

static struct machine *machine_of(struct world *world,
                                  const struct json *config,
                                  struct machine_env *env) {
    struct machine_config machine = {"a", "b", config, 26100, NULL, NULL};
    struct machine *out = NULL;
    struct call call = {0};

    *env =
        (struct machine_env){&world->timers, now, on_event, world, world->sim};
    require(sim_machine_ops()->create(env, &machine, on_done, &call, &out,
                                      NULL) == S_OK);
    pass(world, 0);
    require(call.answers == 1 && SUCCEEDED(call.result));
    return out;
}

/* Starts a machine from the file; whether it took it. */
static bool run(struct world *world, const char *from, const char *to,
                bool go_on) {
    const struct machine_ops *ops = sim_machine_ops();
    struct call start = {0}, pause = {0}, save = {0};
    struct machine_env env;
    struct machine *machine;
    struct json_doc doc;
    char text[1024];
    int length = snprintf(text, sizeof text, CONFIG, from);

    require(json_parse(text, (size_t)length, &doc, NULL) == S_OK);
    machine = machine_of(world, doc.root, &env);
    ops->start(machine, on_done, &start);
    pass(world, 0);
    require(start.answers == 1);
    if (SUCCEEDED(start.result)) {
        if (go_on)
            pass(world, 100 * CLOCK_SECOND);
        ops->pause(machine, on_done, &pause);
        pass(world, 0);
        if (pause.answers == 1 && SUCCEEDED(pause.result)) {
            ops->save(machine, MACHINE_SAVE_FILE, to, on_done, &save);
            pass(world, 0);
            require(save.answers == 1 && SUCCEEDED(save.result));
        }
    }
    ops->destroy(machine);
    json_doc_free(&doc);
    return save.answers == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct sim_options options = {.seed = 1};
    struct world world = {.now = CLOCK_SECOND};
    struct sim_env env = {
        .timers = &world.timers, .now = now, .context = &world};
    struct buf file = {0};

    require(sim_open(&options, &env, &world.sim, NULL) == S_OK);
    buf_puts(&file, MAGIC);
    buf_add(&file, data, size);
    require(sim_file_create(world.sim, "C:\\in", file.data, file.length,
                            NULL) == S_OK);
    buf_free(&file);
    if (run(&world, "C:\\\\in", "C:\\out", true))
        require(run(&world, "C:\\\\out", "C:\\again", false));
    sim_close(world.sim);
    timers_free(&world.timers);
    return 0;
}
