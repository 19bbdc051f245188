/* SPDX-License-Identifier: MIT
 * The properties of a namespace, in both forms. */
#include "space.h"

static void write_resource(const char *type, const char *id,
                           struct json_writer *w) {
    json_begin_object(w);
    json_pair_string(w, "Type", type);
    json_key(w, "Data");
    json_begin_object(w);
    json_pair_string(w, "Id", id);
    json_end_object(w);
    json_end_object(w);
}

static void write_resources(const struct space *space, struct json_writer *w) {
    char id[GUID_TEXT_SIZE];

    json_begin_array(w);
    for (struct link *l = space->endpoints.next; l != &space->endpoints;
         l = l->next) {
        object_id_text(NET_ENDPOINT,
                       &HCS_CONTAINER(l, struct endpoint, of_space)->object.id,
                       id);
        write_resource("Endpoint", id, w);
    }
    for (size_t i = 0; i < space->container_count; i++)
        write_resource("Container", space->containers[i].id, w);
    json_end_array(w);
}

static const char *const names[] = {
    [PLANE_HOST] = "Host",
    [PLANE_HOST_DEFAULT] = "HostDefault",
    [PLANE_GUEST] = "Guest",
    [PLANE_GUEST_DEFAULT] = "GuestDefault",
};

static void write_v2(const struct net *net, const struct space *space,
                     struct json_writer *w) {
    put_id(w, "ID", NET_NAMESPACE, &space->object.id);
    if (space->owner)
        json_pair_string(w, "Owner", space->owner);
    if (space->number)
        json_pair_uint(w, "NamespaceId", space->number);
    put_id(w, "NamespaceGuid", NET_NAMESPACE, &space->object.id);
    if (space->type != PLANE_HOST)
        json_pair_string(w, "Type", names[space->type]);
    json_key(w, "Resources");
    write_resources(space, w);
    json_pair_int(w, "State", 1);
    json_pair_uint(w, "Version", service_version(net->env.build));
    put_schema_version(w);
}

static void write_v1(const struct net *net, const struct space *space,
                     struct json_writer *w) {
    put_id(w, "ID", NET_NAMESPACE, &space->object.id);
    if (space->owner)
        json_pair_string(w, "Owner", space->owner);
    json_pair_bool(w, "IsDefault", space->hosts);
    json_pair_uint(w, "CompartmentId", space->number);
    put_id(w, "CompartmentGuid", NET_NAMESPACE, &space->object.id);
    json_key(w, "Containers");
    json_begin_array(w);
    for (size_t i = 0; i < space->container_count; i++)
        json_put_string(w, space->containers[i].id);
    json_end_array(w);
    json_key(w, "ResourceList");
    write_resources(space, w);
    json_pair_int(w, "State", 1);
    json_pair_uint(w, "Version", service_version(net->env.build));
}

void space_write(const struct net *net, const struct object *object,
                 const struct view *view, struct json_writer *w) {
    const struct space *space =
        HCS_CONTAINER(object, const struct space, object);

    json_begin_object(w);
    if (view->v1)
        write_v1(net, space, w);
    else
        write_v2(net, space, w);
    json_end_object(w);
}
