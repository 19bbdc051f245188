/* SPDX-License-Identifier: MIT
 * The readers of policies: each checks the settings of one type and adds what
 * a plane is told of it. */
#ifndef HCS_NET_POLICY_READERS_H
#define HCS_NET_POLICY_READERS_H

#include "policy.h"

/* What every host must be able to receive, by IPv4 and by IPv6. */
#define POLICY_LEAST_MTU 576
#define POLICY_LEAST_MTU_V6 1280

/* Whether the endpoint has an address of the family. */
bool policy_has_family(const struct policy_context *context,
                       enum ip_family family);
/* HCN_E_INVALID_POLICY: "expected <what>". */
HRESULT policy_lacks(const struct doc *settings, const char *what,
                     struct hcs_error *error);

HRESULT qos_read(struct compiler *compiler, const struct doc *settings,
                 struct hcs_error *error);
HRESULT outbound_nat_read(struct compiler *compiler, const struct doc *settings,
                          struct hcs_error *error);
HRESULT sdn_route_read(struct compiler *compiler, const struct doc *settings,
                       struct hcs_error *error);
HRESULT proxy_read(struct compiler *compiler, const struct doc *settings,
                   struct hcs_error *error);
HRESULT wfp_proxy_read(struct compiler *compiler, const struct doc *settings,
                       struct hcs_error *error);
HRESULT provider_read(struct compiler *compiler, const struct doc *settings,
                      struct hcs_error *error);
HRESULT port_name_read(struct compiler *compiler, const struct doc *settings,
                       struct hcs_error *error);
HRESULT overhead_read(struct compiler *compiler, const struct doc *settings,
                      struct hcs_error *error);
HRESULT mtu_read(struct compiler *compiler, const struct doc *settings,
                 struct hcs_error *error);
HRESULT vlan_read(struct compiler *compiler, const struct doc *settings,
                  struct hcs_error *error);
HRESULT vsid_read(struct compiler *compiler, const struct doc *settings,
                  struct hcs_error *error);
HRESULT source_mac_read(struct compiler *compiler, const struct doc *settings,
                        struct hcs_error *error);
HRESULT router_mac_read(struct compiler *compiler, const struct doc *settings,
                        struct hcs_error *error);
HRESULT adapter_name_read(struct compiler *compiler, const struct doc *settings,
                          struct hcs_error *error);
HRESULT constraint_read(struct compiler *compiler, const struct doc *settings,
                        struct hcs_error *error);
HRESULT extension_read(struct compiler *compiler, const struct doc *settings,
                       struct hcs_error *error);
HRESULT automatic_dns_read(struct compiler *compiler,
                           const struct doc *settings, struct hcs_error *error);
HRESULT layer_read(struct compiler *compiler, const struct doc *settings,
                   struct hcs_error *error);
HRESULT remote_subnet_read(struct compiler *compiler,
                           const struct doc *settings, struct hcs_error *error);
HRESULT vxlan_port_read(struct compiler *compiler, const struct doc *settings,
                        struct hcs_error *error);
HRESULT host_route_read(struct compiler *compiler, const struct doc *settings,
                        struct hcs_error *error);
HRESULT set_again(struct compiler *compiler, const struct doc *settings,
                  struct hcs_error *error);

#endif
