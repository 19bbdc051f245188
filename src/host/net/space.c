/* SPDX-License-Identifier: MIT
 * Namespaces: where endpoints end that are not a virtual machine's. Those of
 * guests are only kept here; their compartments are in the guest. */
#include "space.h"

#include <stdlib.h>
#include <string.h>

#include "../../base/text.h"

#define DEFAULT_COMPARTMENT 1

static const struct doc_name types[] = {
    {"Host", PLANE_HOST},
    {"HostDefault", PLANE_HOST_DEFAULT},
    {"Guest", PLANE_GUEST},
    {"GuestDefault", PLANE_GUEST_DEFAULT},
    {NULL, 0},
};

struct space *space_of(struct object *object) {
    return HCS_CONTAINER(object, struct space, object);
}

bool space_is_on_host(const struct space *space) {
    return space->type == PLANE_HOST || space->type == PLANE_HOST_DEFAULT;
}

static void space_free(struct space *space) {
    for (size_t i = 0; i < space->container_count; i++)
        free(space->containers[i].id);
    free(space->containers);
    free(space->owner);
    free(space);
}

static struct space *space_new(enum plane_namespace_type type) {
    struct space *space = calloc(1, sizeof *space);
    if (!space)
        return NULL;
    space->type = type;
    link_init(&space->endpoints);
    return space;
}

HRESULT space_make_default(struct net *net, struct hcs_error *error) {
    struct space *space = space_new(PLANE_HOST_DEFAULT);
    struct guid id = net->env.host_namespace;

    if (!space)
        return out_of_memory(error);
    space->hosts = true;
    space->number = DEFAULT_COMPARTMENT;
    space->compartment = DEFAULT_COMPARTMENT;
    if (guid_is_zero(&id))
        object_new_id(net, &id);
    object_put(net, NET_NAMESPACE, &space->object, &id);
    return S_OK;
}

/* --- compartments -------------------------------------------------- */

static bool number_is_used(const struct net *net, uint32_t number) {
    const struct link *head = &net->tables[NET_NAMESPACE].objects;

    for (struct link *l = head->next; l != head; l = l->next) {
        const struct space *space =
            space_of(HCS_CONTAINER(l, struct object, link));
        if (space->number == number || space->compartment == number)
            return true;
    }
    return false;
}

static void choose_compartment(struct net *net, struct space *space) {
    if (space->type == PLANE_HOST_DEFAULT) {
        space->compartment = DEFAULT_COMPARTMENT;
        return;
    }
    space->compartment = space->number;
    while (space->compartment == 0) {
        uint32_t next = DEFAULT_COMPARTMENT + 1 + net->next_compartment++;
        if (next > DEFAULT_COMPARTMENT && !number_is_used(net, next))
            space->compartment = next;
    }
}

HRESULT space_bring_up(struct net *net, struct space *space,
                       struct hcs_error *error) {
    struct plane_namespace plane = {.id = space->object.id,
                                    .type = space->type};
    uint32_t before = space->compartment, next = net->next_compartment;
    HRESULT hr;

    if (space->up)
        return S_OK;
    if (space->compartment == 0)
        choose_compartment(net, space);
    plane.compartment = space->compartment;
    hr = net->env.ops->namespace_up(net->env.plane, &plane, error);
    if (FAILED(hr)) {
        space->compartment = before;
        net->next_compartment = next;
        return hr;
    }
    space->up = true;
    if (space->number == 0)
        space->number = space->compartment;
    return S_OK;
}

/* As it was in `before`, when what it was brought up for has failed. */
static void bring_down(struct net *net, struct space *space,
                       const struct space *before, uint32_t next) {
    if (before->up || !space->up)
        return;
    net->env.ops->namespace_down(net->env.plane, &space->object.id);
    space->up = false;
    space->compartment = before->compartment;
    space->number = before->number;
    net->next_compartment = next;
}

/* --- making and taking away ---------------------------------------- */

static HRESULT space_read(const struct doc *doc, struct space *space,
                          bool *compartment, struct hcs_error *error) {
    const char *owner = NULL;
    unsigned type = PLANE_HOST;
    HRESULT hr = doc_enum(doc, "Type", types, E_INVALIDARG, &type, error);

    space->type = (enum plane_namespace_type)type;
    if (SUCCEEDED(hr))
        hr = doc_u32(doc, "NamespaceId", &space->number, error);
    if (SUCCEEDED(hr))
        hr = doc_bool(doc, "CreateWithCompartment", compartment, error);
    if (SUCCEEDED(hr))
        hr = doc_text(doc, "Owner", &owner, error);
    if (SUCCEEDED(hr) && owner && *owner) {
        space->owner = text_copy(owner);
        if (!space->owner)
            hr = out_of_memory(error);
    }
    return hr;
}

