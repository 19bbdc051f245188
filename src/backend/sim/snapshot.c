/* SPDX-License-Identifier: MIT
 * A guest's state as text: what a saved state holds and what a clone starts
 * from. */
#include <stdlib.h>
#include <string.h>

#include "../../base/text.h"
#include "sim.h"

/* Far beyond any clock, and far from where sums of times overflow. */
#define LONGEST_TIME (INT64_MAX / 4)

HRESULT snapshot_write(const struct machine *machine, struct buf *out,
                       struct hcs_error *error) {
    const struct guest *guest = &machine->guest;
    struct json_writer w = {out, false};
    json_begin_object(&w);
    json_pair_uint(&w, "MemoryInMB", machine->memory_mb);
    json_pair_uint(&w, "Processors", machine->processors);
    json_pair_string(&w, "CommandLine", guest->command_line);
    json_pair_uint(&w, "BootStep", guest->boot_step);
    json_pair_bool(&w, "Up", guest->up);
    json_pair_bool(&w, "Hung", guest->hung);
    json_pair_bool(&w, "Dead", guest->dead);
    json_pair_uint(&w, "Ticks", guest->ticks);
    json_pair_uint(&w, "KernelOffset", guest->kernel_offset);
    json_pair_int(&w, "Uptime", guest_uptime(machine));
    json_pair_int(&w, "Work", guest->work);
    json_key(&w, "Alarms");
    json_begin_array(&w);
    for (int i = 0; i < ALARM_COUNT; i++)
        json_put_int(&w, guest->timers[i].left);
    json_end_array(&w);
    guest_net_write(machine, &w);
    json_key(&w, "Typed");
    json_put_string_n(&w, guest->line.data, guest->line.length);
    json_key(&w, "Log");
    json_put_string_n(&w, guest->log.data, guest->log.length);
    json_end_object(&w);
    return out->failed ? error_set(error, E_OUTOFMEMORY, NULL,
                                   "no memory for a saved state")
                       : S_OK;
}

static HRESULT corrupt(struct hcs_error *error) {
    return error_set(error, HR_FILE_CORRUPT, NULL,
                     "the saved state is damaged");
}

/* The machine must be as it was: what was in its memory counts on that. */
static HRESULT check_machine(const struct machine *machine,
                             const struct json *state,
                             struct hcs_error *error) {
    uint64_t memory, processors;
    if (!json_to_uint64(json_get(state, "MemoryInMB"), &memory) ||
        !json_to_uint64(json_get(state, "Processors"), &processors))
        return corrupt(error);
    if (memory != machine->memory_mb)
        return error_set(error, HR_INVALID_DATA,
                         "$.VirtualMachine.ComputeTopology.Memory.SizeInMB",
                         "the saved machine had %llu MB",
                         (unsigned long long)memory);
    if (processors != machine->processors)
        return error_set(error, HR_INVALID_DATA,
                         "$.VirtualMachine.ComputeTopology.Processor.Count",
                         "the saved machine had %llu processors",
                         (unsigned long long)processors);
    return S_OK;
}

static bool read_alarms(struct guest *guest, const struct json *list) {
    if (!list || list->type != JSON_ARRAY || list->as.array.count > ALARM_COUNT)
        return false;
    for (size_t i = 0; i < ALARM_COUNT; i++)
        guest->timers[i].left = -1;
    for (size_t i = 0; i < list->as.array.count; i++) {
        int64_t left;
        if (!json_to_int64(&list->as.array.items[i], &left) || left < -1 ||
            left > LONGEST_TIME)
            return false;
        guest->timers[i].left = left;
    }
    return true;
}

/* At most the last `most` bytes. */
static bool read_text(struct buf *out, const struct json *value, size_t most) {
    if (!value || value->type != JSON_STRING)
        return false;
    size_t length = value->as.string.length;
    size_t skip = length > most ? length - most : 0;
    buf_clear(out);
    buf_add(out, value->as.string.text + skip, length - skip);
    return !out->failed;
}

static bool read_time(int64_t *out, const struct json *value) {
    return json_to_int64(value, out) && *out >= 0 && *out <= LONGEST_TIME;
}

/* A word under way goes on. */
static bool read_net(struct machine *machine, const struct json *state) {
    struct guest *guest = &machine->guest;
    guest_net_reset(machine);
    if (!guest_net_read(machine, state))
        return false;
    if (guest->net.job.line && guest->timers[ALARM_WORD].left < 0)
        guest->timers[ALARM_WORD].left = 0;
    return true;
}

static bool read_guest(struct machine *machine, const struct json *state) {
    struct guest *guest = &machine->guest;
    uint64_t step;
    const char *line = json_text(json_get(state, "CommandLine"), NULL);
    char *copy = line ? text_copy(line) : NULL;
    if (!copy)
        return false;
    free(guest->command_line);
    guest->command_line = copy;
    guest_read_command_line(guest);
    guest->up = json_is_true(json_get(state, "Up"));
    guest->hung = json_is_true(json_get(state, "Hung"));
    guest->dead = json_is_true(json_get(state, "Dead"));
    if (!json_to_uint64(json_get(state, "BootStep"), &step) || step > 64)
        return false;
    guest->boot_step = (unsigned)step;
    return json_to_uint64(json_get(state, "Ticks"), &guest->ticks) &&
           json_to_uint64(json_get(state, "KernelOffset"),
                          &guest->kernel_offset) &&
           read_time(&guest->ran, json_get(state, "Uptime")) &&
           read_time(&guest->work, json_get(state, "Work")) &&
           read_alarms(guest, json_get(state, "Alarms")) &&
           read_net(machine, state) &&
           read_text(&guest->line, json_get(state, "Typed"),
                     SIM_LINE_SIZE - 1) &&
           read_text(&guest->log, json_get(state, "Log"), SIM_LOG_SIZE);
}

HRESULT snapshot_read(struct machine *machine, const char *text, size_t length,
                      struct hcs_error *error) {
    struct json_doc doc = {0};
    if (FAILED(json_parse(text, length, &doc, NULL)))
        return corrupt(error);
    HRESULT hr = check_machine(machine, doc.root, error);
    if (SUCCEEDED(hr) && !read_guest(machine, doc.root))
        hr = corrupt(error);
    json_doc_free(&doc);
    return hr;
}
