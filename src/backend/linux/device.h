/* SPDX-License-Identifier: MIT
 * Interfaces, addresses and routes of one network namespace. */
#ifndef HCS_LINUX_DEVICE_H
#define HCS_LINUX_DEVICE_H

#include <net/if.h>

#include "../plane.h"
#include "wire.h"

/* All of ours are in this group, so that leftovers can be told. */
#define DEVICE_GROUP 0x4843u
#define DEVICE_MTU 1500u

struct device {
    char name[IFNAMSIZ];
    int index;
};

/* Finds the index of `device->name` in the calling thread's namespace. */
HRESULT device_find(struct device *device, struct hcs_error *error);

/* A bridge that is down; its IP packets go through nftables. */
HRESULT device_bridge(struct wire *wire, struct device *device,
                      const struct mac_address *mac, struct hcs_error *error);

struct device_pair {
    const char *name;      /* of this end */
    const char *peer_name; /* "eth%d": the first that is free there */
    int peer_space;        /* descriptor of the other end's namespace */
    const struct mac_address *peer_mac; /* NULL: any */
    uint32_t mtu;
};
/* Both ends down. */
HRESULT device_veth(struct wire *wire, const struct device_pair *pair,
                    struct device *device, struct hcs_error *error);
/* The index, in its own namespace, of a veth's other end. */
HRESULT device_peer(struct wire *wire, const struct device *device, int *index,
                    struct hcs_error *error);
HRESULT device_name(struct wire *wire, int index, char out[IFNAMSIZ],
                    struct hcs_error *error);

HRESULT device_up(struct wire *wire, int index, struct hcs_error *error);
/* Waits until one that is on carries packets: the kernel takes up to a second
 * over it unless it is asked. At most two seconds. */
#define DEVICE_PAUSE 4000000 /* ns between looks */
#define DEVICE_LOOKS 500
void device_settle(struct wire *wire, int index);
HRESULT device_mtu(struct wire *wire, int index, uint32_t mtu,
                   struct hcs_error *error);
HRESULT device_mac(struct wire *wire, int index, const struct mac_address *mac,
                   struct hcs_error *error);
HRESULT device_master(struct wire *wire, int index, int master,
                      struct hcs_error *error);
/* Down, and out of its bridge. */
HRESULT device_off(struct wire *wire, int index, struct hcs_error *error);
/* One that is down; `device->name` follows. */
HRESULT device_rename(struct wire *wire, struct device *device,
                      const char *name, struct hcs_error *error);
/* Into the network namespace `space`. */
HRESULT device_send(struct wire *wire, int index, int space,
                    struct hcs_error *error);
HRESULT device_group(struct wire *wire, int index, uint32_t group,
                     struct hcs_error *error);
/* Cut off at the kernel's 255 bytes. "" takes it away. */
HRESULT device_alias(struct wire *wire, int index, const char *alias,
                     struct hcs_error *error);
/* A second name, up to 127 bytes. */
HRESULT device_altname(struct wire *wire, int index, const char *name,
                       struct hcs_error *error);
/* Of a bridge's port. */
HRESULT device_port(struct wire *wire, int index, bool isolated, bool hairpin,
                    struct hcs_error *error);
/* One that is gone already is fine. */
void device_delete(struct wire *wire, int index);
/* All of a group at once. */
void device_delete_group(struct wire *wire, uint32_t group);

/* No detection of duplicates; `plain`: without the route to its prefix. */
HRESULT device_address(struct wire *wire, int index,
                       const struct ip_address *address, uint8_t length,
                       bool plain, struct hcs_error *error);
/* Waits until an interface that is on answers for its IPv6 address, which the
 * kernel sees to in its own time; at most two seconds. Nothing for IPv4. */
void device_await(const char *name, const struct ip_address *address);
void device_address_drop(struct wire *wire, int index,
                         const struct ip_address *address, uint8_t length);

struct device_route {
    struct ip_prefix destination;
    struct ip_address gateway; /* IP_NONE: on the link */
    bool onlink;               /* the gateway is, whatever the addresses say */
    uint32_t metric;
    uint32_t table; /* 0: the main one */
};
HRESULT device_add_route(struct wire *wire, int index,
                         const struct device_route *route,
                         struct hcs_error *error);
/* What comes from that address is routed by the table. */
HRESULT device_rule(struct wire *wire, const struct ip_address *from,
                    uint32_t table, bool there, struct hcs_error *error);

/* Writes a value below /proc/sys/net of the calling thread's namespace. */
HRESULT device_setting(struct hcs_error *error, const char *value,
                       const char *format, ...) HCS_PRINTF(3, 4);

#endif
