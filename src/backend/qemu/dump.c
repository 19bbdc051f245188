/* SPDX-License-Identifier: MIT
 * The guest's memory as an ELF core or a kdump file. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../base/output.h"
#include "flatten.h"
#include "job.h"
#include "sequence.h"

/* What an ELF core has besides the memory: headers and notes. */
#define ELF_OVERHEAD (UINT64_C(1) << 20)

/* QEMU writes into a pipe that a job reads: both ends are awaited. */
struct dump {
    struct job job;
    struct machine *machine;
    struct waiter waiter;
    struct output output;
    uint64_t limit;
    uint64_t size;
    uint64_t *written; /* the caller's */
    int pipe;          /* the end that is read */
    bool flattened;
    int pending;
    HRESULT result; /* the first failure */
    struct hcs_error error;
};

static void dump_free(struct dump *dump) {
    output_close(&dump->output, NULL);
    if (dump->pipe >= 0)
        close(dump->pipe);
    free(dump);
}

static void dump_fail(struct dump *dump, HRESULT result,
                      const struct hcs_error *error) {
    /* A reader that gave up has the better reason: QEMU then fails, too. */
    if (SUCCEEDED(dump->result) || result == HR_DISK_FULL) {
        dump->result = result;
        dump->error = *error;
    }
}

static void dump_end(struct dump *dump) {
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

static HRESULT commit(struct job *job, struct hcs_error *error) {
    struct dump *dump = HCS_CONTAINER(job, struct dump, job);

    return output_commit(&dump->output, error);
}

static void committed(struct job *job) {
    struct dump *dump = HCS_CONTAINER(job, struct dump, job);

    if (FAILED(job->result))
        dump_fail(dump, job->result, &job->error);
    dump_end(dump);
}

static void one_ended(struct dump *dump) {
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
    struct dump *dump = context;

    if (FAILED(result))
        dump_fail(dump, result, error);
    one_ended(dump);
}

static HRESULT receive(struct job *job, struct hcs_error *error) {
    struct dump *dump = HCS_CONTAINER(job, struct dump, job);
    HRESULT hr;

    if (dump->flattened)
        hr = flatten_undo(dump->pipe, dump->output.file, dump->limit,
                          OUTPUT_FLOOR, &dump->size, error);
    else
        hr = sparse_copy(dump->pipe, dump->output.file, dump->limit, OUTPUT_FLOOR,
                         &dump->size, error);
    /* QEMU must not wait for a reader that is gone. */
    close(dump->pipe);
    dump->pipe = -1;
    return hr;
}

static void received(struct job *job) {
    struct dump *dump = HCS_CONTAINER(job, struct dump, job);

    if (FAILED(job->result))
        dump_fail(dump, job->result, &job->error);
    if (dump->machine->destroyed)
        dump->pending = 1; /* the other end will not be heard of */
    one_ended(dump);
}

static void ask(struct dump *dump, int fd) {
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

static void run(struct dump *dump) {
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
static HRESULT check_size(struct dump *dump, enum machine_dump_format format,
                          struct hcs_error *error) {
    uint64_t size = dump->machine->memory_bytes;

    if (format != MACHINE_DUMP_ELF)
        return space_check(dump->output.file, 0, OUTPUT_FLOOR, error);
    if (dump->limit && size > dump->limit)
        return error_set(error, HR_DISK_FULL, NULL,
                         "the dump would be larger than %llu bytes",
                         (unsigned long long)dump->limit);
    return space_check(dump->output.file, size + ELF_OVERHEAD, OUTPUT_FLOOR,
                       error);
}

void machine_dump(struct machine *machine, enum machine_dump_format format,
                  const char *path, uint64_t limit, uint64_t *written,
                  machine_done done, void *context) {
    struct dump *dump;
    HRESULT hr;

    if (machine->phase != PHASE_ALIVE) {
        refuse(done, context, HCS_E_INVALID_STATE, "the guest does not run");
        return;
    }
    dump = calloc(1, sizeof *dump);
    if (!dump) {
        refuse(done, context, E_OUTOFMEMORY, "out of memory");
        return;
    }
    dump->machine = machine;
    dump->waiter = (struct waiter){done, context};
    dump->limit = limit;
    dump->written = written;
    dump->pipe = -1;
    hr = output_open(&dump->output, path, &dump->error);
    if (SUCCEEDED(hr))
        hr = check_size(dump, format, &dump->error);
    dump->result = hr;
    dump->flattened = format == MACHINE_DUMP_KDUMP_ZLIB;
    if (FAILED(hr))
        dump_end(dump);
    else
        run(dump);
}
