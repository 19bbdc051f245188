/* SPDX-License-Identifier: MIT
 * hcshost_network_plan: what making a network would change. On a simulated host
 * that is nothing of the machine; but what would refuse it does so here, too.
 */
#include <stdlib.h>

#include "../base/text.h"
#include "calls.h"
#include "hcn_remote.h"
#include "result.h"

#define NOTHING "{\"Changes\":[]}"

/* --- simulated hosts ------------------------------------------------------ */

/* The host's networks once more. */
struct trial {
    const struct host *host;
    struct plane *plane;
    struct net *net;
    struct random random;
};

static uint64_t trial_random(void *context) {
    struct trial *trial = context;
    return random_next(&trial->random);
}

static int64_t trial_now(void *context) {
    const struct trial *trial = context;
    return trial->host->time;
}

static HRESULT trial_open(struct trial *trial, struct hcs_error *error) {
    const struct hcn *hcn = trial->host->hcn;
    struct net_env env = {.ops = hcn->ops,
                          .now = trial_now,
                          .random = trial_random,
                          .context = trial,
                          .build = trial->host->spec.build};
    HRESULT hr = sim_plane_open(&trial->plane, error);

    trial->random = hcn->random;
    env.plane = trial->plane;
    net_host_namespace(hcn->net, &env.host_namespace);
    if (SUCCEEDED(hr))
        hr = net_open(&env, &trial->net, error);
    return SUCCEEDED(hr) ? net_copy(hcn->net, trial->net, error) : hr;
}

static void trial_close(struct trial *trial) {
    net_close(trial->net);
    if (trial->plane)
        sim_plane_ops()->destroy(trial->plane);
}

/* What refuses it leaves the record. */
static HRESULT plan_simulated(struct host *host,
                              const struct net_request *request,
                              char **document, PWSTR *record) {
    struct trial trial = {.host = host};
    struct net_reply reply = {0};
    struct hcs_error error;
    HRESULT hr = trial_open(&trial, &error);

    if (FAILED(hr)) {
        hcn_record(hr, &error, record);
    } else if (FAILED(hr = net_request(trial.net, request, &reply))) {
        if (record)
            *record = result_text(reply.record, NULL);
    } else {
        *document = text_copy(NOTHING);
        if (!*document)
            hcn_record(hr = E_OUTOFMEMORY, NULL, record);
    }
    net_reply_free(&reply);
    trial_close(&trial);
    return hr;
}

/* --- the function --------------------------------------------------------- */

static HRESULT plan_real(struct host *host, const struct net_request *request,
                         char **document, PWSTR *record) {
    struct hcs_error error;
    HRESULT hr = remote_plan(host, request, document, &error);

    if (FAILED(hr))
        hcn_record(hr, &error, record);
    return hr;
}

static HRESULT plan(struct host *host, const char *settings, PWSTR *document,
                    PWSTR *record) {
    const struct net_request request = {
        .verb = NET_CREATE, .kind = NET_NETWORK, .text = settings};
    struct hcs_error error;
    char *text = NULL;
    HRESULT hr = hcn_need(host, &error);

    if (FAILED(hr)) {
        hcn_record(hr, &error, record);
        return hr;
    }
    hr = host->remote ? plan_real(host, &request, &text, record)
                      : plan_simulated(host, &request, &text, record);
    if (SUCCEEDED(hr)) {
        *document = result_text(text, NULL);
        if (!*document)
            hcn_record(hr = E_OUTOFMEMORY, NULL, record);
    }
    free(text);
    return hr;
}

HRESULT hcshost_network_plan(HCSHOST host, PCWSTR settings, PWSTR *document,
                             PWSTR *record) {
    struct hcs_error error;
    struct call call;
    char *text = NULL;
    HRESULT hr;

    if (record)
        *record = NULL;
    if (!document)
        return E_POINTER;
    *document = NULL;
    hr = settings
             ? hcn_text(settings, &text, &error)
             : error_set(&error, E_INVALIDARG, NULL, "there is no document");
    if (SUCCEEDED(hr)) {
        hr = call_host(&call, host);
        if (FAILED(hr))
            error_set(&error, hr, NULL, "there is no such host");
    }
    if (FAILED(hr)) {
        hcn_record(hr, &error, record);
    } else {
        hr = plan(call.host, text ? text : "", document, record);
        call_end(&call);
    }
    free(text);
    return hr;
}
