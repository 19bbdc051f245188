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

/* A socket made outside: in a place of its own that is joined to the host that
 * the plane plays like another machine on its wire, so that what it sends comes
 * in there as from the world. Made with the first socket; the machine's own
 * network has no part in it. As socket(2) and close-on-exec. `host` (may be
 * NULL) gets the address of `domain` (AF_INET, AF_INET6) at which the host is
 * found from there; any other address that the host has is found, too. */
HRESULT linux_plane_outside(struct plane *plane, int domain, int type,
                            int protocol, int *fd, struct ip_address *host,
                            struct hcs_error *error);

/* The next port_up of that endpoint for a machine takes this tap, which the
 * machine's process has from a plane that died, instead of making one: the
 * device comes over from what is left of that plane's namespace, and the
 * descriptor that the machine has stays good. The plane takes a descriptor of
 * its own; `tap` -1 takes the offer back, as endpoint_down does. E_INVALIDARG
 * for what is no tap; HCN_E_ENDPOINT_NOT_FOUND. A port_up that cannot have the
 * device (E_ACCESSDENIED where it belongs to another user namespace) fails and
 * leaves it where it is. */
HRESULT linux_plane_offer(struct plane *plane, const struct guid *endpoint,
                          int tap, struct hcs_error *error);

/* An uplink for a plane that was opened without. `first` as in the options, or
 * NULL: a prefix is looked for that nobody on the machine and no network here
 * has. S_FALSE when there is an uplink already. What fails changes nothing. */
HRESULT linux_plane_uplink(struct plane *plane, const struct ip_address *first,
                           struct hcs_error *error);

/* What there is at the moment, counted in the kernel: interfaces of the plane
 * and its namespaces and, with an uplink, of the machine; rules of their packet
 * filters that are the plane's; processes. Without loopbacks. */
struct linux_plane_counts {
    size_t networks, endpoints, namespaces, ports;
    size_t interfaces, rules, processes;
};
HRESULT linux_plane_count(struct plane *plane, struct linux_plane_counts *out,
                          struct hcs_error *error);

/* Readable when a service of a network ended without being asked to, or an
 * interface of the plane's was taken away by somebody else; linux_plane_tend
 * then mends it, and says what it could not. Valid as long as the plane. */
int linux_plane_pollfd(const struct plane *plane);
HRESULT linux_plane_tend(struct plane *plane, struct hcs_error *error);

/* --- what would change ------------------------------------------------- */

/* A plane that changes nothing: it answers as `plane` does, which must live
 * longer, and writes down what that would do. It knows no objects, so whatever
 * a net on it restores is written down, too, until linux_plan_clear. */
HRESULT linux_plan_open(struct plane *plane, struct plane **out,
                        struct hcs_error *error);
const struct plane_ops *linux_plan_ops(void);

enum linux_plan_kind {
    LINUX_PLAN_INTERFACE,
    LINUX_PLAN_ADDRESS,
    LINUX_PLAN_ROUTE,
    LINUX_PLAN_RULE,
    LINUX_PLAN_SETTING,
    LINUX_PLAN_PROCESS,
    LINUX_PLAN_FILE
};

struct linux_plan_line {
    enum linux_plan_kind kind;
    bool machine;     /* of the machine's own; else of the plane's */
    const char *text; /* one line; valid until the next call */
};

/* In the order in which it would be done. NULL after the last. */
const struct linux_plan_line *linux_plan_line(const struct plane *plan,
                                              size_t which);
void linux_plan_clear(struct plane *plan);
/* Writes down what linux_plane_uplink would do; nothing when there is one. */
HRESULT linux_plan_uplink(struct plane *plan, struct hcs_error *error);

#endif
