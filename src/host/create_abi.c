/* SPDX-License-Identifier: MIT
 * The functions of the ABI that make, open and list compute systems. */
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "../schema/schema.h"
#include "calls.h"

/* Parses a document and checks it against its type. */
static HRESULT read_document(const struct host *host, const char *text,
                             const char *type, struct json_doc *doc,
                             struct hcs_error *error) {
    struct schema_profile profile = {.build = host->spec.build};
    const struct json *version;
    int64_t number;
    HRESULT hr = json_parse(text, strlen(text), doc, error);

    if (FAILED(hr))
        return hr;
    version = json_get(doc->root, "SchemaVersion");
    if (json_to_int64(json_get(version, "Major"), &number) && number > 0 &&
        number < 1000)
        profile.major = (int)number;
    if (json_to_int64(json_get(version, "Minor"), &number) && number > 0 &&
        number < 1000)
        profile.minor = (int)number;
    hr = schema_check(doc->root, type, &profile, error);
    if (FAILED(hr))
        json_doc_free(doc);
    return hr;
}

static HRESULT keep_text(const struct json *value, char **out) {
    const char *text = json_text(value, "");
    *out = NULL;
    if (!*text)
        return S_OK;
    *out = text_copy(text);
    return *out ? S_OK : E_OUTOFMEMORY;
}

static HRESULT create_behind(struct system *system, struct operation *operation,
                             PCWSTR configuration, struct hcs_error *error) {
    struct host *host = system->host;
    struct json_doc doc = {0};
    struct store *store = host_serving_store(host, error);
    char *text = NULL;
    HRESULT hr;

    if (!store)
        return error->code;
    hr = call_text(configuration, &text, error);
    if (SUCCEEDED(hr))
        hr =
            read_document(host, text ? text : "", "ComputeSystem", &doc, error);
    free(text);
    if (FAILED(hr))
        return hr;
    hr = keep_text(json_get(doc.root, "Owner"), &system->owner);
    if (FAILED(hr)) {
        json_doc_free(&doc);
        return error_set(error, hr, NULL, "out of memory for a system");
    }
    return store->ops->create(store, system->id, &doc, &system->sink,
                              operation_request(operation), &system->line,
                              error);
}

/* The arguments are good: from here on, what fails is the operation. */
static HRESULT create_system(struct call *call, const char *id,
                             PCWSTR configuration, HCS_SYSTEM *out) {
    struct system *system = NULL;
    struct hcs_error error;
    HRESULT hr = system_create(call->host, id, &system, NULL);

    if (FAILED(hr))
        return hr;
    hr = system_publish(system, NULL);
    if (SUCCEEDED(hr)) {
        hr = call_start(call, HcsOperationTypeCreate, system);
        if (FAILED(hr)) {
            object_unref(handle_take((const void *)system->object.number,
                                     HANDLE_SYSTEM));
            system_close(system);
        }
    }
    if (SUCCEEDED(hr)) {
        *out = (HCS_SYSTEM)system->object.number;
        hr = create_behind(system, call->operation, configuration, &error);
        if (FAILED(hr))
            operation_fail(call->operation, hr, &error);
        hr = S_OK;
    }
    object_unref(&system->object);
    return hr;
}

HRESULT WINAPI HcsCreateComputeSystem(PCWSTR id, PCWSTR configuration,
                                      HCS_OPERATION operation,
                                      const SECURITY_DESCRIPTOR *security,
                                      HCS_SYSTEM *out) {
    char *name = NULL;
    struct call call;
    HRESULT hr;

    if (!out)
        return E_POINTER;
    *out = NULL;
    if (!configuration || !operation || security)
        return E_INVALIDARG;
    hr = call_name(id, &name);
    if (SUCCEEDED(hr))
        hr = call_operation(&call, CALL_SINCE(HcsCreateComputeSystem),
                            operation);
    if (SUCCEEDED(hr)) {
        hr = create_system(&call, name, configuration, out);
        call_end(&call);
    }
    free(name);
    return hr;
}