static void tell_space(const struct net *net, enum net_event_type type,
                       const struct guid *id) {
    tell(net, type, S_OK, NET_NAMESPACE, id, 0, NULL);
}

static HRESULT space_create(struct net *net, const struct making *making,
                            struct object **out, struct hcs_error *error) {
    struct space *space = space_new(PLANE_HOST);
    bool compartment = false;
    HRESULT hr;

    if (!space)
        return out_of_memory(error);
    space->object.id = making->id;
    hr = space_read(making->doc, space, &compartment, error);
    if (SUCCEEDED(hr) && compartment && space_is_on_host(space))
        hr = space_bring_up(net, space, error);
    if (FAILED(hr)) {
        space_free(space);
        return hr;
    }
    object_put(net, NET_NAMESPACE, &space->object, &making->id);
    *out = &space->object;
    tell_space(net, NET_EVENT_NAMESPACE_CREATE, &making->id);
    return S_OK;
}

static void take_away(struct net *net, struct space *space, bool quietly) {
    while (!link_alone(&space->endpoints)) {
        struct link *last = space->endpoints.previous;
        space_leave(net, HCS_CONTAINER(last, struct endpoint, of_space),
                    quietly);
    }
    if (space->up)
        net->env.ops->namespace_down(net->env.plane, &space->object.id);
    object_take(net, NET_NAMESPACE, &space->object);
    space_free(space);
}

static HRESULT space_remove(struct net *net, struct object *object,
                            struct hcs_error *error) {
    struct guid id = object->id;

    if (space_of(object)->hosts)
        return error_set(error, HCN_E_ENTITY_HAS_REFERENCES, NULL,
                         "the host itself is in this namespace");
    take_away(net, space_of(object), false);
    tell_space(net, NET_EVENT_NAMESPACE_DELETE, &id);
    return S_OK;
}

static void space_drop(struct net *net, struct object *object) {
    take_away(net, space_of(object), true);
}

/* --- endpoints ----------------------------------------------------- */

void space_leave(struct net *net, struct endpoint *endpoint, bool quietly) {
    struct space *space = endpoint->space;

    if (!space)
        return;
    if (space_is_on_host(space))
        endpoint_port_down(net, endpoint, quietly);
    link_remove(&endpoint->of_space);
    endpoint->space = NULL;
    object_changed(net, &space->object);
}

static HRESULT need_endpoint(const struct net *net, const struct doc *settings,
                             struct endpoint **out, struct hcs_error *error) {
    struct guid id = {{0}};
    struct object *object;
    HRESULT hr = doc_guid(settings, "EndpointId", &id, error);

    if (SUCCEEDED(hr) && guid_is_zero(&id))
        hr = doc_fail(settings, HCN_E_INVALID_JSON_REFERENCE, error,
                      "expected an EndpointId");
    if (SUCCEEDED(hr))
        hr = object_need(net, NET_ENDPOINT, &id, &object, error);
    if (SUCCEEDED(hr))
        *out = endpoint_of(object);
    return hr;
}

static HRESULT check_free(const struct space *space,
                          const struct endpoint *endpoint,
                          struct hcs_error *error) {
    char text[GUID_TEXT_SIZE];

    if (endpoint->space) {
        object_id_text(NET_NAMESPACE, &endpoint->space->object.id, text);
        return error_set(error, HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS, NULL,
                         "it is in the namespace %s", text);
    }
    if (endpoint_is_remote(endpoint))
        return error_set(error, HCN_E_ENDPOINT_NOT_LOCAL, NULL,
                         "the endpoint is one of another host");
    if (space_is_on_host(space) && endpoint->state == ENDPOINT_ATTACHED)
        return endpoint_is_taken(endpoint, error);
    return S_OK;
}

static HRESULT take_in(struct net *net, struct space *space,
                       struct endpoint *endpoint, struct hcs_error *error) {
    const struct space before = *space;
    uint32_t next = net->next_compartment;
    HRESULT hr;

    if (!space_is_on_host(space))
        return S_OK;
    hr = space_bring_up(net, space, error);
    if (SUCCEEDED(hr))
        hr = endpoint_port_up(net, endpoint, PLANE_PORT_NAMESPACE,
                              &endpoint->kept_port, &space->object.id, "",
                              error);
    if (FAILED(hr))
        bring_down(net, space, &before, next);
    if (FAILED(hr) && hr != E_OUTOFMEMORY) {
        hr = HCN_E_NAMESPACE_ATTACH_FAILED;
        if (error)
            error->code = hr;
    }
    return hr;
}

