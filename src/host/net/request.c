/* SPDX-License-Identifier: MIT
 * The one entry: what to do with which kind. */
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "endpoint.h"
#include "space.h"

/* --- documents in either form -------------------------------------- */

/* Replaces a v1 document by its v2 form. */
static HRESULT convert(const struct kind *kind, struct json_doc *doc,
                       struct hcs_error *error) {
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    struct doc root = doc_root(doc->root);
    struct json_doc converted = {0};
    HRESULT hr;

    kind->from_v1(&root, &w);
    hr = text.failed ? out_of_memory(error)
                     : json_parse(text.data, text.length, &converted, error);
    buf_free(&text);
    if (FAILED(hr))
        return hr;
    json_doc_free(doc);
    *doc = converted;
    return S_OK;
}

static HRESULT read_document(const struct kind *kind, const char *text,
                             struct json_doc *doc, struct hcs_error *error) {
    struct doc root;
    bool v1;
    HRESULT hr = doc_parse(text, doc, error);

    if (FAILED(hr))
        return hr;
    root = doc_root(doc->root);
    hr = v1_recognise(&root, kind, &v1, error);
    if (SUCCEEDED(hr))
        hr = shape_check(doc->root, v1 ? kind->v1_shape : kind->shape, error);
    if (SUCCEEDED(hr) && v1)
        hr = convert(kind, doc, error);
    if (FAILED(hr))
        json_doc_free(doc);
    return hr;
}

/* --- the verbs ----------------------------------------------------- */

/* The id that the call or the document gives, or a new one. */
static HRESULT choose_id(struct net *net, const struct net_request *request,
                         const struct doc *doc, struct guid *out,
                         struct hcs_error *error) {
    char text[GUID_TEXT_SIZE];
    struct guid given = {{0}};
    HRESULT hr = doc_guid(doc, "ID", &given, error);

    if (FAILED(hr))
        return hr;
    *out = guid_is_zero(&request->id) ? given : request->id;
    if (guid_is_zero(out)) {
        do
            object_new_id(net, out);
        while (object_find(net, request->kind, out));
        return S_OK;
    }
    if (!object_find(net, request->kind, out))
        return S_OK;
    object_id_text(request->kind, out, text);
    return error_set(error, kind_of(request->kind)->exists, "$.ID",
                     "the %s %s is there", kind_of(request->kind)->noun, text);
}

static HRESULT create(struct net *net, const struct net_request *request,
                      struct net_reply *reply, struct hcs_error *error) {
    const struct kind *kind = kind_of(request->kind);
    struct making making = {.parent = request->parent};
    struct json_doc doc;
    struct object *object;
    struct doc root;
    HRESULT hr = read_document(kind, request->text, &doc, error);

    if (FAILED(hr))
        return hr;
    root = doc_root(doc.root);
    making.doc = &root;
    hr = choose_id(net, request, &root, &making.id, error);
    if (SUCCEEDED(hr))
        hr = kind->create(net, &making, &object, error);
    if (SUCCEEDED(hr))
        reply->id = making.id;
    json_doc_free(&doc);
    return hr;
}

static HRESULT modify(struct net *net, const struct net_request *request,
                      struct object *object, struct hcs_error *error) {
    struct json_doc doc;
    struct doc root;
    HRESULT hr = doc_parse(request->text, &doc, error);

    if (FAILED(hr))
        return hr;
    root = doc_root(doc.root);
    hr = shape_check(doc.root, kind_of(request->kind)->modify_shape, error);
    if (SUCCEEDED(hr))
        hr = kind_of(request->kind)->modify(net, object, &root, error);
    if (SUCCEEDED(hr))
        object_changed(net, object);
    json_doc_free(&doc);
    return hr;
}

static HRESULT write_object(const struct net *net, enum net_kind kind,
                            const struct object *object,
                            const struct view *view, struct buf *out,
                            struct hcs_error *error) {
    struct json_writer w = {.out = out};
    kind_of(kind)->write(net, object, view, &w);
    return out->failed ? out_of_memory(error) : S_OK;
}

static HRESULT ask(struct net *net, const struct net_request *request,
                   const struct object *object, struct buf *out,
                   struct hcs_error *error) {
    struct query query;
    HRESULT hr = query_read(request->text, &query, error);

    if (FAILED(hr))
        return hr;
    if (object)
        hr = write_object(net, request->kind, object, &query.view, out, error);
    else
        hr = query_enumerate(net, request->kind, &query, out, error);
    query_free(&query);
    return hr;
}

static HRESULT attach(struct net *net, const struct net_request *request,
                      struct object *object, struct buf *out,
                      struct hcs_error *error) {
    enum endpoint_state before = endpoint_of(object)->state;
    const struct view v2 = {0};
    struct json_doc doc;
    struct doc root;
    HRESULT hr = doc_parse(request->text, &doc, error);

    if (FAILED(hr))
        return hr;
    root = doc_root(doc.root);
    hr = shape_check(doc.root, "VmEndpointRequest", error);
    if (SUCCEEDED(hr))
        hr = endpoint_attach(net, object, &root, error);
    json_doc_free(&doc);
    if (FAILED(hr))
        return hr;
    hr = write_object(net, NET_ENDPOINT, object, &v2, out, error);
    if (FAILED(hr)) {
        endpoint_detach(net, object);
        endpoint_of(object)->state = before;
    }
    return hr;
}

