/* SPDX-License-Identifier: MIT */
#include "protocol.h"

#include <string.h>

static const char *const kinds[] = {"Hello", "Create", "Submit",
                                    "Close", "Reply",  "Event"};

static void pair_text(struct json_writer *w, const char *name,
                      const char *text) {
    if (text)
        json_pair_string(w, name, text);
}

static void write_members(struct json_writer *w, const struct message *m) {
    json_begin_object(w);
    json_pair_string(w, "Kind", kinds[m->kind]);
    json_pair_uint(w, "Tag", m->tag);
    json_pair_int(w, "Verb", m->verb);
    json_pair_int(w, "Type", m->type);
    json_pair_int(w, "Result", m->result);
    json_pair_int(w, "Process", m->process);
    json_pair_int(w, "Build", m->build);
    json_pair_bool(w, "Open", m->open);
    json_pair_bool(w, "Replay", m->replay);
    json_pair_bool(w, "AllowHostChange", m->allow_host_change);
    pair_text(w, "Id", m->id);
    pair_text(w, "Document", m->document);
    pair_text(w, "Path", m->path);
    pair_text(w, "Text", m->text);
    pair_text(w, "Accelerator", m->accelerator);
    pair_text(w, "Qemu", m->qemu);
    json_end_object(w);
}

HRESULT message_write(struct buf *out, const struct message *message,
                      struct hcs_error *error) {
    struct buf frame = {0};
    struct json_writer w = {&frame, false};

    frame_begin(&frame);
    write_members(&w, message);
    return frame_end(&frame, out, error);
}

static bool get_int(const struct json *object, const char *name, int64_t *out) {
    return frame_number(object, name, INT64_MIN, INT64_MAX, out);
}

static bool get_kind(const struct json *object, enum message_kind *out) {
    size_t kind;
    bool good = frame_kind(object, kinds, HCS_COUNT(kinds), &kind);

    *out = (enum message_kind)kind;
    return good;
}

static bool get_all(const struct json *object, struct message *m) {
    const struct json *tag = json_get(object, "Tag");
    int64_t result;

    memset(m, 0, sizeof *m);
    if (!get_kind(object, &m->kind) || (tag && !json_to_uint64(tag, &m->tag)) ||
        !frame_number(object, "Result", INT32_MIN, INT32_MAX, &result))
        return false;
    m->result = (HRESULT)result;
    m->open = json_is_true(json_get(object, "Open"));
    m->replay = json_is_true(json_get(object, "Replay"));
    m->allow_host_change = json_is_true(json_get(object, "AllowHostChange"));
    return get_int(object, "Verb", &m->verb) &&
           get_int(object, "Type", &m->type) &&
           get_int(object, "Process", &m->process) &&
           get_int(object, "Build", &m->build) &&
           frame_text(object, "Id", &m->id) &&
           frame_text(object, "Document", &m->document) &&
           frame_text(object, "Path", &m->path) &&
           frame_text(object, "Text", &m->text) &&
           frame_text(object, "Accelerator", &m->accelerator) &&
           frame_text(object, "Qemu", &m->qemu);
}

HRESULT message_read(struct buf *in, struct message *message,
                     struct json_doc *doc, struct hcs_error *error) {
    HRESULT hr = frame_take(in, doc, error);

    if (hr != S_OK)
        return hr;
    if (!get_all(doc->root, message)) {
        json_doc_free(doc);
        return frame_bad(error, "something that is no message");
    }
    return S_OK;
}
