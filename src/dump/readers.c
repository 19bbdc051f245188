/* SPDX-License-Identifier: MIT
 * The formats that are read. */
#include "reader.h"

const struct dump_reader *const dump_readers[] = {NULL};
