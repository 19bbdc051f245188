/* SPDX-License-Identifier: MIT
 * What a host is and what is alive in it. */
#include "calls.h"
#include "hcn.h"

static void write_description(struct host *host, struct json_writer *w) {
    const struct host_spec *spec = &host->spec;
    json_begin_object(w);
    json_pair_string(w, "Uri", host->uri);
    json_pair_string(w, "Kind", host_kind_name(spec->kind));
    json_pair_int(w, "Build", spec->build);
    json_pair_string(w, "Clock", host_clock_name(spec->clock));
    json_pair_string(w, "Driver", host_driver_name(spec->driver));
    if (spec->kind == HOST_SIM)
        json_pair_uint(w, "Seed", spec->seed);
    host->store->ops->describe(host->store, w);
    json_pair_bool(w, "Strict", spec->strict);
    json_pair_string(w, "Access", spec->access_open ? "open" : "grants");
    json_end_object(w);
}

static void write_inventory(struct host *host, struct json_writer *w) {
    struct store_inventory found = {0};
    host->store->ops->inventory(host->store, &found);
    json_begin_object(w);
    json_pair_uint(w, "Systems", found.systems);
    json_pair_uint(w, "Networks", hcn_count(host, NET_NETWORK));
    json_pair_uint(w, "Endpoints", hcn_count(host, NET_ENDPOINT));
    json_pair_uint(w, "Namespaces", hcn_count(host, NET_NAMESPACE));
    json_pair_uint(w, "Handles", host->system_count + host->network_count);
    json_pair_uint(w, "Operations", host->operation_count);
    json_pair_uint(w, "Processes", found.processes);
    json_pair_uint(w, "Files", found.files);
    json_pair_uint(w, "Threads", host->service_started ? 1 : 0);
    json_end_object(w);
}

static HRESULT write(HCSHOST host, PWSTR *document,
                     void (*what)(struct host *, struct json_writer *)) {
    struct buf text = {0};
    struct json_writer writer = {.out = &text};
    struct hcs_error error;
    struct call call;
    HRESULT hr;

    if (!document)
        return E_POINTER;
    *document = NULL;
    hr = call_host(&call, host);
    if (FAILED(hr))
        return hr;
    if (host_store(call.host, &error)) {
        what(call.host, &writer);
        hr = result_take(&text, document);
    } else {
        hr = error.code;
    }
    call_end(&call);
    return hr;
}

HRESULT hcshost_describe(HCSHOST host, PWSTR *document) {
    return write(host, document, write_description);
}

HRESULT hcshost_inventory(HCSHOST host, PWSTR *document) {
    return write(host, document, write_inventory);
}
