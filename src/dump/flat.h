/* SPDX-License-Identifier: MIT
 * Flattened files: what a writer that cannot seek would have written where, one
 * piece behind the other. */
#ifndef HCS_DUMP_FLAT_H
#define HCS_DUMP_FLAT_H

#include "reader.h"

bool flat_knows(const struct dump_head *head);
/* The file as it is meant to be; takes `inner` over, also when it fails.
 * *truncated: it has no end. */
HRESULT flat_open(struct source *inner, struct source **out, bool *truncated,
                  struct hcs_error *error);

#endif
