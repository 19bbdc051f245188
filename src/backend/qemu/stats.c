/* SPDX-License-Identifier: MIT
 * What the machine uses: the process' figures from the kernel, the disks' from
 * QEMU. */
#include "machine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../../base/clock.h"

static bool read_file(int pid, const char *name, char *out, size_t size) {
    char path[64];
    FILE *file;
    size_t length;

    snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    file = fopen(path, "re");
    if (!file)
        return false;
    length = fread(out, 1, size - 1, file);
    fclose(file);
    out[length] = 0;
    return length > 0;
}

/* User and system time are the 12th and 13th field after the name, which may
 * hold anything but is closed by the last parenthesis. */
static int64_t processor_time(const char *stat) {
    const char *field = strrchr(stat, ')');
    unsigned long long user = 0, system = 0;
    long ticks = sysconf(_SC_CLK_TCK);

    if (!field || ticks <= 0 ||
        sscanf(field + 1,
               " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
               &system) != 2)
        return 0;
    return (int64_t)(user + system) * (CLOCK_SECOND / ticks);
}

static uint64_t kilobytes(const char *status, const char *name) {
    const char *line = strstr(status, name);
    unsigned long long value = 0;

    if (line)
        sscanf(line + strlen(name), " %llu", &value);
    return (uint64_t)value * 1024;
}

void machine_statistics_read(struct machine *machine,
                             struct machine_statistics *out) {
    char text[4096];

    *out = machine->storage;
    if (!machine->running)
        return;
    if (read_file(machine->process.pid, "stat", text, sizeof text))
        out->runtime = processor_time(text);
    if (read_file(machine->process.pid, "status", text, sizeof text)) {
        out->memory_bytes = kilobytes(text, "VmRSS:");
        out->memory_peak = kilobytes(text, "VmHWM:");
    }
    machine_statistics_ask(machine);
}

static void add_device(struct machine_statistics *sum,
                       const struct json *device) {
    const struct json *stats = json_get(device, "stats");
    uint64_t value;

    if (json_to_uint64(json_get(stats, "rd_operations"), &value))
        sum->read_count += value;
    if (json_to_uint64(json_get(stats, "rd_bytes"), &value))
        sum->read_bytes += value;
    if (json_to_uint64(json_get(stats, "wr_operations"), &value))
        sum->write_count += value;
    if (json_to_uint64(json_get(stats, "wr_bytes"), &value))
        sum->write_bytes += value;
}

static void on_blockstats(void *context, const struct json *value,
                          const struct hcs_error *error) {
    struct machine *machine = context;
    struct machine_statistics sum;

    machine->asking = false;
    if (error || value->type != JSON_ARRAY)
        return;
    memset(&sum, 0, sizeof sum);
    for (size_t i = 0; i < value->as.array.count; i++)
        add_device(&sum, &value->as.array.items[i]);
    machine->storage = sum;
}

void machine_statistics_ask(struct machine *machine) {
    if (machine->asking || machine->disk_count == 0 || !machine->qmp ||
        machine->phase != PHASE_ALIVE)
        return;
    machine->asking = true;
    qmp_send(machine->qmp, "query-blockstats", NULL, -1, on_blockstats,
             machine);
}
