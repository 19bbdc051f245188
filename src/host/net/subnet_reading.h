/* SPDX-License-Identifier: MIT
 * Reading subnets into a new part, for those who make and who change them. */
#ifndef HCS_NET_SUBNET_READING_H
#define HCS_NET_SUBNET_READING_H

#include "subnet.h"

#define MOST_SUBNETS 1024 /* of a network, and pools of a subnet */

/* Where a subnet that is being read belongs. */
struct reading {
    struct net *net;
    enum plane_mode mode;
    struct subnets *out;
    size_t room;  /* for subnets */
    HRESULT code; /* for a subnet that cannot be */
};

HRESULT subnet_read_prefix(const struct doc *object, HRESULT code,
                           struct ip_prefix *out, struct hcs_error *error);
HRESULT subnet_read_pools(const struct reading *reading, struct subnet *subnet,
                          const struct doc *array, size_t count,
                          struct hcs_error *error);
HRESULT subnets_too_many(const struct doc *place, HRESULT code,
                         struct hcs_error *error);
HRESULT subnets_read_array(struct reading *reading, const struct doc *array,
                           size_t count, unsigned ipam,
                           struct hcs_error *error);
HRESULT subnets_make_room(struct subnets *out, size_t room,
                          struct hcs_error *error);
HRESULT subnets_line_up(struct subnets *out, struct hcs_error *error);

#endif