HRESULT space_join(struct net *net, struct space *space,
                   struct endpoint *endpoint, struct hcs_error *error) {
    HRESULT hr = take_in(net, space, endpoint, error);

    if (FAILED(hr))
        return hr;
    endpoint->space = space;
    link_append(&space->endpoints, &endpoint->of_space);
    return S_OK;
}

static HRESULT add_endpoint(struct net *net, struct space *space,
                            const struct doc *settings,
                            struct hcs_error *error) {
    struct endpoint *endpoint;
    HRESULT hr = need_endpoint(net, settings, &endpoint, error);

    if (SUCCEEDED(hr))
        hr = check_free(space, endpoint, error);
    if (SUCCEEDED(hr))
        hr = space_join(net, space, endpoint, error);
    return hr;
}

static HRESULT remove_endpoint(struct net *net, struct space *space,
                               const struct doc *settings,
                               struct hcs_error *error) {
    struct endpoint *endpoint;
    HRESULT hr = need_endpoint(net, settings, &endpoint, error);

    if (SUCCEEDED(hr) && endpoint->space != space)
        hr = doc_fail(settings, HR_NOT_FOUND, error,
                      "the endpoint is not in this namespace");
    if (SUCCEEDED(hr))
        space_leave(net, endpoint, false);
    return hr;
}

/* --- containers ---------------------------------------------------- */

static struct container *find_container(struct space *space, const char *id) {
    for (size_t i = 0; i < space->container_count; i++)
        if (doc_same_name(space->containers[i].id, id))
            return &space->containers[i];
    return NULL;
}

HRESULT space_add_container(struct space *space, const char *id,
                            struct hcs_error *error) {
    size_t count = space->container_count;
    struct container *grown =
        realloc(space->containers, (count + 1) * sizeof *grown);

    if (!grown)
        return out_of_memory(error);
    space->containers = grown;
    grown[count].id = text_copy(id);
    if (!grown[count].id)
        return out_of_memory(error);
    space->container_count++;
    return S_OK;
}

static HRESULT modify_container(struct space *space, enum change change,
                                const struct doc *settings,
                                struct hcs_error *error) {
    struct container *there;
    const char *id = "";
    HRESULT hr = doc_text(settings, "ContainerId", &id, error);

    if (FAILED(hr))
        return hr;
    if (*id == '\0')
        return doc_fail(settings, HCN_E_INVALID_JSON_REFERENCE, error,
                        "expected a ContainerId");
    there = find_container(space, id);
    if (change == CHANGE_ADD)
        return there ? doc_fail(settings, HR_ALREADY_EXISTS, error,
                                "the container is in the namespace")
                     : space_add_container(space, id, error);
    if (!there)
        return doc_fail(settings, HR_NOT_FOUND, error,
                        "the container is not in this namespace");
    free(there->id);
    memmove(there, there + 1,
            (size_t)(space->containers + space->container_count - there - 1) *
                sizeof *there);
    space->container_count--;
    return S_OK;
}

enum resource { RESOURCE_CONTAINER, RESOURCE_ENDPOINT };

static const struct doc_name resources[] = {
    {"Container", RESOURCE_CONTAINER},
    {"Endpoint", RESOURCE_ENDPOINT},
    {NULL, 0},
};

static HRESULT space_modify(struct net *net, struct object *object,
                            const struct doc *request,
                            struct hcs_error *error) {
    struct space *space = space_of(object);
    struct doc settings;
    unsigned resource;
    enum change change;
    HRESULT hr =
        modify_read(request, resources, &resource, &change, &settings, error);

    if (FAILED(hr))
        return hr;
    if (change != CHANGE_ADD && change != CHANGE_REMOVE)
        return modify_unsupported(request, doc_enum_name(resources, resource),
                                  change, error);
    if (resource == RESOURCE_CONTAINER)
        return modify_container(space, change, &settings, error);
    return change == CHANGE_ADD ? add_endpoint(net, space, &settings, error)
                                : remove_endpoint(net, space, &settings, error);
}

const struct kind kind_namespace = {
    .noun = "namespace",
    .missing = HR_NOT_FOUND,
    .exists = HR_ALREADY_EXISTS,
    .shape = "HostComputeNamespace",
    .v1_shape = "HNSNamespace",
    .modify_shape = "ModifyNamespaceSettingRequest",
    .v1_members = v1_namespace_members,
    .from_v1 = v1_namespace,
    .create = space_create,
    .modify = space_modify,
    .remove = space_remove,
    .drop = space_drop,
    .write = space_write,
    .keep = space_keep,
    .restore = space_restore,
};
