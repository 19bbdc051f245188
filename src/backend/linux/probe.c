/* SPDX-License-Identifier: MIT
 * What this kernel can do, found by trial in a namespace that is thrown away,
 * and what is refused accordingly. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../../base/hresult_hcn.h"
#include "inside.h"

static void probe_tap(struct abilities *can) {
    struct ifreq wish = {.ifr_name = "probe",
                         .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    can->tap = fd >= 0 && ioctl(fd, TUNSETIFF, &wish) == 0;
    if (!can->tap)
        snprintf(can->tap_missing, sizeof can->tap_missing, "/dev/net/tun: %s",
                 strerrordesc_np(errno));
    if (fd >= 0)
        close(fd);
}

static bool make(struct wire *wire, const char *name, const char *kind) {
    struct ifinfomsg head = {0};
    struct message m;
    size_t info;

    message_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head,
                  sizeof head);
    message_text(&m, IFLA_IFNAME, name);
    info = message_open(&m, IFLA_LINKINFO);
    message_text(&m, IFLA_INFO_KIND, kind);
    message_close(&m, info);
    return wire_ask(wire, &m, NULL) == 0;
}

static bool has_qdisc(struct wire *wire, const char *device, const char *kind,
                      uint32_t parent) {
    struct device one = {.index = 0};
    struct tcmsg head = {.tcm_parent = parent};
    struct message m;

    snprintf(one.name, sizeof one.name, "%s", device);
    if (FAILED(device_find(&one, NULL)))
        return false;
    head.tcm_ifindex = one.index;
    message_begin(&m, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_EXCL, &head,
                  sizeof head);
    message_text(&m, TCA_KIND, kind);
    return wire_ask(wire, &m, NULL) == 0;
}

void probe(struct abilities *can) {
    struct wire wire = {.fd = -1};

    memset(can, 0, sizeof *can);
    if (FAILED(wire_open(&wire, NULL)))
        return;
    can->bridge =
        make(&wire, "probe0", "bridge") && make(&wire, "probe1", "veth");
    can->bridge_filter = access("/proc/sys/net/bridge", F_OK) == 0;
    can->shape = can->bridge && make(&wire, "probe2", "ifb") &&
                 has_qdisc(&wire, "probe1", "clsact", 0xFFFFFFF1u);
    wire_close(&wire);
    probe_tap(can);
}

static HRESULT refuse(HRESULT code, const char *text, struct hcs_error *error) {
    return error_set(error, code, NULL, "%s", text);
}

HRESULT probe_network(const struct plane *plane, enum plane_mode mode,
                      struct hcs_error *error) {
    switch (mode) {
    case PLANE_ICS:
        if (!plane->dnsmasq || !plane->directory)
            return refuse(HCN_E_REQUEST_UNSUPPORTED,
                          "networks of type ICS need dnsmasq, which this host "
                          "does not have",
                          error);
        break;
    case PLANE_NAT:
    case PLANE_INTERNAL:
    case PLANE_PRIVATE:
        break;
    default:
        return refuse(HCN_E_REQUEST_UNSUPPORTED,
                      "this host has no networks of that type", error);
    }
    if (!plane->can.bridge)
        return refuse(HCN_E_REQUEST_UNSUPPORTED,
                      "this host's kernel has no bridges", error);
    return S_OK;
}

/* Policies of the switch's filter are refused as that, others as requests. */
HRESULT probe_policy(const struct plane *plane, enum plane_policy policy,
                     struct hcs_error *error) {
    switch (policy) {
    case PLANE_PORT_MAPPING:
    case PLANE_OUTBOUND_NAT:
    case PLANE_MTU:
    case PLANE_ENCAP_OVERHEAD:
    case PLANE_HOST_ROUTE:
    case PLANE_ROUTER_MAC:
    case PLANE_SOURCE_MAC:
    case PLANE_RECORD:
        return S_OK;
    case PLANE_ACL:
    case PLANE_TIER_ACL:
        if (plane->can.bridge_filter)
            return S_OK;
        return refuse(HCN_E_REQUEST_UNSUPPORTED,
                      "this host's kernel does not filter what its bridges "
                      "carry (br_netfilter)",
                      error);
    case PLANE_QOS:
        if (plane->can.shape)
            return S_OK;
        return refuse(HCN_E_REQUEST_UNSUPPORTED,
                      "this host's kernel has no limits (ifb, clsact)", error);
    case PLANE_VLAN:
    case PLANE_ADAPTER:
        return refuse(HCN_E_REQUEST_UNSUPPORTED,
                      "this host's networks do not reach its adapters", error);
    default:
        return refuse(HCN_E_VFP_NOT_ALLOWED,
                      "this host does not carry out policies of that type",
                      error);
    }
}
