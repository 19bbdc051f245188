/* SPDX-License-Identifier: MIT
 * A start under way. */
#ifndef HCS_QEMU_LAUNCH_H
#define HCS_QEMU_LAUNCH_H

#include "job.h"

/* What the preparations found out. */
struct launch {
    struct job job;
    char kernel[PATH_MAX];
    const char *code;
    char variables[PATH_MAX];
    bool secure;
    struct qemu_disk *disks;
    size_t disk_count;
    int memory;
    bool memory_private;
    int incoming;       /* the stream, at its start; -1: a cold boot */
    bool held;          /* the saved guest cannot run */
    bool shared_memory; /* RAM is not in the stream */
    int clone_lock;
    struct nics nics;
    struct saved_header saved; /* when a state is taken over */
    struct hcs_error refusal;  /* what QEMU would not do; code 0: nothing */
};

/* Looks at the files that the document names, off the loop. */
HRESULT launch_prepare(struct job *job, struct hcs_error *error);

#endif
