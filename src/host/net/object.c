/* SPDX-License-Identifier: MIT
 * What all objects have in common: an id, a table, a version. */
#include <stdio.h>
#include <string.h>

#include "core.h"

static const struct kind *const kinds[] = {
    [NET_NETWORK] = &kind_network,
    [NET_ENDPOINT] = &kind_endpoint,
    [NET_NAMESPACE] = &kind_namespace,
};

const struct kind *kind_of(enum net_kind kind) {
    return kinds[kind];
}

void object_put(struct net *net, enum net_kind kind, struct object *object,
                const struct guid *id) {
    struct table *table = &net->tables[kind];

    object->id = *id;
    object->kind = kind;
    object->order = net->next_order++;
    link_init(&object->link);
    link_init(&object->changed);
    link_append(&table->objects, &object->link);
    index_put(&table->by_id, &object->by_id, &object->id, sizeof object->id,
              object);
    object_changed(net, object);
}

void object_take(struct net *net, enum net_kind kind, struct object *object) {
    link_remove(&object->link);
    link_remove(&object->changed);
    index_take(&net->tables[kind].by_id, &object->by_id);
    if (net->env.gone && !net->closing && !net->restoring)
        net->env.gone(net->env.context, kind, &object->id);
}

void object_changed(struct net *net, struct object *object) {
    if (!net->restoring && link_alone(&object->changed))
        link_append(&net->changed, &object->changed);
}

struct object *object_find(const struct net *net, enum net_kind kind,
                           const struct guid *id) {
    return index_owner(&net->tables[kind].by_id, id, sizeof *id);
}

HRESULT object_need(const struct net *net, enum net_kind kind,
                    const struct guid *id, struct object **out,
                    struct hcs_error *error) {
    char text[GUID_TEXT_SIZE];

    *out = object_find(net, kind, id);
    if (*out)
        return S_OK;
    object_id_text(kind, id, text);
    return error_set(error, kind_of(kind)->missing, NULL, "id %s", text);
}

void object_new_id(struct net *net, struct guid *out) {
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof bytes; i += sizeof(uint64_t)) {
        uint64_t value = net->env.random(net->env.context);
        memcpy(bytes + i, &value, sizeof value);
    }
    guid_from_bytes(bytes, out);
}

void object_id_text(enum net_kind kind, const struct guid *id,
                    char out[GUID_TEXT_SIZE]) {
    guid_format(id, out);
    if (!kind_of(kind)->upper)
        return;
    for (char *c = out; *c; c++)
        if (*c >= 'a' && *c <= 'f')
            *c = (char)(*c - 'a' + 'A');
}

void put_id(struct json_writer *w, const char *name, enum net_kind kind,
            const struct guid *id) {
    char text[GUID_TEXT_SIZE];
    object_id_text(kind, id, text);
    json_pair_string(w, name, text);
}

void put_guid(struct json_writer *w, const char *name, const struct guid *id) {
    char text[GUID_TEXT_SIZE];
    guid_format(id, text);
    json_pair_string(w, name, text);
}

void put_schema_version(struct json_writer *w) {
    json_key(w, "SchemaVersion");
    json_begin_object(w);
    json_pair_int(w, "Major", 2);
    json_pair_int(w, "Minor", 0);
    json_end_object(w);
}

/* Those of 18362, 19041 and 22000 are taken to be, the others were seen. */
static const struct {
    int build;
    uint32_t major, minor;
} versions[] = {
    {26100, 15, 4}, {22621, 15, 0}, {22000, 14, 0}, {20348, 13, 3},
    {19041, 11, 0}, {18362, 10, 3}, {17763, 9, 2},
};

uint64_t service_version(int build) {
    size_t last = HCS_COUNT(versions) - 1;
    size_t i = 0;
    while (i < last && build < versions[i].build)
        i++;
    return (uint64_t)versions[i].major << 32 | versions[i].minor;
}

HRESULT out_of_memory(struct hcs_error *error) {
    return error_set(error, E_OUTOFMEMORY, NULL,
                     "there is not enough memory for it");
}