static HRESULT endpoint_only(const struct net_request *request,
                             struct hcs_error *error) {
    if (request->kind == NET_ENDPOINT)
        return S_OK;
    return error_set(error, HCN_E_REQUEST_UNSUPPORTED, NULL,
                     "this is done to endpoints, not to a %s",
                     kind_of(request->kind)->noun);
}

/* The verbs that are about an object that is there. */
static HRESULT carry_out(struct net *net, const struct net_request *request,
                         struct buf *out, struct hcs_error *error) {
    struct object *object;
    HRESULT hr = object_need(net, request->kind, &request->id, &object, error);

    if (SUCCEEDED(hr) && request->verb >= NET_STATISTICS)
        hr = endpoint_only(request, error);
    if (FAILED(hr))
        return hr;
    switch (request->verb) {
    case NET_OPEN:
        return S_OK;
    case NET_MODIFY:
        return modify(net, request, object, error);
    case NET_QUERY:
        return ask(net, request, object, out, error);
    case NET_DELETE:
        return kind_of(request->kind)->remove(net, object, error);
    case NET_STATISTICS:
        return endpoint_statistics(net, object, out, error);
    case NET_ATTACH:
        return attach(net, request, object, out, error);
    case NET_DETACH:
        return endpoint_detach_machine(net, object, error);
    default:
        return E_UNEXPECTED; /* the others are about no one object */
    }
}

static HRESULT perform(struct net *net, const struct net_request *request,
                       struct net_reply *reply, struct buf *out,
                       struct hcs_error *error) {
    if ((unsigned)request->kind >= NET_KIND_COUNT)
        return error_set(error, E_INVALIDARG, NULL, "there is no kind %d",
                         (int)request->kind);
    if ((unsigned)request->verb >= NET_VERB_COUNT)
        return error_set(error, E_INVALIDARG, NULL, "there is no verb %d",
                         (int)request->verb);
    if (request->verb == NET_CREATE)
        return create(net, request, reply, error);
    if (request->verb == NET_ENUMERATE)
        return ask(net, request, NULL, out, error);
    reply->id = request->id;
    return carry_out(net, request, out, error);
}

HRESULT net_request(struct net *net, const struct net_request *request,
                    struct net_reply *reply) {
    struct hcs_error error = {.code = S_OK};
    struct buf out = {0};

    *reply = (struct net_reply){.result = S_OK};
    reply->result = perform(net, request, reply, &out, &error);
    if (SUCCEEDED(reply->result) && out.data)
        reply->document = buf_take(&out);
    buf_free(&out);
    if (FAILED(reply->result)) {
        reply->id = (struct guid){{0}};
        reply->record = net_error_record(reply->result, &error);
    }
    return reply->result;
}

void net_reply_free(struct net_reply *reply) {
    free(reply->document);
    free(reply->record);
    *reply = (struct net_reply){0};
}

/* --- the net as a whole -------------------------------------------- */

HRESULT net_open(const struct net_env *env, struct net **out,
                 struct hcs_error *error) {
    struct net *net = calloc(1, sizeof *net);
    HRESULT hr;

    if (!net)
        return out_of_memory(error);
    net->env = *env;
    for (size_t i = 0; i < NET_KIND_COUNT; i++)
        link_init(&net->tables[i].objects);
    link_init(&net->changed);
    hr = space_make_default(net, error);
    if (FAILED(hr)) {
        net_close(net);
        return hr;
    }
    *out = net;
    return S_OK;
}

/* What hangs on others goes first. */
void net_close(struct net *net) {
    static const enum net_kind order[] = {NET_ENDPOINT, NET_NETWORK,
                                          NET_NAMESPACE};
    if (!net)
        return;
    net->closing = true;
    for (size_t i = 0; i < HCS_COUNT(order); i++) {
        struct table *table = &net->tables[order[i]];
        while (!link_alone(&table->objects)) {
            struct link *last = table->objects.previous;
            kind_of(order[i])->drop(net,
                                    HCS_CONTAINER(last, struct object, link));
        }
        index_free(&table->by_id);
    }
    index_free(&net->names);
    index_free(&net->mappings);
    free(net);
}

void net_set_build(struct net *net, int build) {
    net->env.build = build;
}

void net_host_namespace(const struct net *net, struct guid *id) {
    const struct link *first = net->tables[NET_NAMESPACE].objects.next;

    *id = HCS_CONTAINER(first, struct object, link)->id;
}

size_t net_count(const struct net *net, enum net_kind kind) {
    return net->tables[kind].by_id.count;
}
