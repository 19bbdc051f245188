/* SPDX-License-Identifier: MIT
 * Changing an endpoint: its port and its policies. */
#include <stdlib.h>
#include <string.h>

#include "../../base/text.h"
#include "space.h"

enum resource { RESOURCE_PORT, RESOURCE_POLICY };

static const struct doc_name resources[] = {
    {"Port", RESOURCE_PORT}, {"Policy", RESOURCE_POLICY}, {NULL, 0}};

/* --- the port ------------------------------------------------------ */

static void tell_port(const struct net *net, const struct endpoint *endpoint,
                      enum net_event_type type) {
    tell(net, type, S_OK, NET_NETWORK, &endpoint->network->object.id,
         endpoint->network->flags, &endpoint->object.id);
}

HRESULT endpoint_port_up(struct net *net, struct endpoint *endpoint,
                         enum plane_port_kind kind, const struct guid *port,
                         const struct guid *owner, const char *adapter,
                         struct hcs_error *error) {
    struct plane_port plane = {kind, *port, *owner, adapter};
    char *copy = NULL;
    HRESULT hr;

    if (*adapter) {
        copy = text_copy(adapter);
        if (!copy)
            return out_of_memory(error);
    }
    if (guid_is_zero(&plane.port))
        object_new_id(net, &plane.port);
    endpoint->device[0] = '\0';
    hr = net->env.ops->port_up(net->env.plane, &endpoint->object.id, &plane,
                               endpoint->device, error);
    if (FAILED(hr)) {
        free(copy);
        return hr;
    }
    endpoint->adapter = copy;
    endpoint->port_kind = kind;
    endpoint->port = plane.port;
    endpoint->machine =
        kind == PLANE_PORT_MACHINE ? *owner : (struct guid){{0}};
    endpoint->state = ENDPOINT_ATTACHED;
    endpoint->kept_port = (struct guid){{0}};
    endpoint->kept_machine = (struct guid){{0}};
    object_changed(net, &endpoint->object);
    tell_port(net, endpoint, NET_EVENT_ENDPOINT_ATTACHED);
    return S_OK;
}

void endpoint_port_down(struct net *net, struct endpoint *endpoint,
                        bool quietly) {
    if (endpoint->state != ENDPOINT_ATTACHED)
        return;
    net->env.ops->port_down(net->env.plane, &endpoint->object.id);
    free(endpoint->adapter);
    endpoint->adapter = NULL;
    endpoint->device[0] = '\0';
    endpoint->machine = (struct guid){{0}};
    endpoint->state = ENDPOINT_DETACHED;
    object_changed(net, &endpoint->object);
    if (!quietly)
        tell_port(net, endpoint, NET_EVENT_ENDPOINT_DETACHED);
}

HRESULT endpoint_is_taken(const struct endpoint *endpoint,
                          struct hcs_error *error) {
    char text[GUID_TEXT_SIZE];

    if (endpoint->port_kind == PLANE_PORT_NAMESPACE) {
        object_id_text(NET_NAMESPACE, &endpoint->space->object.id, text);
        return error_set(error, HCN_E_ENDPOINT_ALREADY_ATTACHED, NULL,
                         "it is in the namespace %s", text);
    }
    guid_format(&endpoint->machine, text);
    return error_set(error, HCN_E_ENDPOINT_ALREADY_ATTACHED, NULL,
                     "its port is the virtual machine %s's", text);
}

HRESULT endpoint_attach(struct net *net, struct object *object,
                        const struct doc *settings, struct hcs_error *error) {
    struct endpoint *endpoint = endpoint_of(object);
    struct guid port = {{0}}, machine = {{0}};
    const char *adapter = "";
    HRESULT hr = doc_guid(settings, "PortId", &port, error);

    if (SUCCEEDED(hr))
        hr = doc_guid(settings, "VirtualMachineId", &machine, error);
    if (SUCCEEDED(hr))
        hr = doc_text(settings, "VirtualNicName", &adapter, error);
    if (FAILED(hr))
        return hr;
    if (endpoint_is_remote(endpoint))
        return error_set(error, HCN_E_INVALID_REMOTE_ENDPOINT_OPERATION, NULL,
                         "an endpoint of another host has no port here");
    if (endpoint->state == ENDPOINT_ATTACHED)
        return endpoint_is_taken(endpoint, error);
    if (guid_is_zero(&port) && !guid_is_zero(&machine) &&
        memcmp(&machine, &endpoint->kept_machine, sizeof machine) == 0)
        port = endpoint->kept_port;
    return endpoint_port_up(net, endpoint, PLANE_PORT_MACHINE, &port, &machine,
                            adapter, error);
}

