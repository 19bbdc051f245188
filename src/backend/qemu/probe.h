/* SPDX-License-Identifier: MIT
 * Whether /dev/kvm can run guests. Its presence says nothing: there are
 * computers where it opens, takes a guest and then interprets it, far slower
 * than QEMU's own translator, stumbling over the first SSE instruction. */
#ifndef HCS_QEMU_PROBE_H
#define HCS_QEMU_PROBE_H

#include <stdbool.h>
#include <stddef.h>

struct probe_answer {
    bool kvm;
    char reason[160]; /* one clause */
};

/* Runs a tiny guest, or takes the answer of this boot from the cache. For a
 * process of its own: it uses SIGALRM, and ends the process when the guest
 * does not end by itself. */
void probe_run(struct probe_answer *out);

#endif
