/* SPDX-License-Identifier: MIT
 * Queries and their filters. A filter names members of the v1 form, so each
 * object that may match is written in that form and looked at. */
#include <string.h>

#include "core.h"

static HRESULT read_members(const struct doc *query, struct query *out,
                            struct hcs_error *error) {
    struct doc version;
    uint64_t flags = 0;
    uint32_t major = 0;
    const char *filter = NULL;

    HRESULT hr = doc_object(query, "SchemaVersion", &version, error);
    if (SUCCEEDED(hr))
        hr = doc_u32(&version, "Major", &major, error);
    if (SUCCEEDED(hr))
        hr = doc_number(query, "Flags", UINT32_MAX, &flags, error);
    if (SUCCEEDED(hr))
        hr = doc_text(query, "Filter", &filter, error);
    if (FAILED(hr))
        return hr;
    out->view.v1 = major < 2;
    out->view.detailed = (flags & 1) != 0;
    if (!filter || *filter == '\0')
        return S_OK;
    hr = doc_parse(filter, &out->filter, error);
    return FAILED(hr) && error ? error_wrap(error, hr, "$.Filter") : hr;
}

HRESULT query_read(const char *text, struct query *out,
                   struct hcs_error *error) {
    struct json_doc parsed;
    struct doc root;
    HRESULT hr;

    *out = (struct query){.view = {.v1 = true}};
    if (!text || *text == '\0')
        return S_OK;
    hr = doc_parse(text, &parsed, error);
    if (FAILED(hr))
        return hr;
    root = doc_root(parsed.root);
    hr = shape_check(parsed.root, "HostComputeQuery", error);
    if (SUCCEEDED(hr))
        hr = read_members(&root, out, error);
    json_doc_free(&parsed);
    return hr;
}

void query_free(struct query *query) {
    json_doc_free(&query->filter);
}

static bool same_scalar(const struct json *wanted, const struct json *there) {
    const char *a = json_text(wanted, NULL);
    const char *b = json_text(there, NULL);

    if (a && b)
        return doc_same_name(a, b);
    if (wanted->type == JSON_ARRAY || wanted->type == JSON_OBJECT)
        return false;
    return wanted->type == there->type && doc_same(wanted, there);
}

static bool matches(const struct json *filter, const struct json *object) {
    struct doc root = doc_root(object);

    for (size_t i = 0; i < filter->as.object.count; i++) {
        const struct json_member *member = &filter->as.object.members[i];
        struct doc there = doc_get(&root, member->name.text);
        if (!there.value || !same_scalar(&member->value, there.value))
            return false;
    }
    return true;
}

/* One object's turn: whether it is among the answers. */
static HRESULT chosen(const struct net *net, enum net_kind kind,
                      const struct object *object, const struct query *query,
                      bool *out, struct hcs_error *error) {
    const struct view v1 = {.v1 = true};
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    struct json_doc parsed = {0};
    HRESULT hr = S_OK;

    *out = true;
    if (!query->filter.root)
        return S_OK;
    kind_of(kind)->write(net, object, &v1, &w);
    if (text.failed)
        hr = out_of_memory(error);
    else
        hr = json_parse(text.data, text.length, &parsed, error);
    if (SUCCEEDED(hr))
        *out = matches(query->filter.root, parsed.root);
    json_doc_free(&parsed);
    buf_free(&text);
    return hr;
}

static HRESULT offer(const struct net *net, enum net_kind kind,
                     const struct object *object, const struct query *query,
                     struct json_writer *w, struct hcs_error *error) {
    char text[GUID_TEXT_SIZE];
    bool wanted;
    HRESULT hr = chosen(net, kind, object, query, &wanted, error);

    if (SUCCEEDED(hr) && wanted) {
        object_id_text(kind, &object->id, text);
        json_put_string(w, text);
    }
    return hr;
}

/* A filter by id looks at that object alone. */
static bool wanted_id(const struct query *query, struct guid *out) {
    struct doc filter, id;

    if (!query->filter.root)
        return false;
    filter = doc_root(query->filter.root);
    id = doc_get(&filter, "ID");
    return id.value && guid_parse(json_text(id.value, ""), out);
}

HRESULT query_enumerate(const struct net *net, enum net_kind kind,
                        const struct query *query, struct buf *out,
                        struct hcs_error *error) {
    const struct link *head = &net->tables[kind].objects;
    struct json_writer w = {.out = out};
    struct guid id;
    HRESULT hr = S_OK;

    json_begin_array(&w);
    if (wanted_id(query, &id)) {
        const struct object *object = object_find(net, kind, &id);
        if (object)
            hr = offer(net, kind, object, query, &w, error);
    } else {
        for (struct link *l = head->next; l != head && SUCCEEDED(hr);
             l = l->next)
            hr = offer(net, kind, HCS_CONTAINER(l, struct object, link), query,
                       &w, error);
    }
    json_end_array(&w);
    if (SUCCEEDED(hr) && out->failed)
        hr = out_of_memory(error);
    return hr;
}
