/* SPDX-License-Identifier: MIT
 * What a host's network must be able to do: the second vtable beside that of
 * backend.h. A plane carries packets; what networks and endpoints mean
 * (documents, names, allocation, who may have what) is decided above it, once
 * for all planes, in host/net.
 *
 * All that a plane is told is plain numbers and texts, told as a whole: a
 * change brings the complete new state of the object and either comes into
 * force entirely or not at all. Pointers are valid during the call only.
 *
 * A plane is used by one thread at a time; its calls end before they return.
 * Whoever calls keeps the order: a network before its endpoints, an endpoint
 * and its namespace before its port, and the reverse on the way down. What
 * takes away cannot fail. */
#ifndef HCS_PLANE_H
#define HCS_PLANE_H

#include "../base/error.h"
#include "../base/guid.h"
#include "../base/ip.h"

struct plane; /* each backend's own */

/* By the numbers of Microsoft's NetworkMode. */
enum plane_mode {
    PLANE_NAT,
    PLANE_ICS,
    PLANE_TRANSPARENT,
    PLANE_L2BRIDGE,
    PLANE_L2TUNNEL,
    PLANE_OVERLAY,
    PLANE_PRIVATE,
    PLANE_INTERNAL,
    PLANE_MIRRORED,
    PLANE_INFINIBAND,
    PLANE_CONSTRAINED_ICS,
    PLANE_MODE_COUNT
};

/* What a plane may or may not be able to carry out. */
enum plane_policy {
    PLANE_PORT_MAPPING,
    PLANE_ACL, /* of endpoints and of networks, and sets of addresses */
    PLANE_TIER_ACL,
    PLANE_QOS,
    PLANE_OUTBOUND_NAT,
    PLANE_SDN_ROUTE,
    PLANE_L4_PROXY,
    PLANE_WFP_PROXY,
    PLANE_PROVIDER_ADDRESS,
    PLANE_ENCAP_OVERHEAD,
    PLANE_MTU,
    PLANE_VLAN,
    PLANE_VSID,
    PLANE_VXLAN_PORT,
    PLANE_REMOTE_SUBNET,
    PLANE_HOST_ROUTE,
    PLANE_ROUTER_MAC,
    PLANE_SOURCE_MAC,
    PLANE_ADAPTER, /* NetAdapterName, InterfaceConstraint */
    PLANE_RECORD,  /* what is only kept: PortName, Iov, L2Driver, … */
    PLANE_POLICY_COUNT
};

/* --- what addresses, ports and protocols a rule is about ----------- */

struct plane_addresses { /* none: any */
    const struct ip_prefix *items;
    size_t count;
};

struct plane_port_range {
    uint16_t first, last; /* both included */
};

struct plane_ports { /* none: any */
    const struct plane_port_range *items;
    size_t count;
};

struct plane_protocols { /* IANA numbers; none: any */
    const uint8_t *items;
    size_t count;
};

/* Seen from the endpoint: local is its own side. A list that named only sets
 * without members matches nothing: `never`. */
struct plane_tuple {
    struct plane_protocols protocols;
    struct plane_addresses local, remote;
    struct plane_ports local_ports, remote_ports;
    bool never;
};

enum plane_action { PLANE_ALLOW, PLANE_BLOCK, PLANE_PASS };
enum plane_direction { PLANE_IN, PLANE_OUT }; /* in: toward the endpoint */

struct plane_acl {
    enum plane_action action; /* never PLANE_PASS */
    enum plane_direction direction;
    bool on_switch;    /* one for the direction: what matches none is dropped */
    uint16_t priority; /* the lower goes first */
    struct plane_tuple tuple;
};

struct plane_tier_rule {
    enum plane_action action; /* PLANE_PASS: on to the next tier */
    uint16_t priority;
    struct plane_tuple tuple;
};

