/* SPDX-License-Identifier: MIT
 * Programs of ours that lie beside this code, and starting them (POSIX). This
 * process' signals and its other children are left alone. */
#ifndef HCS_SPAWN_H
#define HCS_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#include "error.h"

/* The path of the program `name` in the directory of the file that this code
 * is in. HR_FILE_NOT_FOUND when it is not there, or cannot be run. */
HRESULT spawn_beside(const char *name, char *path, size_t size,
                     struct hcs_error *error);

/* Starts the program at `path` with this process' environment. The descriptors
 * from[0 … count - 1] become `first`, `first` + 1 … in it (copies; count <= 4);
 * below `first` it has ours, above none. Its signals are all unblocked and at
 * their defaults. Whoever calls waits for *pid. */
HRESULT spawn_program(const char *path, char *const argv[], const int *from,
                      int first, int count, pid_t *pid,
                      struct hcs_error *error);

/* Waits for one that ends at once. A process that has collected it already is
 * fine; 0 is none. */
void spawn_reap(pid_t pid);

#endif