/* What the handle will still know when the system is gone. */
static void remember_names(struct system *system, struct store *store) {
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    struct json_doc query = {0}, found = {0};
    const struct json *entry;

    json_begin_object(&w);
    json_key(&w, "Ids");
    json_begin_array(&w);
    json_put_string(&w, system->id);
    json_end_array(&w);
    json_end_object(&w);
    if (text.failed || FAILED(json_parse(text.data, text.length, &query, NULL)))
        goto out;
    buf_clear(&text);
    if (FAILED(store->ops->enumerate(store, query.root, &text, NULL)) ||
        text.failed ||
        FAILED(json_parse(text.data, text.length, &found, NULL)) ||
        found.root->type != JSON_ARRAY || found.root->as.array.count != 1)
        goto out;
    entry = &found.root->as.array.items[0];
    /* Out of memory only makes a later answer shorter. */
    (void)keep_text(json_get(entry, "Owner"), &system->owner);
    (void)keep_text(json_get(entry, "Name"), &system->name);
out:
    json_doc_free(&query);
    json_doc_free(&found);
    buf_free(&text);
}

static HRESULT open_system(struct host *host, const char *id, HCS_SYSTEM *out) {
    struct system *system = NULL;
    struct hcs_error error;
    struct store *store = host_serving_store(host, &error);
    HRESULT hr;

    if (!store)
        return error.code;
    hr = host_need_service(host, NULL);
    if (SUCCEEDED(hr))
        hr = system_create(host, id, &system, NULL);
    if (FAILED(hr))
        return hr;
    hr = store->ops->open(store, id, &system->sink, &system->line, NULL);
    if (SUCCEEDED(hr)) {
        remember_names(system, store);
        hr = system_publish(system, NULL);
        if (FAILED(hr))
            store->ops->close(system->line);
    }
    if (SUCCEEDED(hr))
        *out = (HCS_SYSTEM)system->object.number;
    object_unref(&system->object);
    return hr;
}

HRESULT WINAPI HcsOpenComputeSystem(PCWSTR id, DWORD access, HCS_SYSTEM *out) {
    char *name = NULL;
    struct call call;
    HRESULT hr;

    if (!out)
        return E_POINTER;
    *out = NULL;
    if (access != GENERIC_ALL)
        return E_INVALIDARG;
    hr = call_name(id, &name);
    if (SUCCEEDED(hr))
        hr = call_current(&call, CALL_SINCE(HcsOpenComputeSystem));
    if (SUCCEEDED(hr)) {
        hr = open_system(call.host, name, out);
        call_end(&call);
    }
    free(name);
    return hr;
}

static HRESULT enumerate(struct host *host, PCWSTR query, struct buf *out,
                         struct hcs_error *error) {
    struct store *store = host_serving_store(host, error);
    struct json_doc doc = {0};
    char *text = NULL;
    HRESULT hr;

    if (!store)
        return error->code;
    hr = call_text(query, &text, error);
    if (SUCCEEDED(hr) && text)
        hr = read_document(host, text, "SystemQuery", &doc, error);
    free(text);
    if (SUCCEEDED(hr))
        hr = store->ops->enumerate(store, doc.root, out, error);
    if (SUCCEEDED(hr) && out->failed)
        hr = error_set(error, HCS_E_OPERATION_RESULT_ALLOCATION_FAILED, NULL,
                       "out of memory for the list of systems");
    json_doc_free(&doc);
    return hr;
}

HRESULT WINAPI HcsEnumerateComputeSystems(PCWSTR query,
                                          HCS_OPERATION operation) {
    struct hcs_error error;
    struct buf list = {0};
    struct call call;
    HRESULT hr = call_operation(&call, CALL_SINCE(HcsEnumerateComputeSystems),
                                operation);

    if (FAILED(hr))
        return hr;
    hr = call_start(&call, HcsOperationTypeEnumerate, NULL);
    if (SUCCEEDED(hr)) {
        HRESULT result = enumerate(call.host, query, &list, &error);
        if (SUCCEEDED(result))
            operation_succeed(call.operation, list.data);
        else
            operation_fail(call.operation, result, &error);
        buf_free(&list);
    }
    call_end(&call);
    return hr;
}
