/* SPDX-License-Identifier: MIT
 * What a namespace's properties do not tell of it, and who is in it. */
#include "space.h"

static void keep_members(const struct space *space, struct json_writer *w) {
    char id[GUID_TEXT_SIZE];

    json_key(w, "Endpoints");
    json_begin_array(w);
    for (struct link *l = space->endpoints.next; l != &space->endpoints;
         l = l->next) {
        guid_format(&HCS_CONTAINER(l, struct endpoint, of_space)->object.id,
                    id);
        json_put_string(w, id);
    }
    json_end_array(w);
    json_key(w, "Containers");
    json_begin_array(w);
    for (size_t i = 0; i < space->container_count; i++)
        json_put_string(w, space->containers[i].id);
    json_end_array(w);
}

void space_keep(const struct object *object, bool held, struct json_writer *w) {
    const struct space *space =
        HCS_CONTAINER(object, const struct space, object);

    (void)held;
    json_pair_uint(w, "Number", space->number);
    json_pair_uint(w, "Compartment", space->compartment);
    json_pair_bool(w, "Up", space->up);
    keep_members(space, w);
}

static HRESULT restore_endpoints(struct net *net, struct space *space,
                                 const struct json *list,
                                 struct hcs_error *error) {
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < list->as.array.count; i++) {
        const char *text = json_text(&list->as.array.items[i], "");
        struct object *object;
        struct guid id;

        if (!guid_parse(text, &id))
            return saved_bad(error, "an id in Endpoints");
        object = object_find(net, NET_ENDPOINT, &id);
        if (object && !endpoint_of(object)->space)
            hr = space_join(net, space, endpoint_of(object), error);
    }
    return hr;
}

static HRESULT restore_containers(struct space *space, const struct json *list,
                                  struct hcs_error *error) {
    HRESULT hr = S_OK;

    for (size_t i = 0; SUCCEEDED(hr) && i < list->as.array.count; i++) {
        const char *id = json_text(&list->as.array.items[i], "");

        hr = *id ? space_add_container(space, id, error)
                 : saved_bad(error, "an id in Containers");
    }
    return hr;
}

static HRESULT get_list(const struct json *kept, const char *name,
                        const struct json **out, struct hcs_error *error) {
    *out = json_get(kept, name);
    return *out && (*out)->type == JSON_ARRAY ? S_OK : saved_bad(error, name);
}

HRESULT space_restore(struct net *net, struct object *object,
                      const struct json *kept, struct hcs_error *error) {
    struct space *space = space_of(object);
    const struct json *endpoints, *containers;
    uint64_t number, compartment;
    HRESULT hr = saved_number(kept, "Number", UINT32_MAX, &number, error);

    if (SUCCEEDED(hr))
        hr = saved_number(kept, "Compartment", UINT32_MAX, &compartment, error);
    if (SUCCEEDED(hr))
        hr = get_list(kept, "Endpoints", &endpoints, error);
    if (SUCCEEDED(hr))
        hr = get_list(kept, "Containers", &containers, error);
    if (FAILED(hr))
        return hr;
    space->number = (uint32_t)number;
    space->compartment = (uint32_t)compartment;
    if (json_is_true(json_get(kept, "Up")) && space_is_on_host(space))
        hr = space_bring_up(net, space, error);
    if (SUCCEEDED(hr))
        hr = restore_containers(space, containers, error);
    return SUCCEEDED(hr) ? restore_endpoints(net, space, endpoints, error) : hr;
}
