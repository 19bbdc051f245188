/* SPDX-License-Identifier: MIT
 * Dumps of a simulated guest: an ELF core, or what is made of one. */
#include <stdlib.h>
#include <string.h>

#include "../../dump/export.h"
#include "../../dump/keep.h"
#include "sim.h"

static enum dump_export_format format_of(enum machine_dump_format format) {
    switch (format) {
    case MACHINE_DUMP_VMRS:
        return DUMP_EXPORT_VMRS;
    case MACHINE_DUMP_RAW:
        return DUMP_EXPORT_RAW;
    case MACHINE_DUMP_KDUMP_ZLIB:
        return DUMP_EXPORT_KDUMP;
    case MACHINE_DUMP_ELF:
        break;
    }
    return DUMP_EXPORT_ELF;
}

static HRESULT convert(const struct sim_output *core,
                       const struct sim_output *out,
                       const struct machine_dump_options *options,
                       uint64_t *size, struct buf *map,
                       struct hcs_error *error) {
    const struct dump_export_options how = {
        .compress = options->format == MACHINE_DUMP_KDUMP_ZLIB,
        .max_bytes = options->limit,
        .keep_free = out->temporary ? options->keep_free : 0};
    struct dump *dump;
    HRESULT hr = dump_open_file(core->file, &dump, error);
    if (FAILED(hr))
        return hr;
    hr = dump_export_file(dump, out->file, out->path,
                          format_of(options->format), &how, size, error);
    if (SUCCEEDED(hr) && options->format == MACHINE_DUMP_RAW)
        hr = dump_export_map(dump, map, error);
    dump_close(dump);
    return hr;
}

/* The core that other formats are made of is never seen. */
static HRESULT write_converted(const struct machine *machine,
                               const struct sim_output *out,
                               const struct machine_dump_options *options,
                               uint64_t *size, struct buf *map,
                               struct hcs_error *error) {
    struct sim_output core;
    HRESULT hr = sim_output_open(machine->sim, out->path, &core, error);
    if (FAILED(hr))
        return hr;
    hr = elfcore_write(machine, &core, options->keep_free, error);
    if (SUCCEEDED(hr))
        hr = convert(&core, out, options, size, map, error);
    sim_output_abandon(&core);
    return hr;
}

static HRESULT write_core(const struct machine *machine,
                          const struct sim_output *out,
                          const struct machine_dump_options *options,
                          uint64_t *size, struct hcs_error *error) {
    *size = elfcore_size(machine);
    if (options->limit && *size > options->limit)
        return error_set(error, HR_DISK_FULL, NULL,
                         "a dump of %llu bytes is larger than the limit of "
                         "%llu",
                         (unsigned long long)*size,
                         (unsigned long long)options->limit);
    return elfcore_write(machine, out, options->keep_free, error);
}

/* --- the files there were, and the one beside ----------------------------- */

static bool exists(void *context, const char *path) {
    return sim_file_exists(context, path);
}

static HRESULT move(void *context, const char *from, const char *to,
                    struct hcs_error *error) {
    return sim_file_move(context, from, to, error);
}

static void remove_file(void *context, const char *path) {
    sim_file_remove(context, path);
}

static HRESULT make_room(struct sim *sim, const char *path, uint32_t keep,
                         struct hcs_error *error) {
    const struct dump_files files = {exists, move, remove_file, sim};
    return dump_make_room_in(&files, path, keep, error);
}

static HRESULT write_text(struct sim *sim, const char *path, const char *text,
                          struct hcs_error *error) {
    struct sim_output out;
    HRESULT hr = sim_output_open(sim, path, &out, error);
    if (FAILED(hr))
        return hr;
    hr = file_write_all(out.file, text, strlen(text), error);
    if (SUCCEEDED(hr))
        return sim_output_commit(&out, error);
    sim_output_abandon(&out);
    return hr;
}

static HRESULT put_beside(const struct sim_output *out, const char *ending,
                          const char *text, struct hcs_error *error) {
    char *name = dump_name_beside(out->path, ending);
    HRESULT hr = name ? write_text(out->sim, name, text, error)
                      : error_set(error, E_OUTOFMEMORY, NULL,
                                  "no memory for a file's name");
    free(name);
    return hr;
}

static void drop_beside(struct sim *sim, const char *path, const char *ending) {
    char *name = dump_name_beside(path, ending);
    if (name)
        sim_file_remove(sim, name);
    free(name);
}

/* What tells about the dump comes first, so that there is none without it. */
static HRESULT commit(struct sim_output *out, const char *about,
                      const struct buf *map, struct hcs_error *error) {
    struct sim *sim = out->sim;
    HRESULT hr = S_OK;
    if (about)
        hr = put_beside(out, DUMP_ABOUT, about, error);
    if (SUCCEEDED(hr) && map->length)
        hr = put_beside(out, DUMP_MAP, map->data, error);
    if (FAILED(hr)) {
        sim_output_abandon(out);
        return hr;
    }
    hr = sim_output_commit(out, error);
    if (FAILED(hr)) {
        drop_beside(sim, out->path, DUMP_ABOUT);
        drop_beside(sim, out->path, DUMP_MAP);
    }
    return hr;
}

HRESULT sim_dump_write(const struct machine *machine, const char *path,
                       const struct machine_dump_options *options,
                       uint64_t *written, struct hcs_error *error) {
    bool core = options->format == MACHINE_DUMP_ELF;
    struct buf map = {0};
    struct sim_output out;
    uint64_t size = 0;
    HRESULT hr = sim_output_open(machine->sim, path, &out, error);
    if (FAILED(hr))
        return hr;
    hr = core ? write_core(machine, &out, options, &size, error)
              : write_converted(machine, &out, options, &size, &map, error);
    if (SUCCEEDED(hr))
        hr = make_room(machine->sim, path, options->keep, error);
    if (SUCCEEDED(hr))
        hr = commit(&out, options->about, &map, error);
    else
        sim_output_abandon(&out);
    buf_free(&map);
    if (SUCCEEDED(hr))
        *written = size;
    return hr;
}