/* What no rule of a tier matches goes on to the next. */
struct plane_tier {
    enum plane_direction direction;
    uint16_t order;                      /* the lower goes first */
    const struct plane_tier_rule *rules; /* by priority */
    size_t rule_count;
};

/* --- the policies -------------------------------------------------- */

#define PLANE_NAT_LOCAL_VIP UINT32_C(1)
#define PLANE_NAT_IPV6 UINT32_C(2)
#define PLANE_NAT_RESERVED UINT32_C(4) /* hold the port against others */

struct plane_mapping {
    uint8_t protocol;          /* 6 or 17 */
    struct ip_address address; /* of the host; IP_NONE: any of its own */
    uint16_t external;         /* never 0 */
    uint16_t internal;         /* never 0 */
    uint32_t flags;
};

struct plane_outbound_nat {
    struct ip_address address;           /* IP_NONE: the host's own */
    struct plane_addresses exceptions;   /* not translated */
    struct plane_addresses destinations; /* none: all */
    uint32_t flags;
};

struct plane_route {
    struct ip_prefix destination;
    struct ip_address next_hop; /* IP_NONE: on the link */
    uint16_t metric;
    bool encapsulate;
};

struct plane_proxy { /* to be sent to address:port instead */
    uint8_t protocol;
    struct ip_address address; /* IP_NONE: the host's own */
    uint16_t port;
    struct plane_addresses destinations; /* none: all */
    struct plane_addresses exceptions;
    bool outbound_nat;
};

struct plane_wfp_proxy { /* inside the endpoint's compartment */
    uint16_t inbound_port, outbound_port; /* 0: not that way */
    struct plane_tuple filter;
    const char *user; /* a SID's text: its traffic is exempt; "" for none */
    struct plane_addresses inbound_exceptions, outbound_exceptions;
    struct plane_ports inbound_ports, outbound_ports; /* exempt if any */
};

struct plane_remote_subnet { /* of an overlay, on another host */
    struct ip_prefix prefix;
    uint32_t isolation;
    struct ip_address provider;
    struct mac_address router;
};

/* --- networks ------------------------------------------------------ */

#define PLANE_NETWORK_DNS UINT32_C(1) /* NetworkFlags */
#define PLANE_NETWORK_DHCP UINT32_C(2)
#define PLANE_NETWORK_ISOLATE UINT32_C(32)
#define PLANE_NETWORK_NO_HOST_PORT UINT32_C(1024)

struct plane_subnet {
    struct guid id;
    struct ip_prefix prefix;
    struct ip_address gateway; /* IP_NONE: it has none */
    bool gateway_free;         /* an endpoint may own that address */
    uint32_t vlan;             /* 0: none */
    uint32_t isolation;        /* VSID; 0: none */
};

struct plane_dns {
    const char *domain; /* "" for none */
    const char *const *search;
    size_t search_count;
    const struct ip_address *servers;
    size_t server_count;
};

struct plane_network {
    struct guid id;
    const char *name; /* any UTF-8: quotes, newlines … */
    enum plane_mode mode;
    uint32_t flags;
    const char *adapter; /* as find_adapter chose it, "" when not external */
    const struct plane_subnet *subnets;
    size_t subnet_count;
    struct plane_dns dns;
    bool has_router_mac, has_source_mac;
    struct mac_address router_mac, source_mac;
    struct ip_address provider; /* of this host; IP_NONE: not told */
    uint16_t vxlan_port;
    bool host_route;              /* the host may reach the endpoints */
    const struct plane_acl *acls; /* by priority; go before an endpoint's */
    size_t acl_count;
    const struct plane_proxy *proxies;
    size_t proxy_count;
    const struct plane_remote_subnet *remotes;
    size_t remote_count;
};

/* --- endpoints ----------------------------------------------------- */

#define PLANE_ENDPOINT_REMOTE UINT32_C(1) /* EndpointFlags: on another host */
#define PLANE_ENDPOINT_ISOLATED UINT32_C(2)
#define PLANE_ENDPOINT_MIRROR UINT32_C(4)
#define PLANE_ENDPOINT_LOW_METRIC UINT32_C(8)
#define PLANE_ENDPOINT_DHCP UINT32_C(32)

