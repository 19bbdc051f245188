/* SPDX-License-Identifier: MIT
 * The properties of a network, in both forms. What has its default is left out
 * of the newer one. */
#include <stdio.h>

#include "network.h"

/* The extensions of a switch; only the last is on when it is made. */
const char *const extension_ids[EXTENSION_COUNT] = {
    "E7C3B2F0-F3C5-48DF-AF2B-10FED6D72E7A",
    "F74F241B-440F-4433-BB28-00F89EAD20D8",
    "EA24CD6C-D17A-4348-9190-09F0D5BE83DD",
};
const char *const extension_names[EXTENSION_COUNT] = {
    "Microsoft Windows Filtering Platform",
    "Microsoft Azure VFP Switch Filter Extension",
    "Microsoft NDIS Capture",
};

static void write_ranges(const struct network *network, struct json_writer *w) {
    char text[MAC_TEXT_SIZE];
    struct mac_address mac;

    json_begin_array(w);
    for (size_t i = 0; i < network->range_count; i++) {
        json_begin_object(w);
        mac_from_number(network->ranges[i].first, &mac);
        mac_format(&mac, text);
        json_pair_string(w, "StartMacAddress", text);
        mac_from_number(network->ranges[i].last, &mac);
        mac_format(&mac, text);
        json_pair_string(w, "EndMacAddress", text);
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_health(const struct network *network, const struct view *view,
                         struct json_writer *w) {
    json_key(w, "Health");
    json_begin_object(w);
    json_key(w, "Extra");
    json_begin_object(w);
    if (view->detailed) {
        json_key(w, "Resources");
        json_begin_object(w);
        json_pair_uint(w, "Endpoints", network->endpoint_count);
        json_pair_uint(w, "MacAddresses", network->macs.count);
        json_pair_uint(w, "Addresses", network->addresses.count);
        json_end_object(w);
    }
    if (mode_is_external(network->mode))
        put_guid(w, "LayeredOn", &network->layer);
    put_guid(w, "SwitchGuid", &network->switch_id);
    json_end_object(w);
    json_end_object(w);
}

static void write_v2(const struct net *net, const struct network *network,
                     const struct view *view, struct json_writer *w) {
    put_id(w, "ID", NET_NETWORK, &network->object.id);
    if (*network->owner)
        json_pair_string(w, "Owner", network->owner);
    json_pair_string(w, "Name", network->name);
    if (network->mode != PLANE_NAT)
        json_pair_string(w, "Type", mode_name(network->mode));
    json_key(w, "Policies");
    policies_write(network->policies, false, w);
    json_key(w, "MacPool");
    json_begin_object(w);
    json_key(w, "Ranges");
    write_ranges(network, w);
    json_end_object(w);
    if (!dns_is_empty(network->dns)) {
        json_key(w, "Dns");
        dns_write(network->dns, w);
    }
    json_key(w, "Ipams");
    subnets_write(network->subnets, w);
    if (network->flags)
        json_pair_uint(w, "Flags", network->flags);
    write_health(network, view, w);
    json_pair_int(w, "State", 1);
    json_pair_uint(w, "Version", service_version(net->env.build));
    put_schema_version(w);
}

/* --- the older form ------------------------------------------------ */

static void write_extensions(const struct network *network,
                             struct json_writer *w) {
    json_key(w, "Extensions");
    json_begin_array(w);
    for (size_t i = 0; i < EXTENSION_COUNT; i++) {
        json_begin_object(w);
        json_pair_string(w, "Id", extension_ids[i]);
        json_pair_bool(w, "IsEnabled", network->extensions[i]);
        json_pair_string(w, "Name", extension_names[i]);
        json_end_object(w);
    }
    json_end_array(w);
}

/* A time of Windows: 100 ns since 1601. */
static int64_t file_time(int64_t ns) {
    return ns / 100 + INT64_C(116444736000000000);
}

static void write_v1_policies(const struct network *network,
                              struct json_writer *w) {
    struct buf text = {0};
    struct json_writer list = {.out = &text};

    json_key(w, "Policies");
    if (network->mode != PLANE_NAT) {
        policies_write(network->policies, true, w);
        return;
    }
    policies_write(network->policies, true, &list);
    json_begin_array(w);
    json_begin_object(w);
    json_pair_string(w, "Type", "VLAN");
    json_pair_int(w, "VLAN", 1);
    json_end_object(w);
    if (text.length > 2) /* what is between the brackets */
        json_put_raw(w, text.data + 1, text.length - 2);
    json_end_array(w);
    if (text.failed)
        w->out->failed = true;
    buf_free(&text);
}

static void write_v1_type(const struct network *network,
                          struct json_writer *w) {
    char text[GUID_TEXT_SIZE], name[GUID_TEXT_SIZE + 3];

    json_pair_string(w, "Type", mode_name(network->mode));
    if (network->mode == PLANE_NAT) {
        object_id_text(NET_NETWORK, &network->object.id, text);
        snprintf(name, sizeof name, "NAT%s", text);
        json_pair_string(w, "NatName", name);
    }
    if (mode_is_external(network->mode)) {
        json_pair_string(w, "NetworkAdapterName", network->adapter);
        put_guid(w, "LayeredOn", &network->layer);
    }
    json_pair_bool(w, "IsolateSwitch",
                   (network->flags & PLANE_NETWORK_ISOLATE) != 0);
}

static bool has_v6(const struct network *network) {
    for (size_t i = 0; i < network->subnets->count; i++)
        if (network->subnets->items[i].plane.prefix.address.family == IP_V6)
            return true;
    return false;
}

static void write_v1(const struct net *net, const struct network *network,
                     struct json_writer *w) {
    put_id(w, "ID", NET_NETWORK, &network->object.id);
    if (*network->owner)
        json_pair_string(w, "Owner", network->owner);
    json_pair_string(w, "Name", network->name);
    write_v1_type(network, w);
    json_key(w, "MacPools");
    write_ranges(network, w);
    json_key(w, "Subnets");
    subnets_write_v1(network->subnets, w);
    dns_write_v1(network->dns, w);
    write_v1_policies(network, w);
    write_extensions(network, w);
    json_pair_bool(w, "IPv6", has_v6(network));
    json_pair_uint(w, "Flags", network->flags);
    json_pair_int(w, "State", 1);
    json_pair_uint(w, "CurrentEndpointCount", network->endpoint_count);
    json_pair_int(w, "MaxConcurrentEndpoints", 0);
    json_pair_uint(w, "TotalEndpoints", network->endpoints_ever);
    put_guid(w, "SwitchGuid", &network->switch_id);
    json_key(w, "Health");
    json_begin_object(w);
    json_pair_int(w, "LastErrorCode", 0);
    json_pair_int(w, "LastUpdateTime", file_time(network->updated));
    json_end_object(w);
    json_pair_uint(w, "Version", service_version(net->env.build));
}

void network_write(const struct net *net, const struct object *object,
                   const struct view *view, struct json_writer *w) {
    const struct network *network =
        HCS_CONTAINER(object, const struct network, object);

    json_begin_object(w);
    if (view->v1)
        write_v1(net, network, w);
    else
        write_v2(net, network, view, w);
    json_end_object(w);
}
