/* SPDX-License-Identifier: MIT
 * A program that runs in the plane's namespace and ends with the plane. */
#ifndef HCS_LINUX_PROGRAM_H
#define HCS_LINUX_PROGRAM_H

#include <stdbool.h>
#include <sys/types.h>

#include "../../base/error.h"

struct program {
    pid_t pid;
    int pidfd; /* readable when it has ended */
};

/* From the crew's thread. It has rights on the network and no others, no
 * input, and nobody reads what it prints. */
HRESULT program_start(char *const arguments[], struct program *program,
                      struct hcs_error *error);
/* Whether it has ended; if so it is forgotten. */
bool program_ended(struct program *program);
void program_kill(struct program *program);

#endif
