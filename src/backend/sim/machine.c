/* SPDX-License-Identifier: MIT
 * The simulated machine: what each operation does when its time has come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../base/clock.h"
#include "../../base/text.h"
#include "sim.h"

#define MAGIC "hcs simulated saved state, version 1\n"
#define LARGEST_STATE (4u << 20)
#define MEMORY_PER_BOOT_STEP (UINT64_C(6) << 20)

static const char restore_path[] =
    "$.VirtualMachine.RestoreState.SaveStateFilePath";

/* --- create and destroy ----------------------------------------------- */

static HRESULT check_config(const struct json *config,
                            struct hcs_error *error) {
    const struct json *settings =
        json_at(config, "Devices.GuestCrashReporting.NixCrashSettings");
    const struct json *serial = json_at(config, "Devices.VirtioSerial.Ports");
    if (strcmp(json_text(json_get(settings, "DumpType"), ""), "KDump") == 0)
        return error_set(error, HR_NOT_SUPPORTED,
                         "$.VirtualMachine.Devices.GuestCrashReporting"
                         ".NixCrashSettings.DumpType",
                         "the simulated host writes ElfCore dumps only");
    if (serial && serial->type == JSON_OBJECT && serial->as.object.count > 0)
        return error_set(error, HR_NOT_SUPPORTED,
                         "$.VirtualMachine.Devices.VirtioSerial.Ports",
                         "simulated guests have ComPorts only");
    return sim_ports_check(config, error);
}

/* The program hears of it while its guest still has a number, but cannot act
 * any more. */
static void lose_power(struct machine *machine) {
    if (!machine->on)
        return;
    guest_freeze(machine);
    machine->held = true;
    if (sim_has_program(machine->sim, machine->id))
        guest_deliver(machine, HcsHostGuestOff, "", 0);
    sim_visits_end(machine);
    sim_nics_detach(machine);
    machine->on = false;
}

static void destroy(struct machine *machine) {
    if (!machine)
        return;
    lose_power(machine);
    sim_ports_close(machine);
    guest_free(machine);
    sim_ops_free(machine);
    sim_devices_free(machine);
    buf_free(&machine->typed);
    buf_free(&machine->state);
    buf_free(&machine->last_text);
    link_remove(&machine->link);
    free(machine->id);
    free(machine);
}

static struct machine *machine_new(const struct machine_env *env,
                                   const struct machine_config *config) {
    struct machine *machine = calloc(1, sizeof *machine);
    if (!machine)
        return NULL;
    machine->sim = env->platform;
    machine->env = *env;
    machine->config = config->virtual_machine;
    machine->number = ++machine->sim->guests;
    machine->processors = 1;
    json_to_uint64(json_at(machine->config, "ComputeTopology.Memory.SizeInMB"),
                   &machine->memory_mb);
    json_to_uint64(json_at(machine->config, "ComputeTopology.Processor.Count"),
                   &machine->processors);
    link_init(&machine->link);
    link_init(&machine->devices);
    for (size_t i = 0; i < SIM_PORTS; i++)
        machine->ports[i].machine = machine;
    return machine;
}

/* A clone begins where its template was saved. */
static HRESULT copy_template(struct machine *machine,
                             const struct machine_config *config,
                             struct hcs_error *error) {
    const struct machine *template = config->template_machine;
    if (!config->template_id)
        return S_OK;
    if (!template || template->state.length == 0)
        return error_set(error, HCS_E_SYSTEM_NOT_FOUND,
                         "$.VirtualMachine.RestoreState.TemplateSystemId",
                         "there is no such template in this world");
    buf_add(&machine->state, template->state.data, template->state.length);
    if (machine->state.failed)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a clone");
    return S_OK;
}

static HRESULT fill(struct machine *machine,
                    const struct machine_config *config,
                    struct hcs_error *error) {
    machine->id = text_copy(config->id);
    if (!machine->id)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a machine");
    snprintf(machine->runtime_id, sizeof machine->runtime_id, "%s",
             config->runtime_id ? config->runtime_id : "");
    HRESULT hr = sim_ops_init(machine, error);
    if (SUCCEEDED(hr))
        hr = guest_init(machine, error);
    if (SUCCEEDED(hr))
        hr = guest_reset(machine, error);
    if (SUCCEEDED(hr))
        hr = sim_devices_read(machine, error);
    if (SUCCEEDED(hr))
        hr = copy_template(machine, config, error);
    return hr;
}

static HRESULT run_create(struct sim_op *op, struct hcs_error *error) {
    (void)op;
    (void)error;
    return S_OK;
}

