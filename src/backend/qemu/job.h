/* SPDX-License-Identifier: MIT
 * Work on files that may take long, off the loop's thread. */
#ifndef HCS_QEMU_JOB_H
#define HCS_QEMU_JOB_H

#include "machine.h"

/* Embedded first in what the work needs. */
struct job {
    uv_work_t work;
    struct machine *machine; /* held until `after` returns */
    HRESULT (*run)(struct job *job, struct hcs_error *error); /* any thread */
    void (*after)(struct job *job); /* on the loop; also when destroyed */
    HRESULT result;
    struct hcs_error error;
};

void job_start(struct job *job, struct machine *machine);

#endif
