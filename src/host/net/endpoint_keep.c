/* SPDX-License-Identifier: MIT
 * What an endpoint's properties do not tell of it: its port. */
#include <string.h>

#include "../../base/text.h"
#include "endpoint.h"

static bool is_attached_to_machine(const struct endpoint *endpoint) {
    return endpoint->state == ENDPOINT_ATTACHED &&
           endpoint->port_kind == PLANE_PORT_MACHINE;
}

void endpoint_keep(const struct object *object, bool held,
                   struct json_writer *w) {
    const struct endpoint *endpoint =
        HCS_CONTAINER(object, const struct endpoint, object);
    bool attached = endpoint->state == ENDPOINT_ATTACHED;
    const struct guid *port = attached ? &endpoint->port : &endpoint->kept_port;
    const struct guid *machine =
        attached ? &endpoint->machine : &endpoint->kept_machine;

    json_pair_uint(w, "State", endpoint->state);
    json_pair_bool(w, "Held", held);
    if (guid_is_zero(port))
        return;
    put_guid(w, "Port", port);
    if (!guid_is_zero(machine))
        put_guid(w, "Machine", machine);
    json_pair_bool(w, "OfMachine", is_attached_to_machine(endpoint));
    if (endpoint->adapter)
        json_pair_string(w, "Adapter", endpoint->adapter);
}

/* A port that nobody's process held, so nobody will ask for it again. */
static HRESULT attach(struct net *net, struct endpoint *endpoint,
                      const struct json *kept, struct hcs_error *error) {
    const struct guid port = endpoint->kept_port;
    const struct guid machine = endpoint->kept_machine;

    return endpoint_port_up(net, endpoint, PLANE_PORT_MACHINE, &port, &machine,
                            json_text(json_get(kept, "Adapter"), ""), error);
}

/* A namespace takes its members in once it is there itself. */
HRESULT endpoint_restore(struct net *net, struct object *object,
                         const struct json *kept, struct hcs_error *error) {
    struct endpoint *endpoint = endpoint_of(object);
    uint64_t state;
    HRESULT hr = saved_guid(kept, "Port", &endpoint->kept_port, error);

    if (SUCCEEDED(hr))
        hr = saved_guid(kept, "Machine", &endpoint->kept_machine, error);
    if (SUCCEEDED(hr))
        hr = saved_number(kept, "State", ENDPOINT_DETACHED, &state, error);
    if (SUCCEEDED(hr) && state != ENDPOINT_CREATED &&
        state != ENDPOINT_ATTACHED && state != ENDPOINT_DETACHED)
        hr = saved_bad(error, "State");
    if (FAILED(hr))
        return hr;
    endpoint->state =
        state == ENDPOINT_CREATED ? ENDPOINT_CREATED : ENDPOINT_DETACHED;
    if (state == ENDPOINT_ATTACHED &&
        json_is_true(json_get(kept, "OfMachine")) &&
        !json_is_true(json_get(kept, "Held")))
        hr = attach(net, endpoint, kept, error);
    return hr;
}
