/* SPDX-License-Identifier: MIT
 * The worker's way to the host's networks: a connection to hcs-hostd, made with
 * the first adapter that wants an endpoint. The machine's ports go with the
 * connection, hence with this process. When the daemon dies the machine keeps
 * its taps, and the next daemon is given them. */
#ifndef HCS_VMWP_NETWORK_H
#define HCS_VMWP_NETWORK_H

#include <limits.h>
#include <uv.h>

#include "../base/list.h"
#include "../base/thread.h"
#include "../hostd/client.h"

struct network {
    struct hostd_place place;
    struct hostd_terms terms;
    char program[PATH_MAX]; /* hcs-hostd */
    /* On the loop. The endpoint's tap is gone; `tap`, which is taken over, is
     * another in its place, or -1: there will be none. */
    void (*lost)(void *context, const struct guid *endpoint, int tap);
    void *context;

    uv_loop_t *loop; /* NULL: closed, or not open yet */
    uv_async_t changed;
    uv_timer_t look;  /* at the taps */
    uv_timer_t retry; /* to reach a daemon */
    uv_poll_t end;    /* of the line */
    int end_fd;       /* a duplicate of its descriptor; -1: it is not watched */
    uint64_t pause;   /* ms until the next try */
    uv_work_t work;
    bool working; /* a daemon is being reached */
    bool reached; /* what that came to */

    hcs_mutex calls;    /* held while a daemon is asked */
    struct hostd *line; /* or NULL */
    unsigned lines;     /* how many there were */

    hcs_mutex list; /* of what follows; never held for long */
    struct link adapters;
    int fresh_fd; /* a duplicate that is to be watched, or -1 */
    bool fresh;
    bool closed; /* the loop hears of nothing any more */
};

/* `program` is a path beside which hcs-hostd lies; the rest of `place` and the
 * terms outlive it. False without memory or descriptors. */
bool network_open(struct network *network, uv_loop_t *loop,
                  const char *program);
/* Before the loop's last run; then network_free, which ends the connection. */
void network_close(struct network *network);
void network_free(struct network *network);

/* As qemu_platform's functions, with the network as context. */
HRESULT network_attach(void *network, const struct machine_adapter *adapter,
                       int *tap, struct mac_address *mac,
                       struct hcs_error *error);
void network_detach(void *network, const struct guid *endpoint);

#endif
