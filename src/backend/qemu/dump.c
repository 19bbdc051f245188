/* SPDX-License-Identifier: MIT
 * The guest's memory as QEMU writes it, an ELF core or a kdump file; in other
 * formats it is made of such a core, which nobody sees. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/output.h"
#include "../../dump/export.h"
#include "../../dump/keep.h"
#include "flatten.h"
#include "job.h"
#include "sequence.h"

/* What an ELF core has besides the memory: headers and notes. */
#define ELF_OVERHEAD (UINT64_C(1) << 20)

/* QEMU writes into a pipe that a job reads: both ends are awaited. */
struct dumping {
    struct job job;
    struct machine *machine;
    struct waiter waiter;
    struct output output;
    struct output core; /* what it is made of; path NULL: as QEMU writes it */
    struct machine_dump_options options; /* `about` is its own copy */
    char *about;
    struct buf map; /* of raw memory */
    uint64_t size;
    uint64_t *written; /* the caller's */
    int pipe;          /* the end that is read */
    bool flattened;
    int pending;
    HRESULT result; /* the first failure */
    struct hcs_error error;
};

static void dump_free(struct dumping *dump) {
    output_close(&dump->output, NULL);
    if (dump->core.path)
        output_close(&dump->core, NULL);
    if (dump->pipe >= 0)
        close(dump->pipe);
    free(dump->about);
    buf_free(&dump->map);
    free(dump);
}

static void dump_fail(struct dumping *dump, HRESULT result,
                      const struct hcs_error *error) {
    /* A reader that gave up has the better reason: QEMU then fails, too. */
    if (SUCCEEDED(dump->result) || result == HR_DISK_FULL) {
        dump->result = result;
        dump->error = *error;
    }
}

static void dump_end(struct dumping *dump) {
    struct waiter waiter = dump->waiter;
    struct hcs_error error = dump->error;
    HRESULT hr = dump->result;
    bool destroyed = dump->machine->destroyed;

    if (SUCCEEDED(hr) && !destroyed && dump->written)
        *dump->written = dump->size;
    dump_free(dump);
    if (!destroyed)
        answer(&waiter, hr, &error);
}

static uint64_t floor_of(const struct dumping *dump) {
    return dump->options.keep_free ? dump->options.keep_free : OUTPUT_FLOOR;
}

static HRESULT convert(struct dumping *dump, struct hcs_error *error) {
    const struct dump_export_options options = {
        .max_bytes = dump->options.limit, .keep_free = floor_of(dump)};
    struct dump *core;
    HRESULT hr;

    if (!dump->core.path)
        return S_OK;
    hr = dump_open_file(dump->core.file, &core, error);
    if (FAILED(hr))
        return hr;
    hr = dump_export_file(core, dump->output.file, dump->output.path,
                          dump->options.format == MACHINE_DUMP_VMRS
                              ? DUMP_EXPORT_VMRS
                              : DUMP_EXPORT_RAW,
                          &options, &dump->size, error);
    if (SUCCEEDED(hr) && dump->options.format == MACHINE_DUMP_RAW)
        hr = dump_export_map(core, &dump->map, error);
    dump_close(core);
    return hr;
}

static HRESULT commit(struct job *job, struct hcs_error *error) {
    struct dumping *dump = HCS_CONTAINER(job, struct dumping, job);
    const char *path = dump->output.path;
    HRESULT hr = convert(dump, error);

    if (SUCCEEDED(hr))
        hr = dump_make_room(path, dump->options.keep, error);
    if (SUCCEEDED(hr) && dump->about)
        hr = dump_put_beside(path, DUMP_ABOUT, dump->about, error);
    if (SUCCEEDED(hr) && dump->map.length)
        hr = dump_put_beside(path, DUMP_MAP, dump->map.data, error);
    if (FAILED(hr))
        return hr;
    hr = output_commit(&dump->output, error);
    if (FAILED(hr)) {
        dump_drop_beside(path, DUMP_ABOUT);
        dump_drop_beside(path, DUMP_MAP);
    }
    return hr;
}

static void committed(struct job *job) {
    struct dumping *dump = HCS_CONTAINER(job, struct dumping, job);

    if (FAILED(job->result))
        dump_fail(dump, job->result, &job->error);
    dump_end(dump);
}

static void one_ended(struct dumping *dump) {
    if (--dump->pending > 0)
        return;
    if (FAILED(dump->result) || dump->machine->destroyed) {
        dump_end(dump);
        return;
    }
    memset(&dump->job.work, 0, sizeof dump->job.work);
    dump->job.run = commit;
    dump->job.after = committed;
    job_start(&dump->job, dump->machine);
}

