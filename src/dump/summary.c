/* SPDX-License-Identifier: MIT
 * A dump in a dozen lines. */
#include <stdio.h>

#include "reader.h"

#define MAX_CPUS 4u
#define PANIC "Kernel panic - not syncing"

static const char *system_name(const struct dump_facts *facts) {
    switch (facts->os) {
    case DUMP_OS_LINUX:
        return "Linux";
    case DUMP_OS_WINDOWS:
        return "Windows";
    default:
        return "an unknown system";
    }
}

static void put_size(struct buf *out, uint64_t bytes) {
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB"};
    unsigned unit = 0;

    while (unit + 1 < HCS_COUNT(units) && bytes >= 10240) {
        bytes = (bytes + 512) / 1024;
        unit++;
    }
    buf_printf(out, "%llu %s", (unsigned long long)bytes, units[unit]);
}

static void put_head(struct dump *dump, struct buf *out) {
    const struct dump_facts *facts = &dump->facts;
    uint64_t bytes;

    buf_puts(out, system_name(facts));
    if (facts->os_release[0])
        buf_printf(out, " %s", facts->os_release);
    buf_printf(out, ", %s, %u %s", dump_arch_name(facts->arch),
               (unsigned)facts->cpu_count,
               facts->cpu_count == 1 ? "CPU" : "CPUs");
    if (SUCCEEDED(dump_memory_bytes(dump, &bytes, NULL))) {
        buf_puts(out, ", ");
        put_size(out, bytes);
        buf_puts(out, " of memory");
    }
    buf_printf(out, "\nformat    %s", facts->format_name);
    if (facts->variant[0])
        buf_printf(out, " (%s)", facts->variant);
    buf_puts(out, ", ");
    put_size(out, facts->file_bytes);
    if (facts->truncated)
        buf_puts(out, ", cut off");
    buf_putc(out, '\n');
    if (facts->created[0])
        buf_printf(out, "created   %s\n", facts->created);
}

static void put_bugcheck(const struct dump *dump, struct buf *out) {
    const struct dump_bugcheck *check = dump_get_bugcheck(dump);
    unsigned i;

    if (!check)
        return;
    buf_printf(out, "bugcheck  0x%08x", (unsigned)check->code);
    if (check->name[0])
        buf_printf(out, " %s", check->name);
    for (i = 0; i < 4; i++)
        buf_printf(out, "%s0x%llx", i == 0 ? " (" : ", ",
                   (unsigned long long)check->parameters[i]);
    buf_puts(out, ")\n");
}

/* --- the log ------------------------------------------------------------- */

/* The lines of a log that say most. */
struct lines {
    char panic[200];
    char last[200];
    uint64_t count;
    uint64_t end; /* when the last one was said */
};

static void keep(char out[200], const struct dump_log_line *line) {
    size_t i;

    for (i = 0; i < line->length && i < 199; i++) {
        if (line->text[i] == '\n')
            break;
        out[i] = line->text[i] < ' ' ? '?' : line->text[i];
    }
    out[i] = '\0';
}

static bool on_line(void *context, const struct dump_log_line *line) {
    struct lines *lines = context;
    size_t length = sizeof PANIC - 1;

    lines->count++;
    lines->end = line->nanoseconds;
    keep(lines->last, line);
    if (line->length >= length && memcmp(line->text, PANIC, length) == 0 &&
        !lines->panic[0])
        keep(lines->panic, line);
    return true;
}

static void put_log(struct dump *dump, struct buf *out) {
    struct lines lines = {0};

    if (FAILED(dump_log(dump, on_line, &lines, NULL)) || lines.count == 0)
        return;
    if (lines.panic[0])
        buf_printf(out, "panic     %s\n", lines.panic);
    buf_printf(out, "log       %llu lines, until %llu.%06llu s: %s\n",
               (unsigned long long)lines.count,
               (unsigned long long)(lines.end / 1000000000),
               (unsigned long long)(lines.end % 1000000000 / 1000), lines.last);
}

/* --- CPUs ---------------------------------------------------------------- */

static void put_cpu(struct dump *dump, uint32_t index, struct buf *out) {
    static const uint8_t shown[] = {DUMP_REG_RIP, DUMP_REG_PC,
                                    DUMP_REG_RSP, DUMP_REG_SP_EL1,
                                    DUMP_REG_CR2, DUMP_REG_CR3};
    struct dump_cpu cpu;
    bool any = false;
    unsigned i;

    if (FAILED(dump_get_cpu(dump, index, &cpu, NULL)))
        return;
    for (i = 0; i < HCS_COUNT(shown); i++) {
        if (!cpu.known[shown[i]])
            continue;
        if (!any)
            buf_printf(out, "cpu %-5u ", (unsigned)index);
        buf_printf(out, "%s%s %016llx", any ? "  " : "",
                   dump_registers[shown[i]].name,
                   (unsigned long long)cpu.values[shown[i]].number);
        any = true;
    }
    if (any && cpu.known[DUMP_REG_CS])
        buf_puts(out, cpu.values[DUMP_REG_CS].segment.selector & 3
                          ? "  user"
                          : "  kernel");
    if (any)
        buf_putc(out, '\n');
}

HRESULT dump_summary(struct dump *dump, struct buf *out,
                     struct hcs_error *error) {
    uint32_t i, count = dump->facts.cpu_count;

    put_head(dump, out);
    put_bugcheck(dump, out);
    put_log(dump, out);
    for (i = 0; i < count && i < MAX_CPUS; i++)
        put_cpu(dump, i, out);
    if (count > MAX_CPUS)
        buf_printf(out, "          and %u more\n",
                   (unsigned)(count - MAX_CPUS));
    return out->failed ? dump_no_memory(error) : S_OK;
}
