/* SPDX-License-Identifier: MIT
 * What a host is and what is alive in it. */
#include "calls.h"
#include "hcn.h"

static HRESULT write_description(struct host *host, struct json_writer *w,
                                 struct hcs_error *error) {
    const struct host_spec *spec = &host->spec;
    (void)error;
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
    if (spec->kind == HOST_QEMU)
        json_pair_bool(w, "AllowHostChange", spec->allow_host_change);
    json_end_object(w);
    return S_OK;
}

/* Networks are asked first: that gives the lock up. */
static HRESULT write_inventory(struct host *host, struct json_writer *w,
                               struct hcs_error *error) {
    struct store_inventory found = {0};
    struct hcn_counts networks;
    HRESULT hr = hcn_count(host, &networks, error);

    if (FAILED(hr))
        return hr;
    host->store->ops->inventory(host->store, &found);
    found.processes += networks.processes;
    json_begin_object(w);
    json_pair_uint(w, "Systems", found.systems);
    json_pair_uint(w, "Networks", networks.networks);
    json_pair_uint(w, "Endpoints", networks.endpoints);
    json_pair_uint(w, "Namespaces", networks.namespaces);
    if (host->spec.kind == HOST_QEMU) {
        json_pair_uint(w, "Interfaces", networks.interfaces);
        json_pair_uint(w, "Rules", networks.rules);
    }
    json_pair_uint(w, "Handles", host->system_count + host->network_count);
    json_pair_uint(w, "Operations", host->operation_count);
    json_pair_uint(w, "Processes", found.processes);
    json_pair_uint(w, "Files", found.files);
    json_pair_uint(w, "Threads", host->service_started ? 1 : 0);
    json_end_object(w);
    return S_OK;
}

static HRESULT write(HCSHOST host, PWSTR *document,
                     HRESULT (*what)(struct host *, struct json_writer *,
                                     struct hcs_error *)) {
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
    hr = host_store(call.host, &error) ? what(call.host, &writer, &error)
                                       : error.code;
    if (SUCCEEDED(hr))
        hr = result_take(&text, document);
    call_end(&call);
    buf_free(&text);
    return hr;
}

HRESULT hcshost_describe(HCSHOST host, PWSTR *document) {
    return write(host, document, write_description);
}

HRESULT hcshost_inventory(HCSHOST host, PWSTR *document) {
    return write(host, document, write_inventory);
}
