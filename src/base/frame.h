/* SPDX-License-Identifier: MIT
 * Frames, which is what processes of ours send each other: four bytes of
 * length, little-endian, then that many bytes of JSON. */
#ifndef HCS_FRAME_H
#define HCS_FRAME_H

#include "json.h"

#define FRAME_LIMIT ((size_t)16 << 20) /* bytes of JSON */

/* Begins a frame in an empty buffer; the JSON is written behind. */
void frame_begin(struct buf *frame);
/* Appends the whole frame to `out`, or on failure nothing, and frees it.
 * HCS_E_INVALID_JSON when it is longer than a frame may be, E_OUTOFMEMORY. */
HRESULT frame_end(struct buf *frame, struct buf *out, struct hcs_error *error);

/* Takes the next frame from the front of `in`: S_OK with its JSON, which the
 * caller frees; S_FALSE when it is not complete yet; HCS_E_PROTOCOL_ERROR for
 * anything else; E_OUTOFMEMORY. */
HRESULT frame_take(struct buf *in, struct json_doc *doc,
                   struct hcs_error *error);
/* HCS_E_PROTOCOL_ERROR: "the other side sent <what>". */
HRESULT frame_bad(struct hcs_error *error, const char *what);

/* Members of a frame's object. What is absent is 0 or NULL; false for what is
 * there and is none, or not of the range. */
bool frame_number(const struct json *object, const char *name, int64_t min,
                  int64_t max, int64_t *out);
bool frame_text(const struct json *object, const char *name, const char **out);
/* Which of the `count` names its Kind is; false: none of them. */
bool frame_kind(const struct json *object, const char *const *kinds,
                size_t count, size_t *out);

#endif
