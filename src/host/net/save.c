/* SPDX-License-Identifier: MIT
 * What outlasts a process: an object's properties as a client sees them, and
 * beside them what they do not tell. Made again from both it is what it was. */
#include <string.h>

#include "space.h"

/* --- saving -------------------------------------------------------- */

static bool lasts(enum net_kind kind, struct object *object) {
    const struct network *network;
    const struct space *space;

    if (kind == NET_NAMESPACE) {
        space = space_of(object);
        return !space->hosts || !link_alone(&space->endpoints) ||
               space->container_count > 0;
    }
    network =
        kind == NET_NETWORK ? network_of(object) : endpoint_of(object)->network;
    return !(network->flags & NETWORK_NON_PERSISTENT);
}

HRESULT net_save(const struct net *net, enum net_kind kind,
                 const struct guid *id, unsigned flags, struct buf *out,
                 struct hcs_error *error) {
    const struct view v2 = {.v1 = false};
    struct json_writer w = {.out = out};
    struct object *object;
    HRESULT hr = object_need(net, kind, id, &object, error);

    if (FAILED(hr))
        return hr;
    if (!lasts(kind, object) && !(flags & NET_SAVE_TRANSIENT))
        return S_FALSE;
    json_begin_object(&w);
    json_pair_uint(&w, "Order", object->order);
    json_key(&w, "Properties");
    kind_of(kind)->write(net, object, &v2, &w);
    json_key(&w, "Kept");
    json_begin_object(&w);
    kind_of(kind)->keep(object, (flags & NET_SAVE_HELD) != 0, &w);
    json_end_object(&w);
    json_end_object(&w);
    return out->failed ? out_of_memory(error) : S_OK;
}

bool net_next_changed(struct net *net, enum net_kind *kind, struct guid *id) {
    struct object *object;

    if (link_alone(&net->changed))
        return false;
    object = HCS_CONTAINER(net->changed.next, struct object, changed);
    link_remove(&object->changed);
    *kind = object->kind;
    *id = object->id;
    return true;
}

void net_touch(struct net *net, enum net_kind kind, const struct guid *id) {
    struct object *object = object_find(net, kind, id);

    if (object)
        object_changed(net, object);
}

/* --- reading ------------------------------------------------------- */

HRESULT saved_bad(struct hcs_error *error, const char *what) {
    return error_set(error, HR_INVALID_DATA, NULL,
                     "this is nothing that was saved: it lacks %s", what);
}

HRESULT saved_guid(const struct json *kept, const char *name, struct guid *out,
                   struct hcs_error *error) {
    const struct json *member = json_get(kept, name);

    *out = (struct guid){{0}};
    if (!member || guid_parse(json_text(member, ""), out))
        return S_OK;
    return saved_bad(error, name);
}

HRESULT saved_number(const struct json *kept, const char *name, uint64_t most,
                     uint64_t *out, struct hcs_error *error) {
    if (json_to_uint64(json_get(kept, name), out) && *out <= most)
        return S_OK;
    return saved_bad(error, name);
}

uint64_t net_saved_order(const struct json *saved) {
    uint64_t order = 0;

    if (!json_to_uint64(json_get(saved, "Order"), &order))
        order = 0;
    return order;
}

/* --- restoring ----------------------------------------------------- */

static HRESULT make(struct net *net, enum net_kind kind,
                    const struct json *properties, struct object **out,
                    struct hcs_error *error) {
    struct doc root = doc_root(properties);
    struct making making = {.doc = &root};
    HRESULT hr = saved_guid(properties, "ID", &making.id, error);

    if (SUCCEEDED(hr) && guid_is_zero(&making.id))
        hr = saved_bad(error, "ID");
    if (SUCCEEDED(hr))
        hr = shape_check(properties, kind_of(kind)->shape, error);
    if (FAILED(hr))
        return hr;
    *out = object_find(net, kind, &making.id);
    if (!*out)
        return kind_of(kind)->create(net, &making, out, error);
    if (kind == NET_NAMESPACE && space_of(*out)->hosts)
        return S_OK;
    return error_set(error, kind_of(kind)->exists, NULL, "it is there already");
}

static HRESULT restore(struct net *net, enum net_kind kind,
                       const struct json *saved, struct hcs_error *error) {
    const struct json *properties = json_get(saved, "Properties");
    const struct json *kept = json_get(saved, "Kept");
    uint64_t order = net_saved_order(saved);
    struct object *object = NULL;
    size_t before = net_count(net, kind);
    HRESULT hr;

    if (!properties || properties->type != JSON_OBJECT)
        return saved_bad(error, "Properties");
    if (!kept || kept->type != JSON_OBJECT)
        return saved_bad(error, "Kept");
    hr = make(net, kind, properties, &object, error);
    if (FAILED(hr))
        return hr;
    hr = kind_of(kind)->restore(net, object, kept, error);
    if (FAILED(hr) && net_count(net, kind) > before)
        kind_of(kind)->drop(net, object);
    if (FAILED(hr))
        return hr;
    object->order = order;
    if (net->next_order <= order)
        net->next_order = order + 1;
    return hr;
}

HRESULT net_restore(struct net *net, enum net_kind kind,
                    const struct json *saved, struct hcs_error *error) {
    HRESULT hr;

    net->restoring = true;
    hr = restore(net, kind, saved, error);
    net->restoring = false;
    return hr;
}

/* --- what does not last -------------------------------------------- */

void net_drop_transient(struct net *net) {
    struct link *head = &net->tables[NET_NETWORK].objects;
    struct link *next;

    net->restoring = true; /* so that nobody is told */
    for (struct link *l = head->next; l != head; l = next) {
        struct object *object = HCS_CONTAINER(l, struct object, link);

        next = l->next;
        if (!lasts(NET_NETWORK, object))
            kind_network.drop(net, object);
    }
    net->restoring = false;
}

bool net_machine_port(const struct net *net, const struct guid *endpoint,
                      struct guid *port) {
    struct object *object = object_find(net, NET_ENDPOINT, endpoint);
    const struct endpoint *there = object ? endpoint_of(object) : NULL;

    if (!there || there->state != ENDPOINT_ATTACHED ||
        there->port_kind != PLANE_PORT_MACHINE)
        return false;
    *port = there->port;
    return true;
}
