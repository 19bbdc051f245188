/* SPDX-License-Identifier: MIT
 * Interfaces: making, changing and finding them. */
#include "device.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ALIAS_LENGTH 255u

/* <linux/if.h> has it, but does not go with <net/if.h>. */
enum { IF_OPER_UNKNOWN = 0, IF_OPER_UP = 6 };

static void begin(struct message *m, uint16_t type, uint16_t flags, int index) {
    struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = index};

    message_begin(m, type, flags, &head, sizeof head);
}

HRESULT device_find(struct device *device, struct hcs_error *error) {
    device->index = (int)if_nametoindex(device->name);
    if (device->index == 0)
        return error_errno(error, errno, "the interface %s", device->name);
    return S_OK;
}

HRESULT device_bridge(struct wire *wire, struct device *device,
                      const struct mac_address *mac, struct hcs_error *error) {
    struct message m;
    size_t info, data;
    HRESULT hr;

    begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
    message_text(&m, IFLA_IFNAME, device->name);
    message_put(&m, IFLA_ADDRESS, mac->bytes, sizeof mac->bytes);
    message_u32(&m, IFLA_GROUP, DEVICE_GROUP);
    info = message_open(&m, IFLA_LINKINFO);
    message_text(&m, IFLA_INFO_KIND, "bridge");
    data = message_open(&m, IFLA_INFO_DATA);
    message_u32(&m, IFLA_BR_FORWARD_DELAY, 0);
    message_u32(&m, IFLA_BR_STP_STATE, 0);
    message_u8(&m, IFLA_BR_MCAST_SNOOPING, 0);
    message_u8(&m, IFLA_BR_NF_CALL_IPTABLES, 1);
    message_u8(&m, IFLA_BR_NF_CALL_IP6TABLES, 1);
    message_close(&m, data);
    message_close(&m, info);
    hr = wire_do(wire, &m, error, "the bridge %s", device->name);
    return SUCCEEDED(hr) ? device_find(device, error) : hr;
}

static void put_peer(struct message *m, const struct device_pair *pair) {
    struct ifinfomsg head = {0};
    size_t peer = message_open(m, VETH_INFO_PEER);

    message_raw(m, &head, sizeof head);
    message_text(m, IFLA_IFNAME, pair->peer_name);
    message_u32(m, IFLA_MTU, pair->mtu);
    message_u32(m, IFLA_GROUP, DEVICE_GROUP);
    message_put(m, IFLA_NET_NS_FD, &pair->peer_space, sizeof(uint32_t));
    if (pair->peer_mac)
        message_put(m, IFLA_ADDRESS, pair->peer_mac->bytes,
                    sizeof pair->peer_mac->bytes);
    message_close(m, peer);
}

HRESULT device_veth(struct wire *wire, const struct device_pair *pair,
                    struct device *device, struct hcs_error *error) {
    struct message m;
    size_t info, data;
    HRESULT hr;

    snprintf(device->name, sizeof device->name, "%s", pair->name);
    begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
    message_text(&m, IFLA_IFNAME, device->name);
    message_u32(&m, IFLA_MTU, pair->mtu);
    message_u32(&m, IFLA_GROUP, DEVICE_GROUP);
    info = message_open(&m, IFLA_LINKINFO);
    message_text(&m, IFLA_INFO_KIND, "veth");
    data = message_open(&m, IFLA_INFO_DATA);
    put_peer(&m, pair);
    message_close(&m, data);
    message_close(&m, info);
    hr = wire_do(wire, &m, error, "the interfaces %s and %s", device->name,
                 pair->peer_name);
    return SUCCEEDED(hr) ? device_find(device, error) : hr;
}

/* An attribute of an interface, copied into `out` of `size` bytes at most. */
static HRESULT get(struct wire *wire, int index, uint16_t attribute, void *out,
                   size_t size, struct hcs_error *error) {
    const size_t skip = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifinfomsg));
    struct message m, answer;
    const void *found = NULL;
    size_t length = 0;
    int number;

    begin(&m, RTM_GETLINK, 0, index);
    number = wire_ask(wire, &m, &answer);
    if (number == 0 && answer.length > skip)
        found = attribute_find(answer.data + skip, answer.length - skip,
                               attribute, &length);
    if (!found)
        return wire_fail(wire, number ? number : ENODATA, error,
                         "the interface number %d", index);
    memset(out, 0, size);
    memcpy(out, found, length < size ? length : size);
    return S_OK;
}

HRESULT device_peer(struct wire *wire, const struct device *device, int *index,
                    struct hcs_error *error) {
    return get(wire, device->index, IFLA_LINK, index, sizeof *index, error);
}

HRESULT device_name(struct wire *wire, int index, char out[IFNAMSIZ],
                    struct hcs_error *error) {
    HRESULT hr = get(wire, index, IFLA_IFNAME, out, IFNAMSIZ, error);

    out[IFNAMSIZ - 1] = '\0';
    return hr;
}

