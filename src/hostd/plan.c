/* SPDX-License-Identifier: MIT
 * What a request would change: it is carried out by a copy of the net, on a
 * plane that changes nothing and writes down what it would do. */

#include "../base/clock.h"
#include "daemon.h"
#include "ground.h"

static int64_t wall(void *context) {
    (void)context;
    return clock_wall();
}

/* Others than those that the request will be carried out with; what the plan
 * says of ids and addresses that are chosen is an example. */
static uint64_t next_random(void *context) {
    return random_next(context);
}

/* --- the request ---------------------------------------------------------- */

static HRESULT write_plan(const struct plane *plan, char **document,
                          struct hcs_error *error) {
    struct buf text = {0};

    buf_puts(&text, "{\"Changes\":");
    ground_plan_write(plan, &text);
    buf_puts(&text, "}");
    *document = text.failed ? NULL : buf_take(&text);
    buf_free(&text);
    return *document ? S_OK
                     : error_set(error, E_OUTOFMEMORY, NULL, "out of memory");
}

static HRESULT make_on(struct daemon *daemon, struct net *copy,
                       struct plane *plan, const struct net_request *request,
                       bool uplink, char **document, struct hcs_error *error) {
    struct net_reply reply;
    HRESULT hr = net_copy(daemon->net, copy, error);

    if (SUCCEEDED(hr))
        hr = ground_plan_begin(plan, uplink, error);
    if (FAILED(hr))
        return hr;
    hr = net_request(copy, request, &reply);
    if (FAILED(hr))
        hr = net_record_error(&reply, error);
    net_reply_free(&reply);
    return SUCCEEDED(hr) ? write_plan(plan, document, error) : hr;
}

static HRESULT open_copy(struct daemon *daemon, struct plane *plan,
                         struct random *random, struct net **out,
                         struct hcs_error *error) {
    struct net_env env = {.ops = ground_plan_ops(),
                          .plane = plan,
                          .now = wall,
                          .random = next_random,
                          .context = random};

    random_seed(random, random_next(&daemon->random));
    net_host_namespace(daemon->net, &env.host_namespace);
    return net_open(&env, out, error);
}

HRESULT plan_make(struct daemon *daemon, const struct net_request *request,
                  bool uplink, char **document, struct hcs_error *error) {
    struct random random;
    struct plane *plan;
    struct net *copy = NULL;
    HRESULT hr = ground_plan_open(daemon->plane, &plan, error);

    if (FAILED(hr))
        return hr;
    hr = open_copy(daemon, plan, &random, &copy, error);
    if (SUCCEEDED(hr))
        hr = make_on(daemon, copy, plan, request, uplink, document, error);
    net_close(copy);
    ground_plan_ops()->destroy(plan);
    return hr;
}
