/* SPDX-License-Identifier: MIT */
#include "job.h"

static void on_work(uv_work_t *work) {
    struct job *job = work->data;

    job->result = job->run(job, &job->error);
}

static void on_after(uv_work_t *work, int status) {
    struct job *job = work->data;
    struct machine *machine = job->machine;

    (void)status;
    job->after(job);
    machine_drop(machine);
}

void job_start(struct job *job, struct machine *machine) {
    job->machine = machine;
    job->work.data = job;
    machine_hold(machine);
    /* Fails only without a work function. */
    uv_queue_work(machine->platform->loop, &job->work, on_work, on_after);
}
