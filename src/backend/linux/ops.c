/* SPDX-License-Identifier: MIT
 * The vtable: each function has its work done by the crew. */

#include "../../base/hresult_hcn.h"
#include "call.h"

HRESULT call_crew(crew_work *work, struct plane *plane, const void *told,
                  const struct guid *id, void *out, struct hcs_error *error) {
    struct call call = {plane, told, id, out};

    return crew_run(&plane->crew, work, &call, error);
}

HRESULT call_endpoint(const struct call *call, struct endpoint **out,
                      struct hcs_error *error) {
    *out = find_endpoint(call->plane, call->id);
    if (*out)
        return S_OK;
    return error_set(error, HCN_E_ENDPOINT_NOT_FOUND, NULL,
                     "the plane has no such endpoint");
}

/* --- the vtable -------------------------------------------------------- */

static HRESULT can_network(struct plane *plane, enum plane_mode mode,
                           struct hcs_error *error) {
    return probe_network(plane, mode, error);
}

static HRESULT can_policy(struct plane *plane, enum plane_policy policy,
                          struct hcs_error *error) {
    return probe_policy(plane, policy, error);
}

/* The plane's host has its networks and ways out, and nothing else. */
static bool prefix_taken(struct plane *plane, const struct ip_prefix *prefix) {
    return uplink_has(plane, prefix) || world_has(plane, prefix);
}

struct port_question {
    uint8_t protocol;
    uint16_t port;
};

static HRESULT work_port_taken(void *context, struct hcs_error *error) {
    struct call *call = context;
    const struct port_question *question = call->told;
    const struct ip_address *address = call->out;

    return hold_port(question->protocol, address, question->port,
                     address->family == IP_V6, NULL, error);
}

static bool port_taken(struct plane *plane, uint8_t protocol,
                       const struct ip_address *address, uint16_t port) {
    struct port_question question = {protocol, port};
    struct ip_address copy = *address;

    return call_crew(work_port_taken, plane, &question, NULL, &copy, NULL) ==
           HR_SHARING_VIOLATION;
}

static HRESULT find_adapter(struct plane *plane,
                            const struct plane_adapter *wanted,
                            char out[PLANE_DEVICE_SIZE],
                            struct hcs_error *error) {
    (void)plane;
    out[0] = '\0';
    return error_set(error, HCN_E_ADAPTER_NOT_FOUND, NULL,
                     "networks here do not reach the host's adapters%s%s",
                     *wanted->name ? ", nor " : "", wanted->name);
}

static HRESULT work_network_up(void *context, struct hcs_error *error) {
    struct call *call = context;
    return network_up(call->plane, call->told, error);
}

static HRESULT op_network_up(struct plane *plane,
                             const struct plane_network *told,
                             struct hcs_error *error) {
    return call_crew(work_network_up, plane, told, NULL, NULL, error);
}

static HRESULT work_network_change(void *context, struct hcs_error *error) {
    struct call *call = context;
    return network_change(call->plane, call->told, error);
}

static HRESULT op_network_change(struct plane *plane,
                                 const struct plane_network *told,
                                 struct hcs_error *error) {
    return call_crew(work_network_change, plane, told, NULL, NULL, error);
}

static HRESULT work_network_down(void *context, struct hcs_error *error) {
    struct call *call = context;
    struct network *network = find_network(call->plane, call->id);

    (void)error;
    if (network)
        network_down(call->plane, network);
    return S_OK;
}

static void op_network_down(struct plane *plane, const struct guid *id) {
    call_crew(work_network_down, plane, NULL, id, NULL, NULL);
}

static HRESULT work_endpoint_up(void *context, struct hcs_error *error) {
    struct call *call = context;
    return endpoint_up(call->plane, call->told, error);
}

static HRESULT op_endpoint_up(struct plane *plane,
                              const struct plane_endpoint *told,
                              struct hcs_error *error) {
    return call_crew(work_endpoint_up, plane, told, NULL, NULL, error);
}