static HRESULT create(const struct machine_env *env,
                      const struct machine_config *config, machine_done done,
                      void *context, struct machine **out,
                      struct hcs_error *error) {
    HRESULT hr = check_config(config->virtual_machine, error);
    if (FAILED(hr))
        return hr;
    struct machine *machine = machine_new(env, config);
    if (!machine)
        return error_set(error, E_OUTOFMEMORY, NULL, "no memory for a machine");
    hr = fill(machine, config, error);
    if (FAILED(hr)) {
        destroy(machine);
        return hr;
    }
    link_append(&machine->sim->machines, &machine->link);
    *out = machine;
    sim_op_submit(sim_op_take(machine, done, context), run_create);
    return S_OK;
}

/* --- power ------------------------------------------------------------ */

static HRESULT check_memory(const struct machine *machine,
                            struct hcs_error *error) {
    if (machine->memory_mb <= SIM_HOST_MEMORY_MB)
        return S_OK;
    return error_set(error, HR_NO_SYSTEM_RESOURCES,
                     "$.VirtualMachine.ComputeTopology.Memory.SizeInMB",
                     "the simulated host has %llu MB, the system needs %llu",
                     (unsigned long long)SIM_HOST_MEMORY_MB,
                     (unsigned long long)machine->memory_mb);
}

static const char *state_file(const struct machine *machine) {
    const struct json *state = json_get(machine->config, "RestoreState");
    const char *path = json_text(json_get(state, "SaveStateFilePath"), "");
    return *path ? path
                 : json_text(json_get(state, "RuntimeStateFilePath"), "");
}

static HRESULT read_state(struct machine *machine, const char *path,
                          struct hcs_error *error) {
    size_t magic = sizeof MAGIC - 1;
    struct buf text = {0};
    HRESULT hr = sim_read_file(machine->sim, path, LARGEST_STATE, &text, error);
    if (SUCCEEDED(hr) &&
        (text.length < magic || memcmp(text.data, MAGIC, magic) != 0))
        hr = error_set(error, HR_FILE_CORRUPT, NULL,
                       "\"%s\" is not a saved state of the simulated host",
                       path);
    if (SUCCEEDED(hr))
        hr = snapshot_read(machine, text.data + magic, text.length - magic,
                           error);
    buf_free(&text);
    if (FAILED(hr) && error->path[0] == '\0')
        memcpy(error->path, restore_path, sizeof restore_path);
    return hr;
}

/* *restored tells whether the guest goes on instead of booting. */
static HRESULT restore(struct machine *machine, bool *restored,
                       struct hcs_error *error) {
    const char *path = state_file(machine);
    *restored = *path || machine->state.length > 0;
    if (*path)
        return read_state(machine, path, error);
    if (*restored)
        return snapshot_read(machine, machine->state.data,
                             machine->state.length, error);
    return S_OK;
}

static HRESULT run_start(struct sim_op *op, struct hcs_error *error) {
    struct machine *machine = op->machine;
    bool restored;
    HRESULT hr = check_memory(machine, error);
    if (SUCCEEDED(hr))
        hr = sim_ports_open(machine, error);
    if (FAILED(hr))
        return hr;
    hr = restore(machine, &restored, error);
    if (SUCCEEDED(hr))
        hr = sim_nics_attach(machine, error);
    if (FAILED(hr)) { /* another try overwrites all that was read */
        sim_ports_close(machine);
        return hr;
    }
    machine->on = true;
    guest_thaw(machine);
    /* A program's own state is not in the file: it begins anew. */
    if (!restored || sim_has_program(machine->sim, machine->id))
        guest_deliver(machine, HcsHostGuestBoot, machine->id,
                      strlen(machine->id));
    return S_OK;
}

static void start(struct machine *machine, machine_done done, void *context) {
    struct sim_op *op = sim_op_take(machine, done, context);
    if (op)
        sim_op_submit(op, run_start);
}

static HRESULT run_pause(struct sim_op *op, struct hcs_error *error) {
    (void)error;
    guest_freeze(op->machine);
    op->machine->paused = true;
    return S_OK;
}

static void pause_machine(struct machine *machine, machine_done done,
                          void *context) {
    struct sim_op *op = sim_op_take(machine, done, context);
    if (op)
        sim_op_submit(op, run_pause);
}

static HRESULT run_resume(struct sim_op *op, struct hcs_error *error) {
    (void)error;
    op->machine->paused = false;
    op->machine->held = false;
    guest_thaw(op->machine);
    return S_OK;
}

static void resume(struct machine *machine, machine_done done, void *context) {
    struct sim_op *op = sim_op_take(machine, done, context);
    if (op)
        sim_op_submit(op, run_resume);
}

static HRESULT run_reset(struct sim_op *op, struct hcs_error *error) {
    struct machine *machine = op->machine;
    guest_freeze(machine);
    sim_visits_end(machine);
    HRESULT hr = guest_reset(machine, error);
    if (FAILED(hr))
        return hr;
    machine->held = false;
    guest_thaw(machine);
    guest_deliver(machine, HcsHostGuestBoot, machine->id, strlen(machine->id));
    return S_OK;
}