HRESULT device_up(struct wire *wire, int index, struct hcs_error *error) {
    struct ifinfomsg head = {
        .ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    struct message m;

    message_begin(&m, RTM_NEWLINK, 0, &head, sizeof head);
    return wire_do(wire, &m, error, "interface number %d on", index);
}

void device_settle(struct wire *wire, int index) {
    const struct timespec pause = {0, DEVICE_PAUSE};

    for (int i = 0; i < DEVICE_LOOKS; i++) {
        uint8_t state = IF_OPER_UP;

        /* Looking is what makes newer kernels bring it up to date. */
        if (FAILED(get(wire, index, IFLA_OPERSTATE, &state, 1, NULL)) ||
            state == IF_OPER_UP || state == IF_OPER_UNKNOWN)
            return;
        nanosleep(&pause, NULL);
    }
}

static HRESULT set_u32(struct wire *wire, int index, uint16_t attribute,
                       uint32_t value, const char *what,
                       struct hcs_error *error) {
    struct message m;

    begin(&m, RTM_NEWLINK, 0, index);
    message_u32(&m, attribute, value);
    return wire_do(wire, &m, error, "the %s of interface number %d to %u", what,
                   index, value);
}

HRESULT device_mtu(struct wire *wire, int index, uint32_t mtu,
                   struct hcs_error *error) {
    return set_u32(wire, index, IFLA_MTU, mtu, "MTU", error);
}

HRESULT device_master(struct wire *wire, int index, int master,
                      struct hcs_error *error) {
    return set_u32(wire, index, IFLA_MASTER, (uint32_t)master, "bridge", error);
}

HRESULT device_group(struct wire *wire, int index, uint32_t group,
                     struct hcs_error *error) {
    return set_u32(wire, index, IFLA_GROUP, group, "group", error);
}

HRESULT device_off(struct wire *wire, int index, struct hcs_error *error) {
    struct ifinfomsg head = {.ifi_index = index, .ifi_change = IFF_UP};
    struct message m;

    message_begin(&m, RTM_NEWLINK, 0, &head, sizeof head);
    message_u32(&m, IFLA_MASTER, 0);
    return wire_do(wire, &m, error, "interface number %d off", index);
}

HRESULT device_rename(struct wire *wire, struct device *device,
                      const char *name, struct hcs_error *error) {
    struct message m;
    HRESULT hr;

    begin(&m, RTM_NEWLINK, 0, device->index);
    message_text(&m, IFLA_IFNAME, name);
    hr = wire_do(wire, &m, error, "the interface %s as %s", device->name, name);
    if (SUCCEEDED(hr))
        snprintf(device->name, sizeof device->name, "%s", name);
    return hr;
}

HRESULT device_send(struct wire *wire, int index, int space,
                    struct hcs_error *error) {
    return set_u32(wire, index, IFLA_NET_NS_FD, (uint32_t)space, "namespace",
                   error);
}

HRESULT device_mac(struct wire *wire, int index, const struct mac_address *mac,
                   struct hcs_error *error) {
    struct message m;

    begin(&m, RTM_NEWLINK, 0, index);
    message_put(&m, IFLA_ADDRESS, mac->bytes, sizeof mac->bytes);
    return wire_do(wire, &m, error, "the MAC address of interface number %d",
                   index);
}

HRESULT device_alias(struct wire *wire, int index, const char *alias,
                     struct hcs_error *error) {
    size_t length = strlen(alias);
    struct message m;

    if (length > ALIAS_LENGTH) {
        length = ALIAS_LENGTH;
        while (length > 0 && ((unsigned char)alias[length] & 0xC0) == 0x80)
            length--; /* no character is cut in two */
    }
    begin(&m, RTM_NEWLINK, 0, index);
    message_put(&m, IFLA_IFALIAS, alias, length);
    return wire_do(wire, &m, error, "the name of interface number %d", index);
}

HRESULT device_altname(struct wire *wire, int index, const char *name,
                       struct hcs_error *error) {
    struct message m;
    size_t list;

    begin(&m, RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND, index);
    list = message_open(&m, IFLA_PROP_LIST | NLA_F_NESTED);
    message_text(&m, IFLA_ALT_IFNAME, name);
    message_close(&m, list);
    return wire_do(wire, &m, error, "the name %s", name);
}

HRESULT device_port(struct wire *wire, int index, bool isolated, bool hairpin,
                    struct hcs_error *error) {
    struct ifinfomsg head = {.ifi_family = AF_BRIDGE, .ifi_index = index};
    struct message m;
    size_t info;

    message_begin(&m, RTM_SETLINK, 0, &head, sizeof head);
    info = message_open(&m, IFLA_PROTINFO | NLA_F_NESTED);
    message_u8(&m, IFLA_BRPORT_ISOLATED, isolated);
    message_u8(&m, IFLA_BRPORT_MODE, hairpin);
    message_close(&m, info);
    return wire_do(wire, &m, error, "the bridge's port number %d", index);
}

void device_delete(struct wire *wire, int index) {
    struct message m;

    if (index <= 0)
        return;
    begin(&m, RTM_DELLINK, 0, index);
    (void)wire_ask(wire, &m, NULL);
}

void device_delete_group(struct wire *wire, uint32_t group) {
    struct message m;

    begin(&m, RTM_DELLINK, 0, 0);
    message_u32(&m, IFLA_GROUP, group);
    (void)wire_ask(wire, &m, NULL);
}
