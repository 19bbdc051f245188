/* SPDX-License-Identifier: MIT
 * The functions of the ABI that are about networks, endpoints and namespaces,
 * which are much the same for each kind. A failure leaves an error record for
 * who asks for one; success never does. */
#include <stdlib.h>

#include "../base/hresult_hcn.h"
#include "calls.h"

static struct guid guid_of(const GUID *id) {
    struct guid out = {{
        (uint8_t)(id->Data1 >> 24),
        (uint8_t)(id->Data1 >> 16),
        (uint8_t)(id->Data1 >> 8),
        (uint8_t)id->Data1,
        (uint8_t)(id->Data2 >> 8),
        (uint8_t)id->Data2,
        (uint8_t)(id->Data3 >> 8),
        (uint8_t)id->Data3,
    }};
    for (size_t i = 0; i < sizeof id->Data4; i++)
        out.bytes[8 + i] = id->Data4[i];
    return out;
}

/* --- what calls hand back ------------------------------------------------- */

static void clear(PWSTR *document, PWSTR *record) {
    if (document)
        *document = NULL;
    if (record)
        *record = NULL;
}

static HRESULT refuse(HRESULT hr, const struct hcs_error *error,
                      PWSTR *record) {
    hcn_record(hr, error, record);
    return hr;
}

static HRESULT refuse_null(const char *what, PWSTR *record) {
    struct hcs_error error;
    return refuse(error_set(&error, E_INVALIDARG, NULL, "%s is NULL", what),
                  &error, record);
}

/* Turns the reply into results; frees it. */
static HRESULT answer(struct net_reply *reply, PWSTR *document, PWSTR *record) {
    HRESULT hr = reply->result;

    if (FAILED(hr)) {
        if (record)
            *record = result_text(reply->record, NULL);
    } else if (document && reply->document) {
        *document = result_text(reply->document, NULL);
        if (!*document)
            hr = refuse(E_OUTOFMEMORY, NULL, record);
    }
    net_reply_free(reply);
    return hr;
}

/* --- the functions -------------------------------------------------------- */

static HRESULT enumerate(int since, enum net_kind kind, PCWSTR query,
                         PWSTR *list, PWSTR *record) {
    struct net_request request = {.verb = NET_ENUMERATE, .kind = kind};
    struct net_reply reply;
    struct hcs_error error;
    char *text = NULL;
    struct call call;
    HRESULT hr;

    clear(list, record);
    if (!list)
        return refuse_null("where the list goes", record);
    hr = call_current(&call, since);
    if (FAILED(hr))
        return refuse(hr, NULL, record);
    hr = hcn_text(query, &text, &error);
    if (FAILED(hr)) {
        refuse(hr, &error, record);
    } else {
        request.text = text;
        hcn_request(call.host, &request, &reply);
        hr = answer(&reply, list, record);
    }
    free(text);
    call_end(&call);
    return hr;
}

static void give_up(struct hcn_handle *handle) {
    struct object *object =
        handle_take((const void *)handle->object.number, handle->object.kind);
    hcn_handle_close(handle);
    object_unref(object);
}

/* The handle comes first: an object that nobody learns of must not be made. Our
 * own reference holds it while the host may be closed. */
static HRESULT request_handle(struct call *call, struct net_request *request,
                              PCWSTR settings, void **out, PWSTR *record) {
    struct hcn_handle *handle;
    struct net_reply reply;
    struct hcs_error error;
    char *text = NULL;
    HRESULT hr = hcn_text(settings, &text, &error);

    if (SUCCEEDED(hr))
        hr = hcn_handle_open(call->host, request->kind, &request->id, &handle,
                             &error);
    if (FAILED(hr)) {
        free(text);
        return refuse(hr, &error, record);
    }
    request->text = text ? text : settings ? "" : NULL;
    object_ref(&handle->object);
    if (SUCCEEDED(hcn_request_for(handle, call->network, request, &reply)))
        *out = (void *)handle->object.number;
    else
        give_up(handle);
    object_unref(&handle->object);
    free(text);
    return answer(&reply, NULL, record);
}

static HRESULT check_pointers(const GUID *id, bool settings, void **out,
                              PWSTR *record) {
    if (out)
        *out = NULL;
    clear(NULL, record);
    if (!id)
        return refuse_null("the id", record);
    if (!settings)
        return refuse_null("the document", record);
    return out ? S_OK : refuse_null("where the handle goes", record);
}