struct plane_ip {
    struct ip_address address;
    uint8_t length; /* of the prefix on the link */
};

struct plane_endpoint {
    struct guid id, network;
    const char *name; /* any UTF-8 */
    uint32_t flags;
    struct mac_address mac;
    const struct plane_ip *addresses;
    size_t address_count;
    const struct plane_route *routes; /* of the endpoint itself */
    size_t route_count;
    struct plane_dns dns;
    /* Policies. */
    const struct plane_mapping *mappings;
    size_t mapping_count;
    const struct plane_acl *acls; /* by priority */
    size_t acl_count;
    const struct plane_tier *tiers; /* by order; go before the ACLs */
    size_t tier_count;
    const struct plane_outbound_nat *nats;
    size_t nat_count;
    const struct plane_route *sdn_routes;
    size_t sdn_route_count;
    const struct plane_proxy *proxies;
    size_t proxy_count;
    const struct plane_wfp_proxy *wfp_proxies;
    size_t wfp_proxy_count;
    struct ip_address provider; /* where a remote endpoint lives */
    uint64_t egress_limit;      /* bytes per second; 0: none */
    uint16_t mtu;               /* 0: the network's */
    uint16_t overhead;          /* of encapsulation, less MTU */
    uint32_t vlan;
    const char *port_name; /* "" for none */
};

/* --- where an endpoint ends ---------------------------------------- */

enum plane_namespace_type {
    PLANE_HOST, /* a compartment of its own */
    PLANE_HOST_DEFAULT,
    PLANE_GUEST, /* kept in a guest: nothing of the host */
    PLANE_GUEST_DEFAULT
};

struct plane_namespace {
    struct guid id;
    enum plane_namespace_type type;
    uint32_t compartment; /* 0: none on this host */
};

enum plane_port_kind { PLANE_PORT_NAMESPACE, PLANE_PORT_MACHINE };

#define PLANE_DEVICE_SIZE 64

struct plane_port {
    enum plane_port_kind kind;
    struct guid port;    /* the switch port's id */
    struct guid owner;   /* the namespace, or the virtual machine */
    const char *adapter; /* a machine's: VirtualNicName, "" for none */
};

struct plane_statistics { /* as the endpoint sees it */
    uint64_t bytes_received, bytes_sent;
    uint64_t packets_received, packets_sent;
    uint64_t dropped_incoming, dropped_outgoing;
};

/* Which of the host's adapters an external network wants. */
struct plane_adapter {
    const char *name; /* NetAdapterName, or InterfaceAlias; "" for any */
    uint32_t index;   /* InterfaceIndex; 0 for any */
};

/* It would take such members for macros. */
/* clang-format off */
struct plane_ops {
    const char *name; /* "sim", "linux" */

    /* S_OK, or the code with which a request for it is refused; the error says
     * what the host lacks. */
    HRESULT (*can_network)(struct plane *plane, enum plane_mode mode,
                           struct hcs_error *error);
    HRESULT (*can_policy)(struct plane *plane, enum plane_policy policy,
                          struct hcs_error *error);

    /* What of the host's own is in the way. */
    bool (*prefix_taken)(struct plane *plane, const struct ip_prefix *prefix);
    bool (*port_taken)(struct plane *plane, uint8_t protocol,
                       const struct ip_address *address, uint16_t port);
    /* The adapter's name; HCN_E_ADAPTER_NOT_FOUND where none will do. */
    HRESULT (*find_adapter)(struct plane *plane,
                            const struct plane_adapter *wanted,
                            char out[PLANE_DEVICE_SIZE],
                            struct hcs_error *error);

