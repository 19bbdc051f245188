/* SPDX-License-Identifier: MIT
 * Error records, and the JSON forms of requests and replies. */
#include <stdlib.h>
#include <string.h>

#include "../../base/text.h"
#include "core.h"

char *net_error_record(HRESULT result, const struct hcs_error *error) {
    const char *text = hresult_text(result);
    struct buf message = {0}, out = {0};
    struct json_writer w = {.out = &out};

    buf_printf(&message, "%s ", text ? text : "It failed.");
    if (error && error->path[0])
        buf_printf(&message, "%s: ", error->path);
    if (error)
        buf_puts(&message, error->text);
    json_begin_object(&w);
    json_pair_bool(&w, "Success", false);
    json_key(&w, "Error");
    json_put_string_n(&w, message.data ? message.data : "", message.length);
    json_pair_uint(&w, "ErrorCode", (uint32_t)result);
    json_end_object(&w);
    out.failed = out.failed || message.failed;
    buf_free(&message);
    return buf_take(&out);
}

/* The reverse of what net_error_record writes. */
HRESULT net_record_error(const struct net_reply *reply,
                         struct hcs_error *error) {
    const char *common = hresult_text(reply->result);
    const char *text = reply->record ? "" : "out of memory";
    struct json_doc record = {0};
    size_t length = common ? strlen(common) : 0;

    if (reply->record &&
        SUCCEEDED(
            json_parse(reply->record, strlen(reply->record), &record, NULL)))
        text = json_text(json_get(record.root, "Error"), "");
    if (common && strncmp(text, common, length) == 0 && text[length] == ' ')
        text += length + 1;
    error_set(error, reply->result, NULL, "%s", text);
    json_doc_free(&record);
    return reply->result;
}

static const char *const verbs[] = {
    [NET_CREATE] = "Create",         [NET_OPEN] = "Open",
    [NET_MODIFY] = "Modify",         [NET_QUERY] = "Query",
    [NET_ENUMERATE] = "Enumerate",   [NET_DELETE] = "Delete",
    [NET_STATISTICS] = "Statistics", [NET_ATTACH] = "Attach",
    [NET_DETACH] = "Detach",
};

static const char *const kinds[] = {
    [NET_NETWORK] = "Network",
    [NET_ENDPOINT] = "Endpoint",
    [NET_NAMESPACE] = "Namespace",
};

static void put_if(struct json_writer *w, const char *name,
                   const struct guid *id) {
    if (!guid_is_zero(id))
        put_guid(w, name, id);
}

void net_request_write(struct json_writer *w,
                       const struct net_request *request) {
    json_begin_object(w);
    json_pair_string(w, "Verb", verbs[request->verb]);
    json_pair_string(w, "Kind", kinds[request->kind]);
    put_if(w, "Id", &request->id);
    put_if(w, "Parent", &request->parent);
    if (request->text)
        json_pair_string(w, "Document", request->text);
    json_end_object(w);
}

static HRESULT wrong(struct hcs_error *error, const char *name,
                     const char *wanted) {
    char path[JSON_MAX_PATH] = "$";
    struct json_string member = {name, strlen(name)};
    json_path_member(path, &member);
    return error_set(error, HR_INVALID_DATA, path, "expected %s", wanted);
}

static HRESULT read_choice(const struct json *value, const char *name,
                           const char *const *names, size_t count,
                           unsigned *out, struct hcs_error *error) {
    const char *text = json_text(json_get(value, name), "");

    for (size_t i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (unsigned)i;
            return S_OK;
        }
    return wrong(error, name, "one of the known names");
}

static HRESULT read_id(const struct json *value, const char *name,
                       struct guid *out, struct hcs_error *error) {
    const struct json *member = json_get(value, name);

    *out = (struct guid){{0}};
    if (!member || guid_parse(json_text(member, ""), out))
        return S_OK;
    return wrong(error, name, "a GUID");
}

/* A text that may be absent but not anything else. */
static HRESULT read_text(const struct json *value, const char *name,
                         const char **out, struct hcs_error *error) {
    const struct json *member = json_get(value, name);

    *out = json_text(member, NULL);
    return member && !*out ? wrong(error, name, "a text without a NUL") : S_OK;
}

HRESULT net_request_read(const struct json *value, struct net_request *out,
                         struct hcs_error *error) {
    unsigned verb = 0, kind = 0;
    HRESULT hr =
        read_choice(value, "Verb", verbs, HCS_COUNT(verbs), &verb, error);

    *out = (struct net_request){0};
    if (SUCCEEDED(hr))
        hr = read_choice(value, "Kind", kinds, HCS_COUNT(kinds), &kind, error);
    if (SUCCEEDED(hr))
        hr = read_id(value, "Id", &out->id, error);
    if (SUCCEEDED(hr))
        hr = read_id(value, "Parent", &out->parent, error);
    if (SUCCEEDED(hr))
        hr = read_text(value, "Document", &out->text, error);
    out->verb = (enum net_verb)verb;
    out->kind = (enum net_kind)kind;
    return hr;
}

void net_reply_write(struct json_writer *w, const struct net_reply *reply) {
    json_begin_object(w);
    json_pair_uint(w, "Result", (uint32_t)reply->result);
    put_if(w, "Id", &reply->id);
    if (reply->document)
        json_pair_string(w, "Document", reply->document);
    if (reply->record)
        json_pair_string(w, "Error", reply->record);
    json_end_object(w);
}

static HRESULT copy_text(const char *text, char **out,
                         struct hcs_error *error) {
    if (!text)
        return S_OK;
    *out = text_copy(text);
    return *out ? S_OK : out_of_memory(error);
}

HRESULT net_reply_read(const struct json *value, struct net_reply *out,
                       struct hcs_error *error) {
    const char *document = NULL, *record = NULL;
    uint64_t result;
    HRESULT hr = S_OK;

    *out = (struct net_reply){0};
    if (!json_to_uint64(json_get(value, "Result"), &result) ||
        result > UINT32_MAX)
        return wrong(error, "Result", "a number of 32 bits");
    out->result = (HRESULT)(uint32_t)result;
    hr = read_id(value, "Id", &out->id, error);
    if (SUCCEEDED(hr))
        hr = read_text(value, "Document", &document, error);
    if (SUCCEEDED(hr))
        hr = read_text(value, "Error", &record, error);
    if (SUCCEEDED(hr))
        hr = copy_text(document, &out->document, error);
    if (SUCCEEDED(hr))
        hr = copy_text(record, &out->record, error);
    if (FAILED(hr))
        net_reply_free(out);
    return hr;
}
