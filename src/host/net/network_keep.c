/* SPDX-License-Identifier: MIT
 * What a network's properties do not tell of it. */
#include "network.h"

void network_keep(const struct object *object, bool held,
                  struct json_writer *w) {
    const struct network *network =
        HCS_CONTAINER(object, const struct network, object);

    (void)held;
    put_guid(w, "Layer", &network->layer);
    put_guid(w, "Switch", &network->switch_id);
    json_pair_int(w, "Updated", network->updated);
    json_pair_uint(w, "EndpointsEver", network->endpoints_ever);
    json_key(w, "Extensions");
    json_begin_array(w);
    for (size_t i = 0; i < EXTENSION_COUNT; i++)
        json_put_bool(w, network->extensions[i]);
    json_end_array(w);
}

static HRESULT restore_extensions(struct network *network,
                                  const struct json *kept,
                                  struct hcs_error *error) {
    const struct json *list = json_get(kept, "Extensions");

    if (!list || list->type != JSON_ARRAY ||
        list->as.array.count != EXTENSION_COUNT)
        return saved_bad(error, "Extensions");
    for (size_t i = 0; i < EXTENSION_COUNT; i++)
        network->extensions[i] = json_is_true(&list->as.array.items[i]);
    return S_OK;
}

HRESULT network_restore(struct net *net, struct object *object,
                        const struct json *kept, struct hcs_error *error) {
    struct network *network = network_of(object);
    uint64_t ever;
    HRESULT hr = saved_guid(kept, "Layer", &network->layer, error);

    (void)net;
    if (SUCCEEDED(hr))
        hr = saved_guid(kept, "Switch", &network->switch_id, error);
    if (SUCCEEDED(hr) &&
        !json_to_int64(json_get(kept, "Updated"), &network->updated))
        hr = saved_bad(error, "Updated");
    if (SUCCEEDED(hr))
        hr = saved_number(kept, "EndpointsEver", SIZE_MAX, &ever, error);
    if (SUCCEEDED(hr))
        network->endpoints_ever = (size_t)ever;
    return SUCCEEDED(hr) ? restore_extensions(network, kept, error) : hr;
}
