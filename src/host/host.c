/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "deliver.h"
#include "guest.h"
#include "hcn_remote.h"
#include "pump.h"
#include "surroundings.h"
#include "system.h"

static void destroy(struct object *object) {
    struct host *host = HCS_CONTAINER(object, struct host, object);
    waker_close(&host->waker);
    timers_free(&host->timers);
    condition_destroy(&host->changed);
    mutex_destroy(&host->lock);
    host_spec_free(&host->spec);
    remote_free(host->remote);
    free(host->uri);
    free(host);
}

static void init_lists(struct host *host) {
    link_init(&host->systems);
    link_init(&host->operations);
    link_init(&host->requests);
    link_init(&host->exits);
    link_init(&host->networks);
    link_init(&host->listeners);
    link_init(&host->ready);
    link_init(&host->programs);
    link_init(&host->waiters);
}

/* Takes the spec over. */
static HRESULT make(const struct host_spec *spec, const char *uri,
                    struct host **out, struct hcs_error *error) {
    struct host *host = calloc(1, sizeof *host);
    HRESULT hr;

    if (!host)
        return error_set(error, E_OUTOFMEMORY, NULL,
                         "out of memory for a host");
    object_init(&host->object, HANDLE_HOST, destroy);
    mutex_init(&host->lock);
    condition_init(&host->changed);
    init_lists(host);
    hr = waker_open(&host->waker, error);
    host->uri = text_copy(uri);
    if (SUCCEEDED(hr) && !host->uri)
        hr = error_set(error, E_OUTOFMEMORY, NULL, "out of memory for a host");
    if (FAILED(hr)) {
        object_unref(&host->object);
        return hr;
    }
    host->spec = *spec;
    host->network_service = 1;
    *out = host;
    return S_OK;
}

static HRESULT open_store(struct host *host, enum host_pipes pipes,
                          struct hcs_error *error) {
    struct store_config config = {
        .timers = &host->timers,
        .now = host_now,
        .guest = guest_told,
        .attach = hcn_attach,
        .detach = hcn_detach,
        .plane = hcn_plane,
        .context = host,
        .build = host->spec.build,
        .access_open = host->spec.access_open,
        .allow_host_change = host->spec.allow_host_change,
        .strict = host->spec.strict,
        .own_pipes = pipes == HOST_OWNS_PIPES,
        .seed = host->spec.seed,
        .latency = host->spec.latency,
        .root = host->spec.root,
        .accelerator = host->spec.accelerator,
    };
    if (host->spec.kind == HOST_QEMU)
        return store_worker_open(&config, &host->store, error);
    return store_local_open(&config, &host->store, error);
}

HRESULT host_open(const char *text, enum host_pipes pipes, struct host **out,
                  struct hcs_error *error) {
    struct host_spec spec;
    struct host *host = NULL;
    HRESULT hr = host_spec_parse(text, &spec, error);

    surroundings_pin();
    if (FAILED(hr))
        return hr;
    hr = make(&spec, text, &host, error);
    if (FAILED(hr)) {
        host_spec_free(&spec);
        return hr;
    }
    hr = open_store(host, pipes, error);
    if (FAILED(hr)) {
        object_unref(&host->object);
        return hr;
    }
    *out = host;
    return S_OK;
}

HRESULT host_open_unavailable(const struct hcs_error *why, struct host **out,
                              struct hcs_error *error) {
    struct host_spec spec = {.kind = HOST_QEMU, .build = HOST_BUILD_DEFAULT};
    HRESULT hr = make(&spec, "", out, error);
    if (SUCCEEDED(hr))
        (*out)->unavailable = *why;
    return hr;
}

/* --- the lock ---------------------------------------------------------- */

HRESULT host_lock(struct host *host) {
    mutex_lock(&host->lock);
    if (!host->closed)
        return S_OK;
    mutex_unlock(&host->lock);
    return E_HANDLE;
}

void host_settle(struct host *host) {
    if (!link_alone(&host->exits))
        systems_settle(host);
    if (!host->sleeping || (!host->call_sleeper &&
                            timers_next(&host->timers) >= host->sleep_until))
        return;
    host->call_sleeper = false;
    host->sleep_until = INT64_MIN; /* called already */
    waker_call(&host->waker);
}

void host_unlock(struct host *host) {
    host_settle(host);
    mutex_unlock(&host->lock);
}

void host_changed(struct host *host) {
    if (!link_alone(&host->waiters))
        condition_broadcast(&host->changed);
    if (host->spec.driver == HcsHostDriverStep)
        host->call_sleeper = true;
}

/* --- small things ------------------------------------------------------ */

bool host_is_simulated(const struct host *host) {
    return host->spec.clock != HcsHostClockReal;
}

int64_t host_now(void *context) {
    struct host *host = context;
    return host_is_simulated(host) ? host->time : clock_monotonic();
}

struct store *host_store(struct host *host, struct hcs_error *error) {
    if (!host->store && error)
        *error = host->unavailable;
    return host->store;
}

HRESULT host_need_service(struct host *host, struct hcs_error *error) {
    HRESULT hr;
    if (host->spec.driver != HcsHostDriverThread || host->service_started)
        return S_OK;
    hr = thread_start(&host->service, pump_serve, host, error);
    host->service_started = SUCCEEDED(hr);
    return hr;
}

/* --- the end ----------------------------------------------------------- */

static void close_operations(struct host *host) {
    while (!link_alone(&host->operations)) {
        struct operation *operation =
            HCS_CONTAINER(host->operations.next, struct operation, link);
        const void *handle = (const void *)operation->object.number;
        struct object *taken = handle_take(handle, HANDLE_OPERATION);
        object_ref(&operation->object);
        operation_close(operation);
        object_unref(&operation->object);
        object_unref(taken);
    }
}

static void close_systems(struct host *host) {
    while (!link_alone(&host->systems)) {
        struct system *system =
            HCS_CONTAINER(host->systems.next, struct system, link);
        const void *handle = (const void *)system->object.number;
        struct object *taken = handle_take(handle, HANDLE_SYSTEM);
        object_ref(&system->object);
        system_close(system);
        object_unref(&system->object);
        object_unref(taken);
    }
}

/* Gives the lock up meanwhile. */
static void stop_service(struct host *host) {
    host->service_stop = true;
    if (!host->service_started)
        return;
    waker_call(&host->waker);
    mutex_unlock(&host->lock);
    thread_join(host->service);
    mutex_lock(&host->lock);
}

static void close_store(struct host *host) {
    struct store *store = host->store;
    host->store = NULL;
    if (store)
        store->ops->destroy(store);
    while (!link_alone(&host->requests))
        request_forget(
            HCS_CONTAINER(host->requests.next, struct request, link));
}

HRESULT host_close(struct host *host) {
    HRESULT hr;

    if (host_is_inside(host))
        return HCS_E_INVALID_STATE;
    hr = host_lock(host);
    if (FAILED(hr))
        return hr;
    host->closed = true;
    condition_broadcast(&host->changed);
    waker_call(&host->waker);
    close_operations(host);
    close_systems(host);
    hcn_close_handles(host);
    guest_forget_all(host);
    while (host->delivering > 0)
        condition_wait(&host->changed, &host->lock, INT64_MAX);
    stop_service(host);
    close_store(host);
    hcn_close(host);
    mutex_unlock(&host->lock);
    return S_OK;
}