    HRESULT (*network_up)(struct plane *plane,
                          const struct plane_network *network,
                          struct hcs_error *error);
    /* Neither id nor mode nor adapter change. */
    HRESULT (*network_change)(struct plane *plane,
                              const struct plane_network *network,
                              struct hcs_error *error);
    void (*network_down)(struct plane *plane, const struct guid *id);

    /* Made known, with its policies, and without a port yet. ERROR_SHARING_
     * VIOLATION where another process has a mapped port. */
    HRESULT (*endpoint_up)(struct plane *plane,
                           const struct plane_endpoint *endpoint,
                           struct hcs_error *error);
    /* Ids, addresses and MAC do not change. */
    HRESULT (*endpoint_change)(struct plane *plane,
                               const struct plane_endpoint *endpoint,
                               struct hcs_error *error);
    /* Its port is down. */
    void (*endpoint_down)(struct plane *plane, const struct guid *id);

    HRESULT (*namespace_up)(struct plane *plane,
                            const struct plane_namespace *space,
                            struct hcs_error *error);
    void (*namespace_down)(struct plane *plane, const struct guid *id);

    /* An endpoint has one port at most. `device` is set to the name of what
     * the other side uses (an interface, a tap), "" where there is none. */
    HRESULT (*port_up)(struct plane *plane, const struct guid *endpoint,
                       const struct plane_port *port,
                       char device[PLANE_DEVICE_SIZE],
                       struct hcs_error *error);
    void (*port_down)(struct plane *plane, const struct guid *endpoint);

    HRESULT (*statistics)(struct plane *plane, const struct guid *endpoint,
                          struct plane_statistics *out,
                          struct hcs_error *error);
    /* NULL is fine. Takes down all that is left. */
    void (*destroy)(struct plane *plane);
};
/* clang-format on */

/* --- the simulated plane ------------------------------------------- */

const struct plane_ops *sim_plane_ops(void);
HRESULT sim_plane_open(struct plane **out, struct hcs_error *error);

/* The host itself: a packet from or to it has this zero id. What is neither
 * the host nor an endpoint is outside. */
struct sim_packet {
    bool from_outside;        /* else from `from` */
    struct guid from;         /* an endpoint; zero: the host */
    struct ip_address source; /* IP_NONE: the first of the sender's family */
    struct ip_address destination;
    uint8_t protocol;
    uint16_t source_port, destination_port;
};

/* What became of it. */
struct sim_verdict {
    bool passed;
    char reason[96]; /* one sentence: which rule decided */
    bool to_outside; /* it left the host */
    struct guid to;  /* the endpoint that has it; zero: the host */
    struct ip_address source, destination; /* as it arrived */
    uint16_t source_port, destination_port;
};

/* Sends `count` packets of `bytes` each and counts them; 0: only asks. */
void sim_plane_send(struct plane *plane, const struct sim_packet *packet,
                    uint64_t count, uint64_t bytes,
                    struct sim_verdict *verdict);
/* Counts what comes back on the way of a packet that passed: no rule is asked,
 * as what answers gets through. */
void sim_plane_answer(struct plane *plane, const struct sim_packet *packet,
                      const struct sim_verdict *verdict, uint64_t count,
                      uint64_t bytes);
/* What the host has of its own beside its networks. E_OUTOFMEMORY only. */
HRESULT sim_plane_take_prefix(struct plane *plane,
                              const struct ip_prefix *prefix);
HRESULT sim_plane_take_port(struct plane *plane, uint8_t protocol,
                            uint16_t port);
/* Whether external networks find an adapter; they do until told otherwise. */
void sim_plane_adapter(struct plane *plane, bool there);

struct sim_plane_counts {
    size_t networks, endpoints, namespaces, ports;
    uint64_t calls; /* of the vtable that were to change something */
};
void sim_plane_count(const struct plane *plane, struct sim_plane_counts *out);
/* The `after`-th change from now on (1: the next) fails with `code`; 0 ends. */
void sim_plane_fail(struct plane *plane, unsigned after, HRESULT code);

#endif
