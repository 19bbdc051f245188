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

#endif
