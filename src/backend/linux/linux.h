/* SPDX-License-Identifier: MIT
 * The plane that carries packets with the Linux kernel: bridges, veth pairs,
 * taps and nftables in a network namespace of its own. That namespace plays
 * the host; the machine's own is left alone unless its owner allows an uplink.
 *
 * Linked by the daemon alone (libnftables is GPL-2). The process that opens it
 * lives as long as its networks: the kernel takes them away with it. */
#ifndef HCS_LINUX_H
#define HCS_LINUX_H

#include "../plane.h"

struct linux_plane_options {
    /* An existing directory that only this user may write to, for the files
     * of DHCP and DNS; NULL: there are no such services. Not longer than 200
     * bytes. */
    const char *directory;
    const char *dnsmasq; /* path of the program; NULL: where it usually is */
    /* The owner of the machine allows a pair of interfaces between the plane
     * and the machine's own network, with an nftables table that translates
     * what comes out of it. IP_NONE: no uplink. Else the first address of a
     * free IPv4 prefix of length 30. */
    struct ip_address uplink;
};

/* For a process without rights on networks, before it has any thread: puts it
 * in a user namespace in which it has them, its user and group the same as
 * before. Nothing happens to a process that has them. E_ACCESSDENIED where the
 * system does not allow that. */
HRESULT linux_plane_enter(struct hcs_error *error);

/* E_ACCESSDENIED without rights on networks; HR_NOT_SUPPORTED where the kernel
 * has no network namespaces. */
HRESULT linux_plane_open(const struct linux_plane_options *options,
                         struct plane **out, struct hcs_error *error);
const struct plane_ops *linux_plane_ops(void);

/* A descriptor of the tap of an endpoint that is attached to a machine, to be
 * sent to the machine's process (SCM_RIGHTS); the caller closes it. Frames
 * carry a virtio_net_hdr. HCN_E_ENDPOINT_NOT_ATTACHED when there is none. */
HRESULT linux_plane_tap(struct plane *plane, const struct guid *endpoint,
                        int *fd, struct hcs_error *error);

/* A descriptor of a network namespace: of that with the id, or of the host
 * that the plane plays when `space` is NULL; the caller closes it. */
HRESULT linux_plane_namespace(struct plane *plane, const struct guid *space,
                              int *fd, struct hcs_error *error);

/* A socket made in there; as socket(2) and close-on-exec. */
HRESULT linux_plane_socket(struct plane *plane, const struct guid *space,
                           int domain, int type, int protocol, int *fd,
                           struct hcs_error *error);

/* Readable when a service of a network ended without being asked to;
 * linux_plane_tend then starts it again, and says what it could not. Valid as
 * long as the plane. */
int linux_plane_pollfd(const struct plane *plane);
HRESULT linux_plane_tend(struct plane *plane, struct hcs_error *error);

#endif