static HRESULT create(int since, enum net_kind kind, const GUID *id,
                      PCWSTR settings, void **out, PWSTR *record) {
    struct net_request request = {.verb = NET_CREATE, .kind = kind};
    struct call call;
    HRESULT hr = check_pointers(id, settings != NULL, out, record);

    if (FAILED(hr))
        return hr;
    hr = call_current(&call, since);
    if (FAILED(hr))
        return refuse(hr, NULL, record);
    request.id = guid_of(id);
    hr = request_handle(&call, &request, settings, out, record);
    call_end(&call);
    return hr;
}

static HRESULT open_one(int since, enum net_kind kind, const GUID *id,
                        void **out, PWSTR *record) {
    struct net_request request = {.verb = NET_OPEN, .kind = kind};
    struct call call;
    HRESULT hr = check_pointers(id, true, out, record);

    if (FAILED(hr))
        return hr;
    hr = call_current(&call, since);
    if (FAILED(hr))
        return refuse(hr, NULL, record);
    request.id = guid_of(id);
    hr = request_handle(&call, &request, NULL, out, record);
    call_end(&call);
    return hr;
}

/* What is done to an object that there is a handle to. */
static HRESULT request_on(int since, enum net_kind kind, void *handle,
                          enum net_verb verb, PCWSTR document, PWSTR *result,
                          PWSTR *record) {
    struct net_reply reply;
    struct hcs_error error;
    char *text = NULL;
    struct call call;
    HRESULT hr = call_network(&call, since, handle, hcn_handle_kind(kind));

    if (FAILED(hr))
        return refuse(hr, NULL, record);
    hr = hcn_text(document, &text, &error);
    if (FAILED(hr)) {
        refuse(hr, &error, record);
    } else {
        hcn_request_on(call.network, verb,
                       text       ? text
                       : document ? ""
                                  : NULL,
                       &reply);
        hr = answer(&reply, result, record);
    }
    free(text);
    call_end(&call);
    return hr;
}

static HRESULT modify(int since, enum net_kind kind, void *handle,
                      PCWSTR settings, PWSTR *record) {
    clear(NULL, record);
    if (!settings)
        return refuse_null("the document", record);
    return request_on(since, kind, handle, NET_MODIFY, settings, NULL, record);
}

static HRESULT query(int since, enum net_kind kind, void *handle,
                     enum net_verb verb, PCWSTR text, PWSTR *out,
                     PWSTR *record) {
    clear(out, record);
    if (!out)
        return refuse_null("where the document goes", record);
    return request_on(since, kind, handle, verb, text, out, record);
}

static HRESULT delete_one(int since, enum net_kind kind, const GUID *id,
                          PWSTR *record) {
    struct net_request request = {.verb = NET_DELETE, .kind = kind};
    struct net_reply reply;
    struct call call;
    HRESULT hr;

    clear(NULL, record);
    if (!id)
        return refuse_null("the id", record);
    hr = call_current(&call, since);
    if (FAILED(hr))
        return refuse(hr, NULL, record);
    request.id = guid_of(id);
    hcn_request(call.host, &request, &reply);
    hr = answer(&reply, NULL, record);
    call_end(&call);
    return hr;
}

static HRESULT close_one(enum net_kind kind, const void *handle) {
    struct hcn_handle *closing;
    struct object *object;

    if (!handle)
        return E_INVALIDARG;
    object = handle_take(handle, hcn_handle_kind(kind));
    if (!object)
        return E_HANDLE;
    closing = HCS_CONTAINER(object, struct hcn_handle, object);
    if (SUCCEEDED(host_lock(closing->host))) {
        hcn_handle_close(closing);
        host_unlock(closing->host);
    }
    object_unref(object);
    return S_OK;
}

/* --- by their names ------------------------------------------------------- */

