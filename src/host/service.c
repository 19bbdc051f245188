/* SPDX-License-Identifier: MIT
 * HcsGetServiceProperties: what the host itself is. */
#include <stdlib.h>
#include <string.h>

#include "../schema/schema.h"
#include "calls.h"
#include "surroundings.h"

/* Writes one property's value, or refuses it. */
typedef HRESULT (*property_fn)(const struct host *host, struct json_writer *w,
                               struct hcs_error *error);

static void write_version(struct json_writer *w, int major, int minor) {
    json_begin_object(w);
    json_pair_int(w, "Major", major);
    json_pair_int(w, "Minor", minor);
    json_end_object(w);
}

static HRESULT write_basic(const struct host *host, struct json_writer *w,
                           struct hcs_error *error) {
    int major = 2, minor = 0;
    (void)error;
    schema_version_of_build(host->spec.build, &major, &minor);
    json_begin_object(w);
    json_key(w, "SupportedSchemaVersions");
    json_begin_array(w);
    write_version(w, 1, 0);
    write_version(w, major, minor);
    json_end_array(w);
    json_end_object(w);
    return S_OK;
}

static HRESULT write_topology(const struct host *host, struct json_writer *w,
                              struct hcs_error *error) {
    int64_t count = surroundings_processors();
    (void)host;
    (void)error;
    json_begin_object(w);
    json_pair_int(w, "LogicalProcessorCount", count);
    json_key(w, "LogicalProcessors");
    json_begin_array(w);
    for (int64_t i = 0; i < count; i++) {
        struct processor place = surroundings_processor(i);
        json_begin_object(w);
        json_pair_int(w, "LpIndex", i);
        json_pair_int(w, "NodeNumber", 0);
        json_pair_int(w, "PackageId", place.package);
        json_pair_int(w, "CoreId", place.core);
        json_pair_int(w, "RootVpIndex", i);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
    return S_OK;
}

/* Groups are made by HcsModifyServiceSettings, which this host lacks: there
 * are none. The same goes for credential guard instances. */
static HRESULT write_cpu_groups(const struct host *host, struct json_writer *w,
                                struct hcs_error *error) {
    (void)host;
    (void)error;
    json_begin_object(w);
    json_key(w, "CpuGroups");
    json_begin_array(w);
    json_end_array(w);
    json_end_object(w);
    return S_OK;
}

static HRESULT write_credential_guard(const struct host *host,
                                      struct json_writer *w,
                                      struct hcs_error *error) {
    (void)host;
    (void)error;
    json_begin_object(w);
    json_key(w, "Instances");
    json_begin_array(w);
    json_end_array(w);
    json_end_object(w);
    return S_OK;
}

static HRESULT write_qos(const struct host *host, struct json_writer *w,
                         struct hcs_error *error) {
    (void)host;
    (void)error;
    json_begin_object(w);
    json_pair_bool(w, "ProcessorQoSSupported", false);
    json_end_object(w);
    return S_OK;
}

static const struct property {
    const char *name;
    property_fn write;
} properties[] = {
    {"Basic", write_basic},
    {"ProcessorTopology", write_topology},
    {"CpuGroup", write_cpu_groups},
    {"ContainerCredentialGuard", write_credential_guard},
    {"QoSCapabilities", write_qos},
};

static HRESULT write_property(const struct host *host, const char *name,
                              struct json_writer *w, const char *path,
                              struct hcs_error *error) {
    for (size_t i = 0; i < HCS_COUNT(properties); i++)
        if (strcmp(properties[i].name, name) == 0)
            return properties[i].write(host, w, error);
    return error_set(error, HR_NOT_SUPPORTED, path,
                     "this host has no service property \"%s\"", name);
}

/* One element for each type, in the order of the request. */
static HRESULT write_types(const struct host *host, const struct json *types,
                           struct json_writer *w, struct hcs_error *error) {
    HRESULT hr = S_OK;
    json_key(w, "Properties");
    json_begin_array(w);
    for (size_t i = 0; i < types->as.array.count && SUCCEEDED(hr); i++) {
        char path[JSON_MAX_PATH] = "$.PropertyTypes";
        json_path_index(path, i);
        hr = write_property(host, json_text(&types->as.array.items[i], ""), w,
                            path, error);
    }
    json_end_array(w);
    return hr;
}

/* Each query is answered for itself, with its value or with an error. */
static void write_response(const struct host *host,
                           const struct json_member *query,
                           struct json_writer *w) {
    char path[JSON_MAX_PATH] = "$.PropertyQueries";
    struct hcs_error error;
    struct buf value = {0};
    struct json_writer inner = {.out = &value};
    HRESULT hr;

    json_path_member(path, &query->name);
    hr = write_property(host, query->name.text, &inner, path, &error);
    json_key_n(w, query->name.text, query->name.length);
    json_begin_object(w);
    if (SUCCEEDED(hr)) {
        json_key(w, "Response");
        json_put_raw(w, value.data ? value.data : "null",
                     value.data ? value.length : 4);
    } else {
        json_key(w, "Error");
        result_write_error(w, host->spec.build, HcsOperationTypeNone, hr,
                           &error);
    }
    json_end_object(w);
    w->out->failed = w->out->failed || value.failed;
    buf_free(&value);
}

static HRESULT answer(const struct host *host, const struct json *query,
                      struct buf *out, struct hcs_error *error) {
    const struct json *types = json_get(query, "PropertyTypes");
    const struct json *queries = json_get(query, "PropertyQueries");
    struct json_writer writer = {.out = out};
    HRESULT hr = S_OK;

    if (json_get(query, "FilteredQueries"))
        return error_set(error, HR_NOT_SUPPORTED, "$.FilteredQueries",
                         "this host answers no filtered queries");
    json_begin_object(&writer);
    if (types && types->type == JSON_ARRAY)
        hr = write_types(host, types, &writer, error);
    if (SUCCEEDED(hr) && queries && queries->type == JSON_OBJECT) {
        json_key(&writer, "PropertyResponses");
        json_begin_object(&writer);
        for (size_t i = 0; i < queries->as.object.count; i++)
            write_response(host, &queries->as.object.members[i], &writer);
        json_end_object(&writer);
    }
    json_end_object(&writer);
    return hr;
}

static HRESULT read_query(const struct host *host, PCWSTR query,
                          struct json_doc *doc, struct hcs_error *error) {
    struct schema_profile profile = {.build = host->spec.build};
    char *text = NULL;
    HRESULT hr = call_text(query, &text, error);

    if (SUCCEEDED(hr) && text)
        hr = json_parse(text, strlen(text), doc, error);
    if (SUCCEEDED(hr) && text)
        hr = schema_check(doc->root, "Service_PropertyQuery", &profile, error);
    free(text);
    return hr;
}

static HRESULT get_properties(struct host *host, PCWSTR query, struct buf *out,
                              struct hcs_error *error) {
    struct json_doc doc = {0};
    HRESULT hr;

    if (!host_serving_store(host, error))
        return error->code;
    hr = read_query(host, query, &doc, error);
    if (SUCCEEDED(hr))
        hr = answer(host, doc.root, out, error);
    json_doc_free(&doc);
    return hr;
}

HRESULT WINAPI HcsGetServiceProperties(PCWSTR query, PWSTR *result) {
    struct hcs_error error;
    struct buf out = {0};
    struct call call;
    HRESULT hr;

    if (!result)
        return E_POINTER;
    *result = NULL;
    hr = call_current(&call, CALL_SINCE(HcsGetServiceProperties));
    if (FAILED(hr))
        return hr;
    hr = get_properties(call.host, query, &out, &error);
    if (SUCCEEDED(hr)) {
        hr = result_take(&out, result);
    } else {
        *result = result_error(call.host->spec.build, HcsOperationTypeNone, hr,
                               &error, NULL);
        buf_free(&out);
    }
    call_end(&call);
    return hr;
}