void endpoint_detach(struct net *net, struct object *object) {
    endpoint_port_down(net, endpoint_of(object), false);
}

HRESULT endpoint_detach_machine(struct net *net, struct object *object,
                                struct hcs_error *error) {
    struct endpoint *endpoint = endpoint_of(object);

    if (endpoint->state != ENDPOINT_ATTACHED ||
        endpoint->port_kind != PLANE_PORT_MACHINE)
        return error_set(error, HCN_E_ENDPOINT_NOT_ATTACHED, NULL,
                         "the endpoint is not attached to a virtual machine");
    endpoint_detach(net, object);
    return S_OK;
}

static HRESULT remove_port(struct net *net, struct object *object,
                           const struct doc *settings,
                           struct hcs_error *error) {
    struct endpoint *endpoint = endpoint_of(object);
    struct guid port = {{0}};
    HRESULT hr = doc_guid(settings, "PortId", &port, error);

    if (SUCCEEDED(hr) && endpoint->state == ENDPOINT_ATTACHED &&
        !guid_is_zero(&port) &&
        memcmp(&port, &endpoint->port, sizeof port) != 0)
        hr = doc_fail(settings, HCN_E_PORT_NOT_FOUND, error,
                      "the endpoint has another port");
    if (SUCCEEDED(hr))
        hr = endpoint_detach_machine(net, object, error);
    return hr;
}

/* --- policies ------------------------------------------------------ */

static HRESULT modify_policies(struct net *net, struct endpoint *endpoint,
                               enum change change, const struct doc *settings,
                               struct hcs_error *error) {
    struct policy_context context;
    struct plane_endpoint plane;
    struct policies *now;
    struct doc array;
    size_t count;
    HRESULT hr = doc_array(settings, "Policies", &array, &count, error);

    if (FAILED(hr))
        return hr;
    endpoint_context(net, endpoint, endpoint->network->policies, &context);
    hr = policies_make(&context, endpoint->policies, change, &array, &now,
                       error);
    if (FAILED(hr))
        return hr;
    endpoint_plane(endpoint, now, &plane);
    hr = net->env.ops->endpoint_change(net->env.plane, &plane, error);
    if (FAILED(hr)) {
        policies_free(now);
        return hr;
    }
    policies_retire(net, endpoint->policies);
    policies_free(endpoint->policies);
    endpoint->policies = now;
    policies_enforce(net, now);
    return S_OK;
}

HRESULT endpoint_modify(struct net *net, struct object *object,
                        const struct doc *request, struct hcs_error *error) {
    struct doc settings;
    unsigned resource;
    enum change change;
    HRESULT hr =
        modify_read(request, resources, &resource, &change, &settings, error);

    if (FAILED(hr))
        return hr;
    if (resource == RESOURCE_POLICY && change <= CHANGE_UPDATE)
        return modify_policies(net, endpoint_of(object), change, &settings,
                               error);
    if (resource == RESOURCE_PORT && change == CHANGE_ADD)
        return endpoint_attach(net, object, &settings, error);
    if (resource == RESOURCE_PORT && change == CHANGE_REMOVE)
        return remove_port(net, object, &settings, error);
    if (resource == RESOURCE_PORT && change == CHANGE_REFRESH)
        return S_OK; /* what the port is told is always up to date */
    return modify_unsupported(request, doc_enum_name(resources, resource),
                              change, error);
}

/* --- numbers ------------------------------------------------------- */

HRESULT endpoint_statistics(struct net *net, struct object *object,
                            struct buf *out, struct hcs_error *error) {
    const struct endpoint *endpoint = endpoint_of(object);
    struct plane_statistics numbers = {0};
    struct json_writer w = {.out = out};
    HRESULT hr =
        net->env.ops->statistics(net->env.plane, &object->id, &numbers, error);
    if (FAILED(hr))
        return hr;
    json_begin_object(&w);
    json_pair_uint(&w, "BytesReceived", numbers.bytes_received);
    json_pair_uint(&w, "BytesSent", numbers.bytes_sent);
    json_pair_uint(&w, "DroppedPacketsIncoming", numbers.dropped_incoming);
    json_pair_uint(&w, "DroppedPacketsOutgoing", numbers.dropped_outgoing);
    put_id(&w, "EndpointId", NET_ENDPOINT, &object->id);
    if (endpoint->state == ENDPOINT_ATTACHED)
        put_guid(&w, "InstanceId", &endpoint->port);
    json_pair_uint(&w, "PacketsReceived", numbers.packets_received);
    json_pair_uint(&w, "PacketsSent", numbers.packets_sent);
    json_end_object(&w);
    return out->failed ? out_of_memory(error) : S_OK;
}