static HRESULT work_endpoint_change(void *context, struct hcs_error *error) {
    struct call *call = context;
    return endpoint_change(call->plane, call->told, error);
}

static HRESULT op_endpoint_change(struct plane *plane,
                                  const struct plane_endpoint *told,
                                  struct hcs_error *error) {
    return call_crew(work_endpoint_change, plane, told, NULL, NULL, error);
}

static HRESULT work_endpoint_down(void *context, struct hcs_error *error) {
    struct call *call = context;
    struct endpoint *endpoint = find_endpoint(call->plane, call->id);

    (void)error;
    if (endpoint)
        endpoint_down(call->plane, endpoint);
    return S_OK;
}

static void op_endpoint_down(struct plane *plane, const struct guid *id) {
    call_crew(work_endpoint_down, plane, NULL, id, NULL, NULL);
}

static HRESULT work_namespace_up(void *context, struct hcs_error *error) {
    struct call *call = context;
    return space_up(call->plane, call->told, error);
}

static HRESULT op_namespace_up(struct plane *plane,
                               const struct plane_namespace *told,
                               struct hcs_error *error) {
    return call_crew(work_namespace_up, plane, told, NULL, NULL, error);
}

static HRESULT work_namespace_down(void *context, struct hcs_error *error) {
    struct call *call = context;
    struct space *space = find_space(call->plane, call->id);

    (void)error;
    if (space)
        space_down(call->plane, space);
    return S_OK;
}

static void op_namespace_down(struct plane *plane, const struct guid *id) {
    call_crew(work_namespace_down, plane, NULL, id, NULL, NULL);
}

static HRESULT work_port_up(void *context, struct hcs_error *error) {
    struct call *call = context;
    struct endpoint *endpoint;
    HRESULT hr = call_endpoint(call, &endpoint, error);

    return FAILED(hr)
               ? hr
               : port_up(call->plane, endpoint, call->told, call->out, error);
}

static HRESULT op_port_up(struct plane *plane, const struct guid *endpoint,
                          const struct plane_port *port,
                          char device[PLANE_DEVICE_SIZE],
                          struct hcs_error *error) {
    return call_crew(work_port_up, plane, port, endpoint, device, error);
}

static HRESULT work_port_down(void *context, struct hcs_error *error) {
    struct call *call = context;
    struct endpoint *endpoint = find_endpoint(call->plane, call->id);

    (void)error;
    if (endpoint)
        port_down(call->plane, endpoint);
    return S_OK;
}

static void op_port_down(struct plane *plane, const struct guid *endpoint) {
    call_crew(work_port_down, plane, NULL, endpoint, NULL, NULL);
}

static HRESULT work_statistics(void *context, struct hcs_error *error) {
    struct call *call = context;
    struct endpoint *endpoint;
    HRESULT hr = call_endpoint(call, &endpoint, error);

    return FAILED(hr) ? hr
                      : statistics(call->plane, endpoint, call->out, error);
}

static HRESULT op_statistics(struct plane *plane, const struct guid *endpoint,
                             struct plane_statistics *out,
                             struct hcs_error *error) {
    return call_crew(work_statistics, plane, NULL, endpoint, out, error);
}

const struct plane_ops *linux_plane_ops(void) {
    static const struct plane_ops ops = {
        .name = "linux",
        .can_network = can_network,
        .can_policy = can_policy,
        .prefix_taken = prefix_taken,
        .port_taken = port_taken,
        .find_adapter = find_adapter,
        .network_up = op_network_up,
        .network_change = op_network_change,
        .network_down = op_network_down,
        .endpoint_up = op_endpoint_up,
        .endpoint_change = op_endpoint_change,
        .endpoint_down = op_endpoint_down,
        .namespace_up = op_namespace_up,
        .namespace_down = op_namespace_down,
        .port_up = op_port_up,
        .port_down = op_port_down,
        .statistics = op_statistics,
        .destroy = plane_destroy,
    };
    return &ops;
}