static void on_dumped(void *context, HRESULT result,
                      const struct hcs_error *error) {
    struct dumping *dump = context;

    if (FAILED(result))
        dump_fail(dump, result, error);
    one_ended(dump);
}

static HRESULT receive(struct job *job, struct hcs_error *error) {
    struct dumping *dump = HCS_CONTAINER(job, struct dumping, job);
    uint64_t floor = floor_of(dump);
    HRESULT hr;

    if (dump->flattened)
        hr = flatten_undo(dump->pipe, dump->output.file, dump->options.limit,
                          floor, &dump->size, error);
    else if (dump->core.path)
        hr = sparse_copy(dump->pipe, dump->core.file, 0, floor, &dump->size,
                         error);
    else
        hr = sparse_copy(dump->pipe, dump->output.file, dump->options.limit,
                         floor, &dump->size, error);
    /* QEMU must not wait for a reader that is gone. */
    close(dump->pipe);
    dump->pipe = -1;
    return hr;
}

static void received(struct job *job) {
    struct dumping *dump = HCS_CONTAINER(job, struct dumping, job);

    if (FAILED(job->result))
        dump_fail(dump, job->result, &job->error);
    if (dump->machine->destroyed)
        dump->pending = 1; /* the other end will not be heard of */
    one_ended(dump);
}

static void ask(struct dumping *dump, int fd) {
    struct sequence *sequence = sequence_new(dump->machine, on_dumped, dump);

    sequence_internal(sequence);
    sequence_add_fd(sequence, fd, "getfd", "{\"fdname\":\"dump\"}");
    sequence_add(sequence, "dump-guest-memory",
                 "{\"paging\":false,\"protocol\":\"fd:dump\",\"format\":\"%s\","
                 "\"detach\":true}",
                 dump->flattened ? "kdump-zlib" : "elf");
    sequence_await(sequence, "DUMP_COMPLETED", NULL);
    sequence_run(sequence);
}

static void run(struct dumping *dump) {
    struct hcs_error error;
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) != 0) {
        error_errno(&error, errno, "a pipe for the dump");
        dump_fail(dump, error.code, &error);
        dump_end(dump);
        return;
    }
    fcntl(fds[0], F_SETPIPE_SZ, 1 << 20); /* fewer turns; not needed */
    dump->pipe = fds[0];
    dump->pending = 2;
    dump->job.run = receive;
    dump->job.after = received;
    job_start(&dump->job, dump->machine);
    ask(dump, fds[1]);
    close(fds[1]);
}

/* An ELF core's size is known before. */
static HRESULT check_size(struct dumping *dump, struct hcs_error *error) {
    uint64_t size = dump->machine->memory_bytes;
    uint64_t limit = dump->options.limit;

    if (dump->flattened)
        return space_check(dump->output.file, 0, floor_of(dump), error);
    if (limit && size > limit)
        return error_set(error, HR_DISK_FULL, NULL,
                         "the dump would be larger than %llu bytes",
                         (unsigned long long)limit);
    return space_check(dump->output.file, size + ELF_OVERHEAD, floor_of(dump),
                       error);
}

static HRESULT open_files(struct dumping *dump, const char *path,
                          struct hcs_error *error) {
    enum machine_dump_format format = dump->options.format;
    HRESULT hr = output_open(&dump->output, path, error);

    if (SUCCEEDED(hr) &&
        (format == MACHINE_DUMP_VMRS || format == MACHINE_DUMP_RAW))
        hr = output_open(&dump->core, path, error);
    return SUCCEEDED(hr) ? check_size(dump, error) : hr;
}

static struct dumping *dump_new(struct machine *machine,
                                const struct machine_dump_options *options) {
    struct dumping *dump = calloc(1, sizeof *dump);

    if (!dump)
        return NULL;
    dump->machine = machine;
    dump->options = *options;
    dump->about = options->about ? strdup(options->about) : NULL;
    dump->flattened = options->format == MACHINE_DUMP_KDUMP_ZLIB;
    dump->pipe = -1;
    dump->output.file = -1;
    if (options->about && !dump->about) {
        free(dump);
        return NULL;
    }
    return dump;
}

void machine_dump(struct machine *machine, const char *path,
                  const struct machine_dump_options *options, uint64_t *written,
                  machine_done done, void *context) {
    struct dumping *dump;

    if (machine->phase != PHASE_ALIVE) {
        refuse(done, context, HCS_E_INVALID_STATE, "the guest does not run");
        return;
    }
    dump = dump_new(machine, options);
    if (!dump) {
        refuse(done, context, E_OUTOFMEMORY, "out of memory");
        return;
    }
    dump->waiter = (struct waiter){done, context};
    dump->written = written;
    dump->result = open_files(dump, path, &dump->error);
    if (FAILED(dump->result))
        dump_end(dump);
    else
        run(dump);
}
