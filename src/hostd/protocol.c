/* SPDX-License-Identifier: MIT */
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char *const kinds[] = {
    [HOSTD_HELLO] = "Hello",   [HOSTD_REQUEST] = "Request",
    [HOSTD_LISTEN] = "Listen", [HOSTD_ATTACH] = "Attach",
    [HOSTD_DETACH] = "Detach", [HOSTD_CONNECT] = "Connect",
    [HOSTD_PLAN] = "Plan",     [HOSTD_INVENTORY] = "Inventory",
    [HOSTD_REPLY] = "Reply",   [HOSTD_EVENT] = "Event",
};

static const char *body_name(enum hostd_kind kind) {
    return kind == HOSTD_REPLY ? "Reply" : "Request";
}

/* --- writing -------------------------------------------------------------- */

static void pair_text(struct json_writer *w, const char *name,
                      const char *text) {
    if (text)
        json_pair_string(w, name, text);
}

static void pair_number(struct json_writer *w, const char *name,
                        int64_t number) {
    if (number != 0)
        json_pair_int(w, name, number);
}

static void pair_flag(struct json_writer *w, const char *name, bool flag) {
    if (flag)
        json_pair_bool(w, name, true);
}

static void pair_guid(struct json_writer *w, const char *name,
                      const struct guid *id) {
    char text[GUID_TEXT_SIZE];

    if (guid_is_zero(id))
        return;
    guid_format(id, text);
    json_pair_string(w, name, text);
}

static void write_members(struct json_writer *w,
                          const struct hostd_message *m) {
    json_begin_object(w);
    json_pair_string(w, "Kind", kinds[m->kind]);
    if (m->tag != 0)
        json_pair_uint(w, "Tag", m->tag);
    pair_number(w, "Version", m->version);
    pair_number(w, "Process", m->process);
    pair_number(w, "Build", m->build);
    pair_flag(w, "AllowHostChange", m->allow_host_change);
    pair_flag(w, "Descriptor", m->descriptor);
    pair_number(w, "Result", m->result);
    pair_number(w, "Type", m->type);
    pair_number(w, "Status", m->status);
    pair_guid(w, "Id", &m->id);
    pair_guid(w, "RuntimeId", &m->runtime_id);
    pair_number(w, "Port", m->port);
    pair_text(w, "Machine", m->machine);
    pair_text(w, "MacAddress", m->mac);
    pair_text(w, "Address", m->address);
    pair_text(w, "Document", m->document);
    pair_text(w, "Path", m->path);
    pair_text(w, "Text", m->text);
    if (m->body) {
        json_key(w, body_name(m->kind));
        json_put_raw(w, m->body, strlen(m->body));
    }
    json_end_object(w);
}

HRESULT hostd_message_write(struct buf *out,
                            const struct hostd_message *message,
                            struct hcs_error *error) {
    struct buf frame = {0};
    struct json_writer w = {&frame, false};

    frame_begin(&frame);
    write_members(&w, message);
    return frame_end(&frame, out, error);
}

/* --- reading -------------------------------------------------------------- */

static bool get_int(const struct json *object, const char *name, int *out) {
    int64_t number;
    bool good = frame_number(object, name, INT32_MIN, INT32_MAX, &number);

    *out = (int)number;
    return good;
}

static bool get_result(const struct json *object, const char *name,
                       HRESULT *out) {
    int number;
    bool good = get_int(object, name, &number);

    *out = (HRESULT)number;
    return good;
}

static bool get_guid(const struct json *object, const char *name,
                     struct guid *out) {
    const struct json *value = json_get(object, name);

    *out = (struct guid){{0}};
    return !value || guid_parse(json_text(value, ""), out);
}

static bool get_flag(const struct json *object, const char *name, bool *out) {
    const struct json *value = json_get(object, name);

    *out = json_is_true(value);
    return !value || value->type == JSON_BOOL;
}

static bool get_kind(const struct json *object, enum hostd_kind *out) {
    size_t kind;
    bool good = frame_kind(object, kinds, HCS_COUNT(kinds), &kind);

    *out = (enum hostd_kind)kind;
    return good;
}

static bool get_numbers(const struct json *object, struct hostd_message *m) {
    const struct json *tag = json_get(object, "Tag");
    int64_t port;

    if (tag && !json_to_uint64(tag, &m->tag))
        return false;
    if (!frame_number(object, "Port", 0, UINT16_MAX, &port))
        return false;
    m->port = (uint16_t)port;
    return frame_number(object, "Version", 0, INT32_MAX, &m->version) &&
           frame_number(object, "Process", 0, INT32_MAX, &m->process) &&
           get_int(object, "Build", &m->build) &&
           get_result(object, "Result", &m->result) &&
           get_int(object, "Type", &m->type) &&
           get_result(object, "Status", &m->status) &&
           get_flag(object, "AllowHostChange", &m->allow_host_change) &&
           get_flag(object, "Descriptor", &m->descriptor);
}

static bool get_texts(const struct json *object, struct hostd_message *m) {
    return get_guid(object, "Id", &m->id) &&
           get_guid(object, "RuntimeId", &m->runtime_id) &&
           frame_text(object, "Machine", &m->machine) &&
           frame_text(object, "MacAddress", &m->mac) &&
           frame_text(object, "Address", &m->address) &&
           frame_text(object, "Document", &m->document) &&
           frame_text(object, "Path", &m->path) &&
           frame_text(object, "Text", &m->text);
}

static bool get_all(const struct json *object, struct hostd_message *m) {
    memset(m, 0, sizeof *m);
    if (!get_kind(object, &m->kind))
        return false;
    m->read = json_get(object, body_name(m->kind));
    return get_numbers(object, m) && get_texts(object, m) &&
           (!m->read || m->read->type == JSON_OBJECT);
}

HRESULT hostd_message_read(struct buf *in, struct hostd_message *message,
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

/* --- the directory -------------------------------------------------------- */

/* A link that leads nowhere is there to be made and not to be opened. */
static bool is_link(int root) {
    struct stat found;

    return fstatat(root, HOSTD_DIRECTORY, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISLNK(found.st_mode);
}

HRESULT hostd_directory(int root, int *directory, struct hcs_error *error) {
    int number;

    do {
        if (mkdirat(root, HOSTD_DIRECTORY, 0700) != 0 && errno != EEXIST)
            return error_errno(error, errno, "the networks' directory");
        *directory =
            openat(root, HOSTD_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (*directory >= 0)
            return S_OK;
        number = errno;
    } while (number == ENOENT && !is_link(root));
    return error_errno(error, number, "the networks' directory");
}