static void reset(struct machine *machine, machine_done done, void *context) {
    struct sim_op *op = sim_op_take(machine, done, context);
    if (op)
        sim_op_submit(op, run_reset);
}

static HRESULT run_power_off(struct sim_op *op, struct hcs_error *error) {
    (void)error;
    lose_power(op->machine);
    sim_ports_end(op->machine);
    sim_ops_cancel(op->machine, op);
    return S_OK;
}

static void power_off(struct machine *machine, machine_done done,
                      void *context) {
    struct sim_op *op = sim_op_take(machine, done, context);
    if (op)
        sim_op_submit(op, run_power_off);
}

/* --- what reaches the guest ------------------------------------------- */

static HRESULT run_press_power(struct sim_op *op, struct hcs_error *error) {
    (void)error;
    if (guest_runs(op->machine))
        guest_deliver(op->machine, HcsHostGuestPower, "", 0);
    return S_OK;
}

static void press_power(struct machine *machine, machine_done done,
                        void *context) {
    struct sim_op *op = sim_op_take(machine, done, context);
    if (op)
        sim_op_submit(op, run_press_power);
}

static HRESULT run_nmi(struct sim_op *op, struct hcs_error *error) {
    (void)error;
    if (guest_runs(op->machine))
        guest_deliver(op->machine, HcsHostGuestNmi, "", 0);
    return S_OK;
}

static void inject_nmi(struct machine *machine, machine_done done,
                       void *context) {
    struct sim_op *op = sim_op_take(machine, done, context);
    if (op)
        sim_op_submit(op, run_nmi);
}

/* --- files ------------------------------------------------------------ */

static HRESULT save_to_file(struct machine *machine, const char *path,
                            struct hcs_error *error) {
    struct sim_output out;
    struct buf text = {0};
    buf_puts(&text, MAGIC);
    HRESULT hr = snapshot_write(machine, &text, error);
    if (SUCCEEDED(hr))
        hr = sim_output_open(machine->sim, path, &out, error);
    if (SUCCEEDED(hr)) {
        hr = file_write_all(out.file, text.data, text.length, error);
        if (SUCCEEDED(hr))
            hr = sim_output_commit(&out, error);
        else
            sim_output_abandon(&out);
    }
    buf_free(&text);
    return hr;
}

static HRESULT run_save(struct sim_op *op, struct hcs_error *error) {
    if (op->kind == MACHINE_SAVE_FILE)
        return save_to_file(op->machine, op->path, error);
    buf_free(&op->machine->state);
    return snapshot_write(op->machine, &op->machine->state, error);
}

static void save(struct machine *machine, enum machine_save_kind kind,
                 const char *path, machine_done done, void *context) {
    struct sim_op *op = sim_op_take(machine, done, context);
    if (!op)
        return;
    op->kind = kind;
    if (sim_op_set_path(op, path ? path : ""))
        sim_op_submit(op, run_save);
}

static HRESULT run_dump(struct sim_op *op, struct hcs_error *error) {
    return sim_dump_write(op->machine, op->path, &op->dump, op->written, error);
}

static void dump(struct machine *machine, const char *path,
                 const struct machine_dump_options *options, uint64_t *written,
                 machine_done done, void *context) {
    struct sim_op *op = sim_op_take(machine, done, context);
    if (!op)
        return;
    op->dump = *options;
    op->written = written;
    if (sim_op_set_path(op, path))
        sim_op_submit(op, run_dump);
}

/* --- the rest --------------------------------------------------------- */

static HRESULT run_modify(struct sim_op *op, struct hcs_error *error) {
    return sim_devices_modify(op->machine, op->request, error);
}

static void modify(struct machine *machine, const struct json *request,
                   machine_done done, void *context) {
    struct sim_op *op = sim_op_take(machine, done, context);
    if (!op)
        return;
    op->request = request;
    sim_op_submit(op, run_modify);
}

static void statistics(struct machine *machine,
                       struct machine_statistics *out) {
    const struct guest *guest = &machine->guest;
    uint64_t touched =
        guest->boot_step * MEMORY_PER_BOOT_STEP + guest->log.length;
    uint64_t all = machine->memory_mb << 20;
    *out = (struct machine_statistics){.runtime = guest->work};
    if (machine->on)
        out->memory_bytes = touched < all ? touched : all;
    out->memory_peak = out->memory_bytes;
}

const struct machine_ops *sim_machine_ops(void) {
    static const struct machine_ops ops = {
        .name = "sim",
        .create = create,
        .start = start,
        .pause = pause_machine,
        .resume = resume,
        .save = save,
        .dump = dump,
        .press_power = press_power,
        .inject_nmi = inject_nmi,
        .reset = reset,
        .modify = modify,
        .power_off = power_off,
        .statistics = statistics,
        .destroy = destroy,
    };
    return &ops;
}
