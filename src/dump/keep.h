/* SPDX-License-Identifier: MIT
 * The files that a new dump finds under its name, and the one that goes with
 * it: PATH.json tells what machine it is of. */
#ifndef HCS_DUMP_KEEP_H
#define HCS_DUMP_KEEP_H

#include <stdbool.h>

#include "../base/error.h"

/* Where files are, for worlds that have files of their own. */
struct dump_files {
    bool (*exists)(void *context, const char *path);
    /* In the place of what is there. */
    HRESULT(*move)
    (void *context, const char *from, const char *to, struct hcs_error *error);
    void (*remove)(void *context, const char *path); /* if it is there */
    void *context;
};

#define DUMP_MAX_KEPT 1000u

/* Makes room for a dump called `path`, so that there are `keep` (at most
 * DUMP_MAX_KEPT) with it: what was there becomes PATH.1, that PATH.2 and so
 * on, each with its .json, and the oldest goes. 0 and 1: nothing is done, the
 * new one takes the old one's place. */
HRESULT dump_make_room(const char *path, uint32_t keep,
                       struct hcs_error *error);
HRESULT dump_make_room_in(const struct dump_files *files, const char *path,
                          uint32_t keep, struct hcs_error *error);
/* What lies beside a dump: of what machine it is, and the map of a raw one. */
#define DUMP_ABOUT ".json"
#define DUMP_MAP ".map"

/* PATH and the ending, malloc'd; NULL: out of memory. */
char *dump_name_beside(const char *path, const char *ending);
/* Puts `text` beside the dump, which only its owner may read: before the dump
 * itself, so that there is none without it. */
HRESULT dump_put_beside(const char *path, const char *ending, const char *text,
                        struct hcs_error *error);
/* Takes it away again. */
void dump_drop_beside(const char *path, const char *ending);

#endif
