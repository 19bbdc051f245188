/* SPDX-License-Identifier: MIT
 * What a host learns of the machine and the process that it runs in. */
#ifndef HCS_HOST_SURROUNDINGS_H
#define HCS_HOST_SURROUNDINGS_H

#include <stdbool.h>

#include "../base/error.h"

/* The spec of the process's own host, malloc'd: what HCS_HOST says (*named is
 * set then), else what this machine is good for. On failure the text says what
 * to do about it. */
HRESULT surroundings_spec(char **spec, bool *named, struct hcs_error *error);

/* A logical processor's place. */
struct processor {
    int64_t package, core;
};

/* How many logical processors there are; at least 1. */
int64_t surroundings_processors(void);
/* Where number `index` is; zeros where that is not known. */
struct processor surroundings_processor(int64_t index);

/* The path as it is from anywhere, malloc'd: what is not absolute begins in the
 * folder that the process works in. */
HRESULT surroundings_full_path(const char *path, char **out,
                               struct hcs_error *error);

/* Keeps the library in the process for good: threads of it may outlive the
 * module that loaded it. */
void surroundings_pin(void);

#endif