#define FAMILY(Kind, Kinds, TYPE, kind)                                      \
    HRESULT WINAPI HcnEnumerate##Kinds(PCWSTR text, PWSTR *list,             \
                                       PWSTR *record) {                      \
        return enumerate(CALL_SINCE(HcnEnumerate##Kinds), kind, text, list,  \
                         record);                                            \
    }                                                                        \
    HRESULT WINAPI HcnOpen##Kind(const GUID *id, TYPE *out, PWSTR *record) { \
        return open_one(CALL_SINCE(HcnOpen##Kind), kind, id, out, record);   \
    }                                                                        \
    HRESULT WINAPI HcnModify##Kind(TYPE handle, PCWSTR settings,             \
                                   PWSTR *record) {                          \
        return modify(CALL_SINCE(HcnModify##Kind), kind, handle, settings,   \
                      record);                                               \
    }                                                                        \
    HRESULT WINAPI HcnQuery##Kind##Properties(TYPE handle, PCWSTR text,      \
                                              PWSTR *out, PWSTR *record) {   \
        return query(CALL_SINCE(HcnQuery##Kind##Properties), kind, handle,   \
                     NET_QUERY, text, out, record);                          \
    }                                                                        \
    HRESULT WINAPI HcnDelete##Kind(const GUID *id, PWSTR *record) {          \
        return delete_one(CALL_SINCE(HcnDelete##Kind), kind, id, record);    \
    }                                                                        \
    HRESULT WINAPI HcnClose##Kind(TYPE handle) {                             \
        return close_one(kind, handle);                                      \
    }

FAMILY(Network, Networks, HCN_NETWORK, NET_NETWORK)
FAMILY(Endpoint, Endpoints, HCN_ENDPOINT, NET_ENDPOINT)
FAMILY(Namespace, Namespaces, HCN_NAMESPACE, NET_NAMESPACE)

HRESULT WINAPI HcnCreateNetwork(const GUID *id, PCWSTR settings,
                                HCN_NETWORK *network, PWSTR *record) {
    return create(CALL_SINCE(HcnCreateNetwork), NET_NETWORK, id, settings,
                  network, record);
}

HRESULT WINAPI HcnCreateNamespace(const GUID *id, PCWSTR settings,
                                  HCN_NAMESPACE *space, PWSTR *record) {
    return create(CALL_SINCE(HcnCreateNamespace), NET_NAMESPACE, id, settings,
                  space, record);
}

HRESULT WINAPI HcnCreateEndpoint(HCN_NETWORK network, const GUID *id,
                                 PCWSTR settings, HCN_ENDPOINT *endpoint,
                                 PWSTR *record) {
    struct net_request request = {.verb = NET_CREATE, .kind = NET_ENDPOINT};
    struct call call;
    HRESULT hr = check_pointers(id, settings != NULL, endpoint, record);

    if (FAILED(hr))
        return hr;
    hr = call_network(&call, CALL_SINCE(HcnCreateEndpoint), network,
                      HANDLE_NETWORK);
    if (FAILED(hr))
        return refuse(hr, NULL, record);
    request.id = guid_of(id);
    request.parent = call.network->id;
    hr = request_handle(&call, &request, settings, endpoint, record);
    call_end(&call);
    return hr;
}

HRESULT WINAPI HcnQueryEndpointStats(HCN_ENDPOINT endpoint, PCWSTR text,
                                     PWSTR *stats, PWSTR *record) {
    return query(CALL_SINCE(HcnQueryEndpointStats), NET_ENDPOINT, endpoint,
                 NET_STATISTICS, text, stats, record);
}

/* --- callbacks ------------------------------------------------------------ */

HRESULT WINAPI HcnRegisterServiceCallback(HCN_NOTIFICATION_CALLBACK callback,
                                          void *context, HCN_CALLBACK *out) {
    struct call call;
    HRESULT hr;

    if (out)
        *out = NULL;
    if (!callback || !out)
        return E_INVALIDARG;
    hr = call_current(&call, CALL_SINCE(HcnRegisterServiceCallback));
    if (FAILED(hr))
        return hr;
    hr = hcn_listen(call.host, callback, context, out);
    call_end(&call);
    return hr;
}

HRESULT WINAPI HcnUnregisterServiceCallback(HCN_CALLBACK handle) {
    struct hcn_listener *listener;
    struct object *object;
    struct host *host;

    if (!handle)
        return E_INVALIDARG;
    object = handle_take(handle, HANDLE_CALLBACK);
    if (!object)
        return E_HANDLE;
    listener = hcn_listener_of(object);
    host = hcn_listener_host(listener);
    call_refuse_inside(host, hcn_listener_target(listener),
                       "HcnUnregisterServiceCallback");
    if (SUCCEEDED(host_lock(host))) {
        hcn_listener_close(listener);
        host_unlock(host);
    }
    object_unref(object);
    return S_OK;
}
