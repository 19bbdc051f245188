/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <string.h>

#define HEADER 4

void frame_begin(struct buf *frame) {
    static const char room[HEADER] = {0};

    buf_add(frame, room, sizeof room);
}

static void put_length(struct buf *frame, size_t length) {
    for (int i = 0; i < HEADER; i++)
        frame->data[i] = (char)(unsigned char)(length >> (8 * i));
}

HRESULT frame_end(struct buf *frame, struct buf *out, struct hcs_error *error) {
    size_t length = frame->length - HEADER;
    HRESULT hr = S_OK;

    if (!frame->failed && length > FRAME_LIMIT) {
        hr =
            error_set(error, HCS_E_INVALID_JSON, NULL,
                      "the document is larger than %zu MiB", FRAME_LIMIT >> 20);
        goto out;
    }
    if (!frame->failed) {
        put_length(frame, length);
        buf_add(out, frame->data, frame->length);
    }
    if (frame->failed || out->failed)
        hr = error_set(error, E_OUTOFMEMORY, NULL, "out of memory");

out:
    buf_free(frame);
    return hr;
}

HRESULT frame_bad(struct hcs_error *error, const char *what) {
    return error_set(error, HCS_E_PROTOCOL_ERROR, NULL,
                     "the other side sent %s", what);
}

HRESULT frame_take(struct buf *in, struct json_doc *doc,
                   struct hcs_error *error) {
    size_t length = 0;
    HRESULT hr;

    if (in->length < HEADER)
        return S_FALSE;
    for (int i = 0; i < HEADER; i++)
        length |= (size_t)(unsigned char)in->data[i] << (8 * i);
    if (length > FRAME_LIMIT)
        return frame_bad(error, "a message that is too long");
    if (in->length - HEADER < length)
        return S_FALSE;
    hr = json_parse(in->data + HEADER, length, doc, NULL);
    if (hr == E_OUTOFMEMORY)
        return error_set(error, hr, NULL, "out of memory");
    if (FAILED(hr))
        return frame_bad(error, "something that is not JSON");
    buf_consume(in, length + HEADER);
    return S_OK;
}

bool frame_number(const struct json *object, const char *name, int64_t min,
                  int64_t max, int64_t *out) {
    const struct json *value = json_get(object, name);

    *out = 0;
    return !value || (json_to_int64(value, out) && *out >= min && *out <= max);
}

bool frame_text(const struct json *object, const char *name, const char **out) {
    const struct json *value = json_get(object, name);

    *out = json_text(value, NULL);
    return !value || *out;
}

bool frame_kind(const struct json *object, const char *const *kinds,
                size_t count, size_t *out) {
    const char *kind = json_text(json_get(object, "Kind"), "");

    for (*out = 0; *out < count; (*out)++)
        if (strcmp(kinds[*out], kind) == 0)
            return true;
    return false;
}
