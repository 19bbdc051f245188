/* SPDX-License-Identifier: MIT
 * The bytes that a dump is read from: a file, memory, or what another source
 * holds in another order. As long as it was when it was opened: a file that
 * grows is not followed, one that shrinks answers HR_FILE_CORRUPT. */
#ifndef HCS_DUMP_SOURCE_H
#define HCS_DUMP_SOURCE_H

#include <stdbool.h>

#include "../base/file.h"

struct source;

HRESULT source_open(const char *path, struct source **out,
                    struct hcs_error *error);
/* The same of a file that is open for reading, which stays the caller's. */
HRESULT source_of_file(hcs_file file, struct source **out,
                       struct hcs_error *error);
/* `bytes` stay the caller's. */
HRESULT source_of_memory(const void *bytes, size_t length, struct source **out,
                         struct hcs_error *error);
/* NULL is fine. */
void source_close(struct source *source);

uint64_t source_length(const struct source *source);
/* Whether [offset, offset + size) lies within it. */
bool source_has(const struct source *source, uint64_t offset, uint64_t size);
/* All `size` bytes at `offset`, or HR_FILE_CORRUPT: it ends before. */
HRESULT source_read(struct source *source, uint64_t offset, void *bytes,
                    size_t size, struct hcs_error *error);
/* The first offset from `offset` on where something may be that is not zero,
 * or the length: what lies between is a hole. Without knowledge: `offset`. */
uint64_t source_next_data(struct source *source, uint64_t offset);
/* The first hole at or after `offset`, or the length. */
uint64_t source_next_hole(struct source *source, uint64_t offset);

/* --- for sources of other files' making ---------------------------------- */

struct source_kind {
    HRESULT(*read)
    (void *self, uint64_t offset, void *bytes, size_t size,
     struct hcs_error *error);                          /* within its length */
    uint64_t (*next_data)(void *self, uint64_t offset); /* may be NULL */
    uint64_t (*next_hole)(void *self, uint64_t offset); /* may be NULL */
    void (*close)(void *self);
};

/* Takes `self` over, also when it fails. */
HRESULT source_create(const struct source_kind *kind, void *self,
                      uint64_t length, struct source **out,
                      struct hcs_error *error);

/* Bytes are looked at in windows of a source: a reader of many small things
 * that lie close together has one. */
#define SOURCE_WINDOW 16384u

struct source_window {
    uint64_t offset;
    size_t length; /* 0: nothing is there yet */
    uint8_t *bytes;
};

/* *bytes are `size` (<= SOURCE_WINDOW) bytes at `offset`, until the next call
 * with this window. */
HRESULT source_look(struct source *source, struct source_window *window,
                    uint64_t offset, size_t size, const uint8_t **bytes,
                    struct hcs_error *error);
/* The same, which reads at most `most` bytes ahead: for what is far apart. */
HRESULT source_look_near(struct source *source, struct source_window *window,
                         uint64_t offset, size_t size, size_t most,
                         const uint8_t **bytes, struct hcs_error *error);
void source_window_free(struct source_window *window);

#endif
