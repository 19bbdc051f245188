/* SPDX-License-Identifier: MIT
 * The plane that a daemon stands on: what it needs of it beside the vtable of
 * plane.h. Real ones are the kernel's (ground_linux.c); those who test the
 * daemon bring their own. */
#ifndef HCS_HOSTD_GROUND_H
#define HCS_HOSTD_GROUND_H

#include "../backend/plane.h"
#include "../base/buf.h"

/* For a process without rights on networks, before it has any thread. */
HRESULT ground_enter(struct hcs_error *error);
/* `files`: an existing directory for the plane's own files, at most 200 bytes
 * long. E_ACCESSDENIED and HR_NOT_SUPPORTED say what the machine lacks. */
HRESULT ground_open(const char *files, struct plane **out,
                    struct hcs_error *error);
const struct plane_ops *ground_ops(void);

/* To be watched for input; -1: never. ground_tend then does what is due. */
int ground_pollfd(const struct plane *plane);
HRESULT ground_tend(struct plane *plane, struct hcs_error *error);

/* The plane may have an uplink to the machine's network from now on. S_FALSE:
 * it has one. */
HRESULT ground_uplink(struct plane *plane, struct hcs_error *error);

/* A descriptor of the tap of an endpoint that a machine has. */
HRESULT ground_tap(struct plane *plane, const struct guid *endpoint, int *fd,
                   struct hcs_error *error);
/* The next port of the endpoint for a machine is this tap; -1: not any more. */
HRESULT ground_offer(struct plane *plane, const struct guid *endpoint, int fd,
                     struct hcs_error *error);
/* A TCP socket outside of the host that the plane plays, connecting to the
 * address there, which is any of the host's own if it is IP_NONE or a
 * loopback; not blocking. */
HRESULT ground_connect(struct plane *plane, const struct ip_address *address,
                       uint16_t port, int *fd, struct hcs_error *error);

struct ground_counts {
    uint64_t interfaces, rules, processes;
};
HRESULT ground_count(struct plane *plane, struct ground_counts *out,
                     struct hcs_error *error);

/* A plane that changes nothing and writes down what `plane` would do. */
HRESULT ground_plan_open(struct plane *plane, struct plane **out,
                         struct hcs_error *error);
const struct plane_ops *ground_plan_ops(void);
/* Forgets what is written down. With `uplink`: begins with that of one. */
HRESULT ground_plan_begin(struct plane *plan, bool uplink,
                          struct hcs_error *error);
/* Appends what is written down, a JSON array of {Kind, Machine, Text}. */
void ground_plan_write(const struct plane *plan, struct buf *out);

#endif
